"""The embedded server's data directory: made, described and looked at, without a running server."""

import hashlib
import logging
import os
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from monitor.store.installation import Account, EmbeddedError, Installation, account_for, open_way

log = logging.getLogger(__name__)

SQL = Path(__file__).resolve().parents[2] / "sql"
SUPERUSER = "postgres"  # made by initdb; sets up roles and the database, never used by the service
ROLES = ("livemon_owner", "livemon_writer", "livemon_reader", "livemon_hall")
PORT = 5432  # only names the socket: the server listens on no address
SOCKET_PATH_MAX = 100  # sockaddr_un holds 104 bytes on macOS, 108 on Linux
LOG_LINES = 15
TAIL_BYTES = 64 * 1024


class Cluster:
    """`data_dir/postgres`: the data, its log, the roles' passwords, and the lock files."""

    def __init__(self, data_dir: Path) -> None:
        self.home = data_dir.resolve() / "postgres"
        self.data = self.home / "data"
        self.logs = self.home / "log"
        self.passwords = self.home / "passwords"
        self.start_log = self.home / "start.log"
        self.users_lock = self.home / "users.lock"
        self.start_lock = self.home / "start.lock"
        self.set_up = self.home / "set-up"

    def password(self, role: str) -> str:
        try:
            return (self.passwords / role).read_text().strip()
        except OSError as error:
            raise EmbeddedError(f"cannot read the password of {role}: {error}") from error

    def account(self) -> Account | None:
        return account_for(self.data)

    def prepare(self, programs: Installation) -> None:
        """Make what is missing; called under the start lock and only while no server runs."""
        account = self.account()
        self._make_home(account)
        if account is not None:
            open_way(programs.bin / "postgres", account)
        for role in (SUPERUSER, *ROLES):
            _write_secret(self.passwords / role)
        version = self.data / "PG_VERSION"
        if not version.exists():
            self._initdb(programs, account)
        elif (major := version.read_text().strip()) != str(programs.major):
            raise EmbeddedError(self._other_major(major, programs))
        settings = self.data / "livemon.conf"
        settings.write_bytes((SQL / "embedded" / "livemon.conf").read_bytes())
        _give(settings, account, 0o600)
        self._forget_stale_pid()

    def postmaster(self) -> tuple[int | None, list[str]]:
        """The pid and the lines of postmaster.pid; (None, []) without one."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return None, []
        except PermissionError as error:
            raise EmbeddedError(f"{self.data} belongs to another user ({error}): run livemon as before") from error
        return (int(lines[0]) if lines and lines[0].isdigit() else None), lines

    def socket(self) -> str | None:
        """The directory of the running server's socket, as the server itself noted it."""
        _, lines = self.postmaster()
        return lines[4].strip() if len(lines) > 4 and lines[4].strip() else None

    def status(self) -> str | None:
        """`starting`, `ready` or `stopping`, as the running server itself noted it; None if none runs."""
        pid, lines = self.postmaster()
        if pid is None or not _is_postmaster(pid, self.data):
            return None
        return lines[7].strip() if len(lines) > 7 else "starting"

    def progress(self) -> bytes:
        """Changes while recovery moves: the last thing the startup process said. Refused clients do not count."""
        said = [line for path in self._logs()[-1:] for line in _tail(path) if b"[startup]" in line]
        return said[-1] if said else b""

    def last_words(self) -> str:
        """The end of what the server wrote, for the error that says why it did not start."""
        ends = [_tail(path)[-LOG_LINES:] for path in (*self._logs()[-1:], self.start_log) if path.exists()]
        return b"\n".join(line for end in ends for line in end).decode(errors="replace") or "(it wrote nothing)"

    def choose_socket(self) -> str:
        """A private directory with a short path, the same one after each start if possible; while no server runs."""
        account = self.account()
        owner = os.geteuid() if account is None else account.uid
        name = f"livemon-{hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]}"
        for parent in _socket_parents(account):
            folder = parent / name
            if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) > SOCKET_PATH_MAX or not os.access(parent, os.W_OK):
                continue
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (owner, os.geteuid()):
                continue  # somebody else put something there: never trust it
            _give(folder, account, 0o700)
            for left in folder.glob(f".s.PGSQL.{PORT}*"):  # by a crash; its lock file would bar a new server
                left.unlink()
            return str(folder)
        folder = Path(tempfile.mkdtemp(prefix="livemon-", dir="/tmp"))
        _give(folder, account, 0o700)
        return str(folder)

    def _make_home(self, account: Account | None) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.passwords.mkdir(mode=0o700, exist_ok=True)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        _give(self.logs, account, 0o700)
        if account is not None:
            os.chown(self.home, 0, account.gid)
            self.home.chmod(0o710)
            open_way(self.data, account)

    def _initdb(self, programs: Installation, account: Account | None) -> None:
        """Beside its place, then moved there: a half-made directory is never taken for a whole one."""
        made = self.home / "data.new"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        _give(made, account, 0o700)
        password = self.home / "initdb.password"
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(self.password(SUPERUSER))
        _give(password, account, 0o600)
        log.info("making the embedded PostgreSQL %d under %s", programs.major, self.home)
        command = [programs.program("initdb"), "-D", str(made), "-U", SUPERUSER, "-A", "scram-sha-256"]
        command += ["--pwfile", str(password), "-E", "UTF8", "--locale=C", "-k", "--no-instructions"]
        if programs.major >= 17:  # the same order of text on every machine, yet upper and lower case of all Unicode
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        try:
            run(command, account)
        finally:
            password.unlink()
        with (made / "postgresql.conf").open("a") as settings:
            settings.write("\ninclude 'livemon.conf'\n# Your own settings below this line win.\n")
        made.rename(self.data)

    def _forget_stale_pid(self) -> None:
        """After a crash its pid may be somebody else's (a container counts from 1 again): postgres would refuse."""
        pid, _ = self.postmaster()
        if pid is not None and not _is_postmaster(pid, self.data):
            log.info("removing postmaster.pid of a crashed server (pid %d is no postmaster of %s)", pid, self.data)
            (self.data / "postmaster.pid").unlink()

    def _other_major(self, major: str, programs: Installation) -> str:
        return (
            f"{self.data} was made by PostgreSQL {major}, this livemon brings PostgreSQL {programs.major} and leaves "
            f"it alone. Take the data along with the programs of {major} (in OLD; pg_ctl as the owner of the data):\n"
            f"  OLD/pg_ctl -w -D {self.data} -o '-k /tmp' start\n"
            f"  PGPASSWORD=$(cat {self.passwords / SUPERUSER}) "
            f"OLD/pg_dump -h /tmp -U {SUPERUSER} -Fc -f livemon-{major}.dump livemon\n"
            f"  OLD/pg_ctl -w -D {self.data} stop && mv {self.home} {self.home}-{major}\n"
            "then start `livemon run`, which makes an empty database, and put the dump into it:\n"
            f"  {programs.program('pg_restore')} --clean --if-exists "
            f"-d $(livemon dsn --show --role owner) livemon-{major}.dump"
        )

    def _logs(self) -> list[Path]:
        return sorted(self.logs.glob("postgres-*.log"), key=lambda path: path.stat().st_mtime)


def run(command: list[str], account: Account | None) -> None:
    """Run one of the wheel's programs to its end, as the account; its own words become the error."""
    try:
        subprocess.run(  # noqa: S603 -- a fixed program of the wheel
            command,
            check=True,
            capture_output=True,
            text=True,
            cwd="/",
            env=environment(),
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
    except subprocess.CalledProcessError as error:
        raise EmbeddedError(f"{Path(command[0]).name} failed: {error.stderr.strip()}") from error
    except PermissionError as error:
        raise EmbeddedError(
            f"the user the server runs as may not read {command[0]}: chmod -R o+rX {Path(command[0]).parents[1]}"
        ) from error


def environment() -> dict[str, str]:
    """What the programs may see of ours: no PG* variable of a person's shell, and messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def _tail(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return [line for line in file.read().splitlines() if line.strip()]


def _socket_parents(account: Account | None) -> list[Path]:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if account is not None:  # root's own runtime directory is closed to the account
        return [Path("/run"), Path("/tmp")]  # noqa: S108 -- a private directory is made in it
    return [*([Path(runtime)] if runtime else []), Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108


def _is_postmaster(pid: int, data: Path) -> bool:
    """Pids are used again: a postmaster is known by its working directory, or at least by its name."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == data
        except OSError:
            return False
    shown = subprocess.run(["/bin/ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True)  # noqa: S603
    return "postgres" in shown.stdout


def _write_secret(path: Path) -> None:
    if path.exists() and path.stat().st_size:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(32))
        file.flush()
        os.fsync(descriptor)


def _give(path: Path, account: Account | None, mode: int) -> None:
    path.chmod(mode)
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)

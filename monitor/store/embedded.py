"""PostgreSQL without a DSN: a server of our own under data_dir, there for as long as somebody holds it.

Everything the rest of livemon knows of it is `hold`, `Server` and `EmbeddedError`: another way of having a server
has these three. The server is watched by the guardian, a process that outlives a kill -9 of ours.
"""

import asyncio
import fcntl
import hashlib
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Self

import asyncpg

from monitor.store import installation
from monitor.store.cluster import PORT, ROLES, SQL, SUPERUSER, Cluster, environment
from monitor.store.installation import EmbeddedError, Installation

log = logging.getLogger(__name__)

DATABASE = "livemon"
STALL_S_MAX = 60.0  # a start may take as long as it likes, while recovery says that it moves
LOOK_EVERY_S = 0.1
KEEP_EVERY_S = 2.0
STOP_S_MAX = 150.0


class Server:
    """A running embedded server, and our hold on it."""

    def __init__(
        self,
        cluster: Cluster,
        users: int,
        guardian: "subprocess.Popen[bytes] | None",
        programs: Installation | None = None,
    ) -> None:
        self.cluster = cluster
        self._programs = programs
        self._users = users
        self.guardian = guardian  # None: somebody else started the server, and we do not stop it

    @property
    def socket(self) -> str:
        folder = self.cluster.socket()
        if folder is None:
            raise EmbeddedError(f"the embedded PostgreSQL under {self.cluster.home} does not run")
        return folder

    def password(self, role: str) -> str:
        return self.cluster.password(role)

    async def release(self) -> None:
        """Let go. If we started it, the guardian stops it as soon as no other livemon holds it either."""
        os.close(self._users)
        if self.guardian is None or self.guardian.stdin is None:
            return
        with suppress(BrokenPipeError):
            self.guardian.stdin.close()
        try:
            async with asyncio.timeout(STOP_S_MAX):
                while self.guardian.poll() is None and not _others_hold(self.cluster):  # noqa: ASYNC110 -- a process
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            log.warning("the embedded PostgreSQL still stops; its guardian (pid %d) waits for it", self.guardian.pid)

    async def keep(self) -> None:
        """For the service, until cancelled: have it back should the server go together with its guardian.

        A postmaster that dies alone is started again by the guardian.
        """
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            if self.cluster.status() is not None or (self.guardian is not None and self.guardian.poll() is None):
                continue
            log.error("the embedded PostgreSQL has gone; starting it again")
            try:
                again = await start(self.cluster.home.parent, self._programs)
            except EmbeddedError as error:
                log.error("cannot start it: %s", error)
                continue
            os.close(again._users)
            self.guardian = again.guardian


@asynccontextmanager
async def hold(data_dir: Path, programs: Installation | None = None) -> AsyncIterator[Server]:
    """Use the running server, or start one for the duration of this block."""
    server = await start(data_dir, programs)
    try:
        yield server
    finally:
        await server.release()


async def start(data_dir: Path, programs: Installation | None = None, *, stall_s_max: float = STALL_S_MAX) -> Server:
    """Hold the server of this directory, running and set up; end it by `release`."""
    cluster = Cluster(data_dir)
    cluster.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Shared, for as long as we live: the guardian stops only under the exclusive lock, also when it started for others.
    users = await _locked(cluster.users_lock, fcntl.LOCK_SH)
    guardian: subprocess.Popen[bytes] | None = None
    try:
        async with _Starting(cluster):
            await _wait_while_stopping(cluster)
            if cluster.status() is None:
                programs = programs or installation.wheel()
                await asyncio.to_thread(cluster.prepare, programs)
                guardian = _spawn(cluster, programs)
            await _wait_until_ready(cluster, guardian, stall_s_max)
            await _set_up(cluster)
        if guardian is not None and guardian.stdin is not None:
            log.info("the embedded PostgreSQL runs, its socket is in %s", cluster.socket())
            guardian.stdin.write(b"r")  # ready: from now on it is started again if it dies
            guardian.stdin.flush()
    except BaseException:
        await Server(cluster, users, guardian).release()
        raise
    return Server(cluster, users, guardian, programs)


class _Starting:
    """One starter at a time."""

    def __init__(self, cluster: Cluster) -> None:
        self._path = cluster.start_lock
        self._descriptor = -1

    async def __aenter__(self) -> Self:
        self._descriptor = await _locked(self._path, fcntl.LOCK_EX)
        return self

    async def __aexit__(self, *_: object) -> None:
        os.close(self._descriptor)


async def _locked(path: Path, kind: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _try_lock(descriptor, kind):  # noqa: ASYNC110 -- other processes hold it
            await asyncio.sleep(LOOK_EVERY_S)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _others_hold(cluster: Cluster) -> bool:
    """Whether another livemon uses the server that we let go: then its guardian stops it later, without us."""
    descriptor = os.open(cluster.users_lock, os.O_RDWR)
    try:
        nobody = _try_lock(descriptor, fcntl.LOCK_EX)
        return not nobody and _try_lock(descriptor, fcntl.LOCK_SH)  # neither: the guardian is stopping it
    finally:
        os.close(descriptor)


async def _wait_while_stopping(cluster: Cluster) -> None:
    """A server that a person is stopping by hand: one of our own follows it."""
    async with asyncio.timeout(STOP_S_MAX):
        while cluster.status() == "stopping":  # noqa: ASYNC110 -- a file of another process
            await asyncio.sleep(LOOK_EVERY_S)


def _spawn(cluster: Cluster, programs: Installation) -> "subprocess.Popen[bytes]":
    account = cluster.account()
    command = [sys.executable, "-m", "monitor.store.guardian", "--users-lock", str(cluster.users_lock)]
    if account is not None:
        command += ["--uid", str(account.uid), "--gid", str(account.gid)]
    socket = cluster.choose_socket()
    command += ["--socket", socket, "--", programs.program("postgres"), "-D", str(cluster.data)]
    command += ["-k", socket, "-p", str(PORT)]
    with cluster.start_log.open("wb") as start_log:
        return subprocess.Popen(  # noqa: S603 -- our own guardian
            command,
            stdin=subprocess.PIPE,
            stdout=start_log,
            stderr=start_log,
            cwd=SQL.parent,
            env=environment(),
            start_new_session=True,  # Ctrl-C in a terminal is for us alone
        )


async def _wait_until_ready(cluster: Cluster, guardian: "subprocess.Popen[bytes] | None", stall_s_max: float) -> None:
    """Recovery may take long: wait as long as it moves, and not for one that ended or hangs."""
    loop = asyncio.get_running_loop()
    moved_at, progress, said_at = loop.time(), b"", loop.time()
    while cluster.status() != "ready":
        await asyncio.sleep(LOOK_EVERY_S)
        if guardian.poll() is not None if guardian else cluster.status() is None:
            raise EmbeddedError(f"the embedded PostgreSQL did not start:\n{cluster.last_words()}")
        if (now := loop.time()) - said_at > 1:
            said_at = now
            if (seen := cluster.progress()) != progress:
                moved_at, progress = now, seen
            if now - moved_at > stall_s_max:
                words = cluster.last_words()
                raise EmbeddedError(f"the embedded PostgreSQL has not moved for {stall_s_max:.0f} s:\n{words}")


async def _set_up(cluster: Cluster) -> None:
    """Roles, database and passwords, as the superuser; once, and again when the roles' file has changed."""
    roles = (SQL / "roles.sql").read_text()
    mark = hashlib.sha256(roles.encode()).hexdigest()
    if cluster.set_up.exists() and cluster.set_up.read_text() == mark:
        return
    connection = await _superuser(cluster, "postgres")
    try:
        if not await connection.fetchval(_sql("database_exists"), DATABASE):
            await connection.execute(_sql("create_database"))
    finally:
        await connection.close()
    connection = await _superuser(cluster, DATABASE)
    try:
        async with connection.transaction():
            await connection.execute(roles)
            await connection.execute(_sql("setup"))
            for role in ROLES:
                await connection.execute(await connection.fetchval(_sql("password"), role, cluster.password(role)))
    finally:
        await connection.close()
    cluster.set_up.write_text(mark)


async def _superuser(cluster: Cluster, database: str) -> "asyncpg.Connection[asyncpg.Record]":
    try:
        return await asyncpg.connect(
            host=cluster.socket(), port=PORT, user=SUPERUSER, password=cluster.password(SUPERUSER),
            database=database, timeout=30, command_timeout=60,
        )  # fmt: skip
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise EmbeddedError(f"the embedded PostgreSQL does not let us in: {error}") from error


def _sql(name: str) -> str:
    return (SQL / "embedded" / f"{name}.sql").read_text()

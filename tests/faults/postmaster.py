"""A PostgreSQL of one test's own, which can be stopped the way a power cut stops it, and started again."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from monitor.store import embedded, installation
from monitor.store.cluster import PORT, Cluster, environment
from monitor.store.migrate import migrate
from tests.postgres import BIRTH, FreshDatabase


class Postmaster:
    def __init__(self, folder: Path) -> None:
        self.cluster, self.programs = Cluster(folder), installation.wheel()
        self.process: subprocess.Popen[bytes] | None = None
        self.socket = ""

    async def make(self) -> FreshDatabase:
        """A migrated database, its server stopped."""
        server = await embedded.start(self.cluster.home.parent, self.programs)
        database = FreshDatabase(embedded.Server(self.cluster, -1, None), "livemon")
        conn = await database.connect("owner")
        await migrate(conn, BIRTH)
        await conn.close()
        await server.release()
        return database

    async def start(self) -> None:
        self.cluster.prepare(self.programs)
        account = self.cluster.account()
        self.socket = self.cluster.choose_socket()
        self.process = subprocess.Popen(
            [self.programs.program("postgres"), "-D", self.cluster.data, "-k", self.socket, "-p", str(PORT)],
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            cwd="/",
            env=environment(),
            umask=0o077,
        )
        async with asyncio.timeout(30):
            while self.cluster.status() != "ready":
                assert self.process.poll() is None, self.cluster.last_words()
                await asyncio.sleep(0.02)

    @property
    def address(self) -> str:
        return f"{self.socket}/.s.PGSQL.{PORT}"

    async def stop_immediately(self) -> None:
        """What `pg_ctl stop -m immediate` does: no checkpoint, recovery at the next start."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        await asyncio.to_thread(self.process.wait)


@asynccontextmanager
async def own_postgres() -> AsyncIterator[tuple[Postmaster, FreshDatabase]]:
    folder = Path(tempfile.mkdtemp(prefix="livemon-test-"))
    postmaster = Postmaster(folder)
    try:
        database = await postmaster.make()
        await postmaster.start()
        yield postmaster, database
    finally:
        if postmaster.process is not None and postmaster.process.poll() is None:
            await postmaster.stop_immediately()
        if postmaster.socket:
            shutil.rmtree(postmaster.socket, ignore_errors=True)
        os.chmod(folder, 0o700)
        shutil.rmtree(folder)

"""The embedded server, kept running and at this release's schema while the monitor runs."""

import asyncio
import contextlib
import logging
from pathlib import Path

import asyncpg

from monitor.birth import birth_of
from monitor.config import Config
from monitor.problem import of_file
from monitor.store import embedded
from monitor.store.db import Database
from monitor.store.installation import EmbeddedError
from monitor.store.migrate import BornDifferent, MigrationError, migrate

log = logging.getLogger(__name__)
RETRY_S = 5.0


class EmbeddedKeeper:
    """Starts the embedded server beside everything else, brings its schema up to date, has it back when it goes."""

    def __init__(self, database: Database, config: Config, path: Path) -> None:
        self.database, self.path = database, path
        self.birth = birth_of(config)
        self._server: embedded.Server | None = None
        self._waiting_for = "the embedded PostgreSQL is starting"

    def check(self) -> None:
        """Raises ConnectionError while it is not there yet."""
        if self._waiting_for:
            raise ConnectionError(self._waiting_for)

    async def keep(self) -> None:
        """Until cancelled. What fails is said once per reason and tried again; batches wait in the spool meanwhile.

        Raises ConfigError for a database that is another's: waiting would not make it ours.
        """
        while self._server is None:
            try:
                self._server = await embedded.start(self.database.data_dir)
            except (EmbeddedError, OSError) as error:
                self._say(f"the embedded PostgreSQL does not start: {error}")
                await asyncio.sleep(RETRY_S)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._server.keep(), name="postmaster")
            await self._migrate()

    async def _migrate(self) -> None:
        while True:
            try:
                owner = await self.database.connect("owner", "livemon migrate")
                try:
                    done = await migrate(owner, self.birth, views_always=False)
                finally:
                    await owner.close()
                break
            except BornDifferent as error:
                raise of_file(self.path, error.what, error.todo) from error
            except (MigrationError, OSError, asyncpg.PostgresError, TimeoutError) as error:
                self._say(f"the schema cannot be brought up to date: {error}")
                await asyncio.sleep(RETRY_S)
        if done.applied:
            log.info("migrations applied: %s", ", ".join(done.applied))
        self._waiting_for = ""

    def _say(self, reason: str) -> None:
        if reason != self._waiting_for:
            log.error("%s", reason)
        self._waiting_for = reason

    async def release(self) -> None:
        """Let go of the server: its guardian stops it."""
        if self._server is not None:
            with contextlib.suppress(EmbeddedError):
                await self._server.release()

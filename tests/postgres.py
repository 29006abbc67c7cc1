"""One real PostgreSQL for the whole test session, and a fresh migrated database for whoever asks.

pytest_plugins = ["tests.postgres"]          # in tests/conftest.py

async def test_something(database):          # `database`: fresh, migrated, dropped afterwards
    connection = await database.connect("writer")
    ...
    await write(database.settings)           # a monitor.store.db.Database with one DSN per role
"""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from monitor.store import embedded
from monitor.store.cluster import SUPERUSER
from monitor.store.db import Database, Role
from monitor.store.migrate import Birth, migrate

BIRTH = Birth(timezone="Asia/Shanghai", currency="CNY")
TEMPLATE = "livemon_template"
_numbers = count(1)


class FreshDatabase:
    """A database of one test: livemon's roles on it, their DSNs, and connections."""

    def __init__(self, server: embedded.Server, name: str) -> None:
        self.server = server
        self.name = name

    def dsn(self, role: str) -> str:
        """With its password: `owner`, `writer`, `reader`, `hall`, or `postgres`, the superuser."""
        user = SUPERUSER if role == SUPERUSER else f"livemon_{role}"
        return f"postgresql://{user}:{self.server.password(user)}@/{self.name}?host={self.server.socket}"

    @property
    def settings(self) -> Database:
        """As `monitor.store.db` takes it: an outside database, with a login for each role."""
        return Database(
            data_dir=Path("/nonexistent"),
            dsn=self.dsn("writer"),
            migrate_dsn=self.dsn("owner"),
            reader_dsn=self.dsn("reader"),
            timezone=BIRTH.timezone,
        )

    async def connect(self, role: str = "writer") -> asyncpg.Connection:
        if role in ("owner", "writer", "reader"):
            known: Role = role  # type: ignore[assignment]
            return await self.settings.connect(known, "test")
        return await asyncpg.connect(self.dsn(role))


@pytest.fixture(scope="session")
def postgres() -> Iterator[embedded.Server]:
    """The embedded server, with a migrated template database."""
    folder = Path(tempfile.mkdtemp(prefix="livemon-test-"))  # not pytest's: another session closes that one again
    server = elsewhere(embedded.start(folder))
    try:
        elsewhere(_make_template(server))
        yield server
    finally:
        elsewhere(server.release())
        shutil.rmtree(folder)


@pytest.fixture
def database(postgres: embedded.Server) -> Iterator[FreshDatabase]:
    """A copy of the migrated template; about 50 ms."""
    name = f"test_{next(_numbers)}"
    elsewhere(_statement(postgres, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER livemon_owner"))
    yield FreshDatabase(postgres, name)
    elsewhere(_statement(postgres, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def empty_database(postgres: embedded.Server) -> Iterator[FreshDatabase]:
    """Roles and schema, but not migrated."""
    name = f"test_{next(_numbers)}"
    elsewhere(_statement(postgres, f"CREATE DATABASE {name} TEMPLATE livemon OWNER livemon_owner"))
    yield FreshDatabase(postgres, name)
    elsewhere(_statement(postgres, f"DROP DATABASE {name} WITH (FORCE)"))


def elsewhere[T](work: Coroutine[None, None, T]) -> T:
    """Run it in a thread with a loop of its own: the test's loop is not touched."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _make_template(server: embedded.Server) -> None:
    await _statement(server, f"CREATE DATABASE {TEMPLATE} TEMPLATE livemon OWNER livemon_owner")
    connection = await FreshDatabase(server, TEMPLATE).connect("owner")
    try:
        await migrate(connection, BIRTH)
    finally:
        await connection.close()


async def _statement(server: embedded.Server, statement: str) -> None:
    connection = await asyncpg.connect(FreshDatabase(server, "postgres").dsn(SUPERUSER))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()

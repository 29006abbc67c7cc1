"""Migrations: forward, whole or not at all, once, on every major; and who may do what in the database they make."""

import asyncio
import platform
import shutil
import sys
from pathlib import Path

import asyncpg
import pytest

from monitor.store.migrate import SQL, Birth, BornDifferent, MigrationError, migrate, schema_version, version_needed
from tests.postgres import BIRTH, MAJORS, FreshDatabase

pytestmark = pytest.mark.real


def test_the_majors_that_livemon_is_for_are_here() -> None:
    print("migrations run on PostgreSQL", sorted(MAJORS))
    if sys.platform == "linux" and platform.machine() == "x86_64":
        assert {16, 17, 18} <= set(MAJORS)
    assert 18 in MAJORS


async def test_an_empty_database_is_brought_up_to_date_and_stays(each_empty_database: FreshDatabase) -> None:
    connection = await each_empty_database.connect("owner")
    assert await schema_version(connection) == 0
    first = await migrate(connection, BIRTH)
    assert first.version == version_needed() == len(first.applied) > 0
    before = await connection.fetch("SELECT number, sha256 FROM livemon.migration ORDER BY number")
    again = await migrate(connection, BIRTH)
    assert again.applied == []
    assert again.version == first.version
    assert await connection.fetch("SELECT number, sha256 FROM livemon.migration ORDER BY number") == before
    await connection.close()


async def test_days_of_ticks_work_on_every_major(each_database: FreshDatabase) -> None:
    writer = await each_database.connect("writer")
    today = await writer.fetchval("SELECT livemon.event_date(now())")
    assert await writer.fetchval("SELECT livemon.ensure_tick_day($1)", today) is True
    assert await writer.fetchval("SELECT livemon.ensure_tick_day($1)", today) is False
    await writer.execute("INSERT INTO tick_raw (at, room_id, live) VALUES (now(), 1, true)")
    with pytest.raises(asyncpg.CheckViolationError, match="no partition"):
        await writer.execute("INSERT INTO tick_raw (at, room_id, live) VALUES (now() - interval '3 days', 1, true)")
    reader = await each_database.connect("reader")
    assert await reader.fetchval("SELECT count(*) FROM viewer_tick") == 1
    edge = await writer.fetchval("SELECT livemon.ticks_ready_until()")
    assert edge.astimezone(await _zone(writer)).isoformat()[11:] == "00:00:00+08:00"
    await writer.close()
    await reader.close()


async def test_two_runners_at_once_apply_each_migration_once(empty_database: FreshDatabase) -> None:
    connections = [await empty_database.connect("owner") for _ in range(2)]
    outcomes = await asyncio.gather(*(migrate(connection, BIRTH) for connection in connections))
    applied = sorted(name for outcome in outcomes for name in outcome.applied)  # whoever came first to each
    assert applied == sorted(path.stem for path in (SQL / "migrations").glob("*.sql"))
    assert [outcome.version for outcome in outcomes] == [version_needed()] * 2
    for connection in connections:
        await connection.close()


async def test_a_failing_migration_leaves_nothing_of_itself(database: FreshDatabase, folder: Path) -> None:
    bad = "CREATE TABLE half (x int);\n\nSELECT no_such_thing();\n"
    (folder / "migrations" / f"{version_needed() + 1:04}_bad.sql").write_text(bad)
    connection = await database.connect("owner")
    with pytest.raises(MigrationError, match=r"_bad\.sql:3: .*no_such_thing"):
        await migrate(connection, BIRTH, folder=folder)
    assert await connection.fetchval("SELECT to_regclass('livemon.half')") is None
    assert await schema_version(connection) == version_needed()
    await connection.close()


async def test_a_migration_changed_after_the_fact_is_refused(database: FreshDatabase, folder: Path) -> None:
    first = folder / "migrations" / "0001_foundation.sql"
    first.write_text(first.read_text() + "-- an afterthought\n")
    connection = await database.connect("owner")
    with pytest.raises(MigrationError, match="0001_foundation has been changed"):
        await migrate(connection, BIRTH, folder=folder)
    await connection.close()


async def test_a_newer_schema_is_left_alone(database: FreshDatabase, folder: Path) -> None:
    newer = folder / "migrations" / f"{version_needed() + 1:04}_future.sql"
    newer.write_text("CREATE TABLE future (x int);\n")
    connection = await database.connect("owner")
    await migrate(connection, BIRTH, folder=folder)
    assert await schema_version(connection) == version_needed() + 1
    with pytest.raises(MigrationError, match="_future, this release knows"):
        await migrate(connection, BIRTH)
    await connection.close()


@pytest.mark.parametrize(
    "other",
    [
        Birth(timezone="Asia/Tokyo", currency="CNY"),
        Birth(timezone="Asia/Shanghai", currency="USD"),
        Birth(timezone="Asia/Shanghai", currency="CNY", purpose="rehearsal"),
    ],
    ids=["timezone", "currency", "purpose"],
)
async def test_what_a_database_was_born_with_never_changes(database: FreshDatabase, other: Birth) -> None:
    connection = await database.connect("owner")
    with pytest.raises(BornDifferent, match="never changes"):
        await migrate(connection, other)
    await connection.close()


async def test_a_timezone_that_postgresql_does_not_know_is_refused_before_anything(
    empty_database: FreshDatabase,
) -> None:
    connection = await empty_database.connect("owner")
    with pytest.raises(BornDifferent, match="Asia/Atlantis"):
        await migrate(connection, Birth(timezone="Asia/Atlantis", currency="CNY"))
    assert await schema_version(connection) == 0
    await connection.close()


async def test_a_view_that_a_person_built_on_ours_stops_the_migration(database: FreshDatabase, folder: Path) -> None:
    admin = await database.connect("postgres")
    connection = await database.connect("owner")
    await migrate(connection, BIRTH, folder=folder)
    await admin.execute("CREATE VIEW public.of_a_person AS SELECT * FROM livemon.viewer_tick")
    with pytest.raises(MigrationError, match=r"view (public\.)?of_a_person depends on view"):
        await migrate(connection, BIRTH, folder=folder)
    assert await admin.fetchval("SELECT count(*) FROM public.of_a_person") == 0
    assert (await migrate(connection, BIRTH, folder=folder, views_always=False)).views is False
    (folder / "views" / "99_more.sql").write_text("CREATE VIEW one_more AS SELECT 1 AS one;\n")
    await admin.execute("DROP VIEW public.of_a_person")
    assert (await migrate(connection, BIRTH, folder=folder, views_always=False)).views is True
    await connection.close()
    await admin.close()


async def test_an_administrators_login_makes_what_the_owner_owns(empty_database: FreshDatabase) -> None:
    admin = await empty_database.connect("postgres")
    await migrate(admin, BIRTH)
    owners = await admin.fetch(
        "SELECT DISTINCT relowner::regrole::text AS owner FROM pg_class WHERE relnamespace = 'livemon'::regnamespace"
    )
    assert [row["owner"] for row in owners] == ["livemon_owner"]
    await admin.close()


async def test_a_database_without_roles_says_who_makes_them(empty_database: FreshDatabase) -> None:
    admin = await empty_database.connect("postgres")
    await admin.execute("DROP SCHEMA livemon CASCADE")
    with pytest.raises(MigrationError, match=r"psql -f sql/roles\.sql"):
        await migrate(admin, BIRTH)
    await admin.close()


async def test_the_writers_login_cannot_migrate(empty_database: FreshDatabase) -> None:
    writer = await empty_database.connect("writer")
    with pytest.raises(MigrationError, match="migrate_dsn"):
        await migrate(writer, BIRTH)
    await writer.close()


async def test_the_roles_may_do_what_they_need_and_nothing_else(each_database: FreshDatabase) -> None:
    admin = await each_database.connect("postgres")
    roles = await admin.fetch(
        "SELECT * FROM pg_roles WHERE rolname LIKE 'livemon%' AND (rolsuper OR rolcreatedb OR rolcreaterole "
        "OR rolreplication OR rolbypassrls)"
    )
    assert roles == []
    tables = {row["relname"] for row in await admin.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'livemon'::regnamespace AND relkind IN ('r', 'p', 'v')"
    )}  # fmt: skip
    allowed = "SELECT has_table_privilege($1, format('livemon.%I', $2::text), $3)"
    for role in ("livemon_reader", "livemon_hall"):
        for table in tables:
            for change in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"):
                assert not await admin.fetchval(allowed, role, table, change), (role, table, change)
        assert not await admin.fetchval(allowed, role, "tick_raw", "SELECT")
        assert not await admin.fetchval(allowed, role, "quarantine", "SELECT")
        column = "SELECT has_column_privilege($1, 'livemon.quarantine', 'payload', 'SELECT')"
        assert not await admin.fetchval(column, role)
    assert not await admin.fetchval("SELECT has_any_column_privilege('livemon_hall', 'livemon.sale', 'SELECT')")
    for table in tables:
        assert not await admin.fetchval(allowed, "livemon_writer", table, "TRUNCATE"), table
    for role in ("livemon_writer", "livemon_reader", "livemon_hall"):
        assert not await admin.fetchval("SELECT has_schema_privilege($1, 'livemon', 'CREATE')", role)
        assert not await admin.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", role)
    await admin.close()


async def test_the_reader_is_read_only_by_its_login_already(database: FreshDatabase) -> None:
    reader = await database.connect("reader")
    for statement in ("CREATE TEMP TABLE t (x int)", "UPDATE livemon.setting SET event_name = 'mine'"):
        with pytest.raises(asyncpg.PostgresError):
            await reader.execute(statement)
    await reader.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sql folder that a test may change."""
    return shutil.copytree(SQL, tmp_path / "sql")


async def _zone(connection: asyncpg.Connection) -> "object":
    from zoneinfo import ZoneInfo

    return ZoneInfo(await connection.fetchval("SELECT timezone FROM livemon.setting"))

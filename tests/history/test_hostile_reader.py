"""A reader who means ill: what the roles' limits stop at once, and what the service ends when they were set aside."""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from monitor.doctor.database import check_database
from monitor.doctor.readers import judge_readers
from monitor.reader_limits import READERS, cut_readers
from monitor.reader_pace import NICENESS, slow_readers
from monitor.store.db import reading
from monitor.store.migrate import SQL, migrate
from tests.doctor.test_database import configured, said, states
from tests.history.released import Sql
from tests.postgres import BIRTH, FreshDatabase

pytestmark = pytest.mark.real

ROLES = ("reader", "hall")
AT_ONCE = timedelta(0)
REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)
ENDED = (asyncpg.AdminShutdownError, asyncpg.ConnectionDoesNotExistError, asyncpg.InterfaceError)


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_the_limits_that_a_login_begins_with(each_database: FreshDatabase, role: str) -> None:
    sql = await each_database.connect(role)
    wanted = {
        "default_transaction_read_only": "on", "statement_timeout": "30s", "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "1min", "max_parallel_workers_per_gather": "0", "jit": "off",
        "work_mem": "16MB", "temp_file_limit": "2GB",
    }  # fmt: skip
    assert {name: await sql.fetchval(f"SHOW {name}") for name in wanted} == wanted
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sql.execute("SET temp_file_limit = -1")
    await sql.close()


async def test_a_query_is_cut_by_the_timeout_and_a_sleeper_in_a_transaction_too(
    database: FreshDatabase, role: str
) -> None:
    """That they work on what people try: the same settings, a hundred times shorter."""
    short = {"statement_timeout": "300ms", "idle_in_transaction_session_timeout": "300ms"}
    for bad in (
        "SELECT count(*) FROM generate_series(1, 100000) AS a, generate_series(1, 100000) AS b",
        "SELECT n FROM generate_series(1, 50000000) AS n ORDER BY random()",
        "SELECT pg_sleep(600)",
        "DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$",
        "WITH RECURSIVE endless AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM endless) SELECT max(n) FROM endless",
    ):
        sql = await asyncpg.connect(database.dsn(role), server_settings=short)
        with pytest.raises((asyncpg.QueryCanceledError, asyncpg.DiskFullError)):
            await sql.execute(bad)
        await sql.close()
    sql = await asyncpg.connect(database.dsn(role), server_settings=short)
    await sql.execute("BEGIN; SELECT 1")
    while not sql.is_closed():
        await asyncio.sleep(0.01)


async def test_who_sets_the_timeouts_aside_is_ended_by_the_service(
    database: FreshDatabase, writer: Sql, role: str
) -> None:
    bad = (
        "SELECT pg_sleep(600)",
        "DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$",
        "SELECT count(*) FROM generate_series(1, 1000000) AS a, generate_series(1, 1000000) AS b",
    )
    hostile = [await database.connect(role) for _ in range(len(bad) + 1)]
    polite = await database.connect(role)
    for sql in hostile:
        await sql.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
    await hostile[-1].execute("BEGIN; SELECT 1")
    tasks = [asyncio.create_task(sql.execute(text)) for sql, text in zip(hostile, bad, strict=False)]
    await all_busy(database, len(hostile), tasks)
    assert await cut_readers(writer, timedelta(hours=1)) == 0  # not yet
    assert await cut_readers(writer, AT_ONCE) == len(hostile)
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(result, ENDED), result
    with pytest.raises(ENDED):
        await hostile[-1].fetchval("SELECT 1")
    assert await polite.fetchval("SELECT 1") == 1
    assert await writer.fetchval("SELECT current_user") == "livemon_writer"
    await polite.close()


async def all_busy(database: FreshDatabase, wanted: int, tasks: list[asyncio.Task[str]]) -> None:
    """So many sessions of readers are in the middle of something, as only a superuser may see."""
    admin = await database.connect("postgres")
    seen = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = ANY ($1)"
        " AND (state = 'active' OR state LIKE 'idle in transaction%')"
    )
    while await admin.fetchval(seen, list(READERS)) < wanted:
        assert not any(task.done() for task in tasks)
        await asyncio.sleep(0.01)
    await admin.close()


async def test_others_of_the_server_and_the_writer_itself_are_left_alone(database: FreshDatabase, writer: Sql) -> None:
    elsewhere = await asyncpg.connect(database.dsn("reader").replace(f"/{database.name}?", "/livemon?"))
    own, owner = await database.connect("writer"), await database.connect("owner")
    for sql in (elsewhere, own, owner):
        await sql.execute("BEGIN; SELECT 1")
    assert await cut_readers(writer, AT_ONCE) == 0
    for sql in (elsewhere, own, owner):
        assert await sql.fetchval("SELECT 1") == 1
        await sql.close()


async def test_an_older_server_without_the_membership_is_served_as_far_as_it_goes(
    database: FreshDatabase, writer: Sql
) -> None:
    admin = await database.connect("postgres")
    try:
        await admin.execute("REVOKE livemon_hall FROM livemon_writer")
        hall, reader = await database.connect("hall"), await database.connect("reader")
        await hall.execute("BEGIN; SELECT 1")
        await reader.execute("BEGIN; SELECT 1")
        assert await cut_readers(writer, AT_ONCE) == 1
        assert await hall.fetchval("SELECT 1") == 1
        await hall.close()
    finally:
        await admin.execute((SQL / "roles.sql").read_text())
        await admin.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no embedded server on Windows")
async def test_processes_of_readers_are_made_nicer_and_no_others(database: FreshDatabase, writer: Sql) -> None:
    readers = [await database.connect(role) for role in ROLES]
    assert await slow_readers(writer) >= len(readers)
    own = [os.getpriority(os.PRIO_PROCESS, sql.get_server_pid()) for sql in (writer, *readers)]
    assert own == [os.getpriority(os.PRIO_PROCESS, 0), NICENESS, NICENESS]
    assert await writer.fetchval("SELECT current_user") == "livemon_writer"
    for sql in readers:
        await sql.close()


async def test_so_many_connections_and_no_more_and_the_writer_still_gets_in(database: FreshDatabase, role: str) -> None:
    held = [await database.connect(role) for _ in range(16)]
    with pytest.raises(asyncpg.TooManyConnectionsError):
        await database.connect(role)
    writer = await database.connect("writer")
    for sql in (writer, *held):
        await sql.close()


@pytest.mark.parametrize(
    "bad",
    [
        "SELECT pg_advisory_lock(hashtext('livemon.ensure_tick_day'))",  # days of ticks would never be made again
        "SELECT pg_try_advisory_lock_shared(1)",
        "SELECT pg_advisory_xact_lock(hashtext('livemon.migrate'))",
        "SELECT lo_from_bytea(0, '\\x00')",
        "SELECT lo_create(0)",
        "BEGIN; LOCK TABLE livemon.room_now IN ACCESS EXCLUSIVE MODE",
        "BEGIN; LOCK TABLE livemon.session IN SHARE MODE",
        "SELECT * FROM livemon.session FOR UPDATE",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY (SELECT 1) TO '/tmp/x'",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'livemon_writer'",
        "SET ROLE livemon_writer",
        "ALTER ROLE livemon_reader CONNECTION LIMIT -1",
        "SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000))",
        "SELECT pg_switch_wal()",
    ],
)
async def test_what_would_fill_the_disk_or_stop_the_service_is_refused(
    database: FreshDatabase, writer: Sql, role: str, bad: str
) -> None:
    sql = await database.connect(role)
    await sql.execute("SET default_transaction_read_only = off")
    with pytest.raises(REFUSED):
        await sql.execute(bad)
    await sql.close()
    assert await writer.fetchval("SELECT 1") == 1


async def test_no_tables_of_its_own_where_the_database_is_ours(empty_database: FreshDatabase) -> None:
    owner = await empty_database.connect("owner")
    await migrate(owner, BIRTH)
    for role in ROLES:
        sql = await empty_database.connect(role)
        await sql.execute("SET default_transaction_read_only = off")
        with pytest.raises(REFUSED):
            await sql.execute("CREATE TEMP TABLE filler AS SELECT 1 AS x")
        await sql.close()
    await owner.close()


async def test_what_readers_lost_the_service_still_has(database: FreshDatabase) -> None:
    writer, owner = await database.connect("writer"), await database.connect("owner")
    assert await writer.fetchval("SELECT ensure_tick_day(event_date(now()) + 5)") is True
    assert (await migrate(owner, BIRTH)).applied == []
    await writer.close()
    await owner.close()


async def test_a_persons_question_through_the_writers_login_is_bounded_too(database: FreshDatabase) -> None:
    sql = await database.connect("writer")
    async with reading(sql, 0.2):
        assert await sql.fetchval("SHOW lock_timeout") == "5s"
        assert await sql.fetchval("SHOW max_parallel_workers_per_gather") == "0"
        with pytest.raises(asyncpg.QueryCanceledError):
            await sql.fetchval("SELECT pg_sleep(600)")
    await sql.close()


# --- the doctor -------------------------------------------------------------------------------------------------------


async def test_the_doctor_says_what_an_outside_database_lacks(tmp_path: Path, database: FreshDatabase) -> None:
    admin = await database.connect("postgres")
    await admin.execute(f"REVOKE TEMPORARY ON DATABASE {database.name} FROM PUBLIC")
    config = configured(tmp_path, database)
    assert states(await check_database(config))["readers"] == "fine"
    try:
        for lack, word, state in (
            ("ALTER ROLE livemon_hall CONNECTION LIMIT -1", "livemon_hall (a limit of connections)", "wrong"),
            ("ALTER ROLE livemon_reader RESET statement_timeout", "livemon_reader (statement_timeout)", "wrong"),
            ("ALTER ROLE livemon_reader SET lock_timeout = 0", "livemon_reader (lock_timeout)", "wrong"),
            ("ALTER ROLE livemon_hall RESET temp_file_limit", "livemon_hall (temp_file_limit)", "note"),
            (f"GRANT TEMPORARY ON DATABASE {database.name} TO livemon_hall", "no temporary tables", "note"),
            ("REVOKE livemon_hall FROM livemon_writer", "cannot end what livemon_hall", "wrong"),
        ):
            await admin.execute(lack)
            found = await check_database(config)
            assert states(found)["readers"] == state, lack
            assert word in said(found, "readers"), lack
            assert "sql/roles.sql" in said(found, "readers"), lack
            await admin.execute((SQL / "roles.sql").read_text())
            await admin.execute(f"REVOKE TEMPORARY ON DATABASE {database.name} FROM livemon_hall")
            assert states(await check_database(config))["readers"] == "fine", lack
    finally:
        await admin.execute((SQL / "roles.sql").read_text())
        await admin.close()


def test_where_there_is_no_superuser_it_is_a_note_with_what_to_do() -> None:
    missing = [("livemon_reader", "temp_file_limit", True), ("livemon_hall", "lock_timeout", False)]
    plain, unmendable, endless = judge_readers(missing, ["livemon_reader"])
    assert (plain.state, unmendable.state, endless.state) == ("wrong", "note", "wrong")
    assert "people you trust" in unmendable.todo
    assert [each.state for each in judge_readers([], READERS)] == ["fine"]

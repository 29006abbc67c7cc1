"""PostgreSQL is there and will not: locked, read-only, out of time, without rights or a day. No row is dropped."""

import asyncio
from contextlib import asynccontextmanager

from tests.faults.ground import drained, rooms_and_days, slow_down
from tests.faults.oracle import Oracle, judge
from tests.store.way import connecting, running


@asynccontextmanager
async def as_(database, role):
    conn = await database.connect(role)
    try:
        yield conn
    finally:
        await conn.close()


async def blocked(store, reason, seconds=5.0):
    """Wait until the writer says that it is held up, and by what."""
    async with asyncio.timeout(seconds):
        while store.writer.blocked_since is None or reason not in store.writer.blocked_reason:
            await asyncio.sleep(0.02)


async def held_and_freed(database, folder, reason, begin, end, *, connect=None):
    """Under load: `begin` holds PostgreSQL up, batches wait as they were sealed; after `end` each row is in once."""
    oracle = Oracle(await rooms_and_days(database, 20))
    async with running(folder, connect or connecting(database)) as store:
        store.inbox.put(oracle.ticks(200))
        await drained(store)
        assert store.writer.blocked_since is None
        await begin()
        store.inbox.put(oracle.ticks(5_000))
        await blocked(store, reason)
        waiting = [
            (ref.seq, store.spool.load(ref.seq).header.id) for ref in await store.sealer.call(store.spool.pending)
        ]
        store.inbox.put(oracle.ticks(300))
        await asyncio.sleep(0.6)
        assert store.writer.blocked_since is not None
        assert waiting
        await end()
        await drained(store)
        assert (store.writer.blocked_since, store.writer.blocked_reason) == (None, "")
    async with as_(database, "owner") as conn:
        for seq, batch_id in waiting:  # under the id it was sealed with, uncut
            assert await conn.fetchval("SELECT seq FROM applied_batch WHERE batch_id = $1", batch_id) == seq
        assert await conn.fetchval("SELECT count(*) FROM quarantine") == 0
    await judge(database, folder)


async def test_a_lock_held_by_somebody_else(database, tmp_path):
    locker = await database.connect("owner")

    async def impatient(name):
        return await database.settings.connect("writer", name, settings={"lock_timeout": "200"})

    await held_and_freed(
        database, tmp_path / "spool", "busy: canceling statement due to lock timeout",
        lambda: locker.execute("BEGIN; LOCK TABLE tick_raw IN ACCESS EXCLUSIVE MODE"),
        lambda: locker.execute("COMMIT"), connect=impatient,
    )  # fmt: skip
    await locker.close()


async def test_a_server_that_became_read_only(database, tmp_path):
    async with as_(database, "postgres") as conn:
        alter = f"ALTER DATABASE {database.name} SET default_transaction_read_only"

        async def begin():
            await conn.execute(f"{alter} = on")
            await end_sessions(conn)

        await held_and_freed(database, tmp_path / "spool", "read only:", begin, lambda: conn.execute(f"{alter} = off"))


async def end_sessions(conn):
    await conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'livemon-%' AND datname = current_database()"
    )


async def test_a_statement_timeout_on_the_role(database, tmp_path):
    async with as_(database, "postgres") as conn:
        await slow_down(database, 0.2)  # 5,000 rows go in within 50 ms here
        alter = f"ALTER ROLE livemon_writer IN DATABASE {database.name}"

        async def begin():
            await conn.execute(f"{alter} SET statement_timeout = '50ms'")
            await end_sessions(conn)

        await held_and_freed(
            database, tmp_path / "spool", "busy: canceling statement due to statement timeout", begin,
            lambda: conn.execute(f"{alter} RESET statement_timeout"),
        )  # fmt: skip


async def test_the_right_to_insert_taken_away(database, tmp_path):
    async with as_(database, "owner") as conn:
        await held_and_freed(
            database, tmp_path / "spool", "deployment: permission denied",
            lambda: conn.execute("REVOKE INSERT ON tick_raw FROM livemon_writer"),
            lambda: conn.execute("GRANT INSERT ON tick_raw TO livemon_writer"),
        )  # fmt: skip


async def test_the_partition_of_today_dropped_under_us_is_made_again(database, tmp_path):
    oracle = Oracle(await rooms_and_days(database, 20))
    async with running(tmp_path / "spool", connecting(database)) as store, as_(database, "owner") as conn:
        await drained(store)
        day = await conn.fetchval("SELECT 'tick_raw_' || to_char(event_date(now()), 'YYYYMMDD')")
        await conn.execute(f"DROP TABLE {day}")
        store.inbox.put(oracle.ticks(500))
        await drained(store)
        assert await conn.fetchval(f"SELECT count(*) FROM {day}") == 500
    await judge(database, tmp_path / "spool")


async def test_a_day_that_cannot_be_made_holds_the_batch(database, tmp_path):
    """Its table is there, detached: there is nothing to make, and trying again at once would never end."""
    async with as_(database, "owner") as conn:
        day = await conn.fetchval("SELECT 'tick_raw_' || to_char(event_date(now()), 'YYYYMMDD')")
        bounds = []

        async def begin():
            bounds.append(
                await conn.fetchval("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = $1", day)
            )
            await conn.execute(f"ALTER TABLE tick_raw DETACH PARTITION {day}")

        await held_and_freed(
            database, tmp_path / "spool", "no partition", begin,
            lambda: conn.execute(f"ALTER TABLE tick_raw ATTACH PARTITION {day} {bounds[0]}"),
        )  # fmt: skip

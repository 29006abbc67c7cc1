"""Until when ticks can be written: only days that take ticks count, not tables that have such a name."""

import asyncio
from datetime import date, timedelta

import asyncpg
import pytest

from monitor.store.statements import statement
from tests.postgres import FreshDatabase

pytestmark = pytest.mark.real


async def ready_days(database: FreshDatabase, today: date) -> int:
    """How many days from today on stand ready, as the writer is told."""
    writer = await database.connect("writer")
    until = await writer.fetchval("SELECT event_date(ticks_ready_until())")
    await writer.close()
    return (until - today).days


async def test_a_day_that_was_detached_is_not_ready(each_database: FreshDatabase) -> None:
    owner = await each_database.connect("owner")
    today = await owner.fetchval("SELECT livemon.event_date(now())")
    for days in range(3):
        await owner.fetchval("SELECT livemon.ensure_tick_day($1)", today + timedelta(days))
    assert await ready_days(each_database, today) == 3
    tomorrow = f"livemon.tick_raw_{today + timedelta(1):%Y%m%d}"
    await owner.execute(f"ALTER TABLE livemon.tick_raw DETACH PARTITION {tomorrow}")
    assert await ready_days(each_database, today) == 1
    with pytest.raises(asyncpg.CheckViolationError, match="no partition"):
        await owner.execute(
            "INSERT INTO livemon.tick_raw (at, room_id, live) VALUES (livemon.day_starts_at($1), 1, true)",
            today + timedelta(1),
        )


async def test_nor_is_one_that_is_being_detached(database: FreshDatabase) -> None:
    owner, reader, other = [await database.connect(role) for role in ("owner", "reader", "owner")]
    today = await owner.fetchval("SELECT livemon.event_date(now())")
    await owner.fetchval("SELECT livemon.ensure_tick_day($1)", today)
    assert await ready_days(database, today) == 1
    detach = f"ALTER TABLE livemon.tick_raw DETACH PARTITION livemon.tick_raw_{today:%Y%m%d} CONCURRENTLY"
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        async with reader.transaction():  # somebody reads the day, and the detaching waits for it
            await reader.fetchval("SELECT count(*) FROM viewer_tick")
            detaching = group.create_task(owner.execute(detach))
            while not await other.fetchval("SELECT bool_or(inhdetachpending) FROM pg_inherits"):
                await asyncio.sleep(0.02)
            assert await ready_days(database, today) == 0
            assert not detaching.done()
    assert await ready_days(database, today) == 0


async def test_days_that_stand_are_found_while_somebody_else_holds_them(each_database: FreshDatabase) -> None:
    """As the roller does, which sums minutes for seconds after it asked for their day: the writer waits for nothing."""
    roller, writer = [await each_database.connect("writer") for _ in range(2)]
    assert (await writer.fetchrow(statement("writer/ensure_days_ahead")))["made"]
    async with roller.transaction():
        await roller.fetchval("SELECT ensure_minute_day(event_date(now())), ensure_tick_day(event_date(now()))")
        async with asyncio.timeout(1.5):  # a lock is waited for for two seconds
            assert not (await writer.fetchrow(statement("writer/ensure_days_ahead")))["made"]


async def test_of_two_who_make_a_day_one_made_it(each_database: FreshDatabase) -> None:
    first, second = [await each_database.connect("writer") for _ in range(2)]
    today = await first.fetchval("SELECT event_date(now())")
    async with first.transaction():
        assert await first.fetchval("SELECT ensure_minute_day($1)", today)
        other = asyncio.create_task(second.fetchval("SELECT ensure_minute_day($1)", today))
        await asyncio.sleep(0.2)
        assert not other.done()
    assert await other is False

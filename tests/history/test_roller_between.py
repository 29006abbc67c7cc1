"""Between any two statements of the roller: killed there, or something comes in there, and no minute is left wrong."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from collectors.tick import Sale
from monitor.history.cuts import Cuts
from monitor.history.roller import Roller
from monitor.store.batch import facts_batches
from tests.history.test_roller import World, never, open_world
from tests.postgres import FreshDatabase

pytestmark = pytest.mark.real


class Killed(Exception):
    """What a roller sees when it is no more."""


class Between:
    """A connection that does something of ours before its so-many-th statement."""

    def __init__(self, conn: Any, at: int, act: Callable[[], Awaitable[None]]) -> None:
        self._conn, self.left, self._act = conn, at, act

    async def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            await self._act()

    async def execute(self, *told: Any) -> Any:
        await self._count()
        return await self._conn.execute(*told)

    async def fetch(self, *told: Any) -> Any:
        await self._count()
        return await self._conn.fetch(*told)

    async def fetchval(self, *told: Any) -> Any:
        await self._count()
        return await self._conn.fetchval(*told)

    def transaction(self, **options: Any) -> Any:
        return self._conn.transaction(**options)


class Till:
    """Sells one thing at a time, two in each past minute, and looks whether every sum has all of them."""

    def __init__(self, world: World) -> None:
        self.world, self.number = world, 0

    async def sell(self) -> None:
        self.number += 1
        at = self.world.at(60 * (self.number // 2 % 3))
        sale = Sale(
            feed="orders", platform="p", event_id=f"till-{self.number}", at=at, received_at=at, kind="paid", room="p0",
            amount_minor=100, currency="CNY", order_id=str(self.number),
        )  # fmt: skip
        (batch,) = facts_batches([sale], at)
        await self.world.put(batch)
        await self.world.know_more(0)

    async def right(self) -> None:
        sold = 100 * self.number
        sql = self.world.sql
        assert await sql.fetchval("SELECT sum(gmv_minor) FROM session_minute") == sold
        assert await sql.fetchval("SELECT sum(gmv_minor) FROM session_hour") == sold
        assert await sql.fetchval("SELECT sum(gmv_minor) FROM minute_sum WHERE dimension = 'platform'") == sold


async def points(database: FreshDatabase, kill: bool) -> int:
    """At each statement of a turn, one after the other; returns how many there were."""
    world = await open_world(database, 1)
    till, at = Till(world), 0
    await till.sell()
    await world.roll_all()
    while True:
        at += 1
        conn = await database.connect("writer")

        async def die(conn: Any = conn) -> None:
            conn.terminate()
            raise Killed

        between = Between(conn, at, die if kill else till.sell)
        await till.sell()
        with suppress(Killed, asyncpg.InterfaceError):  # the second: what asyncpg makes of the first on its way out
            await Roller(never).round(between)
        reached = between.left <= 0
        await world.other.fetchval("SELECT rolled_at FROM roll_state FOR UPDATE")  # until the server has noticed, too
        await world.roll_all()
        await till.right()
        conn.terminate()
        if not reached:
            return at


async def test_killed_before_any_statement_it_leaves_the_mark_or_the_work(database: FreshDatabase) -> None:
    assert await points(database, kill=True) > 15


async def test_what_comes_in_before_any_statement_is_summed(database: FreshDatabase) -> None:
    assert await points(database, kill=False) > 15


async def test_two_rollers_take_turns(database: FreshDatabase) -> None:
    world = await open_world(database, 1)
    till = Till(world)
    await till.sell()
    third = await database.connect("writer")
    async with third.transaction():
        await third.fetchval("SELECT rolled_at FROM roll_state FOR UPDATE")
        assert await Roller(never).round(world.other) is False  # at once: it does not wait
        assert await world.sql.fetchval("SELECT count(*) FROM session_minute") == 0
    await world.roll_all()
    await till.right()


async def test_a_minute_that_cannot_be_summed_costs_that_minute_alone(database: FreshDatabase) -> None:
    world = await open_world(database, 1)
    till = Till(world)
    await till.sell()
    await world.sql.execute(
        "INSERT INTO sale (platform, event_id, at, received_at, feed, room_id, kind, amount_minor, currency, via)"
        " SELECT 'q', 'big' || n, $1, $1, 'f', $2, 'paid', 9223372036854775807, 'CNY', 'push'"
        " FROM generate_series(1, 2) AS n",
        world.at(0), world.rooms["q", "q0"],
    )  # fmt: skip
    await world.sql.execute("INSERT INTO minute_touched VALUES ($1, 'q')", world.at(0))
    await world.roll_all()
    await till.right()
    assert await world.sql.fetchval("SELECT count(*) FROM minute_touched WHERE minute <= $1", world.at(300)) == 0


async def test_a_day_is_cut_once_by_what_was_received_a_quarter_of_an_hour_after_it(database: FreshDatabase) -> None:
    sql = await database.connect("writer")
    midnight = await sql.fetchval("SELECT event_date(now())::timestamp AT TIME ZONE 'Asia/Shanghai'")
    waits: list[float | None] = [None]
    now = [midnight + timedelta(minutes=15, seconds=59)]
    cuts = Cuts(lambda: waits[0], lambda: now[0])

    async def sell(number: int, at: datetime, received_at: datetime) -> None:
        await sql.execute(
            "INSERT INTO sale (platform, event_id, at, received_at, feed, order_id, kind, amount_minor, currency, via)"
            " VALUES ('p', $1, $2, $3, 'f', $1, 'paid', 100, 'CNY', 'push')",
            str(number), at, received_at,
        )  # fmt: skip

    async def kept() -> list[tuple[Any, ...]]:
        rows = await sql.fetch("SELECT midnight.day - day_cut.day, orders, gmv_minor, as_of FROM day_cut,"
                               " (SELECT event_date(now()) AS day) AS midnight ORDER BY 1")  # fmt: skip
        return [tuple(row) for row in rows]

    cut_at = midnight + timedelta(minutes=15)
    await sell(1, midnight - timedelta(seconds=1), midnight)
    await sell(2, midnight - timedelta(hours=1), cut_at)
    await sell(3, midnight - timedelta(hours=1), cut_at + timedelta(seconds=1))  # late
    await sell(4, midnight, midnight)  # the next day's
    await sell(5, midnight - timedelta(hours=25), midnight - timedelta(hours=25))
    await cuts.catch_up(sql)
    assert await kept() == [(2, 1, 100, cut_at - timedelta(days=1))]
    now[0], waits[0] = midnight + timedelta(minutes=17), (midnight + timedelta(minutes=2)).timestamp()
    await cuts.catch_up(sql)
    assert len(await kept()) == 1  # what was sealed before the cut goes in first
    waits[0] = (midnight + timedelta(minutes=16)).timestamp()
    await cuts.catch_up(sql)
    expected = [(1, 2, 200, cut_at), (2, 1, 100, cut_at - timedelta(days=1))]
    assert await kept() == expected
    await sell(6, midnight - timedelta(hours=1), midnight)
    await cuts.catch_up(sql)
    assert await kept() == expected


def test_the_lag_is_the_age_of_the_oldest_minute_that_waits() -> None:
    roller = Roller(never)
    now = datetime.now(UTC)
    assert roller.lag_s(now) == 0
    roller._behind_from = now - timedelta(seconds=90)
    assert roller.lag_s(now) == 90
    roller._behind_from, roller._good_at, roller._lost = None, now - timedelta(seconds=40), True
    assert roller.lag_s(now) == 40

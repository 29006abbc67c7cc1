"""Rooms of orders whose push names none, on a real server: found, asked for in bounds, told to the sale, attributed."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from collectors.tick import Sale
from monitor.accounts.rooms import ROWS_MAX, OrderRooms
from monitor.attribution import Attribution
from tests.accounts.tiny import START, Entry, Tiny, TinyApi
from tests.reading import RULES, Stall
from tests.sql.stage import Sql, Stage
from tests.sql.test_attribution import put

pytestmark = pytest.mark.real
ROW = Stall(name="stall", app="a")


class Pushed:
    """Sales in PostgreSQL without a room, and what asks for it."""

    def __init__(self, sql: Sql) -> None:
        self.sql, self.tiny = sql, Tiny("1")
        self.tiny.now_at = START
        self.failed: list[str] = []
        self.put = 0
        self.rooms = OrderRooms(
            self.tiny.means(), {"stall": TinyApi()}, lambda: {"stall": ROW},
            lambda feed, reason: self.failed.append(reason), lambda seconds: asyncio.sleep(0),
        )  # fmt: skip

    async def sell(self, *orders: int, ago_s: float = 1.0, **more: Any) -> None:
        at = self.tiny.now_at - timedelta(seconds=ago_s)
        sales = [
            Sale(
                feed="stall", platform="stall", event_id=f"1:{order}:paid", at=at, received_at=at, kind="paid",
                amount_minor=100, currency="CNY", shop="1", order_id=str(order),
            )
            for order in orders
        ]  # fmt: skip
        await put(self.sql, *(RULES.fit(msgspec.structs.replace(sale, **more), at) for sale in sales))

    def answers(self, order: int, room: str | None) -> None:
        entry = Entry(str(order), self.tiny.now_at - timedelta(seconds=1), room=room)
        self.tiny.answers[str(order)] = msgspec.json.encode(entry)

    async def look(self, seconds: float = 10) -> list[str]:
        """What was asked in this look, and what came of it is in PostgreSQL."""
        self.tiny.wait(seconds)
        before = len(self.tiny.asked)
        await self.rooms.look(self.sql)
        task = asyncio.create_task(self.rooms.run())
        while self.rooms._queue:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        for heard in self.tiny.heard:
            self.put += len(heard.sales)
            await put(self.sql, *heard.sales)
        self.tiny.heard.clear()
        return [key for _, key, _ in self.tiny.asked[before:]]

    async def told(self) -> dict[str, str | None]:
        return {row["order_id"]: row["room"] for row in await self.sql.fetch("SELECT order_id, room FROM sale")}


@pytest.fixture
async def pushed(database: Any) -> Any:
    sql = await database.connect("writer")
    await Stage(sql).ready()
    yield Pushed(sql)
    await sql.close()


async def test_the_room_of_an_order_is_asked_for_told_and_attributed(pushed: Pushed):
    room_id = await Stage(pushed.sql).room("author-1", platform="stall")
    await pushed.sell(1, 2)
    pushed.answers(1, "author-1")
    pushed.answers(2, None)  # not sold in a broadcast
    assert sorted(await pushed.look()) == ["1", "2"]
    await Attribution().catch_up(pushed.sql, 0)
    assert await pushed.told() == {"1": "author-1", "2": None}
    assert pushed.put == 1  # what says of no room is not received once more
    assert await pushed.sql.fetchval("SELECT room_id FROM sale WHERE order_id = '1'") == room_id
    assert await pushed.sql.fetchval("SELECT count(*) FROM sale WHERE via = 'push'") == 2
    assert await pushed.sql.fetchval("SELECT count(*) FROM quarantine") == 0
    assert await pushed.look() == []
    assert await pushed.look(1_800) == ["2"]  # perhaps the platform says it later
    assert pushed.failed == []


async def test_only_paid_sales_of_the_last_day_that_name_an_order_and_no_room_are_looked_for(pushed: Pushed):
    await pushed.sell(1, room="r")
    await pushed.sell(2, kind="created", event_id="1:2:created")
    await pushed.sell(3, ago_s=90_000)
    await pushed.sell(4, order_id=None)
    await pushed.sell(5, feed="another")
    await pushed.sell(6)
    assert await pushed.look() == ["6"]
    assert pushed.failed == ["http_status"]  # there is no such order


async def test_it_looks_each_ten_seconds_newest_first_and_goes_through_all_of_them(pushed: Pushed):
    count = 2 * ROWS_MAX + 7
    for order in range(count):
        await pushed.sell(order, ago_s=count - order)
    first = await pushed.look()
    assert sorted(map(int, first)) == list(range(count - ROWS_MAX, count))
    assert await pushed.look(5) == []
    await pushed.sell(count)
    second = await pushed.look(5)
    assert str(count) in second
    asked = [*first, *second, *(await pushed.look()), *(await pushed.look())]
    assert sorted(map(int, asked)) == list(range(count + 1))


async def test_where_no_platform_has_such_orders_nothing_is_asked(pushed: Pushed):
    await pushed.sell(1)
    pushed.rooms._apis = {}
    assert await pushed.look() == []


async def test_a_failure_or_a_slip_is_counted_and_ends_nobody(pushed: Pushed, caplog: pytest.LogCaptureFixture):
    await pushed.sell(1, 2, 3, 4)
    pushed.tiny.answers |= {"1": b"<html>", "2": b'{"order": 7}'}
    pushed.tiny.fails["detail", "3"] = "revoked"
    pushed.answers(4, "author-1")
    await pushed.look()
    assert sorted(pushed.failed) == ["auth", "bad_frame", "unknown"]
    assert (await pushed.told())["4"] == "author-1"
    del pushed.tiny.accounts["1"]
    await pushed.look(1_800)
    assert pushed.failed[-3:] == ["auth"] * 3

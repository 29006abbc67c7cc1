"""What changes the past marks all that counted otherwise before, and nothing else; rolled, it is as if worked out anew.

Batches of an earlier release that do not tell what they touch; earlier parts of orders and earlier purchases that come
late; the event's beginning, moved.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from collectors.tick import Sale, SaleItem
from monitor.facts import BlindSpan, Change
from monitor.history.roller import SETTINGS
from monitor.store.batch import facts_batches, pack_ticks, ticks_batches
from monitor.store.statements import statement
from tests.history.test_roller import World
from tests.history.test_roller_killed import TABLES, content, from_nothing, plainly
from tests.postgres import FreshDatabase

pytestmark = pytest.mark.real

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def world(database: FreshDatabase) -> AsyncIterator[World]:
    sql = await database.connect("writer")
    other = await database.settings.connect("writer", "roller", settings=SETTINGS)
    world = World(sql, other, 3)
    await world.ready()
    yield world
    await other.close()
    await sql.close()


async def put(world: World, *facts: Any) -> None:
    for batch in facts_batches(facts, world.at(2000)):
        await world.put(batch)


async def marked(world: World) -> set[tuple[int, str]]:
    """The minutes since the world began, and platforms, that are to be summed anew; as the roller will see them."""
    rows = await world.sql.fetch(
        "SELECT DISTINCT minute.at, platform FROM minute_touched"
        " CROSS JOIN LATERAL generate_series(minute, coalesce(until, minute), '1 minute') AS minute (at)"
    )
    return {((row["at"] - world.starts_at) // MINUTE, row["platform"]) for row in rows}


async def right(world: World) -> None:
    """Rolled, every sum is what a recompute of everything gives."""
    await world.roll_all()
    kept, again = await content(world.sql), await from_nothing(world)
    for table, (_, _, begin) in TABLES.items():
        assert plainly(kept[table], begin) == plainly(again[table], begin), table


# --- batches that do not tell -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [(61.0,), (120.0, 121.5), (59.999999, 300.0, 660.5), (599.0, 60.0)])
async def test_a_batch_of_an_earlier_release_marks_from_its_first_tick_to_its_last(
    world: World, seconds: tuple[float, ...]
) -> None:
    """Of all platforms, and the minute after, into which a number of viewers is held."""
    opened = world.at(-60)
    await put(world, *(Change("p", room, opened, 1, "opened", opened, "status") for room in ("p0", "p1")))
    await world.know_more(0)
    await right(world)
    assert await marked(world) == set()
    (_, like), *_ = world.ticks("p", "p0")
    made = [
        (world.rooms["p", room], msgspec.structs.replace(like, room=room, at=world.at(at), live=True, viewers=500))
        for at in seconds
        for room in ("p0", "p1")
    ]
    (batch,) = ticks_batches([pack_ticks(made, world.at(2000))], world.at(2000))
    assert batch.header.touched
    await world.put(msgspec.structs.replace(batch, header=msgspec.structs.replace(batch.header, touched=())))
    first, last = int(min(seconds) // 60), int(max(seconds) // 60)
    assert await marked(world) == {(n, platform) for n in range(first, last + 2) for platform in ("p", "q")}
    await right(world)
    watched = "SELECT sum(viewer_us) FROM session_minute WHERE minute >= $1"
    assert await world.sql.fetchval(watched, world.at(0)) > 0


# --- what comes late and counts in place of what was there ------------------------------------------------------------


def sale(world: World, number: int, minute: float, **told: Any) -> Sale:
    at = world.at(60 * minute)
    usual: dict[str, Any] = {
        "feed": "orders", "platform": "p", "event_id": f"e{number}", "at": at, "received_at": at, "kind": "paid",
        "amount_minor": 100 + number, "currency": "CNY", "room": "p0", "shop": "s", "order_id": f"o{number}",
        "items": (SaleItem("i", "件", 1, 100),),
    }  # fmt: skip
    return Sale(**(usual | told))


type Moment = tuple[float, dict[str, Any]]
type Late = tuple[list[Moment], Moment, set[tuple[int, str]]]
LATE: dict[str, Late] = {  # what was there, what comes late, and which minutes are marked
    "an earlier part of an order": ([(5, {"order_id": "o"})], (2, {"order_id": "o"}), {(2, "p"), (5, "p")}),
    "a part of one that no room is told of": (
        [(5, {"order_id": "o", "room": None})], (2, {"order_id": "o"}), {(2, "p"), (5, "p")},
    ),
    "a part before two others": (
        [(5, {"order_id": "o"}), (9, {"order_id": "o"})], (2, {"order_id": "o"}), {(2, "p"), (5, "p"), (9, "p")},
    ),
    "a later part": ([(5, {"order_id": "o"})], (7, {"order_id": "o"}), {(7, "p")}),
    "of another shop": ([(5, {"order_id": "o"})], (2, {"order_id": "o", "shop": "t"}), {(2, "p")}),
    "of another platform": (
        [(5, {"order_id": "o"})], (2, {"order_id": "o", "platform": "q", "room": None}), {(2, "q")},
    ),
    "no order at all": ([(5, {"order_id": ""})], (2, {"order_id": ""}), {(2, "p")}),
    "an earlier refund": (
        [(5, {"order_id": "o", "kind": "refunded"})], (2, {"order_id": "o", "kind": "refunded"}), {(2, "p"), (5, "p")},
    ),
    "told earlier as created": (
        [(5, {"order_id": "o", "kind": "created"})], (2, {"order_id": "o", "kind": "created"}), {(2, "p"), (5, "p")},
    ),
    "created after it was paid": ([(5, {"order_id": "o"})], (2, {"order_id": "o", "kind": "created"}), {(2, "p")}),
    "an earlier purchase": ([(5, {"buyer": b"b"})], (2, {"buyer": b"b"}), {(2, "p"), (5, "p")}),
    "an earlier purchase of another": ([(5, {"buyer": b"b"})], (2, {"buyer": b"c"}), {(2, "p")}),
    "a later purchase": ([(5, {"buyer": b"b"})], (7, {"buyer": b"b"}), {(7, "p")}),
}  # fmt: skip


@pytest.mark.parametrize("name", LATE)
async def test_what_comes_late_marks_what_counted_until_then(world: World, name: str) -> None:
    before, (minute, told), minutes = LATE[name]
    await put(world, *(sale(world, number, at, **more) for number, (at, more) in enumerate(before)))
    await world.know_more(0)
    await right(world)
    await put(world, sale(world, 50, minute, **told))
    assert await marked(world) == minutes
    await world.know_more(0)
    await right(world)


async def test_an_order_and_a_buyer_count_once_whatever_came_first(world: World) -> None:
    """In numbers: the part that came late counts now, and the one that had counted does not."""
    counted = "SELECT extract(epoch FROM minute - $1)::int / 60 FROM session_minute WHERE orders = 1 ORDER BY 1"
    for number, (minute, first) in enumerate([(9, 9), (5, 5), (7, 5), (2, 2)]):
        await put(world, sale(world, number, minute, order_id="o", buyer=b"b"))
        await world.know_more(0)
        await right(world)
        assert [row[0] for row in await world.sql.fetch(counted, world.starts_at)] == [first]
        summed = await world.sql.fetch("SELECT sum(orders), sum(buyers), sum(gmv_minor) FROM shop_hour")
        assert tuple(summed[0]) == (1, 1, sum(100 + n for n in range(number + 1)))
        assert await world.sql.fetchval("SELECT sum(orders) FROM item_hour") == 1


async def test_a_sale_in_a_room_of_another_platform_marks_that_one_too(world: World) -> None:
    """As an order of a shop's platform that is sold in a room on own servers: the room's minutes count it."""
    await put(world, sale(world, 1, 5, order_id="o"))
    await world.know_more(0)
    await world.sql.execute("UPDATE sale SET room_id = $1", world.rooms["q", "q0"])
    await world.sql.execute("INSERT INTO minute_touched VALUES ($1, 'q')", world.at(300))
    await right(world)
    await put(world, sale(world, 2, 2, order_id="o", room=None))
    assert await marked(world) == {(2, "p"), (5, "p"), (5, "q")}
    await right(world)


async def test_a_blind_span_marks_from_its_beginning_to_its_end(world: World) -> None:
    """What test_roller draws, once by hand."""
    await put(world, BlindSpan("p-a", "p", world.at(130), "timeout", None, world.at(250)))
    assert {(2, "p"), (3, "p"), (4, "p")} <= await marked(world)
    await right(world)


# --- the beginning of the event ---------------------------------------------------------------------------------------


async def set_event(world: World, starts_at: datetime | None, ends_at: datetime | None = None, name: str = "E") -> None:
    await world.sql.execute(statement("chores/set_event"), name, starts_at, ends_at)


async def test_moving_the_beginning_sums_the_days_of_both_anew(world: World) -> None:
    """Three purchases of one person on one day, one the day before, in the parts of one order."""
    midnight = await world.sql.fetchval("SELECT day_starts_at(event_date(now()) - 1)")
    hours = [timedelta(hours=n) for n in (-3, 1, 11, 15)]
    minutes = [(midnight + hour - world.starts_at) / MINUTE for hour in hours]
    await world.sql.execute("SELECT ensure_minute_day(event_date(now()) - n) FROM generate_series(0, 3) AS n")
    await put(world, *(
        sale(world, n, minute, order_id="o", buyer=b"b", room=None) for n, minute in enumerate(minutes)
    ))  # fmt: skip
    await world.know_more(0)
    await world.roll_all()
    figures = "SELECT sum(buyers), sum(orders) FROM shop_day WHERE day = event_date($1)"
    by_hour = "SELECT hour, buyers, orders FROM shop_hour WHERE buyers + orders > 0 ORDER BY hour"
    all_of_them = {(int(minute // 1), "p") for minute in minutes}
    day, before = {m for m in all_of_them if m[0] >= minutes[1] - 1}, {m for m in all_of_them if m[0] < minutes[1] - 1}
    for starts_at, wanted, first in (
        (midnight + hours[1] + timedelta(minutes=30), day, hours[2]),  # after the first of the day
        (midnight + hours[2] + timedelta(minutes=30), day, hours[3]),
        (midnight + timedelta(minutes=30), day, hours[1]),
        (midnight - timedelta(hours=5), day | before, hours[1]),
        (None, before, hours[1]),
    ):
        await set_event(world, starts_at)
        assert await marked(world) == wanted, starts_at
        await world.roll_all()
        assert [tuple(row) for row in await world.sql.fetch(figures, midnight)] == [(1, 1)], starts_at
        rows = [tuple(row) for row in await world.sql.fetch(by_hour)]
        assert (midnight + first, 1, 1) in rows
        shops = "SELECT * FROM shop_hour ORDER BY hour"
        kept = await world.sql.fetch(shops)
        transaction = world.sql.transaction()
        await transaction.start()
        await world.sql.execute("DELETE FROM shop_hour")
        for hour in hours:
            await world.sql.execute(statement("history/roll_shops"), midnight + hour, ["p"], ["s"])
        assert await world.sql.fetch(shops) == kept, starts_at
        await transaction.rollback()


async def test_what_leaves_the_beginning_alone_marks_nothing(world: World) -> None:
    starts_at = world.at(120)
    await put(world, sale(world, 1, 5, buyer=b"b"))
    await world.know_more(0)
    await set_event(world, starts_at)
    await world.roll_all()
    await set_event(world, starts_at)
    await set_event(world, starts_at, world.at(2000))
    await set_event(world, starts_at, world.at(2000), "another name")
    assert await marked(world) == set()


async def test_an_order_in_a_room_of_another_platform_is_summed_anew_there(world: World) -> None:
    """Shops of one platform sell in rooms of another: rows of the room count it, too."""
    await put(world, sale(world, 1, 2, order_id="o", room=None), sale(world, 2, 9, order_id="o", room=None))
    await world.know_more(0)
    await world.sql.execute("UPDATE sale SET room_id = (SELECT min(room_id) FROM room WHERE platform = 'q')")
    await world.sql.execute("INSERT INTO minute_touched SELECT date_trunc('minute', at), 'q' FROM sale")
    await world.roll_all()
    orders = "SELECT array_agg(orders ORDER BY minute) FROM session_minute WHERE platform = 'q' AND gmv_minor > 0"
    assert await world.sql.fetchval(orders) == [1, 0]
    await set_event(world, world.at(5 * 60))
    assert (9, "q") in await marked(world)
    await world.roll_all()
    assert await world.sql.fetchval(orders) == [1, 1]  # what is before the event's beginning is before
    await right(world)

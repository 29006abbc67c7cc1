"""Where each sale counts, which count for no room and why, and which feed brings a room's orders."""

from typing import Any

import pytest

from monitor.attribution import Attribution
from tests.history.story import roll
from tests.sql.stage import Sql, Stage, evening
from tests.sql.test_attribution import change, put, sale

pytestmark = pytest.mark.real


async def roster(sql: Sql, *rows: tuple[str, str, str, str, str, bool]) -> None:
    await sql.executemany(
        "INSERT INTO room (platform, external_id, shop, city, hall, active) VALUES ($1, $2, $3, $4, $5, $6)", rows
    )


async def places(reader: Sql) -> dict[str, tuple[Any, ...]]:
    rows = await reader.fetch("SELECT order_id, city, hall, placed_by FROM sale_place")
    return {row["order_id"]: (row["city"], row["hall"], row["placed_by"]) for row in rows}


async def test_a_sale_of_no_room_counts_where_the_rows_of_its_shop_agree(stage: Stage, reader: Sql):
    await roster(
        stage.sql,
        ("doudian", "r1", "agree", "沈阳", "A", True),
        ("doudian", "r2", "agree", "沈阳", "B", True),
        ("doudian", "r3", "agree", "大连", "C", False),  # retired: has no say
        ("doudian", "r4", "part", "沈阳", "A", True),
        ("doudian", "r5", "part", "", "A", True),  # says nothing of its city: so nobody knows
        ("nginx_rtmp", "live/1", "part", "鞍山", "Z", True),  # doudian's own rows speak for its shops
        ("nginx_rtmp", "live/2", "hall shop", "鞍山", "Z", True),  # no row of doudian: those of own servers do
        ("doudian", "r6", "", "丹东", "D", True),  # of no shop
        ("doudian", "r7", "elsewhere", "抚顺", "E", True),
    )
    sales = [sale(shop, "21:00", room=None, shop=shop) for shop in ("agree", "part", "hall shop", "unknown")]
    sales += [sale("no shop", "21:00", room=None, shop=None), sale("room", "21:00", room="r7", shop="agree")]
    sales += [sale("placeless room", "21:00", room="r5", shop="agree")]  # what is known of its room beats its shop
    await put(stage.sql, *sales)
    assert await Attribution().catch_up(stage.sql, 0)
    assert await places(reader) == {
        "agree": ("沈阳", None, "shop"), "part": (None, "A", "shop"), "hall shop": ("鞍山", "Z", "shop"),
        "unknown": (None, None, None), "no shop": (None, None, None), "room": ("抚顺", "E", "room"),
        "placeless room": (None, "A", "room"),
    }  # fmt: skip
    assert await reader.fetchval("SELECT sum(amount_minor) FROM sale_place") == 7 * 9_900  # each once


async def test_what_is_unattributed_is_shown_with_its_reason(stage: Stage, reader: Sql):
    await stage.room("r1", platform="doudian")
    await put(
        stage.sql,
        change(1, "opened", "20:00"),
        change(2, "closed", "22:00"),
        sale("in", "21:00"),
        sale("late", "22:30"),
        sale("no room", "21:00", room=None),
        sale("no room", "21:10", room=None, event_id="x", kind="refunded", amount_minor=4_900),
        sale("dollars", "21:00", room=None, currency="USD"),
        sale("stranger", "21:00", room="r9", shop="other"),
    )
    assert await Attribution().catch_up(stage.sql, 0)
    await put(stage.sql, sale("new", "21:00"))
    rows = await reader.fetch(
        "SELECT platform, shop, reason, currency, events, orders, gmv_minor, gmv FROM sale_unattributed"
    )
    assert {tuple(row)[:-1] for row in rows} == {
        ("doudian", "shop", "no session open", "CNY", 1, 1, 9_900),
        ("doudian", "shop", "no room told", "CNY", 2, 1, 9_900),
        ("doudian", "shop", "no room told", "USD", 1, 1, 9_900),
        ("doudian", "other", "room not in the roster", "CNY", 1, 1, 9_900),
        ("doudian", "shop", "not looked at yet", "CNY", 1, 1, 9_900),
    }
    assert {str(row["gmv"]) for row in rows} == {"99.00"}


async def test_the_summary_and_the_room_count_what_was_attributed(stage: Stage, reader: Sql):
    room = await stage.room("r1", platform="doudian")
    await put(stage.sql, sale("a", "21:00"), sale("late", "22:30"), change(1, "opened", "20:00"))
    await put(stage.sql, change(2, "closed", "22:00"), sale("b", "21:00", kind="refunded", amount_minor=900))
    assert await Attribution().catch_up(stage.sql, 0)
    await roll(stage.sql)
    summary = await reader.fetchrow("SELECT orders, gmv_minor, refunds_minor, net_minor FROM session_summary")
    assert summary is not None
    assert tuple(summary) == (1, 9_900, 900, 9_000)
    of_room = "SELECT count(*) FROM sale WHERE room_id = $1 AND kind = 'paid'"
    assert await reader.fetchval(of_room, room) == 2  # late, but of this room


async def test_coverage_names_the_feed_that_brought_orders_of_the_shop(stage: Stage, reader: Sql):
    await roster(
        stage.sql, ("nginx_rtmp", "live/1", "shop", "", "", True), ("nginx_rtmp", "live/2", "silent", "", "", True)
    )
    await stage.feed("hall-a", [1, 2])
    await stage.feed("orders", [], kind="doudian", platform="doudian", signals=["sales"])
    by = "SELECT external_id, sales_by, why FROM room_coverage"
    assert {row["external_id"]: row["sales_by"] for row in await reader.fetch(by)} == {"live/1": [], "live/2": []}
    await put(stage.sql, sale("a", "21:00", room=None))
    rows = {row["external_id"]: row for row in await reader.fetch(by)}
    assert {room: row["sales_by"] for room, row in rows.items()} == {"live/1": ["orders"], "live/2": []}
    assert (rows["live/1"]["why"], rows["live/2"]["why"]) == (None, "sales: feed hall-a does not tell it")


async def test_no_row_of_a_session_may_be_named_by_session_at_out_of_its_span(stage: Stage, reader: Sql):
    room = await stage.room("r1", platform="doudian")
    session = await stage.session(room, ("opened", evening("20:00"), "event"), ("closed", evening("22:00"), "ended"))
    asked = [evening(clock) for clock in ("19:59", "20:00", "21:59", "22:00")]
    told = [await reader.fetchval("SELECT session_id FROM session_at($1, $2)", room, at) for at in asked]
    assert told == [None, session, session, None]
    assert await reader.fetchval("SELECT session_id FROM session_at($1, $2)", room + 1, asked[1]) is None

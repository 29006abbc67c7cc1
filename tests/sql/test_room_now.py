"""Each room in its present state, in the codes of livemon_room_state; and who sees which room, or why nobody does."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from collectors import KINDS
from collectors.collector import FeedRow
from tests.history.story import roll
from tests.sql.stage import ZONE, Sql, Stage, evening

pytestmark = pytest.mark.real


def ago(seconds: float) -> datetime:
    return datetime.now(ZONE) - timedelta(seconds=seconds)


async def now(reader: Sql, room: int) -> dict[str, Any]:
    row = await reader.fetchrow("SELECT * FROM room_now WHERE room_id = $1", room)
    assert row is not None
    return dict(row)


async def test_a_live_room_shows_what_two_feeds_told_last(stage: Stage, reader: Sql):
    room = await stage.room("live/1")
    await stage.feed("hall-a", [room])
    opened_at = ago(100)
    session = await stage.session(room, ("opened", opened_at, "status"))
    await stage.ticks(room, (ago(20), True, 120, 3000), (ago(5), True, None))
    await stage.slot(room, ago(3600), ago(-3600))
    await stage.sale(room, session, ago(1), "paid", 9_900, "o1")
    await stage.sale(room, session, ago(1), "refunded", 9_900, "o1")
    await roll(stage.sql)
    told = await now(reader, room)
    assert (told["state"], told["state_zh"], told["state_code"]) == ("live", "直播中", 1)
    assert (told["session_id"], told["opened_at"], told["since"]) == (session, opened_at, opened_at)
    assert (told["viewers"], told["views_total"], told["expected"]) == (120, 3000, True)
    assert (told["orders"], told["gmv_minor"], told["gmv"], told["currency"]) == (1, 9_900, Decimal("99.00"), "CNY")


async def test_an_order_counts_once_whatever_it_was_paid_in(stage: Stage, reader: Sql):
    room = await stage.room("live/1")
    for order, amount_minor in (("parts", 1_000), ("parts", 500), ("", 200), ("", 200), ("other shop's", 70)):
        await stage.sale(room, None, ago(0), "paid", amount_minor, order)
    await stage.sale(room, None, ago(0), "created", 9_000, "not paid")
    await stage.sale(room, None, ago(0), "paid", 9_000, "dollars", "USD")
    await stage.sale(room, None, ago(86_400), "paid", 9_000, "yesterday")
    await stage.sql.execute("UPDATE sale SET shop = 'b', order_id = 'parts' WHERE order_id = 'other shop''s'")
    await roll(stage.sql)
    told = await now(reader, room)
    assert (told["orders"], told["gmv_minor"], told["gmv"]) == (4, 1_970, Decimal("19.70"))


async def test_dropped_then_lost_then_no_longer_missed(stage: Stage, reader: Sql):
    rooms = [await stage.room(f"live/{name}") for name in ("dropped", "lost", "missed no more", "lost without a plan")]
    await stage.feed("hall-a", rooms)
    stopped_at, opened_at = ago(300), ago(900)
    for room in rooms:
        await stage.ticks(room, (ago(5), False, 0))
    opening = ("opened", opened_at, "status"), ("dropped", stopped_at, "status")
    await stage.session(rooms[0], *opening)
    for room in rooms[1:]:
        await stage.session(room, *opening, ("closed", stopped_at, "lost"))
    planned_end = ago(60)
    await stage.slot(rooms[1], opened_at, ago(-600))
    await stage.slot(rooms[2], opened_at, planned_end)
    told = [await now(reader, room) for room in rooms]
    assert [(row["state_code"], row["state_zh"]) for row in told] == [
        (2, "断流"), (4, "断流未恢复"), (0, "未开播"), (4, "断流未恢复"),
    ]  # fmt: skip
    assert [row["since"] for row in told] == [stopped_at, stopped_at, planned_end, stopped_at]
    assert [row["viewers"] for row in told] == [0, 0, 0, 0]
    assert [row["session_id"] is None for row in told] == [False, True, True, True]
    assert [row["expected"] for row in told] == [False, True, False, False]


async def test_a_room_is_blind_only_when_every_feed_that_can_tell_is(stage: Stage, reader: Sql):
    both, one, alone, hooked = [await stage.room(f"live/{n}") for n in range(4)]
    await stage.feed("a", [both, one, alone])
    await stage.feed("b", [both])
    await stage.feed("c", [one])
    await stage.feed("d", [hooked], kind="srs_hooks", signals=["live"])
    first, second = ago(40), ago(20)
    for room in (both, one, alone, hooked):
        await stage.session(room, ("opened", ago(600), "event"))
        await stage.ticks(room, (ago(50), True, 10))
    await stage.blind("a", first, None)
    await stage.blind("b", second, None, both)
    await stage.blind("d", first, None)
    told = [await now(reader, room) for room in (both, one, alone, hooked)]
    assert [row["state"] for row in told] == ["blind", "live", "blind", "live"]
    assert [row["since"] for row in told][0::2] == [second, first]  # blind since the last of its feeds is
    assert [row["viewers"] for row in told] == [None, 10, None, 10]
    assert all(row["session_id"] for row in told)  # the session goes on


async def test_unwatched_unheard_and_retired_rooms(stage: Stage, reader: Sql):
    unwatched, unheard = await stage.room("live/1"), await stage.room("live/2")
    retired = await stage.room("live/3", active=False)
    await stage.feed("orders", [unwatched, unheard], kind="doudian", signals=["sales"])
    await stage.feed("hall-a", [unheard, retired])
    told = await now(reader, unwatched)
    assert (told["state_zh"], told["viewers"], told["kbps"]) == ("无数据源", None, None)  # nobody tells, so it is not 0
    assert (await now(reader, unheard))["state"] == "blind"
    assert await reader.fetchval("SELECT count(*) FROM room_now") == 2


async def test_nothing_from_the_monitor_for_two_minutes_is_blind_and_not_live(stage: Stage, reader: Sql):
    room = await stage.room("live/1")
    await stage.feed("hall-a", [room])
    await stage.session(room, ("opened", ago(600), "status"))
    await stage.ticks(room, (ago(130), True, 10))
    last = ago(125)
    await stage.sql.execute(
        "INSERT INTO applied_batch (batch_id, kind, spool_id, seq, sealed_at, applied_at, rows, written)"
        " VALUES (gen_random_uuid(), 'ticks', gen_random_uuid(), 1, $1, $1, 1, 1)",
        last,
    )
    told = await now(reader, room)
    assert (told["state"], told["since"], told["viewers"]) == ("blind", last, None)
    await stage.sql.execute("UPDATE applied_batch SET applied_at = now()")
    assert (await now(reader, room))["state"] == "live"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "live" in kind.SIGNALS], ids=lambda kind: kind.__name__)
async def test_a_room_that_only_pushes_tell_of_is_not_blind_because_nothing_was_pushed(
    stage: Stage, reader: Sql, kind: type[FeedRow]
):
    room = await stage.room("live/1")
    await stage.feed("it", [room], kind=str(kind.__struct_config__.tag))
    await stage.session(room, ("opened", ago(600), "status"))
    await stage.ticks(room, (ago(130), True, 10))
    await stage.sql.execute(
        "INSERT INTO applied_batch (batch_id, kind, spool_id, seq, sealed_at, applied_at, rows, written)"
        " VALUES (gen_random_uuid(), 'ticks', gen_random_uuid(), 1, $1, $1, 1, 1)",
        ago(125),
    )
    assert (await now(reader, room))["state"] == ("blind" if kind.TELLS_STATE else "live")


async def test_coverage_names_the_feeds_or_says_why_there_is_none(stage: Stage, reader: Sql):
    seen, other, orphan, refused, shop = [
        await stage.room("live/1"),
        await stage.room("live/2"),
        await stage.room("r1", platform="douyin"),
        await stage.room("r2", platform="wechat"),
        await stage.room("r3", platform="youtube"),
    ]
    await stage.feed("hall-a", [seen], signals=["live", "viewers"])
    await stage.feed("wx", [refused], platform="wechat", signals=["live"], state="refused", detail="app key unknown")
    await stage.feed("shop", [shop], platform="shopify", kind="shopify", signals=["sales"])
    rows = {row["room_id"]: row for row in await reader.fetch("SELECT * FROM room_coverage")}
    assert [rows[seen][name] for name in ("live_by", "viewers_by", "sales_by")] == [["hall-a"], ["hall-a"], []]
    assert rows[seen]["why"] == "sales: feed hall-a does not tell it"
    assert rows[seen]["why_zh"] == "订单：数据源 hall-a 不提供此项"
    assert rows[other]["why"].startswith("live: this room is not among those of feed hall-a; ")
    assert rows[orphan]["live_by"] == []
    assert rows[orphan]["why"].startswith("live: no feed is configured for platform douyin; ")
    assert rows[orphan]["why_zh"].startswith("直播状态：平台 douyin 未配置数据源；")
    assert rows[refused]["why"].startswith("live: feed wx refused: app key unknown; viewers: feed wx does not tell it")
    assert rows[shop]["sales_by"] == ["shop"]  # an order feed of another platform than the room's
    assert "sales" not in rows[shop]["why"]


async def test_an_unconfigured_feed_covers_nothing(stage: Stage, reader: Sql):
    room = await stage.room("live/1")
    await stage.feed("hall-a", [room])
    await stage.sql.execute("UPDATE feed SET configured = false")
    await stage.ticks(room, (ago(5), True, 1))
    assert (await now(reader, room))["state"] == "unwatched"
    assert await reader.fetchval("SELECT live_by FROM room_coverage") == []


async def test_ticks_says_the_same_as_the_view_and_the_hour_is_cut_in_utc(stage: Stage, reader: Sql):
    room = await stage.room("live/1")
    await stage.ticks(room, *((evening("20:30") + timedelta(minutes=20 * n), True, n) for n in range(4)))
    await reader.execute("SET TIME ZONE 'Asia/Kolkata'")  # a zone of half hours
    rows = await reader.fetch("SELECT viewers, hour FROM ticks($1, $2) ORDER BY at", evening("20:30"), evening("21:30"))
    assert [row["viewers"] for row in rows] == [0, 1, 2]
    assert [row["hour"] for row in rows] == [evening("20:00"), evening("20:00"), evening("21:00")]


async def test_no_question_reads_all_ticks_of_the_day(stage: Stage, reader: Sql):
    """Whether anything was heard of a room without a session is looked up for this room. A hash of all ticks of the day
    takes seconds, again for each reader, and on a day with few of them PostgreSQL chooses it if it may."""
    room = await stage.room("live/1")
    await stage.ticks(room, (ago(5), True, 120))
    for columns in ("state", "state_code, expected", "*"):
        plan = [row[0] for row in await reader.fetch(f"EXPLAIN SELECT {columns} FROM room_now")]
        assert any("tick_raw" in line for line in plan)
        assert [line for line in plan if "hashed" in line] == []

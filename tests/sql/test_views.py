"""What the views say of sessions whose every number was worked out by hand; read as livemon_reader."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.history.story import roll
from tests.sql.stage import ZONE, Sql, Stage, evening

pytestmark = pytest.mark.real


async def summary(reader: Sql, session: Any) -> dict[str, Any]:
    row = await reader.fetchrow("SELECT * FROM session_exact WHERE session_id = $1", session)
    assert row is not None
    return dict(row)


async def an_evening(stage: Stage) -> tuple[int, Any]:
    """20:00:00-20:08:00 with one drop of 40 s, a blind span over two feeds, and a sign-off that nobody can judge."""
    room = await stage.room("live/晚风")
    await stage.feed("hall-a", [room])
    await stage.feed("relay", [room], signals=["live"])
    await stage.feed("hooks", [room], kind="nginx_rtmp_hooks", signals=["live"])  # silent by nature: blinds nobody
    await stage.blind("hall-a", evening("20:03:30"), evening("20:06:00"))
    await stage.blind("relay", evening("20:04:00"), evening("20:05:00"))
    await stage.ticks(
        room,
        (evening("19:59:50"), False, 7777),
        (evening("20:00:00"), True, 100, 500),  #     30 s x 100 =  3,000
        (evening("20:00:30"), True, 200),  #          40 s x 200 =  8,000: the next says nothing of viewers
        (evening("20:01:00"), True, None, 2000),
        (evening("20:01:10"), True, 300),  #          50 s x 300 = 15,000: until the stop
        (evening("20:02:00"), False, 0),
        (evening("20:02:20"), None, 9999),  #         inside the stop: counts for nothing
        (evening("20:02:40"), True, 240),  #          30 s x 240 =  7,200
        (evening("20:03:10"), True, 60),  #           50 s x  60 =  3,000: until both feeds are blind
        (evening("20:05:00"), True, 90),  #           60 s x  90 =  5,400: the next is further away
        (evening("20:07:00"), None, 30),  #           60 s x  30 =  1,800: until the last stop
        (evening("20:08:00"), False, 0),
        (evening("20:09:00"), None, 8888),
    )  #                                      320 s          43,400
    session = await stage.session(
        room,
        ("opened", evening("20:00:00"), "status"),
        ("dropped", evening("20:02:00"), "status"),
        ("resumed", evening("20:02:40"), "status"),
        ("dropped", evening("20:08:00"), "status"),
        ("closed", evening("20:08:00"), "unknown"),
    )
    return room, session


async def test_people_stops_and_blind_time_of_a_session(stage: Stage, reader: Sql):
    room, session = await an_evening(stage)
    told = await summary(reader, session)
    assert (told["room_id"], told["external_id"], told["close_reason"]) == (room, "live/晚风", "unknown")
    assert told["peak_viewers"] == 300
    assert told["average_viewers"] == Decimal("135.63")  # 43,400 / 320 = 135.625
    assert told["watch_hours"] == Decimal("12.056")  # 43,400 / 3,600
    assert told["measured_s"] == 320
    assert told["airtime_s"] == 440  # 480 - 40
    assert (told["drops"], told["down_s"]) == (1, 40)
    assert told["blind_s"] == 60  # 20:04-20:05, where both polls were blind; the hooks do not count
    assert told["views_total"] == 2000


async def test_orders_of_a_session(stage: Stage, reader: Sql):
    room, session = await an_evening(stage)
    at = evening("20:05")
    await stage.sale(room, session, at, "created", 55_500, "o1")
    await stage.sale(room, session, at, "paid", 9_900, "o1")
    await stage.sale(room, session, at, "paid", 100, "o1")  # a second sub-order of the same order
    await stage.sale(room, session, at, "paid", 20_000, "o2")
    await stage.sale(room, session, at, "refunded", 4_900, "o1")
    await stage.sale(room, session, at, "gift", 70_000, "g1")
    await stage.sale(room, session, at, "paid", 5_000, "o3", currency="USD")
    await stage.sale(room, None, at, "paid", 1_000_000, "o4")  # of no session
    await roll(stage.sql)
    told = await summary(reader, session)
    assert (told["orders"], told["orders_other_currency"], told["currency"]) == (2, 1, "CNY")
    assert (told["gmv_minor"], told["refunds_minor"], told["net_minor"]) == (30_000, 4_900, 25_100)
    assert (told["gmv"], told["refunds"], told["net"]) == (Decimal("300.00"), Decimal("49.00"), Decimal("251.00"))
    assert told["gpm_minor"] == 15_000  # 300.00 x 1000 / 2,000 visits = 150.00
    assert told["uv_value_minor"] is None


async def test_orders_without_a_number_are_orders_each_and_one_paid_in_parts_is_one(stage: Stage, reader: Sql):
    room = await stage.room("live/1")
    session = await stage.session(room, ("opened", evening("20:00"), "event"), ("closed", evening("21:00"), "ended"))
    for order, amount_minor in (("parts", 1_000), ("parts", 500), ("", 200), ("", 200), ("elsewhere", 70)):
        await stage.sale(room, session, evening("20:30"), "paid", amount_minor, order)
    await stage.sql.execute("UPDATE sale SET shop = 'b', order_id = 'parts' WHERE order_id = 'elsewhere'")
    await roll(stage.sql)
    told = await reader.fetchrow("SELECT orders, gmv_minor FROM session_summary")
    assert told is not None
    assert tuple(told) == (4, 1_970)


async def test_the_drop_log_holds_what_resumed_and_not_the_last_stop_of_an_unjudged_close(stage: Stage, reader: Sql):
    room, session = await an_evening(stage)
    rows = await reader.fetch("SELECT * FROM drop_log")
    assert [dict(row) for row in rows] == [
        {
            **{"session_id": session, "room_id": room, "platform": "nginx_rtmp", "external_id": "live/晚风"},
            **{"anchor": "主播live/晚风", "hall": "一号馆", "tier": 1, "contact": "zhang"},
            **{"dropped_at": evening("20:02:00"), "back_at": evening("20:02:40"), "down_s": Decimal(40)},
            **{"viewers_before": 300, "outcome": "resumed", "cause": "status"},
        }
    ]


@pytest.mark.parametrize(
    ("slots", "back", "down_s"),
    [
        pytest.param([("20:00", "22:00")], "21:30", 1800, id="until it was back"),
        pytest.param([("20:00", "21:20")], "21:30", 1200, id="until its planned end"),
        pytest.param([("20:00", "21:10"), ("21:10", "21:25")], "21:30", 1500, id="slots that touch are one"),
        pytest.param([("20:00", "21:20")], None, 1200, id="planned end, never back"),
        pytest.param([], "21:30", 1800, id="no plan, until it was back"),
        pytest.param([], None, None, id="no plan, never back: nobody can say"),
    ],
)
async def test_a_lost_stop_lasts_until_the_room_is_back_or_no_longer_missed(
    stage: Stage, reader: Sql, slots: list[tuple[str, str]], back: str | None, down_s: int | None
):
    room = await stage.room("live/lost")
    for starts, ends in slots:
        await stage.slot(room, evening(starts), evening(ends))
    lost = await stage.session(
        room,
        ("opened", evening("20:00"), "status"),
        ("dropped", evening("21:00"), "failed"),
        ("closed", evening("21:00"), "lost"),
    )
    if back:
        await stage.session(room, ("opened", evening(back), "status"), ("closed", evening("22:00"), "ended"))
    row = await reader.fetchrow("SELECT * FROM drop_log")
    assert row is not None
    assert (row["session_id"], row["outcome"], row["cause"]) == (lost, "lost", "failed")
    assert row["back_at"] == (evening(back) if back else None)
    assert row["down_s"] == down_s
    assert row["viewers_before"] is None
    told = await summary(reader, lost)
    assert (told["drops"], told["down_s"], told["airtime_s"]) == (1, 0, 3600)
    assert [told[name] for name in ("peak_viewers", "average_viewers", "watch_hours", "views_total")] == [None] * 4
    assert (told["orders"], told["gmv_minor"], told["gpm_minor"]) == (0, 0, None)


async def test_a_session_across_midnight_of_the_zone_reads_both_days(stage: Stage, reader: Sql):
    room = await stage.room("live/night")
    opened_at, closed_at = evening("23:50", 3), evening("00:20", 2)
    await stage.ticks(room, *((opened_at + timedelta(minutes=n), True, 10) for n in range(30)))
    session = await stage.session(room, ("opened", opened_at, "event"), ("closed", closed_at, "ended"))
    assert len(await reader.fetch("SELECT DISTINCT event_date(at) FROM viewer_tick")) == 2
    told = await summary(reader, session)
    assert (told["airtime_s"], told["measured_s"], told["blind_s"]) == (1800, 1800, 0)
    assert (told["peak_viewers"], told["average_viewers"], told["watch_hours"]) == (10, 10, 5)  # 30 min x 10 people
    assert (told["drops"], told["down_s"]) == (0, 0)


async def test_an_open_session_is_summed_up_until_now_and_its_open_stop_is_not_judged(stage: Stage, reader: Sql):
    room = await stage.room("live/open")
    await stage.feed("hall-a", [room])
    now = datetime.now(ZONE)
    await stage.ticks(room, (now - timedelta(seconds=600), True, 50), (now - timedelta(seconds=90), False, None))
    session = await stage.session(
        room, ("opened", now - timedelta(seconds=600), "status"), ("dropped", now - timedelta(seconds=90), "status")
    )
    await stage.blind("hall-a", now - timedelta(seconds=30), None)
    told = await summary(reader, session)
    assert told["closed_at"] is None
    assert told["airtime_s"] == 510
    assert (told["measured_s"], told["average_viewers"]) == (60, 50)
    assert (told["drops"], told["down_s"]) == (0, 0)
    assert 30 <= told["blind_s"] < 90
    assert await reader.fetch("SELECT * FROM drop_log") == []
    open_span = await reader.fetchrow("SELECT feed, platform, room_id, still_open, blind_s, cause FROM feed_blind")
    assert open_span is not None
    assert tuple(open_span)[:4] == ("hall-a", "nginx_rtmp", None, True)
    assert open_span["blind_s"] == pytest.approx(told["blind_s"], abs=5)


async def test_a_feed_covers_a_room_only_while_it_is_configured_and_a_room_may_be_blind_alone(
    stage: Stage, reader: Sql
):
    one, other = await stage.room("live/1"), await stage.room("live/2")
    await stage.feed("old", [one])
    await stage.feed("new", [one, other])
    await stage.sql.execute("UPDATE feed_room SET to_at = $1 WHERE feed = 'old'", evening("20:10"))
    await stage.blind("new", evening("20:05"), evening("20:20"), one)
    spans = [("opened", evening("20:00"), "status"), ("closed", evening("20:30"), "ended")]
    first, second = await stage.session(one, *spans), await stage.session(other, *spans)
    assert (await summary(reader, first))[
        "blind_s"
    ] == 600  # seen by the old feed until 20:10, then by none until 20:20
    assert (await summary(reader, second))["blind_s"] == 0


async def test_money_in_the_major_unit_follows_the_currency(reader: Sql):
    row = await reader.fetchrow(
        "SELECT in_major(12345, 'CNY'), in_major(12345, 'JPY'), in_major(12345, 'KWD'), in_major(-5, 'USD')"
    )
    assert row is not None
    assert [str(value) for value in row] == ["123.45", "12345.00", "12.35", "-0.05"]

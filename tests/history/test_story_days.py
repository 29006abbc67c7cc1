"""Days of the story by room, shop and item, inside the event window; the cut of a day; the pace of two days."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.history.story import A, B, C, Story, put_session, when
from tests.sql.stage import Sql

pytestmark = pytest.mark.real

# Of the reader's view room_day. B was down 930 s, but after its session: that is in drop_log.
PEOPLE = (
    "sessions, air_s, blind_s, measured_s, average_viewers, watch_hours, peak_viewers, peak_at, drops, down_s,"
    " platform, external_id, broadcaster, hall, city, category, tier"
)
MONEY = "created_orders, orders, gmv_minor, gmv, refund_orders, refunds_minor, net_minor, net, gifts_minor, units"


async def rows(reader: Sql, question: str, *arguments: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await reader.fetch(question, *arguments)]


def people_of_d1(story: Story) -> dict[int, tuple[Any, ...]]:
    """A: 73,100 and of A2 until midnight 7,800 in 120 s. B: 16,500 + 5,400. C: what lies in the event, from 19:30."""
    of_a = ("nginx_rtmp", A, "林晚", "一号馆", "沈阳", "服装", 1)
    of_b = ("nginx_rtmp", B, "海哥", "二号馆", "大连", "食品", 2)
    of_c = ("doudian", C, "林晚", "", "沈阳", "服装", 2)
    return {
        story.rooms[A]: (2, 680, 90, 520, Decimal("155.58"), Decimal("22.472"), 300, when("D1 20:01"), 1, 40, *of_a),
        story.rooms[B]: (2, 570, 0, 450, Decimal("48.67"), Decimal("6.083"), 70, when("D1 20:32"), 1, 0, *of_b),
        story.rooms[C]: (1, 600, 0, 600, 10, Decimal("1.667"), 10, when("D1 19:30"), 0, 0, *of_c),
    }


async def test_people_of_rooms_by_day(story: Story, story_reader: Sql):
    question = f"SELECT room_id, {PEOPLE} FROM room_day WHERE day = $1"
    first = {row[0]: row[1:] for row in await rows(story_reader, question, story.d1)}
    assert first == people_of_d1(story)
    second = {row[0]: row[1:9] for row in await rows(story_reader, question, story.d2)}
    assert second == {
        story.rooms[A]: (1, 120, 0, 90, Decimal("53.33"), Decimal("1.333"), 40, when("D2 00:01")),
        story.rooms[C]: (1, 120, 0, 120, 600, 20, 700, when("D2 00:11")),
    }


async def test_orders_of_rooms_by_day(story: Story, story_reader: Sql):
    question = f"SELECT room_id, day, {MONEY} FROM room_day"
    told = {row[:2]: row[2:] for row in await rows(story_reader, question)}
    assert told == {
        # 10,000 + 20,000 + 1,000 on air, 3,000 off air; 100 + 5,000 came back on that day.
        (story.rooms[A], story.d1): (3, 4, 34_000, 340, 2, 5_100, 28_900, 289, 7_000, 6),
        (story.rooms[B], story.d1): (0, 2, 10_000, 100, 1, 500, 9_500, 95, 0, 3),
        (story.rooms[C], story.d1): (0, 1, 300, 3, 0, 0, 300, 3, 0, 0),  # the 7.00 were before the event
        (story.rooms[A], story.d2): (0, 1, 2_000, 20, 0, 0, 2_000, 20, 0, 1),  # the refund of 20:45 was after it
        (story.rooms[C], story.d2): (1, 2, 13_500, 135, 0, 0, 13_500, 135, 0, 3),  # and so were the 99.99
    }


async def test_with_no_window_everything_counts(story: Story, story_writer: Sql, story_reader: Sql):
    await story_writer.execute("UPDATE setting SET event_starts_at = NULL, event_ends_at = NULL")
    question = f"SELECT {MONEY} FROM room_day WHERE room_id = $1 ORDER BY day"
    assert [row[1:3] for row in await rows(story_reader, question, story.rooms[C])] == [(2, 1_000), (3, 23_499)]
    refunds = "SELECT refunds_minor FROM room_day WHERE room_id = $1 AND day = $2"
    assert await story_reader.fetchval(refunds, story.rooms[A], story.d2) == 1_000
    assert await story_reader.fetchval("SELECT sum(gmv_minor) FROM shop_day WHERE platform = 'doudian'") == 32_499
    assert await story_reader.fetchval("SELECT sum(air_s) FROM room_day WHERE room_id = $1", story.rooms[C]) == 1_320


async def test_a_window_inside_one_hour(story: Story, story_writer: Sql, story_reader: Sql):
    await story_writer.execute(
        "UPDATE setting SET event_starts_at = $1, event_ends_at = $2", when("D1 20:02"), when("D1 20:31")
    )
    # Stops of the day that are no drop, or lie outside the window, add nothing to the seconds down.
    opened = ("opened", "D1 19:50", "event")
    for changes in (
        [opened, ("dropped", "D1 19:51", "event"), ("resumed", "D1 19:52", "event"), ("closed", "D1 19:55", "ended")],
        [("opened", "D1 20:15", "event"), ("dropped", "D1 20:16", "event"), ("closed", "D1 20:18", "ended")],
    ):
        await put_session(story_writer, story.rooms[A], changes)
    told = await rows(story_reader, f"SELECT day, room_id, air_s, down_s, {MONEY} FROM room_day ORDER BY room_id")
    assert [row[:7] for row in told] == [
        (story.d1, story.rooms[A], 440, 40, 2, 1, 20_000),  # 20:02 to 20:10 without the stop
        (story.d1, story.rooms[B], 60, 0, 0, 0, 0),
    ]
    assert await rows(story_reader, "SELECT day, shop, gmv_minor FROM shop_day") == [(story.d1, "s-lin", 20_000)]


async def test_the_leaderboard(story: Story, story_writer: Sql, story_reader: Sql):
    question = "SELECT rank, room_id, broadcaster, gmv, orders, peak_viewers FROM leaderboard_day WHERE day = $1"
    told = await rows(story_reader, f"{question} ORDER BY rank", story.d1)
    assert told == [
        (1, story.rooms[A], "林晚", 340, 4, 300),
        (2, story.rooms[B], "海哥", 100, 2, 70),
        (3, story.rooms[C], "林晚", 3, 1, 10),
    ]
    second = await rows(story_reader, f"{question} AND rank <= 1", story.d2)
    assert [row[:2] for row in second] == [(1, story.rooms[C])]


async def test_shops_by_day(story: Story, story_reader: Sql):
    names = (
        "created_orders, orders, gmv_minor, gmv, refund_orders, refunds_minor, net_minor, net, units, buyers, aov_minor"
    )
    told = await rows(story_reader, f"SELECT day, platform, shop, {names}, currency FROM shop_day")
    assert {row[:3]: row[3:] for row in told} == {
        (story.d1, "nginx_rtmp", "s-lin"): (3, 4, 34_000, 340, 2, 5_100, 28_900, 289, 6, 3, 8_500, "CNY"),
        (story.d1, "nginx_rtmp", "s-hai"): (0, 2, 10_000, 100, 1, 500, 9_500, 95, 3, None, 5_000, "CNY"),
        (story.d1, "doudian", "s-dou"): (0, 2, 8_300, 83, 0, 0, 8_300, 83, 1, 2, 4_150, "CNY"),
        # What came back on the next day and named no room is of its shop.
        (story.d2, "nginx_rtmp", "s-lin"): (0, 1, 2_000, 20, 1, 900, 1_100, 11, 1, 1, 2_000, "CNY"),
        (story.d2, "doudian", "s-dou"): (1, 2, 13_500, 135, 0, 0, 13_500, 135, 3, 1, 6_750, "CNY"),
    }


async def test_items_by_day(story: Story, story_reader: Sql):
    told = await rows(
        story_reader,
        "SELECT day, item_id, platform, title, orders, units, gmv_minor, gmv FROM item_day ORDER BY day, item_id",
    )
    assert told == [
        (story.d1, "i1", "nginx_rtmp", "羊绒围巾", 3, 4, 30_900, 309),  # without the one paid in dollars
        (story.d1, "i2", "nginx_rtmp", "袜子", 1, 1, 100, 1),
        (story.d2, "i1", "nginx_rtmp", "羊绒围巾", 1, 1, 2_000, 20),
        (story.d2, "i9", "doudian", "苹果", 1, 3, 12_000, 120),
    ]


async def test_a_day_as_it_was_known_at_its_cut_and_as_it_is_now(story: Story, story_reader: Sql):
    names = "created_orders, orders, gmv_minor, gmv, refund_orders, refunds_minor, net_minor, net, gifts, gifts_minor"
    question = f"SELECT platform, currency, {names} FROM event_day($1, $2) ORDER BY platform, currency"
    dollars = ("nginx_rtmp", "USD", 0, 1, 5_000, 50, 1, 5_000, 0, 0, 0, 0)
    shop = ("doudian", "CNY", 0, 2, 8_300, 83, 0, 0, 8_300, 83, 0, 0)
    at_cut = ("nginx_rtmp", "CNY", 3, 5, 40_000, 400, 3, 5_600, 34_400, 344, 1, 7_000)
    since = ("nginx_rtmp", "CNY", 3, 6, 44_000, 440, 3, 5_600, 38_400, 384, 1, 7_000)
    assert await rows(story_reader, question, story.d1, when("D2 00:15")) == [shop, at_cut, dollars]
    assert await rows(story_reader, question, story.d1, when("D2 03:00")) == [shop, at_cut, dollars]  # a second before
    now = f"SELECT platform, currency, {names} FROM event_day($1) ORDER BY platform, currency"
    assert await rows(story_reader, now, story.d1) == [shop, since, dollars]
    told = await rows(story_reader, "SELECT day, as_of, gmv_minor FROM event_day($1, $2)", story.d2, when("D2 00:01"))
    assert told == [(story.d2, when("D2 00:01"), 2_000)]
    assert await rows(story_reader, now, date(2001, 1, 1)) == []


async def test_the_days_of_all_views_agree(story: Story, story_reader: Sql):
    """What shops sold is the day's figure, the sum of its minutes, and that of rooms and of sales without one."""
    for day in (story.d1, story.d2):
        days = await story_reader.fetchval("SELECT sum(gmv_minor) FROM event_day($1) WHERE currency = 'CNY'", day)
        assert days == await story_reader.fetchval("SELECT sum(gmv_minor) FROM shop_day WHERE day = $1", day)
        minutes = "SELECT sum(gmv_minor) FROM event_minute WHERE minute >= $1 AND minute < $2"
        window = (when("D1 19:30"), when("D2 00:00")) if day == story.d1 else (when("D2 00:00"), when("D2 20:30"))
        assert days == await story_reader.fetchval(minutes, *window)
        rooms = await story_reader.fetchval("SELECT sum(gmv_minor) FROM room_day WHERE day = $1", day)
        assert days - rooms == (8_000 if day == story.d1 else 0)


async def test_the_pace_of_two_days_until_the_same_minute(story: Story, story_reader: Sql):
    names = (
        "platform, orders, gmv_minor, gmv, orders_yesterday, gmv_yesterday_minor, gmv_yesterday, change_ratio, as_of"
    )
    question = f"SELECT {names} FROM event_pace_at($1) ORDER BY platform"
    # Until 20:05, on both days from the beginning of the event on; the minute that is under way counts on neither.
    assert await rows(story_reader, question, when("D2 20:05:30")) == [
        ("doudian", 2, 13_500, 135, 1, 300, 3, 44, when("D2 20:05")),
        ("nginx_rtmp", 1, 2_000, 20, 2, 30_000, 300, Decimal("-0.9333"), when("D2 20:05")),
    ]
    assert await rows(story_reader, question, when("D2 20:02:59")) == [
        ("doudian", 1, 12_000, 120, 1, 300, 3, 39, when("D2 20:02")),
        ("nginx_rtmp", 1, 2_000, 20, 1, 10_000, 100, Decimal("-0.8"), when("D2 20:02")),
    ]
    # What is sold after the event, at 20:40, is not in it.
    after = await rows(story_reader, question, when("D2 20:50"))
    assert after[0][:3] == ("doudian", 2, 13_500)
    # On the first day there is no yesterday.
    first = await rows(story_reader, question, when("D1 19:36"))
    assert first == [("doudian", 1, 300, 3, 0, 0, 0, None, when("D1 19:36"))]
    assert await rows(story_reader, f"SELECT {names} FROM event_pace WHERE gmv_minor > 0") == []  # over for days

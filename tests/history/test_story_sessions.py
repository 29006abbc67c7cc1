"""Sessions, drops and minutes of the story, each number worked out by hand beside its rows in story.py."""

from decimal import Decimal
from typing import Any

import pytest

from tests.history.story import A, B, Story, when
from tests.sql.stage import Sql

pytestmark = pytest.mark.real

PEOPLE = (
    "peak_viewers",
    "average_viewers",
    "watch_hours",
    "measured_s",
    "airtime_s",
    "blind_s",
    "drops",
    "down_s",
    "views_total",
)
MONEY = (
    "created_orders",
    "orders",
    "gmv_minor",
    "refund_orders",
    "refunds_minor",
    "net_minor",
    "gifts_minor",
    "gpm_minor",
)


async def told(reader: Sql, relation: str, session: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    row = await reader.fetchrow(f"SELECT * FROM {relation} WHERE session_id = $1", session)
    assert row is not None
    return tuple(row[name] for name in names)


@pytest.mark.parametrize("relation", ["session_summary", "session_exact"])
async def test_people_and_time_of_each_session(story: Story, story_reader: Sql, relation: str):
    expected = {
        "C0": (99, "14.45", "4.817", 1200, 1200, 0, 0, 0, None),
        "A1": (300, "182.75", "20.306", 400, 560, 90, 1, 40, 5000),
        "B1": (70, "61.11", "4.583", 270, 270, 0, 1, 0, None),  # lost: it was not down inside its session
        "B2": (40, "30", "1.5", 180, 300, 0, 0, 0, None),
        "A2": (80, "60", "3.5", 210, 240, 0, 0, 0, None),
        "C1": (700, "600", "20", 120, 120, 0, 0, 0, 4000),
    }
    for name, (peak, average, hours, *rest) in expected.items():
        numbers = await told(story_reader, relation, story.sessions[name], PEOPLE)
        assert numbers == (peak, Decimal(average), Decimal(hours), *rest), name


async def test_orders_of_each_session(story: Story, story_reader: Sql):
    expected = {
        "C0": (0, 1 + 1, 1_000, 0, 0, 1_000, 0, None),  # the event window does not cut a session
        # Refunds: 100 on air, 5,000 after the close, 900 the next day without a room, 1,000 after the event.
        "A1": (3, 2, 30_000, 2, 7_000, 23_000, 7_000, 6_000),  # 300.00 x 1000 / 5,000 visits
        "B1": (0, 2, 10_000, 1, 500, 9_500, 0, None),  # what was refunded was never seen paid: it stays here
        "B2": (0, 0, 0, 0, 0, 0, 0, None),
        "A2": (0, 2, 3_000, 0, 0, 3_000, 0, None),
        "C1": (1, 1, 12_000, 0, 0, 12_000, 0, 3_000),
    }
    for name, numbers in expected.items():
        for relation in ("session_summary", "session_exact"):
            assert await told(story_reader, relation, story.sessions[name], MONEY) == numbers, name
    major = ("gmv", "refunds", "net", "currency", "orders_other_currency", "uv_value_minor", "deposits_minor")
    assert await told(story_reader, "session_summary", story.sessions["A1"], major) == (
        *(Decimal("300.00"), Decimal("70.00"), Decimal("230.00"), "CNY", 1, None, None),
    )


async def test_both_views_of_a_session_have_the_same_columns(story_reader: Sql):
    columns = "SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0"
    exact = await story_reader.fetchval(columns.replace("$1", "'session_exact'"))
    assert exact == await story_reader.fetchval(columns.replace("$1", "'session_summary'"))


async def test_a_refund_follows_its_order_to_the_first_session_it_was_paid_in(
    story: Story, story_writer: Sql, story_reader: Sql
):
    # A part of o1 is paid in A2, too: its refunds stay with A1, where the first was paid, and are not counted twice.
    await story_writer.execute(
        "INSERT INTO sale (platform, event_id, at, received_at, feed, room_id, session_id, shop, order_id, kind,"
        " amount_minor, currency, via) VALUES"
        " ('nginx_rtmp', 'o1-3', $1, $1, 'orders', $2, $3, 's-lin', 'o1', 'paid', 5, 'CNY', 'push'),"
        " ('nginx_rtmp', 'same order, other shop', $1, $1, 'orders', $2, $3, 's-hai', 'o2', 'paid', 5, 'CNY', 'push')",
        *(when("D1 23:59:40"), story.rooms[A], story.sessions["A2"]),
    )
    summed = "SELECT sum(refunds_minor) FROM session_summary"
    assert (await told(story_reader, "session_summary", story.sessions["A1"], MONEY))[4] == 7_000
    assert (await told(story_reader, "session_summary", story.sessions["A2"], MONEY))[4] == 0
    assert await story_reader.fetchval(summed) == 7_500


async def test_the_drop_log(story: Story, story_reader: Sql):
    rows = await story_reader.fetch(
        "SELECT session_id, dropped_at, back_at, down_s, viewers_before, outcome, cause FROM drop_log"
        " ORDER BY dropped_at"
    )
    assert [tuple(row) for row in rows] == [
        (story.sessions["A1"], when("D1 20:03:20"), when("D1 20:04"), 40, 250, "resumed", "status"),
        (story.sessions["B1"], when("D1 20:34:30"), when("D1 20:50"), 930, 70, "lost", "failed"),
    ]


async def test_minutes_of_a_room(story: Story, story_reader: Sql):
    names = "air_s, blind_s, measured_s, average_viewers, peak_viewers, views_total, likes_total, drops"
    rows = await story_reader.fetch(
        f"SELECT minute, {names} FROM room_minute WHERE session_id = $1 ORDER BY minute", story.sessions["A1"]
    )
    assert {f"{(row['minute'] - when('D1 20:00')).seconds // 60}": tuple(row)[1:] for row in rows} == {
        "0": (60, 0, 60, 150, 200, 1000, 5, 0),
        "1": (60, 0, 60, 300, 300, None, None, 0),
        "2": (60, 0, 30, 250, 250, None, 9, 0),  # 300 held until 20:02
        "3": (20, 0, 20, 250, None, None, None, 1),  # until the stop; nothing counted was observed
        "4": (60, 0, 60, 210, 240, None, None, 0),
        "5": (60, 0, 50, 168, 150, None, None, 0),  # 30 x 180 + 20 x 150 = 8,400
        "6": (60, 60, 0, None, None, None, None, 0),
        "7": (60, 30, 30, 120, 120, 5000, None, 0),
        "8": (60, 0, 30, 120, None, None, None, 0),
        "9": (60, 0, 60, 90, 90, None, None, 0),
    }


async def test_orders_of_a_room_by_the_minute(story: Story, story_reader: Sql):
    names = "created_orders, orders, gmv_minor, gmv, units, refund_orders, refunds_minor, net_minor, net, gifts_minor"
    rows = await story_reader.fetch(
        f"SELECT minute, session_id, {names}, currency FROM room_minute"
        " WHERE room_id = $1 AND (orders + created_orders + refund_orders > 0 OR gifts_minor > 0) ORDER BY minute",
        story.rooms[A],
    )
    first, second = story.sessions["A1"], story.sessions["A2"]
    assert [tuple(row) for row in rows] == [
        (when("D1 20:01"), first, 1, 1, 10_000, 100, 2, 0, 0, 10_000, 100, 0, "CNY"),
        (when("D1 20:02"), first, 2, 1, 20_000, 200, 2, 0, 0, 20_000, 200, 0, "CNY"),
        (when("D1 20:05"), first, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7_000, "CNY"),  # dollars are not in it
        (when("D1 20:08"), first, 0, 0, 0, 0, 0, 1, 100, -100, -1, 0, "CNY"),
        (when("D1 20:30"), None, 0, 0, 0, 0, 0, 1, 5_000, -5_000, -50, 0, "CNY"),
        (when("D1 21:00"), None, 0, 1, 3_000, 30, 1, 0, 0, 3_000, 30, 0, "CNY"),
        (when("D1 23:59"), second, 0, 1, 1_000, 10, 1, 0, 0, 1_000, 10, 0, "CNY"),
        (when("D2 00:00"), second, 0, 1, 2_000, 20, 1, 0, 0, 2_000, 20, 0, "CNY"),
        (when("D2 20:45"), None, 0, 0, 0, 0, 0, 1, 1_000, -1_000, -10, 0, "CNY"),
    ]


async def test_minutes_of_platforms(story: Story, story_reader: Sql):
    names = (
        "rooms_live, viewers, air_s, blind_s, drops, created_orders, orders, gmv_minor, refund_orders, refunds_minor"
    )
    expected = {
        ("D1 20:01", "nginx_rtmp"): (1, 300, 60, 0, 0, 1, 1, 10_000, 0, 0),
        ("D1 20:03", "nginx_rtmp"): (1, Decimal("83.33"), 20, 0, 1, 0, 0, 0, 0, 0),  # 250 for 20 of 60 s
        ("D1 20:06", "nginx_rtmp"): (1, 0, 60, 60, 0, 0, 0, 0, 0, 0),
        ("D1 20:30", "nginx_rtmp"): (1, 50, 60, 0, 0, 0, 0, 0, 1, 5_000),  # one room on air, the other refunds
        ("D1 22:00", "doudian"): (0, 0, 0, 0, 0, 0, 1, 8_000, 0, 0),  # of no room
        ("D2 00:00", "nginx_rtmp"): (1, 40, 60, 0, 0, 0, 1, 2_000, 0, 0),
        ("D2 10:00", "nginx_rtmp"): (0, 0, 0, 0, 0, 0, 0, 0, 1, 900),
    }
    for (at, platform), numbers in expected.items():
        row = await story_reader.fetchrow(
            f"SELECT {names} FROM event_minute WHERE minute = $1 AND platform = $2", when(at), platform
        )
        assert row is not None
        assert tuple(row) == numbers, at


async def test_minutes_of_halls_cities_categories_and_tiers(story: Story, story_reader: Sql):
    rows = await story_reader.fetch(
        "SELECT dimension, value, rooms_live, viewers, orders, gmv_minor, gmv, net, currency FROM event_minute_by"
        ' WHERE minute = ANY ($1) ORDER BY minute, dimension, value COLLATE "C"',
        [when("D1 20:32"), when("D1 22:00")],
    )
    sold = (1, 70, 1, 6_000, 60, 60, "CNY")
    assert [tuple(row) for row in rows] == [
        *(("category", "食品", *sold), ("city", "大连", *sold), ("hall", "二号馆", *sold), ("tier", "2", *sold)),
        ("city", "沈阳", 0, 0, 1, 8_000, 80, 80, "CNY"),  # the rooms of its shop agree on the city, and tell no hall
    ]
    assert story.rooms[B]

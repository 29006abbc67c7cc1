"""Questions that rank and compare: platforms, halls, cities, rooms, broadcasters, items."""

from datetime import timedelta

import pytest

from tests.history.questions.asking import ask, columns
from tests.history.questions.market_evening import DAY, DAY_BEFORE, EVENING, THAT_DAY, Market, at, roll
from tests.postgres import FreshDatabase
from tests.sql.stage import Sql

pytestmark = pytest.mark.real


async def test_platforms_compared(evening_reader: Sql):
    rows = await ask(evening_reader, "platforms_compared", day=THAT_DAY)
    # doudian: watched 50 x 20 + 20 x 25 minutes, on air 25 + 30; d1 to d4, the two without a session among them.
    people = ("Platform", "Rooms live at most", "Peak viewers", "Watch hours", "Airtime hours", "Blind hours", "Drops")
    assert columns(rows, *people) == [
        ("wechat", 1, "100", "96.7", "1.0", "0.0", 1),
        ("doudian", 2, "70", "25.0", "0.9", "0.2", 1),
    ]
    money = ("Orders", "GMV", "Refunds", "Net", "Share of GMV", "GMV per order", "GMV per watch hour")
    assert columns(rows, *money) == [
        (5, "106.00", "13.00", "93.00", "75.2", "21.20", "1.10"),
        (4, "35.00", "0.00", "35.00", "24.8", "8.75", "1.40"),
    ]


async def test_halls_compared(evening_reader: Sql):
    rows = await ask(evening_reader, "halls_compared", day=THAT_DAY)
    # d3 has no room, but all rooms of its shop are in 二号馆.
    told = ("Hall", "Peak viewers", "Watch hours", "Drops", "Drops per airtime hour", "Orders", "GMV", "Refunds", "Net")
    assert columns(rows, *told) == [
        ("一号馆", "100", "96.7", 1, "1.03", 5, "106.00", "13.00", "93.00"),
        ("二号馆", "70", "25.0", 1, "1.09", 4, "35.00", "0.00", "35.00"),
    ]


async def test_a_hall_is_all_its_platforms_together(market: Market, database: FreshDatabase):
    """In 二号馆 70 watch on doudian at most; with 30 more on wechat, in the same minutes, it is 100."""
    sql = market.stage.sql
    await sql.execute("INSERT INTO room (platform, external_id, hall) VALUES ('wechat', 'sph-3', '二号馆')")
    room = await sql.fetchval("SELECT room_id FROM room WHERE external_id = 'sph-3'")
    await market.stage.session(room, ("opened", at("20:00"), "status"), ("closed", at("20:25"), "ended"))
    await market.stage.ticks(room, *((at("20:00") + timedelta(seconds=30 * n), True, 30) for n in range(50)))
    await roll(sql)
    reader = await database.connect("reader")
    told = ("Hall", "Rooms live at most", "Peak viewers", "Watch hours")
    rows = columns(await ask(reader, "halls_compared", day=THAT_DAY), *told)
    assert rows[1] == ("二号馆", 3, "100", "37.5")
    await reader.close()


async def test_cities_categories(evening_reader: Sql):
    rows = await ask(evening_reader, "cities_categories", day=THAT_DAY)
    # d3 counts for the city of its shop's rooms, but for no category and no tier.
    assert columns(rows, "By", "Value", "Rank", "Orders", "GMV", "Net", "Watch hours") == [
        ("城市 City", "沈阳", 1, 5, "106.00", "93.00", "96.7"),
        ("城市 City", "大连", 2, 4, "35.00", "35.00", "25.0"),
        ("品类 Category", "服装", 1, 5, "106.00", "93.00", "96.7"),
        ("品类 Category", "美食", 2, 3, "25.00", "25.00", "25.0"),
        ("等级 Tier", "1", 1, 5, "106.00", "93.00", "96.7"),
        ("等级 Tier", "2", 2, 3, "25.00", "25.00", "25.0"),
    ]


async def test_best_sellers(evening_reader: Sql):
    rows = await ask(evening_reader, "best_sellers", day=THAT_DAY)
    assert columns(rows, "Item", "Platform", "Title", "Units", "Orders", "GMV") == [
        ("i1", "wechat", "商品i1", 12, 3, "60.00"),
        ("j1", "doudian", "商品j1", 4, 3, "30.00"),
        ("i2", "wechat", "商品i2", 1, 1, "40.00"),
    ]


async def test_leaderboard(evening_reader: Sql):
    rows = await ask(evening_reader, "leaderboard", day=THAT_DAY)
    # d4 was sold by dy-1 after its session: it is the room's all the same.
    told = ("Rank", "Room", "Hall", "City", "GMV", "Orders", "Average viewers", "Peak viewers", "Watch hours")
    assert columns(rows, *told) == [
        (1, "sph-1", "一号馆", "沈阳", "106.00", 5, "100.00", 100, "96.667"),
        (2, "dy-1", "二号馆", "大连", "19.00", 2, "50.00", 50, "16.667"),
        (3, "dy-2", "二号馆", "大连", "6.00", 1, "20.00", 20, "8.333"),
    ]


async def test_leaderboard_has_twenty_places(market: Market, database: FreshDatabase):
    await market.stage.sql.execute(
        "WITH added AS (INSERT INTO room (platform, external_id) SELECT 'wechat', 'r' || n FROM generate_series(1, 25)"
        " AS n RETURNING room_id) INSERT INTO session_hour (day, hour, platform, room_id, air_us, blind_us,"
        " measured_us, viewer_us, drops, created, orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor,"
        " orders_other_currency) SELECT $1, $2, 'wechat', room_id, 0, 0, 0, 0, 0, 0, 1, 100000 + room_id,"
        " 0, 0, 0, 0, 0, 0 FROM added",
        *(EVENING.date(), at("20:00")),
    )
    reader = await database.connect("reader")
    rows = await ask(reader, "leaderboard", day=THAT_DAY)
    assert columns(rows, "Rank") == [(place,) for place in range(1, 21)]
    assert columns(rows, "Room")[:2] == [("r25",), ("r24",)]
    await reader.close()


async def test_broadcaster_hours(evening_reader: Sql):
    rows = await ask(evening_reader, "broadcaster_hours", from_day=THAT_DAY, to_day=THAT_DAY)
    # 王丽 is sph-1 and dy-1: (100 x 58 + 50 x 20) / (58 + 20) = 87.2 on average.
    told = ("Broadcaster", "Watch hours", "Airtime hours", "Average viewers", "Peak viewers of one room", "Rooms")
    assert columns(rows, *told) == [("王丽", "113.3", "1.4", "87.2", 100, 2), ("老张", "8.3", "0.5", "20.0", 20, 1)]
    assert columns(rows, "Platforms", "Days", "Drops", "Orders", "GMV") == [
        ("doudian, wechat", 1, 1, 7, "125.00"),
        ("doudian", 1, 1, 1, "6.00"),
    ]
    rows = await ask(evening_reader, "broadcaster_hours", from_day=DAY_BEFORE, to_day=THAT_DAY)
    assert columns(rows, "Broadcaster", "Days", "Orders", "GMV")[0] == ("王丽", 2, 8, "145.00")


async def test_room_week(evening_reader: Sql):
    days = {"from_day": DAY_BEFORE, "to_day": THAT_DAY}
    told = ("Day", "Sessions", "Average viewers", "Peak viewers", "Peak at", "Drops", "Orders", "GMV", "Refunds", "Net")
    leader = await ask(evening_reader, "room_week", **days)
    assert columns(leader, *told) == [
        ((EVENING - DAY).date(), 0, None, None, None, 0, 1, "20.00", "0.00", "20.00"),
        (EVENING.date(), 1, "100.00", 100, at("20:00"), 1, 5, "106.00", "13.00", "93.00"),
    ]
    rows = await ask(evening_reader, "room_week", **days, platform="'doudian'", external_id="'dy-2'")
    assert columns(rows, "Room", "Day", "GMV") == [("dy-2", EVENING.date(), "6.00")]
    assert await ask(evening_reader, "room_week", **days, platform="'doudian'", external_id="'nobody'") == []

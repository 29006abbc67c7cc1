"""Questions about sessions, drops, schedules, blind time and quarantine, of an evening worked out by hand."""

from datetime import timedelta

import pytest

from tests.history.questions.asking import ask, columns
from tests.history.questions.market_evening import DAY, DAY_BEFORE, THAT_DAY, Market, at
from tests.postgres import FreshDatabase
from tests.sql.stage import Sql

pytestmark = pytest.mark.real


async def test_sessions_today(evening_reader: Sql):
    rows = await ask(evening_reader, "sessions_today", day=THAT_DAY)
    # sph-1: 60 minutes less 2; watched 100 x 58 minutes. dy-2: 32 minutes less 2; watched 20 x (30 - 5 blind) minutes.
    told = columns(rows, "Room", "Airtime minutes", "Average viewers", "Watch hours", "Drops", "Down s", "Blind s")
    assert sorted(told) == [
        ("dy-1", "25.0", "50.00", "16.667", 0, "0.000", "300.000"),
        ("dy-2", "30.0", "20.00", "8.333", 1, "120.000", "300.000"),
        ("sph-1", "58.0", "100.00", "96.667", 1, "120.000", "0.000"),
    ]
    # sph-1: w1, w2, w3, w4, w8; of them came back w1, a part of w2, half of w4. d4 was paid after dy-1 had closed.
    assert sorted(columns(rows, "Room", "Orders", "GMV", "Refunds", "Net")) == [
        ("dy-1", 1, "14.00", "0.00", "14.00"),
        ("dy-2", 1, "6.00", "0.00", "6.00"),
        ("sph-1", 5, "106.00", "33.00", "73.00"),
    ]
    assert await ask(evening_reader, "sessions_today", day=DAY_BEFORE) == []
    assert await ask(evening_reader, "sessions_today", day=f"{THAT_DAY} + 1") == []


async def test_session_curve(market: Market, database: FreshDatabase):
    reader = await database.connect("reader")
    curve = await ask(reader, "session_curve", session_id=f"'{market.sessions['sph-1']}'::uuid")
    rows = dict(zip(columns(curve, "Minute"), curve, strict=True))
    assert list(rows) == [(at("20:00") + timedelta(minutes=n),) for n in range(60)]
    told = ("Average viewers", "Peak viewers", "Air s", "Blind s", "Drops", "Orders", "GMV", "kbit/s")
    assert columns([rows[(at("20:12"),)]], *told) == [("100", 100, "60.000", "0.000", 0, 1, "10.00", "2500")]
    assert columns([rows[(at("20:20"),)]], *told) == [(None, None, "0.000", "0.000", 1, 0, "0.00", None)]
    blind = await ask(reader, "session_curve", session_id=f"'{market.sessions['dy-1']}'::uuid")
    assert columns(blind[10:11], "Minute", *told[:4]) == [(at("20:10"), None, None, "60.000", "60.000")]
    # Unedited: the newest session.
    newest = await ask(reader, "session_curve")
    assert columns(newest, "Minute")[0] == (at("20:05"),)
    assert len(newest) == 32
    await reader.close()


async def test_drops_cost(market: Market, database: FreshDatabase):
    # The day before: four minutes on air, an order of 4.00, then a minute off air. So 1.00 a minute, and one minute.
    room, begins = market.rooms["sph-2"], at("10:00") - DAY
    minute = timedelta(minutes=1)
    await market.stage.session(
        room,
        ("opened", begins, "status"),
        ("dropped", begins + 4 * minute, "status"),
        ("resumed", begins + 5 * minute, "status"),
        ("closed", begins + 10 * minute, "ended"),
    )
    for number, (instant, amount) in enumerate([(begins - minute, 900), (begins + minute, 400)]):
        await market.stage.sale(room, None, instant, "paid", amount, f"x{number}")
    reader = await database.connect("reader")
    told = (
        "Room",
        "Down s",
        "Viewers before",
        "Lost watch hours",
        "GMV per minute before",
        "Estimated cost",
        "Outcome",
    )
    # dy-2: 6.00 in the ten minutes before, down until its planned end: 0.60 x 30. sph-1: 60.00 in ten: 6.00 x 2.
    assert columns(await ask(reader, "drops_cost", day=THAT_DAY), *told) == [
        ("dy-2", "1800.000", 20, "10.00", "0.60", "18.00", "断流未恢复"),
        ("sph-1", "120.000", 100, "3.33", "6.00", "12.00", "已恢复"),
    ]
    assert columns(await ask(reader, "drops_cost", day=DAY_BEFORE), *told) == [
        ("sph-2", "60.000", None, None, "1.00", "1.00", "已恢复")
    ]
    await reader.close()


async def test_worst_drops(market: Market, database: FreshDatabase):
    reader = await database.connect("reader")
    told = ("Room", "Lost watch hours", "Viewers before", "Down s")
    assert columns(await ask(reader, "worst_drops", day=THAT_DAY), *told) == [
        ("dy-2", "10.00", 20, "1800.000"),
        ("sph-1", "3.33", 100, "120.000"),
    ]
    # Twelve drops of 1, 2, ... 12 seconds while ten watched, the day before: the ten longest are the worst.
    room, begins = market.rooms["sph-2"], at("10:00") - DAY
    changes = [("opened", begins, "status")]
    for number in range(1, 13):
        stop = begins + timedelta(minutes=number)
        changes += [("dropped", stop, "status"), ("resumed", stop + timedelta(seconds=number), "status")]
    await market.stage.session(room, *changes)
    await market.stage.ticks(room, *((begins + timedelta(minutes=n + 0.5), True, 10) for n in range(13)))
    # Longer, but nobody was watching.
    empty = market.rooms["sph-1"]
    stop = begins + timedelta(minutes=1)
    resumed = stop + timedelta(seconds=30)
    await market.stage.session(
        empty, ("opened", begins, "status"), ("dropped", stop, "status"), ("resumed", resumed, "status")
    )
    await market.stage.ticks(empty, (begins, True, 0))
    rows = columns(await ask(reader, "worst_drops", day=DAY_BEFORE), "Down s")
    assert rows == [(f"{seconds}.000",) for seconds in range(12, 2, -1)]
    await reader.close()


async def test_scheduled_and_absent(evening_reader: Sql):
    rows = await ask(evening_reader, "scheduled_and_absent", day=THAT_DAY)
    told = ("Verdict", "Broadcaster", "Room", "Planned from", "On air from", "Late minutes", "Of the slot so far")
    # 25 of dy-1's 40 minutes, 27 of dy-2's 55, which had begun before. dy-3 was not seen for five minutes, dy-9 never.
    assert columns(rows, *told) == [
        ("缺席 absent", "小雪", "sph-2", at("20:00"), None, None, "0"),
        ("不详 unknown", "小李", "dy-9", at("20:00"), None, None, "0"),
        ("不详 unknown", "小王", "dy-3", at("20:00"), None, None, "0"),
        ("已开播 came", "王丽", "dy-1", at("19:50"), at("20:00"), "10", "63"),
        ("已开播 came", "王丽", "sph-1", at("20:00"), at("20:00"), "0", "100"),
        ("已开播 came", "老张", "dy-2", at("20:10"), at("20:10"), "0", "49"),
    ]


async def test_sessions_by_length(market: Market, database: FreshDatabase):
    room, begins = market.rooms["sph-2"], at("08:00")
    for number in range(1, 26):  # 1 to 25 minutes; the 25 of dy-1 come before the last of these
        opened = begins + timedelta(minutes=26 * number)
        await market.stage.session(
            room, ("opened", opened, "status"), ("closed", opened + timedelta(minutes=number), "ended")
        )
    await market.stage.session(room, ("opened", at("23:00"), "status"))  # not over: neither long nor short
    reader = await database.connect("reader")
    rows = columns(await ask(reader, "sessions_by_length", day=THAT_DAY), "Longest first", "Airtime minutes")
    assert rows[:5] == [(1, "58.0"), (2, "30.0"), (3, "25.0"), (4, "25.0"), (5, "24.0")]
    assert rows[9:11] == [(10, "19.0"), (19, "10.0")]
    assert (len(rows), rows[-1]) == (20, (28, "1.0"))
    await reader.close()


async def test_who_was_not_seen_is_not_called_absent(market: Market, database: FreshDatabase):
    reader = await database.connect("reader")
    told = ("Room", "Verdict")
    # Order feeds say nothing about who is on air: neither that they cover a room, nor that they are blind.
    orders = {"kind": "doudian", "signals": ("sales",)}
    await market.stage.feed("doudian-orders", [market.rooms["dy-9"]], platform="doudian", **orders)
    await market.stage.feed("wechat-orders", [market.rooms["sph-2"]], platform="wechat", **orders)
    await market.stage.blind("wechat-orders", at("20:30"), at("20:40"))
    rows = columns(await ask(reader, "scheduled_and_absent", day=THAT_DAY), *told)
    assert rows[:2] == [("sph-2", "缺席 absent"), ("dy-9", "不详 unknown")]
    # A span that is still open began in the slot; and one of another room.
    await market.stage.blind("wechat-live", at("20:59"), None, market.rooms["sph-1"])
    assert columns(await ask(reader, "scheduled_and_absent", day=THAT_DAY), *told)[0] == ("sph-2", "缺席 absent")
    await market.stage.blind("wechat-live", at("20:59"), None)
    rows = columns(await ask(reader, "scheduled_and_absent", day=THAT_DAY), *told)
    assert ("sph-2", "不详 unknown") in rows
    await reader.close()


async def test_rooms_most_blind(evening_reader: Sql):
    rows = await ask(evening_reader, "rooms_most_blind", day=THAT_DAY)
    told = ("Room", "Blind minutes", "Airtime minutes", "Blind share", "Measured minutes")
    assert columns(rows, *told) == [("dy-1", "5.0", "25.0", "20.0", "20.0"), ("dy-2", "5.0", "30.0", "16.7", "25.0")]


async def test_feeds_blind_today(evening_reader: Sql):
    rows = await ask(evening_reader, "feeds_blind_today", day=THAT_DAY)
    # Five minutes, and of the spans across midnight three and two. sph-1 alone was not seen for a minute.
    told = ("Feed", "Spans", "Blind minutes", "Longest minutes", "Still blind", "Rooms alone", "Latest from", "Causes")
    assert columns(rows, *told) == [
        ("doudian-live", 3, "10.0", "5.0", "", 0, at("23:58"), "timeout"),
        ("wechat-live", 0, "0.0", None, "", 1, at("21:30"), "timeout"),
    ]


async def test_quarantine_by_reason(market: Market, database: FreshDatabase):
    await market.stage.sql.executemany(
        "INSERT INTO quarantine (received_at, feed, kind, reason, sample, payload, state, origin, place)"
        " VALUES ($1, 'orders', 'sale', $2, $3, '', $4, gen_random_uuid(), 0)",
        [
            (at("10:00"), "conflict", "first", "kept"),
            (at("11:00"), "conflict", "second", "retried"),
            (at("12:00"), "conflict", "third", "dropped"),
            (at("13:00"), "bad amount", "x" * 200, "retry"),
            (at("24:00"), "the next day", "", "kept"),
        ],
    )
    reader = await database.connect("reader")
    rows = await ask(reader, "quarantine_by_reason", day=THAT_DAY)
    told = ("Feed", "Kind", "Reason", "Rows", "Kept", "Retried", "Dropped by a person", "First", "Latest, masked")
    assert columns(rows, *told) == [
        ("orders", "sale", "conflict", 3, 1, 1, 1, at("10:00"), "third"),
        ("orders", "sale", "bad amount", 1, 1, 0, 0, at("13:00"), "x" * 120),
    ]
    await reader.close()


async def test_valid_sessions(evening_reader: Sql):
    told = ("Room", "Sessions", "Valid sessions", "Airtime minutes", "Valid minutes", "Longest minutes", "Still open")
    # dy-2 was on air for 30 minutes: not for more than 30.
    assert columns(await ask(evening_reader, "valid_sessions", day=THAT_DAY), *told) == [
        ("sph-1", 1, 1, "58.0", "58.0", "58.0", False),
        ("dy-2", 1, 0, "30.0", None, "30.0", False),
        ("dy-1", 1, 0, "25.0", None, "25.0", False),
    ]
    rows = await ask(evening_reader, "valid_sessions", day=THAT_DAY, minutes="28")
    assert columns(rows, "Room", "Valid sessions") == [("sph-1", 1), ("dy-2", 1), ("dy-1", 0)]

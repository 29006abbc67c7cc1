"""The ready questions about this very moment."""

import asyncio
from datetime import datetime, timedelta

import pytest

from tests.history.questions.asking import ask, columns
from tests.sql.stage import ZONE, Sql, Stage

pytestmark = pytest.mark.real


@pytest.fixture
async def minute() -> datetime:
    """The beginning of a minute, half an hour ago."""
    return datetime.now(ZONE).replace(second=0, microsecond=0) - timedelta(minutes=30)


async def test_dropped_last_hour(stage: Stage, reader: Sql, minute: datetime):
    room = await stage.room("live/1")
    for hours in (0, 2):
        at = minute - timedelta(hours=hours)
        await stage.session(
            room,
            ("opened", at, "status"),
            ("dropped", at + timedelta(seconds=10), "stall"),
            ("resumed", at + timedelta(seconds=25), "status"),
            ("closed", at + timedelta(seconds=40), "ended"),
        )
    rows = await ask(reader, "dropped_last_hour")
    assert columns(rows, "Dropped", "Down s", "Evidence", "Outcome") == [
        (minute + timedelta(seconds=10), "15.000", "stall", "已恢复")
    ]


async def test_rooms_unwatched(stage: Stage, reader: Sql):
    seen, unseen = await stage.room("live/1"), await stage.room("r2", platform="douyin")
    await stage.feed("hall-a", [seen])
    rows = await ask(reader, "rooms_unwatched")
    assert columns(rows, "Room") == [("r2",)]
    assert "no feed is configured for platform douyin" in columns(rows, "Why")[0][0]
    assert "平台 douyin 未配置数据源" in columns(rows, "Why in Chinese")[0][0]
    assert unseen


async def _four_rooms(stage: Stage, minute: datetime) -> None:
    """Planned from `minute` on: one that is off again, one that is on air, one that never came; and one for later."""
    rooms = [await stage.room(f"live/{number}") for number in range(4)]
    off, on, never, later = rooms
    await stage.feed("hall-a", rooms)
    now = datetime.now(ZONE)
    for room in (off, on):
        closed = [] if room == on else [("closed", now - timedelta(seconds=20), "ended")]
        await stage.session(room, ("opened", minute + timedelta(minutes=3), "status"), *closed)
    for room in rooms:
        await stage.ticks(room, (now - timedelta(seconds=5), room == on, 1))
        begins = now + timedelta(hours=1) if room == later else minute
        await stage.slot(room, begins, begins + timedelta(hours=2))
    assert never


async def test_should_be_on_air(stage: Stage, reader: Sql, minute: datetime):
    await _four_rooms(stage, minute)
    rows = await ask(reader, "should_be_on_air")
    assert columns(rows, "Room", "State", "Contact", "Planned from") == [
        ("live/0", "未开播", "zhang", minute),
        ("live/2", "未开播", "zhang", minute),
    ]


async def test_plan_now(stage: Stage, reader: Sql, minute: datetime):
    await _four_rooms(stage, minute)
    rows = await ask(reader, "plan_now")
    told = ("Hall", "Expected", "Live", "Late", "Missing", "Ended early", "Dropped", "Lost", "Unseen")
    assert columns(rows, *told) == [("一号馆", 3, 1, 0, 1, 1, 0, 0, 0)]
    assert columns(rows, "Late minutes at most")[0][0] in ("30", "31")


async def test_pace_now(stage: Stage, reader: Sql):
    now = datetime.now(ZONE)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    # A day has no minute that is over before it has two: the test waits for them.
    await asyncio.sleep(max(0.0, (midnight + timedelta(minutes=2) - now).total_seconds()))
    # Today's first minute 3.00; yesterday's 2.00, and 9.00 in its last, which today has not come to.
    yesterday = midnight - timedelta(days=1)
    for minute, orders, amount in [
        (midnight, 1, 300),
        (yesterday, 2, 200),
        (midnight - timedelta(minutes=1), 5, 900),
    ]:
        await stage.sql.execute(
            "INSERT INTO minute_sum VALUES ($1, 'wechat', 'platform', '', 0, 0, 0, 0, 0, 0, 0, $2, $3, 0, 0, 0, 0, 0,"
            " 0)",
            *(minute, orders, amount),
        )
    rows = await ask(reader, "pace_now")
    told = ("Platform", "GMV today", "GMV yesterday by then", "Change", "Orders today", "Orders yesterday by then")
    assert columns(rows, *told) == [("wechat", "3.00", "2.00", "50.0", 1, 2)]

"""The ready questions of sql/queries, each asked as livemon_reader of a small event."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sql.stage import ZONE, Sql, Stage

pytestmark = pytest.mark.real

QUERIES = Path(__file__).resolve().parents[2] / "sql" / "queries"


async def ask(reader: Sql, name: str, *arguments: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in await reader.fetch((QUERIES / f"{name}.sql").read_text(), *arguments)]


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
    assert [(row["dropped_at"], row["down_s"], row["cause"]) for row in rows] == [
        (minute + timedelta(seconds=10), 15, "stall")
    ]


async def test_session_curve(stage: Stage, reader: Sql, minute: datetime):
    room, other = await stage.room("live/1"), await stage.room("live/2")
    session = await stage.session(
        room, ("opened", minute, "status"), ("closed", minute + timedelta(minutes=3), "ended")
    )
    at = [minute + timedelta(seconds=seconds) for seconds in (0, 30, 60, 61, 200)]
    await stage.ticks(
        room, (at[0], True, 10), (at[1], True, 20), (at[2], False, 0), (at[3], True, 40), (at[4], True, 99)
    )
    await stage.ticks(other, (at[0], True, 1000))
    rows = await ask(reader, "session_curve", session)
    assert [(row["minute"], row["viewers"], row["viewers_max"]) for row in rows] == [
        (minute, 15, 20),
        (minute + timedelta(minutes=1), 40, 40),
    ]


async def test_rooms_unwatched(stage: Stage, reader: Sql):
    seen, unseen = await stage.room("live/1"), await stage.room("r2", platform="douyin")
    await stage.feed("hall-a", [seen])
    rows = await ask(reader, "rooms_unwatched")
    assert [row["external_id"] for row in rows] == ["r2"]
    assert "no feed is configured for platform douyin" in rows[0]["why"]
    assert unseen


async def test_should_be_on_air(stage: Stage, reader: Sql, minute: datetime):
    off, on, later = [await stage.room(f"live/{n}") for n in range(3)]
    await stage.feed("hall-a", [off, on, later])
    now = datetime.now(ZONE)
    for room in (off, on, later):
        await stage.ticks(room, (now - timedelta(seconds=5), room == on, 1))
        await stage.session(room, ("opened", minute, "status"), *([] if room == on else [("closed", now, "ended")]))
        begins = now + timedelta(hours=1) if room == later else minute
        await stage.slot(room, begins, begins + timedelta(hours=2))
    rows = await ask(reader, "should_be_on_air")
    assert [(row["external_id"], row["state_zh"], row["contact"]) for row in rows] == [("live/0", "未开播", "zhang")]


async def test_sessions_today(stage: Stage, reader: Sql):
    room = await stage.room("live/1")
    now = datetime.now(ZONE)
    today = await stage.session(room, ("opened", now, "status"))
    yesterday = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(seconds=1)
    await stage.session(room, ("opened", yesterday, "status"), ("closed", now, "ended"))
    assert [row["session_id"] for row in await ask(reader, "sessions_today")] == [today]


def test_every_question_has_its_test_and_says_what_it_asks():
    here = Path(__file__).read_text()
    for path in QUERIES.glob("*.sql"):
        assert f'"{path.stem}"' in here
        assert path.read_text().startswith("-- ")

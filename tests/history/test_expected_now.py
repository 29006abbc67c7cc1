"""expected_now: of each room that should be on air, whether it is, since when, and how late it was."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.sql.stage import ZONE, Sql, Stage

pytestmark = pytest.mark.real


class Plan:
    """Rooms with a plan and sessions, told in minutes before now."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.now = datetime.now(ZONE)

    def ago(self, minutes: float) -> datetime:
        return self.now - timedelta(minutes=minutes)

    async def room(self, name: str, *session: tuple[str, float, str], planned: float | None = 60) -> int:
        """Planned from `planned` minutes ago for two hours; changes are (change, minutes ago, cause)."""
        room = await self.stage.room(name)
        await self.stage.feed(f"feed of {name}", [room])
        await self.stage.ticks(room, (self.ago(0.1), bool(session and session[-1][0] == "opened"), 1))
        if session:
            await self.stage.session(room, *((change, self.ago(minutes), cause) for change, minutes, cause in session))
        if planned is not None:
            await self.stage.slot(room, self.ago(planned), self.ago(planned - 120))
        return room


@pytest.fixture
async def plan(writer: Sql) -> Plan:
    stage = Stage(writer)
    await stage.ready()
    return Plan(stage)


async def test_every_verdict(plan: Plan, reader: Sql):
    dark = "feed of blind"
    await plan.room("in time", ("opened", 70, "status"))
    await plan.room("ten late", ("opened", 50, "status"))
    await plan.room("late", planned=14)
    await plan.room("missing", planned=16)
    # Its session ended before the plan began: it has not begun.
    await plan.room("earlier", ("opened", 90, "status"), ("closed", 61, "ended"))
    await plan.room("ended", ("opened", 60, "status"), ("dropped", 20, "event"), ("closed", 20, "ended"))
    await plan.room("dropped", ("opened", 60, "status"), ("dropped", 1, "status"))
    await plan.room("lost", ("opened", 55, "status"), ("dropped", 5, "status"), ("closed", 5, "lost"))
    await plan.room("blind", ("opened", 60, "status"))
    await plan.stage.blind(dark, plan.ago(3), None)
    await plan.stage.slot(await plan.stage.room("unwatched"), plan.ago(60), plan.ago(-60))
    await plan.room("unplanned", ("opened", 60, "status"), planned=None)
    await plan.room("planned later", planned=-1)
    await plan.room("planned before", planned=121)
    rows = await reader.fetch("SELECT * FROM expected_now")
    told: dict[str, tuple[Any, ...]] = {
        row["external_id"]: (row["verdict"], row["verdict_zh"], row["since"]) for row in rows
    }
    unwatched = told.pop("unwatched")
    assert unwatched[:2] == ("unseen", "看不见")
    assert told == {
        "in time": ("live", "直播中", plan.ago(70)),
        "ten late": ("live", "直播中", plan.ago(50)),
        "late": ("late", "迟到", plan.ago(14)),
        "missing": ("missing", "应播未播", plan.ago(16)),
        "earlier": ("missing", "应播未播", plan.ago(60)),
        "ended": ("ended_early", "提前下播", plan.ago(20)),
        "dropped": ("dropped", "断流", plan.ago(1)),
        "lost": ("lost", "断流未恢复", plan.ago(5)),
        "blind": ("unseen", "看不见", plan.ago(3)),
    }
    late = {row["external_id"]: row["late_s"] for row in rows}
    assert (late["in time"], late["ten late"], late["lost"], late["ended"]) == (0, 600, 300, 0)
    assert 14 * 60 <= late["late"] < 15 * 60 <= 16 * 60 <= late["missing"]
    assert late["unwatched"] is None
    assert {(row["starts_at"], row["ends_at"]) for row in rows if row["external_id"] == "late"} == {
        (plan.ago(14), plan.ago(-106))
    }
    assert {row["contact"] for row in rows} == {"zhang"}


async def test_the_broadcaster_is_named(plan: Plan, reader: Sql):
    room_id = await plan.room("live/1")
    await plan.stage.sql.execute("UPDATE room SET broadcaster = '林晚' WHERE room_id = $1", room_id)
    row = await reader.fetchrow("SELECT room_id, anchor, broadcaster, hall FROM expected_now")
    assert row is not None
    assert tuple(row) == (room_id, "主播live/1", "林晚", "一号馆")

"""What platforms said of their own money goes with the ticks of its day; the last word of each session stays."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.config_retention import Retention
from monitor.history.retention import Window, prune, survey
from tests.history.released import Sql
from tests.history.test_retention import TEN_DAYS, a_day, gone, lived, pruning
from tests.postgres import FreshDatabase

DAY = date(2026, 11, 1)
ONE, OTHER = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"


def test_totals_go_by_the_days_of_ticks_and_never_before_them() -> None:
    ticks, totals = a_day(DAY), a_day(DAY, "platform_total")
    both = [("tick_raw", DAY), ("platform_total", DAY)]
    assert gone([totals, ticks]) == both
    assert gone([totals, a_day(DAY, marks=1)]) == []
    assert gone([a_day(DAY, "platform_total", has_ticks=False)]) == both[1:]
    assert gone([totals, ticks], Retention(ticks_days=10)) == both
    assert gone([totals, ticks], Retention()) == []
    younger = datetime(2026, 11, 11, 23, 59, tzinfo=UTC)
    assert gone([totals, ticks], window=Window(None, None, younger)) == []


@pytest.fixture
async def owner(database: FreshDatabase) -> AsyncIterator[Sql]:
    """Evenings of two rooms, 30 days ago: one ends before midnight, one after it. And one of five days ago."""
    sql = await database.connect("owner")
    day = await lived(sql, days_ago=30)
    await lived(sql, days_ago=29)
    await lived(sql, days_ago=5)
    evening = await sql.fetchval("SELECT ($1::date + time '20:00') AT TIME ZONE timezone FROM setting", day)
    rows = [
        (1, 0.0, ONE, 100), (1, 1.0, ONE, 200), (1, 2.0, ONE, 300),
        (2, 0.0, OTHER, 7), (2, 5.0, OTHER, 8), (2, 6.0, OTHER, 9),
        (1, 25 * 24.0, None, 1), (1, 25 * 24.0 + 1, None, 2),
    ]  # fmt: skip
    for room_id, hours, session_id, gmv_minor in rows:
        await sql.execute(
            "INSERT INTO platform_total VALUES ($1, $2, $3, $4, 'CNY')",
            room_id, evening + timedelta(hours=hours), session_id, gmv_minor,
        )  # fmt: skip
    yield sql
    await sql.close()


async def left(sql: Sql) -> list[int]:
    return [row["gmv_minor"] for row in await sql.fetch("SELECT gmv_minor FROM platform_total ORDER BY gmv_minor")]


@pytest.mark.real
async def test_the_last_word_of_each_session_stays_and_what_went_is_written_down(owner: Sql) -> None:
    verdicts = await survey(owner, TEN_DAYS)
    totals = [each.day for each in verdicts if each.day.relation == "platform_total"]
    assert [(day.rows, day.bytes > 0) for day in totals] == [(3, True), (1, True)]
    gone = {(each.day.relation, each.day.day): await prune(owner, each.day, "zhang") for each in verdicts}
    assert [gone["platform_total", day.day][0] for day in totals] == [3, 1]
    assert await left(owner) == [1, 2, 9, 300]
    written = await owner.fetch("SELECT day, rows, bytes > 0 AS sized, by_whom FROM total_pruned ORDER BY day")
    assert [tuple(row) for row in written] == [(day.day, day.rows, True, "zhang") for day in totals]
    assert await survey(owner, TEN_DAYS) == []


@pytest.mark.real
async def test_a_total_that_comes_late_goes_with_the_next_run(owner: Sql) -> None:
    for each in await survey(owner, TEN_DAYS):
        await prune(owner, each.day, "zhang")
    early = await owner.fetchval("SELECT min(at) - interval '10 minutes' FROM platform_total")
    await owner.execute("INSERT INTO platform_total VALUES (1, $1, $2, 50, 'CNY')", early, ONE)
    [late] = await survey(owner, TEN_DAYS)
    assert (await prune(owner, late.day, "li"))[0] == 1
    assert await owner.fetchval("SELECT rows FROM total_pruned ORDER BY day LIMIT 1") == 4


@pytest.mark.real
async def test_another_currency_is_another_total(owner: Sql) -> None:
    await owner.execute("UPDATE platform_total SET currency = 'USD' WHERE gmv_minor = 200")
    for each in await survey(owner, TEN_DAYS):
        await prune(owner, each.day, "zhang")
    assert await left(owner) == [1, 2, 9, 200, 300]


@pytest.mark.real
async def test_the_command_names_them(
    owner: Sql, database: FreshDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = pruning(database, tmp_path, "ticks_days = 10\n")
    assert await asyncio.to_thread(main, command) == 0
    assert "platforms' own totals of" in capsys.readouterr().out
    assert len(await left(owner)) == 8
    assert await asyncio.to_thread(main, [*command, "--yes"]) == 0
    assert await left(owner) == [1, 2, 9, 300]

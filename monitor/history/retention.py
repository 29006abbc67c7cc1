"""Takes away whole days that the policy no longer keeps, once their minutes are summed, and writes down that they went.

Run by a person or a timer, as livemon_owner (`livemon prune`): the service itself never deletes what it observed.
A day goes in steps, each of which may be the last before a crash; the next run goes on from there:
decided (its minutes stand still from then on), off its table, counted and dropped. What platforms said of their own
money goes with the ticks of its day, row by row, since the last word of each session stays.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

import asyncpg
import msgspec

from monitor.config_retention import Retention
from monitor.store.db import Connection
from monitor.store.statements import statement

LOCK_WAIT_S_MAX = 10  # for what would make the writer wait behind us
DETACH_S_MAX = 120  # for those who still read the day


class StillHeld(Exception):
    """Somebody has held what we need for too long; what was begun is finished by the next run."""


class Day(msgspec.Struct, frozen=True):
    """A day of the event's zone, of ticks, of minutes or of platforms' own totals, as the database has it."""

    relation: Literal["tick_raw", "session_minute", "platform_total"]
    day: date
    from_at: datetime
    to_at: datetime
    rows: int  # an estimate of the server's
    bytes: int
    attached: bool  # False: what took it away was interrupted after this
    pending: bool  # or in the middle of it
    has_ticks: bool
    marks: int  # minutes of it that wait to be summed
    unsummed: int  # sessions of it of which nothing was ever summed


class Window(msgspec.Struct, frozen=True):
    """The event's window and the server's present, aware UTC; without bounds there is no event to wait for."""

    starts_at: datetime | None
    ends_at: datetime | None
    now: datetime


class Verdict(msgspec.Struct, frozen=True):
    day: Day
    kept_because: str = ""  # empty: it goes


async def survey(conn: Connection, policy: Retention) -> list[Verdict]:
    """What would go, and what should go and cannot yet, the oldest day first."""
    window = await conn.fetchrow(statement("history/retention_window"))
    days = [msgspec.convert(dict(row), Day) for row in await conn.fetch(statement("history/retention_days"))]
    return list(judge(days, policy, msgspec.convert(dict(window or {}), Window)))


def judge(days: Sequence[Day], policy: Retention, window: Window) -> Iterator[Verdict]:
    """Of each day that the policy does not keep. All else comes after the ticks of its day, as the days are sorted."""
    going: set[date] = set()
    for day in sorted(days, key=lambda day: (day.day, day.relation != "tick_raw")):
        begun = day.pending or not day.attached
        if not begun and not _is_over(day, policy, window):
            continue
        because = "" if begun else _obstacle(day, going)
        if not because and day.relation == "tick_raw":
            going.add(day.day)
        yield Verdict(day, because)


def _is_over(day: Day, policy: Retention, window: Window) -> bool:
    """Days of the event are as old as its end: it goes as a whole, and never while it lasts."""
    keep_days = policy.minutes_days if day.relation == "session_minute" else policy.ticks_days
    if keep_days == 0:
        return False
    starts_at, ends_at = window.starts_at, window.ends_at
    since = day.to_at
    if starts_at is not None or ends_at is not None:
        begun = starts_at is None or starts_at < day.to_at
        if begun and ends_at is None:
            return False
        if begun and ends_at is not None and ends_at > day.from_at:
            since = max(since, ends_at)
    return since + timedelta(days=keep_days) <= window.now


def _obstacle(day: Day, going: set[date]) -> str:
    if day.relation != "tick_raw":
        return "its ticks are still here" if day.has_ticks and day.day not in going else ""
    if day.marks:
        return f"{day.marks} minutes of it wait to be summed"
    return f"of {day.unsummed} sessions nothing was ever summed" if day.unsummed else ""


async def prune(conn: Connection, day: Day, by: str) -> tuple[int, int]:
    """Take it away and return its rows, to the row, and its bytes. Raises StillHeld, and what PostgreSQL raises."""
    name = (day.relation, day.day)
    if day.relation == "platform_total":
        return await _prune_totals(conn, day, by)
    try:
        await conn.execute(statement("history/retention_patience"), f"{LOCK_WAIT_S_MAX}s")
        await _decide(conn, day, by)
        if day.attached or day.pending:
            await conn.execute(statement("history/retention_patience"), f"{DETACH_S_MAX}s")
            await conn.execute(await conn.fetchval(statement("history/retention_detach"), *name, day.pending))
            await conn.execute(statement("history/retention_patience"), f"{LOCK_WAIT_S_MAX}s")
        async with conn.transaction():
            row = await conn.fetchrow(await conn.fetchval(statement("history/retention_count"), *name))
            assert row is not None  # noqa: S101 - a count is always one row
            await conn.execute(await conn.fetchval(statement("history/retention_drop"), *name))
            await conn.execute(statement("history/retention_done"), *name, row["rows"], row["bytes"])
    except (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError) as error:
        raise StillHeld(f"{day.relation} {day.day} is still in use: {error}") from error
    return int(row["rows"]), int(row["bytes"])


async def _prune_totals(conn: Connection, day: Day, by: str) -> tuple[int, int]:
    """In one statement; whoever writes or reads meanwhile does not wait: none of these rows is ever changed."""
    row = await conn.fetchrow(statement("history/retention_totals"), day.day, day.from_at, day.to_at, by)
    assert row is not None  # noqa: S101 - a count is always one row
    return int(row["rows"]), int(row["bytes"])


async def _decide(conn: Connection, day: Day, by: str) -> None:
    async with conn.transaction():
        await conn.execute(statement("history/retention_lock"))
        begun = day.pending or not day.attached
        marks = await conn.fetchval(statement("history/retention_marks"), day.from_at, day.to_at)
        if marks and not begun:
            raise StillHeld(f"{day.relation} {day.day}: {marks} minutes of it were touched just now, run again")
        await conn.execute(statement("history/retention_decide"), day.relation, day.day, day.from_at, day.to_at, by)


async def old_batches(conn: Connection, policy: Retention, *, delete: bool) -> int:
    """How many batches of the writer's list no spool asks for any more; with `delete` they go."""
    if policy.batches_days == 0:
        return 0
    keep = timedelta(days=policy.batches_days)
    return int(await conn.fetchval(statement("history/retention_batches"), keep, delete))

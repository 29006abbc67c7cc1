"""Asks PostgreSQL for all that a report tells, as the reader, in one snapshot: its figures belong together."""

from datetime import date, timedelta, tzinfo

import asyncpg
import msgspec

from monitor.store.db import Connection
from monitor.store.statements import statement

from .content import Blind, Content, Cut, Drop, Item, Money, Peak, Period, Point, Sums

PLACES = 20
DAYS_MAX = 62
OPEN_WEEK = timedelta(days=6)  # of an event without a window: the last seven days


class Asked(msgspec.Struct, frozen=True):
    """Which days: these, or the whole event where `week`, or today where nothing is said."""

    first: date | None = None
    last: date | None = None
    week: bool = False


class BadDays(ValueError):
    """There is no report of such days; the message says why."""


async def ask(connection: Connection, asked: Asked, event: str, zone: tzinfo, zone_name: str, version: str) -> Content:
    """All of it, within the READ ONLY transaction of the caller, which must be of one snapshot.

    Raises BadDays.
    """
    (told,) = await connection.fetch(statement("report/event"))
    first, last = days(asked, told["today"], told["first_day"], told["last_day"])
    (instants,) = await connection.fetch(statement("report/period"), first, last)
    period = Period(first=first, last=last, as_of=told["as_of"], **dict(instants))
    span = (period.from_at, period.to_at)
    step_minutes = period.step // timedelta(minutes=1)

    async def rows[T](name: str, kind: type[T], *parameters: object) -> list[T]:
        return _rows(kind, await connection.fetch(statement(f"report/{name}"), *parameters))

    peaks = await rows("peak", Peak, *span)
    return Content(
        event=event,
        zone=zone,
        zone_name=zone_name,
        version=version,
        currency=told["currency"],
        period=period,
        money=await rows("money", Money, first, last, told["as_of"]),
        cuts=await rows("cuts", Cut, first, last),
        sums=await rows("sums", Sums, first, last, PLACES, *span),
        items=await rows("items", Item, *span, PLACES),
        points=await rows("points", Point, period.starts_at, *span, step_minutes),
        peak=peaks[0] if peaks else None,
        drops=await rows("drops", Drop, *span),
        blind=await rows("blind", Blind, *span),
    )


def days(asked: Asked, today: date, event_first: date | None, event_last: date | None) -> tuple[date, date]:
    """The first and the last day of the report. Raises BadDays."""
    if asked.week:
        last = event_last or today
        first = event_first or last - OPEN_WEEK
    else:
        first = asked.first or asked.last or today
        last = asked.last or first
    if last < first:
        raise BadDays(f"the last day, {last}, is before the first, {first}")
    if (last - first).days >= DAYS_MAX:
        raise BadDays(f"{first} to {last} is more than {DAYS_MAX} days: ask for fewer with --from and --to")
    return first, last


def _rows[T](kind: type[T], records: list[asyncpg.Record]) -> list[T]:
    return [kind(**dict(record)) for record in records]

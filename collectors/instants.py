"""Reads the times that platforms write: unix seconds or milliseconds, told apart by range, or ISO 8601."""

import re
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from .collector import BadFrame

ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?P<offset>[Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
UNIX = re.compile(r"\d{10}(?:\d{3})?", re.ASCII)
YEARS = range(2000, 2101)
SECONDS = range(946_684_800, 4_133_980_800)  # the same years


def instant(written: object, naive: tzinfo | None = None) -> datetime:
    """Aware UTC. A time without an offset is in the zone `naive`; where that is None it is refused. Raises BadFrame."""
    if isinstance(written, str) and UNIX.fullmatch(written):
        written = int(written)
    if isinstance(written, str):
        return _iso(written, naive)
    if isinstance(written, int | float | Decimal) and not isinstance(written, bool):
        return _unix(written)
    raise BadFrame("bad_time: neither a text nor a number")


def _iso(text: str, naive: tzinfo | None) -> datetime:
    found = ISO.fullmatch(text)
    if found is None:
        raise BadFrame("bad_time: not as 2026-11-19T20:00:05+08:00")
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError as error:  # the 30th of February, 23:59:60
        raise BadFrame("bad_time: not in the calendar") from error
    if at.tzinfo is None and naive is None:
        raise BadFrame("bad_time: without an offset")
    if at.year not in YEARS:
        raise BadFrame("bad_time: not in this century")
    return (at if at.tzinfo is not None else at.replace(tzinfo=naive)).astimezone(UTC)


def _unix(number: int | float | Decimal) -> datetime:
    with suppress(ArithmeticError):  # of a number without end, or that is none
        for seconds in (number, number / 1000):
            if SECONDS.start <= seconds < SECONDS.stop:
                return datetime.fromtimestamp(float(seconds), UTC)
    raise BadFrame("bad_time: neither seconds nor milliseconds since 1970")

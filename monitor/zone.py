"""Where a day begins, as people write it: a name of the time zone database, or a fixed offset such as +03:25."""

import re
from datetime import timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

OFFSET = re.compile(r"([+-])([0-9]{2}):([0-5][0-9])")
WEST_MAX, EAST_MAX = timedelta(hours=12), timedelta(hours=14)  # no clock on earth is further from UTC
POSIX = re.compile(r"<([+-][0-9]{2}:[0-9]{2})>[+-][0-9]{2}:[0-9]{2}")


def offset_of(written: str) -> timedelta | None:
    """How far the clocks are ahead of UTC; None for what is no fixed offset, or none that there can be."""
    if (found := OFFSET.fullmatch(written)) is None:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3])) * (-1 if found[1] == "-" else 1)
    return offset if -WEST_MAX <= offset <= EAST_MAX else None


def zone_of(written: str) -> tzinfo:
    """For Python. Raises ZoneInfoNotFoundError, ValueError or OSError where there is no such zone."""
    offset = offset_of(written)
    return ZoneInfo(written) if offset is None else timezone(offset)


def in_postgresql(written: str) -> str:
    """For PostgreSQL, wherever it takes a zone as text: `+03:25` is `<+03:25>-03:25`.

    A bare `+03:25` would be read as POSIX does, with east and west exchanged. In the long form the offset is POSIX's,
    and what stands in <> is the zone's abbreviation, written so that it reads as the same zone everywhere else (POSIX.1
    8.3, TZ; PostgreSQL, appendix B.5).
    """
    offset = offset_of(written)
    if offset is None:
        return written
    hours, minutes = divmod(abs(round(offset.total_seconds())) // 60, 60)
    ahead, behind = ("+", "-") if offset >= timedelta(0) else ("-", "+")
    return f"<{ahead}{hours:02}:{minutes:02}>{behind}{hours:02}:{minutes:02}"


def as_written(in_postgresql: str) -> str:
    """The way back, for messages."""
    found = POSIX.fullmatch(in_postgresql)
    return in_postgresql if found is None else found[1]

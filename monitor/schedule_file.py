"""What a schedule file says: planned broadcasts by room, and every error in it as `file:line: what; what to do`."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from re import compile as pattern

import msgspec

from monitor.problem import Problem, quoted
from monitor.roster_file import Key, Meaningless, meaning
from monitor.table_file import Cell, Row, read_table, text_of

HEADINGS = {
    "platform": "platform", "平台": "platform", "平台名称": "platform",
    "room": "room", "直播间": "room", "房间": "room", "房间号": "room", "直播间id": "room", "直播间号": "room",
    "external_id": "room",
    "starts_at": "starts_at", "开始": "starts_at", "开始时间": "starts_at", "开播": "starts_at",
    "开播时间": "starts_at",
    "ends_at": "ends_at", "结束": "ends_at", "结束时间": "ends_at", "下播": "ends_at", "下播时间": "ends_at",
}  # fmt: skip
COLUMNS = ("platform", "room", "starts_at", "ends_at")
ROWS_MAX = 250_000  # 20,000 rooms, a dozen broadcasts each
SLOT_MAX = timedelta(days=31)
YEARS = range(2000, 2101)
DATE = r"(?P<year>\d{4})(?:-|/|\.|年)(?P<month>\d{1,2})(?:-|/|\.|月)(?P<day>\d{1,2})日?"
CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.0+)?)?"
INSTANT = pattern(rf"{DATE}(?:T|t|\s)\s*{CLOCK}\s*(?P<offset>[Zz]|[+-]\d{{2}}:?\d{{2}})?")


class ListedSlot(msgspec.Struct, frozen=True):
    """One planned broadcast as a file lists it; times are aware UTC."""

    line: int
    platform: str
    external_id: str
    starts_at: datetime
    ends_at: datetime

    @property
    def key(self) -> Key:
        return self.platform, self.external_id


class ScheduleFile(msgspec.Struct, frozen=True):
    """What a schedule file says; with any problem nothing of it is loaded."""

    slots: tuple[ListedSlot, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_schedule_file(data: bytes, file: str, zone: tzinfo) -> ScheduleFile:
    """Read the bytes of a schedule; times without an offset are those of `zone`, the event's."""
    table = read_table(data, file, HEADINGS, COLUMNS, ROWS_MAX)
    problems = list(table.problems)
    slots = []
    for row in table.rows:
        try:
            slots.append(_slot(row, zone))
        except Meaningless as error:
            problems.append(Problem(file, row.line, error.what, error.todo))
    problems += _overlaps(file, slots)
    return ScheduleFile(tuple(slots), tuple(sorted(problems)))


def local(instant: datetime, zone: tzinfo) -> str:
    """An instant as a schedule file would give it."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"


def _slot(row: Row, zone: tzinfo) -> ListedSlot:
    values = {column: _read(column, cell, zone) for column, cell in row.cells.items()}
    slot = msgspec.convert({"line": row.line, "external_id": values.pop("room"), **values}, ListedSlot)
    if slot.ends_at <= slot.starts_at:
        what = f"ends_at {quoted(text_of(row.cells['ends_at']))} is not after starts_at"
        raise Meaningless(what, "a broadcast past midnight ends on the next day's date")
    if slot.ends_at - slot.starts_at > SLOT_MAX:
        raise Meaningless(
            f"the broadcast lasts more than {SLOT_MAX.days} days", "correct the date of starts_at or ends_at"
        )
    return slot


def _read(column: str, cell: Cell, zone: tzinfo) -> object:
    try:
        return instant(cell, zone) if column in ("starts_at", "ends_at") else meaning(column, cell)
    except Meaningless as error:
        raise Meaningless(f"{column} {error.what}", error.todo) from error


def instant(cell: Cell, zone: tzinfo) -> datetime:
    """A time as people write it, in UTC; Excel's own times come as such, rounded to the second here."""
    text = unicodedata.normalize("NFKC", text_of(cell))
    if isinstance(cell, datetime):
        wall, offset = (cell + timedelta(milliseconds=500)).replace(microsecond=0), None
    elif (found := INSTANT.fullmatch(text)) and not isinstance(cell, date):
        wall, offset = _wall(text, found.groupdict()), found["offset"]
    else:
        raise Meaningless(f"{quoted(text)} is no date with a time", "write it as 2026-11-19 20:00")
    if wall.year not in YEARS:
        raise Meaningless(f"{quoted(text)} is not in this century", "correct the year")
    if offset:
        hours = "+0000" if offset in "Zz" else offset.replace(":", "")
        delta = timedelta(hours=int(hours[1:3]), minutes=int(hours[3:]))
        if delta >= timedelta(hours=24):
            raise Meaningless(f"{quoted(text)} has no possible offset", "write it as +08:00")
        return wall.replace(tzinfo=timezone(-delta if hours[0] == "-" else delta)).astimezone(UTC)
    found_at = wall.replace(tzinfo=zone).astimezone(UTC)
    if found_at.astimezone(zone).replace(tzinfo=None) != wall:
        raise Meaningless(f"{quoted(text)} does not exist in {zone}", "clocks are put forward there; add an offset")
    return found_at


def _wall(text: str, parts: dict[str, str | None]) -> datetime:
    year, month, day, hour, minute, second = (
        int(parts[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    ends_the_day = (hour, minute, second) == (24, 0, 0)
    try:
        wall = datetime(year, month, day, 0 if ends_the_day else hour, minute, second)  # noqa: DTZ001 - a wall clock
        return wall + timedelta(days=ends_the_day)
    except (ValueError, OverflowError) as error:
        raise Meaningless(
            f"{quoted(text)} is no date of the calendar", "correct it; write it as 2026-11-19 20:00"
        ) from error


def _overlaps(file: str, slots: Iterable[ListedSlot]) -> Iterator[Problem]:
    by_room = defaultdict[Key, list[ListedSlot]](list)
    for slot in slots:
        by_room[slot.key].append(slot)
    for of_room in by_room.values():
        of_room.sort(key=lambda slot: (slot.starts_at, slot.line))
        last = of_room[0]
        for slot in of_room[1:]:
            if slot.starts_at < last.ends_at:
                later, other = max(slot, last, key=_line), min(slot, last, key=_line)
                what = f"overlaps with the broadcast of room {quoted(slot.external_id)} at line {other.line}"
                yield Problem(file, later.line, what, "correct the times, or remove one of the two")
            last = max(last, slot, key=_end)


def _line(slot: ListedSlot) -> int:
    return slot.line


def _end(slot: ListedSlot) -> datetime:
    return slot.ends_at

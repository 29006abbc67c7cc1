"""Who is on duty at an instant, by the clocks of the event's zone; when that changes. Pure: callers bring the time."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple, Protocol

DAY = timedelta(days=1)
MINUTES_OF_DAY = 24 * 60


class ShiftRow(Protocol):
    """A `[[shift]]`: from `starts` to before `ends`, "20:00" each; past midnight where `ends` is not later."""

    @property
    def name(self) -> str: ...
    @property
    def starts(self) -> str: ...
    @property
    def ends(self) -> str: ...
    @property
    def duty(self) -> Sequence[str]: ...


class Turn(NamedTuple):
    """One shift of one day. Times are aware UTC; `duty` are ids of contacts, in the order in which they are called."""

    name: str
    starts_at: datetime
    ends_at: datetime
    duty: tuple[str, ...]


def clock(text: str) -> time:
    """A time of day as a config has it; 24:00 is midnight. Raises ValueError."""
    return time(0) if text == "24:00" else time.fromisoformat(text)


def turns(shifts: Sequence[ShiftRow], from_at: datetime, to_at: datetime, zone: tzinfo) -> list[Turn]:
    """All turns of which a part lies between these instants, as they begin."""
    found = []
    day, last = from_at.astimezone(zone).date() - DAY, to_at.astimezone(zone).date()
    while day <= last:
        found += [turn for shift in shifts if _meets(turn := _turn(shift, day, zone), from_at, to_at)]
        day += DAY
    return sorted(found, key=lambda turn: (turn.starts_at, turn.name))


def on_duty(shifts: Sequence[ShiftRow], at: datetime, zone: tzinfo) -> Turn | None:
    """The turn of this instant; of two that overlap the one that began last. None: nobody is on duty."""
    now = [turn for turn in turns(shifts, at, at, zone) if turn.starts_at <= at < turn.ends_at]
    return now[-1] if now else None


def callees(shifts: Sequence[ShiftRow], at: datetime, zone: tzinfo) -> tuple[str, ...]:
    """Whom to call, in order. In a gap between shifts those who come next are called: somebody must be."""
    turn = on_duty(shifts, at, zone)
    if turn is None:
        turn = next(iter(turns(shifts, at, at + 2 * DAY, zone)), None)
    return turn.duty if turn else ()


def next_change(shifts: Sequence[ShiftRow], at: datetime, zone: tzinfo) -> datetime | None:
    """The first instant after `at` at which a shift begins; where nobody follows, at which one ends."""
    near = turns(shifts, at, at + 2 * DAY, zone)
    instants = {turn.starts_at for turn in near} | {turn.ends_at for turn in near}
    return min((instant for instant in instants if instant > at), default=None)


def ended_turn(shifts: Sequence[ShiftRow], at: datetime, zone: tzinfo) -> Turn | None:
    """The turn that ended last, at `at` or before."""
    over = [turn for turn in turns(shifts, at - 2 * DAY, at, zone) if turn.ends_at <= at]
    return max(over, key=lambda turn: turn.ends_at, default=None)


def doubts(shifts: Sequence[ShiftRow]) -> Iterator[str]:
    """What may be meant, but leaves an hour with nobody, or with two who each think that the other acts."""
    covered: list[list[str]] = [[] for _ in range(MINUTES_OF_DAY)]
    for shift in shifts:
        starts, ends = _minute(shift.starts), _minute(shift.ends)
        length = (ends - starts) % MINUTES_OF_DAY or MINUTES_OF_DAY
        for minute in range(starts, starts + length):
            covered[minute % MINUTES_OF_DAY].append(shift.name)
        if not shift.duty:
            yield f"shift {shift.name} has nobody on duty: nobody is called in it"
    for first, last, names in _spans(covered) if shifts else ():
        if not names:
            yield f"from {_shown(first)} to {_shown(last)} nobody is on duty; who comes next is called"
        elif len(names) > 1:
            yield f"from {_shown(first)} to {_shown(last)} {' and '.join(names)} are both on duty; the later is called"


def _spans(covered: list[list[str]]) -> Iterator[tuple[int, int, list[str]]]:
    """Stretches of the day, from and to a minute, with the same shifts; one over midnight is one."""
    edges = [minute for minute in range(MINUTES_OF_DAY) if covered[minute] != covered[minute - 1]]
    for place, first in enumerate(edges):
        yield first, edges[(place + 1) % len(edges)], covered[first]
    if not edges:
        yield 0, 0, covered[0]


def _turn(shift: ShiftRow, day: date, zone: tzinfo) -> Turn:
    starts, ends = clock(shift.starts), clock(shift.ends)
    until = day if starts < ends else day + DAY
    return Turn(shift.name, _instant(day, starts, zone), _instant(until, ends, zone), tuple(shift.duty))


def _instant(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def _meets(turn: Turn, from_at: datetime, to_at: datetime) -> bool:
    return turn.starts_at <= to_at and turn.ends_at >= from_at


def _minute(text: str) -> int:
    at = clock(text)
    return at.hour * 60 + at.minute


def _shown(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"

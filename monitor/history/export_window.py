"""The window of an export: days and instants as people write them, in the event's zone."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

from monitor.history.export_columns import ExportError
from monitor.problem import quoted


class Window(msgspec.Struct, frozen=True):
    """from_at <= ... < to_at, in UTC; None: open. `asked`: a person gave one of them."""

    from_at: datetime | None = None
    to_at: datetime | None = None
    asked: bool = False

    def within(self, other: "Window") -> "Window":
        """With the other's ends where this one has none."""
        return Window(self.from_at or other.from_at, self.to_at or other.to_at, self.asked)

    def shown(self, zone: tzinfo) -> str:
        ends = (
            None if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S%:z}" for at in (self.from_at, self.to_at)
        )
        from_at, to_at = ends
        return f"{from_at or 'the beginning'} to {to_at or 'the end'}"


def window_of(from_at: str | None, to_at: str | None, day: str | None, zone: tzinfo) -> Window:
    """What was asked for: a day, or from a day or instant until the end of a day or before an instant.

    Raises ExportError for what is neither, and for a window that nothing can be in.
    """
    if day is not None:
        if from_at is not None or to_at is not None:
            raise ExportError("--day is a window by itself: leave --from and --to out")
        if (only := _day(day)) is None:
            raise ExportError(f"--day takes a day such as 2026-11-19, not {quoted(day)}")
        return Window(_midnight(only, zone), _midnight(only + timedelta(days=1), zone), True)
    window = Window(
        None if from_at is None else _instant("--from", from_at, zone, 0),
        None if to_at is None else _instant("--to", to_at, zone, 1),
        from_at is not None or to_at is not None,
    )
    if window.from_at is not None and window.to_at is not None and window.from_at >= window.to_at:
        raise ExportError("--from must be before --to")
    return window


def _instant(option: str, written: str, zone: tzinfo, days: int) -> datetime:
    """An instant; or the beginning of a day, so many days after it."""
    if (day := _day(written)) is not None:
        return _midnight(day + timedelta(days=days), zone)
    try:
        instant = datetime.fromisoformat(written)
    except ValueError as error:
        example = "2026-11-19 or 2026-11-19T20:00"
        raise ExportError(f"{option} takes a day or an instant, such as {example}, not {quoted(written)}") from error
    return (instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)).astimezone(UTC)


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)

"""Puts moments that a platform stamps with whole seconds into the order in which they can only have happened."""

from datetime import datetime, timedelta

MOMENT = timedelta(milliseconds=1)
SHORT = timedelta(seconds=2)
NEARLY_OVER = timedelta(milliseconds=990)  # a like of the next second is 9 ms later
LATE_MAX = timedelta(seconds=10)
SHRINKS = 10_000  # times: `LATE_MAX` becomes one moment
LEAST = timedelta(microseconds=1)


def ordered(at: datetime, live: bool, lasted: timedelta | None = None) -> datetime:
    """Of one second: first the end of the push before, then a beginning, then the end of what lasted no longer.

    `lasted`: how long the push was, of an end; None where it is not told. A moment that is not later than the one that
    decided before it decides nothing, and a push that follows another at once would never be seen.
    """
    if live:
        return at + MOMENT
    return at + 2 * MOMENT if lasted is not None and lasted < SHORT else at


def before_all(at: datetime) -> datetime:
    """Of one second: a sign that the room was on air, before all that is told of it. The broadcast may end in it."""
    return at - MOMENT


def as_heard(at: datetime, live: bool, received_at: datetime) -> datetime:
    """Of one second: when it was heard, or, of what is heard when that is over, just before its end.

    So it is later than what was seen before it in that second, by another feed, too: a question that found the room on
    air early in it must not hide that the broadcast ended late in it. What is told of one second is in the order in
    which it was heard; of what comes so late, and within 20 ms, an end is first and then a beginning. It is never later
    than it was heard, and of the same message always the same.
    """
    over_at = at + NEARLY_OVER
    if received_at <= over_at:
        return received_at
    return over_at + min(received_at - over_at, LATE_MAX) / SHRINKS + LEAST * live

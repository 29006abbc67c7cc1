"""Puts moments that a platform stamps with whole seconds into the order in which they can only have happened."""

from datetime import datetime, timedelta

MOMENT = timedelta(milliseconds=1)
SHORT = timedelta(seconds=2)


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

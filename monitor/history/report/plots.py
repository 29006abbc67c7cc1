"""What all plots share: a picture with a time axis, and shapes in it. Shades alone tell things apart, never hues."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from .content import Period
from .markup import Markup, joined, tag
from .spoken import Speech

WIDTH = 1000.0
LEFT, RIGHT = 8.0, 70.0
DAYS_BY_HOUR_MAX = 2  # beyond, the axis names days
HOUR = timedelta(hours=1)
ROUND = tuple(map(Decimal, ("1", "1.2", "1.6", "2", "3", "4", "5", "6", "8", "10")))


class Axis(msgspec.Struct, frozen=True):
    """Where an instant lies between `left` and `right`."""

    starts_at: datetime
    ends_at: datetime
    left: float = LEFT
    right: float = WIDTH - RIGHT

    def x(self, at: datetime) -> float:
        share = (min(max(at, self.starts_at), self.ends_at) - self.starts_at) / (self.ends_at - self.starts_at)
        return self.left + share * (self.right - self.left)


def axis_of(period: Period, left: float = LEFT) -> Axis:
    return Axis(period.starts_at, period.ends_at, left)


def picture(height: float, about: str, *inside: object, width: float = WIDTH) -> Markup:
    """An image that says in words what it shows, for those who cannot see it."""
    box = f"0 0 {width:g} {height:g}"
    return tag("svg", tag("title", about), *inside, viewBox=box, role="img", class_="plot")


def words(x: float, y: float, text: object, class_: str | None = None, anchor: str | None = None) -> Markup:
    return tag("text", text, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str, about: str | None = None) -> Markup:
    inside = () if about is None else (tag("title", about),)
    return tag("line", *inside, x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def area(axis: Axis, values: Sequence[tuple[datetime, Decimal]], top: Decimal, above: float, below: float) -> Markup:
    """A curve from its first instant to its last, and what lies under it, between two heights of the picture."""
    if not values:
        return Markup()
    spots = [f"{axis.x(at):.1f} {below - float(value / top) * (below - above):.1f}" for at, value in values]
    first, last = axis.x(values[0][0]), axis.x(values[-1][0])
    under = f"M{first:.1f} {below:.1f}L{'L'.join(spots)}L{last:.1f} {below:.1f}Z"
    return joined([tag("path", d=under, class_="under"), tag("path", d=f"M{'L'.join(spots)}", class_="curve")])


def ceiling(values: Sequence[Decimal]) -> Decimal:
    """A round number at or above the highest value, and not far above it; 1 where all are zero."""
    highest = max(values, default=Decimal(0))
    if highest <= 0:
        return Decimal(1)
    unit = Decimal(1).scaleb(highest.adjusted())
    return next(unit * times for times in ROUND if unit * times >= highest)


def marks(speech: Speech, period: Period) -> list[tuple[datetime, str]]:
    """Instants of a time axis and what is written at them: hours of one or two days, else the days."""
    if (period.last - period.first).days < DAYS_BY_HOUR_MAX:
        every = 2 if period.first == period.last else 6
        return [(at, speech.clock(at)) for at in period.instants(HOUR)[::every]]
    found = [at for at in period.instants(HOUR) if at.astimezone(speech.zone).hour == 0]
    every = -(-len(found) // 16)
    return [(at, f"{at.astimezone(speech.zone):%m-%d}") for at in found[::every]]


def time_axis(speech: Speech, period: Period, axis: Axis, above: float, below: float) -> Markup:
    """Upright lines at the marks, and the marks under them."""
    shown = []
    for at, text in marks(speech, period):
        x = axis.x(at)
        shown += [line(x, above, x, below, "grid"), words(x + 3, below + 14, text, "mark")]
    return joined(shown)


HATCH = Markup(
    '<svg width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="5" height="5" '
    'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="5" class="hatching"/>'
    "</pattern></defs></svg>"
)
"""The pattern of what could not be seen; once in the page, named by the style sheet."""

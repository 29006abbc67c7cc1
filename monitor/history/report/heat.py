"""Heat maps: hours of the report's days by platform. Lightness alone tells more from less: it prints in grey."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from .content import Content, Period, Point
from .markup import Markup, joined, tag
from .plots import HOUR, Axis, axis_of, line, marks, picture, words
from .spoken import Speech

LEFT, ROW, TOP = 120.0, 24.0, 4.0
SHADES = 7
NUMBERED_MAX = 25  # hours: so many cells are wide enough for a number

Cells = dict[tuple[str, datetime], Decimal]


def heat(content: Content, speech: Speech) -> Markup:
    """Watch hours and GMV."""
    if not content.points:
        return tag("p", speech.word("nothing"), class_="faint")
    platforms = content.platforms()
    watched = by_hour(content.period, content.points)
    paid = by_hour(content.period, content.points, speech)
    return joined(
        [
            tag("p", speech.word("heat_text"), _legend(speech), class_="faint"),
            tag("h3", speech.word("watch_hours")),
            _map(content.period, speech, platforms, watched, speech.word("watch_hours")),
            tag("h3", speech.word("gmv")),
            _map(content.period, speech, platforms, paid, speech.word("gmv")),
        ]
    )


def by_hour(period: Period, points: Sequence[Point], money: Speech | None = None) -> Cells:
    """Watch hours of each platform and hour; with `money`, its GMV in the major unit."""
    cells: Cells = defaultdict(Decimal)
    for point in points:
        hour = period.starts_at + (point.at - period.starts_at) // HOUR * HOUR
        worth = point.viewer_minutes / 60 if money is None else money.major(point.gmv_minor)
        cells[point.platform, hour] += worth
    return cells


def shade(value: Decimal, highest: Decimal) -> int:
    """From 0, which is nothing at all, to SHADES."""
    return 0 if value <= 0 or highest <= 0 else min(SHADES, 1 + int(value * SHADES / highest))


def _map(period: Period, speech: Speech, platforms: list[str], cells: Cells, name: str) -> Markup:
    axis = axis_of(period, LEFT)
    hours = [at for at in period.instants(HOUR) if at < max(period.seen_until, period.starts_at + HOUR)]
    highest = max(cells.values(), default=Decimal(0))
    numbered = len(period.instants(HOUR)) <= NUMBERED_MAX
    parts: list[Markup] = []
    for row, platform in enumerate(platforms):
        y = TOP + row * ROW
        parts.append(words(LEFT - 8, y + 16, speech.platform(platform), "name", "end"))
        for at in hours:
            value = cells.get((platform, at), Decimal(0))
            about = f"{speech.platform(platform)} {speech.moment(at)[:-3]}: {speech.number(value)}"
            parts += _cell(axis, at, y, shade(value, highest), about, speech.short(value) if numbered and value else "")
    foot = TOP + len(platforms) * ROW
    for at, text in marks(speech, period):
        parts.append(words(axis.x(at) + 1, foot + 14, text, "mark"))
        parts.append(line(axis.x(at), foot, axis.x(at), foot + 4, "grid"))
    return picture(foot + 20, name, *parts)


def _cell(axis: Axis, at: datetime, y: float, level: int, about: str, text: str) -> list[Markup]:
    left, right = axis.x(at), axis.x(at + timedelta(hours=1))
    gap = 1.0 if right - left > 8 else 0.2
    box = tag(
        "rect", tag("title", about),
        x=left, y=y, width=right - left - gap, height=ROW - 1, class_=f"heat{level}",
    )  # fmt: skip
    if not text:
        return [box]
    return [box, words((left + right) / 2, y + 15, text, f"cell on{level}", "middle")]


def _legend(speech: Speech) -> Markup:
    boxes = [tag("rect", x=n * 15.0, y=1.0, width=14.0, height=11.0, class_=f"heat{n}") for n in range(SHADES + 1)]
    strip = tag("svg", *boxes, viewBox="0 0 120 13", class_="legend", role="img")
    return joined([" ", speech.word("less"), strip, speech.word("more")])

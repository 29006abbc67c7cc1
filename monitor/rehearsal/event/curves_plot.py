"""Draws recorded and generated audiences side by side, as one SVG."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import sqrt

import msgspec

WIDTH, HEIGHT, GAP, TOP = 300, 150, 46, 84
COLUMNS = 4
RECORDED, GENERATED, GREY = "#1f2937", "#d97706", "#6b7280"
STEP_MAX = 2.0  # square roots of the mean, at the right of the small distributions


class Panel(msgspec.Struct, frozen=True):
    title: str
    interval_s: int
    recorded: Sequence[int]
    generated: Sequence[int]


def plot(panels: Sequence[Panel]) -> str:
    """Each panel: both curves from 0 to their peak, and how large their steps are, as a distribution."""
    rows = -(-len(panels) // COLUMNS)
    width, height = GAP + COLUMNS * (WIDTH + GAP), TOP + rows * (2 * HEIGHT + GAP + 40)
    inside = "".join(_panel(panel, *divmod(place, COLUMNS)) for place, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f'<text x="{GAP}" y="26" font-size="16">Viewers over time, and below: share of polls whose step is at most '
        f"so many square roots of the mean</text>"
        f'<text x="{GAP}" y="46" fill="{RECORDED}">recorded</text>'
        f'<text x="{GAP + 70}" y="46" fill="{GENERATED}">generated</text>{inside}</svg>\n'
    )


def _panel(panel: Panel, row: int, column: int) -> str:
    left, top = GAP + column * (WIDTH + GAP), TOP + row * (2 * HEIGHT + GAP + 40)
    below = top + HEIGHT + 30
    peak = max(*panel.recorded, *panel.generated)
    minutes = panel.interval_s * (len(panel.recorded) - 1) / 60
    parts = [
        _frame(left, top, f"{panel.title}, {minutes:.0f} min", f"{peak:,}"),
        _frame(left, below, "", "100 %"),
        f'<text x="{left + WIDTH}" y="{below + HEIGHT + 14}" text-anchor="end" fill="{GREY}">{STEP_MAX:g} √mean</text>',
    ]
    for colour, curve in ((RECORDED, panel.recorded), (GENERATED, panel.generated)):
        over_time = [(place / (len(curve) - 1), viewers / peak) for place, viewers in enumerate(curve)]
        parts += [_line(colour, left, top, over_time), _line(colour, left, below, list(_distribution(curve)))]
    return "".join(parts)


def _distribution(curve: Sequence[int]) -> Iterator[tuple[float, float]]:
    unit = sqrt(sum(curve) / len(curve))
    steps = sorted(abs(later - earlier) / unit for earlier, later in pairwise(curve))
    for place, step in enumerate(steps, 1):
        if step <= STEP_MAX:
            yield step / STEP_MAX, place / len(steps)


def _frame(left: float, top: float, title: str, most: str) -> str:
    return (
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#d1d5db"/>'
        f'<text x="{left + 4}" y="{top - 5}">{title}</text>'
        f'<text x="{left - 4}" y="{top + 10}" text-anchor="end" fill="{GREY}" font-size="10">{most}</text>'
    )


def _line(colour: str, left: float, top: float, points: Sequence[tuple[float, float]]) -> str:
    """A line through points from 0 to 1, of which only those are written that make a difference to the eye."""
    seen = dict.fromkeys((round(left + x * WIDTH), round(top + (1 - y) * HEIGHT)) for x, y in points)
    path = " ".join(f"{x},{y}" for x, y in seen)
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.2" opacity="0.85" points="{path}"/>'

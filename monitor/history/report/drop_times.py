"""The timeline of drops: a lane for each platform, a line for each step with drops, taller for more viewers."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from math import sqrt

import msgspec

from .content import Content, Drop, Period
from .markup import Markup, joined, named, table, tag
from .plots import axis_of, line, picture, time_axis, words
from .spoken import Speech

LEFT, LANE, TOP = 120.0, 40.0, 4.0
LOW, HIGH = 4.0, 32.0
WORST = 15


class Heap(msgspec.Struct):
    """The drops of a platform that began in one step."""

    drops: int = 0
    lost: int = 0
    viewers: int = 0


def drop_times(content: Content, speech: Speech) -> Markup:
    if not content.drops:
        return tag("p", speech.word("nothing"), class_="faint")
    period = content.period
    heaps = heaped(period, content.drops)
    lanes = sorted({platform for platform, _ in heaps})
    axis = axis_of(period, LEFT)
    foot = TOP + LANE * len(lanes)
    parts = [time_axis(speech, period, axis, TOP, foot)]
    highest = max(heap.viewers for heap in heaps.values()) or 1
    for number, platform in enumerate(lanes):
        base = TOP + LANE * (number + 1)
        parts += [
            line(LEFT, base, axis.right, base, "grid"),
            words(LEFT - 8, base - 8, speech.platform(platform), "name", "end"),
        ]
        parts += [
            _stroke(axis.x(at), base, heap, highest, _about(speech, platform, at, heap))
            for (own, at), heap in sorted(heaps.items())
            if own == platform
        ]
    minutes = int(period.step.total_seconds()) // 60
    return joined(
        [
            tag("p", speech.word("drop_text").format(minutes), class_="faint"),
            picture(foot + 20, speech.word("drop_times"), *parts),
            tag("h3", speech.word("worst")),
            _worst(content, speech),
        ]
    )


def heaped(period: Period, drops: Sequence[Drop]) -> dict[tuple[str, datetime], Heap]:
    """By platform and step. Viewers that were not reported count for nothing."""
    heaps: dict[tuple[str, datetime], Heap] = defaultdict(Heap)
    for drop in drops:
        heap = heaps[drop.platform, period.starts_at + (drop.at - period.starts_at) // period.step * period.step]
        heap.drops += 1
        heap.lost += drop.outcome == "lost"
        heap.viewers += drop.viewers_before or 0
    return heaps


def _stroke(x: float, base: float, heap: Heap, highest: int, about: str) -> Markup:
    top = base - LOW - (HIGH - LOW) * sqrt(heap.viewers / highest)
    stroke = line(x, base, x, top, "lost" if heap.lost else "drop", about)
    return joined([stroke, tag("circle", cx=x, cy=top, r=3.0, class_="ring")]) if heap.lost else stroke


def _about(speech: Speech, platform: str, at: datetime, heap: Heap) -> str:
    told = f"{speech.platform(platform)} {speech.moment(at)[:-3]}: {speech.word('drops')} {heap.drops}"
    return f"{told} ({speech.word('lost')} {heap.lost}), {speech.word('before')} {speech.number(heap.viewers)}"


def _worst(content: Content, speech: Speech) -> Markup:
    """Among equals the longer one, then the earlier."""
    worst = sorted(content.drops, key=lambda drop: (-(drop.viewers_before or 0), -(drop.down_s or 0), drop.at))
    rows = [
        (
            named(drop.anchor or drop.external_id), speech.platform(drop.platform), named(drop.hall),
            speech.moment(drop.at), speech.word(drop.outcome), drop.cause, speech.span(drop.down_s),
            speech.number(drop.viewers_before),
        )
        for drop in worst[:WORST]
    ]  # fmt: skip
    heads = ("room", "platform", "hall", "begun", "outcome", "cause", "down", "before")
    return table(map(speech.word, heads), rows, words=6)

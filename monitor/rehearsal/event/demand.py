"""When viewers of a broadcast order something: more often the more they are, and most of all after a product push."""

import random
from collections.abc import Iterator
from itertools import pairwise

from .cast import Part
from .script import Broadcast

MINUTE, HOUR = 60.0, 3600.0

# How many orders an hour each viewer of a room makes whose draw is DRAW_USUAL. The larger the draw of a room, the less
# it sells to each of its viewers, by this power: a village sells to its regulars, a star is watched for the show, too.
# So 12,000 rooms make some 8 paid orders a second in the evening, when 450,000 watch.
ORDERS_PER_VIEWER_HOUR = 0.17
DRAW_USUAL = 20.0
DRAW_POWER = -0.35
LOOK_EVERY_S = 2 * MINUTE  # how often the size of the audience is looked at
SPIKE_S = (1 * MINUTE, 3 * MINUTE)  # how long a product that is pushed sells
SPIKE = 6.0  # how much better than without a push

Span = tuple[float, float]


def ordered_at(dice: random.Random, part: Part, broadcast: Broadcast) -> Iterator[float]:
    """The instants of orders, rising, in seconds of the play from 0 on. None while nobody can watch.

    A Poisson process whose rate follows `broadcast.audience`: each piece of the broadcast has as many orders as its
    viewer-hours make probable.
    """
    per_viewer_s = ORDERS_PER_VIEWER_HOUR / HOUR * (max(part.draw, 1.0) / DRAW_USUAL) ** DRAW_POWER
    pushes = [(wave.at_s, wave.at_s + dice.uniform(*SPIKE_S)) for wave in broadcast.waves if wave.why == "push"]
    due = dice.expovariate(1.0)  # orders are made one unit of expectation after the other, on average
    for from_s, to_s, pushed in pieces(broadcast, pushes):
        viewers = broadcast.audience((from_s + to_s) / 2)
        per_s = viewers * per_viewer_s * (SPIKE if pushed else 1.0)
        at_s = from_s
        while due < per_s * (to_s - at_s):
            at_s += due / per_s
            yield at_s
            due = dice.expovariate(1.0)
        due -= per_s * (to_s - at_s)


def pieces(broadcast: Broadcast, pushes: list[Span]) -> Iterator[tuple[float, float, bool]]:
    """The broadcast without its drops, from second 0 on, cut small and wherever a push begins or ends."""
    drops = [(fault.from_s, fault.to_s) for fault in broadcast.faults if fault.kind == "drop"]
    first_s, last_s = max(0.0, broadcast.starts_s), broadcast.ends_s
    if last_s <= first_s:
        return
    cuts = {first_s, last_s}
    cuts.update(edge for span in drops + pushes for edge in span if first_s < edge < last_s)
    at_s = broadcast.starts_s
    while (at_s := at_s + LOOK_EVERY_S) < last_s:
        if at_s > first_s:
            cuts.add(at_s)
    edges = sorted(cuts)
    for from_s, to_s in pairwise(edges):
        middle_s = (from_s + to_s) / 2
        if not within(middle_s, drops):
            yield from_s, to_s, within(middle_s, pushes)


def within(at_s: float, spans: list[Span]) -> bool:
    return any(from_s <= at_s < to_s for from_s, to_s in spans)

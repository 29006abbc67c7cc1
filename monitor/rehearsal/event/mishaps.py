"""What goes wrong with a stream: it drops, freezes or breaks off, by itself or in an outage of the play."""

import random
from collections.abc import Iterable, Sequence
from math import inf

from .script import Fault, Kind
from .tempo import Tempo

# All seconds of the world, at every speed.
FAULT_EVERY_S = 7_200.0  # of a broadcast, on average
FAULT_S_MIN, FAULT_S_USUAL, FAULT_S_MAX = 3.0, 20.0, 480.0
FAULT_SPREAD = 1.0  # of the logarithm of their lengths
APART_S_MIN = 60.0  # between the end of a fault and the next one
EDGE_S = 30.0  # at the beginning and at the end of a broadcast, nothing goes wrong
FROZEN_SHARE = 0.35


def faults(dice: random.Random, starts_s: float, ends_s: float, tempo: Tempo) -> list[Fault]:
    """What goes wrong by itself and comes right again between these seconds of the play."""
    found = []
    last_s = (ends_s - starts_s) / tempo.speed - EDGE_S
    at_s = EDGE_S + dice.expovariate(1 / FAULT_EVERY_S)
    while at_s < last_s:
        length_s = FAULT_S_USUAL * dice.lognormvariate(0, FAULT_SPREAD)
        to_s = at_s + min(max(length_s, FAULT_S_MIN), FAULT_S_MAX)
        kind: Kind = "freeze" if dice.random() < FROZEN_SHARE else "drop"
        if to_s < last_s:
            from_s, end_s = (round(starts_s + tempo.in_play(world_s), 3) for world_s in (at_s, to_s))
            found.append(Fault(from_s, end_s, kind))
        at_s = to_s + APART_S_MIN + dice.expovariate(1 / FAULT_EVERY_S)
    return found


def until(found: Iterable[Fault], dies_s: float, tempo: Tempo) -> list[Fault]:
    """The faults of a stream that dies at `dies_s`: no other is near, and the last one has no end."""
    before = [fault for fault in found if fault.to_s + tempo.in_play(APART_S_MIN) < dies_s]
    return [*before, Fault(dies_s, inf, "drop")]


def begins_after(outages: Iterable[Fault], starts_s: float, tempo: Tempo) -> float:
    """When a broadcast begins that would begin at `starts_s`: not within an outage, nor just before one."""
    for outage in outages:
        if outage.from_s - tempo.in_play(EDGE_S) <= starts_s < outage.to_s:
            starts_s = outage.to_s
    return starts_s


def with_outages(
    found: Sequence[Fault], outages: Iterable[Fault], starts_s: float, ends_s: float, tempo: Tempo
) -> list[Fault]:
    """The faults of a broadcast together with the outages that it meets, which take the place of those near them.

    The stream does not come back from an outage that lasts until just before the end: that fault has no end.
    """
    apart_s = tempo.in_play(APART_S_MIN)
    met = [
        outage if outage.to_s < ends_s - apart_s else Fault(outage.from_s, inf, outage.kind)
        for outage in outages
        if starts_s < outage.from_s < ends_s - apart_s
    ]
    alone = [
        fault
        for fault in found
        if all(fault.to_s + apart_s < outage.from_s or outage.to_s + apart_s < fault.from_s for outage in met)
    ]
    whole = sorted([*alone, *met], key=lambda fault: fault.from_s)
    dead = next((place for place, fault in enumerate(whole) if fault.to_s == inf), len(whole))
    return whole[: dead + 1]


def cut(found: Iterable[Fault], ends_s: float, after_s: float) -> list[Fault]:
    """The faults of a broadcast whose server cuts an encoder that has been frozen for `after_s` (of the play): from
    then on it is gone, and what comes back is another connection."""
    whole = list[Fault]()
    for fault in found:
        cut_s = round(fault.from_s + after_s, 3)
        if fault.kind == "freeze" and cut_s < min(fault.to_s, ends_s):
            whole += [Fault(fault.from_s, cut_s, "freeze"), Fault(cut_s, fault.to_s, "drop")]
        else:
            whole.append(fault)
    return whole


def merged(outages: Iterable[Fault], tempo: Tempo) -> tuple[Fault, ...]:
    """Outages of one room, in order; those that nearly touch are one, which is a drop if one of them is."""
    found: list[Fault] = []
    for outage in sorted(outages, key=lambda outage: outage.from_s):
        if found and outage.from_s <= found[-1].to_s + tempo.in_play(APART_S_MIN):
            last = found.pop()
            kind: Kind = "drop" if "drop" in (last.kind, outage.kind) else "freeze"
            outage = Fault(last.from_s, max(last.to_s, outage.to_s), kind)
        found.append(outage)
    return tuple(found)

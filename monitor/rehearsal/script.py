"""What happens in one room: its broadcasts with their audience and faults, laid down by the seed before they happen."""

import random
from collections.abc import Iterator
from math import exp, inf, pi, sin
from typing import Literal

import msgspec

from .cast import Part
from .tempo import Tempo

MINUTE, HOUR = 60.0, 3600.0
AUDIENCE = {1: 260.0, 2: 90.0, 3: 25.0, 4: 6.0}  # what a room of this tier usually draws
FAULT_EVERY_S = 80 * MINUTE
FROZEN_SHARE = 0.35
UNREST_S = (170.0, 410.0, 990.0)


class Wave(msgspec.Struct, frozen=True):
    """Viewers who come for one reason (the start, a product, a recommendation) and leave one after the other."""

    at_s: float
    size: float
    rise_s: float
    stay_s: float

    def left(self, at_s: float) -> float:
        age_s = at_s - self.at_s
        return self.size * (1 - exp(-age_s / self.rise_s)) * exp(-age_s / self.stay_s) if age_s > 0 else 0.0


class Fault(msgspec.Struct, frozen=True):
    """The encoder loses its connection, or freezes with the connection open, and comes back.

    `to_s` is infinity for the last fault of a broadcast that broke off and did not come back.
    """

    from_s: float
    to_s: float
    kind: Literal["drop", "freeze"]


class Broadcast(msgspec.Struct, frozen=True):
    """One broadcast: planned until `planned_end_s`, truly over at `ends_s`. Seconds of the play, from its start.

    `ending`: the broadcaster signed off; or it broke off in the middle; or it was planned and never began (then
    `ends_s` is `starts_s`).
    """

    number: int
    starts_s: float
    ends_s: float
    planned_end_s: float
    waves: tuple[Wave, ...]
    faults: tuple[Fault, ...]
    ending: Literal["signed_off", "broke_off", "absent"]
    unrest: float  # how much the audience comes and goes without a reason
    phase: float

    def audience(self, at_s: float) -> int:
        """Who watches, or waits while the picture is away: many leave then, and come back over some time."""
        crowd = sum(wave.left(at_s) for wave in self.waves)
        restless = self.unrest * min(1.0, (at_s - self.starts_s) / (3 * MINUTE))
        crowd += restless * sum(sin(2 * pi * at_s / period + self.phase * period) for period in UNREST_S)
        for fault in self.faults:
            crowd *= patience(fault, at_s)
        return max(0, round(crowd))

    def received_s(self, at_s: float) -> float:
        """Seconds of sound and picture that the server got until then."""
        missing = sum(min(at_s, fault.to_s) - fault.from_s for fault in self.faults if fault.from_s < at_s)
        return at_s - self.starts_s - missing

    def connected_s(self, at_s: float) -> tuple[int, float]:
        """How often the encoder had to connect again until then, and since when its connection stands."""
        ends = [fault.to_s for fault in self.faults if fault.kind == "drop" and fault.to_s <= at_s]
        return len(ends), max(ends, default=self.starts_s)


def patience(fault: Fault, at_s: float) -> float:
    """The share of the audience that a fault left, then or now."""
    length_s = fault.to_s - fault.from_s
    if at_s <= fault.from_s:
        return 1.0
    gone = 0.5 * (1 - exp(-2 * (min(at_s, fault.to_s) - fault.from_s) / length_s))
    return 1 - gone * exp(-max(0.0, at_s - fault.to_s) / (2 * length_s))


def broadcasts(seed: int, part: Part, tempo: Tempo) -> Iterator[Broadcast]:
    """All broadcasts of a room, one after the other, for ever; the first may have begun before the play."""
    room, tier, fault_scale = part.number, part.tier, tempo.speed
    dice = random.Random(f"script {seed} {room}")  # noqa: S311 (a play, no secret)
    over_s = -inf  # of the last broadcast, as planned and in truth
    number = 0
    while True:
        length_s = min(max(dice.lognormvariate(0, 0.5) * 2.2 * HOUR, 40 * MINUTE), 6 * HOUR)
        pause_s = min(max(dice.lognormvariate(0, 0.6) * 1.6 * HOUR, 15 * MINUTE), 10 * HOUR)
        starts_s = -dice.uniform(-pause_s, length_s) if number == 0 else over_s + pause_s
        planned_end_s = starts_s + length_s
        failed = dice.random() < 0.1  # it breaks off in the middle and does not come back
        ends_s = starts_s + length_s * (dice.uniform(0.2, 0.8) if failed else dice.uniform(0.98, 1.02))
        yield Broadcast(
            number=number,
            starts_s=starts_s,
            ends_s=ends_s,
            planned_end_s=planned_end_s,
            waves=tuple(waves(dice, tier, starts_s, ends_s)),
            faults=tuple(faults(dice, starts_s, ends_s, fault_scale)),
            ending="broke_off" if failed else "signed_off",
            unrest=0.25 * AUDIENCE[tier] ** 0.5,
            phase=dice.uniform(0, 2 * pi),
        )
        over_s = max(ends_s, planned_end_s)
        number += 1


def waves(dice: random.Random, tier: int, starts_s: float, ends_s: float) -> Iterator[Wave]:
    draw = AUDIENCE[tier] * dice.lognormvariate(0, 0.4)
    yield Wave(starts_s, 0.8 * draw, 3 * MINUTE, 45 * MINUTE)
    at_s = starts_s
    while (at_s := at_s + dice.expovariate(1 / (12 * MINUTE))) < ends_s:
        size = 0.35 * draw * dice.lognormvariate(0, 0.7)
        yield Wave(at_s, size, dice.uniform(0.5, 4) * MINUTE, dice.uniform(8, 25) * MINUTE)


def faults(dice: random.Random, starts_s: float, ends_s: float, scale: float) -> Iterator[Fault]:
    at_s = starts_s
    while (at_s := at_s + dice.expovariate(1 / FAULT_EVERY_S)) < ends_s:
        frozen = dice.random() < FROZEN_SHARE
        to_s = at_s + (dice.uniform(15, 40) if frozen else dice.uniform(6, 30)) * scale
        if to_s + 20 * scale > ends_s:
            return
        yield Fault(at_s, to_s, "freeze" if frozen else "drop")
        at_s = to_s + 20 * scale

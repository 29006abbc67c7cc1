"""Tells the broadcasts of a room one after the other: planned by its rhythm, with faults and an ending."""

import random
from collections.abc import Iterator, Sequence
from math import inf, pi

from ..manners import cut_after_s, tells_end
from .audience import likes_for_each_view, waves
from .cast import Part
from .mishaps import APART_S_MIN, begins_after, cut, faults, until, with_outages
from .rhythm import DAY, habits_of, slots_of_day
from .script import Broadcast, Fault
from .tempo import Tempo

# Seconds of the world, at every speed. While a play runs so fast that these fill the day, its rhythm is lost.
LENGTH_S_MIN = 360.0
PLANNED_S_MIN = 450.0  # so that a sign-off before the planned end leaves as much
PAUSE_S_MIN = 300.0  # grace of 120 s, and 180 s more, so that no two broadcasts are taken for one
OFF_PLAN_S_MAX = 600.0  # how much sooner or later than planned a broadcast is signed off
OFF_PLAN_SHARE_MAX = 0.2  # of the planned length, too
TRYING_S_MIN = 240.0  # how long a crew tries to bring a dead stream back: longer than grace

ABSENT = 0.03
BREAKS_OFF = 0.03
MUCH_EARLIER = 0.12  # where ends of rooms are told: what stops there before its time was no failure


def broadcasts(
    seed: int, part: Part, tempo: Tempo, outages: Sequence[Fault] = (), streams_fail: bool = True
) -> Iterator[Broadcast]:
    """All broadcasts of a room, for ever; the first may have begun before second 0, and ends or was to end after it.

    Each is planned for PLANNED_S_MIN or more, and begins PAUSE_S_MIN or more after the last one was over, as
    planned and in truth. `outages` are those of `mishaps.merged`, in seconds of the play. Unless `streams_fail`, they
    are all that goes wrong with a stream; who does not come at all still does not.
    """
    habits = habits_of(part, seed)
    number, over_s, day = 0, -inf, -2
    while True:
        day += 1
        for dice, from_s, to_s in slots_of_day(seed, part, habits, day):
            starts_s = round(day * DAY - tempo.opens_s + from_s, 3)
            earliest_s = round(over_s + tempo.in_play(PAUSE_S_MIN), 3) if number else -inf
            if earliest_s - starts_s > DAY / 4:
                continue  # the play runs so fast that the last one is not over
            starts_s = max(starts_s, earliest_s)
            shortest_s = tempo.in_play(PLANNED_S_MIN)
            planned_end_s = round(max(day * DAY - tempo.opens_s + to_s, starts_s + shortest_s), 3)
            if planned_end_s <= 0:
                continue
            one = broadcast(dice, part, number, starts_s, planned_end_s, tempo, outages, streams_fail)
            yield one
            number, over_s = number + 1, max(one.ends_s, planned_end_s)


def broadcast(
    dice: random.Random, part: Part, number: int, starts_s: float, planned_end_s: float, tempo: Tempo,
    outages: Sequence[Fault], streams_fail: bool = True,
) -> Broadcast:  # fmt: skip
    """What comes of a slot. All dice are thrown in any case, so that an outage changes nothing but what it hits."""
    fate, phase, likes = dice.random(), round(dice.uniform(0, 2 * pi), 6), likes_for_each_view(dice, part.draw)
    ends_s = signs_off(dice, part, starts_s, planned_end_s, tempo)
    dies_s = starts_s + dice.uniform(0.2, 0.8) * (planned_end_s - starts_s)
    dies_s = round(min(dies_s, planned_end_s - tempo.in_play(TRYING_S_MIN)), 3)
    gives_up_s = round(min(dies_s + tempo.in_play(TRYING_S_MIN) * dice.uniform(1, 4), planned_end_s), 3)
    seeds = dice.getrandbits(32), dice.getrandbits(32)
    begins_s = begins_after(outages, starts_s, tempo)
    stream_ends_s = dies_s if streams_fail and ABSENT <= fate < ABSENT + BREAKS_OFF else ends_s
    if fate < ABSENT or stream_ends_s - begins_s < tempo.in_play(2 * APART_S_MIN):  # then nobody begins any more
        return Broadcast(number, starts_s, starts_s, planned_end_s, (), (), "absent", 1.0, phase, likes, tempo.speed)
    alone = faults(random.Random(seeds[0]), begins_s, stream_ends_s, tempo) if streams_fail else []  # noqa: S311
    met = with_outages(alone, outages, begins_s, stream_ends_s, tempo)
    broken = bool(met) and met[-1].to_s == inf
    if stream_ends_s == dies_s and not broken:
        met, broken = until(met, dies_s, tempo), True
    if stream_ends_s == dies_s:
        ends_s = max(gives_up_s, round(begins_s + tempo.in_play(LENGTH_S_MIN), 3))
    return Broadcast(
        number=number,
        starts_s=begins_s,
        ends_s=ends_s,
        planned_end_s=planned_end_s,
        waves=waves(random.Random(seeds[1]), part.draw, begins_s, ends_s),  # noqa: S311 (a play, no secret)
        faults=tuple(cut(met, ends_s, tempo.in_play(cut_after_s(part.platform, part.hall)))),
        ending="broke_off" if broken else "signed_off",
        unrest=1.0,
        phase=phase,
        likes=likes,
        speed=tempo.speed,
    )


def once(script: Iterator[Broadcast]) -> Iterator[Broadcast]:
    """Until the first that began; after it there is one that is planned for no day."""
    for one in script:
        yield one
        if one.ending != "absent":
            break
    yield Broadcast(one.number + 1, inf, inf, inf, (), (), "absent", 1.0, 0.0, 0.0, one.speed)


def signs_off(dice: random.Random, part: Part, starts_s: float, planned_end_s: float, tempo: Tempo) -> float:
    """When the broadcaster signs off, if nothing else ends it."""
    length_s = planned_end_s - starts_s
    off_plan_s_max = min(tempo.in_play(OFF_PLAN_S_MAX), OFF_PLAN_SHARE_MAX * length_s)
    off_plan_s = min(max(dice.gauss(0, 0.4), -1), 1) * off_plan_s_max
    early = dice.random() < MUCH_EARLIER
    after_s = max(dice.uniform(0.4, 0.9) * length_s, tempo.in_play(LENGTH_S_MIN))
    told = tells_end(part.platform, part.hall)
    return round(starts_s + (after_s if early and told else length_s + off_plan_s), 3)

"""The faults of a rehearsal for which nobody wrote a plan: each evening something, from the seed, and never a storm."""

import random
from collections.abc import Iterator

from ..event.cast import HALLS
from ..event.tempo import Tempo
from ..manners import CLOUDS, hall_feed, server_of
from .fault_words import HOWS
from .faults import AnyFault, FeedOutage, PushesStop, StreamsDrop
from .plan import DAY_S, Head, Plan

# Platforms with many rooms, whose pushes have polls as witnesses.
PLATFORMS = ("doudian", "wechat", "kwaixiaodian")
ASKED = [hall for hall in HALLS if server_of(hall) not in CLOUDS]  # a cloud is not asked: nothing of it can fail so
WEEK_S = 7.0 * DAY_S
ROUND_S = 1_200.0  # of the world: in so long each of the three happens once
CALM_S = 1_200.0  # at least so long nothing happens after that, however fast the evenings follow each other
BEGINS = (0.1, 0.4, 0.68)  # as shares of a round, with up to 0.05 more
FAULT_S_MIN = 20.0  # shorter ones cannot be seen: polls, grace and alerts need their time at every speed


def default_plan(seed: int, tempo: Tempo, for_s: float | None) -> Plan:
    """A platform or a hall drops, a hall cannot be seen, a platform's pushes stay away: once soon after the beginning
    (within 20 minutes of the world, sooner in a shorter play), and once in each later evening of the play.

    `for_s`: seconds of the world that it is played; None: a week of the play. Later rounds that would not be over by
    then are left out. At high speed an evening is left out that begins within CALM_S after the last round.
    """
    end_s = for_s if for_s is not None else WEEK_S / tempo.speed
    faults: list[AnyFault] = []
    for number, begins_s in enumerate(rounds(tempo, end_s)):
        dice = random.Random(f"usual plan {seed} {number}")  # noqa: S311 (a play, no secret)
        scale = min(1.0, (end_s - begins_s) / ROUND_S)
        faults += one_round(dice, begins_s, scale)
    faults = [fault for fault in faults if fault.length_s >= FAULT_S_MIN and fault.to_s <= end_s]
    return Plan(Head(title="日常演练 · The usual rehearsal"), tuple(faults))


def rounds(tempo: Tempo, end_s: float) -> Iterator[float]:
    """When rounds begin, in seconds of the world."""
    yield 0.0
    last_s, opening_s = 0.0, Tempo(tempo.began_at).opens_s
    evening_s = (opening_s - tempo.opens_s) % DAY_S / tempo.speed
    while evening_s + ROUND_S <= end_s:
        if evening_s >= last_s + ROUND_S + CALM_S:
            yield evening_s
            last_s = evening_s
        evening_s += DAY_S / tempo.speed


def one_round(dice: random.Random, begins_s: float, scale: float) -> list[AnyFault]:
    """The three, one after the other in an order of the dice."""
    minutes = [(begins_s + (share + dice.uniform(0, 0.05)) * ROUND_S * scale) / 60 for share in BEGINS]
    dice.shuffle(minutes)
    outage_s, blind_s, silence_s = (
        round(scale * dice.uniform(*span), -1) for span in ((150, 240), (90, 180), (240, 300))
    )
    platform, hall = (dice.choice(PLATFORMS), None) if dice.random() < 0.5 else ("nginx_rtmp", dice.choice(HALLS))
    faults: list[AnyFault] = [
        StreamsDrop(minute=minutes[0], lasts_s=outage_s, platform=platform, hall=hall),
        FeedOutage(minute=minutes[1], lasts_s=blind_s, name=hall_feed(dice.choice(ASKED)), how=dice.choice(list(HOWS))),
        PushesStop(minute=minutes[2], lasts_s=silence_s, name=dice.choice(PLATFORMS)),
    ]
    return sorted(faults, key=lambda fault: fault.minute)

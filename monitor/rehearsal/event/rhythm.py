"""When a room plans to be on air: by the clock of the event, in the evening above all."""

import random
from collections.abc import Iterable

import msgspec

from .cast import Part

HOUR = 3_600.0
DAY = 86_400.0


class Habit(msgspec.Struct, frozen=True):
    """Hours of the local day between which broadcasts begin and end, most often in the middle.

    `share`: of the rooms that keep these hours. `daily`: how often such a room is on air on a day.
    """

    share: float
    daily: float
    begins: tuple[float, float]
    ends: tuple[float, float]


HABITS = (
    Habit(0.50, 0.90, (18.5, 20.5), (22.0, 24.0)),  # evening
    Habit(0.21, 0.78, (10.5, 13.0), (12.8, 16.0)),  # noon
    Habit(0.13, 0.78, (14.0, 17.0), (16.5, 20.0)),  # afternoon
    Habit(0.10, 0.78, (6.5, 9.5), (9.0, 12.0)),  # morning
    Habit(0.06, 0.78, (22.0, 24.5), (25.0, 28.5)),  # night
)
STAR_EVENING = Habit(1.0, 0.65, (18.0, 20.0), (22.5, 25.0))
STAR_NOON = Habit(1.0, 0.5, (10.0, 12.0), (14.0, 16.0))


def habits_of(part: Part, seed: int) -> tuple[Habit, ...]:
    """A room keeps its hours through the whole event; stars have two."""
    if part.star:
        return STAR_NOON, STAR_EVENING
    dice = random.Random(f"habit {seed} {part.number}")  # noqa: S311 (a play, no secret)
    return tuple(dice.choices(HABITS, [habit.share for habit in HABITS]))


def slots_of_day(seed: int, part: Part, habits: Iterable[Habit], day: int) -> list[tuple[random.Random, float, float]]:
    """What a room would plan for a local day: from when to when (seconds after its midnight), with dice of its own for
    all that happens in it."""
    planned = []
    for place, habit in enumerate(habits):
        dice = random.Random(f"script {seed} {part.number} {day} {place}")  # noqa: S311 (a play, no secret)
        if dice.random() < habit.daily:
            planned.append((dice, HOUR * dice.triangular(*habit.begins), HOUR * dice.triangular(*habit.ends)))
    return planned

"""Who watches: people who come in waves and leave, some at once; a pure function of time that looks like recordings."""

import random
from collections.abc import Iterable, Iterator
from math import exp, pi, pow, sin, sqrt
from typing import Literal

import msgspec

MINUTE = 60.0
REFRESH_S = 5.2  # seconds of the world between two countings of a platform: that of recorded streams
TURNOVER_S = 350.0  # after so long, what came and went without a reason is forgotten
UNREST = 0.7  # the size of that, in square roots of the audience
FLEETING_S = 3_000.0  # in so long, as many as watch came for a moment and left: views that nobody sees in the curve
PERIODS_S = tuple(12.0 * 1.85**step for step in range(10))

Why = Literal["start", "recommended", "push"]


class Wave(msgspec.Struct, frozen=True, gc=False):
    """Viewers who come for one reason (the start, a recommendation, a product push) and leave one after the other.

    `at_s`, `rise_s` and `stay_s` are seconds of the play, `size` is how many there would be if none left.
    """

    at_s: float
    size: float
    rise_s: float
    stay_s: float
    why: Why = "recommended"

    def left(self, at_s: float) -> float:
        """How many of them watch."""
        age_s = at_s - self.at_s
        return self.size * (1 - exp(-age_s / self.rise_s)) * exp(-age_s / self.stay_s) if age_s > 0 else 0.0


def crowd_and_views(waves: Iterable[Wave], at_s: float) -> tuple[float, float]:
    """How many there are then, and how often somebody came until then. The second never falls."""
    watching, came, watched_s = 0.0, 0.0, 0.0
    for wave in waves:
        age_s = at_s - wave.at_s
        if age_s <= 0:
            break  # waves come one after the other
        size, rise_s, stay_s = wave.size, wave.rise_s, wave.stay_s
        to_come, loyal = exp(-age_s / rise_s), exp(-age_s / stay_s)
        both_s = rise_s * stay_s / (rise_s + stay_s)
        watching += size * (1 - to_come) * loyal
        # Those who leave are a stay_s-th of those who watch; so many must have come that `left` is what remains.
        came += size * both_s / rise_s * (1 - to_come * loyal)
        watched_s += size * (stay_s * (1 - loyal) - both_s * (1 - to_come * loyal))
    return watching, came + watched_s / FLEETING_S


def _unrest() -> tuple[tuple[float, float], ...]:
    """Frequencies (radians a second) and sizes of sines whose sum moves as numbers in a queue do: with a variance of 1,
    little from count to count, all of it after TURNOVER_S."""
    squares = []
    for period_s in PERIODS_S:
        turned = 2 * pi * TURNOVER_S / period_s
        squares.append(turned / (1 + turned * turned))
    whole = sum(squares) / 2
    return tuple((2 * pi / period_s, sqrt(square / whole)) for period_s, square in zip(PERIODS_S, squares, strict=True))


SINES = _unrest()


def restless(at_s: float, phase: float) -> float:
    """What comes and goes without a reason: around 0, seldom over 2. Another phase (0 to 2 pi) is another audience."""
    at_s *= 0.9 + 0.03 * phase  # so that no two rooms go in step for long
    total, turn = 0.0, phase
    for frequency, size in SINES:
        total += size * sin(frequency * at_s + turn)
        turn = turn * 3.7 + 1.3
    return total


def counted_s(at_s: float, starts_s: float, speed: float, phase: float) -> float:
    """When the platform counted last: what it says at `at_s` is how things stood then."""
    every_s = REFRESH_S * speed
    return max(starts_s, at_s - (at_s + phase * every_s) % every_s)


def waves(dice: random.Random, draw: float, starts_s: float, ends_s: float) -> tuple[Wave, ...]:
    """All waves of one broadcast, in their order. A large room has many small ones, a small room few large ones."""
    draw *= dice.lognormvariate(0, 0.25)
    found = [Wave(starts_s, round(0.85 * draw, 2), round(dice.uniform(2, 6) * MINUTE, 1), 50 * MINUTE, "start")]
    calm = min(max(pow(draw / 20, 0.33), 1.0), 6.0)
    found += _coming(dice, draw, starts_s, ends_s, "recommended", 12 * MINUTE / calm, 50 * MINUTE, 0.85)
    found += _coming(dice, draw, starts_s, ends_s, "push", 20 * MINUTE / sqrt(calm), 7 * MINUTE, 0.08)
    return tuple(sorted(found, key=lambda wave: wave.at_s))


def _coming(
    dice: random.Random, draw: float, starts_s: float, ends_s: float, why: Why, every_s: float, stay_s: float,
    share: float,
) -> Iterator[Wave]:  # fmt: skip
    """Waves of one kind which together keep about `share` of the draw watching."""
    at_s = starts_s
    while (at_s := at_s + dice.expovariate(1 / every_s)) < ends_s:
        stays_s = stay_s * dice.uniform(0.4, 1.6)
        size = draw * share * every_s / stay_s * dice.lognormvariate(-0.12, 0.5)
        rise_s = dice.uniform(15, 60) if why == "push" else dice.uniform(1, 5) * MINUTE
        yield Wave(round(at_s, 3), round(size, 2), round(rise_s, 1), round(stays_s, 1), why)


def likes_for_each_view(dice: random.Random, draw: float) -> float:
    """Small rooms like more: as recorded, about a third of a like for each view there, a tenth in the largest."""
    return round(min(0.42 * pow(max(draw, 5), -0.13) * dice.lognormvariate(0, 0.25), 0.6), 4)

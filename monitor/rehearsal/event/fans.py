"""Who has how many fans, and how many of them watch: a few stars, and thousands whom hardly anybody knows."""

import random
from math import pow, sqrt

TIER_ONE, TIER_TWO, TIER_THREE = 100_000, 10_000, 1_000  # fans from which a room is of this tier
OWN_SERVER_FANS_MAX = 100_000  # stars are on platforms: no hall has the lines for their audience
DRAW_MAX, VILLAGE_DRAW_MAX = 200.0, 40.0  # of all who are no stars, and of the lowest tier

STARS, OF_ROOMS = 70, 12_000
MILLIONS = 30  # so many of the stars have more than a million fans
FIRST_STAR = 20  # the room that is the first star's; the others stand evenly behind it
RANK_STEP = 43  # no factor of STARS: each rank comes once in 12,000 rooms, and small casts have a mixture


def star_rank(number: int) -> int | None:
    """Which of the 70 stars of 12,000 rooms has this room; 0 has most fans."""
    before, after = stars(number), stars(number + 1)
    return (RANK_STEP * before + 20) % STARS if after > before else None


def stars(rooms: int) -> int:
    """How many of so many rooms are stars'."""
    return (rooms * STARS + OF_ROOMS - (FIRST_STAR + 1) * STARS) // OF_ROOMS if rooms > FIRST_STAR else 0


def star_fans(rank: int, dice: random.Random) -> int:
    """A tenth of a million to ten millions, spread over the ranks so that the sum hardly depends on the dice."""
    if rank < MILLIONS:
        above = 1 - (rank + dice.random()) / MILLIONS
        return 1_001_000 + round(8_990_000 * pow(above, 3.5))
    above = 1 - (rank - MILLIONS + dice.random()) / (STARS - MILLIONS)
    return round(TIER_ONE * pow(10, 0.99 * above))


def usual_fans(dice: random.Random) -> int:
    return min(round(500 * dice.lognormvariate(0, 1.1)), OWN_SERVER_FANS_MAX - 1)


def usual_draw(fans: int, dice: random.Random) -> float:
    """How many people watch: 5 to 40 in a village, 5,000 to 60,000 with stars. Of many fans a smaller share comes."""
    if fans >= TIER_ONE:
        return round(min(max(5_000 * pow(fans / TIER_ONE, 0.3) * dice.lognormvariate(0, 0.25), 5_000), 60_000), 1)
    most = VILLAGE_DRAW_MAX if fans < TIER_THREE else DRAW_MAX
    return round(min(max(0.55 * sqrt(fans) * dice.lognormvariate(0, 0.35), 5), most), 1)


def tier_of(fans: int) -> int:
    """1 for stars, 4 for those whom hardly anybody knows."""
    return 1 if fans >= TIER_ONE else 2 if fans >= TIER_TWO else 3 if fans >= TIER_THREE else 4

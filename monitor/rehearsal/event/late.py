"""The late batch at midnight: each night one platform tells of its last half hour only when the next day has begun."""

import random
from collections import Counter
from collections.abc import Sequence

from .cast import PLATFORMS, Part
from .order import Happening, Order
from .tempo import Tempo

MINUTE, DAY = 60.0, 86_400.0
HELD_FROM_S = DAY - 30 * MINUTE  # by local clocks
TOLD_FROM_S, TOLD_TO_S = 5 * MINUTE, 15 * MINUTE  # by local clocks, after midnight
HELD_PAID_SHARE = 0.3  # of payments; of refunds all are held


class Late:
    """Which platform is late in which night, and what it tells when."""

    def __init__(self, parts: Sequence[Part], tempo: Tempo, seed: int) -> None:
        self.tempo, self.seed = tempo, seed
        self._rooms = Counter(
            part.sells_on for part in parts if part.platform in PLATFORMS and part.platform == part.sells_on
        )

    def platform(self, night: int) -> str | None:
        """Who is late in the so-manieth night (0: the first one of the play); a larger platform more often."""
        if not self._rooms:
            return None
        dice = random.Random(f"late {self.seed} {night}")  # noqa: S311 (a play, no secret)
        kinds = sorted(self._rooms)
        return dice.choices(kinds, [self._rooms[kind] for kind in kinds])[0]

    def told_s(self, order: Order, what: Happening, at_s: float) -> float:
        """When the platform tells of this, in seconds of the play. What is held keeps its order."""
        local_s = self.tempo.local_s(at_s)
        if what not in ("paid", "refunded") or local_s < HELD_FROM_S:
            return at_s
        if order.part.sells_on != self.platform(int((self.tempo.opens_s + at_s) // DAY)):
            return at_s
        dice = random.Random(f"held {self.seed} {order.number}")  # noqa: S311 (a play, no secret)
        if what == "paid" and dice.random() >= HELD_PAID_SHARE:
            return at_s
        share = (local_s - HELD_FROM_S) / (DAY - HELD_FROM_S)
        return at_s + (DAY - local_s) + TOLD_FROM_S + share * (TOLD_TO_S - TOLD_FROM_S)

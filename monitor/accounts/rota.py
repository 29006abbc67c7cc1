"""Which shop is asked next: busy ones often, quiet ones up to ten times as seldom, the most overdue first. Pure.

A shop is busy while it sells; what pushes tell of it counts, too. Where there are few shops none need wait longer for
being quiet. Time comes as an argument.
"""

import heapq
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

BUSY = timedelta(minutes=15)
QUIET_TIMES_MAX = 10
FEW = 50  # shops that are all asked as often as busy ones; of so many more each, quiet ones wait once more as long
FAILED_DOUBLINGS_MAX = 4


class Turn(msgspec.Struct):
    """How a shop stands. `failures` are those in a row."""

    due_at: datetime
    asked_at: datetime | None = None
    sold_at: datetime | None = None
    failures: int = 0
    out: bool = False


class Rota:
    """`every` is how often a busy shop is asked."""

    def __init__(self, every: timedelta) -> None:
        self.every = every
        self.turns: dict[str, Turn] = {}
        self._heap: list[tuple[datetime, str]] = []
        self._taken_at: datetime | None = None

    def shops_are(self, due: Mapping[str, datetime]) -> None:
        """Those there are now, and since when a new one is due."""
        self.turns = {shop: turn for shop, turn in self.turns.items() if shop in due}
        for shop, at in due.items():
            if shop not in self.turns:
                self.turns[shop] = Turn(at)
                heapq.heappush(self._heap, (at, shop))

    def take(self, now: datetime, idle: bool = False) -> str | None:
        """The most overdue; with `idle`, where none is due and none was asked for as long as a busy one may wait, the
        first to come."""
        at = self.next_at()
        if at is None:
            return None
        if at > now and not (idle and (self._taken_at is None or self._taken_at + self.every <= now)):
            return None
        shop = heapq.heappop(self._heap)[1]
        self.turns[shop].out, self._taken_at = True, now
        self.turns[shop].asked_at = now
        return shop

    def next_at(self) -> datetime | None:
        """When the next one is due; None: none that is not out."""
        while self._heap:
            at, shop = self._heap[0]
            turn = self.turns.get(shop)
            if turn is not None and not turn.out and turn.due_at == at:
                return at
            heapq.heappop(self._heap)
        return None

    def done(self, shop: str, now: datetime, sold_at: datetime | None = None, more: bool = False) -> None:
        """It was asked. `more`: not all that there was, so it is due at once."""
        turn = self.turns.get(shop)
        if turn is None:
            return
        turn.failures = 0
        self._sold(turn, sold_at)
        self._due(shop, turn, now if more else (turn.asked_at or now) + self._gap(turn, now))

    def failed(self, shop: str, now: datetime, wait: timedelta = timedelta(0)) -> None:
        """It could not be asked: again after a while that grows, not before `wait` is over."""
        turn = self.turns.get(shop)
        if turn is None:
            return
        turn.failures += 1
        gap = self.every * min(2 ** min(turn.failures - 1, FAILED_DOUBLINGS_MAX), QUIET_TIMES_MAX)
        self._due(shop, turn, now + max(gap, wait))

    def sold(self, shop: str, at: datetime, now: datetime) -> None:
        """Somebody else heard that it sells: a quiet one is asked sooner than it would have been."""
        turn = self.turns.get(shop)
        if turn is None:
            return
        self._sold(turn, at)
        if turn.out or turn.failures:
            return
        due_at = (turn.asked_at or now) + self._gap(turn, now)
        if due_at < turn.due_at:
            self._due(shop, turn, due_at)

    @property
    def failing(self) -> int:
        return sum(turn.failures > 0 for turn in self.turns.values())

    def _sold(self, turn: Turn, at: datetime | None) -> None:
        if at is not None and (turn.sold_at is None or at > turn.sold_at):
            turn.sold_at = at

    def _gap(self, turn: Turn, now: datetime) -> timedelta:
        times_max = min(QUIET_TIMES_MAX, 1 + len(self.turns) // FEW)
        if turn.sold_at is None:
            return self.every * times_max
        return self.every * max(1, min(times_max, (now - turn.sold_at) // BUSY))

    def _due(self, shop: str, turn: Turn, at: datetime) -> None:
        turn.out, turn.due_at = False, at
        heapq.heappush(self._heap, (at, shop))

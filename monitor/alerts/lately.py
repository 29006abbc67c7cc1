"""What rooms sold in the last ten minutes: totals of the watch, noted each minute."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

Key = tuple[str, str]
SPAN = timedelta(minutes=10)
NOTE_EVERY = timedelta(minutes=1)


class Lately:
    """`totals` reads what each room has sold since we watch, in minor units of `currency`; it never falls."""

    def __init__(self, totals: Callable[[], Iterable[tuple[Key, int]]], currency: str) -> None:
        self._totals, self._currency = totals, currency
        self._notes: deque[tuple[datetime, dict[Key, int]]] = deque()

    def note(self, now: datetime) -> None:
        """Called each second or so."""
        if self._notes and now < self._notes[-1][0]:
            self._notes.clear()  # the clock stepped back
        if self._notes and now - self._notes[-1][0] < NOTE_EVERY:
            return
        self._notes.append((now, {key: total for key, total in self._totals() if total}))
        while len(self._notes) > 1 and now - self._notes[1][0] >= SPAN:
            self._notes.popleft()

    def sold(self, keys: Iterable[Key], now: datetime) -> Mapping[Key, tuple[int, str]]:
        """Of rooms that sold something; nothing before we have watched for ten minutes, because that would be less."""
        if not self._notes or now - self._notes[0][0] < SPAN:
            return {}
        wanted, before = set(keys), self._notes[0][1]
        sold = {key: total - before.get(key, 0) for key, total in self._totals() if key in wanted}
        return {key: (amount, self._currency) for key, amount in sold.items() if amount > 0}

"""The episodes that still matter, in memory: open ones, and those that ended lately. Plain values, no I/O."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from monitor.alerts.kept import Kept, Key

REMEMBERED_FOR = timedelta(hours=5)
REMEMBERED_MAX = 50_000


class Memory:
    """What the book holds, as far as anything is decided by it. It changes only after the book has it on disk."""

    def __init__(self, kept: Iterable[Kept] = (), next_number: int = 1) -> None:
        self.next_number = next_number
        self.open: dict[Key, Kept] = {}
        self.past: dict[Key, Kept] = {}
        self.storms: dict[str, datetime] = {}  # groups of which Alertmanager did not tell all, until when
        self._threads: defaultdict[str, dict[Key, Kept]] = defaultdict(dict)
        self.take(kept)

    def find(self, key: Key) -> Kept | None:
        return self.open.get(key) or self.past.get(key)

    def thread(self, name: str) -> Iterable[Kept]:
        return self._threads[name].values() if name in self._threads else ()

    def numbered(self, number: int) -> Kept | None:
        """The episode of this number that began last, if it is remembered: the one of several that goes on."""
        found = [kept for kept in (*self.open.values(), *self.past.values()) if kept.number == number]
        return max(found, key=lambda kept: (kept.episode.open, kept.alert.starts_at), default=None)

    def take(self, changed: Iterable[Kept]) -> None:
        for kept in changed:
            self.open.pop(kept.key, None)
            self.past.pop(kept.key, None)
            (self.open if kept.episode.open else self.past)[kept.key] = kept
            self._threads[kept.thread][kept.key] = kept
            self.next_number = max(self.next_number, kept.number + 1)

    def forget(self, now: datetime) -> None:
        """What ended long ago; the book knows it still. `past` stands in the order of ends."""
        self.storms = {key: until for key, until in self.storms.items() if now < until}
        for key in list(self.past):
            settled_at = self.past[key].settled_at
            if len(self.past) <= REMEMBERED_MAX and settled_at and now - settled_at < REMEMBERED_FOR:
                break
            thread = self.past.pop(key).thread
            self._threads[thread].pop(key, None)
            if not self._threads[thread]:
                del self._threads[thread]


class Draft:
    """A memory as it would be with some changes, which may still come to nothing."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.changed: dict[Key, Kept] = {}
        self._next_number = memory.next_number
        self._threads: defaultdict[str, dict[Key, Kept]] = defaultdict(dict)

    def number(self) -> int:
        self._next_number += 1
        return self._next_number - 1

    def find(self, key: Key) -> Kept | None:
        return self.changed.get(key) or self._memory.find(key)

    def put(self, kept: Kept) -> None:
        self.changed[kept.key] = kept
        self._threads[kept.thread][kept.key] = kept

    def open(self) -> Iterator[Kept]:
        for key, kept in self._memory.open.items():
            if key not in self.changed:
                yield kept
        yield from [kept for kept in self.changed.values() if kept.episode.open]

    def all(self) -> Iterator[Kept]:
        """Open and past."""
        yield from self.open()
        yield from [kept for kept in self.changed.values() if not kept.episode.open]
        for key, kept in self._memory.past.items():
            if key not in self.changed:
                yield kept

    def thread(self, name: str) -> list[Kept]:
        """In the order of their beginnings."""
        found = {kept.key: kept for kept in self._memory.thread(name)}
        found |= self._threads.get(name, {})
        return sorted(found.values(), key=lambda kept: kept.alert.starts_at)

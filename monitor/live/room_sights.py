"""Single rooms that a feed cannot see though it sees others, where a frame shows the rooms it names and no other."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

import msgspec

from monitor.facts import BlindSpan

ROOM_FAILURES_MAX = 2  # in a row: blind
Numbers = tuple[int | None, int | None, int | None, int | None, int | None]


class RoomSights:
    """`dark` are the spans that last, by room."""

    def __init__(self) -> None:
        self.dark: dict[str, BlindSpan] = {}
        self._failures: dict[str, int] = {}  # in a row
        self._seen: dict[str, datetime] = {}
        self._numbers: dict[str, Numbers] = {}  # of rooms that are live

    def failed(self, feed: str, platform: str, room: str, cause: str, since: datetime, now: datetime) -> bool:
        """The room was not seen; the second time in a row a span begins, as of the last time that it was.

        `since`: when the feed as a whole came back; what was before that is its own span. True: a span has begun.
        """
        self._failures[room] = self._failures.get(room, 0) + 1
        if room in self.dark or self._failures[room] < ROOM_FAILURES_MAX:
            return False
        from_at = min(max(self._seen.get(room, since), since), now)
        self.dark[room] = BlindSpan(feed, platform, from_at, cause, room)
        self._numbers.pop(room, None)  # that nobody sees them is no sign that they stand still
        return True

    def seen(self, rooms: Iterable[str], at: datetime) -> list[BlindSpan]:
        """They were seen at this instant: the spans that end with it."""
        for room in rooms:
            self._seen[room] = at
            self._failures.pop(room, None)
        return self.ended([room for room in rooms if room in self.dark], at) if self.dark else []

    def ended(self, rooms: Iterable[str], at: datetime) -> list[BlindSpan]:
        """Their spans end, whatever comes after them."""
        spans = [self.dark.pop(room) for room in rooms]
        return [msgspec.structs.replace(span, to_at=max(at, span.from_at)) for span in spans]

    def all_ended(self, at: datetime) -> list[BlindSpan]:
        """The whole feed is blind from here on: no room has a span of its own."""
        self._failures.clear()
        return self.ended(tuple(self.dark), at)

    def stay(self, rooms: Collection[str], now: datetime) -> list[BlindSpan]:
        """These are the feed's rooms; the spans of others end."""
        for gone in self._seen.keys() - rooms:
            del self._seen[gone]
        for gone in self._failures.keys() - rooms:
            del self._failures[gone]
        return self.ended([room for room in self.dark if room not in rooms], now)

    def forget(self) -> None:
        """The clock stepped: instants from before it are of another time."""
        self._seen.clear()

    def moves(self, live: dict[str, Numbers], others: Iterable[str]) -> bool | None:
        """Whether any room moved by these numbers of live rooms; None: there is none whose numbers could move.

        `others` were seen, too, and are not live. A room that is new among the live ones moved.
        """
        for room in others:
            self._numbers.pop(room, None)
        moved = any(self._numbers.get(room) != found for room, found in live.items())
        self._numbers.update(live)
        return moved if live else None if not self._numbers else False

    def still(self, weight: Callable[[Numbers], int]) -> int:
        """What all live rooms weigh by their newest numbers."""
        return sum(map(weight, self._numbers.values()))

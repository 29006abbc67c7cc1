"""Which rooms wait for what, so that no step need go through all of them."""

from collections.abc import Iterator

from monitor.live.room import Room
from monitor.live.session import DROPPED, LOST


class Waiting:
    """Rooms for which time alone does something: lost ones, until nobody need miss them any longer, and dropped ones of
    which only hooks tell. Dropped ones that a feed looks at wait with that feed: their grace is of its time."""

    def __init__(self) -> None:
        self._lost: set[Room] = set()
        self._hooked: set[Room] = set()

    def __iter__(self) -> Iterator[Room]:
        """Those of now: whoever is looked at may be filed elsewhere by that."""
        return iter((*self._lost, *self._hooked))

    def file(self, room: Room) -> None:
        """How a room stands has changed, or who looks at it."""
        phase = room.session.phase
        for feed in room.telling:
            (feed.dropped.add if phase is DROPPED else feed.dropped.discard)(room)
        hooked = phase is DROPPED and bool(room.feeds) and not room.telling
        (self._hooked.add if hooked else self._hooked.discard)(room)
        (self._lost.add if phase is LOST else self._lost.discard)(room)

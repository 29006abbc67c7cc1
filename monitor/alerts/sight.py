"""What alerts know of rooms: how one stands now, and which have stopped."""

from datetime import datetime
from typing import Protocol

import msgspec

OFFLINE, LIVE, DROPPED, BLIND, LOST, UNWATCHED = range(6)
STOPPED = (DROPPED, LOST)


class RoomSight(msgspec.Struct, frozen=True):
    """A room as livemon sees it now.

    `state` is that of `livemon_room_state`; `since`: when it stopped (dropped, lost), began (live) or was last seen
    (blind); `viewers_before`: the last number told before it stopped; `tells_end`: can a source of this room tell a
    sign-off from a failure? `room_id`: our own number of it, in PostgreSQL and on boards. `picture`: what a player of
    ours found since it stopped (an outcome of `livemon_probes_total`), empty where none has looked.
    """

    platform: str
    room: str
    anchor: str = ""
    city: str = ""
    hall: str = ""
    tier: int | None = None
    contact: str = ""
    state: int = BLIND
    since: datetime | None = None
    session_id: str = ""
    viewers_before: int | None = None
    tells_end: bool = False
    room_id: int | None = None
    picture: str = ""


class Counts(msgspec.Struct, frozen=True):
    """How the rooms of a platform, of a hall on it, or all stand. `told`: how many alerts the message is about."""

    platform: str = ""
    hall: str = ""
    told: int = 0
    live: int = 0
    dropped: int = 0
    lost: int = 0
    blind: int = 0

    @property
    def stopped(self) -> int:
        return self.dropped + self.lost


class Sight(Protocol):
    def room(self, platform: str, room: str) -> RoomSight | None: ...

    def stopped(self, platform: str | None = None, hall: str | None = None) -> list[RoomSight]:
        """Rooms that are dropped or lost, those with the most viewers before first."""
        ...

    def counts(self, platform: str | None = None, hall: str | None = None) -> Counts: ...

    def feed(self, name: str) -> str | None:
        """How a feed is seen: ok, refused, blind, frozen, stale; None where there is no such feed."""
        ...

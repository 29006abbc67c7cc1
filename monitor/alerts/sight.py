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
    sign-off from a failure?
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


class Sight(Protocol):
    def room(self, platform: str, room: str) -> RoomSight | None: ...

    def stopped(self, platform: str | None = None, hall: str | None = None) -> list[RoomSight]:
        """Rooms that are dropped or lost, those with the most viewers before first."""
        ...

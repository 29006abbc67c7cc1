"""What live and store both speak of: changes and blind spans."""

from datetime import datetime
from typing import Literal

import msgspec

ChangeName = Literal["opened", "dropped", "resumed", "closed"]
CloseReason = Literal["ended", "scheduled", "lost", "unknown", "unseen", "replaced"]


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One move of one session. `number` counts the session's changes from 1; (session, number) is its natural key.

    A session is named by platform, room and `opened_at`; `at` is when it happened, aware UTC, never before the
    previous change. `cause` says by what: `status`, `event`, `absent`, `stall`, `reconnect`, `failed`, or, of
    `closed`, the close reason. `state` is the room's whole session after the change, sealed beside it.
    """

    platform: str
    room: str
    opened_at: datetime
    number: int
    change: ChangeName
    at: datetime
    cause: str
    state: bytes = b""


class BlindSpan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A span in which a feed could not be seen; `to_at` None while it lasts. It says nothing about rooms.

    `room` None: all rooms of the feed. (feed, room, from_at) is its natural key: a later record of the same key
    with `to_at` closes it.
    """

    feed: str
    platform: str
    from_at: datetime
    cause: str
    room: str | None = None
    to_at: datetime | None = None

"""What a shift hands over, as values; and the part of it that PostgreSQL is asked for, as the reader."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

import msgspec

from monitor.alerts.alert import Episode
from monitor.alerts.hold import Hold
from monitor.alerts.shift import Turn
from monitor.alerts.sight import RoomSight
from monitor.alerts.silence import Silence
from monitor.store.statements import statement

REFUSED_MAX, CHANGES_MAX = 20, 20


class FeedStands(msgspec.Struct, frozen=True):
    """A feed that is not well: `state` as in `livemon_feed_state`."""

    name: str
    platform: str
    hall: str
    state: str
    since: datetime | None
    rooms: int
    detail: str = ""


class FramesStand(msgspec.Struct, frozen=True):
    """Deliveries of a feed that are kept and are not rows yet."""

    feed: str
    frames: int
    oldest_at: datetime


class Refused(msgspec.Struct, frozen=True):
    platform: str
    shop: str
    name: str
    contact: str
    reason: str


class RosterChange(msgspec.Struct, frozen=True):
    at: datetime
    by: str
    action: str
    source: str
    added: int
    changed: int
    retired: int


class FromDatabase(msgspec.Struct, frozen=True):
    """What only PostgreSQL knows."""

    quarantined: Mapping[str, int] = {}
    refused: tuple[Refused, ...] = ()
    refused_count: int = 0
    changes: tuple[RosterChange, ...] = ()


class Standing(msgspec.Struct, frozen=True):
    """All that is handed over, of one instant. `database` None: it did not answer, `database_why` says why."""

    at: datetime
    over: Turn | None = None
    on: Turn | None = None
    stopped: tuple[RoomSight, ...] = ()
    episodes: tuple[Episode, ...] = ()
    holds: Mapping[int, Hold] = {}
    silences: tuple[Silence, ...] = ()
    alertmanager_failing_since: datetime | None = None
    feeds: tuple[FeedStands, ...] = ()
    frames: tuple[FramesStand, ...] = ()
    refused_count: int = 0  # as the running monitor knows it, whatever PostgreSQL does
    database: FromDatabase | None = None
    database_why: str = ""


class Reader(Protocol):
    """A connection of the reader, as far as it is used."""

    async def fetch(self, query: str, *args: Any) -> Sequence[Mapping[str, Any]]: ...


Open = Callable[[], AbstractAsyncContextManager[Reader]]


async def from_database(reader: Reader, since: datetime) -> FromDatabase:
    """Ask it; `since`: when the shift that is over began."""
    quarantined = await reader.fetch(statement("alerts/handover_quarantine"))
    refused = await reader.fetch(statement("alerts/handover_refused"), REFUSED_MAX)
    changes = await reader.fetch(statement("alerts/handover_roster"), since, CHANGES_MAX)
    return FromDatabase(
        {row["kind"]: row["rows"] for row in quarantined},
        tuple(Refused(*(row[name] or "" for name in Refused.__struct_fields__)) for row in refused),
        refused[0]["total"] if refused else 0,
        tuple(
            RosterChange(
                row["at"], row["by_whom"], row["action"], row["source"], row["added"], row["changed"], row["retired"]
            )
            for row in changes
        ),
    )

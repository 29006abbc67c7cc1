"""What live and store both speak of: changes, blind spans, the roster, and what one step brought."""

from datetime import datetime
from typing import Literal

import msgspec

from collectors.hook import Need
from collectors.tick import Sale, Tick

ChangeName = Literal["opened", "dropped", "resumed", "closed"]
ActionName = Literal["acknowledged", "silenced", "ended", "escalated", "note"]
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


class RosterRoom(msgspec.Struct, frozen=True, omit_defaults=True):
    """One room of the roster with the id that PostgreSQL gave it; the spool keeps a mirror of all of them."""

    room_id: int
    platform: str
    external_id: str
    anchor: str = ""
    broadcaster: str = ""
    hall: str = ""
    city: str = ""
    category: str = ""
    tier: int | None = None
    fans: int | None = None
    shop: str = ""
    account: str = ""
    contact: str = ""
    notes: str = ""
    active: bool = True


class Slot(msgspec.Struct, frozen=True):
    """One planned broadcast of a room: from `starts_at` to before `ends_at`, aware UTC."""

    room_id: int
    starts_at: datetime
    ends_at: datetime


class FeedState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the spool remembers of a feed: the instant of its last good frame, and whether it was blind then.

    Of a push: since when its witness looks (`witness_from`), since when pushes are late, or until when they were.
    """

    feed: str
    seen_until: datetime
    blind_from: datetime | None = None
    blind_cause: str = ""
    witness_from: datetime | None = None
    late_from: datetime | None = None
    late_until: datetime | None = None


class Quarantined(msgspec.Struct, frozen=True, omit_defaults=True):
    """A bad row or frame, kept whole for a person. `kind` is frame, tick, sale or change; `sample` is masked."""

    feed: str
    kind: Literal["frame", "tick", "sale", "change"]
    reason: str
    received_at: datetime
    sample: str = ""
    payload: bytes = b""


class AccountFact(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an account stands, for people and SQL; never a token. The newest `at` of (app, shop, anchor) counts.

    `refused`: why it will not have us, empty where it will. `lapses_at`: when a person must link again at the latest.
    """

    app: str
    platform: str
    shop: str
    anchor: str
    at: datetime
    granted: bool
    refused: str = ""
    name: str = ""
    contact: str = ""
    access_until: datetime | None = None
    lapses_at: datetime | None = None
    refreshed_at: datetime | None = None
    gone: bool = False


class AlertEpisode(msgspec.Struct, frozen=True, omit_defaults=True):
    """One alert from beginning to end, for people and SQL; (fingerprint, starts_at) is its natural key.

    It is told when it begins and again when it ends. `number` is the #4821 of messages, which goes on where one alert
    is the sequel of another; `outcome`: what people were told of its end (recovered, not_recovered, quiet).
    """

    fingerprint: str
    starts_at: datetime
    number: int
    name: str
    severity: str
    labels: dict[str, str]
    summary: str = ""
    ends_at: datetime | None = None
    outcome: str = ""


class AlertAction(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was done about an alert, by whom, and for how long. Without fingerprint: about none that was heard of.

    (at, alert, action, by_whom) is its natural key.
    """

    at: datetime
    action: ActionName
    by_whom: str
    fingerprint: str = ""
    starts_at: datetime | None = None
    reason: str = ""
    until: datetime | None = None


class PlatformTotal(msgspec.Struct, frozen=True):
    """What a platform itself said at `at` of the money of the session that was opened at `opened_at`, in the minor
    unit of `currency`. (room, at) is its natural key."""

    platform: str
    room: str
    at: datetime
    opened_at: datetime
    gmv_minor: int
    currency: str


class PollCursor(msgspec.Struct, frozen=True):
    """How far a listing of a shop was polled for a feed: all that changed until `until` was put before it."""

    feed: str
    shop: str
    listing: str
    until: datetime


class Heard(msgspec.Struct):
    """All that one step brought to light; it is sealed as a whole, in the order of steps.

    `ticks` are (room_id, tick) pairs, in the order they came. `frames` are the numbers of kept frames that this step
    understood, `frames_quarantined` of those that it could not, `frames_pending` of those that need answers first.
    `cursors` are on disk with the sales that were polled before them.
    `ticks_from`: how old the ticks may be, where that is more than the usual week.
    """

    ticks: list[tuple[int, Tick]] = []
    ticks_from: datetime | None = None
    changes: list[Change] = []
    spans: list[BlindSpan] = []
    feed: FeedState | None = None
    sales: list[Sale] = []
    quarantine: list[Quarantined] = []
    frames: list[int] = []
    frames_quarantined: list[tuple[int, Quarantined]] = []
    frames_pending: list[tuple[int, tuple[Need, ...]]] = []
    accounts: list[AccountFact] = []
    cursors: list[PollCursor] = []
    alerts: list[AlertEpisode] = []
    actions: list[AlertAction] = []
    totals: list[PlatformTotal] = []

    @property
    def facts(self) -> int:
        """How much room it takes among the facts that wait."""
        return (
            len(self.changes) + len(self.spans) + len(self.sales) + len(self.quarantine)
            + len(self.frames) + len(self.frames_quarantined) + len(self.frames_pending)
            + len(self.accounts) + len(self.cursors) + len(self.alerts) + len(self.actions) + len(self.totals)
        )  # fmt: skip

"""What is remembered of a room's session, and the four changes it can make. Pure: callers bring the time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

import msgspec

from collectors.tick import Tick
from monitor.facts import ChangeName, CloseReason


class Phase(IntEnum):
    OFF = 0
    LIVE = 1
    DROPPED = 2
    LOST = 3


OFF, LIVE, DROPPED, LOST = Phase
MOMENT = timedelta(microseconds=1)
replace = msgspec.structs.replace


class Rules(msgspec.Struct, frozen=True):
    """What a feed's kind says of itself, and the limits of the event."""

    key_is_session: bool = False  # else a key names a connection: a new one may carry the same session on
    refresh: timedelta = timedelta(0)
    stall: timedelta = timedelta(seconds=10)  # without any progress
    tells_end: bool = False
    grace: timedelta = timedelta(seconds=120)
    end_slack: timedelta = timedelta(seconds=900)
    settle: timedelta = timedelta(seconds=15)
    blind_max: timedelta = timedelta(hours=4)
    key_feeds: frozenset[str] = frozenset()  # feeds whose keys are of one kind with this one's
    refused_told: bool = True  # an event tells of a second publisher, too, who is refused


class Stop(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How the picture went away. A closed session keeps its stop: what stalled once must move to be live again."""

    at: datetime  # as it is told: never before the change that went before it
    since: datetime  # where grace begins to run; blind time moves it on. Of a lost room: when grace ran out
    cause: str
    could_tell: bool = False  # its source can tell a sign-off, and did not


class Doubt(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What keeps us from taking a tick at its word."""

    absent_at: datetime | None = None  # one complete answer missed the room; a second in a row would decide
    blind_from: datetime | None = None  # no feed that tells our state can be seen
    unsure_from: datetime | None = None  # we see again, but no key has shown yet that it is the session we knew
    settle_until: datetime | None = None  # publishers are still coming back: that one is missing says nothing


CERTAIN = Doubt()


class Session(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """All that is remembered of a room; it is what the spool keeps, and what a restart goes on from.

    While OFF or LOST it still speaks of the last session. Fields that are rarely set come last, so that the fast
    path of `seeing` need not carry them.
    """

    phase: Phase = OFF
    opened_at: datetime | None = None
    number: int = 0  # changes of this session so far
    changed_at: datetime | None = None  # stamp of the last change: none later is stamped before it
    key: str | None = None
    key_feed: str | None = None  # keys of two feeds need not be of one kind: the rules say which are compared
    decided_at: datetime | None = None
    by_event: bool = False  # the last decision was an event's
    progress: int | None = None
    progress_feed: str | None = None  # the one feed by which this session's progress is measured
    moved_at: datetime | None = None  # last movement; blind time moves it on
    stop: Stop | None = None
    doubt: Doubt | None = None
    former_key: str | None = None  # of the session before: who still tells it is late

    @property
    def is_open(self) -> bool:
        return self.phase is LIVE or self.phase is DROPPED

    @property
    def is_blind(self) -> bool:
        return self.doubt is not None and self.doubt.blind_from is not None

    @property
    def is_stalled(self) -> bool:
        return self.stop is not None and self.stop.cause == "stall"


class Mark(NamedTuple):
    """One change, with the session as it is after it (which holds `opened_at` and `number`)."""

    change: ChangeName
    at: datetime
    cause: str
    after: Session


Step = tuple[Session, Sequence[Mark]]
NOTHING: tuple[Mark, ...] = ()


def opened(session: Session, tick: Tick, at: datetime, before: Sequence[Mark] = NOTHING) -> Step:
    stamp = stamped(session, at)
    if session.opened_at is not None and stamp <= session.opened_at:
        stamp = session.opened_at + MOMENT  # a session is named by this instant: after a clock step it must not recur
    after = Session(
        phase=LIVE,
        opened_at=stamp,
        number=1,
        changed_at=stamp,
        key=tick.session_key,
        key_feed=None if tick.session_key is None else tick.feed,
        decided_at=at,
        by_event=tick.evidence == "event",
        progress=tick.progress,
        progress_feed=None if tick.progress is None else tick.feed,
        moved_at=at,
        doubt=_settled(session, at).doubt,
        former_key=None if session.key == tick.session_key else session.key,
    )
    return after, (*before, Mark("opened", stamp, tick.evidence, after))


def dropped(session: Session, tick: Tick, at: datetime, stop: Stop) -> Step:
    """`at` is when it was decided; the stop itself may lie before that, but not before the last change."""
    stamp = stamped(session, stop.at)
    after = replace(
        decided(session, tick, at),
        phase=DROPPED,
        number=session.number + 1,
        changed_at=stamp,
        stop=replace(stop, at=stamp),
    )
    return after, (Mark("dropped", stamp, stop.cause, after),)


def resumed(session: Session, tick: Tick, at: datetime) -> Step:
    stamp = stamped(session, at)
    session = decided(keyed(session, tick), tick, at)
    if tick.progress is not None and session.progress_feed in (None, tick.feed):
        session = replace(session, progress=tick.progress, progress_feed=tick.feed)
    after = replace(session, phase=LIVE, number=session.number + 1, changed_at=stamp, moved_at=at, stop=None)
    return after, (Mark("resumed", stamp, tick.evidence, after),)


def closed(session: Session, at: datetime, reason: CloseReason) -> Step:
    stamp = stamped(session, at)
    phase = LOST if reason == "lost" else OFF
    after = replace(session, phase=phase, number=session.number + 1, changed_at=stamp)
    return after, (Mark("closed", stamp, reason, after),)


def decided(session: Session, tick: Tick, at: datetime) -> Session:
    return replace(_settled(session, at), decided_at=at, by_event=tick.evidence == "event")


def keyed(session: Session, tick: Tick) -> Session:
    """Take the tick's key for ours. What only repeats it leaves it with the feed that knows the whole of it."""
    key, known = tick.session_key, session.key
    if key is None or (key == known and tick.evidence == "event"):
        return session
    if known is not None and key != known and _ends(known, key):
        return session
    return replace(session, key=key, key_feed=tick.feed)


def other_key(session: Session, tick: Tick) -> bool:
    """Does the tick speak of another publisher, or session, than ours? Without a key it does not say so."""
    key, known = tick.session_key, session.key
    if key is None or known is None or key == known:
        return False
    return not (_ends(known, key) or _ends(key, known))


def is_end(key: str | None) -> bool:
    """A key that begins with a colon is the end of one: its source does not know, say, of which process it is."""
    return key is not None and key.startswith(":")


def _ends(whole: str, tail: str) -> bool:
    return is_end(tail) and whole.endswith(tail)


def doubting(session: Session, doubt: Doubt) -> Session:
    return replace(session, doubt=None if doubt == CERTAIN else doubt)


def stamped(session: Session, at: datetime) -> datetime:
    return at if session.changed_at is None else max(at, session.changed_at)


def _settled(session: Session, at: datetime) -> Session:
    """A change or a stop was decided at `at`: of the doubts there remain those that this cannot settle."""
    doubt = session.doubt
    if doubt is None:
        return session
    settle_until = doubt.settle_until if doubt.settle_until is not None and at <= doubt.settle_until else None
    return doubting(session, Doubt(blind_from=doubt.blind_from, settle_until=settle_until))

"""What blind time, a stepped clock and a lost spool make of a session. Pure: blind is never down."""

from datetime import datetime, timedelta

from monitor.facts import ChangeName
from monitor.live.session import (
    CERTAIN,
    DROPPED,
    LIVE,
    NOTHING,
    OFF,
    Doubt,
    Rules,
    Session,
    Step,
    Stop,
    closed,
    doubting,
    replace,
)


def blinded(session: Session, from_at: datetime) -> Session:
    """Since `from_at` nobody can tell how the room stands."""
    doubt = session.doubt or CERTAIN
    if doubt.blind_from is not None:
        return session
    return doubting(session, replace(doubt, blind_from=from_at))


def sighted(session: Session, to_at: datetime, rules: Rules) -> Step:
    """We see again: the clocks go on from where they stood, and the publishers get time to come back.

    One answer that missed the room before the span, and one after it, are not two in a row: the first is forgotten.
    """
    session, marks = given_up(session, to_at, rules)
    doubt = session.doubt
    if doubt is None or doubt.blind_from is None:
        return session, marks
    blind_from = doubt.blind_from
    stop, moved_at = session.stop, session.moved_at
    if stop is not None and session.phase is DROPPED:
        stop = replace(stop, since=_moved_on(stop.since, blind_from, to_at))
    if moved_at is not None:
        moved_at = _moved_on(moved_at, blind_from, to_at)
    unsure_from = None
    if session.phase is LIVE:
        unsure_from = doubt.unsure_from or _known_until(session, blind_from)
    after = replace(session, stop=stop, moved_at=moved_at)
    return doubting(after, Doubt(unsure_from=unsure_from, settle_until=to_at + rules.settle)), marks


def given_up(session: Session, now: datetime, rules: Rules) -> Step:
    """Blind for so long that it would be a guess to call it the same session: it ended when we saw it last."""
    doubt = session.doubt
    if doubt is None or doubt.blind_from is None or not session.is_open:
        return session, NOTHING
    known_until = _known_until(session, doubt.blind_from)
    if now - known_until <= rules.blind_max:
        return session, NOTHING
    return closed(session, session.stop.at if session.stop else known_until, "unseen")


def reanchored(session: Session, now: datetime) -> Session:
    """The clock stepped: stamps from before it cannot be compared with those after it, so every clock starts anew."""
    stop, doubt = session.stop, session.doubt or CERTAIN
    if stop is not None and session.phase is DROPPED:
        stop = replace(stop, since=now)
    moved_at = None if session.moved_at is None else now
    after = replace(session, decided_at=None, by_event=False, moved_at=moved_at, stop=stop)
    blind_from = None if doubt.blind_from is None else now
    unsure_from = None if doubt.unsure_from is None else min(doubt.unsure_from, now)
    return doubting(after, Doubt(blind_from=blind_from, unsure_from=unsure_from))


def recalled(opened_at: datetime, number: int, change: ChangeName, at: datetime, cause: str = "status") -> Session:
    """The open session as SQL knows it, for a spool that is new: its key is unknown."""
    phase = {"opened": LIVE, "resumed": LIVE, "dropped": DROPPED, "closed": OFF}[change]
    return Session(
        phase=phase,
        opened_at=opened_at,
        number=number,
        changed_at=at,
        decided_at=at,
        moved_at=at,
        stop=Stop(at, at, cause) if phase is DROPPED else None,
    )


def unmeasured(session: Session) -> Session:
    """The feed that measured our progress is gone while others still see us: nobody can call us stalled."""
    stop = session.stop
    if stop is not None and stop.cause == "stall":
        stop = replace(stop, cause="status")
    return replace(session, progress=None, progress_feed=None, stop=stop)


def _known_until(session: Session, blind_from: datetime) -> datetime:
    """A hook may have told of the room while its polls were blind."""
    return blind_from if session.decided_at is None else max(blind_from, session.decided_at)


def _moved_on(clock: datetime, blind_from: datetime, to_at: datetime) -> datetime:
    """A clock that stands still from `blind_from` to `to_at`."""
    return clock + max(to_at - max(blind_from, clock), timedelta(0))

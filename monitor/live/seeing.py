"""What a tick, or time, makes of a session. Pure: no clock, no I/O; callers bring the time.

Each step returns the session after it and the changes on the way; most ticks bring none.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from collectors.tick import Tick
from monitor.facts import Slot
from monitor.live.judgement import judge, loss_is_over
from monitor.live.session import (
    CERTAIN,
    DROPPED,
    LIVE,
    LOST,
    NOTHING,
    OFF,
    Doubt,
    Rules,
    Session,
    Step,
    Stop,
    closed,
    decided,
    doubting,
    dropped,
    is_end,
    keyed,
    opened,
    other_key,
    replace,
    resumed,
)


def see(session: Session, tick: Tick, at: datetime, rules: Rules, slots: Sequence[Slot] = ()) -> Step:
    """A tick came; `at` is the instant it decides at: its own, but never later than now."""
    decided_at = session.decided_at
    if tick.live is None or (decided_at is not None and at <= decided_at):
        return session, NOTHING
    if not tick.live:
        return _see_gone(session, tick, at, rules)
    if session.phase is LIVE and session.doubt is None:
        key = tick.session_key
        if key is None or (key == session.key and tick.feed == session.key_feed):
            return _go_on(session, tick, at, rules)
    return _see_live(session, tick, at, rules, slots)


def wait(session: Session, seen_at: datetime, rules: Rules, slots: Sequence[Slot] = ()) -> Step:
    """Time passed, and the room was seen (or would have been heard) until `seen_at`."""
    stop = session.stop
    if stop is None:
        return session, NOTHING
    if session.phase is DROPPED and _grace_used(session, stop, seen_at) > rules.grace:
        return _run_out(session, stop, rules, slots)
    if session.phase is LOST and loss_is_over(slots, stop.at, stop.since, seen_at):
        return replace(session, phase=OFF), NOTHING
    return session, NOTHING


def end(session: Session) -> Step:
    """A person knows that the broadcast is over: the stop was a sign-off, and nobody need miss the room any longer.

    Of a room that is on air nobody is believed: the next tick would open another session.
    """
    if session.phase is DROPPED and session.stop is not None:
        return closed(session, session.stop.at, "ended")
    return (replace(session, phase=OFF) if session.phase is LOST else session), NOTHING


def _go_on(session: Session, tick: Tick, at: datetime, rules: Rules) -> Step:
    """It was live and it is: the fast path of every tick of every broadcast, so it is written out in full."""
    progress, progress_feed, moved_at = session.progress, session.progress_feed, session.moved_at
    if tick.progress is not None:
        if progress_feed is None:
            progress, progress_feed, moved_at = tick.progress, tick.feed, at
        elif tick.feed == progress_feed:
            if tick.progress != progress:  # less is movement, too: a publisher that came back counts from nothing
                progress, moved_at = tick.progress, at
            elif moved_at is not None and at - moved_at >= rules.stall and not session.is_blind:
                stalled_at = _stalled_at(session, moved_at, rules)
                return dropped(session, tick, at, Stop(stalled_at, moved_at, "stall", rules.tells_end))
    return Session(
        LIVE,
        session.opened_at,
        session.number,
        session.changed_at,
        session.key,
        session.key_feed,
        at,
        tick.evidence == "event",
        progress,
        progress_feed,
        moved_at,
        None,
        session.doubt,
        session.former_key,
    ), NOTHING


def _see_live(session: Session, tick: Tick, at: datetime, rules: Rules, slots: Sequence[Slot]) -> Step:
    differs = other_key(session, tick)
    other = differs and (tick.feed == session.key_feed or session.key_feed in rules.key_feeds)
    if other and rules.key_is_session and session.is_open and tick.session_key == session.former_key:
        return session, NOTHING  # an answer from before this session began: what was replaced does not come back
    if tick.evidence != "event":
        if differs and session.is_open and is_end(tick.session_key):
            return session, NOTHING  # who knows the end alone may speak of a second publisher, who was refused
        if session.is_blind or ((differs or session.phase is not LIVE) and _too_soon(session, at, rules)):
            return session, NOTHING
    elif differs and rules.refused_told and (session.phase is LIVE or session.is_stalled):
        return session, NOTHING  # a second publisher is announced just the same, though the server refuses him
    if session.phase is LIVE:
        if other:
            return _see_other(session, tick, at, rules)
        return _go_on(_assured(keyed(session, tick), tick, at), tick, at, rules)
    moved = tick.progress is not None and tick.feed == session.progress_feed and tick.progress != session.progress
    if session.is_stalled and not moved and not other:
        return session, NOTHING  # a dead encoder, too, is listed as publishing
    stop = session.stop
    if session.phase is not DROPPED or stop is None:
        return opened(session, tick, at)
    if _grace_used(session, stop, at) > rules.grace:
        over, marks = _run_out(session, stop, rules, slots)
        return opened(over, tick, at, marks)
    if other and rules.key_is_session:
        over, marks = closed(session, stop.at, "replaced")
        return opened(over, tick, at, marks)
    return resumed(session, tick, at)


def _see_other(session: Session, tick: Tick, at: datetime, rules: Rules) -> Step:
    """A live room answers with another key than ours."""
    unsure_from = session.doubt.unsure_from if session.doubt else None
    if unsure_from is not None:
        over, marks = closed(session, unsure_from, "unseen")
        return opened(over, tick, at, marks)
    if rules.key_is_session:
        over, marks = closed(session, at, "replaced")
        return opened(over, tick, at, marks)
    if tick.evidence == "event":
        return _go_on(_assured(keyed(session, tick), tick, at), tick, at, rules)  # it took over: no stop was seen
    last_seen_at = session.decided_at or at
    gone, marks = dropped(session, tick, at, Stop(last_seen_at, last_seen_at, "reconnect", rules.tells_end))
    back, more = resumed(gone, tick, at)
    return back, (*marks, *more)


def _see_gone(session: Session, tick: Tick, at: datetime, rules: Rules) -> Step:
    """A tick says that the room is not live."""
    doubt = session.doubt or CERTAIN
    if tick.evidence == "event":
        if other_key(session, tick):
            return session, NOTHING  # the end of a publisher who was never ours
    elif session.is_blind or (session.phase is LIVE and _too_soon(session, at, rules)):
        return session, NOTHING
    elif tick.end is None and doubt.settle_until is not None and at <= doubt.settle_until:
        return session, NOTHING
    stopped_at = at
    if tick.evidence == "absent" and tick.end is None and (session.phase is LIVE or session.is_stalled):
        if doubt.absent_at is None:
            return doubting(session, replace(doubt, absent_at=at)), NOTHING
        if at <= doubt.absent_at:
            return session, NOTHING
        stopped_at = doubt.absent_at
    if session.phase is not LIVE:
        return _stay_gone(session, tick, at, rules)
    if tick.end == "ended":
        return closed(decided(session, tick, at), at, "ended")
    cause = "failed" if tick.end == "failed" else tick.evidence
    return dropped(session, tick, at, Stop(stopped_at, stopped_at, cause, rules.tells_end))


def _stay_gone(session: Session, tick: Tick, at: datetime, rules: Rules) -> Step:
    """It was not live, and is not; but we may learn more of how it stopped."""
    session, stop = decided(session, tick, at), session.stop
    if stop is None or session.phase is OFF:
        return replace(session, stop=None), NOTHING
    cause = stop.cause
    if tick.end == "failed":
        cause = "failed"
    elif cause == "stall":
        cause = tick.evidence  # the stuck publisher is gone: whoever comes now need not be measured against it
    session = replace(session, stop=Stop(stop.at, stop.since, cause, stop.could_tell or rules.tells_end))
    if tick.end != "ended":
        return session, NOTHING
    if session.phase is LOST:
        return replace(session, phase=OFF), NOTHING  # nobody need miss it any longer
    return closed(session, stop.at, "ended")


def _run_out(session: Session, stop: Stop, rules: Rules, slots: Sequence[Slot]) -> Step:
    """Nobody came back: the session is over as of the stop, and the stop is judged."""
    ran_out_at = stop.since + rules.grace
    reason = judge(stop.cause, stop.at, ran_out_at, stop.could_tell, slots, rules.end_slack)
    return closed(replace(session, stop=replace(stop, since=ran_out_at)), stop.at, reason)


def _grace_used(session: Session, stop: Stop, at: datetime) -> timedelta:
    """How long it has been seen to be down. While blind this stands still, though an event may come all the same."""
    blind_from = session.doubt.blind_from if session.doubt else None
    return (at if blind_from is None else min(at, blind_from)) - stop.since


def _too_soon(session: Session, at: datetime, rules: Rules) -> bool:
    """An event decided just now, and this kind's own answers may lag behind it."""
    return session.by_event and session.decided_at is not None and at - session.decided_at <= rules.refresh


def _assured(session: Session, tick: Tick, at: datetime) -> Session:
    """The room is live: which doubts are gone?"""
    doubt = session.doubt
    if doubt is None:
        return session
    absent_at = doubt.absent_at if doubt.absent_at is not None and at < doubt.absent_at else None
    # A tick without key, or with the end of one, does not show that this is the session we knew before the blind span.
    unsure_from = doubt.unsure_from if session.key is not None and tick.session_key != session.key else None
    settle_until = doubt.settle_until
    if settle_until is not None and at > settle_until and _moved_since(session, settle_until):
        settle_until = None
    return doubting(session, Doubt(absent_at, doubt.blind_from, unsure_from, settle_until))


def _moved_since(session: Session, instant: datetime) -> bool:
    """No stall can reach back beyond this instant."""
    return session.progress_feed is None or session.moved_at is None or session.moved_at > instant


def _stalled_at(session: Session, moved_at: datetime, rules: Rules) -> datetime:
    """When the stall began, as far as we could see: never inside a blind span."""
    settle_until = session.doubt.settle_until if session.doubt else None
    return moved_at if settle_until is None else max(moved_at, settle_until - rules.settle)

"""Pushes that stopped coming in time: a blind span of their feed that only its witness opens and ends.

Silence says nothing of a push; what a poll found and no push had told does (monitor/accounts/witness.py). A room is
never blind for it, as no push tells how a room stands. Steps on the sight of a feed; each returns what is to be sealed.
"""

from datetime import datetime

from monitor.facts import BlindSpan, FeedState, Heard
from monitor.live.sight import PUSH_LATE, FeedSight


def witnessed(sight: FeedSight, from_at: datetime) -> Heard:
    """From now on, and for what happens from now on, somebody looks whether pushes come."""
    sight.witness_from = from_at
    return Heard(feed=sight.remembered())


def late(sight: FeedSight, from_at: datetime) -> Heard:
    """Pushes are missing, as of this instant."""
    sight.late_from = from_at
    return Heard(spans=[late_span(sight, from_at)], feed=sight.remembered())


def punctual(sight: FeedSight, to_at: datetime) -> Heard:
    """Pushes have caught up."""
    if sight.late_from is None:
        return Heard()
    from_at, sight.late_from = sight.late_from, None
    sight.late_until = max(to_at, from_at)
    return Heard(spans=[late_span(sight, from_at, sight.late_until)], feed=sight.remembered())


def remember(sight: FeedSight, state: FeedState) -> None:
    """A start: what was late is late until the witness says otherwise."""
    sight.witness_from, sight.late_from, sight.late_until = state.witness_from, state.late_from, state.late_until


def late_span(sight: FeedSight, from_at: datetime, to_at: datetime | None = None) -> BlindSpan:
    return BlindSpan(sight.name, sight.platform, from_at, PUSH_LATE, to_at=to_at)

"""Which of the alerts that fire and that nobody was told of are told now. Pure.

Rooms that are down with their platform or hall are told of with it; a room that is not seen to have stopped is not told
of; of what is only for information, of who did not come and of stars that stop about their planned end a digest comes
now and then.
"""

from collections import defaultdict
from datetime import datetime, timedelta

import msgspec

from monitor.alerts.kept import (
    CROWDS,
    DROPPED,
    FEEDS,
    HALL_OUTAGE,
    MANY,
    NOT_STARTED,
    STOPS,
    TARGET_MISSING,
    WATCHDOG,
    Kept,
)
from monitor.alerts.memory import Draft, Memory
from monitor.alerts.scene import Scene, Scope, Told
from monitor.alerts.sight import LIVE, STOPPED, Sight

OUTAGE_REST = timedelta(seconds=30)  # after an outage the rooms that come back have so long, before those left are told
INFO_EVERY = timedelta(hours=4)
NEAR_END_EVERY = timedelta(minutes=10)  # a star may have been cut off all the same
NOT_STARTED_EVERY = timedelta(hours=1)  # not so long that the slot is over when its contact is called
HERE_AGAIN = timedelta(seconds=120)  # so long after a start nobody is told that we are missing
CROWD_MAX = 300


def tell(draft: Draft, memory: Memory, scene: Scene) -> dict[Scope, list[Told]]:
    now = scene.now
    told: dict[Scope, list[Told]] = defaultdict(list)
    untold = [kept for kept in draft.open() if kept.told_at is None and kept.alert.firing and kept.name != WATCHDOG]
    if not untold:
        return told
    outages = [
        kept
        for kept in (*draft.changed.values(), *memory.open.values(), *memory.past.values())
        if kept.name in CROWDS and (draft.find(kept.key) or kept) is kept and _hides(kept, now)
    ]
    calm = {kept.name for kept in _lately(memory, now)}
    for kept in untold:
        hushed = any(_covers(outage, kept) for outage in outages)
        gathers = kept.gathered and kept.name in calm
        if not hushed and not gathers and _is_true(kept, scene):
            robots = scene.audience(kept.alert)
            kept = kept.told(now, robots)
            if kept.name in CROWDS:
                kept = msgspec.structs.replace(kept, rooms=_stopped(kept, scene.sight))
            draft.put(kept)
            told[kept.scope].append(Told(kept, robots))
    return told


def _lately(memory: Memory, now: datetime) -> list[Kept]:
    """Of what is gathered a digest was told not long ago."""
    return [
        kept
        for kept in (*memory.open.values(), *memory.past.values())
        if kept.gathered and kept.told_at is not None and now - kept.told_at < _every(kept)
    ]


def _every(kept: Kept) -> timedelta:
    return {NOT_STARTED: NOT_STARTED_EVERY, DROPPED: NEAR_END_EVERY}.get(kept.name, INFO_EVERY)


def _hides(outage: Kept, now: datetime) -> bool:
    return outage.told_at is not None and (outage.alert.firing or now - outage.heard_at < OUTAGE_REST)


def _covers(outage: Kept, kept: Kept) -> bool:
    """Rooms that are down with their platform or hall are told of with it, also when they are told by count. As in
    alertmanager.yml, which knows it some milliseconds late where both begin or end at once."""
    ours, theirs = outage.alert, kept.alert
    of_rooms = kept.alert.room is not None or kept.name == MANY
    if not of_rooms or ours.labels.get("platform") != theirs.labels.get("platform"):
        return False
    same_hall = ours.labels.get("hall", "") == theirs.labels.get("hall", "")
    if outage.name == MANY:  # rooms of tier 1 are told singly all the same, and a higher count after a lower one
        told_with_it = kept.name == DROPPED or (kept.name == MANY and ours.severity == "critical")
        return same_hall and told_with_it and theirs.severity == "warning"
    return same_hall or outage.name != HALL_OUTAGE


def _stopped(crowd: Kept, sight: Sight) -> tuple[tuple[str, str], ...]:
    """Some hundreds of them, large and small, stand for all."""
    labels = crowd.alert.labels
    stopped = sight.stopped(labels.get("platform") or None, labels.get("hall") or None)
    every = -(-len(stopped) // CROWD_MAX) or 1
    return tuple((room.platform, room.room) for room in stopped[::every])


def _is_true(kept: Kept, scene: Scene) -> bool:
    """An alert is some seconds old when it comes: what is seen now counts."""
    if kept.name == TARGET_MISSING and scene.now - scene.up_since < HERE_AGAIN:
        return False
    if kept.name in FEEDS and scene.sight.feed(kept.alert.labels.get("feed", "")) == "ok":
        return False
    room = scene.sight.room(*kept.alert.room) if kept.alert.room else None
    if room is None:
        return True
    if kept.name in STOPS:
        return room.state in STOPPED
    return not (kept.name == NOT_STARTED and room.state == LIVE)

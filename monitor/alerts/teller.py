"""What is told, and what is not: from the episodes that are known, what is heard now, and how rooms stand. Pure.

One thing is told once. An alert that goes on under another instant (a restart of Prometheus or of ours, a dropped room
that is lost) continues the number that people know. One that is not seen to be live again has not recovered.
"""

from collections import defaultdict
from datetime import datetime, timedelta

import msgspec

from monitor.alerts.alert import Alert, Episode
from monitor.alerts.kept import DROPPED, LOST, STOPS, TARGET_MISSING, WATCHDOG, How, Kept
from monitor.alerts.memory import Draft, Memory
from monitor.alerts.scene import Scene, Scope, Told
from monitor.alerts.sight import STOPPED
from monitor.alerts.untold import tell
from monitor.alerts.verdict import lapsed, nobody_asked, verdict
from monitor.alerts.webhook import Group

SEQUEL_WITHIN = timedelta(minutes=10)  # of an end of which nothing was said
HEARD_EVERY = timedelta(minutes=2)  # a repetition is noted so often
STORM_FOR = timedelta(minutes=10)


class Plan(msgspec.Struct):
    """What a step changes, and what is to be said of it: what is in one list is said in one message."""

    changed: list[Kept] = []
    firing: list[list[Told]] = []
    ended: list[tuple[How, list[Told]]] = []
    storms: dict[str, datetime] = {}
    more: int = 0  # alerts that Alertmanager cut off

    def __bool__(self) -> bool:
        return bool(self.changed or self.storms)


def step(memory: Memory, group: Group | None, scene: Scene) -> Plan:
    """Something was heard, or a second has passed."""
    draft, plan, now = Draft(memory), Plan(), scene.now
    over: dict[tuple[How, Scope], list[Told]] = defaultdict(list)
    raised: dict[Scope, list[Told]] = defaultdict(list)
    _settle(draft, scene, over)
    if group is not None:
        stormy = now < memory.storms.get(group.key, now)
        for alert in group.alerts:
            _hear(draft, alert, scene, stormy, raised)
        _settle(draft, scene, over)
    plan.firing = [*tell(draft, memory, scene).values(), *raised.values()]
    if group is not None and group.truncated:
        keys = {alert.key for alert in group.alerts}
        if any(told.kept.key in keys for tellings in plan.firing for told in tellings):
            plan.storms[group.key], plan.more = now + STORM_FOR, group.truncated
    plan.ended = [(how, told) for (how, _), told in over.items()]
    plan.changed = list(draft.changed.values())
    return plan


def _hear(draft: Draft, alert: Alert, scene: Scene, stormy: bool, raised: dict[Scope, list[Told]]) -> None:
    had, now = draft.find(alert.key), scene.now
    if had is None or (not had.episode.open and alert.firing):
        _begin(draft, alert, scene, stormy, raised)
    elif had.episode.open and (had.alert.ends_at != alert.ends_at or now - had.heard_at >= HEARD_EVERY):
        draft.put(had.heard(alert, now))


def _begin(draft: Draft, alert: Alert, scene: Scene, stormy: bool, raised: dict[Scope, list[Told]]) -> None:
    room, now = scene.sight.room(*alert.room) if alert.room else None, scene.now
    stop_at = room.since if room and room.state in STOPPED else None
    begun = Kept(Episode(0, alert), now, stop_at=stop_at)
    before = [kept for kept in draft.thread(begun.thread) if kept.told_at is not None and kept.key != alert.key]
    if not before or not _continues(before[-1], begun, now):
        begun = begun.numbered(draft.number())
        draft.put(begun.told(now, scene.audience(alert)) if stormy and alert.name in STOPS and alert.firing else begun)
        return
    last = before[-1]
    for kept in before:
        if kept.episode.open and kept.name == alert.name:
            draft.put(kept.ended("quiet", now))  # nothing is over: it goes on in this one
        elif kept.episode.open and (kept.name, alert.name) == (DROPPED, LOST):
            draft.put(kept.resolved(now))  # the worse alert inhibits this one, so that its end is not told to us
    begun = msgspec.structs.replace(
        begun.numbered(last.number), told_at=last.told_at, told_to=last.told_to, rooms=last.rooms,
        began_at=last.spoken.alert.starts_at,
    )  # fmt: skip
    new = [robot for robot in scene.audience(alert) if robot not in last.told_to]
    if new and alert.firing and alert.name != WATCHDOG:
        begun = begun.told(now, new)
        raised[begun.scope].append(Told(begun, new))
    draft.put(begun)


def _continues(last: Kept, begun: Kept, now: datetime) -> bool:
    """Is this what people were told of already? A digest that says a star has most likely signed off does not say that
    it is down."""
    if last.gathered and not begun.gathered:
        return False
    if last.episode.open:
        return True
    if last.settled_at is None or now - last.settled_at > SEQUEL_WITHIN or not begun.alert.firing:
        return False
    same_stop = begun.name not in STOPS or (begun.stop_at is not None and begun.stop_at == last.stop_at)
    if last.episode.end == "not_recovered":
        return same_stop and (last.name, begun.name) == (DROPPED, LOST)
    return same_stop and last.episode.end == "quiet"


def _settle(draft: Draft, scene: Scene, over: dict[tuple[How, Scope], list[Told]]) -> None:
    now, watchers = scene.now, list[Kept]()

    def away(at: datetime) -> bool:
        if not watchers:
            watchers.extend(kept for kept in draft.all() if kept.name in (TARGET_MISSING, WATCHDOG))
        return nobody_asked(watchers, at)

    for kept in list(draft.open()):
        if kept.alert.firing and lapsed(kept, scene.sight, now):
            kept = kept.resolved(now)
        if kept.alert.firing:
            continue
        end = verdict(kept, scene.sight, now, scene.up_since, away)
        said = {other.episode.end for other in draft.thread(kept.thread) if other.number == kept.number}
        if end and (end in said or kept.gathered):
            end = "quiet"
        if end:
            draft.put(kept.ended(end, now))
        if end in ("recovered", "not_recovered"):
            over[end, kept.scope].append(Told(kept.ended(end, now), kept.told_to))

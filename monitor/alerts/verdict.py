"""What an alert ended as: `resolved` is never trusted, the room, the feed or the crowd itself is looked at. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from monitor.alerts.alert import End
from monitor.alerts.kept import CROWDS, FEEDS, LOST, NOT_STARTED, STOPS, TARGET_MISSING, WATCHDOG, Kept
from monitor.alerts.sight import BLIND, DROPPED, LIVE, OFFLINE, RoomSight, Sight
from monitor.alerts.sight import LOST as ROOM_LOST

UNKNOWN_MAX = timedelta(minutes=30)  # so long is waited for a room to be seen again; then nothing is said
UP_BEFORE = timedelta(seconds=60)  # a word of Prometheus from within so long after our start may be about our absence
SURE_AFTER = timedelta(seconds=90)  # by then it was told, too, if nobody was asked when an alert ended
TOLD_APART = timedelta(seconds=90)  # Prometheus says once a minute what fires, of each alert at another moment
MISSED_AFTER = timedelta(seconds=30)  # LivemonTargetMissing waits for 15 s
UNSEEN_SHARE = 0.3  # of a crowd: with more nobody can say how it stands
BACK_SHARE = 0.7  # with so many it is over; who is still down then is told of by name
HELD_FOR = timedelta(seconds=300)  # an alert that Alertmanager does not speak of any more (silenced, restarted)
GONE_FOR = timedelta(seconds=900)
REPEATED_WITHIN = timedelta(minutes=75)  # `repeat_interval` of alertmanager.yml is an hour


def verdict(kept: Kept, sight: Sight, now: datetime, up_since: datetime, away: Callable[[datetime], bool]) -> End:
    """What this resolved episode ended as; '' where that cannot be told yet. `away`: see `nobody_asked`."""
    if kept.told_at is None:
        return "quiet"
    ends_at = kept.alert.ends_at or now
    if kept.alert.room:
        end = _of_room(kept, sight)
    elif kept.name in FEEDS:
        end = _of_feed(kept, sight, ends_at - up_since >= UP_BEFORE)
    elif kept.name in CROWDS:
        end = _of_crowd(kept, sight)
    elif kept.name == TARGET_MISSING:
        end = "recovered"
    else:
        certain = ends_at - up_since >= UP_BEFORE and now - ends_at >= SURE_AFTER and not away(ends_at)
        end = "recovered" if certain else ""
    return "quiet" if not end and now - max(ends_at, up_since) >= UNKNOWN_MAX else end


def nobody_asked(others: Iterable[Kept], at: datetime) -> bool:
    """Was livemon, or Prometheus itself, away about then? An alert whose series are gone ends as if all were well."""
    for other in others:
        begun, over = other.alert.starts_at, other.alert.ends_at
        if other.name == TARGET_MISSING and other.alert.labels.get("job", "").startswith("livemon"):
            if begun <= at + MISSED_AFTER and (over is None or over >= at - UP_BEFORE):
                return True
        elif other.name == WATCHDOG and over is not None and abs(over - at) <= TOLD_APART:
            return True
    return False


def lapsed(kept: Kept, sight: Sight, now: datetime) -> bool:
    """Is it over though Alertmanager does not say so? It says nothing of alerts that are silenced or inhibited."""
    if kept.alert.room is None:
        if now - kept.heard_at < REPEATED_WITHIN:
            return False  # before that the keeper may find it out
        if kept.name in FEEDS:
            return sight.feed(kept.alert.labels.get("feed", "")) == "ok"
        return kept.name in CROWDS and bool(_of_crowd(kept, sight))
    if now - kept.heard_at < HELD_FOR or kept.name not in STOPS | {NOT_STARTED}:
        return False
    room = sight.room(*kept.alert.room)
    if room is None:
        return True
    if room.since is None:
        return False
    if room.state == LIVE:
        return now - room.since >= HELD_FOR
    return kept.name in STOPS and _is_closed(kept, room) and now - room.since >= GONE_FOR


def _is_closed(kept: Kept, room: RoomSight) -> bool:
    return room.state == OFFLINE or (room.state == ROOM_LOST and kept.name != LOST)


def _of_room(kept: Kept, sight: Sight) -> End:
    room = sight.room(*(kept.alert.room or ("", "")))
    if room is None:
        return "quiet"  # it left the roster
    if room.state == LIVE:
        return "recovered"
    if kept.name in STOPS:
        return "not_recovered" if _is_closed(kept, room) else ""  # blind: nobody knows; down: the next alert goes on
    return "" if room.state == BLIND else "quiet"


def _of_feed(kept: Kept, sight: Sight, up: bool) -> End:
    """`up`: livemon was there to be asked when it was found to be over, so that nothing had only vanished."""
    state = sight.feed(kept.alert.labels.get("feed", ""))
    if state == "ok":
        return "recovered"
    return "" if state == FEEDS[kept.name] or not up else "quiet"  # another alert speaks of it now


def _of_crowd(kept: Kept, sight: Sight) -> End:
    """Over is an outage whose rooms are on air again; that they turned blind, or are closed, is no recovery."""
    states = [room.state for key in kept.rooms if (room := sight.room(*key)) is not None]
    if not states:
        return "quiet"  # nobody knows which rooms it was about
    live, blind, dropped = (states.count(state) for state in (LIVE, BLIND, DROPPED))
    if blind > UNSEEN_SHARE * len(states):
        return ""
    if live >= BACK_SHARE * (len(states) - blind):
        return "recovered"
    return "" if dropped else "not_recovered"

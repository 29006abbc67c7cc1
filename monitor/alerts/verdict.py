"""What an alert ended as: `resolved` is never trusted, the room, the feed or the crowd itself is looked at. Pure."""

from datetime import datetime, timedelta

from monitor.alerts.alert import End
from monitor.alerts.kept import CROWDS, FEEDS, LOST, NOT_STARTED, STOPS, TARGET_MISSING, Kept
from monitor.alerts.sight import BLIND, DROPPED, LIVE, OFFLINE, RoomSight, Sight
from monitor.alerts.sight import LOST as ROOM_LOST

UNKNOWN_MAX = timedelta(minutes=30)  # so long is waited for a room to be seen again; then nothing is said
UP_BEFORE = timedelta(seconds=60)  # a word of Prometheus from within so long after our start may be about our absence
UNSEEN_SHARE = 0.3  # of a crowd: with more nobody can say how it stands
BACK_SHARE = 0.7  # with so many it is over; who is still down then is told of by name
HELD_FOR = timedelta(seconds=300)  # an alert that Alertmanager does not speak of any more (silenced, restarted)
GONE_FOR = timedelta(seconds=900)


def verdict(kept: Kept, sight: Sight, now: datetime, up_since: datetime) -> End:
    """What this resolved episode ended as; '' where that cannot be told yet."""
    if kept.told_at is None:
        return "quiet"
    ends_at = kept.alert.ends_at or now
    end = _of_room(kept, sight) if kept.alert.room else _of_others(kept, sight, ends_at - up_since >= UP_BEFORE)
    return "quiet" if not end and now - max(ends_at, up_since) >= UNKNOWN_MAX else end


def lapsed(kept: Kept, sight: Sight, now: datetime) -> bool:
    """Is it over though Alertmanager does not say so? It says nothing of alerts that are silenced or inhibited."""
    if kept.alert.room is None or now - kept.heard_at < HELD_FOR or kept.name not in STOPS | {NOT_STARTED}:
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


def _of_others(kept: Kept, sight: Sight, up: bool) -> End:
    """`up`: livemon was there to be asked when it was found to be over, so that nothing had only vanished."""
    labels = kept.alert.labels
    if kept.name in FEEDS:
        state = sight.feed(labels.get("feed", ""))
        if state == "ok":
            return "recovered"
        return "" if state == FEEDS[kept.name] or not up else "quiet"  # another alert speaks of it now
    if kept.name in CROWDS:
        return _of_crowd(kept, sight)
    return "recovered" if up or kept.name == TARGET_MISSING else ""


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

"""Who holds which alert, told from the silences that there are. Pure: callers bring the time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.alerts.alert import Episode
from monitor.alerts.silence import Silence


class Hold(NamedTuple):
    """Who holds an alert, or wanted it to be silent, until when; `acknowledged`: it is his, and is renewed."""

    by: str
    reason: str
    since: datetime
    until: datetime
    silence_id: str
    acknowledged: bool


def active(silences: Iterable[Silence], now: datetime) -> list[Silence]:
    return [each for each in silences if each.state == "active" and each.ends_at > now]


def ended(silences: Iterable[Silence], now: datetime, within: timedelta) -> list[Silence]:
    return [each for each in silences if each.state == "expired" and now - within <= each.ends_at <= now]


def holds(episodes: Iterable[Episode], silences: Iterable[Silence], now: datetime) -> dict[int, Hold]:
    """Who holds which episode: its own acknowledgement that came first, else the silence that lasts longest.

    An acknowledgement is one of a room's number, whichever of its alerts fires: a drop that is lost is held still.
    """
    acknowledgements: dict[int, list[Silence]] = {}
    others: list[Silence] = []
    for silence in sorted(active(silences, now), key=lambda each: (each.starts_at, each.id)):
        if (number := silence.acknowledges) is None:
            others.append(silence)
        else:
            acknowledgements.setdefault(number, []).append(silence)
    others.sort(key=lambda each: each.ends_at, reverse=True)
    held = {}
    for episode in episodes:
        own = [each for each in acknowledgements.get(episode.number, ()) if is_of(each, episode)]
        for each in own or [each for each in others if each.takes(episode.alert.labels)]:
            held[episode.number] = _hold(each)
            break
    return held


def is_of(acknowledgement: Silence, episode: Episode) -> bool:
    """Does it acknowledge this one? Another livemon beside the same Alertmanager has the same numbers."""
    if acknowledgement.acknowledges != episode.number:
        return False
    room = acknowledgement.room
    return acknowledgement.takes(episode.alert.labels) or (room is not None and room == episode.alert.room)


def _hold(silence: Silence) -> Hold:
    return Hold(
        silence.by, silence.reason, silence.starts_at, silence.ends_at, silence.id, silence.acknowledges is not None
    )

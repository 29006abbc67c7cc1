"""What messages are put together from: subjects, counts, the first ten of many, whom to call. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from monitor.alerts import room_words
from monitor.alerts.alert import Alert, Episode
from monitor.alerts.alert_words import Name, hall_of, time_of
from monitor.alerts.boards import Boards
from monitor.alerts.contacts import Contact
from monitor.alerts.notice import Language
from monitor.alerts.room_words import Speech
from monitor.alerts.sight import Counts, RoomSight
from monitor.platform_words import platform_name

Rooms = Mapping[tuple[str, str], RoomSight]

STOPS = frozenset(("LivemonRoomDropped", "LivemonRoomLost"))
TOP_MAX = 10
SEVERITIES = ("critical", "warning", "info")
SUBJECTS = ("feed", "account", "robot", "kind", "job", "instance")  # labels that say what an alert is about


def counted(count: int, episodes: Sequence[Episode], speech: Speech, name: Name | None = None) -> str:
    """37 个直播间(视频号,3 号馆)停播"""
    zh, language = speech.language == "zh", speech.language
    labels = [episode.alert.labels for episode in episodes]
    platforms, halls = (sorted({each.get(key, "") for each in labels} - {""}) for key in ("platform", "hall"))
    where = [platform_name(platforms[0], language)] if len(platforms) == 1 else []
    where += [hall_of(halls[0], language)] if len(halls) == 1 else []
    of_rooms = episodes[0].alert.room is not None
    noun = ("个直播间" if of_rooms else "条告警") if zh else ("rooms" if of_rooms else "alerts")
    place = ("({})" if zh else " ({})").format((", " if not zh else ",").join(where)) if where else ""
    what = "" if name is None else ("停播" if zh else "stopped") if episodes[0].alert.name in STOPS else name.what
    return f"{count:,} {noun}{place}{what if zh else f' {what}' if what else ''}"


def subject(alert: Alert, rooms: Rooms, language: Language) -> str:
    """What an alert is about: a room, a feed, a hall; empty where it is about livemon itself."""
    if alert.room is not None:
        return room_words.who(room_words.sight_of(alert, rooms), language)
    labels = alert.labels
    named = next((labels[key] for key in SUBJECTS if labels.get(key)), "")
    platform = platform_name(labels["platform"], language) if labels.get("platform") else ""
    hall = hall_of(labels["hall"], language) if labels.get("hall") else ""
    return " ".join(part for part in (named, platform, hall) if part)


def since(at: datetime, speech: Speech) -> str:
    shown = time_of(at, speech.now, speech.boards.zone)
    return f"{shown} 起" if speech.language == "zh" else f" since {shown}"


def described(alert: Alert, speech: Speech) -> str:
    """What the rule itself says of it."""
    texts = alert.annotations
    own = texts.get("description_en") if speech.language == "en" else None
    return (own or texts.get("description") or texts.get("summary") or "").strip().rstrip("。.")


def noted(alert: Alert, speech: Speech) -> str:
    """What a rule wants said beside what the room itself tells."""
    return alert.annotations.get("note_en" if speech.language == "en" else "note", "").strip().rstrip("。.")


def with_rest(lines: Sequence[str], total: int, language: Language) -> tuple[str, ...]:
    """The first ten, and how many there are beside them."""
    shown = tuple(lines[:TOP_MAX])
    rest = total - len(shown)
    if rest <= 0 or not shown:
        return shown
    return (*shown, f"另有 {rest:,} 个" if language == "zh" else f"{rest:,} more")


def top(episodes: Sequence[Episode], rooms: Rooms) -> list[RoomSight]:
    own = [rooms[key] for episode in episodes if (key := episode.alert.room) is not None and key in rooms]
    return sorted(own, key=lambda room: -(room.viewers_before or 0))[:TOP_MAX]


def people(rooms: Sequence[RoomSight], boards: Boards) -> tuple[Contact, ...]:
    """Whom the chat can call; a bare name it cannot."""
    named = [room_words.contact_of(room, boards) for room in rooms if room.contact]
    return tuple(dict.fromkeys(contact for contact in named if contact.id))


def viewers(episode: Episode, rooms: Rooms) -> int:
    room = rooms.get(episode.alert.room) if episode.alert.room is not None else None
    return (room.viewers_before or 0) if room is not None else 0


def hall(episodes: Sequence[Episode], rooms: Rooms, counts: Counts) -> str:
    """The one hall that all of it is about, or ''."""
    halls = set()
    for episode in episodes:
        room = rooms.get(episode.alert.room) if episode.alert.room is not None else None
        halls.add(episode.alert.labels.get("hall", "") or (room.hall if room is not None else ""))
    return halls.pop() if len(halls) == 1 else counts.hall


def worst(episodes: Sequence[Episode]) -> str:
    found = {episode.alert.severity for episode in episodes}
    return next((severity for severity in SEVERITIES if severity in found), episodes[0].alert.severity)

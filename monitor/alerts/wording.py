"""What messages say: of one episode a sentence, of many a count and the rooms with the most viewers. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from monitor.alerts import message_parts as parts
from monitor.alerts import room_words
from monitor.alerts.alert import Alert, Episode
from monitor.alerts.alert_words import name_of, span_of, tagged, time_of
from monitor.alerts.boards import Boards, links
from monitor.alerts.kept import CROWDS, near_end
from monitor.alerts.message_parts import STOPS, Rooms
from monitor.alerts.notice import Language, Notice
from monitor.alerts.room_words import Sales, Sold, Speech
from monitor.alerts.sight import STOPPED, Counts, RoomSight

How = Literal["recovered", "not_recovered"]

TAGS: dict[Language, dict[str, str]] = {
    "zh": {"recovered": "恢复", "not_recovered": "未恢复", "unsure": "停播", "near_end": "疑似下播"},
    "en": {"recovered": "Recovered", "not_recovered": "Not recovered", "unsure": "Stopped", "near_end": "Likely over"},
}
NEAR_END: dict[Language, str] = {
    "zh": "都在计划下播前后停播,没有收到下播通知,多半是正常下播",
    "en": "All of them stopped about their planned end; no sign-off was told, but most likely they were",
}


class Words:
    """These words with the boards, the clock and the sales they speak of."""

    def __init__(
        self, boards: Boards, now: Callable[[], datetime], sales: Callable[[], Sales] = dict[tuple[str, str], Sold]
    ) -> None:
        self._boards, self._now, self._sales = boards, now, sales

    def firing(self, episodes: Sequence[Episode], rooms: Rooms, counts: Counts, language: Language) -> Notice:
        return firing(episodes, rooms, counts, self._boards, language, self._now(), self._sales())

    def ended(self, episodes: Sequence[Episode], how: How, rooms: Rooms, language: Language) -> Notice:
        return ended(episodes, how, rooms, self._boards, language, self._now())


def firing(
    episodes: Sequence[Episode],
    rooms: Rooms,
    counts: Counts,
    boards: Boards,
    language: Language,
    now: datetime,
    sales: Sales | None = None,
) -> Notice:
    """Of one alert, or of several of one kind. `rooms`: theirs; of an outage, the rooms that are down with it."""
    speech = Speech(language, now, boards, sales or {})
    episodes = sorted(episodes, key=lambda episode: -parts.viewers(episode, rooms))
    alert = episodes[0].alert
    one = episodes[0].number if len(episodes) == 1 and counts.told <= 1 else None
    if one is not None and alert.room is not None:
        title, lines = _one_room(one, alert, rooms, speech)
    elif one is not None:
        title, lines = _one_thing(one, alert, rooms, counts, speech)
    else:
        title, lines = _many(episodes, rooms, counts, speech)
    top = parts.top(episodes, rooms)
    return Notice(
        "firing",
        parts.worst(episodes),
        title,
        lines,
        links(episodes, parts.hall(episodes, rooms, counts), None, boards, language),
        () if parts.worst(episodes) == "info" or near_end(alert) else parts.people(top, boards),
        one,
    )


def ended(
    episodes: Sequence[Episode], how: How, rooms: Rooms, boards: Boards, language: Language, now: datetime
) -> Notice:
    """That it is over, or that it will not come back. Nobody is called for it."""
    speech = Speech(language, now, boards, {})
    one = episodes[0].number if len(episodes) == 1 else None
    tag = tagged(TAGS[language][how], language)
    lines: tuple[str, ...] = ()
    if one is not None:
        title = f"{tag}#{one} {_over(episodes[0], how, rooms, speech)}"
    else:
        title = tag + parts.counted(len(episodes), episodes, speech)
        told = [
            f"#{episode.number} {_over(episode, how, rooms, speech)}"
            for episode in sorted(episodes, key=lambda episode: -parts.viewers(episode, rooms))
        ]
        lines = parts.with_rest(told, len(told), language)
    hall = parts.hall(episodes, rooms, Counts())
    return Notice(how, parts.worst(episodes), title, lines, links(episodes, hall, now, boards, language), (), one)


def _one_room(number: int, alert: Alert, rooms: Rooms, speech: Speech) -> tuple[str, tuple[str, ...]]:
    room = room_words.sight_of(alert, rooms)
    name = name_of(alert.name, speech.language)
    if alert.name not in STOPS:
        at = parts.since(alert.starts_at, speech)
        title = f"{tagged(name.tag, speech.language)}#{number} {room_words.who(room, speech.language)} {name.what},{at}"
        return title, tuple(filter(None, (parts.described(alert, speech), room_words.place(room, speech))))
    gap = "" if speech.language == "zh" else " "
    tag = name.tag if room.tells_end or alert.name != "LivemonRoomDropped" else TAGS[speech.language]["unsure"]
    tag = TAGS[speech.language]["near_end"] if near_end(alert) else tag
    stopped = room_words.stopped(room, room_words.since_of(room, alert), speech)
    title = f"{tagged(tag, speech.language)}#{number} {room_words.who(room, speech.language)}{gap}{stopped}"
    seen = (room_words.before(room, speech), room_words.looked(room, speech))
    lines = (*seen, parts.noted(alert, speech), room_words.place(room, speech))
    return title, tuple(filter(None, lines))


def _one_thing(number: int, alert: Alert, rooms: Rooms, counts: Counts, speech: Speech) -> tuple[str, tuple[str, ...]]:
    name, zh = name_of(alert.name, speech.language), speech.language == "zh"
    subject = parts.subject(alert, rooms, speech.language)
    what = f"{subject} {name.what}" if subject else name.what
    title = f"{tagged(name.tag, speech.language)}#{number} {what},{parts.since(alert.starts_at, speech)}"
    known = counts.live + counts.stopped
    share = ""
    if alert.name in CROWDS and counts.stopped and known:
        share = (
            f"{known:,} 个在播直播间中 {counts.stopped:,} 个停播" if zh else f"{counts.stopped:,} of {known:,} are down"
        )
    down = [room for room in rooms.values() if alert.name in CROWDS and room.state in STOPPED]
    top = sorted(down, key=lambda room: -(room.viewers_before or 0))
    lines = [room_line for room in top if (room_line := _line("", room, room.since, speech))]
    total = max(counts.stopped, len(lines))
    return title, tuple(filter(None, (share, parts.described(alert, speech)))) + parts.with_rest(
        lines, total, speech.language
    )


def _many(episodes: Sequence[Episode], rooms: Rooms, counts: Counts, speech: Speech) -> tuple[str, tuple[str, ...]]:
    name = name_of(episodes[0].alert.name, speech.language)
    total = max(len(episodes), counts.told)
    likely_over = all(near_end(episode.alert) for episode in episodes)
    tag = TAGS[speech.language]["near_end"] if likely_over else name.tag
    title = tagged(tag, speech.language) + parts.counted(total, episodes, speech, name)
    lines = []
    for episode in episodes:
        if episode.alert.room is None:
            subject = parts.subject(episode.alert, rooms, speech.language)
            lines.append(f"#{episode.number} {subject} {parts.described(episode.alert, speech)}".rstrip())
            continue
        room = room_words.sight_of(episode.alert, rooms)
        since = room_words.since_of(room, episode.alert) if episode.alert.name in STOPS else None
        lines.append(_line(f"#{episode.number} ", room, since, speech))
    said = (NEAR_END[speech.language],) if likely_over else ()
    return title, said + parts.with_rest(lines, total, speech.language)


def _line(number: str, room: RoomSight, since: datetime | None, speech: Speech) -> str:
    """One room of many, on one line."""
    gap = "" if speech.language == "zh" else " "
    stopped = gap + room_words.stopped(room, since, speech) if since is not None else ""
    said = (number + room_words.who(room, speech.language) + stopped, room_words.before(room, speech))
    return (";" if not gap else "; ").join(filter(None, (*said, room_words.place(room, speech))))


def _over(episode: Episode, how: How, rooms: Rooms, speech: Speech) -> str:
    alert, zh, zone = episode.alert, speech.language == "zh", speech.boards.zone
    subject = parts.subject(alert, rooms, speech.language)
    if alert.room is None:
        subject = " ".join(part for part in (subject, name_of(alert.name, speech.language).what) if part)
    gap = "" if zh and alert.room is not None else " "
    if how == "not_recovered":
        at = time_of(alert.starts_at, speech.now, zone)
        over = f"{at} 停,宽限期已过仍未恢复" if zh else f"stopped at {at} and did not come back within grace"
        return subject + gap + over
    room = rooms.get(alert.room) if alert.room is not None else None
    seen = room.since if room is not None and room.since is not None and room.since >= alert.starts_at else None
    over_at = seen or alert.ends_at or speech.now
    at, span = time_of(over_at, speech.now, zone), span_of(over_at - alert.starts_at, speech.language)
    return subject + gap + (f"{at} 恢复,历时 {span}" if zh else f"recovered at {at}, after {span}")

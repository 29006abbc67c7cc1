"""The digest of a change of shift: read aloud, it needs no other screen. Pure; what could not be asked is said."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo

from monitor.alerts.alert import Episode
from monitor.alerts.alert_words import NAMES, hall_of, name_of
from monitor.alerts.contacts import Contact
from monitor.alerts.handover_data import FromDatabase, Standing
from monitor.alerts.handover_words import KINDS, STATES, WORDS
from monitor.alerts.hold import Hold
from monitor.alerts.message_parts import STOPS, subject
from monitor.alerts.notice import Language, Link, Notice
from monitor.alerts.sight import RoomSight
from monitor.alerts.silence import Silence
from monitor.platform_words import platform_name

SHOWN_MAX = 20
PIECE_BYTES_MAX = 3_000  # WeCom takes 4,096 with title, links and mentions


class Digest:
    """Puts one standing into words."""

    def __init__(self, standing: Standing, zone: tzinfo, language: Language) -> None:
        self._standing, self._zone, self._language = standing, zone, language
        self._words = WORDS[language]
        self._by_room: dict[tuple[str, str], Episode] = {}
        for episode in standing.episodes:
            if episode.alert.room is not None:
                self._by_room.setdefault(episode.alert.room, episode)

    def title(self) -> str:
        over, on = self._standing.over, self._standing.on
        names = {"over": over.name if over else self._words["command"], "on": on.name if on else self._words["nobody"]}
        return self._words["title"].format(**names)

    def lines(self, called: Sequence[Contact] = ()) -> Iterator[str]:
        """Most important first; each part says how many there are, and names the first of them."""
        words, standing = self._words, self._standing
        if standing.alertmanager_failing_since is not None:
            yield words["unknown_holders"].format(since=self._at(standing.alertmanager_failing_since)) + words["end"]
        stopped = {(room.platform, room.room) for room in standing.stopped}
        others = [each for each in standing.episodes if each.alert.room is None or each.alert.room not in stopped]
        yield from self._part("stopped", len(standing.stopped), map(self._room, standing.stopped))
        yield from self._part("other", len(others), map(self._alert, others))
        yield from self._part("feeds", len(standing.feeds), self._feeds())
        yield from self._part("silences", len(standing.silences), map(self._silence, standing.silences))
        yield from self._database()
        frames = (
            words["feed_frames"].format(feed=each.feed, count=f"{each.frames:,}", since=self._at(each.oldest_at))
            for each in standing.frames
        )
        yield from self._part("frames", sum(each.frames for each in standing.frames), frames, len(standing.frames))
        if standing.on is not None:
            starts, ends = self._at(standing.on.starts_at), self._at(standing.on.ends_at)
            duty = ", ".join(each.name or each.id for each in called) or ", ".join(standing.on.duty)
            yield words["on"].format(name=standing.on.name, starts=starts, ends=ends, duty=duty) + words["end"]

    def _database(self) -> Iterator[str]:
        known, words = self._standing.database, self._words
        if known is None:
            yield from self._part("refused", self._standing.refused_count, (), 0)
            yield words["unknown_database"].format(why=self._standing.database_why or "-") + words["end"]
            return
        yield from self._part("refused", known.refused_count, self._refused(known), known.refused_count)
        called = KINDS[self._language]
        kinds = ", ".join(f"{called.get(kind, kind)} {count:,}" for kind, count in known.quarantined.items())
        count = sum(known.quarantined.values())
        said = words["quarantine"].format(count=f"{count:,}", kinds=kinds) if count else words["no_quarantine"]
        yield said + words["end"]
        changes = (
            words["change"].format(
                at=self._at(each.at), by=each.by, added=each.added, changed=each.changed, retired=each.retired
            )
            for each in known.changes
        )
        yield from self._part("changes", len(known.changes), changes)

    def _refused(self, known: FromDatabase) -> Iterator[str]:
        for each in known.refused:
            platform = platform_name(each.platform, self._language)
            contact = self._words["call"].format(contact=each.contact) if each.contact else ""
            yield self._words["account"].format(
                platform=platform, name=each.name or each.shop, contact=contact, reason=each.reason
            )

    def _feeds(self) -> Iterator[str]:
        language = self._language
        for each in self._standing.feeds:
            yield self._words["feed"].format(
                name=each.name,
                place=" ".join(filter(None, (platform_name(each.platform, language), hall_of(each.hall, language)))),
                state=STATES[language].get(each.state, each.state),
                since=self._at(each.since),
                rooms=f"{each.rooms:,}",
                detail=f" ({each.detail})" if each.detail else "",
            )

    def _room(self, room: RoomSight) -> str:
        episode = self._by_room.get((room.platform, room.room))
        return self._words["room"].format(
            number=f"#{episode.number} " if episode else "",
            place=f"{room.city}·" if room.city else "",
            anchor=room.anchor or room.room,
            platform=platform_name(room.platform, self._language),
            room=room.room,
            hall=self._words["hall"].format(hall=hall_of(room.hall, self._language)) if room.hall else "",
            since=self._at(room.since),
            viewers=""
            if room.viewers_before is None
            else self._words["viewers"].format(count=f"{room.viewers_before:,}"),
            holder=self._holder(self._standing.holds.get(episode.number) if episode else None),
        )

    def _alert(self, episode: Episode) -> str:
        """Of whom it is, first: of a room that is not down (any more), of a feed, of a hall."""
        alert, language = episode.alert, self._language
        name = name_of(alert.name, language)
        what = name.tag if alert.name in STOPS else name.what
        if alert.name not in NAMES:  # somebody's own rule
            what = alert.annotations.get("summary", "").strip() or what
        what = f"{subject(alert, {}, language)} {what}".strip()
        holder = self._holder(self._standing.holds.get(episode.number))
        return self._words["alert"].format(
            number=episode.number, what=what, since=self._at(alert.starts_at), holder=holder
        )

    def _holder(self, hold: Hold | None) -> str:
        if hold is None:
            return self._words["not_held"]
        reason = f" ({hold.reason})" if hold.reason else ""
        shown = self._words["held" if hold.acknowledged else "quiet"]
        return shown.format(by=hold.by, since=self._at(hold.since), until=self._at(hold.until), reason=reason)

    def _silence(self, silence: Silence) -> str:
        since = self._words["from"].format(since=self._at(silence.starts_at)) if silence.state == "pending" else ""
        return self._words["silence"].format(
            what=" ".join(map(str, silence.matchers)) + since,
            by=silence.by,
            until=self._at(silence.ends_at),
            reason=f" ({silence.reason})" if silence.reason else "",
        )

    def _part(self, name: str, count: int, lines: Iterable[str], listed: int | None = None) -> Iterator[str]:
        if not count:
            yield self._words[f"no_{name}"] + self._words["end"]
            return
        yield self._words[name].format(count=f"{count:,}") + (":" if listed != 0 else self._words["end"])
        shown = 0
        for line in lines:
            if shown == SHOWN_MAX:
                break
            shown += 1
            yield f"{shown}. {line}{self._words['end']}"
        left = (count if listed is None else listed) - shown
        if left > 0:
            yield self._words["more"].format(count=f"{left:,}") + self._words["end"]

    def _at(self, at: datetime | None) -> str:
        if at is None:
            return self._words["unknown_since"]
        local, now = at.astimezone(self._zone), self._standing.at.astimezone(self._zone)
        return f"{local:%H:%M}" if local.date() == now.date() else f"{local:%m-%d %H:%M}"


def notices(
    standing: Standing, zone: tzinfo, language: Language, called: Sequence[Contact] = (), links: Sequence[Link] = ()
) -> list[Notice]:
    """The messages to the group, each of a size that every robot takes whole; who comes on duty is mentioned once."""
    digest = Digest(standing, zone, language)
    pieces = _pieces(digest.lines(called))
    told = []
    for number, piece in enumerate(pieces, 1):
        title = digest.title() + (f" ({number}/{len(pieces)})" if len(pieces) > 1 else "")
        last = number == len(pieces)
        told.append(
            Notice("handover", "info", title, piece, tuple(links) if last else (), tuple(called) if last else ())
        )
    return told


def _pieces(lines: Iterable[str]) -> list[tuple[str, ...]]:
    pieces: list[tuple[str, ...]] = []
    piece: list[str] = []
    for line in lines:
        if piece and len("\n".join((*piece, line)).encode()) > PIECE_BYTES_MAX:
            pieces.append(tuple(piece))
            piece = []
        piece.append(line)
    return [*pieces, tuple(piece)]

"""A feed that TOML alone describes: where its answers list rooms, and where each value of a room stands."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from . import described_sense as sense
from . import mapping
from .collector import BadFrame, FeedRow, PartlyRead
from .described_sense import Complaint
from .finding import Unfit, finder
from .mapping import Fields, Reader, Words
from .placeholders import named
from .tick import Tick

ROOMS_MAX = 50_000  # of one frame
SHOWN_MAX = 20  # rooms that could not be read, kept for a person
NEXT = timedelta(microseconds=1)


class Unread(msgspec.Struct, frozen=True):
    """One room of an answer that could not be read."""

    room: str | None
    why: str
    item: object


class DescribedRow(FeedRow, frozen=True, kw_only=True):
    """The settings that an answer and a message of a socket share; docs/feeds-by-toml.md explains them."""

    url: str
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    secrets: dict[str, Path] = msgspec.field(default_factory=dict)  # by their names in what is sent
    fields: Fields = Fields()
    rooms_at: str = "@"  # a list of rooms, or one
    keyed: bool = False  # an object of rooms by their ids
    total: str = ""  # how many rooms the platform says that it lists
    complete: bool = False  # what is not listed is off air
    live_when: list[str] = msgspec.field(default_factory=list)
    ended_when: list[str] = msgspec.field(default_factory=list)
    refused_when: str = ""  # an answer that means: never again with these secrets
    zone: str = ""  # of times without an offset
    body_bytes_max: Annotated[int, msgspec.Meta(ge=4096, le=64 * 1024 * 1024)] = 16 * 1024 * 1024

    KEY_IS = "session"
    LISTED_IS_LIVE: ClassVar[bool | None] = None  # what a room is, where `fields.live` is left out
    PATHS: ClassVar[tuple[str, ...]] = ("rooms_at", "total", "refused_when")
    TEXTS: ClassVar[Mapping[str, frozenset[str]]] = {}  # what is sent, and which names but those of secrets fill it

    def signals(self) -> list[str]:
        return ["live", "viewers"] if self.fields.viewers and self.viewers else ["live"]

    def complaints(self) -> Iterator[Complaint]:
        """Settings that cannot be meant."""
        paths: dict[tuple[str, ...], str] = {(name,): getattr(self, name) for name in self.PATHS}
        paths |= {("fields", name): getattr(self.fields, name) for name in Fields.__struct_fields__}
        for place, path in paths.items():
            if path:
                yield from sense.of_path(place, path)
        if self.zone and self.naive_zone is None:
            yield ("zone",), f"unknown zone {self.zone[:64]!r}", "give a name as 'Asia/Shanghai'"
        texts = {name: getattr(self, name) for name in self.TEXTS}
        for name, text in texts.items():
            yield from sense.of_names((name,), text, {*self.TEXTS[name], *self.secrets})
            if isinstance(text, str):
                yield from sense.of_query((name,), text)
        yield from sense.of_headers(self.headers, set(self.secrets))
        used = {name for text in (*texts.values(), *self.headers.values()) for name in named(text)}
        yield from sense.of_secrets(self.secrets, used)

    @property
    def naive_zone(self) -> tzinfo | None:
        try:
            return ZoneInfo(self.zone) if self.zone else None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None

    def reader(self, stamped: bool) -> Reader:
        """`stamped`: rooms are taken as of their own time, where one is told."""
        fields = self.fields if stamped else msgspec.structs.replace(self.fields, at="")
        words = Words(tuple(self.live_when), tuple(self.ended_when), self.LISTED_IS_LIVE)
        return mapping.reader(self.name, fields, words, self.naive_zone, self.viewers)

    def items(self, told: object, asked: Sequence[str] | None, rooms_at: str) -> list[tuple[str | None, object]]:
        """The rooms that one document lists, each with its id, where that does not stand in itself. Raises BadFrame."""
        try:
            listed = finder(rooms_at)(told)
        except Unfit as error:
            raise BadFrame(f"unfit: no rooms: {error}") from error
        only = asked[0] if asked and len(asked) == 1 and not self.fields.room else None
        if isinstance(listed, dict):
            return list(listed.items()) if self.keyed else [(only, listed)]
        if not isinstance(listed, list) or self.keyed:
            raise BadFrame(f"unfit: there is no {'object' if self.keyed else 'list'} of rooms where rooms_at says")
        return [(only, item) for item in listed]

    def ticks(
        self, documents: Sequence[object], asked: Sequence[str] | None, at: datetime, complete: bool, rooms_at: str,
        stamped: bool = False,
    ) -> list[Tick]:  # fmt: skip
        """One tick for each room that is listed, and of a complete answer for each watched one that is not. Of what is
        `stamped` one for each change, in the order in which they are told: the last one says how the room stands.

        Raises PartlyRead where single rooms could not be read, or were asked about and not told of. Raises BadFrame
        where that is most of them: then the settings are wrong, or the platform changed.
        """
        items = [pair for told in documents for pair in self.items(told, asked, rooms_at)]
        if len(items) > ROOMS_MAX:
            raise BadFrame(f"too_large: more than {ROOMS_MAX} rooms")
        ticks, unread = self._read(items, at, stamped)
        listed = {tick.room for tick in ticks}
        self._refuse(listed, unread, len(items), documents, asked)
        known = {*listed, *(one.room for one in unread)}
        watched = (self.rooms or ()) if asked is None else asked
        missed = [room for room in watched if room not in known] if complete or asked is not None else []
        if complete and None not in known:  # whoever cannot be named may be any of those that are not listed
            ticks += [Tick(self.name, room, at, "absent", False) for room in missed]
            missed = []
        blind = [*(one.room for one in unread if one.room is not None), *missed] if self.ROOM_BY_ROOM else []
        if unread or blind:
            why = unread[0].why if unread else "it was asked about and is not told of"
            reason = f"unfit: of {len(unread) or len(blind)} rooms: {why}"
            raise PartlyRead(reason, ticks, dict.fromkeys(blind, "bad_frame"), part_of(unread))
        return ticks

    def _read(
        self, items: Iterable[tuple[str | None, object]], at: datetime, stamped: bool
    ) -> tuple[list[Tick], list[Unread]]:
        """Each room by itself: its tick, or why there is none."""
        reader, ticks, unread = self.reader(stamped), list[Tick](), list[Unread]()
        listed = set[str]()
        for given, item in items:
            room = given
            try:
                room = reader.room(item) if given is None else given
                if room is None:
                    raise Unfit("room is not told")
                if stamped or room not in listed:  # a list that moves while we page shows a room twice
                    ticks.append(reader.tick(room, item, at))
                    listed.add(room)
            except Unfit as error:
                unread.append(Unread(room, str(error), item))
        return (in_order(ticks) if stamped else ticks), unread

    def _refuse(
        self, listed: Collection[str], unread: Sequence[Unread], count: int, documents: Sequence[object],
        asked: Sequence[str] | None,
    ) -> None:  # fmt: skip
        """Raises BadFrame for an answer that must not be believed as a whole."""
        if len(unread) * 2 > count:
            raise BadFrame(f"unfit: {len(unread)} of {count} rooms, one of them as {unread[0].why}")
        if asked is not None and not set(asked).issuperset(listed):
            raise BadFrame("another_room: the answer speaks of a room that was not asked about")
        if self.total and documents:
            said = self._total(documents[-1])
            if said is not None and said > count:
                raise BadFrame(f"partial: {count} rooms are listed, {said} are said to be")

    def _total(self, told: object) -> int | None:
        try:
            return mapping.whole(finder(self.total)(told), mapping.INT_MAX, "total")
        except Unfit as error:
            raise BadFrame(f"unfit: {error}") from error


def in_order(ticks: Sequence[Tick]) -> list[Tick]:
    """Those of one room and one instant, each a little after the one before: whoever hears several of one instant takes
    the first, and here the last says how the room stands."""
    before, told = Counter[tuple[str, datetime]](), list[Tick]()
    for tick in ticks:
        count = before[tick.room, tick.at]
        before[tick.room, tick.at] += 1
        told.append(msgspec.structs.replace(tick, at=tick.at + count * NEXT) if count else tick)
    return told


def part_of(unread: Sequence[Unread]) -> bytes:
    return b"\n".join(msgspec.json.encode(one.item) for one in unread[:SHOWN_MAX])

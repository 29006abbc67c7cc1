"""Writes /metrics/rooms: the series of every roster room, from line prefixes that are made once per roster."""

import asyncio
import gzip
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from monitor.facts import RosterRoom
from monitor.live.clock import wall_time
from monitor.live.room import BLIND, Room
from monitor.live.watch import Watch

from .ends_near import EndsNear
from .labels import clean, escape, name_label

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SLICE_ROOMS = 1_000
"""So many rooms' prefixes are made before the event loop gets its turn."""


class Family(NamedTuple):
    """One metric of the page. `dense`: every room has its line; else a room of which nothing is told has none."""

    name: str
    kind: str
    text: str
    dense: bool
    read: Callable[[Sequence[Room]], Sequence[float | None]]
    place: str = "%d"


def read_viewers(rooms: Sequence[Room]) -> list[int | None]:
    return [room.viewers if room.state != BLIND else None for room in rooms]


def read_bits(rooms: Sequence[Room]) -> list[int | None]:
    return [kbps * 1000 if (kbps := room.kbps) is not None and room.state != BLIND else None for room in rooms]


FAMILIES = (
    Family(
        "livemon_room_state",
        "gauge",
        "0 offline, 1 live, 2 dropped, 3 blind, 4 lost, 5 unwatched (no configured feed can see it).",
        True,
        lambda rooms: [room.state for room in rooms],
    ),
    Family("livemon_room_viewers", "gauge", "Viewers now; no line while unknown or blind.", False, read_viewers),
    Family(
        "livemon_room_views_total",
        "counter",
        "Increases of the views of a session that were seen.",
        True,
        lambda rooms: [room.views_total for room in rooms],
    ),
    Family(
        "livemon_room_likes_total",
        "counter",
        "Increases of the likes of a session that were seen.",
        True,
        lambda rooms: [room.likes_total for room in rooms],
    ),
    Family(
        "livemon_room_bits_per_second",
        "gauge",
        "Rate of the incoming stream; no line while unknown or blind.",
        False,
        read_bits,
    ),
    Family(
        "livemon_room_orders_total",
        "counter",
        "Orders paid, as PostgreSQL took them for new.",
        True,
        lambda rooms: [room.orders_total for room in rooms],
    ),
    Family(
        "livemon_room_sales_minor_total",
        "counter",
        "Orders paid, in the minor unit of the event's currency.",
        True,
        lambda rooms: [room.sales_minor_total for room in rooms],
    ),
    Family(
        "livemon_room_refunds_minor_total",
        "counter",
        "Refunds, in the minor unit of the event's currency.",
        True,
        lambda rooms: [room.refunds_minor_total for room in rooms],
    ),
    Family(
        "livemon_room_drops_total",
        "counter",
        "Stops that proved to be drops: resumed, or lost.",
        True,
        lambda rooms: [room.drops_total for room in rooms],
    ),
    Family(
        "livemon_room_last_tick_timestamp_seconds",
        "gauge",
        "When the room was last told of; 0 before the first time.",
        True,
        lambda rooms: [room.last_tick_at for room in rooms],
        "%.3f",
    ),
    Family(
        "livemon_room_expected",
        "gauge",
        "1 while the schedule wants the room on air.",
        True,
        lambda rooms: [room.expected for room in rooms],
    ),
)
END_NEAR = "livemon_room_end_near"
END_NEAR_TEXT = "1 while a planned end is within end_slack_s; else no line."
INFO = "livemon_room_info"
INFO_TEXT = "Who broadcasts in the room, 1; join it on (platform, room)."


class Prefixes(NamedTuple):
    """All that is the same from one scrape to the next while the roster stays."""

    generation: int
    rooms: list[Room]
    labels: list[str]
    heads: list[bytes]  # HELP and TYPE of each family
    templates: list[bytes]  # of dense families: all lines, with a place for each number
    lines: list[list[str]]  # of the others: one prefix per room
    info: bytes


class Page(NamedTuple):
    plain: bytes
    packed: bytes


def room_labels(row: RosterRoom) -> str:
    return f'platform="{escape(name_label(row.platform))}",room="{escape(name_label(row.external_id))}"'


def info_line(labels: str, row: RosterRoom) -> str:
    tier = "" if row.tier is None else str(row.tier)
    told = (("anchor", row.anchor), ("hall", row.hall), ("city", row.city), ("category", row.category), ("tier", tier))
    more = ",".join(f'{name}="{escape(clean(value))}"' for name, value in told)
    return f"{INFO}{{{labels},{more}}} 1\n"


def head(name: str, kind: str, text: str) -> bytes:
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n".encode()


class RoomsPage:
    """The page of one watch. Asked by several at once it is rendered once."""

    def __init__(self, watch: Callable[[], Watch], now: Callable[[], datetime] = wall_time) -> None:
        self.watch, self.now = watch, now
        self.ends = EndsNear()
        self.prefixes: Prefixes | None = None
        self.page = Page(b"", b"")
        self.rendered = 0
        self.turn = asyncio.Lock()

    async def fresh(self) -> Page:
        """Render now, or, if a page was rendered while this call waited its turn, give that one."""
        before = self.rendered
        async with self.turn:
            if self.rendered == before:
                plain = await self.render()
                packed = await asyncio.to_thread(gzip.compress, plain, 1, mtime=0)
                self.page = Page(plain, packed)
                self.rendered += 1
            return self.page

    async def render(self) -> bytes:
        """The page as text. All values are of one instant; the loop gets its turn after each family."""
        prefixes = await self.current()
        values = [family.read(prefixes.rooms) for family in FAMILIES]
        near = self.ends_near(prefixes)
        parts: list[bytes] = []
        for index, family in enumerate(FAMILIES):
            await asyncio.sleep(0)
            parts.append(prefixes.heads[index])
            if family.dense:
                parts.append(prefixes.templates[index] % tuple(values[index]))
            else:
                told = zip(prefixes.lines[index], values[index], strict=True)
                parts.append("".join([f"{line}{value}\n" for line, value in told if value is not None]).encode())
        parts.append(near)
        parts.append(prefixes.info)
        await asyncio.sleep(0)
        return b"".join(parts)

    def ends_near(self, prefixes: Prefixes) -> bytes:
        near = self.ends.of(prefixes.rooms, self.now(), self.watch().limits.end_slack)
        if not near:
            return b""
        lines = "".join([f"{END_NEAR}{{{prefixes.labels[place]}}} 1\n" for place in near])
        return head(END_NEAR, "gauge", END_NEAR_TEXT) + lines.encode()

    async def current(self) -> Prefixes:
        """The prefixes of the present roster, whose plans are known; again where it changed while they were made."""
        while True:
            if self.prefixes is None or self.prefixes.generation != self.watch().roster_generation:
                self.prefixes = await make_prefixes(self.watch())
            elif not await self.ends.follow(self.prefixes.rooms):
                return self.prefixes


async def make_prefixes(watch: Watch) -> Prefixes:
    generation, rooms = watch.roster_generation, list(watch.rooms)
    rows = [room.row for room in rooms]
    labels: list[str] = []
    info: list[str] = []
    for start in range(0, len(rows), SLICE_ROOMS):
        of_slice = [room_labels(row) for row in rows[start : start + SLICE_ROOMS]]
        labels += of_slice
        info += map(info_line, of_slice, rows[start : start + SLICE_ROOMS])
        await asyncio.sleep(0)
    templates: list[bytes] = []
    lines: list[list[str]] = []
    for family in FAMILIES:
        of_family = [f"{family.name}{{{label}}} " for label in labels]
        lines.append([] if family.dense else of_family)
        templates.append(make_template(family, of_family) if family.dense else b"")
        await asyncio.sleep(0)
    heads = [head(family.name, family.kind, family.text) for family in FAMILIES]
    named = head(INFO, "gauge", INFO_TEXT) + "".join(info).encode()
    return Prefixes(generation, rooms, labels, heads, templates, lines, named)


def make_template(family: Family, lines: list[str]) -> bytes:
    return "".join([f"{line.replace('%', '%%')}{family.place}\n" for line in lines]).encode()

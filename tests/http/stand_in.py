"""A watch that stands still: what the pages read of rooms and feeds, set by hand."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, ClassVar

from collectors.collector import FeedRow
from monitor.facts import RosterRoom
from monitor.http.sources import Sources, WriterSight

NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
NAMES = ("小雪直播", "辽宁大樱桃", "盘锦河蟹", "鞍山南果梨", "Anna Q.")
CITIES = ("沈阳", "大连", "鞍山", "丹东", "锦州")


@dataclass(slots=True)
class StillRoom:
    row: RosterRoom
    state: int = 3
    viewers: int | None = None
    kbps: int | None = None
    views_total: int = 0
    likes_total: int = 0
    orders_total: int = 0
    sales_minor_total: int = 0
    refunds_minor_total: int = 0
    drops_total: int = 0
    last_tick_at: float = 0.0
    expected: bool = False

    @property
    def platform(self) -> str:
        return self.row.platform


@dataclass
class StillWatch:
    rooms: list[Any] = field(default_factory=list)
    feeds: dict[str, Any] = field(default_factory=dict)
    roster_generation: int = 1


class StillRow(FeedRow, tag="nginx_rtmp", frozen=True):
    """A feed kind that polls."""


class StillHooks(FeedRow, tag="nginx_rtmp_hooks", frozen=True):
    """A feed kind that only listens."""

    TELLS_STATE: ClassVar[bool] = False


@dataclass(frozen=True)
class StillBook:
    received: int = 0
    written: int = 0
    duplicates: int = 0
    quarantined: int = 0
    shed: int = 0
    spooled: int = 0
    reoffered: int = 0
    lost: int = 0

    @property
    def difference(self) -> int:
        return self.received - self.written - self.duplicates - self.quarantined - self.shed - self.spooled


@dataclass(frozen=True)
class StillStanding:
    books: dict[str, StillBook] = field(default_factory=lambda: dict.fromkeys(("tick", "sale", "change"), StillBook()))
    pending: int = 0
    pending_bytes: int = 0
    oldest_sealed_at: float | None = None


def still_sources(watch: Any, **more: Any) -> Sources:
    facts: dict[str, Any] = {
        "now": lambda: NOW, "watch": lambda: watch, "standing": StillStanding, "writer": lambda: WriterSight(True),
        "event": "辽宁网红周",
    }  # fmt: skip
    return Sources(**(facts | more))


def still_feed(name: str, rooms: list[Any], **more: Any) -> Any:
    facts: dict[str, Any] = {
        "name": name, "row": StillRow(name=name), "tells": True, "platform": "nginx_rtmp", "hall": "A", "rooms": rooms,
        "state": "ok", "detail": "", "last_message_at": NOW, "failures": 0, "unlisted": {}, "unlisted_more": 0,
        "blind_from": None, "blind_cause": "",
    }  # fmt: skip
    return SimpleNamespace(**(facts | more))


def busy_watch(count: int, seed: int = 7) -> StillWatch:
    """So many rooms of a busy evening: most are live, some are off, some blind."""
    dice = random.Random(seed)
    rooms = []
    for index in range(count):
        row = RosterRoom(
            index + 1,
            "nginx_rtmp",
            f"live/room{index:05d}",
            anchor=f"{dice.choice(NAMES)}{index}",
            hall="ABCD"[index % 4],
            city=dice.choice(CITIES),
            category="服饰",
            tier=index % 3 + 1,
        )
        room = StillRoom(row, state=dice.choices((0, 1, 2, 3, 4, 5), (20, 70, 2, 5, 1, 2))[0])
        if room.state not in (3, 5):
            room.viewers, room.kbps = dice.randrange(50_000), dice.randrange(8_000)
        room.views_total, room.likes_total = dice.randrange(10**7), dice.randrange(10**8)
        room.orders_total, room.sales_minor_total = dice.randrange(20_000), dice.randrange(10**9)
        room.refunds_minor_total, room.drops_total = dice.randrange(10**7), dice.randrange(9)
        room.last_tick_at, room.expected = NOW.timestamp() + dice.random(), dice.random() < 0.8
        rooms.append(room)
    return StillWatch(rooms)

"""A watch that stands still: real rooms and feeds whose numbers are set by hand, and the callables around it."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import aiohttp

from collectors.collector import FeedRow
from monitor.facts import RosterRoom
from monitor.http import listener, web
from monitor.http.guard import Guard
from monitor.http.metrics import Metrics
from monitor.http.sources import Sources, WriterSight
from monitor.live.watch import Watch

NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
NAMES = ("小雪直播", "辽宁大樱桃", "盘锦河蟹", "鞍山南果梨", "Anna Q.")
CITIES = ("沈阳", "大连", "鞍山", "丹东", "锦州")


class StillRow(FeedRow, tag="still_poll", frozen=True):
    """A feed kind that polls."""

    PLATFORM: ClassVar[str] = "nginx_rtmp"


class StillHooks(FeedRow, tag="still_hooks", frozen=True):
    """A feed kind that only listens."""

    PLATFORM: ClassVar[str] = "nginx_rtmp"
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
class StillFrames:
    waiting: int = 0
    pending: int = 0
    oldest_at: float = 0.0


@dataclass(frozen=True)
class StillStanding:
    books: dict[str, StillBook] = field(default_factory=lambda: dict.fromkeys(("tick", "sale", "change"), StillBook()))
    pending: int = 0
    pending_bytes: int = 0
    oldest_sealed_at: float | None = None
    frames: dict[str, StillFrames] = field(default_factory=dict)


def still_watch(rows: Sequence[RosterRoom], feeds: Sequence[FeedRow] = (StillRow(name="hall-a", hall="A"),)) -> Watch:
    watch = Watch()
    watch.load(rows, [], feeds, NOW)
    return watch


def busy_watch(count: int, seed: int = 7) -> Watch:
    """So many rooms of a busy evening: most are live, some are off, some blind."""
    dice = random.Random(seed)
    watch = still_watch([busy_row(index, dice) for index in range(count)], [StillRow(name="halls")])
    for room in watch.rooms:
        room.state = dice.choices((0, 1, 2, 3, 4, 5), (20, 70, 2, 5, 1, 2))[0]
        if room.state not in (3, 5):
            room.viewers, room.kbps = dice.randrange(50_000), dice.randrange(8_000)
        room.views_total, room.likes_total = dice.randrange(10**7), dice.randrange(10**8)
        room.orders_total, room.sales_minor_total = dice.randrange(20_000), dice.randrange(10**9)
        room.refunds_minor_total, room.drops_total = dice.randrange(10**7), dice.randrange(9)
        room.last_tick_at, room.expected = NOW.timestamp() + dice.random(), dice.random() < 0.8
    return watch


def busy_row(index: int, dice: random.Random) -> RosterRoom:
    return RosterRoom(
        index + 1,
        "nginx_rtmp",
        f"live/room{index:05d}",
        anchor=f"{dice.choice(NAMES)}{index}",
        hall="ABCD"[index % 4],
        city=dice.choice(CITIES),
        category="服饰",
        tier=index % 3 + 1,
    )


def still_sources(watch: Watch, **more: Any) -> Sources:
    facts: dict[str, Any] = {
        "now": lambda: NOW,
        "watch": lambda: watch,
        "standing": StillStanding,
        "writer": lambda: WriterSight(True),
        "event": "辽宁网红周",
    }
    return Sources(**(facts | more))


@dataclass(frozen=True)
class Site:
    """A web that really listens, and a client that asks it."""

    http: aiohttp.ClientSession
    url: str
    port: int
    metrics: Metrics

    def get(self, path: str, **more: Any) -> Any:
        return self.http.get(self.url + path, **more)


@asynccontextmanager
async def listening(sources: Sources, guard: Guard | None = None) -> AsyncIterator[Site]:
    metrics = Metrics(sources, "0.1.0")
    served = await web.start(web.make_app(sources, metrics, "0.1.0"), "127.0.0.1", 0, guard or Guard())
    try:
        async with aiohttp.ClientSession(auto_decompress=False) as http:
            yield Site(http, f"http://127.0.0.1:{served.port}", served.port, metrics)
    finally:
        await listener.stop(served)

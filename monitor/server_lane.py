"""The lane of what is told again: from memory to the watch at once, bounded, and nothing of it is kept.

So own servers' calls go, whose polls tell the same, and likes of a room on air, after which others come. Each feed has
room of its own, so that a flooded one sheds its own and no others'. What dies here with the process was never received.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from collectors.collector import FeedRow
from collectors.hook import NO_DETAILS, App
from monitor.facts import Heard, Quarantined
from monitor.live.watch import Watch
from monitor.sale_rules import SaleRules
from monitor.understanding import Parsing, Unreadable, understand

log = logging.getLogger(__name__)
HELD_MAX = 1_000  # calls of one feed: two seconds of what one listener takes
FACTS_OF_A_CALL = 16
KEPT_EVERY_S = 60.0  # of what means nothing, one of a feed is kept for a person in so many seconds; all are counted


@dataclass(frozen=True, kw_only=True)
class Outlets:
    """Where the lane leads to. The room in the inbox is awaited; nothing else may wait."""

    room: Callable[[int, int], Awaitable[None]]
    put: Callable[[Heard], None]
    encrypt: Callable[[bytes], bytes]  # a call may hold a broadcaster's stream key
    failed: Callable[[str], None]  # a feed brought what means nothing
    app_of: Callable[[FeedRow], App | None]
    rules: Callable[[], SaleRules]
    watching: Callable[[], bool]  # are the rooms and their open sessions known?
    now: Callable[[], datetime]


class ServerLane:
    def __init__(self, watch: Watch, outlets: Outlets, held_max: int = HELD_MAX) -> None:
        self._watch, self._outlets, self._held_max = watch, outlets, held_max
        self._held: dict[str, deque[tuple[bytes, datetime]]] = {}
        self._came = asyncio.Event()
        self._kept_at: dict[str, float] = {}

    def hold(self, feed: str, frame: bytes, at: datetime) -> bool:
        """Take a call on; False: it is shed, as too many of this feed wait or nobody watches its rooms yet."""
        if not self._outlets.watching():
            return False
        held = self._held.setdefault(feed, deque())
        if len(held) >= self._held_max:
            return False
        held.append((frame, at))
        self._came.set()
        return True

    async def run(self) -> None:
        """Tell the watch, one call of each feed in turn, until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            while self._held:
                for feed in tuple(self._held):
                    held = self._held[feed]
                    frame, at = held[0]
                    await self._tell(feed, frame, at)
                    held.popleft()
                    if not held:
                        del self._held[feed]

    async def _tell(self, feed: str, frame: bytes, at: datetime) -> None:
        outlets, sight = self._outlets, self._watch.feeds.get(feed)
        app = outlets.app_of(sight.row) if sight else None
        if sight is None or app is None:
            return  # taken out of the config while it waited
        try:
            understood = understand(cast(Parsing, sight.row), app, frame, at, NO_DETAILS, outlets.rules())
        except Unreadable as error:
            outlets.failed(feed)
            await self._set_aside(feed, frame, at, error)
            return
        await outlets.room(len(understood.ticks), FACTS_OF_A_CALL)
        # From here to the put nothing is awaited: the order of the spool is the order of the steps.
        outlets.put(self._watch.hear(feed, at, understood.ticks, outlets.now(), whole=False))

    async def _set_aside(self, feed: str, frame: bytes, at: datetime, error: Unreadable) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._kept_at.get(feed, -KEPT_EVERY_S) < KEPT_EVERY_S:
            return
        self._kept_at[feed] = now_s
        if not error.foreseen:
            log.error("feed %s: a call cannot be read: %s", feed, error.reason)
        await self._outlets.room(0, 1)
        bad = Quarantined(
            feed, "frame", error.reason, at, "a call, or a message that comes again", self._outlets.encrypt(frame)
        )
        self._outlets.put(Heard(quarantine=[bad]))

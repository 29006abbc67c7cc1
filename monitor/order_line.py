"""An order socket as `supervise` knows feeds: what it brings is on disk before the platform is told that we have it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

import aiohttp

from collectors.collector import Emit, FeedRefused, FeedRow, Now
from collectors.hook import App, OrderSocketRow
from collectors.tick import Tick
from monitor.store.disk import SpoolFull

FULL_WAIT_S = 1.0

Keep = Callable[[str, bytes, datetime], Awaitable[int]]
"""Feed, frame, received at: comes back when the frame is on disk, with its number; these rise."""


class Conversing(Protocol):
    """The row of an order socket: every `OrderSocketRow` of a config is one, a test sees to it."""

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now, app: App) -> None: ...


class OrderLine:
    """Its frames are read from the disk, not here; here they, and every pulse, prove that the feed is alive."""

    def __init__(
        self, row: OrderSocketRow, socket: Conversing, app_of: Callable[[FeedRow], App | None], keep: Keep, now: Now
    ) -> None:
        self.name, self.RETRY_S_MAX = row.name, row.RETRY_S_MAX
        self._row, self._socket, self._app_of, self._keep, self._now = row, socket, app_of, keep, now

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        app = self._app_of(self._row)
        if app is None:
            raise FeedRefused(f"there is no [[app]] named {self._row.app!r}")

        async def take(frame: bytes, at: datetime) -> None:
            if frame:
                await kept(self._keep, self.name, frame, at)
            await emit(b"", at)

        await self._socket.collect(http, take, self._now, app)  # not `now`: a message is no answer to a poll

    def parse(self, frame: bytes, at: datetime) -> Sequence[Tick]:
        """A pulse has no meaning, and a kept frame is read from the disk."""
        return ()


async def kept(keep: Keep, feed: str, frame: bytes, at: datetime) -> int:
    """Come back when it is on disk, however long that takes, with its number there."""
    while True:
        try:
            return await keep(feed, frame, at)
        except SpoolFull:  # it stays unconfirmed, and a platform that wants confirmations holds it for us
            await asyncio.sleep(FULL_WAIT_S)

"""Hears a socket that wants nothing confirmed: each message is handed on, and a dead peer is found by its pulse."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from websockets import InvalidStatus
from websockets.asyncio.client import ClientConnection, connect

from .collector import Emit, FeedRefused, Now, every
from .order_socket import REPLY_S_MAX
from .request import UNAUTHORIZED

Understand = Callable[[bytes], bytes]
"""The frame of a message, empty where it only shows that somebody is there. Raises what ends the connection."""


@asynccontextmanager
async def heard_socket(attempt: connect, shown: str, emit: Emit, now: Now) -> AsyncIterator["HeardSocket"]:
    """Connected. Raises FeedRefused for 401, naming the URL as `shown`: the true one may hold secrets."""
    try:
        socket = await attempt
    except InvalidStatus as error:
        if error.response.status_code == UNAUTHORIZED:
            raise FeedRefused(f"{shown} answered 401: it does not take the secrets, or wants some") from None
        raise
    try:
        yield HeardSocket(socket, emit, now)
    finally:
        await socket.close()


class HeardSocket:
    def __init__(self, socket: ClientConnection, emit: Emit, now: Now, reply_s_max: float = REPLY_S_MAX) -> None:
        self.socket, self.emit, self.now, self.reply_s_max = socket, emit, now, reply_s_max
        self.keeping = False  # a frame is on its way: while it is, nothing more is read
        self.kept = 0

    async def listen(self, understand: Understand) -> None:
        while True:
            message = await self.socket.recv()
            at = self.now()
            self.keeping = True
            await self.emit(understand(message if isinstance(message, bytes) else message.encode()), at)
            self.keeping = False
            self.kept += 1

    async def beat(self, words: str, every_s: float) -> None:
        """Say what the platform wants to hear now and then; its answer is a message like all others."""
        async for _ in every(every_s):
            await self.say([words])

    async def ping(self, every_s: float, count: bool) -> None:
        """Ask whether somebody is there. With `count` a pong says that the feed is alive, though it tells nothing."""
        async for _ in every(every_s):
            async with asyncio.timeout(self.reply_s_max):
                pong = asyncio.ensure_future(await self.socket.ping())
            await self._answered(pong)
            if count:
                await self.emit(b"", self.now())

    async def say(self, messages: Iterable[str]) -> None:
        """A peer that takes nothing any more has left, whatever TCP believes."""
        for message in messages:
            async with asyncio.timeout(self.reply_s_max):
                await self.socket.send(message)

    async def _answered(self, pong: asyncio.Future[float]) -> None:
        """A pong stands behind the messages that came before it: while our disk holds them up, it cannot be read."""
        while True:
            kept = self.kept
            if (await asyncio.wait([pong], timeout=self.reply_s_max))[0]:
                break
            if not self.keeping and kept == self.kept:
                raise TimeoutError(f"no pong within {self.reply_s_max:g} s")
        pong.result()

"""twitch_eventsub: Twitch tells by a socket that a channel went on or off air; how they stand is asked beside it."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated

import aiohttp
import msgspec

from ..api_feed import ApiRow, BatchUnseen, Platform
from ..apis.twitch_calls import BATCH_MAX, stream_ticks
from ..asked_frame import unframed
from ..batch_polls import batches
from ..collector import Emit, FeedRefused, Now, every
from ..eventsub_messages import EVENT, event_ticks
from ..eventsub_socket import EventSubSocket
from ..eventsub_subscribing import Subscribing
from ..tick import Tick
from ..twitch_polls import ask_streams

LIST_AGAIN_S, LIST_TRIES = 5.0, 5  # the last ones come when a new socket has given a sign of life, and are counted
ROOMS_MAX = 150  # 300 subscriptions to a connection, two to a channel


class TwitchEventsub(ApiRow, tag="twitch_eventsub", frozen=True, kw_only=True):
    url: str = "wss://eventsub.wss.twitch.tv/ws"
    keepalive_s: Annotated[int, msgspec.Meta(ge=10, le=600)] = 10  # so long a healthy socket is silent at most
    interval_s: Annotated[float, msgspec.Meta(ge=10, le=600)] = 60.0  # between two questions how all channels stand

    PLATFORM = "twitch"
    KEY_IS = "session"
    KEYS = "twitch"  # the id of a stream: the list and the events tell the same
    KEY_OF_APP = "the client id of its page"
    BY_ACCOUNT = "anchor"
    REFRESH_S = 120.0  # UNVERIFIED: people saw its list 20 s to minutes late
    URL_SCHEMES = ("ws", "wss")

    def complaints(self) -> Iterator[tuple[tuple[str, ...], str, str]]:
        if len(self.rooms or ()) > ROOMS_MAX:
            yield ("rooms",), f"more than {ROOMS_MAX} channels", "give the others a feed of their own, or use twitch"

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now, platform: Platform) -> None:
        rooms: Sequence[str] = self.rooms or ()
        if len(rooms) > ROOMS_MAX:
            raise FeedRefused(f"{len(rooms)} channels are more than one connection takes ({ROOMS_MAX}): name fewer")
        async with asyncio.TaskGroup() as group:
            url = f"{self.url}?keepalive_timeout_seconds={self.keepalive_s}"
            socket = EventSubSocket(url, emit, now, group)
            await socket.begin()
            subscribing = Subscribing(lambda: socket.session_id, rooms, platform)
            await subscribing.begin()
            async for _ in every(self.interval_s, self.name):  # only now: nobody tells what was before the subscription
                await self._ask(emit, now, platform)
                await subscribing.go_on()

    async def _ask(self, emit: Emit, now: Now, platform: Platform) -> None:
        """How all stand. What the socket tells meanwhile is told once: that a question fails does not end it."""
        left = [*batches(self.rooms or (), BATCH_MAX).values()]
        for tried in range(LIST_TRIES):
            if tried:
                await asyncio.sleep(min(LIST_AGAIN_S, self.interval_s))
            trying, left = left, []
            for batch in trying:
                try:
                    await ask_streams(batch, emit, now, platform)
                except BatchUnseen:
                    left.append(batch)
            if not left:
                return

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        if not frame:
            return []
        asked, body = unframed(frame)
        return event_ticks(self.name, body) if asked.about == EVENT else stream_ticks(self.name, asked, body, at)

"""ws_json: hears a WebSocket that tells of rooms in JSON, as the config file describes it: docs/feeds-by-toml.md."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, ClassVar

import aiohttp
import msgspec

from .. import described_sense as sense
from ..collector import Emit, FeedRefused, Now
from ..described import DescribedRow
from ..described_call import Call, Rooms, shares
from ..described_rounds import in_rounds
from ..finding import holds, means
from ..heard_socket import heard_socket
from ..json_body import document, fraction
from ..order_socket import connection
from ..placeholders import Message, headers_filled, masked, messages, named, read_secrets, url_filled
from ..polled_frame import START, asked_in, came, joined, parted, theirs_alone
from ..tick import Tick

NONE = frozenset[str]()
STATE_S_MAX = 10.0  # for one answer of how rooms stand


class WsJson(DescribedRow, tag="ws_json", frozen=True, kw_only=True):
    interval_s: Annotated[float, msgspec.Meta(ge=1, le=300)] = 10.0  # between two heartbeats
    subscribe: Message | None = None  # said after each connect
    rooms_per_message: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    heartbeat: Message | None = None  # left out: a WebSocket ping
    heartbeat_reply: str = ""  # a text that is no JSON, and only says that somebody is there
    pongs_count: bool = False  # where nothing is said while nothing happens
    only_when: str = ""  # messages that tell of rooms; all others only show that the feed is alive
    state_url: str = ""  # tells how all rooms stand; asked after each connect and now and then
    state_rooms_at: str = "@"
    state_interval_s: Annotated[float, msgspec.Meta(ge=5, le=3600)] = 20.0
    rooms_per_call: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 50

    PLATFORM = "ws_json"
    URL_SCHEMES = ("ws", "wss")
    PATHS = (*DescribedRow.PATHS, "only_when", "state_rooms_at")
    TEXTS: ClassVar = {"url": NONE, "subscribe": sense.ROOMS, "heartbeat": NONE, "state_url": sense.ROOMS}

    @property
    def ROOM_BY_ROOM(self) -> bool:  # type: ignore[override]  # by its settings
        # Then each room is told of now and then, whatever happens.
        return self.complete or not sense.ROOMS.isdisjoint(named(self.state_url))

    def complaints(self) -> Iterator[sense.Complaint]:
        yield from DescribedRow.complaints(self)
        yield from sense.of_socket(self.fields, self.state_url, self.complete)

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        secrets = read_secrets(self.secrets)
        headers = headers_filled(self.headers, secrets)
        attempt = connection(url_filled(self.url, secrets), headers, self.body_bytes_max)
        async with heard_socket(attempt, self.url, emit, now) as heard:
            async with asyncio.TaskGroup() as group:
                group.create_task(heard.listen(lambda message: self._frame(message, secrets)), name="listen")
                await heard.say(self._words(self.subscribe, secrets))
                if self.heartbeat is None:
                    group.create_task(heard.ping(self.interval_s, self.pongs_count), name="ping")
                for words in self._words(self.heartbeat, secrets):
                    group.create_task(heard.beat(words, self.interval_s), name="beat")
                if self.state_url:  # only now: what changes from here on is told by the socket
                    group.create_task(self._ask(http, emit, now, secrets), name="state")

    def _words(self, message: Message | None, secrets: Mapping[str, str]) -> Iterator[str]:
        return iter(()) if message is None else messages(message, secrets, self.rooms or (), self.rooms_per_message)

    def _frame(self, message: bytes, secrets: Mapping[str, str]) -> bytes:
        told = masked(message, secrets.values())
        if self.refused_when and means(self.refused_when, told):
            raise FeedRefused("it said what refused_when describes")
        return b"" if self.heartbeat_reply and told.decode(errors="replace") == self.heartbeat_reply else told

    async def _ask(self, http: aiohttp.ClientSession, emit: Emit, now: Now, secrets: Mapping[str, str]) -> None:
        """How all rooms stand."""
        call = Call(self.state_url, self.headers, None, self.refused_when, self.body_bytes_max, STATE_S_MAX)

        async def ask(rooms: Rooms) -> None:
            asked_at = now()
            answer = await call.answer(http, secrets, rooms)
            await emit(joined(rooms if call.names_rooms else None, [answer]), asked_at)

        async def missed(rooms: Rooms, word: str, at: datetime) -> None:
            unseen = rooms or (self.rooms if self.ROOM_BY_ROOM else None) or ()
            await emit(joined(unseen, [], failed=word), at)

        asked = shares(self.rooms or (), self.rooms_per_call) if call.names_rooms else [()]
        await in_rounds(self.name, asked, ask, missed, self.state_interval_s, now)

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        if not frame:
            return []
        if frame.startswith(START):
            with theirs_alone(asked := asked_in(frame), frame):
                return self.ticks(came(parted(frame)).pages, asked, at, self.complete, self.state_rooms_at)
        told = document(frame, fraction)
        if self.only_when and not holds(self.only_when, told):
            return []
        return self.ticks([told], None, at, False, self.rooms_at, stamped=True)

"""node_media_server: polls one Node-Media-Server, 4.2 or later. One tick per watched room, and per other stream."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

import aiohttp
import msgspec

from ..collector import BadFrame, Emit, FeedRefused, Now
from ..finding import finder
from ..json_body import document, fraction, json_body
from ..listed_streams import stream_ticks
from ..placeholders import read_secrets
from ..server_feed import ServerRow, poll
from ..tick import Tick

STREAMS, LOGIN = "/api/v1/streams", "/api/v1/login"


class Publisher(msgspec.Struct, frozen=True):
    id: str
    inBytes: int


class Stream(msgspec.Struct, frozen=True):
    app: str
    name: str
    status: Literal["publishing", "reconnecting", "idle"]  # gone for less than 30 s; only players, who wait
    subscribers: int  # the server's own recorder is one of them
    publisher: Publisher | None = None
    inBps: float | None = None  # bytes a second, over 5 s
    recording: bool = False


class Streams(msgspec.Struct, frozen=True):
    streams: list[Stream]
    total: int


class Answer(msgspec.Struct, frozen=True):
    success: bool
    data: Streams


class NodeMediaServer(ServerRow, tag="node_media_server", frozen=True, kw_only=True):
    user: str = "admin"
    password_file: Path | None = None

    PLATFORM = "node_media_server"
    REFRESH_S = 1.0
    STALL_S = 10.0  # inBytes moves at each read; a frozen publisher is never cut by the server
    PROBES_COUNTED = ("rtmp", "http")  # players of HLS show in none of its lists
    PATHS = (STREAMS, LOGIN, "/api/v1", "/admin")

    def complaints(self) -> Iterator[tuple[tuple[str, ...], str, str]]:
        yield from ServerRow.complaints(self)
        if self.password_file is None:
            yield ("password_file",), "password_file is missing", "add it, with the password of a user of its API"

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        token = ""

        async def ask() -> bytes:
            nonlocal token
            if token:
                with suppress(FeedRefused):  # its day is over, or the server has another secret now
                    return await self.streams(http, token)
            token = await self.login(http)
            return await self.streams(http, token)

        await poll(self, ask, emit, now)

    async def streams(self, http: aiohttp.ClientSession, token: str) -> bytes:
        return await self.get(http, STREAMS, {"Authorization": f"Bearer {token}"})

    async def login(self, http: aiohttp.ClientSession) -> str:
        """Five wrong passwords lock the address out for 15 minutes: a wrong one is refused, and tried seldom."""
        files = {} if self.password_file is None else {"password": self.password_file}
        body = msgspec.json.encode({"username": self.user, **read_secrets(files)})
        token = finder("data.token")(document(await self.get(http, LOGIN, {}, body)))
        if not isinstance(token, str):
            raise BadFrame("bad_json: the answer to a login holds no token")
        return token

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        answer = json_body(frame, Answer, fraction)
        listed = answer.data.streams
        if not answer.success or answer.data.total != len(listed):
            raise BadFrame(f"partial: {len(listed)} streams are listed, {answer.data.total} are said to be")
        return stream_ticks(self.name, self.rooms or (), (self.observe(stream, at) for stream in listed), at)

    def observe(self, stream: Stream, at: datetime) -> Tick:
        room, publisher = f"{stream.app}/{stream.name}", stream.publisher
        if stream.status != "publishing" or publisher is None:
            return Tick(self.name, room, at, "status", False)
        viewers = max(0, stream.subscribers - stream.recording) if self.viewers else None
        kbps = None if stream.inBps is None else round(stream.inBps * 8 / 1000)
        return Tick(self.name, room, at, "status", True, viewers, None, None, kbps, publisher.inBytes, publisher.id)

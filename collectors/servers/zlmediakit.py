"""zlmediakit: polls getMediaList of one ZLMediaKit. One tick per watched room, and per stream that nobody watches."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path

import aiohttp
import msgspec

from ..collector import BadFrame, Emit, FeedRefused, Now
from ..finding import means
from ..json_body import fraction, json_body
from ..listed_streams import stream_ticks
from ..placeholders import masked, read_secrets
from ..server_feed import ServerRow, poll
from ..tick import Tick

LIST = "/index/api/getMediaList"
DEFAULT_VHOST = "__defaultVhost__"


class Socket(msgspec.Struct, frozen=True):
    identifier: str = ""


class Media(msgspec.Struct, frozen=True):
    """A stream as one protocol serves it: the same one is listed once for each."""

    app: str
    stream: str
    vhost: str = DEFAULT_VHOST
    totalReaderCount: int | None = None  # of all its protocols
    originType: int | None = None
    originSock: Socket | None = None
    bytesSpeed: float | None = None  # bytes a second
    totalBytes: int | None = None  # of newer releases

    @property
    def room(self) -> str:
        return f"{self.app}/{self.stream}" if self.vhost == DEFAULT_VHOST else f"{self.vhost}/{self.app}/{self.stream}"


class MediaList(msgspec.Struct, frozen=True):
    code: int
    msg: str = ""
    data: list[Media] | None = None  # left out where there are none


class Zlmediakit(ServerRow, tag="zlmediakit", frozen=True, kw_only=True):
    secret_file: Path | None = None  # `secret` under [api] of its config.ini; from its own machine none is needed

    PLATFORM = "zlmediakit"
    REFRESH_S = 2.0
    STALL_S = 15.0  # UNVERIFIED: by its source totalBytes moves with each packet
    PATHS = (LIST, "/index/api", "/index")

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        async def ask() -> bytes:
            secrets = {} if self.secret_file is None else read_secrets({"secret": self.secret_file})
            answer = masked(await self.get(http, LIST, {}, msgspec.json.encode(secrets)), secrets.values())
            if means("code == `-100`", answer):
                raise FeedRefused(f"{self.url} does not take the secret of secret_file, or wants one")
            return answer

        await poll(self, ask, emit, now)

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        told = json_body(frame, MediaList, fraction)
        if told.code:
            raise BadFrame(f"not_ok: code {told.code}")
        listed = sorted(told.data or (), key=lambda media: media.room)
        seen = (self.observe(room, list(medias), at) for room, medias in groupby(listed, lambda media: media.room))
        return stream_ticks(self.name, self.rooms or (), seen, at, "absent")

    def observe(self, room: str, medias: Sequence[Media], at: datetime) -> Tick:
        keys = [media.originSock.identifier for media in medias if media.originSock is not None]
        speed = max(media.bytesSpeed or 0.0 for media in medias)
        if not keys and not speed and all(media.originType == 0 for media in medias):
            # By its source: whoever pushed has gone, and the stream is kept for continue_push_ms.
            return Tick(self.name, room, at, "status", False)
        viewers = max((media.totalReaderCount for media in medias if media.totalReaderCount is not None), default=None)
        totals = [media.totalBytes for media in medias if media.totalBytes is not None]
        progress = sum(totals) if totals else None  # one protocol alone may be made only while somebody watches it
        kbps, key = round(speed * 8 / 1000) or None, next(filter(None, keys), None)
        told = viewers if self.viewers else None
        return Tick(self.name, room, at, "status", True, told, None, None, kbps, progress, key)

"""mediamtx: polls the control API of one MediaMTX. One tick per watched room, and per path that nobody watches."""

from datetime import datetime
from pathlib import Path

import aiohttp
import msgspec

from ..collector import BadFrame, Emit, Now
from ..listed_streams import stream_ticks
from ..paging import all_rows
from ..polled_frame import joined, pages_in
from ..server_feed import ServerRow, basic, poll
from ..tick import Tick

LIST = "/v3/paths/list"
ROWS, PAGES_MAX = 100, 200
NO_VIEWERS = ("hidden", "keepalive", "hlsMuxer")  # the server's own readers: recorders, forwards, muxers


class End(msgspec.Struct, frozen=True):
    """A source or a reader."""

    type: str
    id: str | None = None


class Item(msgspec.Struct, frozen=True):
    """A path. Of what has two names the second is that of older releases."""

    name: str
    online: bool | None = None
    ready: bool | None = None
    inboundBytes: int | None = None
    bytesReceived: int | None = None
    source: End | None = None
    readers: list[End] | None = None


class Page(msgspec.Struct, frozen=True):
    itemCount: int
    items: list[Item] | None


class Mediamtx(ServerRow, tag="mediamtx", frozen=True, kw_only=True):
    user: str = ""
    password_file: Path | None = None  # where the API asks for a user; from its own machine it does not

    PLATFORM = "mediamtx"
    REFRESH_S = 1.0
    STALL_S = 15.0  # UNVERIFIED: by its source inboundBytes moves at each read, and readTimeout cuts after 10 s
    PATHS = (LIST, "/v3")

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        async def page(number: int) -> bytes:
            path = f"{LIST}?page={number}&itemsPerPage={ROWS}"
            return await self.get(http, path, basic(self.user, self.password_file))

        async def ask() -> bytes:
            return joined(None, *await all_rows(page, "items", ROWS, PAGES_MAX, self.body_bytes_max))

        await poll(self, ask, emit, now)

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        pages = pages_in(frame, Page)
        items = {item.name: item for page in pages for item in page.items or ()}
        if not pages or any(page.itemCount != len(items) for page in pages):
            raise BadFrame(f"moved: {len(items)} paths are listed, not as many as each page says there are")
        return stream_ticks(
            self.name, self.rooms or (), (self.observe(one, at) for one in items.values()), at, "absent"
        )

    def observe(self, item: Item, at: datetime) -> Tick:
        live = item.ready if item.online is None else item.online  # `available` may be a filler while nobody publishes
        if live is None:
            raise BadFrame("not_mediamtx: a path that is neither online nor offline")
        if not live:
            return Tick(self.name, item.name, at, "status", False)
        progress = item.bytesReceived if item.inboundBytes is None else item.inboundBytes
        viewers = sum(reader.type not in NO_VIEWERS for reader in item.readers or ()) if self.viewers else None
        key = (item.source.id or None) if item.source else None
        return Tick(self.name, item.name, at, "status", True, viewers, progress=progress, session_key=key)

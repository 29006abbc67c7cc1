"""srs: polls the HTTP API of one SRS. One tick per watched room, and per stream that nobody watches."""

import asyncio
import re
from collections import Counter
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import aiohttp
import msgspec

from ..collector import BadFrame, Emit, FeedRefused, Now, PartlyRead
from ..described_call import OWN_TROUBLE, word_of
from ..listed_streams import stream_ticks
from ..paging import all_rows
from ..polled_frame import joined, pages_of, parted
from ..probed_row import PROBE_MARK
from ..server_feed import ServerRow, basic, poll
from ..tick import Tick

ROWS, PAGES_MAX = 100, 200  # left out SRS lists 10 rows, and never fewer
CLIENTS = re.compile(rb'"clients":\s*\[')  # of a stream it is a number


class Publish(msgspec.Struct, frozen=True):
    active: bool
    cid: str | None = None


class Stream(msgspec.Struct, frozen=True):
    id: str
    name: str
    app: str
    clients: int  # its publisher is one of them
    recv_bytes: int
    publish: Publish
    kbps: dict[str, int] = {}


class Client(msgspec.Struct, frozen=True):
    id: str
    stream: str
    publish: bool
    ip: str = ""
    pageUrl: str | None = None  # by its source the Referer, where the player is one of HTTP


class Page(msgspec.Struct, frozen=True):
    code: int
    service: str | None = None  # a random word, of one process of the server
    streams: list[Stream] | None = None
    clients: list[Client] | None = None


class Srs(ServerRow, tag="srs", frozen=True, kw_only=True):
    user: str = ""
    password_file: Path | None = None  # where http_api has auth
    probes: list[str] = msgspec.field(default_factory=list)  # addresses that only look

    PLATFORM = "srs"
    REFRESH_S = 2.0  # a publisher is listed only after its on_publish hook was answered
    STALL_S = 14.0  # by recv_bytes, which moves every 3 s; frames, which begin after 20 s, every 7 s
    COUNTS_LATE_S = 4.0  # within so long of a freeze it stands
    HLS_KEPT_S = 120.0  # twice hls_window, which is 60 s unless it is set
    PATHS = ("/api/v1", "/streams", "/clients", "/summaries")

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        async def listed(what: str, step: int) -> tuple[list[bytes], str]:
            async def page(number: int) -> bytes:
                path = f"/api/v1/{what}/?start={number * step}&count={ROWS}"
                return await self.get(http, path, basic(self.user, self.password_file))

            return await all_rows(page, what, ROWS, PAGES_MAX, self.body_bytes_max)

        async def clients(until_s: float) -> tuple[list[bytes], str]:
            """Their pages, or in a word why there are none: no reason to lose sight of the streams, which were told."""
            try:
                async with asyncio.timeout_at(until_s):
                    pages, broken = await listed("clients", ROWS)
            except FeedRefused:  # where the login is over the next poll says so of the streams, too
                return [], "auth"
            except OWN_TROUBLE as error:
                return [], word_of(error)
            return ([], "bad_frame") if broken else (pages, "")

        async def ask() -> bytes:
            until_s = asyncio.get_running_loop().time() + self.answer_s_max  # for both: the poll is in time
            pages, broken = await listed("streams", ROWS - 1)  # the last row again on the next page: did the list move?
            who, failed = await clients(until_s) if self.viewers and not broken else ([], "")
            return joined(None, [*pages, *who], broken, failed)

        await poll(self, ask, emit, now)

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        """Raises PartlyRead with all ticks where their viewers are not by the list of clients. Raises BadFrame."""
        told = parted(frame)
        pages = pages_of(told, Page)
        for page in pages:  # to questions that it does not know it says 200, too
            if page.code or (page.streams is None) == (page.clients is None):
                raise BadFrame(f"not_srs: code {page.code}, and neither streams nor clients alone")
        rows = [page.streams for page in pages if page.streams is not None]
        if not rows or any(not after or after[0].id != before[-1].id for before, after in pairwise(rows)):
            raise BadFrame("moved: the list of streams changed while it was read")
        if any(page.service != pages[0].service for page in pages):
            raise BadFrame("moved: the server started anew while it was asked")
        clients = {client.id: client for page in pages for client in page.clients or ()}.values()
        watching = Counter(client.stream for client in clients if self.watches(client))
        counted = any(page.clients is not None for page in pages)
        seen = (self.observe(row, watching[row.id] if counted else row.clients - 1, at) for one in rows for row in one)
        ticks = stream_ticks(self.name, self.rooms or (), seen, at)
        if told.failed and ticks:  # an answer that shows nobody is one all the same
            raise PartlyRead(f"{told.failed}: the clients were not listed", ticks, {})
        return ticks

    def watches(self, client: Client) -> bool:
        return not client.publish and client.ip not in self.probes and client.pageUrl != PROBE_MARK

    def tells_probes(self, frame: bytes) -> bool:
        return CLIENTS.search(frame) is not None

    def observe(self, row: Stream, viewers: int, at: datetime) -> Tick:
        room = f"{row.app}/{row.name}"
        if not row.publish.active:  # players wait for it
            return Tick(self.name, room, at, "status", False)
        told, kbps = viewers if self.viewers else None, row.kbps.get("recv_30s") or None  # 0 for 30 s: no measurement
        return Tick(self.name, room, at, "status", True, told, None, None, kbps, row.recv_bytes, row.publish.cid)

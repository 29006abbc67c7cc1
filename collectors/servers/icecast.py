"""icecast: polls the status of one Icecast. One tick per watched room, and per mount that nobody watches."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import aiohttp
import msgspec

from ..collector import BadFrame, Emit, Now
from ..json_body import fraction, json_body
from ..listed_streams import stream_ticks
from ..markup import number, xml_root
from ..server_feed import ServerRow, basic, poll
from ..tick import Tick

STATUS, ADMIN = "/status-json.xsl", "/admin/stats"


class Source(msgspec.Struct, frozen=True):
    """A mount, of which only that is read which its source client cannot name: titles may arrive as numbers."""

    listenurl: str
    listeners: int | None = None
    stream_start: str | None = None
    stream_start_iso8601: str | None = None


class Stats(msgspec.Struct, frozen=True):
    server_id: str
    source: Source | list[Source] | None = None  # left out, one, or a list: for no, one, several mounts


class Status(msgspec.Struct, frozen=True):
    icestats: Stats


class Icecast(ServerRow, tag="icecast", frozen=True, kw_only=True):
    user: str = "admin"
    password_file: Path | None = None  # with it the admin's statistics are asked for, which count bytes

    PLATFORM = "icecast"
    REFRESH_S = 1.0
    STALL_S = 15.0  # by total_bytes_read, two of whose periods must pass without a move
    COUNTS_LATE_S = 5.0  # it moves every 4.7 to 5.1 s, and so once more within 5 s of a freeze
    PATHS = (STATUS, ADMIN, "/status.xsl")

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        async def ask() -> bytes:
            path = STATUS if self.password_file is None else ADMIN
            return await self.get(http, path, basic(self.user, self.password_file))

        await poll(self, ask, emit, now)

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        seen = self.of_xml(frame, at) if frame.lstrip()[:1] == b"<" else self.of_json(frame, at)
        return stream_ticks(self.name, self.rooms or (), seen, at)

    def of_json(self, frame: bytes, at: datetime) -> Iterator[Tick]:
        """Of status-json.xsl, which a title such as - makes invalid (xiph/Icecast-Server issues 34, 43, 74)."""
        source = json_body(frame, Status, fraction).icestats.source
        for one in source if isinstance(source, list) else [source] if source else []:
            mount = one.listenurl.partition("//")[2].partition("/")[2]
            yield self.observe(mount, at, one.listeners, one.stream_start_iso8601 or one.stream_start, None)

    def of_xml(self, frame: bytes, at: datetime) -> Iterator[Tick]:
        """Of /admin/stats."""
        root = xml_root(frame)
        if root.tag != "icestats" or root.find("server_id") is None:
            raise BadFrame("not_icecast: no <icestats> with a <server_id>")
        for source in root.iterfind("source"):
            told = [
                None if source.find(name) is None else number(source, name)
                for name in ("listeners", "total_bytes_read")
            ]
            mount = source.get("mount", "").removeprefix("/")
            key = source.findtext("stream_start_iso8601") or source.findtext("stream_start")
            yield self.observe(mount, at, told[0], key, told[1])

    def observe(self, mount: str, at: datetime, listeners: int | None, key: str | None, progress: int | None) -> Tick:
        if not key:  # a fallback or a relay on demand keeps it listed, by its name alone, while it has no source
            return Tick(self.name, mount, at, "status", False)
        viewers = listeners if self.viewers else None  # the source is none of them
        return Tick(self.name, mount, at, "status", True, viewers, progress=progress, session_key=key)

"""nginx-rtmp: polls the stat page of one server. One tick per watched room, and per stream that nobody watches."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from xml.etree.ElementTree import Element

import aiohttp
import msgspec

from ..answer import answer
from ..collector import BadFrame, Emit, FeedRefused, Now, every
from ..listed_streams import stream_ticks
from ..markup import number, without, xml_root
from ..probed_row import PROBE_MARK, ProbedRow
from ..tick import Tick

WORKER = re.compile(rb"<pid>(\d{1,10})</pid>\s*<uptime>(\d{1,10})</uptime>")
RELAY = "ngx-local-relay"  # what nginx calls its own pushes to other servers
NO_VIEWERS = (RELAY, PROBE_MARK)


class NginxRtmp(ProbedRow, tag="nginx_rtmp", frozen=True, kw_only=True):
    url: str
    interval_s: Annotated[float, msgspec.Meta(ge=0.1, le=300)] = 5.0
    body_bytes_max: Annotated[int, msgspec.Meta(ge=4096)] = 16 * 1024 * 1024  # 12,000 streams are about 10 MB
    probes: list[str] = msgspec.field(default_factory=list)  # addresses that only look

    PLATFORM = "nginx_rtmp"
    REFRESH_S = 2.0  # a publisher is listed only after its on_publish hook was answered
    STALL_S = 10.0  # bytes_in moves at each read: unmoved over two polls of the usual interval is no jitter
    RETRY_S_MAX = 10.0
    PROBES_COUNTED = ("rtmp", "http")  # UNVERIFIED of HTTP, which only modules beside this one serve

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        pid, asked_at = 0, now()
        async for _ in every(self.interval_s, self.name):
            elapsed_s, asked_at = (now() - asked_at).total_seconds(), now()
            frame = await self.ask(http)
            if pid and is_another_worker(frame, pid, elapsed_s):
                await self.refuse_if_back(http, pid)
            pid = worker(frame)[0] or pid
            await emit(frame, asked_at)

    async def ask(self, http: aiohttp.ClientSession) -> bytes:
        return await answer(http, self.url, self.body_bytes_max, timeout_s=max(self.interval_s, 2.0))

    async def refuse_if_back(self, http: aiohttp.ClientSession, pid: int) -> None:
        """A crashed worker is replaced under another pid and never comes back; one of several does, in a few asks."""
        for _ in range(8):
            if worker(await self.ask(http))[0] == pid:
                raise FeedRefused("several workers answer, and each lists only its own streams: set worker_processes 1")

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        seen = self.streams(xml_root(without(frame, b"meta")), at)
        # Other names are listed as blanks: where they are not seen we cannot know.
        rooms = [room for room in self.rooms or () if room.isascii() and room.isprintable()]
        return stream_ticks(self.name, rooms, seen, at)

    def tells_probes(self, frame: bytes) -> bool:
        return self.probe_protocol == "rtmp" and b"<client>" in frame  # `rtmp_stat global live` lists nobody

    def streams(self, root: Element, at: datetime) -> Iterator[Tick]:
        pid = root.findtext("pid")
        if root.tag != "rtmp" or not pid or root.find("server/application/live") is None:
            # A page that lists nothing must not look like a hall that is off air.
            raise BadFrame("not_rtmp_stat: no <rtmp> with a <pid> and a <live> list; is `rtmp_stat all` set?")
        for application in root.iterfind("server/application"):
            name = application.findtext("name")
            for stream in application.iterfind("live/stream"):
                yield self.observe(f"{name}/{stream.findtext('name')}", pid, stream, at)

    def observe(self, room: str, pid: str, stream: Element, at: datetime) -> Tick:
        if stream.find("publishing") is None:  # players wait for it; the rates and totals beside them are old
            return Tick(self.name, room, at, "status", False)
        viewers, key = number(stream, "nclients") - 1, None
        for client in stream.iterfind("client"):
            if client.find("publishing") is not None:
                key = f"{pid}:{client.findtext('id')}"  # ids start again with each worker process
            elif client.findtext("flashver") in NO_VIEWERS or client.findtext("address") in self.probes:
                viewers -= 1
        # The rate is 0 for the first ten seconds, and after them only while nothing comes: never a measurement.
        kbps = round(number(stream, "bw_in") / 1000) or None
        told = viewers if self.viewers else None
        return Tick(self.name, room, at, "status", True, told, None, None, kbps, number(stream, "bytes_in"), key)


def worker(frame: bytes) -> tuple[int, int]:
    """Pid and uptime of the worker process that answered, or zeros; all uptimes count from the server's start."""
    found = WORKER.search(frame, 0, 1000)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def is_another_worker(frame: bytes, pid: int, elapsed_s: float) -> bool:
    """True when another process than `pid` answers although the server did not start anew meanwhile."""
    other, uptime_s = worker(frame)
    return other not in (0, pid) and uptime_s > elapsed_s + 1

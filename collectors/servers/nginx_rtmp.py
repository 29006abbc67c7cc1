"""nginx-rtmp: polls the stat page of one server. One tick per watched room, and per stream that nobody watches."""

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import Annotated
from xml.etree.ElementTree import Element

import aiohttp
import msgspec

from ..answer import answer
from ..collector import BadFrame, Emit, FeedRefused, Now, PartlyRead, every
from ..former_worker import FormerWorkers, hidden_in, is_another_worker, worker
from ..listed_streams import stream_ticks
from ..markup import number, without, xml_root
from ..probed_row import PROBE_MARK, ProbedRow
from ..tick import EPOCH, Tick

RELAY = "ngx-local-relay"  # what nginx calls its own pushes to other servers
NO_VIEWERS = (RELAY, PROBE_MARK)


class NginxRtmp(ProbedRow, tag="nginx_rtmp", frozen=True, kw_only=True, dict=True):
    url: str
    interval_s: Annotated[float, msgspec.Meta(ge=0.1, le=300)] = 5.0
    body_bytes_max: Annotated[int, msgspec.Meta(ge=4096)] = 16 * 1024 * 1024  # 12,000 streams are about 10 MB
    probes: list[str] = msgspec.field(default_factory=list)  # addresses that only look

    PLATFORM = "nginx_rtmp"
    HIDES_ROOMS = True  # after a reload
    REFRESH_S = 2.0  # a publisher is listed only after its on_publish hook was answered
    STALL_S = 10.0  # bytes_in moves at each read: unmoved over two polls of the usual interval is no jitter
    RETRY_S_MAX = 10.0
    PROBES_COUNTED = ("rtmp", "http")  # UNVERIFIED of HTTP, which only modules beside this one serve

    @cached_property
    def former(self) -> FormerWorkers:
        """No setting: a memory that outlives `collect`, which any poll that fails ends."""
        return FormerWorkers(self.rooms or (), self.on_air)

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        before, asked_at = (0, 0), now()
        async for _ in every(self.interval_s, self.name):
            elapsed_s, asked_at = (now() - asked_at).total_seconds(), now()
            found = await self.ask(http)
            another = before[0] != 0 and is_another_worker(found, before, elapsed_s)
            if another:
                await self.refuse_if_back(http, before[0])
            frame = self.former.framed(found, asked_at, before[0], another)
            before = worker(found) if worker(found)[0] else (before[0], before[1] + round(elapsed_s))
            await emit(frame, asked_at)

    async def ask(self, http: aiohttp.ClientSession) -> bytes:
        return await answer(http, self.url, self.body_bytes_max, timeout_s=max(self.interval_s, 2.0))

    async def refuse_if_back(self, http: aiohttp.ClientSession, pid: int) -> None:
        """A crashed worker is replaced under another pid and never comes back; one of several does, in a few asks."""
        for _ in range(8):
            if worker(await self.ask(http))[0] == pid:
                raise FeedRefused("several workers answer, and each lists only its own streams: set worker_processes 1")

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        hidden, page = hidden_in(frame)
        # Other names are listed as blanks: where they are not seen we cannot know.
        rooms = [room for room in self.rooms or () if room.isascii() and room.isprintable() and room not in hidden]
        ticks = stream_ticks(self.name, rooms, self.streams(xml_root(without(page, b"meta")), at), at)
        if hidden:
            seen = [tick for tick in ticks if tick.live or tick.room not in hidden]  # players may wait for it
            raise PartlyRead("reload: rooms of a former worker", seen, dict.fromkeys(hidden, "reload"), whole=True)
        return ticks

    def on_air(self, page: bytes) -> set[str]:
        """The watched rooms that this page shows on air. Raises BadFrame."""
        return {tick.room for tick in self.parse(page, EPOCH) if tick.live}.intersection(self.rooms or ())

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

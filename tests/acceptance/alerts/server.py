"""A server of streams that begin and stop when a test says so, shown as nginx-rtmp shows them."""

import asyncio
import itertools
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

from monitor.rehearsal.platforms import nginx_rtmp_page as page

KBPS = 2_500
connections = itertools.count(1_000)


@dataclass
class Server:
    """One nginx-rtmp: its streams, as its stat page lists them. Without a hall it stands for a hosted platform."""

    name: str
    rooms: Sequence[str]
    hall: str = ""
    platform: str = "nginx_rtmp"
    tier: str = "1"
    how: Literal["well", "broken"] = "well"
    _streams: dict[str, tuple[float, int]] = field(default_factory=dict)

    def begin(self, rooms: Iterable[str]) -> float:
        """These publish from now on."""
        now_s = time.time()
        self._streams |= {room: (now_s, next(connections)) for room in rooms}
        return now_s

    def stop(self, rooms: Iterable[str]) -> float:
        """The instant at which their streams were gone."""
        for room in rooms:
            del self._streams[room]
        return time.time()

    async def answer(self, request: web.Request) -> web.Response:
        if self.how == "broken":
            return web.Response(status=502)
        text = await asyncio.to_thread(self._page, dict(self._streams))
        return web.Response(text=text, content_type="text/xml")

    def _page(self, streams: dict[str, tuple[float, int]]) -> str:
        now_s = time.time()
        head = page.HEAD.format(
            pid=31_000, uptime_s=400_000 + int(now_s) % 86_400, accepted=len(streams), bits_in=0, bytes_in=0,
            bits_out=0, bytes_out=0,
        )  # fmt: skip
        listed = "".join(self._stream(room, now_s - since_s, id) for room, (since_s, id) in streams.items())
        return head + listed + page.TAIL.format(clients=len(streams))

    @staticmethod
    def _stream(room: str, on_s: float, connection: int) -> str:
        ms = round(on_s * 1000) + 1
        stream = page.STREAM.format(
            name=room.removeprefix("live/"), time_ms=ms, bits_in=KBPS * 1000, bytes_in=ms * KBPS // 8, bits_out=0,
            bytes_out=0, bits_audio=96_000, bits_video=KBPS * 1000 - 96_000,
        )  # fmt: skip
        client = page.CLIENT.format(
            id=connection, address="127.0.0.1", time_ms=ms, flashver="FMLE/3.0", timestamp=ms,
            state="<publishing/><active/>",
        )  # fmt: skip
        viewers = sum(map(ord, room)) % 900 + 40
        return stream + client + page.STREAM_TAIL.format(clients=viewers + 1, state="<publishing/>\n<active/>\n")

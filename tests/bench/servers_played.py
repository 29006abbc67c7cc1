"""Own servers of one kind, each on a port of its own, all of whose rooms are published and watched: nginx-rtmp by its
stat page, byte for byte in the form of the real module, and SRS by its API, in rows like those that a real one gave
(tests/feeds/srs). They are played in the benchmark's process; livemon is another one."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import islice

import msgspec
from aiohttp import web

from monitor.rehearsal.event.cast import Part
from monitor.rehearsal.event.play import RoomNow
from monitor.rehearsal.platforms.nginx_rtmp_page import stat_page
from tests.own_servers import Handler, served

ON_AIR_S = 100.0  # for how long they had been when the play began
ROWS_MIN = 10  # a page of SRS has no fewer
FEED = """
[[feed]]
kind = "{kind}"
name = "{hall}"
hall = "{hall}"
url = "{url}"
interval_s = {interval_s}
"""


class PlayedServers:
    """So many servers, a hall each, of so many rooms; a room has `viewers` on average, other ones at each interval."""

    def __init__(self, kind: str, servers: int, rooms: int, viewers: int, interval_s: float = 5.0) -> None:
        self.kind, self.viewers, self.interval_s = kind, viewers, interval_s
        self.path, self.content_type, self._answer = KINDS[kind]
        self.halls = [
            [_part(kind, server * rooms + number, f"S{server:03d}", f"live/s{server:03d}r{number:03d}")
             for number in range(rooms)]
            for server in range(servers)
        ]  # fmt: skip
        self.parts = [part for hall in self.halls for part in hall]
        self.rooms = [part.room for part in self.parts]
        self.urls = list[str]()
        self.asked = self.sent = 0  # requests and bytes, of all of them
        self._began_s = time.monotonic()
        self._serving = AsyncExitStack()

    def standing(self, hall: Sequence[Part]) -> list[RoomNow]:
        passed_s = time.monotonic() - self._began_s
        turn, many = int(passed_s / self.interval_s), 2 * self.viewers + 1
        return [
            RoomNow(
                part, on_air=True, publishing=True, viewers=(part.number + turn) % many,
                connection=part.number + 1, connected_s=ON_AIR_S + passed_s, received_s=ON_AIR_S + passed_s,
                kbps=1200 + 100 * (part.number % 13),
            )
            for part in hall
        ]  # fmt: skip

    async def serve(self) -> str:
        """The address of the first; `urls` has all."""
        for hall in self.halls:
            self.urls.append(await self._serving.enter_async_context(served(self._of(hall))) + self.path)
        return self.urls[0]

    def _of(self, hall: Sequence[Part]) -> Handler:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            body = self._answer(self.standing(hall), request)
            self.asked, self.sent = self.asked + 1, self.sent + len(body)
            return web.Response(body=body, content_type=self.content_type)

        return answer

    async def close(self) -> None:
        await self._serving.aclose()

    async def live(self) -> None:
        """Numbers move as time does."""
        await asyncio.Event().wait()


def tables(played: PlayedServers) -> str:
    return "".join(
        FEED.format(kind=played.kind, hall=hall[0].hall, url=url, interval_s=played.interval_s)
        for hall, url in zip(played.halls, played.urls, strict=True)
    )


def _part(kind: str, number: int, hall: str, room: str) -> Part:
    return Part(
        number, kind, room, f"主播{number}", f"主播{number}", hall, "沈阳", "服饰", 3, 1_000, "", "", "", 3.0
    )  # fmt: skip


def _stat(rooms: Sequence[RoomNow], _: web.BaseRequest) -> bytes:
    return stat_page(rooms, 30_000, 400_000)


def _api(rooms: Sequence[RoomNow], request: web.BaseRequest) -> bytes:
    what, query = request.path.split("/")[3], request.query
    start, count = int(query.get("start", 0)), max(ROWS_MIN, int(query.get("count", ROWS_MIN)))
    rows = {"streams": _streams, "clients": _clients}[what](rooms)
    page = {"code": 0, "server": "vid-3p6c0y1", "service": "g191u926", "pid": "1850"}
    return msgspec.json.encode(page | {what: list(islice(rows, start, start + count))})


def _streams(rooms: Sequence[RoomNow]) -> Iterator[dict[str, object]]:
    for room in rooms:
        received, app, name = round(room.received_s * 1000) * room.kbps // 8, *room.part.room.split("/")
        yield {
            "id": f"vid-{room.part.number}", "name": name, "vhost": "vid-1464389", "app": app,
            "tcUrl": f"rtmp://127.0.0.1:1935/{app}", "url": f"/{room.part.room}", "live_ms": 1795523674631,
            "clients": room.viewers + 1, "frames": int(room.received_s * 30), "send_bytes": received * room.viewers,
            "recv_bytes": received, "kbps": {"recv_30s": room.kbps, "send_30s": room.kbps * room.viewers},
            "publish": {"active": True, "cid": f"p{room.connection}"},
            "video": {"codec": "H264", "profile": "High", "level": "3.1", "width": 720, "height": 1280},
            "audio": {"codec": "AAC", "sample_rate": 44100, "channel": 2, "profile": "LC"},
        }  # fmt: skip


def _clients(rooms: Sequence[RoomNow]) -> Iterator[dict[str, object]]:
    for room in rooms:
        for number in range(room.viewers + 1):
            kind, publishes = ("flv-play", False) if number else ("fmle-publish", True)
            yield {
                "id": f"v{room.connection}-{number}" if number else f"p{room.connection}", "vhost": "vid-1464389",
                "stream": f"vid-{room.part.number}", "ip": f"10.0.{number // 250}.{number % 250 + 1}", "pageUrl": "",
                "swfUrl": "", "tcUrl": "rtmp://127.0.0.1:1935/live", "url": f"/{room.part.room}",
                "name": room.part.room.partition("/")[2], "type": kind, "publish": publishes,
                "alive": room.connected_s, "send_bytes": 145_297, "recv_bytes": 3_473,
                "kbps": {"recv_30s": 0, "send_30s": 0},
            }  # fmt: skip


type Answer = Callable[[Sequence[RoomNow], web.BaseRequest], bytes]
KINDS: dict[str, tuple[str, str, Answer]] = {  # the path of `url`, what stands there, who writes it
    "nginx_rtmp": ("/stat", "text/xml", _stat),
    "srs": ("", "application/json", _api),
}

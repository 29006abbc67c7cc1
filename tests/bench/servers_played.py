"""Own servers of one kind, each on a port of its own, all of whose rooms are published and watched: as the halls of a
rehearsal write them (monitor/rehearsal/platforms), byte for byte in the form of the real ones. They are played in the
benchmark's process; livemon is another one."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from aiohttp import web

from monitor.rehearsal.event.cast import Part
from monitor.rehearsal.event.play import RoomNow
from monitor.rehearsal.house import SERVERS
from monitor.rehearsal.platforms.hall import Look
from monitor.rehearsal.platforms.page_server import Asked
from monitor.rehearsal.platforms.stream import Stream
from tests.own_servers import Handler, served

ON_AIR_S = 100.0  # for how long they had been when the play began
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

    def look(self, hall: Sequence[Part]) -> Look:
        passed_s = time.monotonic() - self._began_s
        turn, many = int(passed_s / self.interval_s), 2 * self.viewers + 1
        rooms = [
            RoomNow(
                part, on_air=True, publishing=True, viewers=(part.number + turn) % many,
                connection=part.number + 1, connected_s=ON_AIR_S + passed_s, received_s=ON_AIR_S + passed_s,
                kbps=1200 + 100 * (part.number % 13), away_s=0.0,
            )
            for part in hall
        ]  # fmt: skip
        streams = [Stream(room, room.connection, -ON_AIR_S, room.received_s) for room in rooms]
        return Look(datetime.now(UTC), passed_s, streams, [room.viewers for room in rooms])

    async def serve(self) -> str:
        """The address of the first; `urls` has all."""
        for hall in self.halls:
            path = SERVERS[self.kind].PATH
            self.urls.append(await self._serving.enter_async_context(served(self._of(hall))) + path)
        return self.urls[0]

    def _of(self, hall: Sequence[Part]) -> Handler:
        server, view = SERVERS[self.kind](hall[0].hall, b""), View(self, hall)

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            told = server.answer(Asked(request.method, request.path, request.query_string), view)
            assert told is not None
            assert told.body is not None
            self.asked, self.sent = self.asked + 1, self.sent + len(told.body)
            return web.Response(body=told.body, content_type=server.CONTENT_TYPE)

        return answer

    async def close(self) -> None:
        await self._serving.aclose()

    async def live(self) -> None:
        """Numbers move as time does."""
        await asyncio.Event().wait()


class View:
    """What one server sees of its hall."""

    def __init__(self, played: PlayedServers, hall: Sequence[Part]) -> None:
        self.played, self.hall = played, hall
        self._last: Look | None = None

    def now(self) -> Look:
        self._last = self.played.look(self.hall)
        return self._last

    def last(self) -> Look:
        return self._last or self.now()


def tables(played: PlayedServers) -> str:
    return "".join(
        FEED.format(kind=played.kind, hall=hall[0].hall, url=url, interval_s=played.interval_s)
        for hall, url in zip(played.halls, played.urls, strict=True)
    )


def _part(kind: str, number: int, hall: str, room: str) -> Part:
    return Part(
        number, kind, room, f"主播{number}", f"主播{number}", hall, "沈阳", "服饰", 3, 1_000, "", "", "", 3.0
    )  # fmt: skip

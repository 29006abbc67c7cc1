"""A service as docs/feeds-by-toml.md describes it, with rules of its own, and one feed that hears it for real."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from aiohttp import web

from collectors.described import DescribedRow
from collectors.tick import Tick
from monitor.crew import bounded_http
from monitor.facts import BlindSpan, Heard, RosterRoom
from monitor.live.sight import platform_of
from monitor.live.supervise import Collecting, Outlets, Supervisor
from monitor.live.watch import Watch
from monitor.rehearsal.scene import Trouble

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]

SECRET = 's3cret/+&=% "and more'
DEADLINE_S = 10.0
IDS_MAX = 50


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not so():
            await asyncio.sleep(0.002)


@dataclass
class Broadcast:
    live: bool = True
    viewers: int | None = 1
    session: str = "s-1"
    total: int = 88_000


@dataclass
class Service:
    """`rooms` is the truth. `replies` are given instead of the true answers, each once, then `always` for ever."""

    rooms: dict[str, Broadcast] = field(default_factory=dict)
    page_rooms: int = 2
    replies: list[Reply] = field(default_factory=list)
    always: Reply | None = None
    handshakes: list[Reply] = field(default_factory=list)  # instead of a socket
    refuse_ids: set[str] = field(default_factory=set)  # a call that names one of them fails
    requests: list[web.Request] = field(default_factory=list)
    sockets: dict[web.WebSocketResponse, set[str]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    connects: int = 0
    mute: bool = False  # answers nothing on its socket
    hidden: set[str] = field(default_factory=set)  # rooms that no answer lists
    garbled: set[str] = field(default_factory=set)  # rooms of which nonsense is told
    open: bool = False  # to whoever asks
    slower: bool = False  # says that it is asked too often
    trouble: Trouble = field(default_factory=Trouble)
    url: str = ""

    @asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Service"]:
        app = web.Application()
        app.router.add_get("/v1/lives", self.list)
        app.router.add_get("/live/status", self.status)
        app.router.add_get("/live", self.socket)
        app.router.add_get("/live/rooms", self.state)
        app.router.add_get("/{rest:.*}", self.any)
        app.router.add_post("/{rest:.*}", self.any)
        runner = web.AppRunner(app, shutdown_timeout=0.01)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        self.url = f"127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            for socket in list(self.sockets):
                await socket.close()
            await runner.cleanup()

    async def _instead(self, request: web.Request) -> web.StreamResponse | None:
        self.requests.append(request)
        if self.trouble.feed == "refuse":
            assert request.transport is not None
            request.transport.abort()
        if self.trouble.feed is not None:
            garbage = self.trouble.feed == "garbage"
            return web.Response(status=200 if garbage else 502, text="<html>")
        if self.slower:
            return web.Response(status=429)
        if self.replies:
            return await self.replies.pop(0)(request)
        return await self.always(request) if self.always else None

    async def any(self, request: web.Request) -> web.StreamResponse:
        return await self._instead(request) or web.Response(status=404)

    async def list(self, request: web.Request) -> web.StreamResponse:
        if (instead := await self._instead(request)) is not None:
            return instead
        if not self.open and request.headers.get("Authorization") != f"Bearer {SECRET}":
            return web.Response(status=401, text="who are you?")
        if "after" in request.query and not request.query["after"]:
            return web.json_response({"code": 1, "msg": "an empty cursor"})
        begin = int(request.query.get("after", "0"))
        shown = [room for room in self.rooms if room not in self.hidden]
        end = begin + self.page_rooms
        lives = [self._life(room) for room in shown[begin:end]]
        told = {"total": len(shown), "next": str(end) if end < len(shown) else "", "lives": lives}
        return web.json_response({"code": 0, "data": told})

    def _life(self, room: str) -> dict[str, Any]:
        told = self.rooms[room]
        stats = {"online": "" if told.viewers is None else str(told.viewers), "total": told.total, "likes": 7}
        return {"id": room, "status": self._word(room), "session": told.session, "stats": stats}

    def _word(self, room: str) -> Any:
        return {"?": 1} if room in self.garbled else "LIVE" if self.rooms[room].live else "ENDED"

    async def status(self, request: web.Request) -> web.StreamResponse:
        ids = request.query["ids"].split(",")
        if (instead := await self._instead(request)) is not None:
            return instead
        if request.query["key"] != SECRET:
            return web.Response(status=403)
        if len(ids) > IDS_MAX or not self.refuse_ids.isdisjoint(ids):
            return web.Response(status=500, text=request.query["key"])
        known = [room for room in ids if room in self.rooms and room not in self.hidden]
        result = {
            room: {"live_status": int(self.rooms[room].live), "online": self.rooms[room].viewers} for room in known
        }
        return web.json_response({"result": result})

    async def state(self, request: web.Request) -> web.StreamResponse:
        if (instead := await self._instead(request)) is not None:
            return instead
        if not self.open and request.headers.get("X-Api-Key") != SECRET:
            return web.Response(status=401)
        ids = request.query["ids"].split(",") if "ids" in request.query else list(self.rooms)
        if not self.refuse_ids.isdisjoint(ids):
            return web.Response(status=500)
        return web.json_response({"rooms": [self._told(room) for room in ids if room not in self.hidden]})

    def _told(self, room: str) -> dict[str, Any]:
        stamp_ms = int(datetime.now(UTC).timestamp() * 1000)
        told, live = self.rooms[room], "?" if room in self.garbled else self.rooms[room].live
        return {"roomId": room, "on": live, "watching": told.viewers, "total": told.total, "ts": stamp_ms}

    async def socket(self, request: web.Request) -> web.StreamResponse:
        if self.trouble.feed is not None or self.slower:
            return await self._instead(request) or web.Response(status=502)
        if self.handshakes:
            return await self.handshakes.pop(0)(request)
        if not self.open and request.headers.get("X-Api-Key") != SECRET:
            return web.Response(status=401)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connects += 1
        self.sockets[socket] = set()
        try:
            async for message in socket:
                await self._heard(socket, cast(str, message.data))
        finally:
            self.sockets.pop(socket, None)
        return socket

    async def _heard(self, socket: web.WebSocketResponse, text: str) -> None:
        self.said.append(text)
        if self.mute:
            return
        if text == "ping":
            await socket.send_str("pong")
            return
        told = json.loads(text)
        if told["op"] == "subscribe":
            self.sockets[socket].update(told["rooms"])
            await socket.send_str(json.dumps({"type": "subscribed", "count": len(told["rooms"])}))

    async def change(self, room: str, **to: Any) -> None:
        """It happens, and who subscribed to it hears of it."""
        self.rooms[room] = Broadcast(**{**vars(self.rooms[room]), **to})
        for socket, rooms in self.sockets.items():
            if room in rooms:
                await socket.send_str(json.dumps({"type": "live", "data": self._told(room)}, ensure_ascii=False))


class Hearing:
    """One feed, supervised for real, with the real watch; what it leads to is written down."""

    def __init__(self, row: DescribedRow, rooms: list[str]) -> None:
        self.row = msgspec.structs.replace(row, rooms=rooms)
        self.watch = Watch(grace_s=60.0, settle_s=0.0)
        roster = [RosterRoom(number, platform_of(row), room) for number, room in enumerate(rooms, 1)]
        self.watch.load(roster, (), [self.row], datetime.now(UTC))
        self.put: list[Heard] = []
        self.quarantined: list[tuple[bytes, str]] = []
        self.failed: list[str] = []
        self.messages = 0
        self.slept: list[float] = []
        self.hurried = asyncio.Event()

    @asynccontextmanager
    async def hearing(self) -> AsyncIterator["Hearing"]:
        async with bounded_http() as http:
            keeper = Supervisor(
                cast(Collecting, self.row), self.watch, lambda: datetime.now(UTC), self._outlets(),
                sleep=self._sleep, uniform=lambda low, high: 0.01,
            )  # fmt: skip
            task = asyncio.ensure_future(keeper.run(http))
            try:
                yield self
            finally:
                task.cancel()
                await asyncio.wait([task])

    async def _sleep(self, seconds: float) -> None:
        """Whoever waits for longer is let go by `hurry`."""
        self.slept.append(seconds)
        if seconds < 1.0:
            await asyncio.sleep(seconds)
        else:
            await self.hurried.wait()

    def hurry(self) -> None:
        self.hurried.set()

    def _outlets(self) -> Outlets:
        async def room(ticks: int, facts: int) -> None:
            pass

        def heard(feed: str) -> None:
            self.messages += 1

        return Outlets(
            room=room,
            put=self.put.append,
            quarantine=lambda feed, frame, at, reason: self.quarantined.append((frame, reason)),
            failed=lambda feed, reason: self.failed.append(reason),
            heard=heard,
            polled=lambda feed, seconds: None,
        )

    @property
    def ticks(self) -> list[Tick]:
        return [tick for heard in self.put for _, tick in heard.ticks]

    def changes(self, room: str) -> list[str]:
        return [change.change for heard in self.put for change in heard.changes if change.room == room]

    def blind(self, room: str | None = None) -> list[str]:
        """Causes of the spans that began for this room alone, or for the whole feed."""
        spans = [span for heard in self.put for span in heard.spans]
        return [span.cause for span in spans if span.to_at is None and span.room == room]

    def span(self, room: str) -> BlindSpan | None:
        """The newest that is told of this room alone."""
        spans = [span for heard in self.put for span in heard.spans if span.room == room]
        return spans[-1] if spans else None

    def last(self, room: str) -> Tick | None:
        return next((tick for tick in reversed(self.ticks) if tick.room == room), None)

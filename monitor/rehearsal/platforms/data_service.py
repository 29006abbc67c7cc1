"""A data service that tells of the rooms of one platform by a WebSocket, which livemon hears by a feed that TOML alone
describes (ws_json); how all of them stand can be asked beside it.

It tells a client of the rooms that it subscribed to, and nothing again: what nobody hears, nobody is told of later.
"""

import asyncio
import http
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from math import floor
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

from ..event.play import RoomNow
from ..manners import EVERY_S, feed_name
from ..scene import Scene, Settings, Trouble
from ..truth import NOT_TOLD, OFF_AIR
from .page_server import PageServer, one_page
from .relay import OFF, ticks
from .room_words import ENDED, FIELDS, entry, unix_ms
from .socket_trouble import SocketTrouble
from .unsold import SellsNothing
from .untold import Untold

WAY, STATE_PATH = "socket", "/live/rooms"
STOPPED = "STOPPED"
STANZA = """\
[[feed]]
kind = "ws_json"
name = "{name}"
platform = "{platform}"
url = "{url}"
headers = {{ X-Api-Key = "{{key}}" }}
secrets = {{ key = "secrets/{name}" }}
subscribe = {{ op = "subscribe", rooms = "{{rooms}}" }}
heartbeat = "ping"
heartbeat_reply = "pong"
only_when = "type == 'rooms'"
rooms_at = "data"
state_url = "{state_url}"
state_rooms_at = "rooms"
complete = true
live_when = ["LIVE"]
ended_when = ["ENDED"]

{fields}at = "ts"
"""


class DataService(SellsNothing):
    """Every few seconds one message of all rooms that are on air, and of those that stopped since the last one.

    The first is of all rooms: one that was on air when it was asked about is not missed for longer than others.
    """

    def __init__(self, scene: Scene, platform: str) -> None:
        self.scene, self.platform = scene, platform
        self.name = feed_name(WAY, platform)
        self.trouble = Trouble()
        self.parts = [part for part in scene.play.parts if part.platform == platform]
        self.secret = scene.secret(self.name)
        self.state = PageServer(
            self.name, one_page(STATE_PATH, lambda at, query: self.rooms(at), b"X-Api-Key: " + self.secret),
            scene.truth, self.trouble, scene.now, "nginx/1.26.3", "application/json",
        )  # fmt: skip
        self.wanted: dict[ServerConnection, set[str]] = {}
        self.connections: list[ServerConnection] = []
        self.mishaps = SocketTrouble(self.trouble, self.connections, self.cut)
        self.untold = Untold(scene, self.trouble)
        self.url, self.state_url = "", ""
        self._server: Server | None = None
        self._before: dict[str, RoomNow] = {}

    async def open(self) -> None:
        self.state_url = await self.state.open() + STATE_PATH
        self._server = await serve(
            self._talk, "127.0.0.1", 0, process_request=self._at_the_door, compression=None, ping_interval=None
        )
        self.url = f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}/live"

    def settings(self) -> Settings:
        stanza = STANZA.format(
            name=self.name, platform=self.platform, url=self.url, state_url=self.state_url, fields=FIELDS
        )
        return Settings(stanza, {self.name: self.secret})

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.mishaps.run())
            group.create_task(self.untold.run())
            every_s = EVERY_S[self.name]
            number = floor(self._clock_s(self.scene.now()) / every_s)
            while True:
                clock_s = self._clock_s(self.scene.now())
                number = max(number, floor(clock_s / every_s)) + 1
                await asyncio.sleep(number * every_s - clock_s)
                self.report(self.scene.now())

    def report(self, at: datetime) -> None:
        """Look at all rooms now, and tell whoever is there. A message says of when it is, to the millisecond."""
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        there = [it for it in self.wanted if it.state is State.OPEN and not it.transport.is_closing()]
        subscribed = set[str]().union(*(self.wanted[it] for it in there)) if self.mishaps.delivering else set()
        rooms = self.scene.play.rooms(self._clock_s(at), [part.number for part in self.parts])
        told, viewers = list[dict[str, Any]](), [NOT_TOLD] * len(rooms)
        for index, now in enumerate(rooms):
            before = self._before.get(now.part.room)
            for tick, says in ticks(before, now) or [OFF] * (before is None):
                told.append({"room": now.part.room, "ts": unix_ms(at)} | in_words(tick, now))
                viewers[index] = says
        if subscribed:
            self.untold.heard(self.name)
            heard = [now.part.room in subscribed for now in rooms]
            viewers = [says if there else NOT_TOLD for says, there in zip(viewers, heard, strict=True)]
            self._before |= {now.part.room: now for now, there in zip(rooms, heard, strict=True) if there}
        if subscribed or not self.untold.excused(self.name):
            self.scene.truth.served(self.name, at, viewers, "stamped")
        for connection in there if self.mishaps.delivering else ():
            self._send(connection, [it for it in told if it["room"] in self.wanted[connection]])

    def _send(self, connection: ServerConnection, told: Sequence[dict[str, Any]]) -> None:
        """Without waiting for anybody."""
        text = json.dumps({"type": "rooms", "data": told}, ensure_ascii=False, separators=(",", ":"))
        connection.protocol.send_text(text.encode())
        connection.send_data()

    def rooms(self, at: datetime) -> tuple[bytes, Sequence[int]]:
        """How all rooms stand, for whoever asks."""
        told = [entry(now) for now in self.scene.play.rooms(self._clock_s(at), [part.number for part in self.parts])]
        body = json.dumps({"rooms": [it[0] for it in told if it is not None]}, ensure_ascii=False)
        return body.encode(), [OFF_AIR if it is None else it[1] for it in told]

    def cut(self) -> None:
        """End all connections, without a word."""
        for connection in list(self.connections):
            connection.transport.abort()

    async def _at_the_door(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("X-Api-Key") != self.secret.decode():
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "who are you?\n")
        return await self.mishaps.at_the_door(connection, request)

    async def _talk(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        self.wanted[connection] = set()
        try:
            with suppress(ConnectionClosed):
                async for text in connection:
                    if text == "ping":
                        await connection.send("pong")
                        continue
                    self.wanted[connection].update(json.loads(text)["rooms"])
                    await connection.send(json.dumps({"type": "subscribed", "count": len(self.wanted[connection])}))
        finally:
            self.connections.remove(connection)
            del self.wanted[connection]
            self.untold.left(self.name)
            self.scene.truth.served(self.name, self.scene.now(), None, "failed")

    def _clock_s(self, at: datetime) -> float:
        return (at - self.scene.tempo.began_at).total_seconds()

    async def close(self) -> None:
        await self.state.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()


def in_words(tick: dict[str, Any], now: RoomNow) -> dict[str, Any]:
    """What a relay would report of a room, as this service writes it."""
    if not tick["live"]:
        return {"state": ENDED if tick.get("end") else STOPPED}
    listed = entry(now)
    return {} if listed is None else listed[0]

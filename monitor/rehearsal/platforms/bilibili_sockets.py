"""The message sockets of a played Bilibili: who authenticated hears what happens in their room, until they fall silent.

True rules: the first packet is `auth_body`, as it was given, within 5 s; whoever sends no heartbeat for 60 s is cut;
five connections a room. Messages come plain, zipped or in brotli, several in one.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from ..scene import Trouble
from .bilibili_wire import Spoken, bundled, number, spoken, written
from .socket_trouble import SocketTrouble

AUTH_S_MAX, SILENCE_S_MAX = 5.0, 60.0
CONNECTIONS_OF_A_ROOM_MAX = 5
HEARTBEAT, HEARTBEAT_REPLY, MESSAGE, AUTH, AUTH_REPLY = 2, 3, 5, 7, 8


@dataclass
class LiveSockets:
    """`version` is how messages are packed: 0 plain, 2 zlib, 3 brotli. `beaten` is told of each heartbeat of a room
    that is answered, `left` of each listener who is gone."""

    now: Callable[[], datetime]
    trouble: Trouble
    version: int = 0
    auth_s_max: float = AUTH_S_MAX
    silence_s_max: float = SILENCE_S_MAX
    url: str = ""
    heard: dict[str, list[ServerConnection]] = field(default_factory=dict)  # by room
    opened_at: list[float] = field(default_factory=list)
    beats: int = 0
    muted: set[str] = field(default_factory=set)  # rooms whose heartbeats nobody answers
    beaten: Callable[[str], None] = lambda room: None
    left: Callable[[str], None] = lambda room: None

    def __post_init__(self) -> None:
        self._admitted: dict[str, tuple[str, str]] = {}  # game and room by what authenticates
        self._playing: dict[ServerConnection, str] = {}  # the game of whoever is in
        self._connections: list[ServerConnection] = []
        self._server: Server | None = None
        self.mishaps = SocketTrouble(self.trouble, self._connections, self.cut)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = await serve(
            self._talk, host, port, process_request=self.mishaps.at_the_door, compression=None, ping_interval=None,
            backlog=4_096,
        )  # fmt: skip
        self.url = f"ws://{host}:{next(iter(self._server.sockets)).getsockname()[1]}/sub"

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def admit(self, game_id: str, room: str) -> str:
        """What a client of this game must say first, byte for byte."""
        auth = json.dumps({"roomid": int(room), "protover": 2, "uid": 0, "key": secrets.token_hex(8), "group": "open"})
        self._admitted[auth] = game_id, room
        return auth

    def forget(self, game_id: str) -> None:
        """The game is over: its own sockets are told, as it names the game, and nobody comes in by it any more."""
        for auth in [auth for auth, (game, _) in self._admitted.items() if game == game_id]:
            _, room = self._admitted.pop(auth)
            over = {"game_id": game_id, "timestamp": int(self.now().timestamp())}
            ours = [it for it in self.heard.get(room, ()) if self._playing.get(it) == game_id]
            self._deliver(ours, self.packed([told("INTERACTION_END", over)]))

    def push(self, room: str, name: str, *data: dict[str, Any]) -> int:
        """Tell everybody in a room: one message that holds all of these. Returns how many hear it."""
        return self.push_raw(room, self.packed(told(name, one) for one in data))

    def packed(self, bodies: Iterable[bytes]) -> bytes:
        packets = [Spoken(MESSAGE, body, 0, 0) for body in bodies]
        return bundled(packets, self.version) if self.version else b"".join(map(written, packets))

    def push_raw(self, room: str, message: bytes) -> int:
        """Without waiting for anybody: whoever does not read is not waited for."""
        return self._deliver(self.heard.get(room, ()), message)

    def _deliver(self, connections: Iterable[ServerConnection], message: bytes) -> int:
        if not self.mishaps.delivering:
            return 0
        there = [it for it in connections if it.state is State.OPEN and not it.transport.is_closing()]
        for connection in there:
            connection.protocol.send_binary(message)
            connection.send_data()
        return len(there)

    def cut(self) -> None:
        """End all connections, without a word."""
        for connection in list(self._connections):
            connection.transport.abort()

    async def _talk(self, connection: ServerConnection) -> None:
        self.opened_at.append(asyncio.get_running_loop().time())
        self._connections.append(connection)
        try:
            with suppress(ConnectionClosed, TimeoutError, ValueError):
                async with asyncio.timeout(self.auth_s_max):
                    room = await self._authenticate(connection)
                if room:
                    await self._hear(connection, room)
        finally:
            self._connections.remove(connection)
            self._playing.pop(connection, None)

    async def _authenticate(self, connection: ServerConnection) -> str:
        """The room; empty: it was sent away."""
        [packet] = spoken(as_bytes(await connection.recv()))
        game_id, room = self._admitted.get(packet.body.decode(), ("", ""))
        there = self.heard.setdefault(room, [])
        if packet.operation != AUTH or not room or len(there) >= CONNECTIONS_OF_A_ROOM_MAX:
            await connection.send(written(Spoken(AUTH_REPLY, b'{"code":-101}', 1, 1)))
            return ""
        await connection.send(written(Spoken(AUTH_REPLY, b'{"code":0}', 1, 1)))
        there.append(connection)
        self._playing[connection] = game_id
        return room

    async def _hear(self, connection: ServerConnection, room: str) -> None:
        try:
            while True:
                async with asyncio.timeout(self.silence_s_max):
                    said = as_bytes(await connection.recv())
                for packet in spoken(said):
                    if packet.operation == HEARTBEAT and room not in self.muted:
                        self.beats += 1
                        reply = written(Spoken(HEARTBEAT_REPLY, number(1, 4), 1, packet.sequence))
                        await connection.send(reply + packet.body)
                        self.beaten(room)
        finally:
            self.heard[room].remove(connection)
            self.left(room)


def told(name: str, data: dict[str, Any]) -> bytes:
    return json.dumps({"cmd": f"LIVE_OPEN_PLATFORM_{name}", "data": data}, ensure_ascii=False).encode()


def as_bytes(message: str | bytes) -> bytes:
    return message if isinstance(message, bytes) else message.encode()

"""A fake PMC: pushes what was published to it as JSON commands, under new ids until each message is acknowledged."""

import asyncio
import base64
import hashlib
import http
import itertools
import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from ..scene import Trouble
from .socket_trouble import LOOK_EVERY_S, SocketTrouble

REMEMBERED_MAX = 10_000  # of what clients said and acknowledged


@dataclass(eq=False)
class Published:
    """One message to one mall."""

    type: str
    mall_id: int
    content: str
    at_ms: int
    number: int


class FakePmc:
    """All malls of one app. What is not acknowledged comes again with the next connection, under another id.

    `trouble` is obeyed: what hangs or is cut does so while `mishaps.run` runs, all else by itself.
    """

    def __init__(
        self, client_id: str, secret: str, now_ms: Callable[[], int] = lambda: 0, trouble: Trouble | None = None
    ) -> None:
        self.client_id, self.secret, self.now_ms = client_id, secret, now_ms
        self.waiting: dict[int, Published] = {}  # by the number under which it was published
        self.acknowledged: deque[Published] = deque(maxlen=REMEMBERED_MAX)
        self.heard: deque[dict[str, Any]] = deque(maxlen=REMEMBERED_MAX)  # what clients said
        self.paths: list[str] = []
        self.connections: list[ServerConnection] = []
        self.trouble = trouble or Trouble()
        self.mishaps = SocketTrouble(self.trouble, self.connections, self.cut)
        self._due: list[asyncio.Event] = []  # one for each connection
        self._numbers = itertools.count(1)
        self._ids = itertools.count(9_007_199_254_740_993)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> Server:
        return await serve(self._talk, host, port, process_request=self._check, compression=None, ping_interval=None)

    def publish(self, type_: str, mall_id: int, content: dict[str, Any], at_ms: int) -> None:
        number = next(self._numbers)
        self.waiting[number] = Published(type_, mall_id, json.dumps(content, ensure_ascii=False), at_ms, number)
        for due in self._due:
            due.set()

    async def say(self, text: str) -> None:
        for connection in self.connections:
            await connection.send(text)

    def cut(self) -> None:
        """End all connections in the middle of the message that has waited longest, if one waits."""
        message, frame = next(iter(self.waiting.values()), None), b""
        if message is not None:
            frame = Frame(Opcode.TEXT, self.command(next(self._ids), message).encode()).serialize(mask=False)
        for connection in self.connections:
            connection.transport.write(frame[: len(frame) // 2])
            connection.transport.close()

    async def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        """The path is the whole proof of who is there: /message/{client id}/{milliseconds}/{digest}."""
        if (answer := await self.mishaps.at_the_door(connection, request)) is not None:
            return answer
        self.paths.append(request.path)
        parts = [unquote(part) for part in request.path.split("/")]
        if len(parts) == 5 and parts[:3] == ["", "message", self.client_id] and parts[4] == self.digest(parts[3]):
            return None
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "digest\n")

    def digest(self, at_ms: str) -> str:
        text = self.client_id + at_ms + self.secret
        return base64.b64encode(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().encode()).decode()

    async def _talk(self, connection: ServerConnection) -> None:
        sent: dict[int, Published] = {}
        self.connections.append(connection)
        try:
            async with asyncio.TaskGroup() as group:
                pushing = group.create_task(self._push(connection, sent))
                with suppress(ConnectionClosed):
                    async for text in connection:
                        await self._hear(connection, json.loads(text), sent)
                pushing.cancel()
        finally:
            self.connections.remove(connection)

    async def _hear(self, connection: ServerConnection, said: dict[str, Any], sent: dict[int, Published]) -> None:
        self.heard.append(said)
        if said["commandType"] == "HeartBeat":
            await connection.send(json.dumps({"commandType": "HeartBeat", "time": self.now_ms()}))
        elif said["commandType"] == "Ack":
            message = sent.pop(said["id"], None)
            if message is None or (said["type"], said["mallID"]) != (message.type, message.mall_id):
                return
            if self.waiting.pop(message.number, None) is not None:
                self.acknowledged.append(message)

    async def _push(self, connection: ServerConnection, sent: dict[int, Published]) -> None:
        """What this connection has not been sent, in the order in which it was published."""
        due, last = asyncio.Event(), 0
        self._due.append(due)
        try:
            with suppress(ConnectionClosed):
                while True:
                    due.clear()
                    for message in self._after(last) if self.mishaps.delivering else ():
                        last = message.number
                        for _ in range(2 if self.trouble.twice else 1):
                            number = next(self._ids)
                            sent[number] = message
                            await connection.send(self.command(number, message))
                    await self._news(due)
        finally:
            self._due.remove(due)

    def _after(self, last: int) -> list[Published]:
        newer = itertools.takewhile(lambda number: number > last, reversed(self.waiting))
        return [self.waiting[number] for number in newer][::-1]

    async def _news(self, due: asyncio.Event) -> None:
        """Until something was published, or the trouble is over, of which nobody tells us."""
        while not self.mishaps.delivering:
            await asyncio.sleep(LOOK_EVERY_S)
            due.set()
        await due.wait()

    def command(self, number: int, message: Published) -> str:
        brought = {"type": message.type, "mallID": message.mall_id, "content": message.content}
        command = {"id": number, "commandType": "Common", "time": message.at_ms, "sendTime": self.now_ms()}
        return json.dumps({**command, "message": brought}, ensure_ascii=False)

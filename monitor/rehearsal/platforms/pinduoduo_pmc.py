"""A fake PMC: pushes what was published to it as JSON commands, under new ids until each message is acknowledged."""

import asyncio
import base64
import hashlib
import http
import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response


@dataclass(eq=False)
class Published:
    """One message to one mall."""

    type: str
    mall_id: int
    content: str
    at_ms: int


class FakePmc:
    """All malls of one app. What is not acknowledged comes again with the next connection, under another id."""

    def __init__(self, client_id: str, secret: str, now_ms: Callable[[], int] = lambda: 0) -> None:
        self.client_id, self.secret, self.now_ms = client_id, secret, now_ms
        self.waiting: list[Published] = []
        self.acknowledged: list[Published] = []
        self.heard: list[dict[str, Any]] = []  # all that clients said
        self.paths: list[str] = []
        self.connections: list[ServerConnection] = []
        self.due = asyncio.Event()
        self._ids = itertools.count(9_007_199_254_740_993)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> Server:
        return await serve(self._talk, host, port, process_request=self._check, compression=None, ping_interval=None)

    def publish(self, type_: str, mall_id: int, content: dict[str, Any], at_ms: int) -> None:
        self.waiting.append(Published(type_, mall_id, json.dumps(content, ensure_ascii=False), at_ms))
        self.due.set()

    async def say(self, text: str) -> None:
        for connection in self.connections:
            await connection.send(text)

    def cut(self) -> None:
        """End all connections in the middle of the message that has waited longest."""
        message = self.waiting[0]
        frame = Frame(Opcode.TEXT, self.command(next(self._ids), message).encode()).serialize(mask=False)
        for connection in self.connections:
            connection.transport.write(frame[: len(frame) // 2])
            connection.transport.close()

    def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        """The path is the whole proof of who is there: /message/{client id}/{milliseconds}/{digest}."""
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
            if message in self.waiting and (said["type"], said["mallID"]) == (message.type, message.mall_id):
                self.waiting.remove(message)
                self.acknowledged.append(message)

    async def _push(self, connection: ServerConnection, sent: dict[int, Published]) -> None:
        with suppress(ConnectionClosed):
            while True:
                self.due.clear()
                for message in [message for message in self.waiting if message not in sent.values()]:
                    number = next(self._ids)
                    sent[number] = message
                    await connection.send(self.command(number, message))
                await self.due.wait()

    def command(self, number: int, message: Published) -> str:
        brought = {"type": message.type, "mallID": message.mall_id, "content": message.content}
        command = {"id": number, "commandType": "Common", "time": message.at_ms, "sendTime": self.now_ms()}
        return json.dumps({**command, "message": brought}, ensure_ascii=False)

"""A fake TMC: pushes what was published to it in the platform's binary frames, until each message is confirmed.

Its encoder and decoder are written from the platform's description alone, and share nothing with the collector's.
"""

import asyncio
import hashlib
import itertools
import json
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from ..scene import Trouble
from .socket_trouble import SocketTrouble

REMEMBERED_MAX = 10_000  # of what clients said and confirmed
PUSHED_MAX = 100  # by one request


@dataclass(eq=False)
class Published:
    """One message in the queue of the app."""

    id: int
    topic: str
    content: str
    userid: int
    at_ms: int
    retried: int = 0


class Instant(int):
    """Milliseconds that go out as a date, not as a number."""


class FakeTmc:
    """One queue of one (app, group). `wrong_status` is what it answers to a wrong signature.

    `trouble` is obeyed: what hangs or is cut does so while `mishaps.run` runs, all else by itself.
    """

    def __init__(self, app_key: str, secret: str, wrong_status: int = 1004, trouble: Trouble | None = None) -> None:
        self.app_key, self.secret, self.wrong_status = app_key, secret, wrong_status
        self.refusal: tuple[int, str] | None = None  # answered to every CONNECT
        self.waiting: dict[int, Published] = {}
        self.confirmed: deque[int] = deque(maxlen=REMEMBERED_MAX)
        self.heard: deque[dict[str, Any]] = deque(maxlen=REMEMBERED_MAX)  # what clients said, decoded
        self.connections: list[ServerConnection] = []
        self.trouble = trouble or Trouble()
        self.mishaps = SocketTrouble(self.trouble, self.connections, self.cut)
        self.answers_pulls = True
        self._ids = itertools.count(9_007_199_254_740_993)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> Server:
        door = self.mishaps.at_the_door
        return await serve(self._talk, host, port, process_request=door, compression=None, ping_interval=None)

    def publish(self, topic: str, content: dict[str, Any], userid: int, at_ms: int) -> int:
        message = Published(next(self._ids), topic, json.dumps(content, ensure_ascii=False), userid, at_ms)
        self.waiting[message.id] = message
        return message.id

    async def say(self, data: bytes) -> None:
        """Bytes of any kind to everybody who is connected."""
        for connection in self.connections:
            await connection.send(data)

    def cut(self) -> None:
        """End all connections in the middle of the message that has waited longest, if one waits."""
        message = next(iter(self.waiting.values()), None)
        frame = b"" if message is None else Frame(Opcode.BINARY, pushed(message, "tk")).serialize(mask=False)
        for connection in self.connections:
            connection.transport.write(frame[: len(frame) // 2])
            connection.transport.close()

    async def _talk(self, connection: ServerConnection) -> None:
        token = ""
        sent: set[int] = set()
        self.connections.append(connection)
        try:
            with suppress(ConnectionClosed):
                async for data in connection:
                    said = read(data if isinstance(data, bytes) else data.encode())
                    self.heard.append(said)
                    if said["type"] == 0:
                        token = await self._welcome(connection, said)
                    elif said["token"] != token or not token:
                        await connection.send(frame(3, [status(401), phrase("invalid token")]))
                    elif said["__kind"] == 1 and self.answers_pulls and self.mishaps.delivering:
                        await self._push(connection, token, sent)
                    elif said["__kind"] == 2:
                        if self.waiting.pop(said["id"], None) is not None:
                            self.confirmed.append(said["id"])
        finally:
            self.connections.remove(connection)

    async def _welcome(self, connection: ServerConnection, said: dict[str, Any]) -> str:
        if self.refusal is not None:
            await connection.send(frame(1, [status(self.refusal[0]), phrase(self.refusal[1])]))
            return ""
        if said.get("app_key") != self.app_key or said.get("sign") != self.sign(said):
            await connection.send(frame(1, [status(self.wrong_status), phrase("invalid sign")]))
            return ""
        await connection.send(frame(1, [token_header("tk")]))
        return "tk"

    def sign(self, said: dict[str, Any]) -> str:
        names = ("app_key", "group_name", "timestamp")
        text = self.secret + "".join(name + said[name] for name in names) + self.secret
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()

    async def _push(self, connection: ServerConnection, token: str, sent: set[int]) -> None:
        """What this connection has not been sent; a message of an earlier one comes again."""
        due = [message for message in self.waiting.values() if message.id not in sent][:PUSHED_MAX]
        for message in due:
            sent.add(message.id)
            for _ in range(2 if self.trouble.twice else 1):
                await connection.send(pushed(message, token))
                message.retried += 1
            await asyncio.sleep(0)


def pushed(message: Published, token: str) -> bytes:
    """The SEND frame that brings one message."""
    names: dict[str, int | str] = {
        "__kind": 3, "topic": message.topic, "id": message.id, "content": message.content, "userid": message.userid,
        "nick": "辽宁网红店", "publisher": "4272", "dataid": message.id, "time": Instant(message.at_ms),
        "outtime": Instant(message.at_ms + 40), "retried": message.retried,
    }  # fmt: skip
    return frame(2, [token_header(token), *(named(name, value) for name, value in names.items())])


def frame(kind: int, headers: list[bytes]) -> bytes:
    return bytes([2, kind]) + b"".join(headers) + b"\0\0"


def text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(4, "little") + data


def status(code: int) -> bytes:
    return b"\x02\0" + code.to_bytes(4, "little")


def phrase(words: str) -> bytes:
    return b"\x03\0" + text(words)


def token_header(token: str) -> bytes:
    return b"\x05\0" + text(token)


def named(name: str, value: int | str) -> bytes:
    head = b"\x01\0" + text(name)
    if isinstance(value, str):
        return head + b"\x01" + text(value)
    if isinstance(value, Instant):
        return head + b"\x06" + value.to_bytes(8, "little", signed=True)
    for kind, width in ((2, 1), (3, 2), (4, 4), (5, 8)):
        if -(1 << 8 * width - 1) <= value < 1 << 8 * width - 1:
            return head + bytes([kind]) + value.to_bytes(width, "little", signed=True)
    raise OverflowError("no integer of TMC")


def read(data: bytes) -> dict[str, Any]:
    """A frame of a client as one dictionary; it trusts them, for they are ours."""
    found: dict[str, Any] = {"type": data[1], "token": ""}
    rest = iter(data[2:])
    while kind := number(rest, 2):
        if kind == 5:
            found["token"] = word(rest)
        elif kind == 1:
            name = word(rest)
            found[name] = value_of(rest)
        else:
            raise ValueError(f"a client sent header {kind}")
    return found


def value_of(rest: Iterator[int]) -> int | str:
    kind = next(rest)
    return word(rest) if kind == 1 else number(rest, {2: 1, 3: 2, 4: 4, 5: 8, 6: 8}[kind])


def word(rest: Iterator[int]) -> str:
    return bytes(itertools.islice(rest, number(rest, 4))).decode()


def number(rest: Iterator[int], width: int) -> int:
    return int.from_bytes(bytes(itertools.islice(rest, width)), "little", signed=True)

"""One room's message socket of Bilibili: who we are, then heartbeats, and whatever is said in the room."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from websockets.asyncio.client import ClientConnection

from .bilibili_frames import AUTH, AUTH_REPLY, HEARTBEAT, HEARTBEAT_REPLY, MESSAGE, Packet, decode, encode
from .collector import BadFrame
from .order_socket import REPLY_S_MAX

Take = Callable[[bytes], Awaitable[None]]
"""Takes one message of the room, as it came."""


class NotLetIn(ConnectionError):
    """The words that authenticate are not good (any more)."""


class AuthReply(msgspec.Struct, frozen=True):
    code: int


async def introduce(socket: ClientConnection, auth: str) -> None:
    """Say the words that `start` gave, as they are. Raises NotLetIn, BadFrame, TimeoutError."""
    async with asyncio.timeout(REPLY_S_MAX):
        await socket.send(encode(Packet(AUTH, auth.encode())))
        first = decode(_as_bytes(await socket.recv()))[0]
    if first.operation != AUTH_REPLY:
        raise BadFrame("bilibili: another answer to the introduction than its own")
    try:
        code = msgspec.json.decode(first.body, type=AuthReply).code
    except msgspec.DecodeError as error:
        raise BadFrame("bilibili: an answer to the introduction that has no code") from error
    if code != 0:
        raise NotLetIn(f"bilibili: not let in: {code}")


async def hear(
    socket: ClientConnection, take: Take, alive: Callable[[], None], still_wanted: Callable[[], bool], beat_s: float
) -> None:
    """Until the connection fails, a heartbeat has no answer, or nobody wants it any more. One task a room does it all:
    there are thousands."""
    clock = asyncio.get_running_loop().time
    beat_at_s, answered = clock(), True
    while True:
        if clock() >= beat_at_s:
            if not answered:
                raise TimeoutError("no answer to the last heartbeat")
            if not still_wanted():
                return
            async with asyncio.timeout(REPLY_S_MAX):  # a peer that takes nothing any more has left
                await socket.send(encode(Packet(HEARTBEAT)))
            beat_at_s, answered = clock() + beat_s, False
        try:
            async with asyncio.timeout_at(beat_at_s):
                message = _as_bytes(await socket.recv())
        except TimeoutError:
            continue
        for packet in decode(message):
            if packet.operation == HEARTBEAT_REPLY:
                answered = True
                alive()
            elif packet.operation == MESSAGE:
                await take(packet.body)


def _as_bytes(message: bytes | str) -> bytes:
    return message if isinstance(message, bytes) else message.encode()

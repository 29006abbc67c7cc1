"""One WebSocket of thousands: while it is silent it weighs little, and what is said is sifted before anybody is woken.

The greeting is the library's. Its connections hold ten kilobytes each, and wake a task for every message.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import cast

from websockets.exceptions import WebSocketException
from websockets.frames import CloseCode, Frame, Opcode
from websockets.uri import WebSocketURI, parse_uri

from .collector import BadFrame
from .order_socket import MESSAGE_BYTES_MAX, QUEUED_MAX, REPLY_S_MAX
from .server_frames import CLOSE, PING, PONG, ServerFrames, Told
from .socket_greeting import Greeting
from .trust import trusted

CLOSE_S_MAX = 1.0
REASON_CHARS_MAX = 120

Heard = tuple[bytes, datetime]
Sift = Callable[[bytes], Iterable[Heard]]
"""What of a message somebody waits for, each with the instant at which it came. Called as it comes, so it cannot wait.
Raises one of ENDING for what ends the connection."""

ENDING = (BadFrame, OSError, EOFError, WebSocketException)


async def opened(link: str, address: str, sift: Sift) -> "LightSocket":
    """Greeted, at this address of the link's host; whoever has it closes it. Raises OSError, WebSocketException."""
    uri = parse_uri(link)
    async with asyncio.timeout(REPLY_S_MAX):
        _, socket = await asyncio.get_running_loop().create_connection(
            lambda: LightSocket(uri, sift),
            address,
            uri.port,
            ssl=trusted() if uri.secure else None,
            server_hostname=uri.host if uri.secure else None,
            ssl_shutdown_timeout=CLOSE_S_MAX if uri.secure else None,
        )
        try:
            await socket.greeted()
        except BaseException:
            socket.abort()
            raise
    return socket


class LightSocket(asyncio.Protocol):
    """For one task, which calls `next`. Slow readers make the platform wait, as with every socket."""

    __slots__ = (
        "_ended",
        "_frames",
        "_greeting",
        "_lost",
        "_sift",
        "_sifted",
        "_transport",
        "_waiting",
        "held",
        "paused",
    )

    def __init__(self, uri: WebSocketURI, sift: Sift) -> None:
        self._greeting: Greeting | None = Greeting(uri)
        self._frames, self._sift = ServerFrames(MESSAGE_BYTES_MAX), sift
        self._sifted: list[Heard] = []
        self._waiting: asyncio.Future[None] | None = None
        self._ended: Exception | None = None
        self._lost = False
        self.paused = False  # the platform has to wait
        self.held = False  # it had to, since somebody set this to False

    # --- whose socket it is ------------------------------------------------------------------------------------------

    async def greeted(self) -> None:
        while self._greeting is not None:
            if self._ended is not None:
                raise self._ended
            await self._wait(None)

    async def next(self, until_s: float) -> Heard | None:
        """None: nothing came until then (the loop's time). Raises what ended it, after all that came before that."""
        if not self._sifted and self._ended is None:
            await self._wait(until_s)
        if not self._sifted:
            if self._ended is not None:
                raise self._ended
            return None
        found = self._sifted.pop(0)
        if self.paused and self._ended is None and len(self._sifted) <= QUEUED_MAX // 4:
            self.paused = False
            self._transport.resume_reading()
        return found

    def say(self, message: bytes) -> None:
        if self._ended is None:
            self._write(Opcode.BINARY, message)

    async def close(self) -> None:
        """A peer that does not let us go is left."""
        self._end(EOFError("we closed the socket"), CloseCode.NORMAL_CLOSURE)
        if not self._lost:
            await self._wait(asyncio.get_running_loop().time() + CLOSE_S_MAX)
        self.abort()

    def abort(self) -> None:
        if not self._lost:
            self._transport.abort()

    async def _wait(self, until_s: float | None) -> None:
        """Until something happened. A timer of our own: `asyncio.timeout` cannot be told from an end by ETIMEDOUT."""
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        timer = None if until_s is None else loop.call_at(until_s, self._wake)
        try:
            await self._waiting
        finally:
            self._waiting = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    # --- what comes --------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._greeting is not None:
            self._transport.write(self._greeting.words())

    def data_received(self, data: bytes) -> None:
        try:
            self._hear(data)
        except BadFrame as error:
            self._end(error, CloseCode.PROTOCOL_ERROR)
        except ENDING as error:
            self._end(error, CloseCode.NORMAL_CLOSURE)
        if self._sifted:
            self._wake()
        if len(self._sifted) > QUEUED_MAX and not self.paused and self._ended is None:
            self.paused = self.held = True
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """It asks and asks, and reads no answer: what waits for it is ours to bound."""
        self._end(BrokenPipeError("the peer takes nothing any more"))
        self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self._ended is None:
            broken = exc or EOFError("the connection broke")
            self._ended = broken if exc or self._greeting is None else self._greeting.ended()
        self._wake()

    def _hear(self, data: bytes) -> None:
        if self._greeting is not None:
            rest = self._greeting.answered(data)
            if rest is None:
                return
            self._greeting, data = None, rest
            self._wake()
        if self._ended is not None:
            return
        for told in self._frames.take(data):
            if told.opcode in (CLOSE, PING, PONG):
                self._control(told)
            else:
                self._sifted.extend(self._sift(told.data))

    def _control(self, told: Told) -> None:
        if told.opcode == PING:
            self._write(Opcode.PONG, told.data)
        elif told.opcode == CLOSE:
            code, reason = int.from_bytes(told.data[:2]), told.data[2:].decode(errors="replace")
            raise EOFError(f"the platform closed the socket: {code} {reason[:REASON_CHARS_MAX]}")

    def _write(self, opcode: Opcode, data: bytes) -> None:
        self._transport.write(Frame(opcode, data).serialize(mask=True))

    def _end(self, error: Exception, code: CloseCode | None = None) -> None:
        """The first reason is the reason. What was said before still leaves."""
        if self._ended is not None:
            return
        self._ended = error
        if code is not None and self._greeting is None and not self._lost:
            self._write(Opcode.CLOSE, code.to_bytes(2))
        if not self._lost:
            self._transport.close()
        self._wake()

"""Stands between a feed and its platform: all goes by byte for byte, until a test has something else said."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

Say = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Says what stands in the place of an answer. The connection ends when it returns."""

CHUNK = 65_536
SECURE = {"http": "https", "ws": "wss"}


class Between:
    """`instead` is said to each request from then on, `door` to each handshake of a socket; None: the platform's own.

    `heads` are the requests as they came, with what of their bodies came with them; `more` stands in each answer after
    its first line. With `tls` whoever comes must speak that, and finds this certificate.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.instead: Say | None = None
        self.door: Say | None = None
        self.more = b""
        self.heads: list[bytes] = []
        self.sockets: list[asyncio.StreamWriter] = []  # that are through their handshake, and open

    @asynccontextmanager
    async def to(self, url: str) -> AsyncIterator[str]:
        """Where the platform at `url` is reached through here."""
        there = urlsplit(url)

        async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._pass(reader, writer, there.hostname or "", there.port or 80)
            writer.close()
            self.sockets = [socket for socket in self.sockets if socket is not writer]

        server = await asyncio.start_server(come, "127.0.0.1", 0, ssl=self.tls)
        netloc = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield there._replace(netloc=netloc, scheme=SECURE[there.scheme] if self.tls else there.scheme).geturl()
        finally:
            server.close()
            server.abort_clients()

    def say(self, wire: bytes) -> None:
        """Over every socket, as if the platform had said it."""
        assert self.sockets, "nobody listens"
        for socket in self.sockets:
            socket.write(wire)

    def cut(self) -> None:
        """Every socket breaks, without a word."""
        for socket in self.sockets:
            socket.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
        back: asyncio.StreamWriter | None = None
        answers: asyncio.Task[None] | None = None
        upgrades = False
        try:
            while chunk := await reader.read(CHUNK):
                if not upgrades:
                    self.heads.append(chunk)
                    upgrades = b"\r\nupgrade: websocket\r\n" in chunk.lower()
                    say = self.door if upgrades else self.instead
                    if say is not None:
                        await say(writer)
                        await writer.drain()
                        return
                if back is None:
                    there, back = await asyncio.open_connection(host, port)
                    answers = asyncio.ensure_future(self._answers(there, writer))
                    if upgrades:
                        self.sockets.append(writer)
                back.write(chunk)
                await back.drain()
        finally:
            if answers is not None:
                answers.cancel()
            if back is not None:
                back.close()

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await there.read(CHUNK):
                first, line, rest = chunk.partition(b"\r\n")
                if self.more and line and first.startswith(b"HTTP/1.1 200"):
                    chunk = first + b"\r\n" + self.more + rest
                writer.write(chunk)
                await writer.drain()
        writer.close()

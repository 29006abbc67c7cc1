"""Reads a request's body within bounds: its size, its time, how many at once of one client, how many bytes in all."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from .outcome import Turned

SMALL_BYTES = 16_384
"""What is not larger always goes on, so that those who send large bodies slowly cannot crowd out the others."""


@dataclass(kw_only=True)
class Bodies:
    """Those under way. `client` None is one that no cap holds: a trusted proxy that does not say for whom it speaks."""

    s_max: float = 10.0
    client_bodies_max: int = 50
    held_bytes_max: int = 134_217_728
    reading: Counter[str] = field(default_factory=Counter)
    held_bytes: int = 0

    async def read(self, request: web.BaseRequest, bytes_max: int, client: str | None) -> bytes:
        """The whole body. Raises Turned; ConnectionError where the client left."""
        if (request.content_length or 0) > bytes_max:
            raise Turned("too_large")
        if client is None:
            return await self._in_time(request, bytes_max)
        if self.reading[client] >= self.client_bodies_max:
            raise Turned("busy")
        self.reading[client] += 1
        try:
            return await self._in_time(request, bytes_max)
        finally:
            self.reading[client] -= 1
            if not self.reading[client]:
                del self.reading[client]

    async def _in_time(self, request: web.BaseRequest, bytes_max: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.s_max):
                await invite(request)
                async for piece in request.content.iter_any():
                    pieces.append(piece)
                    size += len(piece)
                    self.held_bytes += len(piece)
                    if size > bytes_max:
                        raise Turned("too_large")
                    if size > SMALL_BYTES and self.held_bytes > self.held_bytes_max:
                        raise Turned("busy")
        except TimeoutError:
            raise Turned("slow") from None
        except web.RequestPayloadError:
            raise Turned("bad_request") from None
        finally:
            self.held_bytes -= size
        return b"".join(pieces)


async def invite(request: web.BaseRequest) -> None:
    """Some clients ask first whether their body is wanted, and wait a second if nobody answers."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun

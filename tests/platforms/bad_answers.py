"""What may come in the place of an answer (P1 to P9 of the reliability page), byte for byte, and how that is called."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import cache
from typing import NamedTuple

from .between import Say

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ENDLESS_MIB_MAX = 256  # whoever is not left by then is not bounded
DRIPS_MAX = 400
COOKIES = b"Set-Cookie: a=b; Path=/; Domain=example.org\r\nSet-Cookie: s=7; Path=/\r\n" * 25
TRAP = b"127.0.0.1:1"  # in its place stands where nobody may come


class Fault(NamedTuple):
    """`plain` is what a feed that asks by itself calls it, `api` one that asks through an account's client."""

    said: Callable[[bytes], Iterator[bytes]]
    plain: str
    api: str = "http_status"
    pause_s: float = 0.0

    def say(self, trap: str) -> Say:
        async def it(writer: asyncio.StreamWriter) -> None:
            for part in self.said(trap.encode()):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(self.pause_s)

        return it


def once(wire: bytes) -> Callable[[bytes], Iterator[bytes]]:
    return lambda trap: iter([wire.replace(TRAP, trap)])


def chunked(chunk: bytes, count: int) -> Callable[[bytes], Iterator[bytes]]:
    def said(trap: bytes) -> Iterator[bytes]:
        yield OK + b"Transfer-Encoding: chunked\r\n\r\n"
        for _ in range(count):
            yield b"%x\r\n%s\r\n" % (len(chunk), chunk)

    return said


def bomb(trap: bytes) -> Iterator[bytes]:
    packed = zeros()
    yield OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed


@cache
def zeros() -> bytes:
    """64 MB that travel as 64 kB."""
    packer, piece = zlib.compressobj(9, wbits=31), bytes(1 << 20)
    return b"".join([*(packer.compress(piece) for _ in range(64)), packer.flush()])


def redirect(status: int, to: bytes) -> Callable[[bytes], Iterator[bytes]]:
    return once(b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, to))


FAULTS: dict[str, Fault] = {
    "P1 to where machines ask about themselves": Fault(redirect(302, b"http://169.254.169.254/latest"), "http_status"),
    "P1 to a file": Fault(redirect(301, b"file:///etc/passwd"), "http_status"),
    "P1 to another host": Fault(redirect(307, b"http://" + TRAP + b"/"), "http_status"),
    "P1 for ever": Fault(redirect(308, b"http://" + TRAP + b"/again"), "http_status"),
    "P2 shorter than it says": Fault(once(OK + b'Content-Length: 1000\r\n\r\n{"code": 0, '), "closed"),
    "P2 longer than it says": Fault(once(OK + b'Content-Length: 5\r\n\r\n{"code": 0, "data": {}}'), "http_status"),
    "P2 nothing at all": Fault(once(b""), "closed"),
    "P3 without end": Fault(chunked(b" " * 65_536, ENDLESS_MIB_MAX * 16), "bad_frame"),
    "P3 a bomb": Fault(bomb, "bad_frame"),
    "P3 one byte after the other": Fault(chunked(b" ", DRIPS_MAX), "timeout", pause_s=0.05),
    "P4 a long header": Fault(once(OK + b"X-A: " + b"a" * 65_536 + b"\r\nContent-Length: 2\r\n\r\n{}"), "http_status"),
    "P4 many headers": Fault(once(OK + b"X-A: a\r\n" * 200 + b"Content-Length: 2\r\n\r\n{}"), "http_status"),
    "P4 a header with NUL": Fault(once(OK + b"X-A: a\0b\r\nContent-Length: 2\r\n\r\n{}"), "http_status"),
    "P4 no header": Fault(once(b"nonsense\r\n\r\n"), "http_status"),
    "P6 not modified": Fault(once(b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nAge: 3600\r\n\r\n'), "http_status"),
    "P9 until it is closed": Fault(once(b"HTTP/1.0 200 OK\r\n\r\n<html>"), "bad_frame"),
    "P9 continue, continue": Fault(once(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000), "closed"),
    "P9 no content, and more": Fault(once(b'HTTP/1.1 204 No Content\r\n\r\n{"code": 0}' + OK + b"\r\n"), "http_status"),
}


class Trap:
    """Where nobody may come."""

    def __init__(self) -> None:
        self.at, self.visits = "", 0


@asynccontextmanager
async def trap() -> AsyncIterator[Trap]:
    found = Trap()

    async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.visits += 1
        writer.close()

    server = await asyncio.start_server(come, "127.0.0.1", 0)
    found.at = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield found

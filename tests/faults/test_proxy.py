"""The fault proxy itself: each knob does to a line what it says, and counts it."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from tests.faults.proxy import FaultProxy, Trap


class Echo:
    """A server that remembers all that came, and which of its connections ended."""

    def __init__(self) -> None:
        self.heard, self.open, self.ended = b"", 0, 0

    async def serve(self, reader, writer) -> None:
        self.open += 1
        try:
            while chunk := await reader.read(65_536):
                self.heard += chunk
                writer.write(chunk.upper())
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self.open, self.ended = self.open - 1, self.ended + 1
            writer.transport.abort()


@asynccontextmanager
async def line(tmp_path):
    echo, door = Echo(), str(tmp_path / "echo")
    server = await asyncio.start_unix_server(echo.serve, door)
    async with FaultProxy(door) as proxy:
        yield echo, proxy
    server.close()


async def call(proxy):
    return await asyncio.open_connection("127.0.0.1", proxy.port)


async def ask(reader, writer, words: bytes, seconds: float = 1.0) -> bytes:
    """What comes back within the time; b"" if the line is cut. Raises TimeoutError if nothing is said at all."""
    writer.write(words)
    async with asyncio.timeout(seconds):
        try:
            return await reader.read(65_536)
        except ConnectionError:
            return b""


async def test_it_passes_and_counts(tmp_path):
    async with line(tmp_path) as (echo, proxy):
        assert await ask(*await call(proxy), b"hello") == b"HELLO"
        assert (proxy.count["accepted"], proxy.count["up"], proxy.count["down"]) == (1, 5, 5)
        assert echo.heard == b"hello"


async def test_it_refuses_resets_and_comes_back_on_the_same_port(tmp_path):
    async with line(tmp_path) as (echo, proxy):
        await proxy.turn("refuse")
        with pytest.raises(ConnectionRefusedError):
            await call(proxy)
        await proxy.turn("reset")
        assert await ask(*await call(proxy), b"hello") == b""
        await proxy.turn("pass")
        assert await ask(*await call(proxy), b"hello") == b"HELLO"
        assert echo.heard == b"hello"


async def test_a_black_hole_hides_the_client_s_end_from_the_server(tmp_path):
    async with line(tmp_path) as (echo, proxy):
        reader, writer = await call(proxy)
        assert await ask(reader, writer, b"one") == b"ONE"
        await proxy.turn("black_hole")
        with pytest.raises(TimeoutError):
            await ask(reader, writer, b"two", 0.2)
        writer.transport.abort()
        await proxy.turn("pass")
        again = await call(proxy)
        assert await ask(*again, b"three") == b"THREE"
        await asyncio.sleep(0.1)
        assert echo.heard == b"onethree"
        assert (echo.open, echo.ended) == (2, 0)  # the first one's server side knows of nothing


async def test_half_open_delivers_and_answers_nothing(tmp_path):
    async with line(tmp_path) as (echo, proxy):
        await proxy.turn("half_open")
        with pytest.raises(TimeoutError):
            await ask(*await call(proxy), b"hello", 0.2)
        assert echo.heard == b"hello"


@pytest.mark.parametrize(
    ("fate", "heard"), [("deliver", b"begin commit;"), ("drop", b"begin "), ("hole", b"begin "), ("hold", b"begin ")]
)  # fmt: skip
async def test_a_needle_across_two_writes_springs_the_trap_once(tmp_path, fate, heard):
    async with line(tmp_path) as (echo, proxy):
        trap = Trap("up", b"commit;", fate)
        proxy.traps.append(trap)
        reader, writer = await call(proxy)
        assert await ask(reader, writer, b"begin ") == b"BEGIN "
        proxy.chop = 1
        writer.write(b"com")
        await asyncio.sleep(0.05)
        proxy.chop = None
        if fate in ("deliver", "drop"):
            await ask(reader, writer, b"mit;")
        else:
            writer.write(b"mit;")
        async with asyncio.timeout(1):
            await trap.sprung.wait()
        await asyncio.sleep(0.05)
        assert echo.heard == (heard if fate == "deliver" else heard + b"com")
        assert (proxy.count[fate], proxy.traps) == (1, [])
        assert echo.open == (fate in ("hole", "hold"))
        assert await ask(*await call(proxy), b"commit;") == b"COMMIT;"


async def test_a_line_cut_after_so_many_bytes(tmp_path):
    async with line(tmp_path) as (echo, proxy):
        trap = Trap("up", b"", "drop", after=1_000)
        proxy.traps.append(trap)
        reader, writer = await call(proxy)
        for _ in range(12):
            writer.write(b"x" * 99)
            await asyncio.sleep(0.01)
        await trap.sprung.wait()
        await asyncio.sleep(0.05)
        assert echo.heard == b"x" * 1_000
        assert (echo.open, echo.ended) == (0, 1)
        with pytest.raises(ConnectionError):
            await reader.read(-1)


async def test_a_trap_spares_so_many_needles(tmp_path):
    async with line(tmp_path) as (_, proxy):
        proxy.traps.append(Trap("up", b"go", "drop", sparing=2))
        reader, writer = await call(proxy)
        assert [await ask(reader, writer, b"go") for _ in range(3)] == [b"GO", b"GO", b""]


async def test_delay_and_rate_take_their_time(tmp_path):
    async with line(tmp_path) as (_, proxy):
        reader, writer = await call(proxy)
        proxy.delay_s = 0.1
        started = time.monotonic()
        assert await ask(reader, writer, b"hello") == b"HELLO"
        assert time.monotonic() - started >= 0.2  # there and back
        proxy.delay_s, proxy.rate = 0.0, 1_000
        started = time.monotonic()
        await ask(reader, writer, b"x" * 100)
        assert time.monotonic() - started >= 0.2


async def test_it_listens_on_a_unix_socket_too(tmp_path):
    echo, door, front = Echo(), str(tmp_path / "echo"), str(tmp_path / "front")
    server = await asyncio.start_unix_server(echo.serve, door)
    async with FaultProxy(door, listen=front):
        assert await ask(*await asyncio.open_unix_connection(front), b"hello") == b"HELLO"
    server.close()

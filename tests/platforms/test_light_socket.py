"""The light socket against real servers: the library's, and one that says byte for byte what a test wants."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidUpgrade
from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

from collectors.collector import BadFrame
from collectors.light_socket import Heard, LightSocket, opened
from collectors.order_socket import QUEUED_MAX

from .test_described_faults import certificate

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]
"""Reads and writes raw bytes; the third is what greets the client, ready to be said."""


def sift(message: bytes) -> Iterator[Heard]:
    """All but what begins with a dot; an exclamation mark ends it."""
    if message.startswith(b"!"):
        raise BadFrame(message.decode())
    if not message.startswith(b"."):
        yield message, NOW


def binary(data: bytes) -> bytes:
    return Frame(Opcode.BINARY, data).serialize(mask=False)


def later(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def heard(socket: LightSocket, seconds: float = 5.0) -> bytes | None:
    found = await socket.next(later(seconds))
    return None if found is None else found[0]


@asynccontextmanager
async def connected(link: str) -> AsyncIterator[LightSocket]:
    socket = await opened(link, "127.0.0.1", sift)
    try:
        yield socket
    finally:
        await socket.close()


@asynccontextmanager
async def played(play: Play, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The address of a server that has read the greeting when `play` begins; the connection ends with `play`."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line[19:] for line in head.decode().split("\r\n") if line.startswith("Sec-WebSocket-Key: "))
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        greeting = "\r\n".join([*lines, f"Sec-WebSocket-Accept: {accept_key(key)}", "", ""]).encode()
        try:
            await play(reader, writer, greeting)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'wss' if tls else 'ws'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/sub?a=b"
    finally:
        server.close()


async def test_it_says_who_it_is_and_what_is_not_sifted_wakes_nobody() -> None:
    asked = dict[str, str]()

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.update(connection.request.headers.raw_items(), path=connection.request.path)
        await connection.send(b".dropped")
        await connection.send("直播间")
        async for message in connection:
            await connection.send(message)

    async with serve(talk, "127.0.0.1", 0) as server:
        link = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/sub?a=b"
        async with connected(link) as socket:
            assert await socket.next(later(5)) == ("直播间".encode(), NOW)
            assert await heard(socket, 0.05) is None
            socket.say(b"x" * 70_000)
            assert await heard(socket) == b"x" * 70_000
    assert (asked["path"], asked["User-Agent"], asked["Host"]) == ("/sub?a=b", "livemon", link[5:].split("/")[0])
    assert "Sec-WebSocket-Extensions" not in asked


async def test_what_comes_with_the_greeting_is_heard() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes) -> None:
        writer.write(greeting + binary(b"one") + binary(b"two")[:3])
        await asyncio.sleep(0.02)
        writer.write(binary(b"two")[3:])
        await reader.read(100)

    async with played(play) as link, connected(link) as socket:
        assert [await heard(socket), await heard(socket)] == [b"one", b"two"]


async def test_a_greeting_that_comes_byte_by_byte_is_understood() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes) -> None:
        for byte in greeting + binary(b"one"):
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        await reader.read(100)

    async with played(play) as link, connected(link) as socket:
        assert await heard(socket) == b"one"


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", InvalidStatus, "503"),
        (b"HTTP/1.1 302 Found\r\nLocation: ws://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n", InvalidStatus, "302"),
        (b"HTTP/1.1 101 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", InvalidUpgrade, "Upgrade"),
        (b"RTMP\r\n\r\n", InvalidHandshake, "valid HTTP"),
        (b"HTTP/1.1 101 OK\r\nX: " + b"x" * 70_000, InvalidHandshake, "over 65536 bytes"),
        (b"", InvalidHandshake, "valid HTTP"),
    ],
)
async def test_who_turns_us_away_is_named_and_no_page_of_his_is_kept(
    answer: bytes, kind: type[Exception], says: str
) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()
        await asyncio.sleep(0.05)

    async with played(play) as link:
        with pytest.raises(kind, match=says) as turned:
            await opened(link, "127.0.0.1", sift)
    if isinstance(turned.value, InvalidStatus):
        assert not turned.value.response.body
        assert not turned.value.response.headers


@pytest.mark.parametrize(
    ("last", "kind", "says"),
    [
        (b"\x88\x0a\x03\xf3" + "维护中"[:2].encode() + b"..", EOFError, "1011 维护"),
        (b"\x88\0", EOFError, "closed the socket: 0"),
        (b"\xc2\0", BadFrame, "extension"),
        (binary(b"!enough"), BadFrame, "enough"),
        (b"", EOFError, "broke"),
    ],
)
async def test_however_it_ends_what_came_before_is_heard_first(last: bytes, kind: type[Exception], says: str) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes) -> None:
        writer.write(greeting + binary(b"one") + binary(b"two") + last)
        await writer.drain()
        if last:
            await reader.read(100)
        writer.close()
        await asyncio.sleep(0.05)

    async with played(play) as link, connected(link) as socket:
        assert [await heard(socket), await heard(socket)] == [b"one", b"two"]
        for _ in range(2):
            with pytest.raises(kind, match=says):
                await heard(socket)


async def test_a_ping_is_answered() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(f"{await (await connection.ping(b'there?')) >= 0}")
        await connection.wait_closed()

    async with serve(talk, "127.0.0.1", 0, ping_interval=None) as server:
        async with connected(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/") as socket:
            assert await heard(socket) == b"True"


async def test_a_peer_that_pings_and_reads_nothing_is_left() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes) -> None:
        writer.transport.pause_reading()
        writer.write(greeting)
        while not writer.is_closing():
            writer.write((b"\x89\x7d" + b"p" * 125) * 500)
            await writer.drain()

    async with played(play) as link, connected(link) as socket:
        with pytest.raises(BrokenPipeError, match="takes nothing"):
            await heard(socket, 30)


async def test_a_slow_disk_makes_the_platform_wait_and_loses_nothing() -> None:
    sent, number_max = 0, 3_000

    async def talk(connection: ServerConnection) -> None:
        nonlocal sent
        for number in range(number_max):
            await connection.send(str(number).encode() + b"x" * 10_000)
            sent = number + 1
        await connection.wait_closed()

    async with serve(talk, "127.0.0.1", 0, ping_interval=None) as server:
        async with connected(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/") as socket:
            async with asyncio.timeout(5):
                while not socket.paused:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            assert sent < number_max, "thirty megabytes were taken while nobody read"
            assert len(socket._sifted) <= QUEUED_MAX + 1 + 2**18 // 10_000
            assert socket.held
            async with asyncio.timeout(20):
                found = [await heard(socket, 20) for _ in range(number_max)]
            assert [int((message or b"").rstrip(b"x")) for message in found] == list(range(number_max))


async def test_we_say_goodbye_and_a_peer_that_does_not_let_us_go_is_left() -> None:
    came = asyncio.get_running_loop().create_future()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes) -> None:
        writer.write(greeting)
        came.set_result(await reader.read(8))
        await asyncio.sleep(3)

    async with played(play) as link:
        socket = await opened(link, "127.0.0.1", sift)
        began = asyncio.get_running_loop().time()
        await socket.close()
        assert asyncio.get_running_loop().time() - began < 2.0
        goodbye = await came
    assert goodbye[:2] == b"\x88\x82"
    assert bytes(byte ^ mask for byte, mask in zip(goodbye[6:], goodbye[2:6], strict=False)) == (1000).to_bytes(2)


async def test_an_instant_that_passes_is_no_end_and_an_end_is_no_instant_that_passes() -> None:
    """ETIMEDOUT is a TimeoutError: it must not look like nothing for a while."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes) -> None:
        writer.write(greeting)
        await reader.read(100)

    async with played(play) as link, connected(link) as socket:
        assert await heard(socket, 0.0) is None
        assert await heard(socket, 0.02) is None
        socket.connection_lost(TimeoutError(110, "Connection timed out"))
        with pytest.raises(TimeoutError, match="110"):
            await heard(socket)


async def test_a_certificate_of_another_host_is_not_taken(tmp_path: Path) -> None:
    """P12."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes) -> None:
        raise AssertionError("nobody says a word to whom he does not trust")

    async with played(play, certificate(tmp_path)) as link:
        with pytest.raises(ssl.SSLCertVerificationError):
            await opened(link, "127.0.0.1", sift)


async def test_a_peer_that_reads_nothing_is_left_soon_though_words_of_ours_wait_for_it() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes) -> None:
        writer.transport.pause_reading()
        writer.write(greeting)
        await asyncio.sleep(5)

    async with played(play) as link:
        socket = await opened(link, "127.0.0.1", sift)
        while not socket._transport.get_write_buffer_size():
            socket.say(b"x" * 10_000)
        began = asyncio.get_running_loop().time()
        await socket.close()
        assert asyncio.get_running_loop().time() - began < 3.0

"""What a client may hold open: raw sockets against a real listener."""

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from monitor.http.guard import Guard, Limits, client_of
from tests.http.stand_in import busy_watch, listening, still_sources, still_watch

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
SECRET = b"s3cret-of-the-sender"


class Listener:
    """A guarded web, and what was refused there."""

    def __init__(self, port: int, guard: Guard, refused: Counter[str]) -> None:
        self.port, self.guard, self.refused = port, guard, refused

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, limit=2**26)

    async def ask(self, request: bytes) -> bytes:
        """All that is answered until the listener closes; nothing where it cut the connection."""
        reader, writer = await self.connect()
        writer.write(request)
        try:
            async with asyncio.timeout(1):
                return await reader.read()
        except ConnectionResetError:
            return b""
        except TimeoutError:
            return b"(still open)"
        finally:
            writer.close()


@asynccontextmanager
async def guarded(rooms: int = 0, **limits: object) -> AsyncIterator[Listener]:
    refused: Counter[str] = Counter()
    guard = Guard(Limits(**limits), lambda reason: refused.update([reason]))  # type: ignore[arg-type]
    watch = busy_watch(rooms) if rooms else still_watch([])
    async with listening(still_sources(watch), guard) as site:
        yield Listener(site.port, guard, refused)


async def test_half_sent_headers_are_told_408_at_the_deadline() -> None:
    async with guarded(header_s_max=0.2) as listener:
        reader, writer = await listener.connect()
        started = asyncio.get_running_loop().time()
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert 0.15 < asyncio.get_running_loop().time() - started < 1.0
        assert listener.refused == {"header_deadline": 1}
        writer.close()


async def test_a_byte_now_and_then_does_not_move_the_deadline() -> None:
    async with guarded(header_s_max=0.3) as listener:
        reader, writer = await listener.connect()
        started = asyncio.get_running_loop().time()
        for byte in b"GET / HTTP/1.1\r\nX: " + b"y" * 200:
            if reader.at_eof() or writer.is_closing():
                break
            writer.write(bytes([byte]))
            try:
                async with asyncio.timeout(0.02):
                    await reader.read(1)
                break
            except TimeoutError:
                continue
            except ConnectionResetError:
                break
        assert asyncio.get_running_loop().time() - started < 1.5
        assert listener.refused["header_deadline"] == 1
        writer.close()


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with guarded(header_s_max=0.2) as listener:
        assert await listener.ask(b"") == b""
        assert listener.refused == {"header_deadline": 1}


async def test_an_idle_connection_outlives_the_header_deadline_but_not_its_own() -> None:
    async with guarded(header_s_max=0.2, idle_s_max=1.0) as listener:
        reader, writer = await listener.connect()
        for _ in range(2):
            writer.write(GET)
            assert (await reader.readuntil(b"ok\n")).startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(0.4)
        assert not listener.refused
        async with asyncio.timeout(3):
            assert await reader.read() == b""
        writer.close()


async def test_the_second_request_of_a_connection_has_the_deadline_too() -> None:
    async with guarded(header_s_max=0.2) as listener:
        reader, writer = await listener.connect()
        writer.write(GET)
        await reader.readuntil(b"ok\n")
        writer.write(b"GET / HT")
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_slow_answer_is_no_late_header() -> None:
    """Requests that came in one piece wait for the first answer; a 408 in the midst of it would garble it."""
    async with guarded(rooms=3_000, header_s_max=0.05) as listener:
        reader, writer = await listener.connect()
        writer.write(b"GET /metrics/rooms HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
        await asyncio.sleep(0.3)
        answer = await reader.readuntil(b"ok\n")
        assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 200 OK") == 2
        assert not listener.refused
        writer.close()


async def test_the_next_headers_may_begin_while_an_answer_is_still_on_its_way() -> None:
    async with guarded(rooms=12_000, header_s_max=0.05) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=1_024)
        writer.write(b"GET /metrics/rooms HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"# TYPE ")
        writer.write(GET[:8])
        await asyncio.sleep(0.3)
        writer.write(GET[8:])
        answer = b""
        while not answer.endswith(b"ok\n"):
            piece = await reader.read(65_536)
            assert piece, answer[-200:]
            answer += piece
        assert not listener.refused
        writer.close()


@pytest.mark.parametrize(
    "first",
    [
        GET,
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
    ],
    ids=["no-body", "length", "chunked"],
)
async def test_a_head_that_begins_in_the_packet_of_the_request_before_it_has_the_deadline_too(first: bytes) -> None:
    async with guarded(header_s_max=0.2, idle_s_max=30.0) as listener:
        for whole in (first, first + GET):
            reader, writer = await listener.connect()
            writer.write(whole + b"GET / HT")
            async with asyncio.timeout(2):
                answer = await reader.read()
            assert answer.count(b"ok\n") == (1 if whole == first else 2)
            assert b"HTTP/1.1 408 " in answer
            writer.close()
        reader, writer = await listener.connect()  # nothing beyond: it may be idle
        writer.write(first)
        await reader.readuntil(b"ok\n")
        await asyncio.sleep(0.4)
        writer.write(GET)
        assert (await reader.readuntil(b"ok\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_a_client_that_does_not_read_holds_up_no_stop() -> None:
    loop = asyncio.get_running_loop()
    async with guarded(rooms=12_000) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=1_024)
        writer.write(b"GET /metrics/rooms HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"# TYPE ")
        started = loop.time()
    assert loop.time() - started < 6
    writer.close()


async def test_a_client_that_does_not_read_is_cut() -> None:
    async with guarded(rooms=12_000, stalled_s_max=0.3) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=1_024)
        writer.write(b"GET /metrics/rooms HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            while not listener.refused:
                await asyncio.sleep(0.05)
        assert listener.refused == {"reading_stalled": 1}
        assert not listener.guard.connections
        writer.close()
        del reader


async def test_one_client_may_hold_so_many_connections_and_each_closed_one_makes_room() -> None:
    async with guarded(client_connections_max=3) as listener:
        held = [await listener.connect() for _ in range(3)]
        for reader, writer in held:
            writer.write(GET)
            await reader.readuntil(b"ok\n")
        assert await listener.ask(GET) == b""
        assert listener.refused == {"client_connections": 1}
        held[0][1].close()
        async with asyncio.timeout(2):
            while len(listener.guard.connections) > 2:
                await asyncio.sleep(0.01)
        reader, writer = await listener.connect()
        writer.write(GET)
        assert await reader.readuntil(b"ok\n")
        for _, each in (*held[1:], (reader, writer)):
            each.close()
        async with asyncio.timeout(2):
            while listener.guard.connections:
                await asyncio.sleep(0.01)
        assert not listener.guard.by_client


@pytest.mark.parametrize("network", ["127.0.0.1/32", "::1/128"])
async def test_a_trusted_proxy_may_hold_more_whatever_family_it_calls_by(network: str) -> None:
    trusted = (ipaddress.ip_network(network),)
    guard = Guard(Limits(client_connections_max=0, trusted=trusted))
    assert guard.trusts(trusted[0].network_address)
    assert guard.refuses("x", trusted[0].network_address) is None
    assert guard.refuses("x", trusted[0].network_address + 1) == "client_connections"
    assert guard.refuses("local", None) == "client_connections"


async def test_all_clients_together_have_a_cap_also_behind_a_trusted_proxy() -> None:
    local = ipaddress.ip_network("127.0.0.0/8")
    limits = {"client_connections_max": 1, "connections_max": 3, "trusted_more_max": 1, "trusted": (local,)}
    async with guarded(**limits) as listener:
        held = [await listener.connect() for _ in range(4)]
        await asyncio.sleep(0.05)
        assert len(listener.guard.connections) == 4
        assert await listener.ask(GET) == b""
        assert listener.refused == {"connections": 1}
        for _, writer in held:
            writer.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        SECRET + b"\r\n\r\n",
        b"GET /" + SECRET + b" HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad\x00Header" + SECRET + b": 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + SECRET + b"\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + SECRET + b"a" * 65_536 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: %s\r\n" % (n, SECRET) for n in range(200)) + b"\r\n",
        b"GET /" + SECRET + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\nX: " + SECRET + b"\r\n\r\nabcde",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + SECRET,
    ],
    ids=["noise", "version", "nul-name", "nul-value", "64kB", "200-headers", "long-path", "two-lengths", "smuggling"],
)
async def test_what_is_malformed_is_a_bare_400_and_nothing_of_it_comes_back(
    request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with guarded() as listener:
        for _ in range(3):
            answer = await listener.ask(request_bytes)
            assert answer.split()[:2] in ([b"HTTP/1.0", b"400"], [b"HTTP/1.1", b"400"]), answer
            assert not [word for word in (SECRET, b"aiohttp", b"Python") if word in answer]
        assert listener.refused == {"malformed": 3}
        assert await listener.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("path", [b"/healthz", b"/nowhere"])
async def test_an_expectation_that_we_do_not_know_does_not_come_back(path: bytes) -> None:
    async with guarded() as listener:
        answer = await listener.ask(b"GET %s HTTP/1.1\r\nHost: x\r\nExpect: %s\r\n\r\n" % (path, SECRET))
        assert answer.startswith(b"HTTP/1.1 417 ")
        assert answer.endswith(b"\r\n\r\n417\n")
        assert SECRET not in answer


async def test_a_flood_of_failing_pages_is_one_traceback_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> list[str]:
        raise ZeroDivisionError("planted")

    async with listening(still_sources(still_watch([]), reasons=broken)) as site:
        for _ in range(20):
            async with site.get("/readyz") as answer:
                assert answer.status == 500
                assert await answer.text() == "500\n"
    loud = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(loud) == 1
    assert loud[0].exc_info is not None


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "local"),
        (None, "local"),
    ],
)
def test_a_connection_counts_for_its_address_or_its_network(peer: str | None, client: str) -> None:
    assert client_of(peer) == client

"""The way out: whom it reaches, what it follows, how much it takes, and that it says nothing of what it carried."""

import asyncio
import traceback
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from collectors.open_api import Call
from monitor.accounts.failed import NotAnswered
from monitor.accounts.guarded_http import BODY_BYTES_MAX, NOT_SENT, GuardedHttp
from monitor.accounts.terms import origin_of

SECRET = "t0ken-of-a-shop"
METADATA = "http://169.254.169.254/latest/meta-data/"


class Server:
    """Speaks as each test wants; counts what reached it."""

    def __init__(self, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
        self.answer, self.requests = answer, list[web.Request]()

    async def hear(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        await request.read()
        return await self.answer(request)


@asynccontextmanager
async def served(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]], total_s_max: float = 15.0, trusted: bool = True
) -> AsyncIterator[tuple[Server, str, GuardedHttp]]:
    """A server on loopback, its origin, and a way out to it: `trusted` if the config names it."""
    server, app = Server(answer), web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", server.hear)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with GuardedHttp(lambda: {origin_of(base)} if trusted else set(), total_s_max=total_s_max) as http:
            yield server, base, http
    finally:
        await runner.cleanup()


async def plain(request: web.Request) -> web.Response:
    return web.Response(body=request.raw_path.encode(), headers={"X-Limit": "7", "Set-Cookie": "a=b"})


async def failure_of(http: GuardedHttp, url: str) -> NotAnswered:
    with pytest.raises(NotAnswered) as failed:
        await http(Call("x", url))
    assert SECRET not in "".join(traceback.format_exception(failed.value))
    return failed.value


async def test_what_is_signed_arrives_as_it_was_written_and_the_answer_comes_whole():
    async with served(plain) as (server, base, http):
        path = "/router/rest?b=%2a%2F&sign=A%3d&a=1+2&x=%E8%8B%B9"
        told = await http(Call("x", base + path, b"body", {"x-token": SECRET, "content-type": "text/x"}))
        assert (told.status, told.body, told.headers["x-limit"]) == (200, path.encode(), "7")
        assert server.requests[0].method == "POST"
        assert server.requests[0].headers["x-token"] == SECRET
        await http(Call("x", base + path))
        assert server.requests[1].method == "GET"
        assert "Cookie" not in server.requests[1].headers


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1/", "address_refused"),
        ("https://10.0.0.1/", "address_refused"),
        ("https://100.100.100.200/", "address_refused"),
        ("https://[::ffff:10.0.0.1]/", "address_refused"),
        ("https://[64:ff9b::a9fe:a9fe]/", "address_refused"),
        ("https://[::1]/", "address_refused"),
        ("https://[fd00:ec2::254]/", "address_refused"),
        ("https://localhost/", "address_refused"),
        ("https://169.254.169.254/", "bad_url"),
        ("https://[::ffff:169.254.169.254]/", "bad_url"),
        ("https://2852039166/", "bad_url"),
        ("https://0xa9fea9fe/", "bad_url"),
        ("https://0251.0376.0251.0376/", "bad_url"),
        ("https://0xa9.254.169.254/", "bad_url"),
        ("https://good@evil.example/", "bad_url"),
        ("https://open.example:22/", "bad_url"),
        ("file:///etc/passwd", "bad_url"),
        ("http://open.example/", "not_https"),
        ("http://127.0.0.1:1/", "not_https"),
    ],
)
async def test_it_does_not_go_where_no_platform_is(url: str, reason: str):
    async with GuardedHttp(lambda: ()) as http:
        failed = await failure_of(http, f"{url}?access_token={SECRET}")
        assert (failed.reason, failed.sent) == (reason, False)


@pytest.mark.parametrize("number", ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "127.1", "169.254.169.254"])
async def test_a_number_as_a_host_reaches_nothing_even_past_the_look_at_the_url(number: str):
    async with GuardedHttp(lambda: ()) as http:
        with pytest.raises((aiohttp.ClientError, OSError)) as failed:
            await http._exchanged(http._guarded, Call("x", f"https://{number}/"))
        assert isinstance(failed.value, NOT_SENT)


async def test_a_name_that_leads_inside_is_refused_whatever_it_led_to_before():
    async def inside(host: str) -> list[str]:
        return ["127.0.0.1"]

    async with GuardedHttp(lambda: (), inside) as http:
        assert (await failure_of(http, f"https://open.example/?t={SECRET}")).reason == "address_refused"


async def test_what_was_resolved_and_judged_is_what_is_connected_to():
    """A name is asked for once: what it leads to a moment later is another answer, that nobody takes."""
    asked = []

    async def flipping(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with served(plain) as (server, base, _):
        named = base.replace("127.0.0.1", "open.example")
        async with GuardedHttp(lambda: {origin_of(named)}, flipping) as http:
            assert (await http(Call("x", f"{named}/a"))).status == 200
        assert server.requests[0].headers["Host"].startswith("open.example")
    assert asked == ["open.example"]


@pytest.mark.parametrize("to", [METADATA, "file:///etc/passwd", "http://10.0.0.1/", "/again"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_nothing_is_followed(to: str, status: int):
    async def away(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": to})

    async with served(away) as (server, base, http):
        assert (await failure_of(http, f"{base}/?t={SECRET}")).reason == "redirect"
        assert len(server.requests) == 1


def packed(size: int, encoding: str) -> bytes:
    """So many zeros, packed a piece at a time."""
    if encoding == "identity":
        return bytes(size)
    packer, piece = zlib.compressobj(9, wbits={"gzip": 31, "deflate": 15}[encoding]), bytes(1 << 20)
    parts = [packer.compress(piece) for _ in range(size >> 20)]
    return b"".join([*parts, packer.compress(piece[: size % (1 << 20)]), packer.flush()])


@pytest.mark.parametrize(("encoding", "bomb_mib"), [("gzip", 500), ("deflate", 500), ("identity", 64)])
async def test_a_body_is_bounded_as_it_is_once_inflated(encoding: str, bomb_mib: int):
    body = b""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": encoding})

    async with served(answer) as (_, base, http):
        body = packed(BODY_BYTES_MAX, encoding)
        assert len((await http(Call("x", base))).body) == BODY_BYTES_MAX
        body = packed(BODY_BYTES_MAX + 1, encoding)
        assert (await failure_of(http, base)).reason == "too_large"
        body = packed(bomb_mib << 20, encoding)
        tracemalloc.start()
        try:
            assert (await failure_of(http, base)).reason == "too_large"
            assert tracemalloc.get_traced_memory()[1] < 24 << 20
        finally:
            tracemalloc.stop()


async def test_a_drip_ends_at_the_deadline():
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.05)

    async with served(drip, total_s_max=0.5) as (_, base, http):
        assert (await failure_of(http, f"{base}/?t={SECRET}")).reason == "timeout"


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 65_536 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(200)) + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"nonsense\r\n\r\n",
        b"",
    ],
    ids=["long header", "many headers", "short body", "nonsense", "nothing"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_no_answer_is_named_and_never_asked_again_by_itself(raw: bytes, method: str):
    heard = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(raw)
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, GuardedHttp(lambda: {base}) as http:
        with pytest.raises(NotAnswered) as failed:
            await http(Call("x", base, None if method == "GET" else b"x"))
        assert failed.value.sent
    assert len(heard) == 1


async def test_a_get_on_a_kept_connection_that_breaks_is_not_sent_again_by_itself():
    """A pair may be refreshed by a GET: sent twice it would be void. aiohttp does so unless it is told not to."""
    heard = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            if len(heard) == 2:
                writer.close()
                return
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, GuardedHttp(lambda: {base}) as http:
        assert (await http(Call("x", base))).body == b"ok"
        assert (await failure_of(http, base)).sent
    assert len(heard) == 2


async def test_nobody_there_means_that_nothing_was_sent():
    async with served(plain) as (_, base, _):
        pass
    async with GuardedHttp(lambda: {origin_of(base)}) as http:
        failed = await failure_of(http, base)
        assert (failed.reason, failed.sent) == ("connect", False)


async def test_proxies_of_the_environment_are_not_used(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with served(plain) as (_, base, http):
        assert (await http(Call("x", base))).status == 200

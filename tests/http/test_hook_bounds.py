"""How far the hooks listener lets a caller go before it knows who calls: raw sockets against a real one."""

import asyncio
import logging

import aiohttp
import pytest
from aiohttp.http import HttpRequestParser
from aiohttp.http_parser import HttpRequestParserPy

from monitor.http.body import Bodies
from monitor.http.listener import WeakParser, require_hardened
from tests.http.hook_site import LOCAL, Signed, Site, hooked, post, status

TRUSTED = {"trusted": (LOCAL,)}
CANARY = "Kanarienvogel"
CAP = Signed.BODY_BYTES_MAX
CHUNKED = {"Content_Length": None, "Transfer_Encoding": "chunked"}


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end


async def test_a_body_is_taken_up_to_its_cap_and_not_a_byte_beyond() -> None:
    async with hooked() as site:
        assert status(await site.ask(post(b"a" * CAP))) == 200
        assert status(await site.ask(post(b"a" * (CAP + 1), name="d2"))) == 413
        assert status(await site.ask(post(b"", Content_Length=str(10**12)))) == 413
        assert site.outcomes == {("shop", "accepted"): 1, ("shop", "too_large"): 2}


async def test_a_chunked_body_is_the_same_delivery_and_an_endless_one_is_cut_at_the_cap() -> None:
    async with hooked() as site:
        head = post(b'{"a": 1}', **CHUNKED).removesuffix(b'{"a": 1}')
        assert status(await site.ask(head + chunked(b'{"a"', b": 1}"))) == 200
        assert site.disk.kept[0][1].body == b'{"a": 1}'
        reader, writer = await site.connect()
        writer.write(head)
        sent = 0
        try:
            async with asyncio.timeout(5):
                while sent < 2**30:
                    writer.write(chunked(b"a" * 10_000, end=b""))
                    await writer.drain()
                    sent += 10_000
                    await asyncio.sleep(0)
        except (ConnectionResetError, BrokenPipeError):
            pass
        assert site.outcomes[("shop", "too_large")] == 1
        assert not site.hooks.bodies.held_bytes
        writer.close()
        del reader


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"Content_Encoding": "gzip"}, "unsupported"),
        ({"Content_Encoding": "br, gzip"}, "unsupported"),
        ({"Content_Type": "multipart/form-data; boundary=x"}, "unsupported"),
        ({"Content_Type": "application/x-www-form-urlencoded"}, "unsupported"),
        ({"Content_Type": "application/xml"}, "unsupported"),
        ({"Content_Type": "text/html"}, "unsupported"),
        ({"Content_Type": None}, "unsupported"),
        ({"Content_Type": "Application/JSON; charset=UTF-8"}, "accepted"),
        ({"Content_Encoding": "identity"}, "accepted"),
    ],
)
async def test_only_the_content_that_the_kind_documents_is_read(more: dict[str, str | None], outcome: str) -> None:
    async with hooked() as site:
        answer = await site.ask(post(**more))  # type: ignore[arg-type]
        assert status(answer) == (200 if outcome == "accepted" else 415)
        assert site.outcomes == {("shop", outcome): 1}


def changed(old: bytes, new: bytes) -> bytes:
    request = post(b"abcde")
    assert old in request
    return request.replace(old, new)


LENGTH = b"Content-Length: 5\r\n"
MALFORMED = {
    "length and chunked": changed(LENGTH, LENGTH + b"Transfer-Encoding: chunked\r\n"),
    "two lengths": changed(LENGTH, LENGTH + b"Content-Length: 6\r\n"),
    "two equal lengths": changed(LENGTH, LENGTH + LENGTH),
    "signed length": changed(LENGTH, b"Content-Length: +5\r\n"),
    "xchunked": changed(LENGTH, b"Transfer-Encoding: xchunked\r\n"),
    "chunked twice": changed(LENGTH, b"Transfer-Encoding: chunked, chunked\r\n"),
    "bare line feeds": changed(b"\r\nX-Id", b"\nX-Id"),
    "folded": changed(b"X-Id: d1", b"X-Id: d1\r\n more"),
    "space before the colon": changed(b"Content-Length:", b"Content-Length :"),
    "no such version": changed(b"HTTP/1.1", b"HTTP/1.9"),
    "chunk size of letters": post(b"", **CHUNKED) + b"xyz\r\n",  # type: ignore[arg-type]
    "chunk longer than it says": post(b"", **CHUNKED) + b"2\r\nabcdef\r\n0\r\n\r\n",  # type: ignore[arg-type]
}


@pytest.mark.parametrize("request_bytes", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("limits", [{}, TRUSTED], ids=["direct", "proxied"])
async def test_what_could_be_read_in_two_ways_is_400_and_closed(
    request_bytes: bytes, limits: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    async with hooked(limits=limits) as site:
        answer = await site.ask(request_bytes + post(name="smuggled"))
        assert status(answer) == 400, answer
        assert answer.count(b"HTTP/1.") == 1
        assert not answer.endswith(b"(still open)")
        assert not site.disk.kept
        assert not {outcome for _, outcome in site.outcomes} - {"bad_request"}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("limits", [{}, TRUSTED], ids=["direct", "proxied"])
@pytest.mark.parametrize(
    "more",
    [
        {"Upgrade": "websocket", "Connection": "Upgrade"},
        {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2_Settings": "AAMAAABkAARAAAAAAAIAAAAA"},
        {"upgrade": "websocket"},
        {"HTTP2_Settings": "AAMAAABkAARAAAAAAAIAAAAA"},
    ],
)
async def test_an_upgrade_is_400_and_what_follows_is_no_request(
    more: dict[str, str], limits: dict[str, object]
) -> None:
    async with hooked(limits=limits) as site:
        answer = await site.ask(post(b"abcde", **more) + post(name="smuggled"))  # type: ignore[arg-type]
        assert status(answer) == 400
        assert answer.count(b"HTTP/1.") == 1
        assert not answer.endswith(b"(still open)")
        assert not site.disk.kept


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/hooks/shop", 405),
        ("GET", "/hooks/shop?echo=<b>", 405),
        ("HEAD", "/hooks/shop", 405),
        ("PUT", "/hooks/shop", 405),
        ("DELETE", "/hooks/shop", 405),
        ("TRACE", "/hooks/shop", 405),
        ("OPTIONS", "/hooks/shop", 405),
        ("OPTIONS", "*", 404),
        ("CONNECT", "hooks:443", 404),
        ("POST", "/", 404),
        ("POST", "/metrics", 404),
        ("POST", "/hooks", 404),
        ("POST", "/hooks/", 404),
        ("POST", "/hooks/Shop", 404),
        ("POST", "/hooks/shop/", 404),
        ("POST", "//hooks/shop", 404),
        ("POST", "/hooks//shop", 404),
        ("POST", "/x/../hooks/shop", 404),
        ("POST", "/x/%2e%2e/hooks/shop", 404),
        ("POST", "/hooks/%73hop", 404),
        ("POST", "/hooks/shop%00", 404),
        ("POST", "/hooks/shop;x", 404),
        ("POST", "http://evil.example/hooks/shop", 404),
        ("POST", f"/hooks/{CANARY}", 404),
        ("POST", "/" + "a" * 8_000, 404),
        ("POST", "/" + "a" * 9_000, 400),
    ],
)
async def test_nothing_else_answers_there_and_nothing_comes_back(method: str, path: str, expected: int) -> None:
    async with hooked() as site:
        answer = await site.ask(post(method=method, path=path, X_Canary=CANARY))
        assert status(answer) == expected, answer
        head, _, body = answer.partition(b"\r\n\r\n")
        assert body == (b"" if method == "HEAD" else b"%d\n" % expected)
        assert (b"Allow: POST" in head) == (expected == 405)
        assert not [word for word in (CANARY.encode(), b"aiohttp", b"Python", b"evil") if word in answer]
        assert b"\r\nServer: livemon" in head
        if expected == 404:
            assert site.outcomes == {("", "not_found"): 1}


async def test_an_expectation_that_we_do_not_know_does_not_come_back() -> None:
    async with hooked() as site:
        answer = await site.ask(post(Expect=CANARY))
        assert status(answer) == 200
        assert CANARY.encode() not in answer


async def test_who_asks_first_whether_the_body_is_wanted_is_told_so() -> None:
    async with hooked() as site:
        reader, writer = await site.connect()
        whole = post(b'{"a": 1}', Expect="100-continue")
        writer.write(whole.removesuffix(b'{"a": 1}'))
        async with asyncio.timeout(1):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b'{"a": 1}')
            assert status(await reader.read()) == 200
        writer.close()
        assert status(await site.ask(post(b"a" * (CAP + 1), Expect="100-continue")[:-CAP])) == 413


async def test_headers_and_bodies_have_a_deadline_each() -> None:
    async with hooked(limits={"header_s_max": 0.3}, bodies=Bodies(s_max=0.6)) as site:
        loop = asyncio.get_running_loop()
        began = loop.time()
        whole = post(b"abcde" * 10)
        late_head, late_body = await asyncio.gather(site.ask(whole[:40]), site.ask(whole[:-1]))
        assert status(late_head) == status(late_body) == 408
        assert 0.5 < loop.time() - began < 2.9
        assert site.refused == {"header_deadline": 1}
        assert site.outcomes == {("shop", "slow"): 1}


async def test_a_byte_now_and_then_does_not_move_the_deadline_of_a_body() -> None:
    async with hooked(bodies=Bodies(s_max=0.4)) as site:
        reader, writer = await site.connect()
        whole = post(b"a" * 500)
        writer.write(whole[:-500])
        began = asyncio.get_running_loop().time()
        answer = b""
        for _ in range(100):
            writer.write(b"a")
            try:
                async with asyncio.timeout(0.02):
                    answer = await reader.read(1_000)
                break
            except TimeoutError:
                continue
        assert status(answer) == 408
        assert asyncio.get_running_loop().time() - began < 1.5
        writer.close()


async def test_only_a_trusted_proxy_has_more_than_one_request_a_connection() -> None:
    async with hooked(limits=TRUSTED) as site:
        reader, writer = await site.connect()
        for number in range(3):
            writer.write(post(name=f"d{number}"))
            assert status(await reader.readuntil(b'{"code":0}')) == 200
        writer.write(post(secret=b"wrong"))
        assert b"\r\nConnection: close" in await reader.read()
        writer.close()
    async with hooked() as site:
        answer = await site.ask(post() + post(name="d2"))
        assert answer.count(b"HTTP/1.") == 1
        assert not answer.endswith(b"(still open)")


async def begun(site: Site, count: int, forwarded: str | None, host: str = "127.0.0.1") -> list[asyncio.StreamWriter]:
    """So many bodies that have begun and do not come."""
    writers = []
    for _ in range(count):
        _, writer = await site.connect(host)
        writer.write(post(b"abcde", X_Forwarded_For=forwarded)[:-1])
        writers.append(writer)
    await asyncio.sleep(0.1)
    return writers


async def test_caps_count_the_client_behind_a_trusted_proxy() -> None:
    """H14: whatever a client writes into X-Forwarded-For stands to the left of what the proxy appends."""
    async with hooked(limits=TRUSTED | {"client_connections_max": 1}, bodies=Bodies(client_bodies_max=3)) as site:
        held = await begun(site, 3, "203.0.113.5")
        assert status(await site.ask(post(X_Forwarded_For="203.0.113.5"))) == 429
        assert status(await site.ask(post(X_Forwarded_For="198.51.100.1, 203.0.113.5, 127.0.0.9"))) == 429
        assert status(await site.ask(post(X_Forwarded_For="203.0.113.5:4711"))) == 429
        assert status(await site.ask(post(X_Forwarded_For="203.0.113.5, 203.0.113.6"), patience_s=0.5)) == 200
        assert status(await site.ask(post(name="d2"), patience_s=0.5)) == 200
        assert site.outcomes[("shop", "busy")] == 3
        for writer in held:
            writer.close()
        await asyncio.sleep(0.1)
        assert not site.hooks.bodies.reading
        assert status(await site.ask(post(name="d3", X_Forwarded_For="203.0.113.5"), patience_s=0.5)) == 200


async def test_a_client_that_is_no_trusted_proxy_is_not_believed() -> None:
    async with hooked(limits={"client_connections_max": 50}, bodies=Bodies(client_bodies_max=2)) as site:
        held = await begun(site, 1, "203.0.113.5") + await begun(site, 1, "203.0.113.6")
        assert status(await site.ask(post(X_Forwarded_For="203.0.113.7"))) == 429
        assert status(await site.ask(post(), host="127.0.0.2")) == 200
        for writer in held:
            writer.close()


async def test_one_client_holds_at_most_its_connections() -> None:
    async with hooked(limits={"client_connections_max": 5}) as site:
        held = await begun(site, 5, None)
        assert await site.ask(post()) == b""
        assert site.refused == {"client_connections": 1}
        assert status(await site.ask(post(), host="127.0.0.2")) == 200
        for writer in held:
            writer.close()


async def test_large_bodies_that_do_not_end_leave_room_for_small_ones() -> None:
    async with hooked(bodies=Bodies(held_bytes_max=50_000)) as site:
        held = []
        for _ in range(3):
            _, writer = await site.connect()
            writer.write(post(b"a" * 30_000)[:-1])
            held.append(writer)
            await asyncio.sleep(0.05)
        assert site.outcomes == {("shop", "busy"): 2}
        assert status(await site.ask(post(b"a" * 16_000))) == 200
        for writer in held:
            writer.close()
        await asyncio.sleep(0.1)
        assert not site.hooks.bodies.held_bytes


@pytest.mark.parametrize("version", ["3.14.2", "3.9.5", "3.13"])
def test_an_older_aiohttp_does_not_listen(version: str) -> None:
    with pytest.raises(WeakParser, match="install"):
        require_hardened(version)


def test_nor_does_the_parser_in_python() -> None:
    with pytest.raises(WeakParser, match="parser in C"):
        require_hardened(parser=HttpRequestParserPy)
    require_hardened("4.0.0")
    require_hardened(aiohttp.__version__, HttpRequestParser)

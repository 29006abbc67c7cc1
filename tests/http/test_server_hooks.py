"""An own server that calls is answered what lets its publisher on air, whatever becomes of its call."""

import asyncio
import logging

import msgspec
import pytest

from collectors.hook import App, Delivery
from collectors.servers.nginx_rtmp_hooks import NginxRtmpHooks
from collectors.servers.node_media_server_hooks import NodeMediaServerHooks
from collectors.servers.srs_hooks import SrsHooks
from collectors.servers.zlmediakit_hooks import ZlmediakitHooks
from monitor.http.body import Bodies
from monitor.http.hooks import Rates
from tests.http.hook_site import LOCAL, NOW, Site, hooked, status

TOKEN = "t0ken-of-the-hall"
APPS = {"halls": App("halls", "nginx_rtmp", secrets=(TOKEN.encode(),))}
FORM = "application/x-www-form-urlencoded"
CALL = b"app=live&clientid=7&call=publish&name=room1&type=live"
ROW = NginxRtmpHooks(name="hall-a", app="halls")
CAP = NginxRtmpHooks.BODY_BYTES_MAX


def call(
    body: bytes = CALL, token: str = TOKEN, path: str = "/hooks/hall-a", method: str = "POST", **headers: str | None
) -> bytes:
    """A call as nginx-rtmp makes it: HTTP/1.0, and the connection closes."""
    told = {"Host": "x", "Content-Type": FORM, "Connection": "Close", "Content-Length": str(len(body))} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    lines = [f"{method} {path}?token={token} HTTP/1.0", *(f"{name}: {text}" for name, text in told.items() if text)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def outcome_of(site: Site, request: bytes, patience_s: float = 3.0) -> tuple[int, str]:
    before = site.outcomes.copy()
    answer = await site.ask(request, patience_s=patience_s)
    counted = [*(site.outcomes - before).elements()]
    assert [feed for feed, _ in counted] == ["hall-a"], answer
    return status(answer), counted[0][1]


async def test_a_call_is_held_in_memory_without_its_token_and_never_on_disk() -> None:
    async with hooked([ROW], apps=APPS) as site:
        site.disk.gate.clear()  # a disk that hangs
        assert await outcome_of(site, call()) == (200, "accepted")
        ((feed, frame, at),) = site.held
        assert (feed, at) == ("hall-a", NOW)
        assert msgspec.msgpack.decode(frame, type=Delivery) == Delivery("POST", "/hooks/hall-a", "", {}, CALL)
        assert TOKEN.encode() not in frame
        assert (site.disk.waiting, site.disk.kept, site.heard) == (0, [], {"hall-a": 1})


@pytest.mark.parametrize(
    ("row", "kind", "body"),
    [
        (ROW, FORM, b""),
        (SrsHooks(name="hall-a", app="halls"), "application/json", b'{"code":0}'),
        (ZlmediakitHooks(name="hall-a", app="halls"), "application/json", b'{"code":0,"msg":"success"}'),
        (NodeMediaServerHooks(name="hall-a", app="halls"), "text/plain;charset=UTF-8", b"{}"),
    ],
    ids=["nginx_rtmp", "srs", "zlmediakit", "node_media_server"],
)
async def test_each_server_reads_the_reply_that_it_needs(row: NginxRtmpHooks, kind: str, body: bytes) -> None:
    async with hooked([row], apps=APPS) as site:
        for token in (TOKEN, "wrong"):
            answer = await site.ask(call(b"{}", token, Content_Type=kind))
            assert status(answer) == 200
            assert answer.endswith(b"\r\n\r\n" + body)


NOT_TAKEN: dict[str, tuple[bytes, str]] = {
    "another token": (call(token="guess"), "bad_signature"),
    "no token": (call(token=""), "malformed"),
    "a token that is no UTF-8": (call(token="%FF"), "malformed"),
    "too large": (call(b"a" * (CAP + 1)), "too_large"),
    "said to be huge": (call(b"", Content_Length=str(10**12)), "too_large"),
    "no content type": (call(Content_Type=None), "unsupported"),
    "another content type": (call(Content_Type="text/html"), "unsupported"),
    "packed": (call(Content_Encoding="gzip"), "unsupported"),
    "an upgrade": (call(Upgrade="websocket"), "bad_request"),
    "a look": (call(b"", method="GET", Content_Length=None), "check"),
    "another method": (call(b"", method="PUT"), "wrong_method"),
}


@pytest.mark.parametrize("name", NOT_TAKEN)
async def test_what_is_not_taken_is_counted_by_its_name_and_refuses_nobody(name: str) -> None:
    request, outcome = NOT_TAKEN[name]
    async with hooked([ROW], apps=APPS) as site:
        assert await outcome_of(site, request) == (200, outcome)
        assert (site.held, site.heard) == ([], {})


async def test_what_is_beyond_the_cap_is_shed_and_counted_and_refuses_nobody() -> None:
    async with hooked([ROW], apps=APPS, held_max=3) as site:
        answers = [await site.ask(call()) for _ in range(10)]
        assert {status(answer) for answer in answers} == {200}
        assert site.outcomes == {("hall-a", "accepted"): 3, ("hall-a", "shed"): 7}
        assert len(site.held) == 3


async def test_a_rate_that_is_used_up_refuses_nobody() -> None:
    async with hooked([ROW], apps=APPS, rates=Rates(per_s=0.001, burst=2.0)) as site:
        answers = [await site.ask(call()) for _ in range(5)]
        assert {status(answer) for answer in answers} == {200}
        assert site.outcomes == {("hall-a", "accepted"): 2, ("hall-a", "rate_limited"): 3}


async def test_a_body_that_does_not_come_and_bodies_too_many_refuse_nobody() -> None:
    async with hooked([ROW], apps=APPS, bodies=Bodies(s_max=0.5, client_bodies_max=1)) as site:
        slow = asyncio.create_task(site.ask(call()[:-1]))
        await asyncio.sleep(0.1)
        assert await outcome_of(site, call()) == (200, "busy")
        assert status(await slow) == 200
        assert site.outcomes[("hall-a", "slow")] == 1


class Broken(NginxRtmpHooks, tag="broken", frozen=True, kw_only=True):
    def verify(self, delivery: Delivery, app: App, now: object) -> object:  # type: ignore[override]
        raise ZeroDivisionError("planted")


async def test_a_bug_of_ours_refuses_nobody() -> None:
    async with hooked([Broken(name="hall-a", app="halls")], apps=APPS) as site:
        assert await outcome_of(site, call()) == (200, "failed")


async def test_a_bug_of_ours_is_loud_once(caplog: pytest.LogCaptureFixture) -> None:
    async with hooked([Broken(name="hall-a", app="halls")], apps=APPS) as site:
        for _ in range(3):
            await site.ask(call())
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1
    assert TOKEN not in caplog.text


async def test_an_address_that_no_feed_has_is_not_there() -> None:
    async with hooked([ROW], apps=APPS) as site:
        assert status(await site.ask(call(path="/hooks/hall-b"))) == 404


async def test_a_trusted_server_gets_through_where_strangers_hold_all_connections() -> None:
    limits = {"connections_max": 5, "client_connections_max": 3, "trusted_more_max": 2, "trusted": (LOCAL,)}
    async with hooked([ROW], apps=APPS, limits=limits) as site:
        held = [await site.connect() for _ in range(6)]
        await asyncio.sleep(0.1)
        assert status(await site.ask(call())) == 200
        held.append(await site.connect())
        await asyncio.sleep(0.1)
        assert await site.ask(call(), patience_s=1.0) == b""  # for these, too, there is an end
        assert site.refused["connections"] >= 1
        for _, writer in held:
            writer.close()


async def test_strangers_have_no_part_in_what_is_kept_for_trusted_servers() -> None:
    limits = {"connections_max": 3, "client_connections_max": 3, "trusted_more_max": 2}
    async with hooked([ROW], apps=APPS, limits=limits) as site:
        held = [await site.connect() for _ in range(3)]
        await asyncio.sleep(0.1)
        assert await site.ask(call(), host="127.0.0.2", patience_s=1.0) == b""
        assert site.refused == {"connections": 1}
        for _, writer in held:
            writer.close()

"""Callbacks of clouds at the listener: on disk before they are answered, each once, and refused where not true."""

import asyncio
import json

import pytest

from collectors.hook import App
from collectors.platforms.aliyun_live import AliyunLive
from collectors.platforms.tencent_live import TencentLive
from collectors.platforms.volcengine_live import VolcengineLive
from collectors.signing import aliyun_live, key_and_expiry
from tests.http.hook_site import NOW, hooked, status

KEY = b"callback-key"
APPS = {"cloud": App("cloud", "any", secrets=(KEY,))}
ROWS = [
    TencentLive(name="tencent", app="cloud"), AliyunLive(name="aliyun", app="cloud"),
    VolcengineLive(name="volcengine", app="cloud"),
]  # fmt: skip
SECOND = int(NOW.timestamp())
QUERY = "action=publish&app=push.example.cn&appname=live&id=%E7%9B%B4%E6%92%AD%E9%97%B4&time=1795521600"


def posted(feed: str, key: bytes = KEY, **more: object) -> bytes:
    t = str(SECOND + 600)
    body = json.dumps({"t": t, "sign": key_and_expiry(t, key), "event_type": 1} | more).encode()
    head = f"POST /hooks/{feed} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def asked(query: str = QUERY, key: bytes = KEY, method: str = "GET") -> bytes:
    signature = aliyun_live("push.example.cn", str(SECOND), key)
    head = f"{method} /hooks/aliyun?{query} HTTP/1.1\r\nHost: x\r\nALI-LIVE-TIMESTAMP: {SECOND}\r\n"
    return f"{head}ALI-LIVE-SIGNATURE: {signature}\r\n\r\n".encode()


CALLBACKS = {"tencent": posted("tencent"), "volcengine": posted("volcengine"), "aliyun": asked()}


@pytest.mark.parametrize("feed", CALLBACKS)
async def test_a_callback_is_on_disk_before_it_is_answered_and_once(feed: str) -> None:
    async with hooked(ROWS, apps=APPS) as site:
        site.disk.gate.clear()
        asking = asyncio.create_task(site.ask(CALLBACKS[feed]))
        await asyncio.sleep(0.1)
        assert not asking.done()
        site.disk.gate.set()
        assert status(await asking) == 200
        assert status(await site.ask(CALLBACKS[feed])) == 200
        assert site.outcomes == {(feed, "accepted"): 1, (feed, "duplicate"): 1}
        assert [kept for kept, _, _ in site.disk.kept] == [feed]
        assert all(site.disk.named)  # also for a livemon that was killed meanwhile, and is called again
        assert site.held == []


@pytest.mark.parametrize("feed", CALLBACKS)
async def test_a_disk_that_is_full_has_the_cloud_call_again(feed: str) -> None:
    async with hooked(ROWS, apps=APPS) as site:
        site.disk.broken = True
        assert status(await site.ask(CALLBACKS[feed])) == 503
        site.disk.broken = False
        assert status(await site.ask(CALLBACKS[feed])) == 200
        assert site.outcomes == {(feed, "full"): 1, (feed, "accepted"): 1}


@pytest.mark.parametrize(
    ("request_bytes", "expected", "outcome"),
    [
        (posted("tencent", b"guess"), 401, "bad_signature"),
        (posted("volcengine", b"guess"), 401, "bad_signature"),
        (asked(key=b"guess"), 401, "bad_signature"),
        (posted("tencent", stream_param="x" * 70_000), 413, "too_large"),
        (asked("action=publish"), 401, "malformed"),
        (asked(QUERY + "&id=other"), 401, "malformed"),
        (asked(method="POST"), 405, "wrong_method"),
    ],
)
async def test_what_is_not_true_is_refused_by_its_name_and_not_kept(
    request_bytes: bytes, expected: int, outcome: str
) -> None:
    async with hooked(ROWS, apps=APPS) as site:
        answer = await site.ask(request_bytes)
        assert status(answer) == expected
        assert [told for _, told in site.outcomes] == [outcome]
        assert site.disk.kept == []
        assert (b"\r\nAllow: GET\r\n" in answer) == (expected == 405)

"""What each address of `listen` answers, asked over a real socket."""

import asyncio
import base64
import gzip
import hashlib
import json
import re

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from collectors.tick import Tick
from monitor.facts import RosterRoom
from monitor.http import landing
from monitor.http.landing_words import WORDS
from monitor.http.sources import Sources
from monitor.http.web import accepts_gzip
from tests.http.stand_in import (
    NOW,
    StillFrames,
    StillRow,
    StillStanding,
    listening,
    still_sources,
    still_watch,
)

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
PATHS = ("/", "/metrics", "/metrics/rooms", "/healthz", "/readyz", "/api/status")
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;"
    "version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


def small() -> Sources:
    watch = still_watch([RosterRoom(1, "nginx_rtmp", "live/1", anchor="小雪", hall="A")])
    watch.hear("hall-a", NOW, [Tick("hall-a", "live/1", NOW, "status", live=True, viewers=42)], NOW)
    return still_sources(watch)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (PROMETHEUS_3, "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"),
        (PROMETHEUS_2, "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"),
        ("text/plain;version=0.0.4", PLAIN),
        ("*/*", PLAIN),
        ("", PLAIN),
        ("application/openmetrics-text;version=9.9.9-evil;escaping=evil", PLAIN),
        ("application/openmetrics-text;version=abc", PLAIN),
        (",;=;,,q", PLAIN),
    ],
)
async def test_metrics_come_in_the_form_that_was_asked_for(accept: str, content_type: str) -> None:
    async with listening(small()) as site, site.get("/metrics", headers={"Accept": accept}) as answer:
        assert answer.headers["Content-Type"] == content_type
        text = await answer.text()
    parse = openmetrics_families if "openmetrics" in content_type else text_string_to_metric_families
    names = {family.name for family in parse(text)}
    assert {"livemon_viewers", "livemon_feed_up"} <= names
    assert text.endswith("# EOF\n") == ("openmetrics" in content_type)


async def test_rooms_are_always_text_and_packed_where_that_is_accepted() -> None:
    async with listening(small()) as site:
        async with site.get("/metrics/rooms", headers={"Accept": PROMETHEUS_3, "Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Type"] == PLAIN
            assert answer.headers["Content-Encoding"] == "gzip"
            packed = gzip.decompress(await answer.read())
        async with site.get("/metrics/rooms", headers={"Accept-Encoding": "gzip;q=0, br"}) as answer:
            assert "Content-Encoding" not in answer.headers
            plain = await answer.read()
    assert packed == plain
    assert b'livemon_room_viewers{platform="nginx_rtmp",room="live/1"} 42\n' in plain
    assert 'anchor="小雪"'.encode() in plain


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True), ("GZIP, deflate", True), ("deflate, gzip;q=0.5", True), ("*", True), ("br;q=1, *;q=0.1", True),
        ("", False), ("identity", False), ("gzip;q=0", False), ("gzip; q=0.000", False), ("*, gzip;q=0", False),
        ("gzip;q=0, *", False), ("xgzip", False), (",,;;", False), ("gzip" * 2_000, False),
    ],
)  # fmt: skip
def test_gzip_is_used_only_where_it_is_wanted(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


async def test_health_and_readiness_say_why_not() -> None:
    wrong: list[str] = []
    sources = still_sources(still_watch([]), reasons=lambda: wrong, hooks_reasons=lambda: ["落盘队列已满"])
    async with listening(sources) as site:
        async with site.get("/readyz") as answer:
            assert (answer.status, await answer.json()) == (200, {"ready": True, "reasons": []})
        wrong.append("writer blocked: disk\ud800 full")
        async with site.get("/readyz") as answer:
            assert answer.status == 503
            assert await answer.json() == {"ready": False, "reasons": ["writer blocked: disk\ufffd full"]}
        async with site.get("/readyz?hooks") as answer:
            assert (answer.status, await answer.json()) == (503, {"ready": False, "reasons": ["落盘队列已满"]})
        async with site.get("/healthz") as answer:
            assert (answer.status, await answer.text()) == (200, "ok\n")


async def test_the_status_is_one_object() -> None:
    async with listening(small()) as site, site.get("/api/status") as answer:
        status = json.loads(await answer.text())
    assert status["event"] == "辽宁网红周"
    states = ("offline", "live", "dropped", "blind", "lost", "unwatched")
    assert status["rooms"][0]["states"] == dict.fromkeys(states, 0) | {"live": 1}
    feed = status["feeds"][0]
    assert (feed["name"], feed["kind"], feed["up"], feed["rooms"]) == ("hall-a", "still_poll", True, 1)
    assert {book["kind"] for book in status["books"]} == {"tick", "sale", "change"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_only_reading_is_allowed(method: str, path: str) -> None:
    async with listening(small()) as site, site.http.request(method, site.url + path) as answer:
        assert (answer.status, await answer.text()) == (405, "405\n")
        assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", PATHS)
async def test_head_has_the_headers_and_no_body(path: str) -> None:
    async with listening(small()) as site:
        async with site.http.head(site.url + path) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
            kind = answer.headers["Content-Type"]
        async with site.get(path, headers={"Range": "bytes=0-3", "Content-Type": "x/y", "Expect": ""}) as answer:
            assert answer.status == 200  # no ranges here: the whole answer, always
            assert answer.headers["Content-Type"] == kind
            assert len(await answer.read()) == int(answer.headers["Content-Length"])


@pytest.mark.parametrize(
    "path",
    ["/s3cret", "//", "/%2e%2e/s3cret", "/metrics/", "/metrics/rooms/s3cret", "/a" * 3_000, "/alertmanager", "/%00"],
)
async def test_an_unknown_path_is_a_bare_404(path: str) -> None:
    async with listening(small()) as site, site.get(path) as answer:
        assert (answer.status, await answer.text()) == (404, "404\n")


@pytest.mark.parametrize("path", [*PATHS, "/nowhere"])
async def test_every_answer_has_the_safe_headers_and_names_no_versions(path: str) -> None:
    async with listening(small()) as site, site.get(path) as answer:
        assert answer.headers["Server"] == "livemon"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")


async def test_the_landing_page_speaks_both_languages_and_reflects_nothing() -> None:
    async with listening(small()) as site:
        async with site.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}) as answer:
            chinese = await answer.text()
        async with site.get("/?lang=en", headers={"Accept-Language": "zh"}) as answer:
            english = await answer.text()
        async with site.get("/?lang=<script>", headers={"Accept-Language": "<script>"}) as answer:
            assert "<script" not in await answer.text()
    assert '<html lang="zh-CN">' in chinese
    assert "直播间" in chinese
    assert "自建 nginx-rtmp" in chinese
    assert "own nginx-rtmp" in english
    assert '<html lang="en">' in english
    assert 'href="/metrics/rooms"' in english
    assert "辽宁网红周" in english


async def test_the_landing_page_counts_the_deliveries_that_wait_beside_the_batches() -> None:
    standing = StillStanding(pending_bytes=2048, frames={"shop": StillFrames(3, 40, NOW.timestamp())})
    async with listening(still_sources(still_watch([]), standing=lambda: standing)) as site:
        async with site.get("/?lang=en") as answer:
            assert "Spool: 43 messages and 0 batches wait, 2 KiB" in await answer.text()
        async with site.get("/?lang=zh") as answer:
            assert "落盘队列: 43 条报文、0 批待写入" in await answer.text()


def test_both_languages_have_the_same_words_each_once() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    states = ("offline", "live", "dropped", "blind", "lost", "unwatched", "ok", "refused", "frozen", "stale")
    for words in WORDS.values():
        assert len({words[state] for state in states}) == len(states)


async def test_the_landing_page_needs_nothing_else_and_its_style_is_the_one_that_the_policy_allows() -> None:
    async with listening(small()) as site, site.get("/") as answer:
        page = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert not re.findall(r"<(?:script|img|link|iframe|object)|\b(?:src|style|on\w+)=", page)
    assert all(target.startswith("/") for target in re.findall(r'href="([^"]*)"', page))
    assert re.findall(r"<style>(.*?)</style>", page, re.S) == [landing.STYLE]
    assert landing.STYLE.startswith(":root {\n  color-scheme")
    assert f"'sha256-{base64.b64encode(hashlib.sha256(landing.STYLE.encode()).digest()).decode()}'" in policy


async def test_hostile_names_are_text_on_the_landing_page() -> None:
    hostile = '<script>alert("x")</script>\ud800\x00'
    watch = still_watch([RosterRoom(1, hostile, "r")], [StillRow(name="f", platform=hostile, hall=hostile)])
    watch.refuse("f", hostile, NOW)
    sources = still_sources(watch, event=hostile, reasons=lambda: [hostile])
    async with listening(sources) as site, site.get("/") as answer:
        assert answer.status == 200
        page = await answer.text()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 5


async def test_a_stopped_web_frees_its_address_and_stops_soon() -> None:
    loop = asyncio.get_running_loop()
    async with listening(small()) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"GET / HT")
        started = loop.time()
    assert loop.time() - started < 3
    assert await reader.read() == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", site.port)

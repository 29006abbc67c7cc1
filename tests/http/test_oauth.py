"""The pages that the owner of a shop sees: a button to the platform, then a plain word; nothing of the request."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import pytest

from monitor.accounts.door import Lead, Linked, NotLinked
from monitor.http import hooks, listener
from monitor.http.oauth_words import WHAT

CODE = "code-of-the-platform"


class Door:
    def __init__(self, fails: NotLinked | None = None) -> None:
        self.fails = fails
        self.asked: list[tuple[str, object]] = []

    async def begin(self, app: str, text: str) -> Lead:
        self.asked.append((app, text))
        if self.fails:
            raise self.fails
        return Lead('https://open.example.cn/authorize?state=s&x="1', "doudian", "4463798", "<i>苹果店</i>")

    async def finish(self, app: str, params: Mapping[str, str]) -> Linked:
        self.asked.append((app, dict(params)))
        if self.fails:
            raise self.fails
        return Linked("doudian", "4463798", "<b>辽宁</b>苹果店")


@asynccontextmanager
async def served(door: Door | None) -> AsyncIterator[tuple[aiohttp.ClientSession, list[tuple[str, str]]]]:
    counted: list[tuple[str, str]] = []

    async def keep(feed: str, frame: bytes, received_at: datetime, once: str = "") -> None:
        raise AssertionError("nothing of an authorisation is kept as a delivery")

    outlets = hooks.Outlets(
        keep=keep, full=(), now=lambda: datetime.now(UTC), counted=lambda feed, outcome: counted.append((feed, outcome))
    )
    up = await hooks.start(hooks.Hooks(outlets, door=door), "127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{up.port}") as http:
        yield http, counted
    await listener.stop(up)


async def test_our_link_leads_to_the_platform() -> None:
    door = Door()
    async with served(door) as (http, counted):
        answer = await http.get("/oauth/doudian-main?link=abc", allow_redirects=False)
        text = await answer.text()
        assert answer.status == 200
        assert 'href="https://open.example.cn/authorize?state=s&amp;x=&quot;1"' in text
        assert "&lt;i&gt;苹果店&lt;/i&gt; · 4463798" in text
        assert answer.headers["Referrer-Policy"] == "origin"  # WeChat wants to see whose page it was
    assert door.asked == [("doudian-main", "abc")]
    assert counted == [("", "check")]


async def test_who_comes_back_reads_whose_shop_it_is_and_no_markup_of_strangers() -> None:
    door = Door()
    async with served(door) as (http, _):
        answer = await http.get(f"/oauth/doudian-main?code={CODE}&state=s")
        text = await answer.text()
    assert answer.status == 200
    assert "授权成功" in text
    assert "&lt;b&gt;辽宁&lt;/b&gt;苹果店" in text
    assert CODE not in text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"  # this address holds a code
    assert door.asked == [("doudian-main", {"code": CODE, "state": "s"})]


@pytest.mark.parametrize("word", [word for word in WHAT if word != "linked"])
async def test_every_refusal_has_words_that_say_what_to_do(word: str) -> None:
    async with served(Door(NotLinked(word, "E<5>"))) as (http, counted):  # type: ignore[arg-type]
        answer = await http.get("/oauth/doudian-main?code=c&state=s")
        text = await answer.text()
    assert answer.status >= 400
    assert "授权没有完成" in text
    assert WHAT[word][0] in text  # type: ignore[index]
    assert "E&lt;5&gt;" in text
    assert counted == [("", "bad_request")]


@pytest.mark.parametrize("query", ["code=1&code=2", "code=%ff", "x=" + "y" * 5_000])
async def test_a_query_that_could_be_read_in_two_ways_reaches_nobody(query: str) -> None:
    door = Door()
    async with served(door) as (http, _):
        assert (await http.get(f"/oauth/doudian-main?{query}")).status == 400
    assert door.asked == []


async def test_only_get_is_answered_and_without_apps_nothing_is() -> None:
    async with served(Door()) as (http, _):
        assert (await http.post("/oauth/doudian-main?link=abc", data=b"x")).status == 404
    async with served(None) as (http, _):
        assert (await http.get("/oauth/doudian-main?link=abc")).status == 404

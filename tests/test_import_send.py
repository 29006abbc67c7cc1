"""Bringing deliveries to a monitor that is busy, gone, or will not have them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from collectors.hook import Accepted, App, Delivery
from collectors.orders.push_json import ACCEPTED, PushJson, content_name
from monitor.import_plan import Chunk
from monitor.import_send import NotTaken, post

SECRET = b"a secret of the files"
FEED = PushJson(name="files", app="files")
CHUNKS = [Chunk(content_name(body), body, 1) for body in (b'{"sales":[]}', b'{"ticks":[]}', b'{"via":"file"}')]


class Site:
    """Answers as it is told to, and after that as the hooks do."""

    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.taken: list[str] = []
        self.asked = 0

    async def hook(self, request: web.Request) -> web.Response:
        self.asked += 1
        body = await request.read()
        if self.answers:
            return self.answers.pop(0)
        headers = {name: request.headers[name] for name in FEED.HEADERS}
        delivery = Delivery("POST", request.path, "", headers, body)
        verdict = FEED.verify(delivery, App("files", "push_json", secrets=(SECRET,)), datetime.now(UTC))
        if not isinstance(verdict, Accepted):
            return web.Response(status=401)
        assert verdict.once
        self.taken.append(verdict.delivery_id)
        return web.Response(body=ACCEPTED.body)


@pytest.fixture
async def site() -> AsyncIterator[tuple[Site, str]]:
    site, app = Site(), web.Application()
    app.add_routes([web.post("/hooks/files", site.hook)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield site, f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/files"
    await runner.cleanup()


async def send(url: str, patience_s: float = 5.0, secret: bytes = SECRET) -> list[str]:
    took: list[str] = []
    async with aiohttp.ClientSession() as http:
        await post(http, url, secret, CHUNKS, lambda: datetime.now(UTC), lambda it: took.append(it.name), patience_s)
    return took


async def test_each_is_taken_in_its_order(site: tuple[Site, str]) -> None:
    assert await send(site[1]) == site[0].taken == [chunk.name for chunk in CHUNKS]


async def test_a_busy_monitor_is_waited_for_as_long_as_it_says(site: tuple[Site, str]) -> None:
    site[0].answers = [web.Response(status=429, headers={"Retry-After": "1"}), web.Response(status=503)]
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert len(await send(site[1])) == 3
    assert loop.time() - began >= 2
    assert site[0].asked == 5


async def test_patience_ends(site: tuple[Site, str]) -> None:
    site[0].answers = [web.Response(status=503, headers={"Retry-After": "7"})] * 9
    with pytest.raises(NotTaken, match="it answers 503"):
        await send(site[1], patience_s=5.0)
    assert site[0].asked == 1


async def test_a_monitor_that_is_gone_is_tried_again_and_then_told_of() -> None:
    with pytest.raises(NotTaken, match=r"it cannot be reached: .*127\.0\.0\.1"):
        await send("http://127.0.0.1:9/hooks/files", patience_s=1.5)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (web.Response(status=404), "it does not know this feed: reload"),
        (web.Response(status=302, headers={"Location": "/"}), "it answers 302: is that the address of its hooks?"),
        (web.Response(text="<html>"), "it answers 200: is that the address of its hooks?"),
    ],
)
async def test_who_will_not_have_it_is_asked_once(site: tuple[Site, str], answer: web.Response, why: str) -> None:
    site[0].answers = [answer]
    with pytest.raises(NotTaken, match=f"^{why.replace('?', '.')}"):
        await send(site[1])
    assert site[0].asked == 1


async def test_a_wrong_secret_is_said(site: tuple[Site, str]) -> None:
    with pytest.raises(NotTaken, match="does not know this feed's secret"):
        await send(site[1], secret=b"another")
    assert site[0].taken == []

"""One feed asked once: a real HTTP server answers as servers do, and as they do when something is wrong."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collectors.collector import Emit, FeedRefused, FeedRow, Now
from collectors.hook import OrderPollRow, OrderSocketRow
from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.tick import Tick
from monitor.crew import bounded_http
from monitor.doctor.feeds import check_feed
from monitor.doctor.finding import Finding
from monitor.live.clock import wall_time

STAT = """<?xml version="1.0" encoding="utf-8" ?><rtmp><pid>7</pid><uptime>100</uptime><server><application>
<name>live</name><live><stream><name>room1</name><bw_in>0</bw_in><bytes_in>900</bytes_in><nclients>3</nclients>
<publishing/><active/><client><id>1</id><publishing/></client></stream></live></application></server></rtmp>"""
type Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with bounded_http() as client:
        yield client


def hall(url: str, rooms: list[str] | None = None) -> NginxRtmp:
    return NginxRtmp(name="hall-a", url=url, rooms=["live/room1", "live/room2"] if rooms is None else rooms)


async def asked(http: aiohttp.ClientSession, answer: Answer, rooms: list[str] | None = None) -> Finding:
    app = web.Application()
    app.router.add_get("/stat", answer)
    async with TestServer(app) as server:
        return await check_feed(hall(str(server.make_url("/stat")), rooms), http, wall_time)


def plain(text: str, status: int = 200, **headers: str) -> Answer:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=text, status=status, headers=headers)

    return answer


async def test_a_feed_that_answers_is_fine_and_says_how_many_rooms_are_live(http: aiohttp.ClientSession):
    found = await asked(http, plain(STAT))
    assert (found.name, found.state) == ("feed hall-a", "fine")
    assert found.what.endswith(": 1 of 2 rooms live")


async def test_a_feed_for_which_the_roster_has_no_room(http: aiohttp.ClientSession):
    found = await asked(http, plain(STAT), rooms=[])
    assert (found.state, found.todo) == ("note", "the roster has no room for it")


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        pytest.param(plain("<html>login</html>"), "answers what means nothing to us: ", id="another page"),
        pytest.param(plain("", 404), "http_status: 404", id="not found"),
        pytest.param(plain("", 403), "auth: 403", id="forbidden"),
        pytest.param(plain("", 429), "rate_limited: 429", id="too often"),
        pytest.param(plain("", 302, Location="/login"), "http_status: 302", id="moved"),
    ],
)
async def test_a_feed_that_answers_otherwise_is_wrong(http: aiohttp.ClientSession, answer: Answer, what: str):
    found = await asked(http, answer)
    assert found.state == "wrong"
    assert found.what.startswith(what)
    assert found.todo


async def test_nobody_there(http: aiohttp.ClientSession):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = await check_feed(hall(f"http://127.0.0.1:{port}/stat"), http, wall_time)
    assert found.state == "wrong"
    assert found.what.startswith("connect: ")


async def test_a_name_that_nobody_knows(http: aiohttp.ClientSession):
    found = await check_feed(hall("http://hall-a.invalid/stat"), http, wall_time)
    assert found.what.startswith("dns: ")


async def test_one_that_takes_the_connection_and_says_nothing(http: aiohttp.ClientSession):
    async def never(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = await check_feed(hall(f"http://127.0.0.1:{port}/stat"), http, wall_time, answer_s_max=0.3)
    server.close()
    assert (found.state, found.what.partition(":")[0]) == ("wrong", "timeout")


class Refuses(FeedRow, tag="refuses", frozen=True):
    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.refuse())

    async def refuse(self) -> None:
        raise FeedRefused("unknown app key")

    def parse(self, frame: bytes, at: object) -> list[Tick]:
        return []


class Ends(Refuses, tag="ends", frozen=True):
    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        """Without a word."""


async def test_a_refusal_is_found_inside_a_group(http: aiohttp.ClientSession):
    found = await check_feed(Refuses(name="app"), http, wall_time)
    assert (found.state, found.what) == ("wrong", "refused: unknown app key")


async def test_one_that_ends_without_a_word(http: aiohttp.ClientSession):
    found = await check_feed(Ends(name="app"), http, wall_time)
    assert (found.state, found.what) == ("wrong", "closed: it ended without a word")


async def test_an_order_socket_is_left_to_the_monitor(http: aiohttp.ClientSession):
    """A second consumer would take messages away from it."""
    found = await check_feed(OrderSocketRow(name="tmc", app="tb"), http, wall_time)
    assert found.state == "note"


async def test_orders_that_are_polled_are_left_to_the_monitor_and_its_accounts(http: aiohttp.ClientSession):
    found = await check_feed(OrderPollRow(name="jd", app="jd-main"), http, wall_time)
    assert found.state == "note"

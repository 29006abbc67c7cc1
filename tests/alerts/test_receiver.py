"""`POST /alertmanager` over a real socket: 200 only for what is on disk; Alertmanager repeats 5xx and gives up 4xx."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from monitor.alerts.book import Book
from monitor.alerts.book_file import BookRefused
from monitor.alerts.hearing import Hearing
from monitor.alerts.receiver import AT_ONCE_MAX, WAITING_MAX, Receiver
from monitor.alerts.sight import DROPPED as ROOM_DROPPED
from monitor.alerts.webhook import BYTES_MAX, Group
from monitor.http.guard import Limits
from tests.alerts.hall import AT, Hall
from tests.alerts.telling import Words, robot
from tests.alerts.test_webhook import FIRING, body


class Site:
    def __init__(self, hear) -> None:
        self.outcomes: list[str] = []
        self.heard: list[Group] = []
        self.receiver = Receiver(hear, self.outcomes.append, self.heard.append)

    async def __aenter__(self) -> "Site":
        app = web.Application()
        app.add_routes(self.receiver.routes())
        self.runner = web.AppRunner(app, lingering_time=0.5)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}/alertmanager"
        self.http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.http.close()
        await self.runner.cleanup()

    async def post(self, data: bytes) -> int:
        async with self.http.post(self.url, data=data) as answer:
            return answer.status


async def test_what_is_answered_is_on_disk(tmp_path):
    hall = Hall()
    hall.stand(1, ROOM_DROPPED, platform="视频号")
    hearing = Hearing(Book(tmp_path), hall.sight, [robot("a")], Words(), lambda: hall.now)
    async with Site(hearing.hear) as site:
        assert await site.post(body()) == 200
        assert await site.post(body()) == 200
        await hearing.close()
        assert site.outcomes == ["kept", "kept"]
        assert [group.alerts[0].name for group in site.heard] == ["LivemonRoomDropped"] * 2
    again = Book(tmp_path)
    assert [one.notice.lines for one in again.outbox.due("a", AT)] == [("#1",)]
    again.close()


async def test_what_is_refused_is_named_and_counted_and_nothing_of_it_is_heard():
    async def refuse(group: Group) -> None:
        raise BookRefused("no room left")

    async with Site(refuse) as site:
        large = body(commonAnnotations={"x": "y" * BYTES_MAX})
        asked = [(body(), 503), (b"{", 400), (body(version="3"), 400), (large, 413)]
        assert [await site.post(data) for data, _ in asked] == [status for _, status in asked]
        assert site.outcomes == ["book_refused", "not_json", "version", "too_large"]
        assert site.heard == []


async def test_many_after_each_other_are_answered_whatever_became_of_those_before():
    async def hear(group: Group) -> None:
        if group.truncated == 8:
            raise BookRefused("no room left")

    async with Site(hear) as site:
        for data, status in ((b"{", 400), (body(truncatedAlerts=8), 503), (body(), 200)):
            assert {await site.post(data) for _ in range(AT_ONCE_MAX + 1)} == {status}


async def test_a_body_of_some_megabytes_is_read():
    groups: list[Group] = []

    async def hear(group: Group) -> None:
        groups.append(group)

    async with Site(hear) as site:
        alert = FIRING | {"annotations": {"summary": "x" * 4_000}}
        assert await site.post(body(alerts=[alert] * 1_000)) == 200
        assert len(groups[0].alerts) == 1_000


async def test_a_body_without_end_is_cut_off():
    async def hear(group: Group) -> None:
        raise AssertionError

    async def endless():
        while True:
            yield b" " * 1_000_000

    async with Site(hear) as site:
        async with asyncio.timeout(8):
            try:
                async with site.http.post(site.url, data=endless()) as answer:
                    assert answer.status == 413
            except aiohttp.ClientConnectionError:
                pass  # cut off before it read our answer
        assert site.outcomes == ["too_large"]


@asynccontextmanager
async def held_up(at_once: int) -> AsyncIterator[tuple[Site, asyncio.Event, list[asyncio.Task[int]]]]:
    """So many posts at once while the disk hangs, until the event is set."""
    go_on = asyncio.Event()

    async def hear(group: Group) -> None:
        await go_on.wait()

    async with Site(hear) as site:
        posts = [asyncio.create_task(site.post(body())) for _ in range(at_once)]
        yield site, go_on, posts
        go_on.set()
        await asyncio.gather(*posts)


async def test_of_twenty_groups_at_once_each_has_its_turn():
    async with held_up(20) as (site, go_on, posts):
        await asyncio.sleep(0.3)
        assert site.outcomes == [], "nobody is sent away to come again in seconds"
        go_on.set()
        assert await asyncio.gather(*posts) == [200] * 20


def test_those_that_wait_leave_connections_to_others_of_their_machine():
    assert AT_ONCE_MAX + WAITING_MAX < Limits().client_connections_max * 2 / 3


async def test_more_at_once_than_may_wait_come_again():
    async with held_up(AT_ONCE_MAX + WAITING_MAX + 3) as (site, go_on, posts):
        while len(site.outcomes) < 3:
            await asyncio.sleep(0.01)
        go_on.set()
        assert sorted(await asyncio.gather(*posts)) == [200] * (AT_ONCE_MAX + WAITING_MAX) + [503] * 3
        assert site.outcomes[:3] == ["busy"] * 3


async def test_who_waits_for_too_long_comes_again_and_holds_no_turn(monkeypatch):
    monkeypatch.setattr("monitor.alerts.receiver.TURN_S_MAX", 0.1)
    async with held_up(AT_ONCE_MAX + 2) as (site, go_on, posts):
        while len(site.outcomes) < 2:
            await asyncio.sleep(0.01)
        assert site.outcomes == ["busy"] * 2
        go_on.set()
        await asyncio.gather(*posts)
        assert await site.post(body()) == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_nothing_but_post_is_answered(method):
    async def hear(group: Group) -> None:
        raise AssertionError

    async with Site(hear) as site, site.http.request(method, site.url) as answer:
        assert answer.status == 405

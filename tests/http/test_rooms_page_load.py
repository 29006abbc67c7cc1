"""/metrics/rooms is soon there, and keeps nobody waiting: timed, so with the machine to itself (tests/run.sh)."""

import asyncio
import time

from monitor.facts import RosterRoom
from monitor.http.guard import Guard
from monitor.http.rooms_page import RoomsPage
from tests.http.stand_in import busy_watch, listening, still_sources


async def test_twenty_scrapes_of_twelve_thousand_rooms_at_once_leave_healthz_quick() -> None:
    async with listening(still_sources(busy_watch(12_000)), Guard()) as site:

        async def scrape() -> int:
            async with site.get("/metrics/rooms", headers={"Accept-Encoding": "gzip"}) as answer:
                return len(await answer.read())

        scrapes = [asyncio.ensure_future(scrape()) for _ in range(20)]
        loop = asyncio.get_running_loop()
        slowest = 0.0
        for _ in range(20):
            started = loop.time()
            async with site.get("/healthz") as answer:
                assert answer.status == 200
            slowest = max(slowest, loop.time() - started)
        assert len(set(await asyncio.gather(*scrapes))) == 1
    assert slowest < 0.5


async def test_a_megabyte_of_a_name_does_not_slow_the_page() -> None:
    """F69: 200 ms for all series beside it."""
    watch = busy_watch(2_000)
    watch.rooms[5].row = RosterRoom(6, "nginx_rtmp", "n\ud800" * 500_000, anchor="\n" * 1_000_000)
    started = time.perf_counter()
    page = await RoomsPage(lambda: watch).fresh()
    assert time.perf_counter() - started < 0.2
    assert len(page.plain) < 3_000_000

"""While the page of 12,000 rooms is scraped twenty times at once, who asks whether we are well is answered."""

import asyncio

from monitor.http.guard import Guard
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

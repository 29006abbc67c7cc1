"""The outside heartbeat is called while the watchdog comes, at most every 30 s, and its failures are counted."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from monitor.alerts.deadman import Deadman


class Outside:
    """A heartbeat service that answers as it is told to."""

    def __init__(self) -> None:
        self.status, self.calls, self.slow_s = 200, 0, 0.0
        app = web.Application()
        app.router.add_get("/ping/secret", self._ping)
        self.server = TestServer(app)

    async def _ping(self, request: web.Request) -> web.Response:
        self.calls += 1
        await asyncio.sleep(self.slow_s)
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


async def test_it_is_called_while_the_watchdog_comes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outside, failures = Outside(), []
    clock = [datetime(2026, 11, 19, tzinfo=UTC)]
    await outside.server.start_server()
    async with ClientSession() as http:
        url = str(outside.server.make_url("/ping/secret"))
        deadman = Deadman(http, url, lambda: clock[0], lambda: failures.append(1), 0.2)

        async def beat(later_s: float) -> tuple[int, int]:
            clock[0] += timedelta(seconds=later_s)
            await deadman.beat()
            return outside.calls, len(failures)

        assert await beat(0) == (1, 0)
        assert await beat(29.9) == (1, 0)
        assert await beat(0.1) == (2, 0)
        assert await beat(-3600) == (3, 0)  # a clock that was put back silences nobody
        outside.status = 500
        assert await beat(30) == (4, 1)
        outside.status = 302  # to a page of a captive portal, say
        assert await beat(30) == (5, 2)
        outside.status, outside.slow_s = 200, 5.0
        assert await beat(30) == (6, 3)
        outside.slow_s = 0.0
        assert await beat(30) == (7, 3)
        await outside.server.close()
        assert await beat(30) == (7, 4)
    said = [record.getMessage() for record in caplog.records if "heartbeat" in record.getMessage()]
    assert said[:2] == ["the outside heartbeat is answered 500", "the outside heartbeat is heard again"]
    assert all("secret" not in text for text in said)

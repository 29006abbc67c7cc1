"""Clocks beside ours: the Date of real answers, and the verdict."""

from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.doctor.clock import Dates, ahead, check_clock

NOW = datetime(2026, 11, 19, 12, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Thu, 19 Nov 2026 12:00:00 GMT", 0.0),
        ("Thu, 19 Nov 2026 12:01:00 GMT", 60.0),
        ("Thu, 19 Nov 2026 11:59:00 GMT", -60.0),
        ("", None),
        ("yesterday", None),
        ("Thu, 19 Nov 2026 12:00:00 -0000", None),  # by RFC 5322 of no known zone
    ],
)
def test_how_far_a_date_is_ahead(date: str, seconds: float | None):
    assert ahead(date, NOW) == seconds


async def test_the_date_of_each_answer_is_remembered():
    async def late(_request: web.Request) -> web.Response:
        return web.Response(headers={"Date": "Thu, 19 Nov 2020 12:00:00 GMT"})

    app = web.Application()
    app.router.add_get("/late", late)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        dates = Dates()
        dates.listen(http)
        async with http.get(server.make_url("/")):
            assert abs(dates.ahead_s["127.0.0.1"]) <= 1.5
        async with http.get(server.make_url("/late")):
            assert dates.ahead_s["127.0.0.1"] < -86_400


def test_the_verdict():
    assert check_clock({}).state == "note"
    assert check_clock({"hall-a": 0.4, "the database": -1.2}).state == "fine"
    theirs = check_clock({"hall-a": 0.4, "hall-b": 300.0, "the database": 0.0})
    assert theirs.state == "wrong"
    assert "hall-b is 300.0 s ahead of us" in theirs.what
    assert theirs.todo.startswith("set its clock")
    ours = check_clock({"hall-a": -61.0, "hall-b": -60.0, "the database": 0.0})
    assert ours.todo.startswith("set this machine's clock")

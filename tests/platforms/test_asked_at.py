"""A question that waited long for its turn: what it signs, which day it asks for and what its tick is of is then."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from collectors.api_feed import ApiRow
from collectors.apis.bilibili import BilibiliApi
from collectors.apis.kwaixiaodian import KwaixiaodianApi
from collectors.apis.wechat import WechatApi
from collectors.apis.wechat_live import SHANGHAI
from collectors.hook import App
from collectors.open_api import Answer, Call, OpenApi, Tokens
from collectors.platforms.bilibili_oauth import BilibiliOauth
from collectors.platforms.kwaixiaodian_uv import KwaixiaodianUv
from collectors.platforms.wechat_live import WechatLive
from monitor.accounts.account import Account
from monitor.accounts.api_line import ApiLine, Asking, Means
from monitor.accounts.book import Book
from monitor.accounts.client import Client
from monitor.accounts.terms import terms_of
from monitor.facts import RosterRoom

from ..accounts.simulated import EPOCH, now, simulate
from .api_house import Kept
from .straight import BASE

ROOMS = ["1", "2", "3"]
APP = App("app", "", "key", (b"secret",), sign_secrets=(b"sign",))
WAIT_S = 30.0


def before_midnight() -> datetime:
    """Nine seconds before it in China when a test begins: all beats of the first five seconds are of the old day."""
    return now() + timedelta(hours=15, minutes=59, seconds=51)


def asked(
    row: ApiRow, api: OpenApi, body: bytes, now: Callable[[], datetime]
) -> tuple[list[tuple[datetime, Call]], list[datetime]]:
    """The first six questions and when each left; of which instant the frames are that came of them."""
    left, told = list[tuple[datetime, Call]](), list[datetime]()

    async def transport(call: Call) -> Answer:
        left.append((now(), call))
        await asyncio.sleep(0.1)
        return Answer(200, {}, body)

    async def emit(frame: bytes, at: datetime) -> None:
        told.append(at)

    async def work() -> None:
        by_shop, until = row.BY_ACCOUNT == "shop", EPOCH + timedelta(days=9)
        accounts = [
            Account("app", api.PLATFORM, *((room, "") if by_shop else ("", room)), tokens=Tokens(room, until))
            for room in ROOMS
        ]
        book = Book(Kept(accounts), lambda heard: None, now)
        await book.open()
        terms = {"app": terms_of(APP, api, BASE, calls_per_s=1 / WAIT_S)}
        client = Client(terms, book, transport, now, lambda app, name, verdict: None)
        rooms = {room: RosterRoom(number, api.PLATFORM, room, shop=room) for number, room in enumerate(ROOMS, 1)}
        line = ApiLine(cast(Asking, row), Means(client, rooms.get, book.belonging, lambda feed, rooms, reason: None))
        async with aiohttp.ClientSession() as http:
            task = asyncio.ensure_future(line.collect(http, emit, now))
            await asyncio.wait([task], timeout=6 * WAIT_S)
            task.cancel()
            await asyncio.wait([task])

    simulate(work())
    return left, told


def kwaixiaodian_stamp(call: Call) -> datetime:
    return datetime.fromtimestamp(int(dict(parse_qsl(urlsplit(call.url).query))["timestamp"]) / 1000, EPOCH.tzinfo)


def bilibili_stamp(call: Call) -> datetime:
    return datetime.fromtimestamp(int(call.headers["x-bili-timestamp"]), EPOCH.tzinfo)


@pytest.mark.parametrize(("row", "api", "body", "stamp"), [
    (KwaixiaodianUv, KwaixiaodianApi(), b'{"result":1,"data":{"realWatchUv":3}}', kwaixiaodian_stamp),
    (BilibiliOauth, BilibiliApi(), b'{"code":0,"data":{"room_id":1,"is_streaming":true}}', bilibili_stamp),
])  # fmt: skip
def test_a_stamp_is_of_the_instant_at_which_it_leaves(row: Any, api: Any, body: bytes, stamp: Any) -> None:
    left, told = asked(row(name="f", app="app", rooms=ROOMS, interval_s=5.0), api, body, now)
    assert left[2][0] - left[0][0] > timedelta(seconds=1.9 * WAIT_S), "the third one waited a minute for its turn"
    assert told == [at for at, _ in left][: len(told)]
    assert len(told) >= len(ROOMS)
    for at, call in left:
        assert timedelta() <= at - stamp(call) < timedelta(seconds=1), "it is written in whole seconds"


def test_a_list_is_asked_of_the_day_on_which_it_leaves() -> None:
    body = json.dumps({"errcode": 0, "live_items": [], "has_more": False}).encode()
    row = WechatLive(name="f", app="app", rooms=ROOMS, interval_s=5.0)
    left, told = asked(row, WechatApi(), body, before_midnight)
    days: dict[str, tuple[int, datetime]] = {}
    for at, call in left:
        days.setdefault(
            urlsplit(call.url).query, (json.loads(call.body or b"").get("ds", 0), at)
        )  # its query is its token
    for day, at in days.values():
        assert day == int(f"{at.astimezone(SHANGHAI):%Y%m%d}")
    assert [day for day, _ in days.values()] == [20261119, 20261120, 20261120]
    assert set(told) <= {at for at, _ in left}
    assert told

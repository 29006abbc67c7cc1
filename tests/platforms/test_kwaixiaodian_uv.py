"""kwaixiaodian_uv beside another feed that says who is on air: it counts, and whatever becomes of it, no room stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import pytest

from collectors.apis.kwaixiaodian import KwaixiaodianApi
from collectors.apis.kwaixiaodian_calls import real_uv
from collectors.asked_frame import Asked, framed
from collectors.collector import PartlyRead
from collectors.hook import App
from collectors.open_api import Caller, Tokens
from collectors.platforms.kwaixiaodian_uv import KwaixiaodianUv
from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.tick import Tick
from monitor.accounts.account import Account
from monitor.facts import RosterRoom
from monitor.live.supervise import Collecting
from monitor.rehearsal.platforms.kwaixiaodian_api import FakeKwaixiaodian

from .api_house import asking
from .between import Between
from .stage import BLIND, LIVE, OFFLINE, Played, Reaching, Stage, now

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
# Both have nearly the same place in an interval: one is due while the other's call tries whether the platform is back.
SHOPS = {"快手_沈阳一号": "2277777", "3xk7q": "2288888"}
ONE, OTHER = SHOPS
HALL = NginxRtmp(name="hall", url="http://127.0.0.1/stat", platform="kwaixiaodian", viewers=False)
UNWATCHED = 5


class PlayedUv:
    """Two rooms of two shops. How many watch is told by shop."""

    def __init__(self) -> None:
        self.row = KwaixiaodianUv(name="uv", app="ks", rooms=list(SHOPS), interval_s=0.03)
        self.app = App("ks", "kwaixiaodian", "ks705", (b"message key",), sign_secrets=(b"sign-secret",))
        self.fake = FakeKwaixiaodian("ks705", b"secret", now)
        self.counts: dict[str, int] = {}
        self.fake.watching = self.counts.get

    @asynccontextmanager
    async def playing(self, house: Reaching) -> AsyncIterator[Collecting]:
        url = await self.fake.serve()
        accounts = []
        for shop in SHOPS.values():
            pair = self.fake.office.issue(shop, now())
            tokens = Tokens(pair.access, now(), now() + timedelta(days=2), pair.refresh, extra={"seller": shop})
            accounts.append(Account("ks", "kwaixiaodian", shop, "", tokens=tokens))
        try:
            async with (
                house.reached(url) as way,
                asking(self.row, KwaixiaodianApi(), self.app, way, accounts, house) as line,
            ):
                yield line
        finally:
            await self.fake.close()

    def counted(self, room: str, viewers: int) -> None:
        self.counts[SHOPS[room]] = viewers


class UvStage(Stage):
    """The hall's own server says who is on air, and at how many kilobits a second; it counts nobody."""

    def __init__(self, between: Between | None = None) -> None:
        self.uv = PlayedUv()
        super().__init__(cast(Played, self.uv), between=between)  # what is not asked of it here: to say who is on air
        rooms = [RosterRoom(n, "kwaixiaodian", room, shop=shop) for n, (room, shop) in enumerate(SHOPS.items(), 1)]
        self.watch.load(rooms, (), [self.uv.row, HALL], now())

    def hall(self, **live: bool) -> None:
        at = now()
        ticks = [Tick("hall", room, at, "status", on, kbps=3_000 if on else None) for room, on in live.items()]
        self.put.append(self.watch.hear("hall", at, ticks, at))

    @property
    def viewers(self) -> list[int | None]:
        return [self.of(room).viewers for room in SHOPS]


async def both_live(between: Between | None = None) -> UvStage:
    stage = UvStage(between)
    stage.hall(**{ONE: True, OTHER: True})
    stage.uv.counted(ONE, 7)
    stage.uv.counted(OTHER, 15_832)
    return stage


async def test_viewers_stand_beside_the_bitrate_that_another_feed_tells() -> None:
    stage = await both_live()
    async with stage.playing():
        await stage.until(lambda: stage.viewers == [7, 15_832])
        stage.hall(**{ONE: True, OTHER: True})
        assert stage.viewers == [7, 15_832], "who tells of kilobits does not take viewers back"
        assert stage.of(ONE).kbps == 3_000
        stage.uv.counted(ONE, 9)
        await stage.until(lambda: stage.viewers == [9, 15_832])
        assert stage.of(ONE).kbps == 3_000
    assert stage.states == {ONE: LIVE, OTHER: LIVE}


async def test_a_number_of_a_room_that_is_off_air_is_not_shown_and_opens_nothing() -> None:
    stage = await both_live()
    stage.hall(**{OTHER: False})
    stage.hall(**{OTHER: False})
    async with stage.playing():
        await stage.until(lambda: stage.of(ONE).viewers == 7)
        await stage.messages_more(6)
        assert not stage.of(OTHER).viewers
    stage = UvStage()
    stage.hall(**{ONE: False})
    stage.uv.counted(ONE, 7)
    async with stage.playing():
        await stage.messages_more(6)
        assert stage.of(ONE).state == OFFLINE
        assert not stage.of(ONE).viewers
    assert stage.changes(ONE) == []


async def test_a_room_is_blind_when_who_tells_its_state_is_though_it_is_counted() -> None:
    stage = await both_live()
    async with stage.playing():
        await stage.until(lambda: stage.viewers == [7, 15_832])
        stage.put.append(stage.watch.lose("hall", "http_status", now()))
        await stage.messages_more(6)
        assert stage.states == {ONE: BLIND, OTHER: BLIND}
        assert stage.viewers == [None, None]
        stage.hall(**{ONE: True, OTHER: True})
        await stage.until(lambda: stage.viewers == [7, 15_832])
    assert stage.changes(ONE) == ["opened"]


async def test_a_room_that_nobody_else_sees_is_unwatched_though_it_is_counted() -> None:
    stage = UvStage()
    stage.watch.load([stage.of(room).row for room in SHOPS], (), [stage.uv.row], now())
    stage.uv.counted(ONE, 7)
    async with stage.playing():
        await stage.until(lambda: stage.of(ONE).viewers == 7)
    assert stage.states == {ONE: UNWATCHED, OTHER: UNWATCHED}


@pytest.mark.parametrize("how", ["refuse", "error", "garbage"])
async def test_a_platform_that_is_away_hides_its_numbers_and_no_room_is_blind(how: str) -> None:
    stage = await both_live()
    async with stage.playing():
        await stage.until(lambda: stage.viewers == [7, 15_832])
        stage.uv.fake.server.trouble.feed = how  # type: ignore[assignment]
        await stage.until(lambda: stage.viewers == [None, None])
        assert stage.states == {ONE: LIVE, OTHER: LIVE}
        stage.uv.fake.server.trouble.feed = None
        await stage.until(lambda: stage.viewers == [7, 15_832])
    assert stage.changes(ONE) == stage.changes(OTHER) == ["opened"]
    assert stage.failed


async def test_who_is_told_to_be_slower_is_slower() -> None:
    stage = await both_live()
    async with stage.playing():
        await stage.until(lambda: stage.viewers == [7, 15_832])
        stage.uv.fake.book.per_s = 0
        await stage.until(lambda: "rate_limited" in stage.failed)
        stage.uv.fake.book.per_s = None
        stage.uv.counted(ONE, 8)
        await stage.until(lambda: stage.viewers == [8, 15_832])
    assert stage.changes(ONE) == ["opened"]


async def test_a_shop_that_takes_its_word_back_hides_its_room_alone() -> None:
    stage = await both_live()
    async with stage.playing():
        await stage.until(lambda: stage.viewers == [7, 15_832])
        stage.uv.fake.office.revoke(SHOPS[ONE])
        await stage.until(lambda: stage.viewers == [None, 15_832])
        stage.uv.counted(OTHER, 15_900)
        await stage.until(lambda: stage.viewers == [None, 15_900])
        assert stage.watch.feeds["uv"].state == "ok"
    assert stage.states == {ONE: LIVE, OTHER: LIVE}
    assert "auth" in stage.failed


async def test_a_number_that_is_none_hides_its_room_alone_and_is_kept() -> None:
    stage = await both_live()
    async with stage.playing():
        await stage.until(lambda: stage.viewers == [7, 15_832])
        stage.uv.fake.garbled.add(SHOPS[ONE])
        await stage.until(lambda: stage.viewers == [None, 15_832])
        stage.uv.counted(OTHER, 15_900)
        await stage.until(lambda: stage.viewers == [None, 15_900])
    assert any("很多".encode() in frame for frame in stage.quarantined)


# --- without a socket -------------------------------------------------------------------------------------------------


def read(data: bytes, **more: Any) -> list[Tick]:
    row = KwaixiaodianUv(name="uv", app="ks", **more)
    return row.parse(framed(Asked([ONE]), b'{"result":1,"data":' + data + b"}"), AT)


def test_what_nobody_counts_is_not_zero() -> None:
    nothing = [Tick("uv", ONE, AT, "status")]
    assert read(b"{}") == read(b"null") == read(b'{"realWatchUv":null}') == nothing
    assert read(b'{"realWatchUv":0}') == [Tick("uv", ONE, AT, "status", viewers=0)]


def test_the_number_is_what_the_settings_say_that_it_counts() -> None:
    assert read(b'{"realWatchUv":12}', uv_is="views_total") == [Tick("uv", ONE, AT, "status", views_total=12)]


@pytest.mark.parametrize("data", [b'{"realWatchUv":-1}', b'{"realWatchUv":"12"}', b'{"realWatchUv":1.5}', b"[]", b"7"])
def test_what_is_no_number_of_people_blinds_its_room_alone(data: bytes) -> None:
    with pytest.raises(PartlyRead) as caught:
        read(data)
    assert list(caught.value.unseen) == [ONE]


def test_the_question_is_that_of_the_catalogue() -> None:
    app = App("ks", "kwaixiaodian", "ks705", (b"key",), sign_secrets=(b"sign-secret",))
    call = real_uv(Caller(app, "https://x.example", "https://x.example", "1", Tokens("TOKEN", AT)), AT)
    asked = dict(parse_qsl(urlsplit(call.url).query))
    assert urlsplit(call.url).path == "/open/live/shop/seller/real/uv"
    assert call.body is None
    assert (asked["method"], asked["param"], asked["access_token"]) == (call.name, "{}", "TOKEN")

"""The page of one alert: looking at it changes nothing, a button does, and only from the page itself."""

import base64
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from monitor.alerts.alert import Episode
from monitor.alerts.contacts import Contact
from monitor.alerts.duty import Duty, Outcome
from monitor.alerts.hold import Hold
from monitor.alerts.page import AlertPage, Asked, same_origin
from monitor.alerts.page_html import STYLE
from monitor.alerts.sight import DROPPED, LIVE, Counts, RoomSight
from monitor.alerts.tokens import Tokens
from tests.alerts.duty_book import dropped, episode

NOW = datetime(2026, 11, 19, 12, 14, 30, tzinfo=UTC)
ROOM = RoomSight(
    "wechat", "1", "王姐海鲜<script>", "大连", "3", 1, "zhang", DROPPED, NOW - timedelta(seconds=25), "", 12340
)
ZHANG = Contact("zhang", "张三", "13800138000")


class Seen:
    """The sight of one room."""

    room_seen: RoomSight | None = ROOM

    def room(self, platform: str, room: str) -> RoomSight | None:
        return self.room_seen

    def stopped(self, platform: str | None = None, hall: str | None = None) -> list[RoomSight]:
        return []

    def counts(self, platform: str | None = None, hall: str | None = None) -> Counts:
        return Counts()

    def feed(self, name: str) -> str | None:
        return None


class Acts(Duty):
    """Duty that notes what is done in whose name, and answers as it is told to."""

    def __init__(self, *episodes: Episode) -> None:
        self.known = {each.number: each for each in episodes}
        self.acts: list[tuple[str, int, str]] = []
        self.outcome = Outcome("held", "张三", NOW)
        self.holder: Hold | None = None

    def hold(self, number: int) -> Hold | None:
        return self.holder

    async def episode(self, number: int) -> Episode | None:
        return self.known.get(number)

    async def acknowledge(self, number: int, by: str, reason: str = "") -> Outcome:
        self.acts.append(("take", number, by))
        return self.outcome

    async def silence(self, number: int, by: str, length: timedelta, reason: str) -> Outcome:
        self.acts.append((f"silence {length}", number, by))
        return self.outcome

    async def end(self, number: int, by: str, reason: str = "") -> Outcome:
        self.acts.append(("end", number, by))
        return self.outcome


class House(NamedTuple):
    client: TestClient[web.Request, web.Application]
    duty: Acts
    sight: Seen
    path: str
    origin: str

    async def press(self, do: str, name: str = "张三", headers: dict[str, str] | None = None) -> tuple[int, str]:
        headers = {"Origin": self.origin} if headers is None else headers
        async with self.client.post(self.path, data={"do": do, "name": name}, headers=headers) as answer:
            return answer.status, await answer.text()


TOKENS = Tokens(bytes(32))


@pytest.fixture
async def house() -> AsyncIterator[House]:
    duty, sight = Acts(episode(4821, dropped("1"), annotations={"summary": "断流 <b>王姐</b>"})), Seen()
    page = AlertPage(
        Asked(
            duty, TOKENS, sight, lambda: {"zhang": ZHANG}, lambda: NOW, ZoneInfo("Asia/Shanghai"), "https://x.example"
        )
    )
    app = web.Application()
    app.add_routes(page.routes())
    async with TestClient(TestServer(app)) as client:
        origin = str(client.make_url("")).rstrip("/")
        yield House(client, duty, sight, f"/a/{TOKENS.sign(4821, NOW)}", origin)


class Tags(HTMLParser):
    """Tags and buttons of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.buttons: list[str | None] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag == "button":
            self.buttons.append(dict(attrs)["value"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_only_looks_changes_nothing(house: House, method: str) -> None:
    for query in ("", "?do=take&name=bot", "?lang=en"):
        async with house.client.request(method, house.path + query, headers={"Cookie": "livemon_name=bot"}) as answer:
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Set-Cookie" not in answer.headers
    assert house.duty.acts == []


async def test_what_is_to_be_seen(house: House) -> None:
    async with house.client.get(house.path, headers={"Accept-Language": "zh-CN,zh;q=0.9"}) as answer:
        text = await answer.text()
    for said in (
        "#4821",
        "王姐海鲜&lt;script&gt; · wechat · 1",
        "11-19 20:14:05 (25 秒前)",
        "12,340",
        "大连",
        "还没有人处理",
    ):
        assert said in text
    assert 'href="tel:13800138000"' in text
    tags = Tags(text)
    assert tags.buttons == ["take", "silence", "end"]
    assert not {"script", "img", "b", "iframe"} & set(tags.seen)


async def test_the_style_is_the_only_thing_that_the_page_may_load(house: House) -> None:
    async with house.client.get(house.path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert f"<style>{STYLE}</style>" in await answer.text()
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert answer.headers["Referrer-Policy"] == "same-origin"


async def test_only_a_stopped_room_can_be_said_to_be_over_and_what_is_over_has_no_buttons(house: House) -> None:
    house.sight.room_seen = RoomSight("wechat", "1", state=LIVE)
    async with house.client.get(house.path) as answer:
        assert Tags(await answer.text()).buttons == ["take", "silence"]
    house.duty.known[4821] = Episode(4821, house.duty.known[4821].alert, "recovered")
    async with house.client.get(house.path) as answer:
        assert Tags(await answer.text()).buttons == []


@pytest.mark.parametrize("do", ["take", "silence", "end"])
async def test_a_button_acts_in_the_name_that_was_given(house: House, do: str) -> None:
    status, _ = await house.press(do, " 张  三 ")
    assert status == 200
    assert house.duty.acts == [("silence 2:00:00" if do == "silence" else do, 4821, "张 三")]


async def test_the_name_is_remembered(house: House) -> None:
    async with house.client.post(
        house.path, data={"do": "take", "name": "张三"}, headers={"Origin": "https://x.example"}
    ) as answer:
        cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/a/", "Secure"):
        assert part in cookie
    async with house.client.get(house.path, headers={"Cookie": cookie.partition(";")[0]}) as answer:
        assert 'value="张三"' in await answer.text()


async def test_who_comes_second_is_told_who_has_it(house: House) -> None:
    house.duty.outcome = Outcome("held_by_other", "李四<i>", NOW)
    status, text = await house.press("take")
    assert status == 409
    assert "李四&lt;i&gt;" in text


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "null"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"},
     {"Origin": "http://x.example"}, {"Sec-Fetch-Site": "none"}, {"Origin": ""}],
)  # fmt: skip
async def test_another_page_cannot_press(house: House, headers: dict[str, str]) -> None:
    status, _ = await house.press("take", headers=headers)
    assert (status, house.duty.acts) == (403, [])


@pytest.mark.parametrize(
    ("do", "name"), [("take", ""), ("take", "x" * 65), ("take", "a:b"), ("", "张三"), ("all", "张三")]
)
async def test_nothing_is_done_without_a_name_or_for_a_button_that_is_none(house: House, do: str, name: str) -> None:
    status, _ = await house.press(do, name)
    assert (status, house.duty.acts) == (400, [])


@pytest.mark.parametrize("body", [b"x" * 5_000, b"\xff\xfe", b"&".join(b"a%d=1" % n for n in range(50))])
async def test_forms_that_are_none(house: House, body: bytes) -> None:
    async with house.client.post(house.path, data=body, headers={"Origin": house.origin}) as answer:
        assert answer.status == (413 if len(body) > 4_096 else 400)
    assert house.duty.acts == []


async def test_a_word_that_was_not_signed_or_is_old_shows_nothing_and_does_nothing(house: House) -> None:
    forged, old = house.path[:-1] + "_", f"/a/{TOKENS.sign(4821, NOW - timedelta(hours=24))}"
    for path, status in ((forged, 404), (old, 410), (f"/a/{TOKENS.sign(99, NOW)}", 404)):
        for method in ("GET", "POST"):
            data = {"do": "take", "name": "张三"} if method == "POST" else None
            async with house.client.request(method, path, data=data, headers={"Origin": house.origin}) as answer:
                assert answer.status == status
                assert "王姐" not in await answer.text()
    assert house.duty.acts == []


def test_behind_a_proxy_that_renames_the_host() -> None:
    headers = {"Origin": "https://live.example", "Host": "10.0.0.7:8790"}
    assert same_origin(headers, "https://live.example/livemon")
    assert not same_origin(headers, "")
    assert same_origin({"Origin": "http://10.0.0.7:8790", "Host": "10.0.0.7:8790"}, "")

"""A day's list has the lives that were created then: which day's is asked for, so that none is missed at midnight."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import pytest

from collectors.api_feed import Make, Platform, RoomUnseen
from collectors.apis.wechat_live import LIST, QUOTA_GET, SHANGHAI
from collectors.collector import PartlyRead
from collectors.hook import App
from collectors.open_api import Caller
from collectors.platforms.wechat_live import WechatLive
from monitor.rehearsal.platforms.wechat_dashboard import Dashboard, PlayedLive

from ..accounts.simulated import simulate

ROOM = "a"
CALLER = Caller(App("wechat", "wechat", "key", (b"secret",)), "http://h", "http://h")
MIDNIGHT = datetime(2026, 11, 21, tzinfo=SHANGHAI)
BEFORE, TODAY = 20261120, 20261121
BEAT = timedelta(seconds=30)


def at(clock: str, day: datetime = MIDNIGHT) -> datetime:
    """Times of the afternoon and the evening are of the day before."""
    hours, minutes, seconds = map(int, clock.split(":"))
    return day + timedelta(hours=hours - 24 if hours >= 12 else hours, minutes=minutes, seconds=seconds)


class Live:
    """One that is on in these spans, and on its day's list from `listed_at`."""

    def __init__(self, key: str, *spans: tuple[str, str], listed_at: str = "") -> None:
        self.key, self.spans = key, [(at(begin), at(end)) for begin, end in spans]
        self.listed_at = at(listed_at) if listed_at else self.spans[0][0]

    def played(self, now: datetime) -> PlayedLive:
        return PlayedLive(self.key, self.spans[0][0], any(begin <= now < end for begin, end in self.spans), 7)


class Night:
    """The dashboard of one video account. `away`: a span in which nothing is answered; `spoiled`: of this day's list
    nothing can be read."""

    def __init__(
        self, *lives: Live, begin: str = "23:00:00", away: tuple[str, str] | None = None, spoiled: int = 0
    ) -> None:
        self.lives, self.began_at, self.away, self.spoiled = lives, at(begin), away, spoiled
        self.board = Dashboard(accounts={ROOM: self._on})
        self.lists: list[tuple[datetime, int]] = []
        self.seen: list[tuple[datetime, bool | None]] = []
        self.unread = Counter[str]()
        self.row, self.left = WechatLive(name="wechat-live", app="wechat", rooms=[ROOM]), 10**6

    def now(self) -> datetime:
        return self.began_at + timedelta(seconds=asyncio.get_running_loop().time())

    def _on(self, now: datetime) -> list[PlayedLive]:
        return [live.played(now) for live in self.lives if live.spans[0][0] <= now]

    def until(self, clock: str) -> "Night":
        async def work() -> None:
            feed = self.row.collect(cast(Any, None), self._emit, self.now, cast(Platform, self))
            with suppress(TimeoutError):
                async with asyncio.timeout((at(clock) - self.began_at).total_seconds()):
                    await feed

        simulate(work())
        return self

    async def ask(self, make: Make, room: str = "", batch: Sequence[str] = ()) -> bytes:
        call, now = make(CALLER), self.now()
        if self.away is not None and at(self.away[0]) <= now < at(self.away[1]):
            raise RoomUnseen("http_status")
        told: dict[str, Any] = json.loads(call.body or b"")
        if call.name == QUOTA_GET:
            return json.dumps({"quota": {"daily_limit": 10**6, "used": 0, "remain": self.left}}).encode()
        if call.name != LIST:
            return json.dumps(self.board.data(room, told, now)).encode()
        self.lists.append((now, told["ds"]))
        if told["ds"] == self.spoiled:
            return b"{"
        listed = cast(dict[str, Any], self.board.list(room, told, now))
        late = {live.key for live in self.lives if now < live.listed_at}
        items = [item for item in listed["live_items"] if item["export_id"] not in late]
        return json.dumps(listed | {"live_items": items}).encode()

    def unseen(self, room: str, reason: str) -> None: ...
    def patience(self, interval_s: float) -> None: ...

    async def _emit(self, frame: bytes, at: datetime) -> None:
        try:
            self.seen.extend((at, tick.live) for tick in self.row.parse(frame, at))
        except PartlyRead as error:
            self.unread.update(error.unseen.keys())

    def on_air(self, begin: str, end: str) -> set[bool | None]:
        """What was seen of it in this span."""
        return {live for seen_at, live in self.seen if at(begin) <= seen_at < at(end)}

    def days(self, begin: str, end: str) -> Counter[int]:
        return Counter(day for asked_at, day in self.lists if at(begin) <= asked_at < at(end))


def looks(begin: str, end: str) -> int:
    return (at(end) - at(begin)) // BEAT


def test_while_none_is_on_one_list_is_a_beat_but_for_the_first_look() -> None:
    night = Night(begin="13:00:00").until("15:00:00")
    assert night.days("13:00:00", "13:00:30") == {BEFORE: 1, BEFORE - 1: 1}
    assert night.days("13:00:30", "15:00:00") == {BEFORE: looks("13:00:30", "15:00:00")}
    assert night.on_air("13:00:00", "15:00:00") == {False}


def test_until_a_quarter_past_midnight_yesterdays_list_is_asked_for_beside_an_empty_one() -> None:
    night = Night().until("03:00:00")
    beats = looks("00:00:00", "00:15:00")
    assert night.days("00:00:00", "00:15:00") == {TODAY: beats, BEFORE: beats}
    assert night.days("00:15:00", "03:00:00") == {TODAY: looks("00:15:00", "03:00:00")}


@pytest.mark.parametrize(("interval_s", "left"), [(600.0, 10**6), (30.0, 1)])
def test_whose_looks_are_far_apart_has_two_of_them_after_midnight(interval_s: float, left: int) -> None:
    """By its settings, or by a quota of which little is left. This name has beats nine and nineteen minutes past."""
    night = Night()
    night.row, night.left = WechatLive(name="wechat", app="wechat", rooms=[ROOM], interval_s=interval_s), left
    night.until("03:00:00")
    assert night.days("00:00:00", "00:20:00") == {TODAY: 2, BEFORE: 2}
    assert night.days("00:15:00", "00:20:00") == {TODAY: 1, BEFORE: 1}
    assert night.days("00:20:00", "03:00:00") == {TODAY: 16}


@pytest.mark.parametrize("earlier", [(), (Live("L1", ("22:00:00", "22:40:00")),)])
@pytest.mark.parametrize(("listed_at", "seen_from"), [("", "00:00:30"), ("00:12:00", "00:12:30")])
def test_a_live_that_begins_just_before_midnight_is_seen(
    earlier: Iterable[Live], listed_at: str, seen_from: str
) -> None:
    """Between two looks, so that its day's list was not asked for while that was today's; it may be listed late."""
    night = Night(*earlier, Live("L2", ("23:59:59", "02:00:00"), listed_at=listed_at)).until("03:00:00")
    assert night.on_air("23:00:00", "23:59:59") == {False}
    assert night.on_air(seen_from, "02:00:00") == {True}
    assert night.on_air("02:00:00", "03:00:00") == {False}


@pytest.mark.parametrize("spans", [
    (("22:00:00", "23:58:00"), ("00:05:00", "01:00:00")),
    (("22:00:00", "00:30:00"), ("00:40:00", "01:00:00")),
    (("22:00:00", "23:30:00"), ("23:40:00", "01:00:00")),
])  # fmt: skip
def test_a_live_that_broke_off_may_go_on_after_midnight_under_its_id(spans: tuple[tuple[str, str], ...]) -> None:
    night = Night(Live("L1", *spans)).until("02:00:00")
    for begin, end in spans:
        assert night.on_air(begin, end) - {False} == {True}
    found = [live for _, live in night.seen]
    assert found[-1] is False
    changes = sum(one != other for one, other in pairwise(found))
    assert changes == 3, "on, off, on again, and off"


def test_who_could_not_be_asked_at_midnight_is_looked_up_once_he_can() -> None:
    night = Night(Live("L2", ("23:59:00", "03:00:00")), away=("23:55:00", "00:50:00")).until("02:00:00")
    assert night.on_air("00:50:30", "02:00:00") == {True}


def test_a_list_of_yesterday_that_cannot_be_read_puts_nobody_off_air() -> None:
    night = Night(Live("L2", ("23:30:00", "02:00:00")), begin="00:05:00", spoiled=BEFORE).until("00:35:00")
    assert night.seen == [], "nobody knows of that day, and it is asked for until one does"
    assert night.unread[ROOM] == looks("00:05:00", "00:35:00")


def test_a_live_of_the_day_is_found_though_yesterdays_list_is_asked_for_no_more() -> None:
    night = Night(Live("L3", ("00:30:00", "01:00:00"))).until("02:00:00")
    assert night.on_air("00:31:00", "01:00:00") == {True}
    assert night.on_air("01:01:00", "02:00:00") == {False}

"""What is WeChat's own: lists and lives, days, quotas, parts as text or objects, whose name a call goes out in."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from collectors.apis.wechat_live import DATA, INTERVAL_S_MAX, LIST, QUOTA_GET, interval_of, read_data, read_list
from collectors.asked_frame import Asked, framed, unframed
from collectors.collector import BadFrame, PartlyRead
from collectors.platforms.wechat_live import WechatLive
from collectors.tick import Tick
from monitor.rehearsal.platforms.wechat_dashboard import PlayedLive

from .kinds import ROOMS, PlayedWechat
from .stage import BLIND, LIVE, OFFLINE, Stage, now

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROW = WechatLive(name="wechat-live", app="wechat", rooms=["a"])


def calls(played: PlayedWechat) -> Counter[str]:
    return Counter(played.fake.book.by_name)


def quota_of_a_beat_in_half_a_minute() -> int:
    """Spread over what is left of the day in China, whatever time of the day it is; three calls find the live."""
    here = now().astimezone(ZoneInfo("Asia/Shanghai"))
    return 3 + (86_400 - here.hour * 3600 - here.minute * 60 - here.second) // 30


@asynccontextmanager
async def staged(*rooms: str) -> AsyncIterator[tuple[PlayedWechat, Stage]]:
    played = PlayedWechat()
    for room in rooms:
        played.on_air(room, 7)
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: all(state != BLIND for state in stage.states.values()))
        yield played, stage


async def test_while_a_live_is_on_its_data_alone_is_asked_for() -> None:
    async with staged(*ROOMS) as (played, stage):
        await stage.messages_more(6)  # what is left of the quota is asked once at the start
        before = calls(played)
        await stage.messages_more(10)
        asked = calls(played) - before
        assert set(asked) == {DATA}


async def test_a_live_that_began_yesterday_is_found_at_the_start() -> None:
    played = PlayedWechat()
    played.lives[ROOMS[0]] = [PlayedLive("export/昨天", now() - timedelta(days=1), True, 12)]
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: stage.states == {ROOMS[0]: LIVE, ROOMS[1]: OFFLINE})


async def test_a_live_that_broke_off_may_go_on_under_its_id() -> None:
    async with staged(ROOMS[0]) as (played, stage):
        played.off_air(ROOMS[0])
        await stage.until(lambda: stage.of(ROOMS[0]).state != LIVE)
        last = played.lives[ROOMS[0]][-1]
        played.lives[ROOMS[0]] = [PlayedLive(last.export_id, last.created_at, True, 9)]
        await stage.until(lambda: stage.of(ROOMS[0]).state == LIVE)
    assert stage.changes(ROOMS[0]) == ["opened", "dropped", "resumed"]


async def test_another_live_is_another_session() -> None:
    async with staged(ROOMS[0]) as (played, stage):
        played.off_air(ROOMS[0])
        played.on_air(ROOMS[0], 4)
        await stage.until(lambda: stage.of(ROOMS[0]).viewers == 4)
    assert stage.changes(ROOMS[0])[-2:] == ["closed", "opened"]


async def test_the_interval_is_stretched_to_the_quota_and_that_is_no_silence() -> None:
    """Few calls are left for the day: a beat every half minute instead of many a second, and nothing is blind."""
    played = PlayedWechat()
    played.fake.book.quota = dict.fromkeys((LIST, DATA), quota_of_a_beat_in_half_a_minute())
    for room in ROOMS:
        played.on_air(room, 7)
    stage = Stage(played, silence_s=0.2)
    async with stage.playing():
        await stage.until(lambda: stage.states == dict.fromkeys(ROOMS, LIVE))
        before = calls(played)
        await asyncio.sleep(0.4)  # over ten intervals as they were
        assert sum((calls(played) - before).values()) <= 4
        assert stage.states == dict.fromkeys(ROOMS, LIVE)


async def test_a_room_that_cannot_be_asked_makes_no_silence_of_one_that_is_stretched() -> None:
    """It comes at each of its beats and brings nothing; of the other one beat in half a minute is all to be heard."""
    played = PlayedWechat()
    played.fake.book.quota = dict.fromkeys((LIST, DATA), quota_of_a_beat_in_half_a_minute())
    played.on_air(ROOMS[0], 7)
    del played.fake.own_shops["wx1"]
    stage = Stage(played, silence_s=0.2)
    async with stage.playing():
        await stage.until(lambda: stage.states == {ROOMS[0]: LIVE, ROOMS[1]: BLIND})
        before, times = calls(played), stage.failed.count("auth")
        await asyncio.sleep(0.6)  # as long as three silences
        assert stage.failed.count("auth") > times + 5, "it is tried again all the while"
        assert sum((calls(played) - before).values()) <= 2
        assert stage.states == {ROOMS[0]: LIVE, ROOMS[1]: BLIND}
    assert set(stage.failed) == {"auth"}


async def test_a_quota_that_cannot_be_asked_changes_nothing() -> None:
    played = PlayedWechat()
    played.fake.book.quota |= {QUOTA_GET: 0}
    played.on_air(ROOMS[0], 7)
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: stage.of(ROOMS[0]).state == LIVE)
        await stage.ticks_more(ROOMS[0], 4)


async def test_a_day_without_a_call_left_is_blind_and_no_drop() -> None:
    async with staged(ROOMS[0]) as (played, stage):
        played.fake.book.quota[DATA] = 0
        await stage.until(lambda: stage.of(ROOMS[0]).state == BLIND)
        assert "rate_limited" in stage.failed
    assert stage.changes(ROOMS[0]) == ["opened"]


async def test_a_room_without_an_account_is_blind_alone() -> None:
    played = PlayedWechat()
    played.on_air(ROOMS[0], 7)
    del played.fake.own_shops["wx1"]
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: stage.of(ROOMS[0]).state == LIVE)
        await stage.until(lambda: "auth" in stage.failed)
        await stage.ticks_more(ROOMS[0], 3)
        assert stage.states == {ROOMS[0]: LIVE, ROOMS[1]: BLIND}
        assert calls(played)[LIST] == 1, "nothing was asked for the other"


async def test_a_permission_that_was_never_opened_is_of_one_room() -> None:
    async with staged(*ROOMS) as (played, stage):
        del played.fake.dashboard.accounts[ROOMS[0]]
        await stage.until(lambda: stage.of(ROOMS[0]).state == BLIND)
        await stage.ticks_more(ROOMS[1], 3)
        assert stage.of(ROOMS[1]).state == LIVE
        assert stage.watch.feeds["wechat-live"].state == "ok"


async def test_the_platforms_own_money_is_told_and_never_added() -> None:
    async with staged(ROOMS[0]) as (played, stage):
        last = played.lives[ROOMS[0]][-1]
        played.lives[ROOMS[0]][-1] = PlayedLive(last.export_id, last.created_at, False, 0, 9, 1_299_900)
        await stage.until(lambda: stage.of(ROOMS[0]).state != LIVE)
    totals = [total for heard in stage.put for total in heard.totals]
    assert [(total.room, total.gmv_minor, total.currency) for total in totals] == [
        (ROOMS[0], 0, "CNY"), (ROOMS[0], 1_299_900, "CNY"),
    ]  # fmt: skip
    assert not [sale for heard in stage.put for sale in heard.sales]
    assert stage.of(ROOMS[0]).sales_minor_total == 0


# --- what an answer means ---------------------------------------------------------------------------------------------


def answer(**parts: object) -> bytes:
    return json.dumps({"errcode": 0, "errmsg": "ok"} | parts).encode()


def ticks(about: str, body: bytes, key: str = "k") -> list[Tick]:
    return ROW.parse(framed(Asked(["a"], about, key), body), AT)


@pytest.mark.parametrize("written", [lambda part: part, json.dumps])
def test_parts_are_objects_or_texts_of_json(written) -> None:
    body = answer(
        live_comparison_index=written({"is_living": True, "on_air": {}, "ended": None}),
        live_ec_data_summary=written({"online_audience_count": 12, "cumulative_audience_count": 345, "total_gmv": 678}),
    )
    assert ticks("data", body) == [
        Tick("wechat-live", "a", AT, "status", True, 12, 345, session_key="k", gmv_minor=678, currency="CNY")
    ]


@pytest.mark.parametrize("index", [None, "", {}])
def test_what_does_not_say_whether_it_is_on_says_no_more_than_its_numbers(index: object) -> None:
    [tick] = ticks("data", answer(live_comparison_index=index, live_ec_data_summary={"online_audience_count": 3}))
    assert (tick.live, tick.viewers, tick.views_total, tick.gmv_minor) == (None, 3, None, None)


def test_a_count_below_zero_is_none() -> None:
    summary = {"online_audience_count": -1, "cumulative_audience_count": -5, "total_gmv": -1}
    told = read_data(answer(live_comparison_index={"is_living": True}, live_ec_data_summary=summary))
    assert (told.viewers, told.views_total, told.gmv_fen) == (None, None, None)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", answer(live_comparison_index="{"), answer(live_comparison_index='{"is_living": "yes"}'),
        answer(live_comparison_index=[1]), answer(live_ec_data_summary='{"online_audience_count": 1.5}'),
        answer(live_ec_data_summary={"online_audience_count": "12"}),
        answer(live_comparison_index='{"is_living": true, "is_living": false}'),
        b'{"live_comparison_index": ' + b"[" * 9_999,
    ],
)  # fmt: skip
def test_data_that_cannot_be_read_leaves_its_room_unseen(body: bytes) -> None:
    with pytest.raises(PartlyRead) as failed:
        ticks("data", body)
    assert (failed.value.unseen, failed.value.ticks, failed.value.part) == ({"a": "bad_frame"}, (), body)


def listed(*keys: str, more: bool = False) -> bytes:
    items = [{"export_id": key, "create_time": number} for number, key in enumerate(keys)]
    return answer(live_items=items, has_more=more)


def test_a_list_without_a_live_is_absence_and_one_whose_newest_is_over_is_a_status() -> None:
    assert ticks("list", listed()) == [Tick("wechat-live", "a", AT, "absent", False)]
    assert ticks("list", listed("old", "k")) == [Tick("wechat-live", "a", AT, "status", False)]
    assert read_list(listed("old", "k")).newest == "k"
    assert read_list(answer(live_items=[{"export_id": "b", "create_time": 9}, {"export_id": "a"}])).newest == "b"


@pytest.mark.parametrize("body", [
    listed(more=True), listed("k", more=True), listed("k", "newer"), answer(live_items=[{}]),
    answer(live_items=[{"export_id": ""}]), answer(live_items=[{"export_id": "x" * 201}]), answer(live_items={"a": 1}),
])  # fmt: skip
def test_a_list_that_may_lack_a_live_leaves_its_room_unseen(body: bytes) -> None:
    with pytest.raises(PartlyRead):
        ticks("list", body)


def test_a_frame_that_does_not_say_what_was_asked_is_none() -> None:
    for frame in (b"", b"{}\n", b"\n{}", b'{"rooms": "a"}\n{}', b"\xff\n"):
        with pytest.raises(BadFrame):
            unframed(frame)
    asked = Asked(["视频号 \n"], "data", "k\nk")
    assert unframed(framed(asked, b"\n\n{}")) == (asked, b"\n\n{}")


@pytest.mark.parametrize(("left", "hour", "interval_s"), [
    (100_000, 12, 0.1584), (1_440, 12, 11.0), (100, 12, 158.4), (10, 12, INTERVAL_S_MAX), (0, 12, INTERVAL_S_MAX),
    (-3, 12, INTERVAL_S_MAX), (1_000, 16, 95.04), (1_000, 15, 3.96),
])  # fmt: skip
def test_what_is_left_is_spread_until_midnight_in_china(left: int, hour: int, interval_s: float) -> None:
    body = answer(quota={"daily_limit": 100_000, "used": 0, "remain": left})
    assert interval_of(body, AT.replace(hour=hour)) == pytest.approx(interval_s)


def test_a_quota_that_cannot_be_read_is_said() -> None:
    for body in (b"", answer(), answer(quota={"remain": "many"})):
        with pytest.raises(BadFrame):
            interval_of(body, AT)

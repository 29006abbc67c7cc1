"""The benchmark of hosted platforms: its arithmetic by hand, its files as livemon reads them, its rows in the table."""

import asyncio
import os
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collectors.room_pace import RoomPace
from monitor.account_file import read_account_file
from monitor.config import load
from tests.acceptance.alerts.speeds import Ports
from tests.bench import __main__ as table
from tests.bench.bench_platforms import _gift_late_s, written
from tests.bench.connects import connects, counted, counting
from tests.bench.figures import (
    Counted,
    Sampled,
    core_percent,
    late_s,
    most_in_a_second,
    most_in_any_second,
    sample,
    spread_ms,
)
from tests.bench.platforms_played import FEED, PlayedBilibili, PlayedTwitch, PlayedWechat

SNMP = """Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens
Tcp: 1 200 120000 -1 1327613 887359
"""
ROOMS = ["沈阳一号", "141000007", "sph00000042"]


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("late", [0.0, 0.02, 1.7])
def test_who_is_asked_so_much_after_the_beat_is_so_late(room: str, late: float) -> None:
    """Beats are those of the product: whoever moves them moves what is measured."""
    pace = RoomPace(FEED, [room], 5.0, 1_000.0)
    for _ in range(3):
        beat_s = 1_000.0 + pace.wait_s(1_000.0)
        assert pace.take(beat_s) == room
        assert late_s(FEED, room, beat_s + late, 5.0) == pytest.approx(late, abs=1e-6)
        pace.asked(room, beat_s)


def test_a_clock_that_counts_milliseconds_makes_nobody_late() -> None:
    beat_s = 1_000.0 + RoomPace(FEED, ROOMS[:1], 5.0, 1_000.0).wait_s(1_000.0)
    assert late_s(FEED, ROOMS[0], beat_s - 0.001, 5.0) == 0.0
    assert late_s(FEED, ROOMS[0], beat_s - 1.0, 5.0) == pytest.approx(4.0)


def test_the_fullest_second_begins_anywhere() -> None:
    assert most_in_a_second([]) == 0
    assert most_in_a_second([0.0, 0.9, 1.1, 1.2, 1.8, 3.0]) == 4  # from 0.9 on
    assert most_in_a_second([number / 300 for number in range(900)]) == 301
    assert most_in_a_second([7.0] * 12) == 12


def test_what_was_counted_bounds_every_second_from_above() -> None:
    assert most_in_any_second([]) == most_in_any_second([Counted(0.0, 7)]) == 0
    every_tenth = [Counted(number / 10, number * 30) for number in range(31)]  # 300 a second, looked at ten times
    assert most_in_any_second(every_tenth) == 330, "a second that begins and ends between two looks"
    assert most_in_any_second([Counted(0.0, 0), Counted(2.0, 500), Counted(2.5, 600)]) == 600, (
        "nobody looked: all may be"
    )


async def test_the_kernel_counts_each_connect(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, counting(tmp_path / "connects") as looks, asyncio.timeout(30):
        while len(counted(looks)) < 2:
            await asyncio.sleep(0.01)
        before = counted(looks)[-1].count
        for _ in range(50):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
        while counted(looks)[-1].count < before + 50:
            await asyncio.sleep(0.01)
    assert most_in_any_second(counted(looks)) >= 50
    assert connects(SNMP) == 1_327_613


def test_the_spread_of_nothing_is_nothing() -> None:
    assert spread_ms([]) == {}
    assert spread_ms(number / 1000 for number in range(100)) == {"p50_ms": 50.0, "p99_ms": 99.0, "max_ms": 99.0}


def test_a_process_that_works_takes_what_it_works() -> None:
    assert core_percent([Sampled(10.0, 1.0, 0), Sampled(11.0, 1.9, 0), Sampled(14.0, 2.0, 0)]) == 25.0
    before = sample(os.getpid())
    while time.process_time() - before.cpu_s < 0.2:
        pass
    after = sample(os.getpid())
    assert after.cpu_s - before.cpu_s >= 0.1
    assert after.bytes > 10_000_000
    with pytest.raises(LookupError):
        sample(2**30)


def test_a_gift_tells_when_it_was_told() -> None:
    received_at = datetime.fromtimestamp(1_795_880_000.25, UTC)
    assert _gift_late_s("10000001:g1795880000000000:gift", received_at) == pytest.approx(0.25)


@pytest.mark.parametrize("make", [PlayedTwitch, PlayedWechat, PlayedBilibili])
def test_livemon_takes_the_files_of_each_platform(
    make: type[PlayedTwitch | PlayedWechat | PlayedBilibili], tmp_path: Path
) -> None:
    played = make(3)
    more = f"app_id = {played.fake.app_id}" if isinstance(played, PlayedBilibili) else ""
    config = load(written(played, more, tmp_path, "http://127.0.0.1:8080", Ports(8001, 8002, 8003)))
    [feed] = config.feeds
    assert (feed.name, feed.PLATFORM, getattr(feed, "interval_s", 0.0)) == (FEED, played.platform, played.interval_s)
    if played.account:
        apps = {app.name: app for app in config.apps}
        said = (tmp_path / "accounts.csv").read_bytes()
        read = read_account_file(said, "accounts.csv", apps, ZoneInfo("Asia/Shanghai"), datetime.now(UTC))
        assert not read.problems
        assert [row.account.anchor for row in read.listed] == played.rooms


def test_the_beat_of_a_call_is_that_of_its_first_room() -> None:
    played = PlayedTwitch(250)
    played.fake.asked = [played.rooms[:100], played.rooms[100:200], played.rooms[200:]]
    assert {played.beats[room] for room in played.rooms} == {played.rooms[0], played.rooms[100], played.rooms[200]}
    assert played.beats[played.rooms[199]] == played.rooms[100]


async def test_likes_come_as_often_as_promised_and_gifts_name_their_instants(monkeypatch: pytest.MonkeyPatch) -> None:
    """40 rooms, a like each 0.2 s: 200 a second, and 20 gifts."""
    played, pushed = PlayedBilibili(40, told_every_s=0.2), list[tuple[str, str, dict[str, object]]]()

    def push(room: str, name: str, *data: dict[str, object]) -> int:
        pushed.extend((room, name, one) for one in data)
        return 1

    monkeypatch.setattr(played.fake.sockets, "push", push)
    living = asyncio.create_task(played.live())
    async with asyncio.timeout(10):
        while sum(name == "SEND_GIFT" for _, name, _ in pushed) < 10:
            await asyncio.sleep(0.01)
    living.cancel()
    likes = [room for room, name, _ in pushed if name == "LIKE"]
    assert 80 <= len(likes) <= 130, "ten likes for a gift"
    assert len(set(likes)) == 40, "every room in its turn"
    told = [int(str(data["msg_id"]).removeprefix("g")) for _, name, data in pushed if name == "SEND_GIFT"]
    assert all(one < next_one for one, next_one in pairwise(told))
    assert abs(told[-1] / 1e6 - time.time()) < 10
    assert played.told == len(pushed)


def test_the_table_says_what_was_measured() -> None:
    late = {"p50_ms": 1.0, "p99_ms": 9.0, "max_ms": 10.0}
    row = {"kind": "twitch", "rooms": 12_000, "ticks_per_s": 2_400, "core_percent": 9.6, "rss_mb": 200, "late": late}
    cut = {
        "rooms": 12_000, "back_s": 41.0, "connects_in_a_second": 305, "blind_spans": 1,
        "blind_alone": 0, "blind_s": 40.2, "alerts": ["LivemonFeedBlind bilibili 平台"],
    }  # fmt: skip
    goals = {"rss_mb": 300, "core_percent": 30, "connects_in_a_second": 400}
    steady = [row | {"wanted_per_s": 2_400}, row | {"kind": "bilibili_open"}]
    rows = list(table._platforms({"goals": goals, "steady": steady, "cut": cut}))
    assert rows[0][:3] == ("twitch, 12,000 rooms: 2,400 ticks/s", "10 % of a core", "RSS 200 MB")
    assert [row[0].rpartition(": ")[2] for row in rows[1:4]] == [
        "asked after their beats", "2,400 ticks/s", "taken after they were told",
    ]  # fmt: skip
    assert rows[4][1:] == ("41.0 s", "305 connects in a second", "", "400")
    assert rows[-1][1] == "LivemonFeedBlind bilibili 平台"
    assert len(list(table._platforms({"goals": goals, "steady": steady[:1], "cut": None}))) == 2

"""Every way in which rooms are told of has its name and its pace; nobody is expected to have seen what it hides."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any, cast, get_args

import pytest

from collectors import Feed
from collectors.hook import LiveHookRow
from collectors.server_hook import ServerHookRow
from monitor.platform_words import OWN_SERVERS
from monitor.rehearsal.compare.allowance import Rules
from monitor.rehearsal.compare.case import Case, feeds_of, ways_in
from monitor.rehearsal.compare.judge import Sight
from monitor.rehearsal.compare.rooms import expected_openings
from monitor.rehearsal.compare.stops import Span, on_air
from monitor.rehearsal.event.cast import HALLS
from monitor.rehearsal.event.telling import once
from monitor.rehearsal.house import CALLING, CALLS, CLOUD_CALLS, SERVERS
from monitor.rehearsal.manners import (
    CLOUDS,
    EVERY_S,
    MANNERS,
    feed_name,
    hall_feed,
    manner,
    measure,
    server_of,
    tells_end,
)
from monitor.rehearsal.truth import NOT_TOLD, Truth, feeds_in

from .small_evening import StubPlay, broadcast, part

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)
PARTS = [
    part(0), part(1, "bilibili", room="1"), part(2, "taobao", room="t"), part(3, "kwaixiaodian", room="k"),
    part(4, hall="E"), part(5, hall="J"), part(6, hall="K"),
]  # fmt: skip


def test_the_truth_says_in_which_ways_rooms_were_told_of(tmp_path: Path) -> None:
    with Truth(tmp_path / "t") as truth:
        for feed in (
            "hall-a",
            "heard-bilibili:1",
            "list-taobao",
            "count-kwaixiaodian:k",
            "relay-kwaixiaodian",
            "hls-j:r",
            "cloud-k:r",
            "call-d:r",
        ):
            truth.served(feed, BEGAN, [NOT_TOLD])
    ways = ways_in(feeds_in(tmp_path / "t"))
    assert ways == {"bilibili": "heard", "taobao": "list", "kwaixiaodian": "relay"}
    play = cast(Any, StubPlay(BEGAN, PARTS, []))
    assert feeds_of(play, ways) == {
        "hall-a": [0], "heard-bilibili:1": [1], "list-taobao": [2], "relay-kwaixiaodian": [3], "hall-e": [4],
        "hls-j:live/5": [5], "cloud-k:live/6": [6],
    }  # fmt: skip
    relays = {"relay-bilibili", "relay-taobao", "relay-kwaixiaodian"}
    assert set(feeds_of(play)) == {"hall-a", "hall-e", "hls-j:live/5", "cloud-k:live/6", *relays}


def test_every_pace_is_of_a_way_that_is_known() -> None:
    for feed, every_s in EVERY_S.items():
        way, platform = feed.split("-", 1)
        assert feed == feed_name(way, platform)
        assert manner(f"{feed}:room") is MANNERS[way]
        assert Rules().step_s(f"{feed}:room") == every_s
        assert Rules().late_s(feed) >= 3.0
    assert len({way.called for way in MANNERS.values()}) == len(MANNERS)


def test_every_kind_of_own_server_plays_in_a_hall_and_so_does_what_it_calls() -> None:
    kinds = {
        row.__struct_config__.tag: row for row in get_args(Feed) if row.__module__.startswith("collectors.servers.")
    }
    asked = {kind for kind, row in kinds.items() if not issubclass(row, ServerHookRow)}
    assert asked == {server_of(hall) for hall in HALLS} - CLOUDS == set(OWN_SERVERS)
    assert kinds.keys() - asked == {CALLS[server_of(hall)].KIND for hall in CALLING}


def test_every_cloud_that_calls_plays_in_a_hall_of_its_own() -> None:
    rows = {row.__struct_config__.tag: row for row in get_args(Feed) if issubclass(row, LiveHookRow)}
    assert rows.keys() == CLOUD_CALLS.keys() == CLOUDS
    halls = {server_of(hall): hall for hall in HALLS if server_of(hall) in CLOUDS}
    assert halls.keys() == CLOUDS
    for kind, hall in halls.items():
        assert hall_feed(hall, "live/1") == f"cloud-{hall.lower()}:live/1"
        assert measure(hall_feed(hall)).tells_failure == rows[kind].TELLS_END == tells_end("nginx_rtmp", hall)


def test_what_livemon_counts_as_a_stall_is_what_each_hall_is_measured_by() -> None:
    for hall in HALLS:
        kind = server_of(hall)
        [row] = [row for row in get_args(Feed) if row.__struct_config__.tag == kind]
        assert measure(hall_feed(hall, "live/1")).stall_s == row.STALL_S - row.COUNTS_LATE_S
        if kind in SERVERS:
            assert SERVERS[kind].COUNTING.steps_s == measure(hall_feed(hall)).steps_s
    assert measure("relay-wechat") == measure("hall-a")


def test_a_room_of_one_broadcast_has_no_other_after_the_first_that_began() -> None:
    script = [broadcast(0, 0, 0, 900, ending="absent"), broadcast(1, 2_000, 3_000), broadcast(2, 5_000, 6_000)]
    kept = list(islice(once(iter(script)), 9))
    assert [one.number for one in kept] == [0, 1, 2]
    assert (kept[2].starts_s, kept[2].ending) == (inf, "absent")


@pytest.mark.parametrize(
    ("feed", "dark", "expected"),
    [
        ("heard-bilibili:1", (), [0, 2_000]),
        ("heard-bilibili:1", (Span(990, 1_100),), [0]),  # its end was not heard: the session goes on
        ("heard-bilibili:1", (Span(1_990, 2_050),), [0]),
        ("heard-bilibili:1", (Span(1_400, 1_500),), [0, 2_000]),
        ("kept-youtube:1", (Span(990, 1_100),), [0, 2_000]),  # it is told again how it stands
        ("cloud-k:1", (Span(990, 1_100),), [0, 2_000]),  # told late
        ("cloud-k:1", (Span(1_000, 2_001),), [0]),  # never: that the next one had begun was the next word
    ],
)  # fmt: skip
def test_a_session_is_expected_where_the_one_before_was_seen_to_end(
    feed: str, dark: tuple[Span, ...], expected: list[float]
) -> None:
    script = [broadcast(0, -600, 1_000), broadcast(1, 2_000, 9_000)]
    play = cast(Any, StubPlay(BEGAN, [part(0, "bilibili", room="1")], [[*script, broadcast(2, inf, inf)]]))
    case = Case(
        Path(), play, cast(Any, None), BEGAN + timedelta(seconds=3_000), Rules(), {feed: [0]}, {0: feed}, {}, {}, print
    )
    assert expected_openings(case, 0, on_air(script, 1.0), Sight(feed, 0.0, 3_000.0, dark)) == expected

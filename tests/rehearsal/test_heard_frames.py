"""Frames that a socket tells: what is lost, comes twice, or is of another time is found, stamped or not."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from monitor.rehearsal.compare.allowance import Rules
from monitor.rehearsal.compare.case import Case
from monitor.rehearsal.compare.darkness import Served
from monitor.rehearsal.compare.frames import (
    Watched,
    _before_all,
    _compared,
    _instants,
    _set_apart_held,
    _set_apart_lost,
    unknown,
)
from monitor.rehearsal.compare.rooms import sights
from monitor.rehearsal.compare.sightings import Found, Group
from monitor.rehearsal.compare.stops import Span
from monitor.rehearsal.truth import NOT_TOLD, OFF_AIR, Truth

from .small_evening import StubPlay, part

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)
FEED, ROOM_ID = "heard-bilibili:1", 7
# When it was heard, of ticks: whether the room is on air. It begins at 10, is liked at 20.4 and 55.4, and ends at 70.
RIGHT = {10.0: True, 20.5: True, 55.5: True, 70.0: False}


def compared(folder: Path, ticks: Mapping[float, bool], many: int = 1) -> Found:
    with Truth(folder / "t") as truth:
        for at_s, says, outcome in (
            (5.0, NOT_TOLD, "alive"), (10.0, 0, "stamped"), (18.0, NOT_TOLD, "alive"), (20.4, 0, "answered"),
            (54.0, NOT_TOLD, "alive"), (55.4, 0, "answered"), (70.0, OFF_AIR, "stamped"),
        ):  # fmt: skip
            truth.served(FEED, BEGAN + timedelta(seconds=at_s), [says], cast(Any, outcome))
        truth.served(FEED, BEGAN + timedelta(seconds=75), None, "failed")
    play = cast(Any, StubPlay(BEGAN, [part(0, "bilibili", room="1")], []))
    case = Case(
        folder / "t", play, cast(Any, None), BEGAN + timedelta(seconds=900), Rules(), {FEED: [0]}, {0: FEED},
        {0: ROOM_ID}, {ROOM_ID: 0}, print,
    )  # fmt: skip
    groups = {
        at_s: (BEGAN, Group(at_s, many, many * ROOM_ID, many * live, many * live * ROOM_ID, 0, 0))
        for at_s, live in sorted(ticks.items())
    }
    return _compared(case, FEED, groups, _instants(case)[FEED])


def differs(found: Found) -> tuple[int, int, int]:
    """Frames without ticks, ticks without a frame, and pairs that do not say the same."""
    wrong = sum(true[1:] != read[1:] for true, read in found.pairs)
    return len(found.lost), len(found.invented), wrong


def without(at_s: float) -> dict[float, bool]:
    return {at: live for at, live in RIGHT.items() if at != at_s}


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        (RIGHT, (0, 0, 0)),
        (without(20.5), (1, 0, 0)), (without(70.0), (1, 0, 0)),  # lost
        (RIGHT | {20.6: True}, (0, 1, 0)), (RIGHT | {10.5: True}, (0, 1, 0)),  # twice, a moment later
        (without(10.0) | {11.0: True}, (1, 1, 0)),  # what has a stamp has that and no other
        (without(20.5) | {23.0: True}, (0, 0, 0)), (without(20.5) | {26.0: True}, (1, 1, 0)),  # late; far too late
        (without(20.5) | {19.0: True}, (1, 1, 0)),  # before it was said
        (without(70.0) | {70.0: True}, (0, 0, 1)),  # the contrary
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_frame_is_found(
    tmp_path: Path, ticks: Mapping[float, bool], expected: tuple[int, int, int]
) -> None:
    assert differs(compared(tmp_path, ticks)) == expected


def test_two_ticks_of_one_instant_are_one_too_many(tmp_path: Path) -> None:
    assert differs(compared(tmp_path, RIGHT, many=2)) == (0, 0, 4)


def test_what_a_server_calls_before_it_was_seen_is_no_loss_and_later_it_is() -> None:
    hall, call = "hall-e", "call-e:live/0"
    case = cast(Any, SimpleNamespace(feeds={hall: [0, 1], call: [0]}, feed_of={0: hall, 1: hall}))
    seen = Group(12.0, 2, 0, 0, 0, 0, 0)
    for pairs, lost in (([(seen, seen)], [13.0, 400.0]), ([], [])):
        found = Found(call, lost=[-3.0, 11.9, 13.0, 400.0])
        _set_apart_lost(found, [_before_all(case, call, Watched(found={hall: Found(hall, pairs=pairs)}))])
        assert (found.lost, found.lost_blind) == (lost, 4 - len(lost))


def test_likes_that_were_held_in_memory_when_livemon_was_killed_are_no_loss_and_all_else_is() -> None:
    """What begins and ends a broadcast is of some moments sooner in a second, and on disk."""
    found = Found("heard-bilibili:1", lost=[47.999, 48.99, 48.999, 49.0, 49.99, 49.999, 50.999])
    _set_apart_held(found, [50.0], BEGAN)
    assert (found.lost, found.lost_blind) == ([47.999, 48.99, 49.0, 49.99, 50.999], 2)
    _set_apart_lost(found, [Span(50.0, 58.0)])
    assert (found.lost, found.lost_blind) == ([47.999, 48.99, 49.0, 49.99], 3)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("10 stamped, 10.3 alive, 50 stamped, 50.4 alive", []),
        ("10 stamped, 10.3 failed, 70.4 alive", [(10.3, 70.4)]),  # late
        ("10.3 failed, 11.3 failed, 12.3 failed, 50 stamped, 50.4 alive", [(10.3, 50.4)]),  # never, but the next one
        ("10 stamped, 10.3 failed, 40 stamped, 70.4 alive, 70.5 alive", [(10.3, 70.4)]),  # who came meanwhile waited
        ("10 stamped, 10.3 alive, 50.3 failed, 51.3 failed", [(50.3, inf)]),
        ("5 failed, 6 alive, 9 failed, 12 alive", [(5, 6), (9, 12)]),
    ],
)
def test_from_what_was_not_taken_until_the_next_word_nothing_is_known(
    told: str, expected: list[tuple[float, float]]
) -> None:
    instants = {float(at): outcome for at, outcome in (each.split() for each in told.split(", "))}
    assert unknown(cast(Any, instants)) == [Span(*each) for each in expected]


def test_where_changes_alone_are_told_silence_is_no_darkness(tmp_path: Path) -> None:
    """livemon was away from 300 to 320; each feed is heard twice, and one call is not taken at first."""
    feeds = {"hall-a": [0], "cloud-k:live/1": [1], "heard-bilibili:1": [2]}
    parts = [part(0), part(1, hall="K"), part(2, "bilibili", room="1")]
    case = Case(
        tmp_path / "t", cast(Any, StubPlay(BEGAN, parts, [[], [], []])), cast(Any, None),
        BEGAN + timedelta(seconds=900), Rules(), feeds, {0: "hall-a", 1: "cloud-k:live/1", 2: "heard-bilibili:1"},
        {}, {}, print,
    )  # fmt: skip
    seen = [Served(100.0, True, True), Served(600.0, True, True)]
    asked = [Served(float(at), True, True) for at in range(0, 900, 5) if not 300 < at < 320]
    watched = Watched(
        served={"hall-a": asked, "cloud-k:live/1": seen, "heard-bilibili:1": seen},
        unknown={"cloud-k:live/1": [Span(590.0, 600.0)]},
    )
    found = sights(case, watched)
    assert found["cloud-k:live/1"].dark == [Span(300, 320), Span(590, 600)]
    assert found["heard-bilibili:1"].dark == [Span(100, 600)]
    assert [found[feed].until_s for feed in feeds] == [895, 900, 600]
    assert found["cloud-k:live/1"].seen_from_s == 100

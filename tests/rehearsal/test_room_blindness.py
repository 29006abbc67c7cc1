"""Rooms told of one by one are blind when their own answers stay away, alone or together, and not otherwise."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any, cast

import pytest

from monitor.rehearsal.compare.allowance import Rules
from monitor.rehearsal.compare.case import Case
from monitor.rehearsal.compare.darkness import Blind, Served
from monitor.rehearsal.compare.frames import Watched
from monitor.rehearsal.compare.rooms import blindness_checks
from monitor.rehearsal.manners import EVERY_S, MANNERS

from .small_evening import StubPlay, part

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)
LASTS_S, ANSWERED_S = 2_000.0, 0.4  # from question to answer
ONE, OTHER = 11, 12  # room_ids
AWAY = (600.0, 900.0)
WAYS = ("live-wechat", "live-twitch", "kept-youtube", "heard-bilibili")


def served(every_s: float, from_s: float, away: tuple[float, float]) -> list[Served]:
    instants = [from_s + number * every_s for number in range(int(LASTS_S / every_s))]
    return [Served(at_s, True, True) for at_s in instants if not away[0] <= at_s < away[1]]


def compared(feed: str, of_rooms: Sequence[list[Served]], *blind: Blind) -> dict[str, tuple[str, ...]]:
    """What does not hold, with its examples; all lines are there."""
    feeds = {f"{feed}:{number}": [number] for number in range(len(of_rooms))}
    play = cast(Any, StubPlay(BEGAN, [part(number, "x", room=str(number)) for number in range(len(of_rooms))], []))
    until = BEGAN + timedelta(seconds=LASTS_S)
    ids = dict(enumerate((ONE, OTHER)))
    case = Case(
        Path(), play, cast(Any, None), until, Rules(), feeds, {number: name for name, [number] in feeds.items()},
        ids, {room_id: number for number, room_id in ids.items()}, print,
    )  # fmt: skip
    watched = Watched()
    for name, frames in zip(feeds, of_rooms, strict=True):
        watched.served[name] = frames
    checks = blindness_checks(case, watched, blind)
    called = MANNERS[feed.partition("-")[0]].called
    names = [f"blind spans of {called}s", f"instants of blind spans of {called}s", f"blind spans of {called}s invented"]
    assert [check.what for check in checks if "hall" not in check.what and check.what in names] == names
    return {check.what: check.examples for check in checks if check.ok is False}


def evening(feed: str, away: tuple[float, float], other: tuple[float, float] = (0, 0)) -> list[list[Served]]:
    """Of two rooms, the second of which is asked half an interval later."""
    every_s = EVERY_S[feed]
    return [served(every_s, 1.0, away), served(every_s, 1.0 + every_s / 2, other)]


def last_s(frames: Sequence[Served], before_s: float = AWAY[0]) -> float:
    """When livemon asked what was answered last."""
    return max(each.at_s for each in frames if each.at_s < before_s) - ANSWERED_S


def first_s(frames: Sequence[Served], from_s: float = AWAY[1]) -> float:
    return min(each.at_s for each in frames if each.at_s >= from_s) - ANSWERED_S


def all_blind(feed: str, rooms: Sequence[list[Served]], cause: str = "timeout") -> Blind:
    """As livemon writes it: from the last of any room to the first of any."""
    return Blind(feed, max(map(last_s, rooms)), min(map(first_s, rooms)), cause)


@pytest.mark.parametrize("feed", WAYS)
def test_what_was_blind_and_is_said_to_be_holds(feed: str) -> None:
    assert compared(feed, evening(feed, (0, 0))) == {}
    both = evening(feed, AWAY, AWAY)
    assert compared(feed, both, all_blind(feed, both)) == {}
    alone = evening(feed, AWAY)
    assert compared(feed, alone, Blind(feed, last_s(alone[0]), first_s(alone[0]), "http_status", ONE)) == {}
    for_ever = evening(feed, (AWAY[0], inf))
    assert compared(feed, for_ever, Blind(feed, last_s(for_ever[0]), inf, "auth", ONE)) == {}


@pytest.mark.parametrize("feed", WAYS)
def test_a_room_that_was_blind_alone_when_all_became_so_was_blind_once(feed: str) -> None:
    alone_first = evening(feed, (500.0, 900.0), AWAY)
    own = Blind(feed, last_s(alone_first[0], 500.0), last_s(alone_first[1]), "auth", ONE)
    of_all = Blind(feed, last_s(alone_first[1]), min(map(first_s, alone_first)), "timeout")
    assert compared(feed, alone_first, own, of_all) == {}
    assert compared(feed, alone_first, of_all), "the part that it was blind alone is missing"


@pytest.mark.parametrize("feed", WAYS)
def test_what_is_not_said_is_missed(feed: str) -> None:
    called = MANNERS[feed.partition("-")[0]].called
    alone = evening(feed, AWAY)
    missing = compared(feed, alone)
    assert list(missing) == [f"blind spans of {called}s"]
    [example] = missing[f"blind spans of {called}s"]
    assert f"{feed}:0 2026-11-24 12:" in example
    assert len(compared(feed, evening(feed, AWAY, AWAY))[f"blind spans of {called}s"]) == 2
    of_the_other = Blind(feed, last_s(alone[0]), first_s(alone[0]), "timeout", OTHER)
    assert set(compared(feed, alone, of_the_other)) == {
        f"blind spans of {called}s",
        f"blind spans of {called}s invented",
    }


@pytest.mark.parametrize("feed", WAYS)
def test_what_was_seen_all_the_time_was_not_blind(feed: str) -> None:
    called = MANNERS[feed.partition("-")[0]].called
    well = evening(feed, (0, 0))
    for room_id, many in ((ONE, 1), (None, 2)):
        invented = compared(feed, well, Blind(feed, 600.0, 900.0, "timeout", room_id))
        assert {what: len(examples) for what, examples in invented.items()} == {
            f"blind spans of {called}s invented": many
        }
    # It was answered, and livemon let the answers fall: that it calls itself blind is no excuse.
    dropped = [[each._replace(taken=not 600 < each.at_s < 900) for each in frames] for frames in well]
    assert compared(feed, dropped, Blind(feed, 600.0, 900.0, "timeout"))


@pytest.mark.parametrize("feed", WAYS)
def test_the_ends_of_a_span_are_where_frames_were(feed: str) -> None:
    called = MANNERS[feed.partition("-")[0]].called
    alone, off_s = evening(feed, AWAY), Rules().ends_off_s(feed)
    true = Blind(feed, last_s(alone[0]), first_s(alone[0]), "timeout", ONE)
    for late_s, holds in ((off_s - 0.5, True), (off_s + 0.5, False)):
        for span in (true._replace(from_s=true.from_s + late_s), true._replace(to_s=true.to_s + late_s)):
            assert list(compared(feed, alone, span)) == ([] if holds else [f"instants of blind spans of {called}s"])


@pytest.mark.parametrize("feed", WAYS)
def test_our_own_restart_may_be_shorter_than_an_interval(feed: str) -> None:
    well = evening(feed, (0, 0))
    ours = Blind(feed, 600.0, 603.0, "restart")
    assert compared(feed, well, ours) == {}
    assert compared(feed, well, ours._replace(to_s=900.0)), "but not longer than we were away"


@pytest.mark.parametrize("feed", WAYS[:3])
def test_a_room_may_be_answered_an_interval_and_a_slow_answer_after_the_first_of_all(feed: str) -> None:
    slow_s = EVERY_S[feed] + 14.0
    every_s = EVERY_S[feed]
    slow = [*served(every_s, 1.0, (AWAY[0], inf)), *served(every_s, AWAY[1] + slow_s, (LASTS_S, inf))]
    rooms = [served(1.0, 1.0, AWAY), slow]
    assert compared(feed, rooms, all_blind(feed, rooms)) == {}


def test_all_sockets_that_were_cut_may_be_blind_together_until_most_are_back() -> None:
    feed = "heard-bilibili"
    gone, back = Served(600.0, False, False), Served(602.0, True, True)
    cut = [sorted([*frames, gone, back]) for frames in evening(feed, (0, 0))]
    assert compared(feed, cut, Blind(feed, 599.0, 645.0, "closed")) == {}
    assert compared(feed, evening(feed, (0, 0)), Blind(feed, 599.0, 644.0, "closed")), "nobody was cut"
    assert compared(feed, cut, Blind(feed, 599.0, 900.0, "closed")), "they were back long before"


def test_who_cannot_be_blind_is_not_asked() -> None:
    assert {way for way, how in MANNERS.items() if not how.blinds} == {"relay", "count", "call", "cloud"}

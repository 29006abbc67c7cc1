"""Polls that name one room: at an offset of their own, each once a beat, none forgotten, few at once."""

import asyncio
import random
from collections import Counter
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.api_feed import BatchUnseen, RoomUnseen
from collectors.beat import STEP_S, place_of
from collectors.collector import BadFrame
from collectors.room_pace import RoomPace, room_place
from collectors.room_polls import poll_rooms

ROOMS = [f"直播间{number}" for number in range(12_000)]


def beats(pace: RoomPace, until_s: float, step_s: float = 0.25, from_s: float = 0.0) -> list[tuple[float, str]]:
    """All that is due until then, if each answer is there at once."""
    found, at_s = [], from_s
    while at_s < until_s:
        while (room := pace.take(at_s)) is not None:
            found.append((at_s, room))
            pace.asked(room, at_s)
        at_s += step_s
    return found


def test_12_000_polls_at_30_s_do_not_come_in_one_instant() -> None:
    seconds = Counter(int(at_s) for at_s, _ in beats(RoomPace("f", ROOMS, 30.0, 0.0), 60.0))
    assert sum(seconds.values()) == pytest.approx(24_000, abs=400)
    assert max(seconds.values()) < 500, "400 are even"
    assert min(seconds.values()) > 300


def test_who_is_asked_is_asked_with_others_and_steps_are_even() -> None:
    """Of 12,000 at 30 s about twenty come at each of 600 steps; an interval that is shorter than a step has one."""
    due = RoomPace("f", ROOMS, 30.0, 0.0)._due
    assert max(abs(at_s / STEP_S - round(at_s / STEP_S)) for at_s, _ in due) < 1e-6
    instants = Counter(round(at_s / STEP_S) for at_s, _ in due)
    assert len(instants) == 600
    assert max(instants.values()) < 45, "20 are even"
    short = Counter(round(at_s, 6) for at_s, _ in RoomPace("f", ROOMS[:1_000], 0.02, 0.0)._due)
    assert len(short) == 1
    assert all(0.0 <= room_place("f", room, 7.3) < 1.0 for room in ROOMS[:1_000])


def test_each_room_is_asked_once_an_interval() -> None:
    asked = [room for _, room in beats(RoomPace("f", ROOMS[:500], 30.0, 100.0), 130.0 - 0.25, from_s=100.0)]
    assert Counter(asked).most_common(1)[0][1] == 1
    assert len(asked) >= 485, "and the rest in the last quarter of a second"


def test_whoever_begins_anew_meets_the_same_beats() -> None:
    """A roster that changes every few seconds keeps no room from its turn: only a poll that was under way is lost."""
    last, at_s = dict.fromkeys(ROOMS[:200], 0.0), 0.0
    for _ in range(60):
        pace = RoomPace("f", ROOMS[:200], 30.0, at_s)
        for asked_s, room in beats(pace, at_s + 7.0, from_s=at_s):
            assert asked_s - last[room] <= 60.5
            last[room] = asked_s
        at_s += 7.0
    assert min(last.values()) > 7 * 60 - 61


def test_feeds_do_not_beat_together() -> None:
    assert len({round(place_of(feed, "room"), 6) for feed in ("a", "b", "c", "甲")}) == 4


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40), st.floats(0.05, 900), st.floats(0, 1e9), st.lists(st.floats(0, 5_000), max_size=60),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_nobody_is_taken_twice_or_early_and_all_come_again(
    count: int, interval_s: float, at_s: float, waits: list[float], luck: random.Random
) -> None:
    pace = RoomPace("f", ROOMS[:count], interval_s, at_s)
    out, due = set[str](), dict[str, float]()
    for wait_s in waits:
        at_s += wait_s
        while (room := pace.take(at_s)) is not None:
            assert room not in out
            assert due.get(room, 0.0) <= at_s
            out.add(room)
        for room in sorted(out):
            if luck.random() < 0.5:
                slow_s, rest_s = luck.choice([None, 0.0, interval_s * 3]), luck.choice([0.0, 11.0])
                pace.asked(room, at_s, slow_s, rest_s)
                due[room] = at_s + rest_s
                out.discard(room)
    for room in out:
        pace.asked(room, at_s)
    assert pace.wait_s(at_s) <= max(3 * interval_s, 0.0) + 11.0 + interval_s
    later_s = at_s + 11.0 + 4 * interval_s + 1
    assert len({pace.take(later_s) for _ in range(count)} - {None}) == count
    assert pace.wait_s(later_s) == inf


def test_a_feed_that_is_begun_anew_asks_whom_it_did_not_reach_and_no_one_else_before_his_time() -> None:
    pace = RoomPace("f", ["asked", "cut off", "failed"], 10.0, 0.0, stretched_s=200.0)
    assert {pace.take(10.0) for _ in range(3)} == {"asked", "cut off", "failed"}, "the first beats are within ten"
    pace.asked("asked", 10.0)
    pace.failed("failed", 10.0)
    pace.begin(11.0)
    assert {pace.take(21.0), pace.take(21.0)} == {"cut off", "failed"}
    assert pace.take(21.0) is None
    assert pace.take(210.0) == "asked"


def test_whose_beat_went_by_while_the_feed_was_away_comes_within_the_usual_interval() -> None:
    pace = RoomPace("f", ROOMS[:100], 10.0, 0.0, stretched_s=200.0)
    beats(pace, 10.25)
    pace.begin(1_000.0)
    found = beats(pace, 1_010.25, from_s=1_000.0)
    assert {room for _, room in found} == set(ROOMS[:100])
    assert len({at_s for at_s, _ in found}) > 20, "and not all in one instant"


def test_who_fails_again_and_again_is_asked_as_rarely_as_ever() -> None:
    pace, at_s, waits = RoomPace("f", ["a"], 10.0, 0.0, stretched_s=100.0), 10.0, []
    for _ in range(40):
        assert pace.take(at_s) == "a"
        pace.failed("a", at_s)
        waits.append(pace.wait_s(at_s))
        at_s += waits[-1]
    assert all(
        wait_s <= longest_s + 1e-6 for wait_s, longest_s in zip(waits, (10, 20, 40, 80, *[100] * 36), strict=True)
    )
    assert waits[-1] == pytest.approx(100.0)
    assert pace.take(at_s) == "a"
    pace.asked("a", at_s)
    pace.take(at_s + 100.0)
    pace.failed("a", at_s + 100.0)
    assert pace.wait_s(at_s + 100.0) <= 10.0, "an answer forgets them"


def test_a_quota_stretches_one_room_and_the_feed_says_how_long_it_may_be_silent() -> None:
    pace = RoomPace("f", ["a", "b"], 30.0, 0.0)
    assert {pace.take(31.0), pace.take(31.0)} == {"a", "b"}
    assert not pace.asked("a", 31.0, 200.0)
    assert pace.shortest_s == 30.0, "b is asked as usual"
    assert pace.asked("b", 31.0, 300.0)
    assert pace.shortest_s == 200.0
    assert 31.0 + 200.0 >= 31.0 + pace.wait_s(31.0) > 31.0
    pace.take(400.0)
    assert pace.asked("a", 400.0, 0.0)
    assert pace.shortest_s == 30.0
    with pytest.raises(ValueError, match="interval"):
        RoomPace("f", [], 0.0, 0.0)


def test_who_brings_nothing_makes_nobody_impatient_with_those_who_do() -> None:
    pace = RoomPace("f", ["slow", "dark"], 30.0, 0.0)
    assert {pace.take(31.0), pace.take(31.0)} == {"slow", "dark"}
    assert not pace.asked("slow", 31.0, 200.0)
    assert pace.shortest_s == 30.0, "the other may answer yet"
    assert pace.asked("dark", 31.0, answered=False)
    assert pace.shortest_s == 200.0
    assert {pace.take(231.0), pace.take(231.0)} == {"slow", "dark"}
    assert not pace.asked("dark", 231.0, answered=False)
    assert pace.wait_s(231.0) <= 30.0, "it is asked as often as ever"
    assert not pace.asked("slow", 231.0, answered=False)
    assert pace.shortest_s == 200.0, "nobody answers, and nobody is asked any sooner for it"
    assert {pace.take(431.0), pace.take(431.0)} == {"slow", "dark"}
    assert pace.asked("dark", 431.0)
    assert pace.shortest_s == 30.0


async def test_a_call_whose_rooms_are_unseen_ends_nothing_and_comes_again_before_its_turn() -> None:
    asked = Counter[str]()

    async def ask(call: str) -> None:
        asked[call] += 1
        if call == "bad":
            raise BatchUnseen("http_status")
        if call == "rests":
            raise BatchUnseen("http_status", 3600.0)

    pace = RoomPace("f", ["bad", "rests", "good"], 0.05, asyncio.get_running_loop().time(), stretched_s=3600.0)
    task = asyncio.create_task(poll_rooms(pace, ask, lambda _: None))
    async with asyncio.timeout(10):
        while asked["bad"] < 4:
            await asyncio.sleep(0.001)
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])
    assert (asked["good"], asked["rests"]) == (1, 1)


async def test_few_are_asked_at_once_and_a_slow_one_holds_up_nobody() -> None:
    asked, under_way, most = Counter[str](), 0, 0
    never = asyncio.Event()

    async def ask(room: str) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        asked[room] += 1
        await (never.wait() if room == ROOMS[0] else asyncio.sleep(0.001))
        under_way -= 1

    pace = RoomPace("f", ROOMS[:30], 0.02, asyncio.get_running_loop().time())
    task = asyncio.create_task(poll_rooms(pace, ask, lambda _: None, at_once_max=4))
    async with asyncio.timeout(10):
        while min(asked[room] for room in ROOMS[1:30]) < 3:
            await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.wait([task])
    assert (asked[ROOMS[0]], most) == (1, 4)


async def test_what_is_wrong_with_one_room_ends_nothing_and_all_else_does() -> None:
    asked = Counter[str]()

    async def ask(room: str) -> None:
        asked[room] += 1
        if room == "dark":
            raise RoomUnseen("auth", 3600.0)
        if room == "odd":
            raise BadFrame("no json")
        if asked["fine"] >= 5:
            raise ConnectionError("all of it")

    pace = RoomPace("f", ["dark", "odd", "fine"], 0.01, asyncio.get_running_loop().time())
    with pytest.raises(ExceptionGroup) as failed:
        async with asyncio.timeout(10):
            await poll_rooms(pace, ask, lambda _: None)
    assert failed.group_contains(ConnectionError)
    assert asked["odd"] >= 2, "it is asked again at its next beat"
    assert asked["dark"] == 1, "not before it is worth another try"

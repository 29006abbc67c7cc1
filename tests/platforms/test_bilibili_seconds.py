"""Bilibili stamps with whole seconds: what else is known of such a second hides neither a beginning nor a sign-off."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.asked_frame import Asked, framed
from collectors.hook import App
from collectors.platforms.bilibili_oauth import BilibiliOauth
from collectors.whole_seconds import as_heard, before_all
from monitor.facts import Heard, Slot
from monitor.live.session import Session
from monitor.live.watch import Watch

from .bilibili_house import roster_row, row

SECOND = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIVE, OFFLINE = 1, 0
TOLD, ASKED = row(["5"]), BilibiliOauth(name="asked", app="b", rooms=["5"])
APP = App("bili", "bilibili")


def after(seconds: float) -> datetime:
    return SECOND + timedelta(seconds=seconds)


class Evening:
    """One room, told of and asked about, that should be on air; it was off air an hour ago."""

    def __init__(self, on_air: bool = True) -> None:
        self.put: list[Heard] = []
        self.watch = Watch()
        self.watch.load([roster_row("5")], (Slot(5, SECOND - HOUR, SECOND + HOUR),), [TOLD, ASKED], SECOND - HOUR)
        self.watch.hear("bili", SECOND - HOUR, (), SECOND - HOUR)
        self.asked(-3_600, False)
        if on_air:
            self.told("LIVE_START", -1_800, -1_799.5)
        self.before = len(self.changes)

    def asked(self, at_s: float, live: bool) -> None:
        body = json.dumps({"code": 0, "data": {"room_id": 5, "is_streaming": live}}).encode()
        ticks = ASKED.parse(framed(Asked(["5"]), body), after(at_s))
        self.put.append(self.watch.hear("asked", after(at_s), ticks, after(at_s + 0.05)))

    def told(self, name: str, stamp_s: int, heard_s: float) -> None:
        data = {"room_id": 5, "timestamp": int(after(stamp_s).timestamp()), "open_id": "o"}
        frame = b"5\n" + json.dumps({"cmd": f"LIVE_OPEN_PLATFORM_{name}", "data": data}).encode()
        ticks = TOLD.parse(frame, after(heard_s), APP).ticks
        assert all(tick.at <= after(heard_s) for tick in ticks)
        self.put.append(self.watch.hear("bili", after(heard_s), ticks, after(heard_s + 0.3), whole=False))

    def asked_on(self, live: bool) -> None:
        """For five minutes more: grace runs out meanwhile."""
        for number in range(1, 11):
            self.asked(30.0 * number, live)
            self.put.append(self.watch.tend(after(30.0 * number + 1)))

    def restarted(self) -> None:
        """livemon ended, and starts again from what was sealed until then."""
        states = [change.state for heard in self.put for change in heard.changes]
        feeds = [heard.feed for heard in self.put if heard.feed is not None]
        self.watch = Watch()
        self.watch.load([roster_row("5")], (Slot(5, SECOND - HOUR, SECOND + HOUR),), [TOLD, ASKED], after(5))
        session = msgspec.msgpack.decode(states[-1], type=Session)
        self.watch.restore({("bilibili", "5"): session}, feeds, after(5))

    @property
    def changes(self) -> Sequence[tuple[str, str | None]]:
        return [(change.change, change.cause) for heard in self.put for change in heard.changes]

    @property
    def since(self) -> Sequence[tuple[str, str | None]]:
        return self.changes[self.before :]

    @property
    def state(self) -> int:
        return self.watch.rooms[0].state


@pytest.mark.parametrize("heard_s", [0.75, 0.9, 1.2, 8.0, 60.0])
def test_a_sign_off_is_one_though_the_room_was_asked_about_earlier_in_its_second(heard_s: float) -> None:
    evening = Evening()
    evening.asked(0.1, True)
    evening.told("LIVE_END", 0, heard_s)
    assert evening.state == OFFLINE
    evening.asked_on(False)
    assert evening.since == [("closed", "ended")]
    assert (evening.state, evening.watch.rooms[0].drops_total) == (OFFLINE, 0)


@pytest.mark.parametrize("heard_s", [0.75, 0.9, 1.2, 8.0, 20.0])
def test_a_beginning_is_known_at_once_though_the_room_was_asked_about_earlier_in_its_second(heard_s: float) -> None:
    evening = Evening(on_air=False)
    evening.asked(0.1, False)
    evening.told("LIVE_START", 0, heard_s)
    assert evening.state == LIVE
    evening.asked_on(True)
    assert evening.since == [("opened", "event")]


@pytest.mark.parametrize(("first_s", "then_s"), [(0.4, 0.400_05), (0.4, 0.8), (0.9, 1.2), (1.2, 1.2), (3.0, 9.0)])
def test_who_signs_off_and_begins_anew_within_a_second_is_on_air_again(first_s: float, then_s: float) -> None:
    evening = Evening()
    evening.asked(0.1, True)
    evening.told("LIVE_END", 0, first_s)
    evening.told("LIVE_START", 0, then_s)
    evening.asked_on(True)
    assert evening.since == [("closed", "ended"), ("opened", "event")]
    assert evening.state == LIVE


@pytest.mark.parametrize(("first_s", "then_s"), [(0.4, 0.400_05), (0.4, 0.8), (0.9, 1.2), (1.2, 1.22), (3.0, 9.0)])
def test_who_begins_and_signs_off_within_a_second_is_off_air(first_s: float, then_s: float) -> None:
    evening = Evening(on_air=False)
    evening.asked(0.1, False)
    evening.told("LIVE_START", 0, first_s)
    evening.told("LIVE_END", 0, then_s)
    evening.asked_on(False)
    assert evening.since == [("opened", "event"), ("closed", "ended")]
    assert evening.state == OFFLINE


@pytest.mark.parametrize("heard_s", [0.3, 1.2])
def test_what_is_read_again_after_a_restart_begins_and_ends_nothing_anew(heard_s: float) -> None:
    """What was on disk and not yet read has its own instant; also what was read and told, if it came again."""
    evening = Evening()
    for name, later_s in (("LIVE_END", 0.0), ("LIVE_START", 0.1)):
        evening.told(name, 0, heard_s + later_s)
    assert evening.since == [("closed", "ended"), ("opened", "event")]
    evening.restarted()
    for name, later_s in (("LIVE_END", 0.0), ("LIVE_START", 0.1)):
        evening.told(name, 0, heard_s + later_s)
    assert len(evening.since) == 2


HEARD_US = st.integers(-5_000_000, 30_000_000)


@given(HEARD_US, HEARD_US, st.booleans(), st.booleans())
def test_the_instant_is_within_the_second_never_after_it_was_heard_and_in_that_order(
    one_us: int, other_us: int, one_live: bool, other_live: bool
) -> None:
    first_us, then_us = sorted((one_us, other_us))
    first, then = (SECOND + timedelta(microseconds=it) for it in (first_us, then_us))
    at, then_at = as_heard(SECOND, one_live, first), as_heard(SECOND, other_live, then)
    assert at <= first
    assert at >= min(first, SECOND + timedelta(milliseconds=990))
    assert at < before_all(SECOND + timedelta(seconds=1))
    if (then_us - first_us >= 20_000 and first_us < 10_000_000) or first_us < then_us < 990_000:
        assert at < then_at
    if not one_live and other_live and first_us < then_us:
        assert at < then_at
    assert as_heard(SECOND, one_live, first) == at

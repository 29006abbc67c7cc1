"""A feed that spreads a day's quota fails and is begun anew: that costs a question, and not one of each."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise

import aiohttp
import pytest

from collectors.apis.youtube import YoutubeApi
from collectors.apis.youtube_calls import BATCH_MAX, interval_of
from collectors.hook import App
from collectors.platforms.youtube import Youtube
from monitor.facts import BlindSpan, Heard, RosterRoom
from monitor.live.failure import Reason
from monitor.live.supervise import Outlets, Supervisor
from monitor.live.watch import Watch
from monitor.rehearsal.platforms.api_server import Asked, Told
from monitor.rehearsal.platforms.youtube_api import FakeYoutube

from ..accounts.simulated import EPOCH, now, simulate
from .straight import straight

ROOMS = [f"v-{number}" for number in range(1_000)]
STRETCHED_S = interval_of(len(ROOMS), 10_000)
CALLS = len(ROOMS) // BATCH_MAX
AWAY = Told({"error": {"code": 503, "errors": [{"reason": "backendError"}]}}, 503)


class Evening:
    """`fails`: of a call that names this first room at this second, whether it does. `asked`: when each was."""

    def __init__(
        self, fails: Callable[[str, float], bool], rooms: Sequence[str] = ROOMS, units_per_day: int = 10_000
    ) -> None:
        self.fails, self.fake = fails, FakeYoutube("", b"KEY", now)
        self.row = Youtube(name="youtube", app="youtube", rooms=list(rooms), units_per_day=units_per_day)
        self.asked: dict[str, list[float]] = {}
        self.failed, self.spans = Counter[str](), list[BlindSpan]()

    @property
    def calls(self) -> int:
        return sum(map(len, self.asked.values()))

    def answer(self, asked: Asked) -> Told:
        first, at_s = asked.query["id"].split(",")[0], asyncio.get_running_loop().time()
        self.asked.setdefault(first, []).append(at_s)
        return AWAY if self.fails(first, at_s) else self.fake.answer(asked)

    def play(self, hours: float) -> "Evening":
        simulate(self._kept(hours))
        return self

    async def _kept(self, hours: float) -> None:
        row, watch = self.row, Watch()
        rooms = enumerate(row.rooms or (), 1)
        watch.load([RosterRoom(number, "youtube", room) for number, room in rooms], (), [row], now())
        app, luck = App("youtube", "youtube", "", (b"KEY",)), random.Random(7)
        unseen = partial(self._unseen, watch)
        async with straight(row, YoutubeApi(), app, self, now, unseen) as (line, _), aiohttp.ClientSession() as http:
            keeper = Supervisor(line, watch, now, self._outlets(), uniform=luck.uniform, silence_after_s=30.0)
            task = asyncio.ensure_future(keeper.run(http))
            await asyncio.wait([task], timeout=hours * 3_600)
            task.cancel()
            await asyncio.wait([task])

    def _unseen(self, watch: Watch, feed: str, rooms: Sequence[str], reason: Reason) -> None:
        self.failed.update([reason])
        for room in rooms:
            self._put(watch.fail_room(feed, room, reason, now()))

    def _put(self, heard: Heard) -> None:
        self.spans.extend(span for span in heard.spans if span.to_at is not None)

    def _outlets(self) -> Outlets:
        async def room(ticks: int, facts: int) -> None: ...

        return Outlets(
            room=room, put=self._put, quarantine=lambda *told: None, heard=lambda feed: None,
            polled=lambda feed, s: None, failed=lambda feed, reason: self.failed.update([reason]),
        )  # fmt: skip


def once(after_s: float) -> Callable[[str, float], bool]:
    """The first fifty fail in their first call after this second, and in no other."""
    failing = [ROOMS[0]]

    def fails(first: str, at_s: float) -> bool:
        if at_s < after_s or first not in failing:
            return False
        failing.clear()
        return True

    return fails


def planned(hours: float) -> float:
    return CALLS * hours * 3_600 / STRETCHED_S


def gaps(instants: Iterable[float]) -> list[float]:
    return [later - before for before, later in pairwise(instants)]


def test_calls_that_fail_now_and_then_cost_what_they_are_and_not_the_days_quota() -> None:
    luck = random.Random(3)
    played = Evening(lambda first, at_s: luck.random() < 0.03).play(3)
    assert 20 < played.failed["http_status"] < 60
    assert set(played.failed) == {"http_status"}, "each is counted, and none is a silence or a spent quota"
    assert planned(3) * 0.95 < played.calls < planned(3) * 1.1


def test_who_was_not_answered_is_asked_again_soon_and_the_others_at_their_beats() -> None:
    played = Evening(once(3_600)).play(2)
    assert played.failed == {"http_status": 1}
    for first, instants in played.asked.items():
        later = [gap for gap in gaps(instants) if gap > STRETCHED_S + 0.5]
        assert not later, "nobody waits longer than without the failure"
        soon = [gap for gap in gaps(at for at in instants if at > 300) if gap < STRETCHED_S - 0.5]
        assert len(soon) == (2 if first == ROOMS[0] else 0), "once more, and then at its beat"
    assert min(gaps(played.asked[ROOMS[0]])) < 11


def test_fifty_that_always_fail_do_not_take_the_quota_of_the_others() -> None:
    played = Evening(lambda first, at_s: first == ROOMS[0]).play(3)
    assert played.calls < planned(3) * 1.1
    assert len(played.asked[ROOMS[0]]) > 0.9 * planned(3) / CALLS


def test_whose_beats_are_far_apart_is_not_silent_after_a_failure() -> None:
    """Fifty rooms, and a hundred calls a day: one in a quarter of an hour."""
    played = Evening(once(2_000), ROOMS[:50], 100)
    played.play(3)
    assert played.failed == {"http_status": 1}
    assert played.calls <= 1 + 3 * 3_600 / interval_of(50, 100) + 2
    assert played.spans == []


@pytest.mark.parametrize("away_s", [30, 900])
def test_after_an_outage_all_are_asked_as_soon_as_one_may_be(away_s: float) -> None:
    """The span of it ends when a call is answered; no room has to wait for longer than it always does."""
    back_s = 3_600.0 + away_s
    played = Evening(lambda first, at_s: 3_600 <= at_s < back_s).play(1 + away_s / 3_600 + 0.2)
    seen = [min(at for at in instants if at >= back_s) - back_s for instants in played.asked.values()]
    assert len(seen) == CALLS
    assert min(seen) < 60 + 11, "the longest back-off, and the usual interval"
    assert max(seen) < STRETCHED_S + 60
    whole = [span for span in played.spans if span.room is None and span.to_at]
    assert [span.cause for span in whole] == ["http_status"]
    assert 0 < (whole[0].to_at - EPOCH).total_seconds() - back_s < 60 + 11
    assert played.calls < planned(1 + away_s / 3_600 + 0.2) * 1.1 + CALLS

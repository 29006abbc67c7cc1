"""One of several calls fails and the others do not: its rooms are blind, and no other; all fail: the feed is."""

import asyncio
from collections.abc import Callable, Sequence

import aiohttp
import pytest

from collectors.apis.twitch import TwitchApi
from collectors.apis.youtube import YoutubeApi
from collectors.hook import App
from collectors.platforms.twitch import Twitch
from collectors.platforms.youtube import Youtube
from monitor.facts import BlindSpan, Heard, RosterRoom
from monitor.live.failure import Reason
from monitor.live.sight import platform_of
from monitor.live.supervise import Outlets, Supervisor
from monitor.live.watch import Watch
from monitor.rehearsal.platforms.api_server import Asked, Told
from monitor.rehearsal.platforms.twitch_api import FakeTwitch
from monitor.rehearsal.platforms.youtube_api import FakeYoutube, PlayedVideo

from ..accounts.simulated import now, simulate
from .stage import BLIND, LIVE
from .straight import straight
from .twitch_played import APP

ROOMS = [str(number) for number in range(1_000, 1_400)]
KINDS = {"twitch": 100, "youtube": 50}
Fails = Callable[[str, float], int]
"""Of a call whose first room is this, at this second: by which status it fails; 0: it does not."""


class Batches:
    """Four hundred rooms that are all on air, with all that became of them."""

    def __init__(self, kind: str, fails: Fails) -> None:
        self.fails, self.size, self.calls = fails, KINDS[kind], 0
        self.row: Twitch | Youtube
        self.fake: FakeTwitch | FakeYoutube
        if kind == "twitch":
            self.row = Twitch(name="f", app="twitch", rooms=list(ROOMS), interval_s=5.0)
            self.app, self.api = APP, TwitchApi()
        else:
            self.row = Youtube(name="f", app="youtube", rooms=list(ROOMS), units_per_day=10**6)
            self.app, self.api = App("youtube", "youtube", "", (b"KEY",)), YoutubeApi()
        self.watch = Watch()
        self.spans, self.changes, self.failed = list[BlindSpan](), set[str](), list[Reason]()

    @property
    def feed(self) -> str:
        return self.watch.feeds["f"].state

    @property
    def dark(self) -> list[str]:
        """Whose session is blind, and says so."""
        blind = [room for room in self.watch.rooms if room.session.is_blind and room.state == BLIND]
        assert all(room.state == LIVE for room in self.watch.rooms if room not in blind)
        return sorted(room.external_id for room in blind)

    def answer(self, asked: Asked) -> Told:
        first = (asked.query.get("user_id") or asked.query.get("id", "")).split(",")[0]
        if isinstance(self.fake, FakeTwitch):
            first = asked.query_string.partition("user_id=")[2].partition("&")[0]
        self.calls += 1
        if first and (status := self.fails(first, asyncio.get_running_loop().time())):
            return Told({"error": {"code": status, "errors": [{"reason": "whatever"}]}}, status)
        for stream in (self.fake.streams if isinstance(self.fake, FakeTwitch) else self.fake.videos).values():
            stream.viewers = 100 + self.calls % 7  # a number that never moves says that what is told is old
        return self.fake.answer(asked)

    def unseen(self, feed: str, rooms: Sequence[str], reason: Reason) -> None:
        self.failed.append(reason)
        for room in rooms:
            self._put(self.watch.fail_room(feed, room, reason, now()))

    def play(self, seconds: float) -> "Batches":
        simulate(self._kept(seconds))
        return self

    async def _kept(self, seconds: float) -> None:
        if isinstance(self.row, Twitch):
            self.fake = FakeTwitch(APP.key, APP.secrets[0], now)
            for room in ROOMS:
                self.fake.on_air(room, 5)
        else:
            self.fake = FakeYoutube("", b"KEY", now, units=10**6)
            self.fake.videos = {it: PlayedVideo(it, scheduled_at=now(), began_at=now(), viewers=5) for it in ROOMS}
        roster = [RosterRoom(number, platform_of(self.row), room) for number, room in enumerate(ROOMS, 1)]
        self.watch.load(roster, (), [self.row], now())
        async with (
            straight(self.row, self.api, self.app, self, now, self.unseen) as (line, _),
            aiohttp.ClientSession() as http,
        ):
            keeper = Supervisor(line, self.watch, now, self._outlets(), silence_after_s=30.0)
            task = asyncio.ensure_future(keeper.run(http))
            await asyncio.wait([task], timeout=seconds)
            task.cancel()
            await asyncio.wait([task])

    def _put(self, heard: Heard) -> None:
        self.spans += [span for span in heard.spans if span.to_at is not None]
        self.changes |= {change.change for change in heard.changes}

    def _outlets(self) -> Outlets:
        async def room(ticks: int, facts: int) -> None: ...

        return Outlets(
            room=room, put=self._put, quarantine=lambda *told: None, heard=lambda feed: None,
            polled=lambda feed, s: None, failed=lambda feed, reason: self.failed.append(reason),
        )  # fmt: skip


def of_one(kind: str, status: int, from_s: float, to_s: float = 1e9) -> Fails:
    first = ROOMS[KINDS[kind]]
    return lambda asked, at_s: status if asked == first and from_s <= at_s < to_s else 0


@pytest.mark.parametrize("status", [400, 404, 503])
@pytest.mark.parametrize("kind", KINDS)
def test_rooms_of_a_call_that_always_fails_are_blind_and_no_others(kind: str, status: int) -> None:
    played = Batches(kind, of_one(kind, status, 60)).play(600)
    assert played.dark == ROOMS[played.size : 2 * played.size]
    assert played.feed == "ok"
    assert played.changes == {"opened"}, "nobody dropped"
    assert played.spans == [], "they are blind still, and the feed never was"
    assert {span.cause for span in played.watch.feeds["f"].single.dark.values()} == {"http_status"}
    assert len(played.failed) <= 600 / played.row.interval_s + 1, "a failure is counted once, not for each room"


@pytest.mark.parametrize("kind", KINDS)
def test_rooms_of_a_call_that_always_failed_are_blind_from_the_start(kind: str) -> None:
    played = Batches(kind, of_one(kind, 503, 0)).play(120)
    assert [room.external_id for room in played.watch.rooms if room.state != LIVE] == ROOMS[
        played.size : 2 * played.size
    ]
    assert played.watch.feeds["f"].single.dark.keys() == set(ROOMS[played.size : 2 * played.size])
    assert played.feed == "ok"


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_answer_ends_it(kind: str) -> None:
    played = Batches(kind, of_one(kind, 400, 60, 120)).play(200)
    assert (played.dark, played.feed, played.changes) == ([], "ok", {"opened"})
    assert sorted(span.room or "" for span in played.spans) == ROOMS[played.size : 2 * played.size]


@pytest.mark.parametrize("kind", KINDS)
def test_one_failure_may_be_chance(kind: str) -> None:
    left = [ROOMS[0]]
    played = Batches(kind, lambda first, at_s: 503 if at_s > 60 and first in left and not left.clear() else 0).play(200)
    assert (played.dark, played.feed, played.spans) == ([], "ok", [])
    assert played.failed == ["http_status"]


@pytest.mark.parametrize("status", [400, 503])
@pytest.mark.parametrize("kind", KINDS)
def test_when_all_fail_it_is_one_blind_feed(kind: str, status: int) -> None:
    played = Batches(kind, lambda first, at_s: status if 60 <= at_s < 180 else 0).play(300)
    assert [(span.room, span.cause) for span in played.spans] == [(None, "http_status")]
    assert (played.dark, played.feed, played.changes) == ([], "ok", {"opened"})


@pytest.mark.parametrize("kind", KINDS)
def test_when_all_others_fail_beside_what_always_fails_it_is_one_blind_feed(kind: str) -> None:
    played = Batches(kind, lambda first, at_s: 400 if first == ROOMS[0] or 60 <= at_s < 180 else 0).play(300)
    assert [span.cause for span in played.spans if span.room is None] == ["http_status"]
    assert {span.room for span in played.spans} == {None, *ROOMS[: played.size]}
    assert (played.feed, played.changes) == ("ok", {"opened"})

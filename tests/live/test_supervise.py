"""A collector is kept running: tried again with patience, named when it fails, never a drop."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from collectors.collector import BadFrame, Emit, FeedRefused, FeedRow, Now, PartlyRead
from collectors.tick import Tick
from monitor.facts import Heard, RosterRoom
from monitor.live.supervise import REFUSED_RETRY_S, Outlets, Supervisor
from monitor.live.watch import Watch
from tests.live.scripts import at
from tests.live.test_failure import refusal

ROOM, OTHER = "live/小雪", "live/阿强"
Act = Callable[[Emit, Now], Any]


class Played(FeedRow, tag="played", frozen=True, kw_only=True):
    """A feed whose connections are acts, one after the other; after the last one the play is over."""

    PLATFORM = "p"
    RETRY_S_MAX = 8.0
    acts: list[Any]

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        if not self.acts:
            raise asyncio.CancelledError
        await self.acts.pop(0)(emit, now)

    def parse(self, frame: bytes, at: datetime) -> Sequence[Tick]:
        if frame == b"bad":
            raise BadFrame("not_xml: 坏的")
        if frame.startswith(b"partly"):
            ticks = [Tick(self.name, ROOM, at, "status", True)] if frame == b"partly" else []
            raise PartlyRead("unfit: of 1 rooms: live is a table", ticks, {OTHER: "bad_frame"}, b'{"live": {}}')
        if frame == b"unasked":
            raise PartlyRead("timeout: the call failed", [], {OTHER: "timeout"})
        if frame == b"coarse":
            raise PartlyRead("timeout: the clients were not listed", [Tick(self.name, ROOM, at, "status", True)], {})
        if frame == b"hidden":
            raise PartlyRead("reload: rooms of a former worker", [], {OTHER: "reload"}, whole=True)
        if frame == b"bug":
            raise ZeroDivisionError("a bug in parse")
        return [Tick(self.name, ROOM, at, "status", frame == b"live")]


class Stage:
    """Everything around one supervised feed; sleeping takes no time, and is written down."""

    def __init__(self, *acts: Act, silence_s_max: float = 0.05) -> None:
        self.feed = Played(name="feed", acts=list(acts), silence_s_max=silence_s_max)
        self.watch = Watch()
        self.watch.load([RosterRoom(1, "p", ROOM)], (), [self.feed], at(0))
        self.seconds = 0.0
        self.slept: list[float] = []
        self.put: list[Heard] = []
        self.quarantined: list[tuple[bytes, str]] = []
        self.failed: list[str] = []
        self.messages = 0
        self.polled: list[float] = []
        self.room_is_there = asyncio.Event()
        self.room_is_there.set()
        self.supervisor = Supervisor(self.feed, self.watch, self.now, self.outlets(), self.sleep, lambda _, most: most)

    def outlets(self) -> Outlets:
        async def room(ticks: int, facts: int) -> None:
            await self.room_is_there.wait()

        def heard(feed: str) -> None:
            self.messages += 1

        return Outlets(
            room=room,
            put=self.put.append,
            quarantine=lambda feed, frame, at, reason: self.quarantined.append((frame, reason)),
            failed=lambda feed, reason: self.failed.append(reason),
            heard=heard,
            polled=lambda feed, seconds: self.polled.append(seconds),
        )

    def now(self) -> datetime:
        self.seconds += 1
        return at(self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def play(self) -> "Stage":
        async with asyncio.timeout(10):
            with pytest.raises(asyncio.CancelledError):
                await self.supervisor.run(None)  # type: ignore[arg-type]
        return self

    @property
    def causes(self) -> list[str]:
        return [span.cause for heard in self.put for span in heard.spans if span.to_at is None]


def frames(*texts: bytes) -> Act:
    async def act(emit: Emit, now: Now) -> None:
        for text in texts:
            await emit(text, now())

    return act


def failing(error: Exception, *texts: bytes) -> Act:
    async def act(emit: Emit, now: Now) -> None:
        await frames(*texts)(emit, now)
        raise error

    return act


async def silent(emit: Emit, now: Now) -> None:
    await asyncio.sleep(60)


async def test_a_frame_becomes_a_step_of_the_watch_and_is_counted():
    stage = await Stage(frames(b"live", b"gone")).play()
    assert [change.change for heard in stage.put for change in heard.changes] == ["opened", "dropped"]
    assert (stage.messages, stage.polled) == (2, [1.0, 1.0])


async def test_each_failure_doubles_the_wait_up_to_the_kind_s_cap():
    stage = await Stage(*[failing(OSError("unreachable"))] * 7).play()
    assert stage.slept == [0.5, 1, 2, 4, 8, 8, 8]


async def test_a_frame_is_proof_of_health_and_forgets_the_failures():
    stage = await Stage(*[failing(OSError())] * 3, failing(OSError(), b"live"), failing(OSError())).play()
    assert stage.slept == [0.5, 1, 2, 0.5, 1]


async def test_the_wait_is_drawn_between_nothing_and_the_ceiling():
    drawn = []
    stage = Stage(failing(OSError()))
    stage.supervisor.uniform = lambda least, most: drawn.append((least, most)) or 0.125  # type: ignore[func-returns-value]
    await stage.play()
    assert (drawn, stage.slept) == ([(0.0, 0.5)], [0.125])


async def test_the_second_failure_in_a_row_blinds_the_feed_and_no_room_is_dropped():
    stage = await Stage(frames(b"live"), failing(OSError())).play()
    assert (stage.failed, stage.causes) == (["closed", "connect"], ["connect"])
    assert [change.change for heard in stage.put for change in heard.changes] == ["opened"]
    assert stage.watch.rooms[0].state == 3


async def test_silence_blinds_the_feed_at_once():
    async def heard_then_silent(emit: Emit, now: Now) -> None:
        await emit(b"live", now())
        await asyncio.sleep(60)

    stage = await Stage(heard_then_silent).play()
    assert (stage.failed, stage.causes) == (["silence"], ["silence"])


async def test_a_timeout_inside_the_collector_is_not_silence():
    stage = await Stage(failing(TimeoutError()), silence_s_max=5).play()
    assert stage.failed == ["timeout"]


async def test_frames_put_the_deadline_off():
    async def slowly(emit: Emit, now: Now) -> None:
        for _ in range(4):
            await asyncio.sleep(0.06)
            await emit(b"live", now())

    stage = await Stage(slowly, silence_s_max=0.15).play()
    assert (stage.failed, stage.messages) == (["closed"], 4)


async def test_a_full_inbox_is_not_the_feed_s_silence():
    stage = Stage(frames(b"live"), silence_s_max=0.05)
    stage.room_is_there.clear()
    playing = asyncio.create_task(stage.play())
    await asyncio.sleep(0.2)
    assert (stage.failed, stage.put) == ([], [])
    stage.room_is_there.set()
    await playing
    assert (stage.failed, stage.messages) == (["closed"], 1)


async def test_no_other_frame_s_ticks_come_between_a_step_and_its_put():
    async def two_at_once(emit: Emit, now: Now) -> None:
        async with asyncio.TaskGroup() as group:
            for text in (b"live", b"gone"):
                group.create_task(emit(text, now()))

    stage = Stage(two_at_once, silence_s_max=5)
    stage.room_is_there.clear()
    asyncio.get_running_loop().call_later(0.05, stage.room_is_there.set)
    await stage.play()
    assert [change.number for heard in stage.put for change in heard.changes] == [1, 2]


async def test_a_bad_frame_is_kept_once_and_the_feed_goes_on():
    stage = await Stage(frames(b"live", b"bad", b"live")).play()
    assert stage.quarantined == [(b"bad", "not_xml: 坏的")]
    assert (stage.failed, stage.messages, stage.causes) == (["bad_frame", "closed"], 2, [])


async def test_two_bad_frames_in_a_row_blind_the_feed():
    stage = await Stage(frames(b"live", b"bad", b"bad", b"bad")).play()
    assert stage.causes == ["bad_frame"]


async def test_a_bug_in_parse_costs_its_frame_and_is_loud_but_not_for_each_one(caplog):
    stage = await Stage(frames(b"bug", b"bug", b"live")).play()
    assert [frame for frame, _ in stage.quarantined] == [b"bug", b"bug"]
    assert stage.messages == 1
    assert len([record for record in caplog.records if record.exc_info]) == 1


async def test_an_error_that_nobody_thought_of_is_loud_and_tried_again(caplog):
    stage = await Stage(failing(KeyError("x")), frames(b"live")).play()
    assert (stage.failed[0], stage.messages) == ("unknown", 1)
    assert caplog.records[0].exc_info is not None


async def test_a_refusal_is_an_alert_and_asked_again_in_five_minutes():
    stage = await Stage(failing(FeedRefused("app unknown")), frames(b"live")).play()
    assert stage.failed[0] == "refused"
    assert stage.slept[0] == REFUSED_RETRY_S
    assert stage.causes == ["refused"]


async def test_it_is_said_once_when_lost_and_once_when_back(caplog):
    caplog.set_level("INFO")
    await Stage(*[failing(OSError("away"))] * 5, frames(b"live", b"live")).play()
    lines = [record.getMessage() for record in caplog.records]
    assert lines[:2] == ["feed feed lost: connect: away", "feed feed is back"]


async def test_a_server_that_asks_for_patience_gets_it():
    stage = await Stage(failing(refusal(429, {"Retry-After": "120"}))).play()
    assert (stage.failed, stage.slept) == (["rate_limited"], [120.0])


async def test_it_ends_when_it_is_cancelled():
    stage = Stage(silent, silence_s_max=60)
    running = asyncio.create_task(stage.supervisor.run(None))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stage.failed == []


def test_silence_is_three_intervals_but_at_least_ten_seconds():
    class Slow(FeedRow, tag="slow", frozen=True, kw_only=True):
        interval_s: float = 30.0

    watch = Watch()
    watch.load((), (), [Slow(name="slow"), Played(name="own", acts=[])], at(0))
    assert watch.feeds["slow"].silence_s_max == 90.0
    assert timedelta(seconds=watch.feeds["own"].silence_s_max) == timedelta(seconds=10)


class RoomByRoom(Played, tag="room_by_room", frozen=True, kw_only=True):
    ROOM_BY_ROOM = True


def stage_of_rooms(*acts: Act, silence_s_max: float = 0.05) -> Stage:
    """Two rooms, each of which may be blind alone."""
    stage = Stage()
    stage.feed = RoomByRoom(name="feed", acts=list(acts), silence_s_max=silence_s_max)
    stage.watch = Watch()
    stage.watch.load([RosterRoom(1, "p", ROOM), RosterRoom(2, "p", OTHER)], (), [stage.feed], at(0))
    stage.supervisor = Supervisor(
        stage.feed, stage.watch, stage.now, stage.outlets(), stage.sleep, lambda _, most: most
    )
    return stage


async def test_what_can_be_read_of_a_frame_counts_and_the_rest_is_blind_alone():
    stage = await stage_of_rooms(frames(b"partly", b"partly", b"partly")).play()
    assert [change.room for heard in stage.put for change in heard.changes] == [ROOM]
    assert [(span.room, span.cause) for heard in stage.put for span in heard.spans] == [(OTHER, "bad_frame")]
    assert (stage.messages, stage.failed) == (3, [*["bad_frame"] * 3, "closed"])


async def test_a_frame_that_shows_all_rooms_and_lacks_something_else_is_a_sign_of_life_and_is_counted_by_its_word():
    stage = await Stage(frames(b"coarse", b"coarse", b"coarse")).play()
    assert (stage.messages, stage.failed) == (3, [*["timeout"] * 3, "closed"])
    assert [change.change for heard in stage.put for change in heard.changes] == ["opened"]
    assert (stage.quarantined, [span.room for heard in stage.put for span in heard.spans if span.room]) == ([], [])


async def test_what_cannot_be_read_is_shown_once_a_minute():
    """Whole frames of a list come every few seconds, for a week."""
    stage = await stage_of_rooms(frames(*[b"partly"] * 50)).play()
    assert stage.quarantined == [(b'{"live": {}}', "unfit: of 1 rooms: live is a table")]


async def test_a_frame_that_shows_no_room_is_no_sign_of_life():

    async def never_a_room(emit: Emit, now: Now) -> None:
        for number in range(1_000):
            await emit(b"unasked" if number else b"live", now())
            await asyncio.sleep(0.005)

    stage = await stage_of_rooms(never_a_room).play()
    assert (stage.messages, set(stage.failed)) == (1, {"timeout", "silence"})
    assert stage.causes == ["timeout", "silence"]


async def test_a_whole_answer_that_hides_every_room_is_a_sign_of_life_and_no_failure():

    async def hiding(emit: Emit, now: Now) -> None:
        for number in range(20):
            await emit(b"hidden" if number else b"live", now())
            await asyncio.sleep(0.03)

    stage = await stage_of_rooms(hiding, silence_s_max=0.4).play()
    assert (stage.messages, stage.failed) == (20, ["closed"])
    assert [(span.room, span.cause) for heard in stage.put for span in heard.spans] == [(OTHER, "reload")]

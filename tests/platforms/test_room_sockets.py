"""Many sockets of one feed: each comes back by itself, and the feed says of itself what is true of most of them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from collectors.api_feed import Make, RoomUnseen
from collectors.room_sockets import Ear, RoomSockets, Turnstile, bare

ROOMS = [f"直播间{number}" for number in range(20)]
INTERVAL_S = 0.4  # a pulse each 20 ms, a roll each 100 ms


class Told:
    """What the feed tells of its rooms; and their conversations, which the test ends."""

    def __init__(self) -> None:
        self.pulses = 0
        self.rolls: list[tuple[set[str], set[str]]] = []
        self.lost: list[Exception | None] = []
        self.talks: dict[str, asyncio.Future[None]] = {}
        self.tries: dict[str, int] = {}
        self.closed: set[str] = set()  # rooms that nobody gets into

    async def talk(self, room: str, ear: Ear) -> None:
        self.tries[room] = self.tries.get(room, 0) + 1
        if room in self.closed:
            raise ConnectionRefusedError(room)
        self.talks[room] = asyncio.get_running_loop().create_future()
        ear.heard()
        try:
            await self.talks[room]
        finally:
            del self.talks[room]

    def cut(self, *rooms: str) -> None:
        for room in rooms:
            self.talks[room].set_exception(ConnectionResetError(room))

    async def emit(self, frame: bytes, at: datetime) -> None:
        assert not frame
        self.pulses += 1

    async def ask(self, make: Make, room: str = "") -> bytes:
        raise AssertionError("nobody asks here")

    async def reach(self, link: str) -> str:
        raise AssertionError("nobody connects here")

    def notes(self, room: str) -> Mapping[str, str]:
        return {}

    async def note(self, room: str, notes: Mapping[str, str]) -> None: ...

    def roll(self, heard: Mapping[str, datetime], unheard: Mapping[str, Exception | None]) -> None:
        self.rolls.append((set(heard), set(unheard)))

    def all_lost(self, error: Exception | None) -> None:
        self.lost.append(error)


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not so():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def heard(rooms: list[str]) -> AsyncIterator[Told]:
    told = Told()
    now = lambda: datetime.now(UTC)  # noqa: E731
    sockets = RoomSockets("f", rooms, told.talk, told, told.emit, now, INTERVAL_S, lambda low, high: 0.02)
    task = asyncio.create_task(sockets.run())
    try:
        await until(lambda: len(told.talks) == len(rooms) and told.pulses)
        yield told
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_one_that_is_lost_comes_back_and_the_feed_is_heard_all_the_while() -> None:
    async with heard(ROOMS) as told:
        told.cut(ROOMS[3])
        await until(lambda: told.tries[ROOMS[3]] == 2 and ROOMS[3] in told.talks)
        pulses = told.pulses
        await until(lambda: told.pulses > pulses + 2)
        assert not told.lost
        assert {room for room, tries in told.tries.items() if tries > 1} == {ROOMS[3]}


async def test_a_room_that_stays_away_is_called_out_at_each_roll() -> None:
    async with heard(ROOMS) as told:
        told.closed.add(ROOMS[3])
        told.cut(ROOMS[3])
        await until(lambda: told.tries[ROOMS[3]] > 2)
        rolls = len(told.rolls)
        await until(lambda: len(told.rolls) > rolls + 2)
        for there, away in told.rolls[rolls + 1 :]:
            assert (there, away) == (set(ROOMS) - {ROOMS[3]}, {ROOMS[3]})
        assert not told.lost


async def test_after_most_were_lost_the_feed_is_not_heard_before_nine_tenths_are_back() -> None:
    async with heard(ROOMS) as told:
        stay, gone = ROOMS[:5], ROOMS[5:]
        told.closed.update(gone)
        told.cut(*gone)
        await until(lambda: told.lost)
        assert isinstance(told.lost[0], ConnectionError)
        pulses, rolls = told.pulses, len(told.rolls)
        told.closed.difference_update(gone[:12])  # 17 of 20
        await until(lambda: len(told.talks) == len(stay) + 12)
        await asyncio.sleep(0.15)  # many pulses and a roll would have come
        assert (told.pulses, len(told.rolls)) == (pulses, rolls)
        told.closed.discard(gone[12])
        await until(lambda: told.pulses > pulses)
        await until(lambda: len(told.rolls) > rolls)
        assert told.rolls[-1][1] == set(gone[13:])
        assert len(told.lost) == 1


async def test_a_few_that_are_lost_together_are_not_the_feed() -> None:
    async with heard(ROOMS) as told:
        told.closed.update(ROOMS[:8])
        told.cut(*ROOMS[:8])
        await asyncio.sleep(0.3)  # over the time in which losses are counted
        assert not told.lost


async def test_what_is_no_rooms_own_trouble_is_the_feeds() -> None:
    async def talk(room: str, ear: Ear) -> None:
        raise KeyError(room)

    told = Told()
    sockets = RoomSockets("f", ROOMS, talk, told, told.emit, lambda: datetime.now(UTC), INTERVAL_S)
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(sockets.run(), 5)


async def test_a_room_that_was_asked_to_wait_waits() -> None:
    tries: list[float] = []

    async def talk(room: str, ear: Ear) -> None:
        tries.append(asyncio.get_running_loop().time())
        raise RoomUnseen("7001", 0.2)

    told = Told()
    task = asyncio.create_task(
        RoomSockets(
            "f", ["5"], talk, told, told.emit, lambda: datetime.now(UTC), INTERVAL_S, lambda low, high: 0.0
        ).run()
    )
    await until(lambda: len(tries) == 3)
    task.cancel()
    assert all(later - earlier >= 0.199 for earlier, later in pairwise(tries))
    assert not told.pulses, "nobody was ever heard"


async def test_no_second_sees_more_than_the_pace_allows_though_the_loop_was_late() -> None:
    passed: list[float] = []
    turnstile = Turnstile(50.0)

    async def go() -> None:
        await turnstile.pass_()
        passed.append(asyncio.get_running_loop().time())

    async with asyncio.TaskGroup() as group:
        for _ in range(120):
            group.create_task(go())
        await asyncio.sleep(0.1)
        time.sleep(0.8)  # all timers are late
    assert max(sum(at <= other < at + 1.0 for other in passed) for at in passed) <= 50
    assert passed[49] - passed[0] < 1.5, "what was missed is made up for"
    assert passed[10] - passed[0] > 0.15, "evenly, while nothing is late"


async def test_what_is_remembered_of_a_loss_holds_no_connection() -> None:
    try:
        try:
            raise KeyError("within")
        except KeyError as error:
            raise RoomUnseen("7001") from error
    except RoomUnseen as unseen:
        kept = bare(unseen)
    assert isinstance(kept.__cause__, KeyError), "what it was is still known"
    assert kept.__traceback__ is kept.__context__ is kept.__cause__.__traceback__ is None

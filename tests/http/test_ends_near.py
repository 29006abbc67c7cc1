"""livemon_room_end_near: while a sign-off would be a planned one, no second longer; of 12,000 rooms at no cost."""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from monitor.facts import RosterRoom, Slot
from monitor.http.ends_near import EndsNear
from monitor.http.rooms_page import RoomsPage
from monitor.live.judgement import judge
from monitor.live.room import Room
from monitor.live.session import DROPPED, OFF, Stop
from monitor.live.watch import Watch
from tests.http.stand_in import NOW

HOUR, SLACK = timedelta(hours=1), timedelta(minutes=15)
ROSTER = [RosterRoom(number, "srs", f"r{number}", active=True) for number in range(4)]
SLOTS = [
    Slot(0, NOW - HOUR, NOW),
    Slot(1, NOW - HOUR, NOW), Slot(1, NOW, NOW + HOUR),  # it goes on: no end
    Slot(2, NOW - 3 * HOUR, NOW - HOUR),
]  # fmt: skip


class NoGoingOn(EndsNear):
    """Every end of a slot is one."""

    async def _learn(self, plans: Sequence[Sequence[Slot]]) -> None:
        self._ends_s = sorted(slot.ends_at.timestamp() for slots in plans for slot in slots)
        pairs = [(slot.ends_at, place) for place, slots in enumerate(plans) for slot in slots]
        self._rooms = [place for _, place in sorted(pairs)]


class ByNow(EndsNear):
    """A room that has stopped is seen as one on air."""

    def of(self, rooms: Sequence[Room], now: datetime, slack: timedelta) -> list[int]:
        return super().of(rooms_of(SLOTS), now, slack)


class AnyCause(EndsNear):
    """What its source tells to be a failure is taken for a sign-off."""

    def of(self, rooms: Sequence[Room], now: datetime, slack: timedelta) -> list[int]:
        alike = rooms_of(SLOTS)
        for room, other in zip(alike, rooms, strict=True):
            room.session = replace(
                other.session, stop=other.session.stop and replace(other.session.stop, cause="status")
            )
        return super().of(alike, now, slack)


class Forgetful(EndsNear):
    """A schedule that changes is not followed."""

    async def _learn(self, plans: Sequence[Sequence[Slot]]) -> None:
        if not self._rooms:
            await super()._learn(plans)


def rooms_of(slots: Sequence[Slot]) -> list[Room]:
    watch = Watch()
    watch.load(ROSTER, slots, [], NOW)
    return watch.rooms


async def holds(kind: type[EndsNear]) -> bool:
    ends, rooms, luck = kind(), rooms_of(SLOTS), random.Random(7)
    for minutes in [-15.01, -15, 0, 15, 15.01, *(luck.uniform(-90, 90) for _ in range(300))]:
        at = NOW + timedelta(minutes=minutes)
        await ends.follow(rooms)
        near = ends.of(rooms, at, SLACK)
        planned = [
            place
            for place, room in enumerate(rooms)
            if judge("missing", at, at, False, room.slots, SLACK) == "scheduled"
        ]
        if near != planned:
            return False
    rooms = rooms_of([Slot(3, NOW - HOUR, NOW)])
    await ends.follow(rooms)
    return ends.of(rooms, NOW, SLACK) == [3]


async def test_it_holds_where_a_stop_would_be_judged_as_planned_and_follows_the_schedule():
    assert await holds(EndsNear)


@pytest.mark.parametrize("wrong", [NoGoingOn, Forgetful])
async def test_planted_bugs_are_found(wrong):
    assert not await holds(wrong)


def stopped(room: Room, at: datetime, cause: str = "status") -> None:
    room.session = replace(room.session, phase=DROPPED, stop=Stop(at, at, cause))


async def judged(kind: type[EndsNear]) -> bool:
    """Of rooms that have stopped it says at each later instant what `judge` will say of the stop."""
    ends, rooms, luck = kind(), rooms_of(SLOTS), random.Random(8)
    await ends.follow(rooms)
    for _ in range(300):
        stop_at = NOW + timedelta(minutes=luck.uniform(-90, 90))
        cause = luck.choice(("status", "failed"))
        for room in rooms:
            stopped(room, stop_at, cause)
        planned = [
            n for n, room in enumerate(rooms) if judge(cause, stop_at, stop_at, False, room.slots, SLACK) == "scheduled"
        ]
        for waited_s in (0, 60, 120, 600):
            if ends.of(rooms, stop_at + timedelta(seconds=waited_s), SLACK) != planned:
                return False
    return True


async def test_a_stop_near_the_planned_end_does_not_become_a_drop_by_waiting():
    """As it did: who overran by almost the slack was told as dropped once the slack was over, before grace was."""
    assert await judged(EndsNear)


@pytest.mark.parametrize("wrong", [ByNow, AnyCause])
async def test_that_now_decides_of_a_stop_or_a_failure_does_not_is_found(wrong):
    assert not await judged(wrong)


async def test_only_such_rooms_have_a_line():
    watch = Watch(end_slack_s=900)
    watch.load(ROSTER, SLOTS, [], NOW)
    page = RoomsPage(lambda: watch, lambda: NOW)
    text = (await page.render()).decode()
    assert [line for line in text.splitlines() if line.startswith("livemon_room_end_near")] == [
        'livemon_room_end_near{platform="srs",room="r0"} 1'
    ]
    assert "end_near" not in (await RoomsPage(lambda: watch, lambda: NOW + 9 * HOUR).render()).decode()


class ReadLast(RoomsPage):
    """As it was: planned ends were looked for when all else had been read and written."""

    async def render(self) -> bytes:
        whole = await super().render()
        return whole.partition(b"# HELP livemon_room_end_near")[0] + self.ends_near(await self.current())


async def of_one_instant(kind: type[RoomsPage]) -> bool:
    """Grace runs out while the page is rendered: no room is stopped without its planned end."""
    overrun = NOW + SLACK + timedelta(minutes=1)
    for turns in range(25):
        watch = Watch(end_slack_s=SLACK.total_seconds())
        watch.load(ROSTER[:1], SLOTS[:1], [], NOW)
        [room] = watch.rooms
        stopped(room, NOW + SLACK - timedelta(minutes=1))
        room.state = 2
        page = kind(lambda watch=watch: watch, lambda: overrun)
        await page.render()
        rendering = asyncio.create_task(page.render())
        for _ in range(turns):
            await asyncio.sleep(0)
        room.session, room.state = replace(room.session, phase=OFF), 0
        text = (await rendering).decode()
        if 'livemon_room_state{platform="srs",room="r0"} 2' in text and "livemon_room_end_near{" not in text:
            return False
    return True


async def test_a_page_is_of_one_instant():
    assert await of_one_instant(RoomsPage)


async def test_a_page_of_two_instants_is_found():
    """A rehearsed day woke a person for a room of tier 1 that had signed off: still stopped, no end any more."""
    assert not await of_one_instant(ReadLast)


async def test_twelve_thousand_plans_of_a_week_cost_a_scrape_little():
    watch = Watch()
    roster = [RosterRoom(number, "srs", f"r{number}", active=True) for number in range(12_000)]
    days = [NOW + timedelta(days=day) for day in range(7)]
    slots = [Slot(number, day, day + 4 * HOUR) for number in range(12_000) for day in days]
    watch.load(roster, slots, [], NOW)
    ends = EndsNear()
    assert await ends.follow(watch.rooms)
    assert len(ends.of(watch.rooms, NOW + 4 * HOUR, SLACK)) == 12_000
    took = []
    for _ in range(5):
        began_s = time.perf_counter()
        assert not await ends.follow(watch.rooms)
        ends.of(watch.rooms, NOW + 4 * HOUR, SLACK)
        took.append(time.perf_counter() - began_s)
    assert min(took) < 0.02
    for room in watch.rooms[:5_000]:
        stopped(room, NOW + 4 * HOUR + timedelta(minutes=14))
    took = []
    for _ in range(5):
        began_s = time.perf_counter()
        assert len(ends.of(watch.rooms, NOW + 5 * HOUR, SLACK)) == 5_000
        took.append(time.perf_counter() - began_s)
    assert min(took) < 0.05

"""Keeps one socket a room open, thousands of them: each comes back by itself, and all together within one pace.

It is the one place where a room is tried again; the feed as a whole is, as always, by `supervise`.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from math import inf
from typing import Protocol

import websockets

from .api_feed import RoomUnseen
from .beat import place_of
from .collector import BadFrame, Emit, Now, every
from .live_rooms import LiveRooms

PULSES, ROLLS = 20, 4  # in each interval of heartbeats
BACKOFF_S, BACKOFF_S_MAX, DOUBLINGS_MAX = 0.5, 60.0, 16
RECOVERY_S_MAX = 45.0  # after most were lost: by then those that are back are heard again, and the others blind alone
BACK_SHARE = 0.9
WINDOW_S = 1.005  # timers may fire a little early
COUNT_S, TOGETHER_S = 0.2, 5.0  # what is lost within this time was lost together
PASSING = (OSError, TimeoutError, EOFError, BadFrame, websockets.WebSocketException)
"""What may happen to one socket while all others go on; everything else is a failure of the feed."""


class Ear(Protocol):
    """What a room's conversation is given. `failures`: of this room, in a row."""

    failures: int

    def heard(self) -> None:
        """A sign of life came."""


Talk = Callable[[str, Ear], Awaitable[None]]
"""Connects to a room, when a `Turnstile` lets it, and hears it until that fails."""


class Turnstile:
    """Lets so many through in any second, evenly; what a late loop missed is made up for, within that."""

    def __init__(self, per_s: float) -> None:
        self._gap_s, self._next_s, self._one_by_one = 1.0 / per_s, -inf, asyncio.Lock()
        self._passed = deque[float](maxlen=max(1, int(per_s)))  # so many at the most may have passed within a second

    async def pass_(self) -> None:
        clock = asyncio.get_running_loop().time
        came_s = clock()
        async with self._one_by_one:
            due_s = max(self._next_s, came_s)
            full_until_s = self._passed[0] + WINDOW_S if len(self._passed) == self._passed.maxlen else -inf
            await asyncio.sleep(max(due_s, full_until_s) - clock())
            now_s = clock()
            self._passed.append(now_s)
            self._next_s = max(due_s, now_s - WINDOW_S) + self._gap_s


class RoomEar:
    """One room: when it was heard last, and whether it is now."""

    __slots__ = ("at", "failures", "lost_at_s", "lost_for", "now", "open", "room")

    def __init__(self, room: str, now: Now) -> None:
        self.room, self.now = room, now
        self.at: datetime | None = None
        self.open = False
        self.failures = 0
        self.lost_at_s = -inf  # when it was heard last and then no more
        self.lost_for: Exception | None = None  # None: it was not tried yet

    def heard(self) -> None:
        self.at, self.open, self.failures, self.lost_for = self.now(), True, 0, None

    def lost(self, error: Exception, at_s: float) -> bool:
        """True: it was heard until now."""
        was, self.open, self.lost_for = self.open, False, bare(error)
        self.failures += 1
        if was:
            self.lost_at_s = at_s
        return was


class RoomSockets:
    """`run` lasts until it is cancelled or a conversation fails by what is no room's own trouble."""

    def __init__(
        self, feed: str, rooms: Sequence[str], talk: Talk, house: LiveRooms, emit: Emit, now: Now,
        interval_s: float, uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:  # fmt: skip
        """`interval_s`: of the heartbeats of each socket."""
        self._talk, self._house, self._emit, self._now, self._uniform = talk, house, emit, now, uniform
        self._pulse_s, self._roll_s = interval_s / PULSES, interval_s / ROLLS
        # In an order that has nothing to do with the roster's: no hall, no shop comes last as a whole.
        self.ears = [RoomEar(room, now) for room in sorted(rooms, key=lambda room: place_of(feed, room))]
        self._recovering_until_s: float | None = None
        self._wanted = 0
        self._counting: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for ear in self.ears:
                group.create_task(self._keep(ear))
            group.create_task(self._pulse(), name="pulse")

    async def _keep(self, ear: RoomEar) -> None:
        while True:
            rest_s = 0.0
            try:
                await self._talk(ear.room, ear)
                self._lost(ear, EOFError("the conversation ended"))
            except RoomUnseen as unseen:
                self._lost(ear, unseen)
                rest_s = unseen.wait_s
            except PASSING as error:
                self._lost(ear, error)
            ceiling_s = min(BACKOFF_S_MAX, BACKOFF_S * 2 ** min(ear.failures, DOUBLINGS_MAX))
            await asyncio.sleep(max(rest_s, 0.0) + self._uniform(0.0, ceiling_s))

    def _lost(self, ear: RoomEar, error: Exception) -> None:
        """If it was not lost alone, that shows in an instant."""
        loop = asyncio.get_running_loop()
        if ear.lost(error, loop.time()) and self._counting is None:
            self._counting = loop.call_later(COUNT_S, self._count_lost, ear)

    def _count_lost(self, one: RoomEar) -> None:
        self._counting, now_s = None, asyncio.get_running_loop().time()
        opened = sum(ear.open for ear in self.ears)
        lost = sum(not ear.open and now_s - ear.lost_at_s < TOGETHER_S for ear in self.ears)
        if lost > opened and self._recovering_until_s is None:
            self._wanted, self._recovering_until_s = opened + lost, now_s + RECOVERY_S_MAX
            self._house.all_lost(one.lost_for)

    async def _pulse(self) -> None:
        """While rooms are heard, the feed is; who is not heard is told now and then."""
        clock = asyncio.get_running_loop().time
        roll_s = clock()
        async for _ in every(self._pulse_s):
            opened = sum(ear.open for ear in self.ears)
            if not opened or not self._recovered(opened, clock()):
                continue
            await self._emit(b"", self._now())
            if clock() >= roll_s:
                roll_s = clock() + self._roll_s
                heard = {ear.room: ear.at for ear in self.ears if ear.open and ear.at is not None}
                self._house.roll(heard, {ear.room: ear.lost_for for ear in self.ears if not ear.open})

    def _recovered(self, opened: int, now_s: float) -> bool:
        """Not from when most were lost together until most of them are back."""
        if self._recovering_until_s is None:
            return True
        if opened < BACK_SHARE * self._wanted and now_s < self._recovering_until_s:
            return False
        self._recovering_until_s = None
        return True


def bare(error: Exception) -> Exception:
    """What happened, without the frames it came through: these hold a whole connection each."""
    error.__context__ = None
    if error.__cause__ is not None:
        error.__cause__.with_traceback(None).__context__ = None
    return error.with_traceback(None)

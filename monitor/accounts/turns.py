"""Who of those that want to call an app goes next: the most urgent that has a place, the first come among equals."""

import asyncio
import heapq
from collections.abc import Callable, Mapping
from itertools import count

from monitor.accounts.budget import Bucket, Urgency, together_s

WAITERS_MAX = 2_000
NAMES_MAX = 200

Waiting = tuple[Urgency, int, asyncio.Future[None]]


class QueueFull(Exception):
    """So many wait for this app already that the least urgent are sent away."""


class Turns:
    """The queue before one app's budget. `clock` tells monotonic seconds, those of the loop."""

    def __init__(
        self, per_s: float, names_per_s: Mapping[str, float], clock: Callable[[], float], waiters_max: int = WAITERS_MAX
    ) -> None:
        self.all = Bucket(per_s)
        self._per_s, self._clock, self._waiters_max = per_s, clock, waiters_max
        self._names = {name: Bucket(rate) for name, rate in names_per_s.items()}
        self._waiting: dict[str, list[Waiting]] = {}
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiters(self) -> int:
        return sum(len(heap) for heap in self._waiting.values())

    def of(self, name: str) -> Bucket:
        """The budget of one name of a call. Names are fixed texts of the rules: there are few."""
        if name not in self._names:
            if len(self._names) >= NAMES_MAX:
                raise ValueError("a call's name is a fixed text")
            self._names[name] = Bucket(self._per_s)
        return self._names[name]

    def turn(self, name: str, urgency: Urgency) -> "Turn":
        """A place in the budget, held while the call is out. To enter it raises QueueFull."""
        return Turn(self, name, urgency)

    async def wait(self, name: str, urgency: Urgency) -> None:
        """Until there is a place; it is taken. Raises QueueFull."""
        if not self._waiting and self._goes_at_once(name):
            return
        place = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting.setdefault(name, []), (urgency, next(self._order), place))
        if self.waiters > self._waiters_max:
            self._send_away()
        self._pump()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                for bucket in (self.all, self.of(name)):
                    bucket.unsent()
                self._pump()
            raise

    def answered(self, name: str) -> None:
        """The place is given back."""
        at_s = self._clock()
        for bucket in (self.all, self.of(name)):
            bucket.answered(at_s)
        if self._waiting:
            self._pump()

    def _goes_at_once(self, name: str) -> bool:
        buckets, at_s = (self.all, self.of(name)), self._clock()
        ready_s = together_s(buckets, at_s)
        if ready_s is None or ready_s > at_s:
            return False
        for bucket in buckets:
            bucket.take(at_s)
        return True

    def _send_away(self) -> None:
        """The last in order of all that wait."""
        name, last = max(((name, max(heap)) for name, heap in self._waiting.items() if heap), key=lambda it: it[1][:2])
        self._waiting[name].remove(last)
        heapq.heapify(self._waiting[name])
        if not last[2].done():
            last[2].set_exception(QueueFull(f"{self._waiters_max} wait"))

    def _pump(self) -> None:
        """Let all go that may; come again when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while (wait_s := self._let_one_go()) == 0.0:
            pass
        if wait_s is not None:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._pump)

    def _let_one_go(self) -> float | None:
        """0: one went; else in how many seconds to look again; None: when a call is answered, or somebody comes."""
        at_s, soonest_s, first = self._clock(), float("inf"), None
        for name, heap in list(self._waiting.items()):
            while heap and heap[0][2].done():  # it no longer waits
                heapq.heappop(heap)
            if not heap:
                del self._waiting[name]
                continue
            ready_s = together_s((self.all, self.of(name)), at_s)
            if ready_s is not None and ready_s > at_s:
                soonest_s = min(soonest_s, ready_s)
            elif ready_s is not None and (first is None or heap[0][:2] < self._waiting[first][0][:2]):
                first = name
        if first is not None:
            for bucket in (self.all, self.of(first)):
                bucket.take(at_s)
            heapq.heappop(self._waiting[first])[2].set_result(None)
            return 0.0
        return max(soonest_s - at_s, 0.001) if soonest_s < float("inf") else None


class Turn:
    """One place, while the block lasts."""

    __slots__ = ("_name", "_turns", "_urgency")

    def __init__(self, turns: Turns, name: str, urgency: Urgency) -> None:
        self._turns, self._name, self._urgency = turns, name, urgency

    async def __aenter__(self) -> None:
        await self._turns.wait(self._name, self._urgency)

    async def __aexit__(self, *raised: object) -> None:
        self._turns.answered(self._name)

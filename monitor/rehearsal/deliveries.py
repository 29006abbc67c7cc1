"""Delivers pushes over HTTP as platforms do: signed anew for each try, again after each failure, by a schedule."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
from yarl import URL

from .scene import Trouble

# Headers and body, and the query of the address where a platform signs in it.
Made = tuple[Mapping[str, str], bytes] | tuple[Mapping[str, str], bytes, str]

LOOK_EVERY_S = 0.2  # nobody tells us that the trouble is over: it is looked at


def nothing() -> None:
    """What is done when a delivery was taken, where nobody wants to know."""


@dataclass
class Due:
    at_s: float  # monotonic
    number: int
    make: Callable[[], Made]
    url: str
    done: Callable[[], object]
    tries: int = 0


class Deliveries:
    """What one platform still has to deliver.

    `retries_s`: the pauses of the world after each failure, the last one for ever after: a platform that would give up
    goes on here, because a play ends with all told (what livemon would find out by asking, it may find out sooner).
    `taken` judges an answer by status and body. At most `at_once` are under way. `in_order`: one after the other as
    they were pushed; what fails holds up all behind it.
    """

    def __init__(
        self, http: aiohttp.ClientSession, trouble: Trouble, retries_s: Sequence[float], timeout_s: float,
        taken: Callable[[int, bytes], bool], at_once: int = 16, in_order: bool = False,
    ) -> None:  # fmt: skip
        self.http, self.trouble, self.retries_s, self.taken = http, trouble, retries_s, taken
        self.timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.at_once, self.in_order = 1 if in_order else at_once, in_order
        self.tries, self.failures = 0, 0
        self._queue: list[tuple[float, int, Due]] = []
        self._under_way: dict[int, Due] = {}
        self._numbers = itertools.count()
        self._pushed = asyncio.Event()

    def push(self, url: str, make: Callable[[], Made], done: Callable[[], object] = nothing) -> None:
        """Deliver what `make` makes (at each try anew) until it is taken; then `done` is called, once."""
        self._line_up(Due(time.monotonic(), next(self._numbers), make, url, done))

    def waiting(self) -> int:
        """How many were not taken yet."""
        return len(self._queue) + len(self._under_way)

    async def run(self) -> None:
        """Until cancelled. What was under way then is tried again by the next run."""
        free = asyncio.Semaphore(self.at_once)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await free.acquire()
                    due = await self._next()
                    self._under_way[due.number] = due
                    group.create_task(self._deliver(due, free))
        finally:
            for due in self._under_way.values():
                self._line_up(due)
            self._under_way.clear()

    def _line_up(self, due: Due) -> None:
        heapq.heappush(self._queue, (0.0 if self.in_order else due.at_s, due.number, due))
        self._pushed.set()

    async def _next(self) -> Due:
        """The first that is due, as soon as it is."""
        while True:
            self._pushed.clear()
            wait_s = self._queue[0][2].at_s - time.monotonic() if self._queue else None
            if not self.trouble.pushing:
                wait_s = LOOK_EVERY_S
            elif wait_s is not None and wait_s <= 0:
                return heapq.heappop(self._queue)[2]
            try:
                await asyncio.wait_for(self._pushed.wait(), wait_s)
            except TimeoutError:
                pass  # something is due, or the trouble may be over

    async def _deliver(self, due: Due, free: asyncio.Semaphore) -> None:
        try:
            self.tries += 1
            if not await self._posted(due):
                self.failures += 1
                due.at_s = time.monotonic() + self.retries_s[min(due.tries, len(self.retries_s) - 1)]
                due.tries += 1
                del self._under_way[due.number]
                self._line_up(due)
                return
            del self._under_way[due.number]
            due.done()
            if self.trouble.twice:
                await self._posted(due)
        finally:
            free.release()

    async def _posted(self, due: Due) -> bool:
        """Whether it was taken. No answer is as good as a bad one; another address is none (all platforms say so)."""
        headers, body, *query = due.make()
        url = URL("?".join([due.url, *query]), encoded=True)  # signed as it is written
        try:
            async with self.http.post(
                url, data=body, headers=headers, timeout=self.timeout, allow_redirects=False
            ) as reply:
                return self.taken(reply.status, await reply.read())
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

"""Delivers pushes over HTTP as platforms do: signed anew for each try, again after each failure, by a schedule."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp

from .scene import Trouble

Made = tuple[Mapping[str, str], bytes]  # headers and body


@dataclass(order=True)
class Due:
    at_s: float  # monotonic
    number: int
    make: Callable[[], Made] = field(compare=False)
    url: str = field(compare=False)
    tries: int = field(default=0, compare=False)


class Deliveries:
    """What one platform still has to deliver.

    `retries_s`: the pauses of the world after each failure, the last one for ever after: a platform that would give up
    goes on here, because a play ends with all told (what livemon would find out by asking, it may find out sooner).
    `taken` judges an answer by status and body. At most `at_once` are under way.
    """

    def __init__(
        self, http: aiohttp.ClientSession, trouble: Trouble, retries_s: Sequence[float], timeout_s: float,
        taken: Callable[[int, bytes], bool], at_once: int = 16,
    ) -> None:  # fmt: skip
        self.http, self.trouble, self.retries_s, self.taken = http, trouble, retries_s, taken
        self.timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.under_way = 0
        self.at_once = at_once
        self.tries, self.failures = 0, 0
        self._queue: list[Due] = []
        self._numbers = itertools.count()
        self._changed = asyncio.Event()

    def push(self, url: str, make: Callable[[], Made]) -> None:
        """Deliver what `make` makes (at each try anew) until it is taken."""
        heapq.heappush(self._queue, Due(time.monotonic(), next(self._numbers), make, url))
        self._changed.set()

    def waiting(self) -> int:
        return len(self._queue) + self.under_way

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.at_once):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            due = await self._next()
            self.under_way += 1
            try:
                await self._try(due)
            finally:
                self.under_way -= 1

    async def _next(self) -> Due:
        while True:
            wait_s = self._queue[0].at_s - time.monotonic() if self._queue else 60.0
            if not self.trouble.pushing:
                wait_s = max(wait_s, 0.2)
            elif wait_s <= 0:
                return heapq.heappop(self._queue)
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), min(wait_s, 60.0))
            except TimeoutError:
                pass  # the usual case: something is due, or the trouble may be over

    async def _try(self, due: Due) -> None:
        self.tries += 1
        if await self._posted(due):
            if self.trouble.twice:
                await self._posted(due)
            return
        self.failures += 1
        due.at_s = time.monotonic() + self.retries_s[min(due.tries, len(self.retries_s) - 1)]
        due.tries += 1
        heapq.heappush(self._queue, due)

    async def _posted(self, due: Due) -> bool:
        headers, body = due.make()
        try:
            async with self.http.post(due.url, data=body, headers=headers, timeout=self.timeout) as reply:
                return self.taken(reply.status, await reply.read())
        except (aiohttp.ClientError, TimeoutError):
            return False

"""The inbox: bounded, between the steps of the watch and the sealer. A full inbox makes the collector wait.

Facts (changes, blind spans, sales, what became of kept frames) have a lane of their own which ticks cannot fill. Room
is granted first; step and put then happen without an await between them, so that the order of the spool is the order
of the steps. Ticks become rows of COPY as they are put: so the work is spread over the frames, and what waits here is
small.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from monitor.facts import Heard
from monitor.store.batch import PackedTicks, pack_ticks

TICKS_MAX = 50_000
FACTS_MAX = 20_000
TICKS_AGE_S = 0.5
FACTS_AGE_S = 0.02
PACK_MAX = 1_000


class Taken(msgspec.Struct):
    """What waited, in its order: the steps without their ticks, and the ticks as rows."""

    heard: list[Heard] = []
    packed: list[PackedTicks] = []

    def __bool__(self) -> bool:
        return bool(self.heard or self.packed)


class Inbox:
    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks_max: int = TICKS_MAX,
        facts_max: int = FACTS_MAX,
        rows_max: int = 5_000,
        ticks_age_s: float = TICKS_AGE_S,
        facts_age_s: float = FACTS_AGE_S,
    ) -> None:
        """`rows_max` ticks, or an age, make the next take due."""
        self.now = now
        self.ticks_max, self.facts_max, self.rows_max = ticks_max, facts_max, rows_max
        self.ticks_age_s, self.facts_age_s = ticks_age_s, facts_age_s
        self.ticks = self.facts = 0  # rows waiting in each lane
        self.closed = False
        self.steps = 0  # put so far
        self._waiting = Taken()
        self._due: float | None = None
        self._called_at: float | None = None
        self._stirred = asyncio.Event()
        self._emptied = asyncio.Event()

    async def room(self, ticks: int = 0, facts: int = 0) -> None:
        """Wait until so many rows fit. One frame larger than a whole lane is let in once that lane is empty."""
        while (ticks and self.ticks and self.ticks + ticks > self.ticks_max) or (
            facts and self.facts and self.facts + facts > self.facts_max
        ):
            self._emptied.clear()
            await self._emptied.wait()

    def put(self, heard: Heard) -> None:
        """Hand over one step. Never waits: room was granted before the step was made."""
        now = asyncio.get_running_loop().time()
        facts = heard.facts
        self.ticks += len(heard.ticks)
        self.facts += facts
        for first in range(0, len(heard.ticks), PACK_MAX):
            self._waiting.packed.append(pack_ticks(heard.ticks[first : first + PACK_MAX], self.now(), heard.ticks_from))
        heard.ticks = []
        self._waiting.heard.append(heard)
        self.steps += 1
        due = now if self.ticks >= self.rows_max else now + (self.facts_age_s if facts else self.ticks_age_s)
        if self._due is None or due < self._due:
            self._due = due
            self._stirred.set()

    async def take(self) -> Taken:
        """All steps that wait, once they are due; none if somebody called before, or the inbox is closed and empty."""
        loop = asyncio.get_running_loop()
        while not self.closed:
            now, calls = loop.time(), [at for at in (self._due, self._called_at) if at is not None]
            if self._due is not None and self._due <= now:
                break
            if self._called_at is not None and self._called_at <= now:
                self._called_at = None
                return Taken()
            self._stirred.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(calls, default=None)):
                    await self._stirred.wait()
        taken, self._waiting = self._waiting, Taken()
        self.ticks = self.facts = 0
        self._due = self._called_at = None
        self._emptied.set()
        return taken

    def call(self, after_s: float) -> None:
        """Have `take` return by then at the latest, though no step is due: the sealer has something else to write."""
        at = asyncio.get_running_loop().time() + after_s
        if self._called_at is None or at < self._called_at:
            self._called_at = at
            self._stirred.set()

    def close(self) -> None:
        """No more steps; what waits is taken at once."""
        self.closed = True
        self._stirred.set()

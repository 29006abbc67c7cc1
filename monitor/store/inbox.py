"""The inbox: bounded, between the steps of the watch and the sealer. A full inbox makes the collector wait.

Facts (changes, blind spans, sales) have a lane of their own which ticks cannot fill. Room is granted first; step and
put then happen without an await between them, so that the order of the spool is the order of the steps.
"""

import asyncio

from monitor.facts import Heard

TICKS_MAX = 50_000
FACTS_MAX = 20_000
TICKS_AGE_S = 0.5
FACTS_AGE_S = 0.02


class Inbox:
    def __init__(
        self,
        ticks_max: int = TICKS_MAX,
        facts_max: int = FACTS_MAX,
        rows_max: int = 5_000,
        ticks_age_s: float = TICKS_AGE_S,
        facts_age_s: float = FACTS_AGE_S,
    ) -> None:
        """`rows_max` ticks, or an age, make the next take due."""
        self.ticks_max, self.facts_max, self.rows_max = ticks_max, facts_max, rows_max
        self.ticks_age_s, self.facts_age_s = ticks_age_s, facts_age_s
        self.ticks = self.facts = 0  # rows waiting in each lane
        self.closed = False
        self._heard: list[Heard] = []
        self._due: float | None = None
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
        facts = len(heard.changes) + len(heard.spans) + len(heard.sales) + len(heard.quarantine)
        self.ticks += len(heard.ticks)
        self.facts += facts
        self._heard.append(heard)
        due = now if self.ticks >= self.rows_max else now + (self.facts_age_s if facts else self.ticks_age_s)
        if self._due is None or due < self._due:
            self._due = due
            self._stirred.set()

    async def take(self) -> list[Heard]:
        """All steps that wait, once they are due; empty only when the inbox is closed and drained."""
        loop = asyncio.get_running_loop()
        while not self.closed and (self._due is None or loop.time() < self._due):
            self._stirred.clear()
            try:
                async with asyncio.timeout_at(self._due):
                    await self._stirred.wait()
            except TimeoutError:
                break
        heard, self._heard = self._heard, []
        self.ticks = self.facts = 0
        self._due = None
        self._emptied.set()
        return heard

    def stir(self) -> None:
        """Let the sealer look now, though no step has come (a release waits to be written)."""
        self._due = asyncio.get_running_loop().time()
        self._stirred.set()

    def close(self) -> None:
        """No more steps; what waits is taken at once."""
        self.closed = True
        self._stirred.set()

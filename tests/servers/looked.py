"""A Stage whose rooms are looked at by the real ffprobe where they are in doubt."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

from collectors.probed_row import ProbedRow
from monitor.facts import Heard
from monitor.live.supervise import Collecting, Outlets
from monitor.probe.probed_feed import ProbedFeed
from monitor.probe.prober import Prober
from tests.platforms.stage import Stage, now

from .test_halls import Real

LOOK_S_MAX = 20.0


class Looked(Stage):
    """A real server that is watched, and looked at where its rooms are in doubt."""

    def __init__(self, row: ProbedRow) -> None:
        super().__init__(Real(row))  # type: ignore[arg-type]
        self.row, self.prober = row, Prober(self.watch, now)

    def _outlets(self) -> Outlets:
        def put(heard: Heard) -> None:
            self.put.append(heard)
            self.prober.heard(heard.changes)

        return replace(super()._outlets(), put=put)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator["Looked"]:
        looking = asyncio.ensure_future(self.prober.run())
        line = ProbedFeed(cast(Collecting, self.row), self.row, self.prober)
        try:
            async with self.keeping(line):
                yield self
        finally:
            looking.cancel()
            await asyncio.wait([looking])

    def found(self, *outcomes: str) -> int:
        return sum(self.prober.counts()[self.row.name, outcome] for outcome in outcomes)

    async def is_so(self, so: Callable[[], object], within_s: float = LOOK_S_MAX) -> None:
        async with asyncio.timeout(within_s):
            while not so():
                await asyncio.sleep(0.05)

    async def comes_to(self, room: str, state: int, within_s: float = LOOK_S_MAX) -> None:
        await self.is_so(lambda: self.of(room).state == state, within_s)

    def viewers(self, room: str, after: int) -> set[int | None]:
        ticks = [tick for heard in self.put[after:] for _, tick in heard.ticks]
        return {tick.viewers for tick in ticks if tick.room == room and tick.live}

"""A feed of an own server as `supervise` knows it, where a player of ours may look at its rooms."""

from collections.abc import Sequence
from datetime import datetime

import aiohttp

from collectors.collector import Emit, Now, PartlyRead
from collectors.probed_row import ProbedRow
from collectors.tick import Tick
from monitor.live.supervise import Collecting
from monitor.probe.prober import Prober
from monitor.probe.suspicion import Rates


class ProbedFeed:
    """`feed` is what `row` collects and means; beside that thin streams are told to the prober, and its players are no
    viewers."""

    def __init__(self, feed: Collecting, row: ProbedRow, prober: Prober) -> None:
        self._feed, self._row, self._prober = feed, row, prober
        self._rates = Rates(row.rooms or ())
        self.name, self.RETRY_S_MAX = feed.name, feed.RETRY_S_MAX

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        await self._feed.collect(http, emit, now)

    def parse(self, frame: bytes, at: datetime) -> Sequence[Tick]:
        try:
            return self._told(frame, self._feed.parse(frame, at), at)
        except PartlyRead as error:
            error.ticks = self._told(frame, error.ticks, at)
            raise

    def _told(self, frame: bytes, ticks: Sequence[Tick], at: datetime) -> Sequence[Tick]:
        for room in self._rates.thin(ticks):
            self._prober.suspect(self.name, room, "thin")
        return self._prober.without_us(self._row, frame, ticks, at)

"""Which rooms have a planned end about now: found among all plans by their order, so that a scrape asks few of them."""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from monitor.facts import Slot
from monitor.live.judgement import planned_ends
from monitor.live.room import Room

SLICE_ROOMS = 500


class EndsNear:
    """A sign-off is no drop for as long as this says so, as in `judgement`."""

    def __init__(self) -> None:
        self._plans: list[Sequence[Slot]] = []
        self._ends_s: list[float] = []
        self._rooms: list[int] = []  # by their place, of each of these ends

    async def of(self, rooms: Sequence[Room], now: datetime, slack: timedelta) -> list[int]:
        """Places of rooms, in their order."""
        plans = [room.slots for room in rooms]
        if plans != self._plans:
            await self._learn(plans)
        self._plans = plans  # equal, or the same: what is the same need not be compared any deeper next time
        at_s, slack_s = now.timestamp(), slack.total_seconds()
        first, last = bisect_left(self._ends_s, at_s - slack_s), bisect_right(self._ends_s, at_s + slack_s)
        return sorted(set(self._rooms[first:last]))

    async def _learn(self, plans: Sequence[Sequence[Slot]]) -> None:
        found: list[tuple[float, int]] = []
        for place, slots in enumerate(plans):
            found += [(ends_at.timestamp(), place) for ends_at in planned_ends(slots)]
            if place % SLICE_ROOMS == 0:
                await asyncio.sleep(0)
        found.sort()
        self._ends_s, self._rooms = [ends_s for ends_s, _ in found], [place for _, place in found]

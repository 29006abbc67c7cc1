"""Which rooms have a planned end about now: found among all plans by their order, so that a scrape asks few of them."""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from monitor.facts import Slot
from monitor.live.judgement import planned_ends
from monitor.live.room import Room
from monitor.live.session import DROPPED

SLICE_ROOMS = 500


class EndsNear:
    """A sign-off is no drop for as long as this says so, as in `judgement`."""

    def __init__(self) -> None:
        self._plans: list[Sequence[Slot]] = []
        self._ends_s: list[float] = []
        self._ends_of: list[list[float]] = []  # by the place of the room
        self._rooms: list[int] = []  # by their place, of each of these ends

    async def follow(self, rooms: Sequence[Room]) -> bool:
        """Learn the plans of these rooms. True where that was needed: others had their turn meanwhile."""
        plans = [room.slots for room in rooms]
        changed = plans != self._plans
        if changed:
            await self._learn(plans)
        self._plans = plans  # equal, or the same: what is the same need not be compared any deeper next time
        return changed

    def of(self, rooms: Sequence[Room], now: datetime, slack: timedelta) -> list[int]:
        """Places of the rooms that it follows, in their order.

        Of a room that has stopped it is the stop that counts, as it will when grace has run out: who overran the plan
        by almost `slack` has signed off, and does not become a drop by being waited for. A stop that its source tells
        to be a failure is no sign-off, whenever it is.
        """
        at_s, slack_s = now.timestamp(), slack.total_seconds()
        first, last = bisect_left(self._ends_s, at_s - slack_s), bisect_right(self._ends_s, at_s + slack_s)
        near = set(self._rooms[first:last])
        for place, room in enumerate(rooms):
            if room.session.phase == DROPPED and room.session.stop is not None:
                stop_s = room.session.stop.at.timestamp()
                planned = any(abs(stop_s - ends_s) <= slack_s for ends_s in self._ends_of[place])
                if planned and room.session.stop.cause != "failed":
                    near.add(place)
                else:
                    near.discard(place)
        return sorted(near)

    async def _learn(self, plans: Sequence[Sequence[Slot]]) -> None:
        found: list[tuple[float, int]] = []
        ends_of = []
        for place, slots in enumerate(plans):
            ends_of.append([ends_at.timestamp() for ends_at in planned_ends(slots)])
            found += [(ends_s, place) for ends_s in ends_of[-1]]
            if place % SLICE_ROOMS == 0:
                await asyncio.sleep(0)
        found.sort()
        self._ends_of = ends_of
        self._ends_s, self._rooms = [ends_s for ends_s, _ in found], [place for _, place in found]

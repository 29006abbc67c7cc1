"""A relay: a PC in a hall that sees the rooms of one hosted platform and reports them to livemon by push_json."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from math import floor
from typing import Any

from ..deliveries import Deliveries, Made
from ..event.cast import PLATFORMS
from ..event.play import RoomNow
from ..scene import Scene, Settings, Trouble
from ..truth import NOT_TOLD, OFF_AIR
from .push_json import RETRIES_S, TIMEOUT_S, content_name, settings, signed, taken, written
from .unsold import SellsNothing

REPORT_S = 10.0  # of the world
TICKS_MAX = 500  # of one body
ALL_EVERY = 6  # reports: the first and every sixth one tells of all rooms, also of those that are off the air
WAITING_MAX = 400  # bodies (30 MB): what a PC keeps while nobody takes its reports; with that many it makes no more

Told = tuple[int, dict[str, Any], int]  # which of its rooms, the tick, and what that says in a frame of the truth


class Relay(SellsNothing):
    """Reports every room that is live, and once that one stopped, and once more if its broadcaster signed off later.
    Once a minute it tells of all its rooms: who has just begun to listen shall know which are off the air.

    A report tells of its own instant and is delivered until it is taken, in the order of reports: late, but never
    out of turn. While `trouble.feed` is set or `trouble.pushing` is not, no report is made, and none is made up later.
    It sees the picture of the platform, so an encoder that froze is live.
    """

    def __init__(
        self, scene: Scene, platform_name: str, report_s: float = REPORT_S, waiting_max: int = WAITING_MAX
    ) -> None:
        self.scene, self.platform = scene, platform_name
        self.report_s, self.waiting_max = report_s, waiting_max
        self.name = f"relay-{platform_name}"
        self.trouble = Trouble()
        self.parts = [part for part in scene.play.parts if part.platform == platform_name]
        self.secret = scene.secret(self.name)
        self.offset_s = sorted(PLATFORMS).index(platform_name) * report_s / len(PLATFORMS)  # not all at once
        self.deliveries = Deliveries(scene.http, self.trouble, RETRIES_S, TIMEOUT_S, taken, in_order=True)
        self._before: list[RoomNow] = []
        self._reports = 0

    async def open(self) -> None:
        """It calls, and is not called."""

    def settings(self) -> Settings:
        return settings(self.name, self.platform, ("live", "viewers"), self.secret)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.deliveries.run())
            group.create_task(self._report_on_time())

    async def _report_on_time(self) -> None:
        number = floor((self._clock_s(self.scene.now()) - self.offset_s) / self.report_s)
        while True:
            clock_s = self._clock_s(self.scene.now()) - self.offset_s
            number = max(number, floor(clock_s / self.report_s)) + 1
            await asyncio.sleep(number * self.report_s - clock_s)
            self.report(self.scene.now())

    def report(self, at: datetime) -> None:
        """Look at all rooms now and have it delivered; nothing while it is in trouble."""
        if self.trouble.feed or not self.trouble.pushing or self.waiting() >= self.waiting_max:
            return
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # as it is written
        rooms = self.scene.play.rooms(self._clock_s(at), [part.number for part in self.parts])
        before: Sequence[RoomNow | None] = self._before or [None] * len(rooms)
        everything = self._reports % ALL_EVERY == 0
        self._reports += 1
        told = [
            (index, tick | {"room": now.part.room, "at": at.isoformat(timespec="milliseconds")}, viewers)
            for index, (then, now) in enumerate(zip(before, rooms, strict=True))
            for tick, viewers in ticks(then, now) or [OFF] * everything
        ]
        self._before = rooms
        if not told:  # no report, but a look: nobody was on the air
            self.scene.truth.served(self.name, at, [NOT_TOLD] * len(self.parts))
        for start in range(0, len(told), TICKS_MAX):
            self._deliver(at, told[start : start + TICKS_MAX])

    def _deliver(self, at: datetime, told: Sequence[Told]) -> None:
        body = written({"ticks": [tick for _, tick, _ in told]})
        viewers = [NOT_TOLD] * len(self.parts)
        for index, _, says in told:
            viewers[index] = says
        self.deliveries.push(
            f"{self.scene.hooks_url}/hooks/{self.name}",
            partial(self._signed, content_name(body), body),
            partial(self.scene.truth.served, self.name, at, viewers),
        )

    def _signed(self, name: str, body: bytes) -> Made:
        return signed(self.secret, name, body, self.scene.now())

    def _clock_s(self, at: datetime) -> float:
        return (at - self.scene.tempo.began_at).total_seconds()

    def waiting(self) -> int:
        return self.deliveries.waiting()

    async def close(self) -> None:
        """Nothing of it is open."""


OFF: tuple[dict[str, Any], int] = ({"live": False}, OFF_AIR)


def ticks(then: RoomNow | None, now: RoomNow) -> list[tuple[dict[str, Any], int]]:
    """What is reported of a room, given what was seen at the last report: nothing or one tick, and its viewers."""
    if now.publishing:
        live = {
            "live": True, "viewers": now.viewers, "views_total": now.views_total, "likes_total": now.likes_total,
            "session_key": f"{now.part.room}-{now.broadcast}",
        }  # fmt: skip
        return [(live, now.viewers)]
    if then is None or not then.on_air:
        return []
    signed_off = not now.on_air and now.signed_off  # also of a broadcast that had dropped: nobody will come back to it
    if not then.publishing and not signed_off:
        return []
    return [({"live": False} | ({"end": "ended"} if signed_off else {}), OFF_AIR)]

"""Clouds of a play before livemon's own watch: each call is verified, understood, and tried again while it is away."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import msgspec

from collectors.collector import FeedRow
from collectors.hook import Accepted, App, CalledRow, Delivery, Hook
from collectors.platforms.aliyun_live import AliyunLive
from collectors.platforms.tencent_live import TencentLive
from collectors.platforms.volcengine_live import VolcengineLive
from collectors.tick import Tick
from monitor.rehearsal.event.cast import OWN
from monitor.rehearsal.house import CLOUD_CALLS
from monitor.rehearsal.manners import server_of
from monitor.rehearsal.platforms.calls import Call, Caller
from monitor.rehearsal.platforms.cloud import Cloud
from monitor.rehearsal.scene import Scene
from monitor.rehearsal.truth import NOT_TOLD, OFF_AIR, Truth

KINDS: Mapping[str, type[CalledRow]] = {
    "tencent_live": TencentLive, "aliyun_live": AliyunLive, "volcengine_live": VolcengineLive,
}  # fmt: skip
KEY = b"key-of-a-play"


def cloud_row(hall: str) -> CalledRow:
    return KINDS[server_of(hall)](name=f"cloud-{hall.lower()}", hall=hall, platform=OWN, app="a")


def delivered(kind: str, call: Call, at: datetime, key: bytes) -> Delivery:
    """As it comes to livemon, of a first try at this instant."""
    habit = CLOUD_CALLS[kind].HABIT
    headers, body, *query = habit.made(call.told, key, at)
    kept = {name.lower(): value for name, value in headers.items() if name.lower() in KINDS[kind].HEADERS}
    return Delivery(habit.method, "/hooks/cloud", "".join(query), kept, body)


def understood(row: CalledRow, call: Call, first_at: datetime, at: datetime, key: bytes) -> Tick:
    """By livemon, of a try at `at` of what was tried first at `first_at`."""
    kind = str(type(row).__struct_config__.tag)
    delivery, app = delivered(kind, call, first_at, key), App("a", kind, secrets=(key,))
    hook = cast(Hook, row)
    verdict = hook.verify(delivery, app, at)
    assert isinstance(verdict, Accepted)
    assert verdict.once
    [tick] = hook.parse(msgspec.msgpack.encode(delivery), at, app).ticks
    return tick


@dataclass
class Due:
    """A call that was not taken yet."""

    call: Call
    tries: int = 0
    next_s: float = 0.0
    first_at: datetime | None = None


@dataclass
class Clouded:
    """One hall's cloud."""

    row: CalledRow
    caller: Caller
    due: dict[int, deque[Due]] = field(default_factory=dict)

    def go_on(
        self, truth: Truth, clock_s: float, at: Callable[[float], datetime], away: bool,
        hear: Callable[[FeedRow, Tick, datetime], None],
    ) -> None:  # fmt: skip
        """What is told at this second of the clock, of each room one thing after the other."""
        for number, calls in self.caller.look(at(clock_s)).items():
            self.due.setdefault(number, deque()).extend(Due(call) for call in calls)
        for line in self.due.values():
            while line and line[0].next_s <= clock_s and not self._tried(line[0], truth, clock_s, at, away, hear):
                line.popleft()

    def _tried(
        self, due: Due, truth: Truth, clock_s: float, at: Callable[[float], datetime], away: bool,
        hear: Callable[[FeedRow, Tick, datetime], None],
    ) -> bool:  # fmt: skip
        """Whether it is tried again."""
        now, feed = at(clock_s), f"{self.row.name}:{due.call.room}"
        due.first_at = due.first_at or now
        if not away:
            tick = understood(self.row, due.call, due.first_at, now, KEY)
            assert due.call.at is not None
            truth.served(feed, due.call.at, [0 if due.call.live else OFF_AIR], "stamped")
            truth.served(feed, at(clock_s + 0.01), [NOT_TOLD], "alive")
            hear(self.row, tick, at(clock_s + 0.01))
            return False
        truth.served(feed, now, None, "failed")
        retries_s = self.caller.habit.retries_s
        if due.tries == len(retries_s):
            return False
        due.next_s, due.tries = clock_s + retries_s[due.tries], due.tries + 1
        return True


def clouded(scene: Scene, hall: str, row: CalledRow) -> Clouded:
    return Clouded(row, Cloud(scene, hall, CLOUD_CALLS[server_of(hall)]).caller)

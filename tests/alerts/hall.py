"""A hall of rooms as alerts see it, an Alertmanager's word about them, and what robots would be told. No I/O."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from monitor.alerts import teller
from monitor.alerts.alert import Alert
from monitor.alerts.memory import Memory
from monitor.alerts.scene import Scene
from monitor.alerts.sight import BLIND, DROPPED, LIVE, LOST, STOPPED, Counts, RoomSight
from monitor.alerts.teller import Plan
from monitor.alerts.webhook import Group

AT = datetime(2026, 11, 19, 12, tzinfo=UTC)
Step = Callable[[Memory, Group | None, Scene], Plan]


class Sight:
    def __init__(self) -> None:
        self.rooms: dict[tuple[str, str], RoomSight] = {}
        self.feeds: dict[str, str] = {}

    def room(self, platform: str, room: str) -> RoomSight | None:
        return self.rooms.get((platform, room))

    def stopped(self, platform: str | None = None, hall: str | None = None) -> list[RoomSight]:
        found = [room for room in self._of(platform, hall) if room.state in STOPPED]
        return sorted(found, key=lambda room: -(room.viewers_before or 0))

    def counts(self, platform: str | None = None, hall: str | None = None) -> Counts:
        states = [room.state for room in self._of(platform, hall)]
        return Counts("", "", 0, *(states.count(state) for state in (LIVE, DROPPED, LOST, BLIND)))

    def feed(self, name: str) -> str | None:
        return self.feeds.get(name)

    def _of(self, platform: str | None, hall: str | None) -> list[RoomSight]:
        return [
            room for room in self.rooms.values()
            if platform in (None, room.platform) and hall in (None, room.hall)
        ]  # fmt: skip


class Hall:
    """`said`: of each message what kind, which alert, and the numbers, as `firing LivemonRoomDropped 1 2`."""

    def __init__(self, step: Step = teller.step) -> None:
        self.step, self.sight, self.memory = step, Sight(), Memory()
        self.now, self.up_since = AT, AT - timedelta(hours=1)
        self.said: list[str] = []
        self.counted: list[int] = []
        self.robots: Sequence[str] = ("all",)

    def stand(self, rooms: Sequence[int] | int, state: int, platform: str = "p", hall: str = "") -> None:
        for number in [rooms] if isinstance(rooms, int) else rooms:
            key = (platform, str(number))
            had = self.sight.rooms.get(key) or RoomSight(*key, hall=hall, viewers_before=number)
            since = had.since if {had.state, state} <= {*STOPPED} else self.now
            self.sight.rooms[key] = msgspec.structs.replace(had, state=state, since=since, hall=hall or had.hall)

    def post(self, *alerts: Alert, truncated: int = 0) -> list[str]:
        return self._step(Group("g", {}, alerts, truncated))

    def wait(self, seconds: float) -> list[str]:
        """Second for second; of what was said in them."""
        said: list[str] = []
        for _ in range(int(seconds)):
            self.now += timedelta(seconds=1)
            said += self._step(None)
        return said

    def restart(self, down_s: float) -> None:
        """A new process over the same book: it remembers what was taken, and sees nobody yet."""
        memory = Memory([*self.memory.past.values(), *self.memory.open.values()], self.memory.next_number)
        memory.storms = self.memory.storms
        self.memory, self.now = memory, self.now + timedelta(seconds=down_s)
        self.up_since = self.now
        for key, room in self.sight.rooms.items():
            self.sight.rooms[key] = msgspec.structs.replace(room, state=BLIND)

    def _step(self, group: Group | None) -> list[str]:
        plan = self.step(self.memory, group, Scene(self.sight, self.now, self.up_since, lambda alert: self.robots))
        self.memory.take(plan.changed)
        self.memory.storms |= plan.storms
        self.memory.forget(self.now)
        self.counted += [len(told) + plan.more for told in plan.firing]
        said = [_line("firing", told) for told in plan.firing] + [_line(how, told) for how, told in plan.ended]
        self.said += said
        return said


def _line(kind: str, told: Sequence[teller.Told]) -> str:
    names = {one.kept.name for one in told}
    assert len(names) == 1
    return " ".join([kind, *names, *(str(one.kept.number) for one in told)])


def alert(name: str, room: int | None = None, at: datetime = AT, severity: str = "warning", **labels: str) -> Alert:
    labels = {"platform": "p"} | labels | ({} if room is None else {"room": str(room)})
    return Alert(f"{name} {sorted(labels.items())}", name, severity, labels, {}, at)


def over(one: Alert, at: datetime) -> Alert:
    return msgspec.structs.replace(one, ends_at=at)

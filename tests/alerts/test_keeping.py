"""From a stop to its loss: who took it holds it all the way, and while nobody does, people are called by its clock.

Alertmanager is a list here: what it does with silences is tested with a real one (test_silences.py).
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from monitor.alerts.alert import Alert, Episode
from monitor.alerts.book import Book
from monitor.alerts.contacts import Contact
from monitor.alerts.duty import Duty
from monitor.alerts.escalating import Escalating, Make
from monitor.alerts.hearing import Hearing
from monitor.alerts.keeper import Keeper
from monitor.alerts.kept import DROPPED, LOST
from monitor.alerts.sight import BLIND, LIVE
from monitor.alerts.sight import DROPPED as ROOM_DROPPED
from monitor.alerts.sight import LOST as ROOM_LOST
from monitor.alerts.silence import Matcher, Silence, Status
from monitor.alerts.silences import Listed
from monitor.alerts.webhook import Group
from tests.alerts.hall import AT, Hall, over
from tests.alerts.telling import Words, robot

Plan = dict[int, Callable[[], tuple[Alert, ...] | None]]
"""What happens at a second, and what Alertmanager tells of it."""


class Alertmanager:
    """What fires in it, and its silences."""

    def __init__(self, hall: Hall) -> None:
        self.hall, self.kept, self.fires = hall, list[Silence](), list[Alert]()

    async def silences(self) -> list[Silence]:
        now = self.hall.now
        return [
            msgspec.structs.replace(each, status=Status("active" if each.ends_at > now else "expired"))
            for each in self.kept
        ]

    async def put(self, silence: Silence) -> str:
        self.kept = [each for each in self.kept if each.id != silence.id]
        self.kept.append(msgspec.structs.replace(silence, id=silence.id or f"s{len(self.kept)}"))
        return self.kept[-1].id

    async def expire(self, silence_id: str) -> None:
        self.kept = [each.until(self.hall.now) if each.id == silence_id else each for each in self.kept]

    async def alerts(self, matchers: Sequence[Matcher]) -> list[Listed]:
        found = [each for each in self.fires if all(matcher.takes(each.labels) for matcher in matchers)]
        return [Listed(each.fingerprint, each.labels, each.starts_at) for each in found]

    async def uptime_s(self, now: datetime) -> float:
        return 9_999.0


class Evening:
    """A star stops at AT; `plan` says what happens at which second after it."""

    def __init__(self, folder: Path) -> None:
        self.hall = Hall()
        self.hall.stand(1, ROOM_DROPPED)
        self.alertmanager = Alertmanager(self.hall)
        self.hearing = Hearing(Book(folder), self.hall.sight, [robot("g")], Words(), lambda: self.hall.now)
        self.hearing.up_since = AT - timedelta(hours=1)
        self.keeper = Keeper(self.alertmanager, self.hearing, lambda: self.hall.now, self._over)  # type: ignore[arg-type]
        self.duty = Duty(self.hearing, self.alertmanager, self.keeper, self._end, lambda: self.hall.now)  # type: ignore[arg-type]
        self.calls: list[int] = []
        self.held: list[str] = []  # by whom, each second
        self.escalating = Escalating(
            self.hearing, lambda: self.keeper.holds, lambda at: ["zhang", "li"], lambda of: Contact(of, of),
            lambda number, language: [], self._tell, lambda: self.hall.now, UTC,
        )  # fmt: skip

    async def play(self, from_s: int, until_s: int, plan: Plan, taken_at_s: int | None = None) -> None:
        for second in range(from_s + 1, until_s + 1):
            self.hall.now = AT + timedelta(seconds=second)
            group = plan[second]() if second in plan else None
            await self.hearing.hear(Group("g", {}, group) if group else None)
            if second == taken_at_s:
                assert (await self.duty.acknowledge(1, "张三")).word == "held"
            if second % 10 == 0:
                await self.keeper.tend()
            if second % 5 == 0:
                await self.escalating.tend()
            hold = self.duty.hold(1)
            self.held.append(hold.by if hold else "")

    def fire(self, *alerts: Alert) -> None:
        self.alertmanager.fires = list(alerts)

    async def told(self) -> list[str]:
        return [waiting.notice.kind for waiting in await self.hearing.due("g", self.hall.now)]

    async def _over(self, silence: Silence, heard: object) -> None:
        raise AssertionError("a silence that ended while what it hid goes on")

    async def _end(self, platform: str, room: str, by: str) -> str:
        raise AssertionError

    async def _tell(self, make: Make, key: str, episodes: Sequence[Episode]) -> None:
        self.calls.append(int((self.hall.now - AT).total_seconds()))


def star(name: str, second: int) -> Alert:
    labels = {"alertname": name, "severity": "critical", "platform": "p", "room": "1", "tier": "1"}
    return Alert(name, name, "critical", labels, {}, AT + timedelta(seconds=second))


DROP, LOSS = star(DROPPED, 10), star(LOST, 130)


@pytest.fixture
async def evening(tmp_path: Path) -> AsyncIterator[Evening]:
    playing = Evening(tmp_path)
    yield playing
    await playing.hearing.close()


def lost_at_120(evening: Evening) -> Plan:
    """Dropped is kept firing for a while beside Lost; the end of what is silenced nobody tells."""
    return {
        10: lambda: evening.fire(DROP),
        12: lambda: (DROP,),
        120: lambda: evening.hall.stand(1, ROOM_LOST),
        130: lambda: evening.fire(DROP, LOSS),
        132: lambda: (LOSS,),
        155: lambda: evening.fire(LOSS),
    }


async def test_nobody_takes_it_and_people_are_called_by_the_clock_of_the_stop(evening: Evening) -> None:
    plan = lost_at_120(evening) | {157: lambda: (over(DROP, evening.hall.now),)}
    await evening.play(0, 900, plan)
    assert evening.calls == [300, 600]


async def test_who_took_the_drop_holds_the_loss_and_nobody_is_called(evening: Evening) -> None:
    await evening.play(0, 3_600, lost_at_120(evening), taken_at_s=60)
    assert (evening.calls, set(evening.held[60:])) == ([], {"张三"})
    assert [(each.number, each.alert.name, each.alert.firing) for each in await evening.hearing.open_episodes()] == [
        (1, LOST, True)
    ]
    (held,) = [each for each in await evening.alertmanager.silences() if each.state == "active"]
    assert (held.takes(LOSS.labels), held.takes(DROP.labels)) == (True, False)
    evening.hall.stand(1, LIVE)
    evening.fire()
    await evening.play(3_600, 3_660, {})
    assert (await evening.told())[-1] == "recovered"
    assert [each.state for each in await evening.alertmanager.silences()] == ["expired"] * 2


async def test_who_took_it_holds_it_through_blindness_and_when_it_fires_again(evening: Evening) -> None:
    again = msgspec.structs.replace(DROP, starts_at=AT + timedelta(seconds=400))
    plan: Plan = {
        10: lambda: evening.fire(DROP),
        12: lambda: (DROP,),
        100: lambda: evening.hall.stand(1, BLIND),
        140: lambda: evening.fire(),
        390: lambda: evening.hall.stand(1, ROOM_DROPPED),
        400: lambda: evening.fire(again),  # of which Alertmanager tells nobody
    }
    await evening.play(0, 3_600, plan, taken_at_s=60)
    assert (evening.calls, set(evening.held[60:])) == ([], {"张三"})
    assert [(each.number, each.alert.firing) for each in await evening.hearing.open_episodes()] == [(1, True)]
    assert await evening.told() == ["firing"]


async def test_each_is_called_once_also_after_a_blind_spell(evening: Evening) -> None:
    again = msgspec.structs.replace(DROP, starts_at=AT + timedelta(seconds=400))
    plan: Plan = {
        10: lambda: evening.fire(DROP),
        12: lambda: (DROP,),
        320: lambda: evening.hall.stand(1, BLIND),
        360: lambda: evening.fire(),
        365: lambda: (over(DROP, evening.hall.now),),
        390: lambda: evening.hall.stand(1, ROOM_DROPPED),
        400: lambda: evening.fire(again),
        402: lambda: (again,),
    }
    await evening.play(0, 1_200, plan)
    assert evening.calls == [300, 600]

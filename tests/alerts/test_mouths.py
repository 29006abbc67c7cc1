"""Each robot of the config has one worker; a reload ends, begins and changes them, and none is told twice by two."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.alerts import mouths
from monitor.alerts.book_file import BookRefused
from monitor.alerts.delivery import Clock
from monitor.alerts.mouths import Mouths
from monitor.alerts.notice import Notice
from monitor.alerts.pace import Limit
from monitor.alerts.robots.answer import SENT, Verdict
from monitor.alerts.waiting import Waiting
from monitor.config_alerts import Robot
from tests.alerts.outbox import Hands, MemoryOutbox


class Slow:
    """A voice that is heard a little after it began to speak."""

    limits = (Limit(100, 60.0),)

    def __init__(self, robot: Robot, said: list[str]) -> None:
        self.robot, self.said = robot, said

    def fits(self, notice: Notice) -> bool:
        return True

    async def say(self, notice: Notice) -> Verdict:
        await asyncio.sleep(0.05)
        self.said.append(f"{self.robot.language} {notice.title}")
        return SENT


class Hasty(Mouths):
    """The next begins while the last still speaks."""

    async def _end(self, names: object) -> None:
        for name in list(names):  # type: ignore[call-overload]
            self._workers.pop(name).task.cancel()


class Deaf(Mouths):
    """Only the robots of the start."""

    def follow(self, robots: Sequence[Robot]) -> None:
        if not self._wanted:
            super().follow(robots)


def robot(name: str, **more: str) -> Robot:
    return Robot(name=name, kind="wecom", url_file=Path("u"), **more)  # type: ignore[arg-type]


async def played(kind: type[Mouths]) -> list[str]:
    """One is put, the robot changes while it is told of it, another is put; then the robot goes, and a third is put."""
    hands, said = Hands(), list[str]()
    outbox = MemoryOutbox(hands)
    clock = Clock(hands.now, asyncio.get_running_loop().time)
    all_of_them = kind(outbox, clock, lambda row: Slow(row, said), lambda name: None, "event", False)
    task = asyncio.create_task(all_of_them.run())
    steps = [([robot("a")], "1"), ([robot("a", language="en"), robot("b")], "2"), ([robot("b")], "3")]
    for number, (robots, title) in enumerate(steps):
        await outbox.put([("a", Notice("firing", "critical", title), title)])
        all_of_them.follow(robots)
        await asyncio.sleep(0.02)
        all_of_them.wake()
        await asyncio.sleep(0.01 if number == 0 else 0.3)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return said
    except ExceptionGroup:  # the outbox saw one message told by two
        return [*said, "told twice"]
    return said


TOLD = ["zh 1", "en 2", "zh 3"]  # the third by the robot that is left


async def test_workers_follow_the_config() -> None:
    assert await played(Mouths) == TOLD


@pytest.mark.parametrize("wrong", [Hasty, Deaf])
async def test_planted_bugs_are_found(wrong: type[Mouths]) -> None:
    assert await played(wrong) != TOLD


class Refusing(MemoryOutbox):
    """A disk that refuses once."""

    refusals = 1

    async def others(self, robots: Sequence[str]) -> Sequence[Waiting]:
        if self.refusals:
            self.refusals -= 1
            raise BookRefused("no space left on device")
        return await super().others(robots)


async def test_what_waits_for_a_robot_that_is_removed_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mouths, "LOOK_S", 0.05)
    hands, said, given_up = Hands(), list[str](), list[str]()
    outbox = Refusing(hands)
    clock = Clock(hands.now, asyncio.get_running_loop().time)
    all_of_them = Mouths(outbox, clock, lambda row: Slow(row, said), lambda name: None, "event", False, given_up.append)
    await outbox.put([("a", Notice("firing", severity, severity), severity) for severity in ("critical", "info")])
    all_of_them.follow([robot("b")])
    task = asyncio.create_task(all_of_them.run())
    async with asyncio.timeout(10):
        while not (said and given_up):
            all_of_them.wake()
            await asyncio.sleep(0.01)
    await outbox.put([("a", Notice("firing", "critical", "late"), "late")])  # decided before the reload, put after it
    async with asyncio.timeout(10):
        while len(said) < 2:
            all_of_them.wake()
            await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert (said, given_up) == (["zh critical", "zh late"], ["info"])


async def test_a_worker_that_is_unchanged_goes_on() -> None:
    hands = Hands()
    voices: list[str] = []

    def voice(row: Robot) -> Slow:
        voices.append(row.name)
        return Slow(row, [])

    clock = Clock(hands.now, asyncio.get_running_loop().time)
    all_of_them = mouths.Mouths(MemoryOutbox(hands), clock, voice, lambda name: None, "event", False)
    task = asyncio.create_task(all_of_them.run())
    for _ in range(3):
        all_of_them.follow([robot("a"), robot("b")])
        await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert voices == ["a", "b"]


async def test_it_can_begin_again_after_a_voice_had_a_bug() -> None:
    hands, said = Hands(), list[str]()
    outbox = MemoryOutbox(hands)

    class Broken(Slow):
        async def say(self, notice: Notice) -> Verdict:
            raise KeyError("a bug")

    voices = iter([Broken, Slow])
    clock = Clock(hands.now, asyncio.get_running_loop().time)
    all_of_them = Mouths(outbox, clock, lambda row: next(voices)(row, said), lambda name: None, "event", False)
    all_of_them.follow([robot("a")])
    await outbox.put([("a", Notice("firing", "critical", "1"), "1")])
    with pytest.raises(ExceptionGroup):
        await all_of_them.run()
    task = asyncio.create_task(all_of_them.run())
    await asyncio.sleep(0.2)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert said == ["zh 1"]

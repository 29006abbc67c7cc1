"""All robots of the config, each with a worker that tells it what waits; they follow the config."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from monitor.alerts.book_file import BookRefused
from monitor.alerts.delivery import Clock, Delivery, other_of
from monitor.alerts.removed import settle
from monitor.alerts.robots.voice import Voice
from monitor.alerts.waiting import Outbox
from monitor.config_alerts import Robot
from monitor.purpose import Purpose

log = logging.getLogger(__name__)

LOOK_S = 60.0


class Worker(NamedTuple):
    """Whom it tells, and who hears of what that one does not take."""

    of: tuple[Robot, Robot | None]
    delivery: Delivery
    task: asyncio.Task[None]


class Mouths:
    """`voice` makes a robot's mouth, `failed` counts by robot, `given_up` by severity what nobody is told any more.

    `robots`: in a rehearsal they speak, too.
    """

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        voice: Callable[[Robot], Voice],
        failed: Callable[[str], None],
        purpose: Purpose,
        robots: bool,
        given_up: Callable[[str], None] = lambda severity: None,
    ) -> None:
        self._outbox, self._clock, self._voice, self._failed = outbox, clock, voice, failed
        self._purpose, self._speak, self._given_up = purpose, robots, given_up
        self._refused = False
        self._wanted: Sequence[Robot] = ()
        self._workers: dict[str, Worker] = {}
        self._changed = asyncio.Event()

    def follow(self, robots: Sequence[Robot]) -> None:
        """These are the robots from now on."""
        self._wanted = tuple(robots)
        self._changed.set()

    def wake(self) -> None:
        """Something new is to be told."""
        for worker in self._workers.values():
            worker.delivery.wake()

    async def run(self) -> None:
        """Until it is cancelled. One that changed ends before it begins anew: it would be told twice by two."""
        self._workers.clear()
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                wanted = {robot.name: (robot, other_of(robot, self._wanted)) for robot in self._wanted}
                await self._end([name for name, worker in self._workers.items() if wanted.get(name) != worker.of])
                for name, of in wanted.items():
                    if name not in self._workers:
                        self._workers[name] = self._begun(of, group)
                await self._settle()
                try:
                    async with asyncio.timeout(LOOK_S):  # something may have been put for one of before meanwhile
                        await self._changed.wait()
                except TimeoutError:
                    pass

    def _begun(self, of: tuple[Robot, Robot | None], group: asyncio.TaskGroup) -> Worker:
        robot, other = of
        delivery = Delivery(
            robot, self._voice(robot), self._outbox, self._clock, self._failed, other, self._purpose, self._speak,
            self._given_up,
        )  # fmt: skip
        return Worker(of, delivery, group.create_task(delivery.run(), name=f"robot {robot.name}"))

    async def _settle(self) -> None:
        """After those that were removed have ended: what one of them was telling it had a moment to finish."""
        try:
            await settle(self._outbox, self._wanted, self._given_up)
            self._refused = False
        except BookRefused as error:
            if not self._refused:
                log.error("what waits for removed robots stays, and it is tried again: %s", error)
            self._refused = True

    async def _end(self, names: Iterable[str]) -> None:
        tasks = [self._workers.pop(name).task for name in names]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

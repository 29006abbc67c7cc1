"""Tells one robot what waits for it: within its limits, again until it answers, and elsewhere when it does not."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from monitor.alerts.book_file import BookRefused
from monitor.alerts.bundle import Bundle, first
from monitor.alerts.notice import Notice
from monitor.alerts.pace import Pace
from monitor.alerts.robots.answer import Verdict
from monitor.alerts.robots.voice import Voice
from monitor.alerts.waiting import Outbox, Waiting, elsewhere
from monitor.config_alerts import Robot
from monitor.purpose import Purpose, marked

log = logging.getLogger(__name__)

IDLE_S = 1.0
STOP_S_MAX = 5.0
BACKOFF_S, BACKOFF_S_MAX, BACKOFF_S_MIN = 1.0, 30.0, 0.5
DOUBLINGS_MAX = 10
REFUSED_AGAIN_S = 300.0  # somebody may mend the robot; until then it is not asked for the same thing all the time
FAILURES_MAX = 3  # of one message: then the other robot hears of it, too
UNTOLD_MAX = timedelta(minutes=2)  # or after so long
AGE_MAX = timedelta(hours=24)  # then it is given up, unless it is critical
PACE_MEMORY = timedelta(seconds=90)
ELSEWHERE = {"zh": "机器人 {robot} 送不到,改由此处转达", "en": "robot {robot} does not answer; told here instead"}


class Clock(NamedTuple):
    """Aware UTC for stamps, monotonic seconds for waits, and chance for backoff."""

    now: Callable[[], datetime]
    at_s: Callable[[], float]
    uniform: Callable[[float, float], float] = random.uniform


class Delivery:
    """One robot's worker. `failed` counts by robot what could not be told, `given_up` by severity what never was."""

    def __init__(
        self,
        robot: Robot,
        voice: Voice,
        outbox: Outbox,
        clock: Clock,
        failed: Callable[[str], None],
        other: Robot | None = None,
        purpose: Purpose = "event",
        robots: bool = False,
        given_up: Callable[[str], None] = lambda severity: None,
    ) -> None:
        """`other`: who hears of it when this one does not answer. `robots`: in a rehearsal they speak, too."""
        self._robot, self._voice, self._outbox, self._clock = robot, voice, outbox, clock
        self._failed, self._other, self._purpose = failed, other, purpose
        self._given_up = given_up
        self._speaks = purpose == "event" or robots
        self._pace: Pace | None = None
        self._rest_until_s = float("-inf")
        self._failures = 0  # in a row
        self._told: list[int] = []  # and not written yet
        self._told_elsewhere: set[int] = set()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something was put: look now."""
        self._woken.set()

    async def run(self) -> None:
        """Until it is cancelled; what is being told then has a moment to be answered, or it would be told twice."""
        refused = False
        while True:
            self._woken.clear()
            try:
                wait_s, refused = await self._whole_step(), False
            except BookRefused as error:
                if not refused:
                    log.error(
                        "what robot %s was told cannot be written, and it is tried again: %s", self._robot.name, error
                    )
                wait_s, refused = IDLE_S, True
            try:
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def _whole_step(self) -> float:
        step = asyncio.ensure_future(self.step())
        try:
            return await asyncio.shield(step)
        except asyncio.CancelledError:
            await asyncio.wait([step], timeout=STOP_S_MAX)
            step.cancel()
            raise

    async def step(self) -> float:
        """Tell one message if there is one and it may be told; after so many seconds there is reason to look again."""
        now, at_s = self._clock.now(), self._clock.at_s()
        await self._write_told()
        waiting = await self._living(await self._outbox.due(self._robot.name, now), now)
        if not waiting:
            return IDLE_S
        if not self._speaks:
            await self._outbox.sent([each.id for each in waiting], now)
            return IDLE_S
        pace = await self._paced(now, at_s)
        if self._failures:
            await self._tell_elsewhere([each for each in waiting if now - each.created_at >= UNTOLD_MAX])
        if at_s < self._rest_until_s:
            return min(IDLE_S, self._rest_until_s - at_s)
        bundle = first(waiting, lambda critical: pace.left(at_s, critical), self._fits, self._robot.language)
        if bundle is None:
            critical = any(each.severity == "critical" for each in waiting)
            return max(0.01, min(IDLE_S, pace.wait_s(at_s, critical)))
        await self._tell(bundle, pace, waiting)
        return 0.0

    async def _tell(self, bundle: Bundle, pace: Pace, waiting: Sequence[Waiting]) -> None:
        pace.take(self._clock.at_s())
        verdict = await self._voice.say(self._marked(bundle.notice))
        pace.moved(self._clock.at_s())
        if verdict.outcome == "sent":
            self._told += bundle.ids
            if self._failures:
                log.info("robot %s answers again", self._robot.name)
            self._failures, self._rest_until_s = 0, float("-inf")
            self._told_elsewhere.difference_update(bundle.ids)
            await self._write_told()
            return
        await self._not_told(bundle, verdict)
        if verdict.outcome == "refused" or bundle.tries + 1 >= FAILURES_MAX:
            await self._tell_elsewhere([each for each in waiting if each.id in bundle.ids])

    async def _write_told(self) -> None:
        """Before anything else: with a disk that refuses, the same message would be told again and again."""
        if self._told:
            await self._outbox.sent(self._told, self._clock.now())
            self._told = []

    def _marked(self, notice: Notice) -> Notice:
        return notice.with_title(marked(notice.title, self._purpose))

    def _fits(self, notice: Notice) -> bool:
        return self._voice.fits(self._marked(notice))

    async def _not_told(self, bundle: Bundle, verdict: Verdict) -> None:
        self._failed(self._robot.name)
        if not self._failures:
            log.warning("robot %s was not told: %s", self._robot.name, verdict.why)
        self._failures += 1
        ceiling_s = min(BACKOFF_S_MAX, BACKOFF_S * 2.0 ** min(self._failures, DOUBLINGS_MAX))
        wait_s = max(BACKOFF_S_MIN, self._clock.uniform(0.0, ceiling_s), verdict.after_s)
        self._rest_until_s = self._clock.at_s() + wait_s
        message_s = max(wait_s, REFUSED_AGAIN_S) if verdict.outcome == "refused" else wait_s
        next_at = self._clock.now() + timedelta(seconds=message_s)
        await self._outbox.again(bundle.ids, next_at, verdict.why)

    async def _tell_elsewhere(self, untold: Sequence[Waiting]) -> None:
        """Once each, whatever becomes of it there: what was put because another robot failed goes no further."""
        other = self._other
        new = [each for each in untold if each.id not in self._told_elsewhere and self._is_passed_on(each)]
        if other is None or not new:
            return
        said = ELSEWHERE[other.language].format(robot=self._robot.name)
        await self._outbox.put(
            (other.name, _passed_on(each.notice, said), elsewhere(self._robot.name, each.id)) for each in new
        )
        self._told_elsewhere.update(each.id for each in new)

    def _is_passed_on(self, waiting: Waiting) -> bool:
        """What came from another robot goes no further; without a fallback, only what is critical goes anywhere."""
        return waiting.notice.kind != "delivery_failing" and (
            bool(self._robot.fallback) or waiting.severity == "critical"
        )

    async def _living(self, waiting: Sequence[Waiting], now: datetime) -> list[Waiting]:
        old = [each for each in waiting if each.severity != "critical" and now - each.created_at >= AGE_MAX]
        if old:
            await self._outbox.failed([each.id for each in old], "older than a day")
            self._told_elsewhere.difference_update(each.id for each in old)
            for each in old:
                self._failed(self._robot.name)
                self._given_up(each.severity)
            log.warning("robot %s was never told %d messages: they are a day old", self._robot.name, len(old))
        return [each for each in waiting if each not in old]

    async def _paced(self, now: datetime, at_s: float) -> Pace:
        """What it was told before a restart counts."""
        if self._pace is None:
            before = await self._outbox.sent_since(self._robot.name, now - PACE_MEMORY)
            self._pace = Pace(self._voice.limits, [at_s - (now - sent_at).total_seconds() for sent_at in before])
        return self._pace


def _passed_on(notice: Notice, said: str) -> Notice:
    return replace(notice, kind="delivery_failing", lines=(said, *notice.lines))


def other_of(robot: Robot, robots: Sequence[Robot]) -> Robot | None:
    """Who hears of what this robot does not take: its fallback; else, of critical alerts alone, who takes the rest."""
    others = sorted((other for other in robots if other.name != robot.name), key=lambda other: other.match is not None)
    named = [other for other in others if other.name == robot.fallback]
    return next(iter(named or others), None)

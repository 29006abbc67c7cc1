"""Carries out a plan of faults: each at its minute, told to the operator in words and to the truth as notes."""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from ..scene import Trouble
from ..truth import Truth
from . import faults, postmaster
from .fault_words import words
from .faults import AnyFault, Named, See, hit, what
from .plan import Plan

Signal = Callable[[int, signal.Signals], None]


class Acts(Protocol):
    """What is done to the programs of this rehearsal. Whatever these raise ends the drill."""

    async def kill_monitor(self) -> None:
        """kill -9, and wait for its end."""

    async def stop_monitor(self) -> None:
        """SIGTERM, and wait for its clean end."""

    async def start_monitor(self) -> None:
        """Start it again with the same config, and wait until it is ready."""

    def postgres_pid(self) -> int | None:
        """Of the embedded postmaster; None while none runs."""


class WorldClock:
    """Seconds of the monotonic clock, and the instant of the world."""

    def s(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def until(self, second: float) -> None:
        await asyncio.sleep(max(0.0, second - self.s()))


class Clock(Protocol):
    """What `WorldClock` is; tests have their own."""

    def s(self) -> float: ...
    def now(self) -> datetime: ...
    async def until(self, second: float) -> None: ...


class Director:
    """One plan, for the platforms whose troubles these are, by name; minute 0 is when `run` is called.

    `say` prints a line, its time that of `zone` (left out: of this machine). Raises ConfigError if the plan names a
    platform that does not play.
    """

    def __init__(
        self, plan: Plan, troubles: Mapping[str, Trouble], acts: Acts, truth: Truth, say: Callable[[str], None],
        zone: tzinfo | None = None, clock: Clock | None = None, signal_postgres: Signal = postmaster.signal_family,
    ) -> None:  # fmt: skip
        plan.must_know(troubles)
        self.plan, self.troubles, self.acts, self.truth, self._say = plan, troubles, acts, truth, say
        self.zone, self.clock, self._signal = zone, clock or WorldClock(), signal_postgres
        self.active: list[AnyFault] = []
        self._zero_s = 0.0
        self._stopped: int | None = None  # the postmaster that stands still

    async def run(self) -> None:
        """Until the last fault is over and all has been said; cancelled, it ends every trouble at once.

        A monitor that is down then stays down. Raises what an act raised.
        """
        self._zero_s = self.clock.s()
        try:
            async with asyncio.TaskGroup() as group:
                for fault in self.plan.faults:
                    if not isinstance(fault, Named) or any(map(fault.names, self.troubles)):
                        group.create_task(self._carry_out(fault))
                for table in (self.plan.head, *self.plan.faults):
                    for see in table.see:
                        group.create_task(self._show(see))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        finally:
            self._clear()

    async def _show(self, see: See) -> None:
        await self.clock.until(self._zero_s + see.minute * 60)
        self.say(f"◇ 应看到：{see.text}")

    async def _carry_out(self, fault: AnyFault) -> None:
        await self.clock.until(self._zero_s + fault.from_s)
        self._told("▶ {}", "{}", fault)
        self._note("fault_began", fault)
        self.active.append(fault)
        self._set_troubles()
        if not await self._begin(fault):
            self._told("✗ 未执行：{}，没有内置的 PostgreSQL 在运行", "not done: {}, no embedded PostgreSQL runs", fault)
            self._note("fault_skipped", fault)
            self.active.remove(fault)
            return
        await self.clock.until(self._zero_s + fault.to_s)
        await self._end(fault)
        self.active.remove(fault)
        self._set_troubles()
        self._note("fault_ended", fault)
        if fault.length_s or isinstance(fault, faults.MonitorRestart):
            self._told("■ 结束：{}", "over: {}", fault)
        if fault.do:
            self.say(f"☞ 应处置：{fault.do}")

    async def _begin(self, fault: AnyFault) -> bool:
        """False if it could not be done."""
        match fault:
            case faults.MonitorKill():
                await self.acts.kill_monitor()
            case faults.MonitorRestart():
                await self.acts.stop_monitor()
            case faults.PostgresRestart() | faults.PostgresStop():
                pid = self.acts.postgres_pid()
                if pid is None:
                    return False
                if isinstance(fault, faults.PostgresStop):
                    self._stopped = pid
                    self._signal(pid, signal.SIGSTOP)
                else:
                    self._signal(pid, signal.SIGKILL if fault.how == "kill" else signal.SIGINT)
        return True

    async def _end(self, fault: AnyFault) -> None:
        match fault:
            case faults.MonitorKill() | faults.MonitorRestart():
                await self.acts.start_monitor()
            case faults.PostgresStop():
                self._thaw()

    def _set_troubles(self) -> None:
        """Every trouble from all that is wrong now: what ends never ends what another fault still does."""
        for name, trouble in self.troubles.items():
            hits = [fault for fault in self.active if isinstance(fault, Named) and fault.names(name)]
            trouble.feed = next((fault.how for fault in reversed(hits) if isinstance(fault, faults.FeedOutage)), None)
            trouble.pushing = not any(isinstance(fault, faults.PushesStop) for fault in hits)
            trouble.twice = any(isinstance(fault, faults.PushesTwice) for fault in hits)

    def _clear(self) -> None:
        broken_off, self.active = self.active, []
        self._set_troubles()
        self._thaw()
        for fault in broken_off:
            self._note("fault_ended", fault)

    def _thaw(self) -> None:
        if self._stopped is not None:
            self._signal(self._stopped, signal.SIGCONT)
            self._stopped = None

    def _note(self, happened: str, fault: AnyFault) -> None:
        self.truth.note(self.clock.now(), happened, fault=what(fault), minute=fault.minute, **hit(fault))

    def _told(self, chinese: str, english: str, fault: AnyFault) -> None:
        in_chinese, in_english = words(fault)
        self.say(f"{chinese.format(in_chinese)} · {english.format(in_english)}")

    def say(self, line: str) -> None:
        self._say(f"{self.clock.now().astimezone(self.zone):%H:%M:%S} {line}")

"""The director does what the plan says when it says it, ends all trouble whatever happens, and tells everybody."""

import asyncio
import heapq
import os
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import asyncpg
import msgspec
import pytest

from monitor.problem import ConfigError
from monitor.rehearsal.drill import postmaster
from monitor.rehearsal.drill.director import Director
from monitor.rehearsal.drill.faults import (
    AnyFault,
    FeedOutage,
    MonitorKill,
    MonitorRestart,
    PostgresRestart,
    PostgresStop,
    PushesStop,
    PushesTwice,
    See,
    StreamsDrop,
)
from monitor.rehearsal.drill.plan import Head, Plan
from monitor.rehearsal.scene import Trouble
from monitor.rehearsal.truth import Truth
from monitor.store import embedded, installation
from monitor.store.cluster import Cluster
from tests.postgres import FreshDatabase

BEGAN = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
START_S = 1_000.0  # what the fake clock shows when a play begins


class FakeClock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now_s = START_S
        self.waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    def s(self) -> float:
        return self.now_s

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.now_s - START_S)

    async def until(self, second: float) -> None:
        if second > self.now_s:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self.waiting, (second, id(future), future))
            await future

    async def to(self, minute: float) -> None:
        """Let all happen that happens until this minute of the play."""
        await settled()
        until_s = START_S + minute * 60
        while self.waiting and self.waiting[0][0] <= until_s + 1e-6:
            self.now_s, _, future = heapq.heappop(self.waiting)
            if not future.done():
                future.set_result(None)
            await settled()
        self.now_s = until_s


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@dataclass
class FakeActs:
    """Notes what it is asked to do, and when."""

    clock: FakeClock
    pid: int | None = 4711
    did: list[tuple[float, str]] = field(default_factory=list)
    error: Exception | None = None

    def note(self, what: str) -> None:
        self.did.append(((self.clock.s() - START_S) / 60, what))

    async def kill_monitor(self) -> None:
        self.note("kill")

    async def stop_monitor(self) -> None:
        self.note("stop")

    async def start_monitor(self) -> None:
        self.note("start")
        if self.error is not None:
            raise self.error

    def postgres_pid(self) -> int | None:
        return self.pid

    def signal(self, pid: int, number: signal.Signals) -> None:
        self.note(f"{number.name} to {pid}")


class Drill:
    """A director with everything around it."""

    def __init__(self, truth: Truth) -> None:
        self.clock, self.truth, self.said = FakeClock(), truth, list[str]()
        self.acts = FakeActs(self.clock)
        self.troubles = {name: Trouble() for name in ("hall-a", "hall-b", "doudian")}

    def of(self, *faults: AnyFault, see: Sequence[See] = (), file: str = "plan.toml") -> asyncio.Task[None]:
        plan = Plan(Head(title="t", see=list(see)), faults, file, tuple(range(1, len(faults) + 1)))
        director = Director(
            plan, self.troubles, self.acts, self.truth, self.said.append, timezone(timedelta(hours=8)), self.clock,
            self.acts.signal,
        )  # fmt: skip
        return asyncio.get_running_loop().create_task(director.run())

    def notes(self) -> list[tuple[float, str, str]]:
        """Minute, what, and kind of fault."""
        self.truth.flush()
        with sqlite3.connect(self.truth.path) as db:
            rows = db.execute("SELECT at, what, data FROM note ORDER BY rowid").fetchall()
        return [
            (round((at - BEGAN.timestamp()) / 60, 3), what, msgspec.json.decode(data)["fault"])
            for at, what, data in rows
        ]


@pytest.fixture
def drill(tmp_path: Path) -> Iterator[Drill]:
    with Truth(tmp_path / "truth.sqlite") as truth:
        yield Drill(truth)


async def test_trouble_lasts_from_its_minute_to_its_end(drill: Drill) -> None:
    running = drill.of(FeedOutage(minute=2, lasts_min=3, name="hall-*", how="hang"))
    await drill.clock.to(1.99)
    assert drill.troubles["hall-a"].feed is None
    await drill.clock.to(2)
    assert [drill.troubles[name].feed for name in drill.troubles] == ["hang", "hang", None]
    await drill.clock.to(4.99)
    assert drill.troubles["hall-b"].feed == "hang"
    await drill.clock.to(5)
    assert all(trouble == Trouble() for trouble in drill.troubles.values())
    assert running.done()
    assert drill.notes() == [(2, "fault_began", "feed_outage"), (5, "fault_ended", "feed_outage")]


async def test_what_ends_does_not_end_what_another_still_does(drill: Drill) -> None:
    drill.of(
        FeedOutage(minute=1, lasts_min=2, name="doudian"), PushesStop(minute=2, lasts_min=3, name="doudian"),
        PushesTwice(minute=0, lasts_min=6, name="doudian"),
    )  # fmt: skip
    seen = []
    for minute in (0.5, 1.5, 2.5, 3.5, 5.5, 6.5):
        await drill.clock.to(minute)
        trouble = drill.troubles["doudian"]
        seen.append((trouble.feed, trouble.pushing, trouble.twice))
    assert seen == [
        (None, True, True), ("refuse", True, True), ("refuse", False, True), (None, False, True), (None, True, True),
        (None, True, False),
    ]  # fmt: skip


async def test_cancelling_ends_every_trouble(drill: Drill) -> None:
    running = drill.of(
        FeedOutage(minute=1, lasts_min=9, name="hall-a"), PushesStop(minute=1, lasts_min=9, name="doudian"),
        PostgresStop(minute=1, lasts_min=9),
    )  # fmt: skip
    await drill.clock.to(3)
    assert drill.troubles["hall-a"].feed == "refuse"
    assert drill.acts.did == [(1, "SIGSTOP to 4711")]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert all(trouble == Trouble() for trouble in drill.troubles.values())
    assert drill.acts.did[1:] == [(3, "SIGCONT to 4711")]
    assert sorted(drill.notes()[3:]) == [
        (3, "fault_ended", kind) for kind in ("feed_outage", "postgres_stop", "pushes_stop")
    ]


async def test_programs_are_hurt_and_started_again(drill: Drill) -> None:
    running = drill.of(
        MonitorKill(minute=1, lasts_s=30), MonitorRestart(minute=3), MonitorRestart(minute=5, lasts_s=15),
        PostgresRestart(minute=7), PostgresRestart(minute=8, how="fast"), PostgresStop(minute=9, lasts_s=45),
    )  # fmt: skip
    await drill.clock.to(10)
    assert running.done()
    assert drill.acts.did == [
        (1, "kill"), (1.5, "start"), (3, "stop"), (3, "start"), (5, "stop"), (5.25, "start"), (7, "SIGKILL to 4711"),
        (8, "SIGINT to 4711"), (9, "SIGSTOP to 4711"), (9.75, "SIGCONT to 4711"),
    ]  # fmt: skip


async def test_without_an_embedded_server_it_says_that_nothing_was_done(drill: Drill) -> None:
    drill.acts.pid = None
    running = drill.of(PostgresRestart(minute=1))
    await drill.clock.to(2)
    assert running.done()
    assert (drill.acts.did, drill.notes()[-1]) == ([], (1, "fault_skipped", "postgres_restart"))
    assert "not done" in drill.said[-1]


async def test_a_monitor_that_does_not_come_back_ends_the_drill_with_its_own_error(drill: Drill) -> None:
    drill.acts.error = RuntimeError("it does not start")
    running = drill.of(MonitorKill(minute=1, lasts_s=30), PushesStop(minute=1, lasts_min=5, name="doudian"))
    await drill.clock.to(2)
    with pytest.raises(RuntimeError, match="it does not start"):
        await running
    assert drill.troubles["doudian"].pushing


async def test_the_operator_reads_it_all_in_order(drill: Drill) -> None:
    fault = StreamsDrop(
        minute=2, lasts_s=90, hall="A", share=0.5, see=[See(minute=2.5, text="断流上升")], do="联系场馆"
    )
    drill.of(fault, see=[See(minute=1, text="一切正常")])
    await drill.clock.to(10)
    assert drill.said == [
        "20:01:00 ◇ 应看到：一切正常",
        "20:02:00 ▶ 直播间断流：场馆 A 的 50%，1.5 分钟 · streams drop: hall A, 50% of them, 1.5 min",
        "20:02:30 ◇ 应看到：断流上升",
        "20:03:30 ■ 结束：直播间断流：场馆 A 的 50%，1.5 分钟 · over: streams drop: hall A, 50% of them, 1.5 min",
        "20:03:30 ☞ 应处置：联系场馆",
    ]


async def test_a_platform_that_does_not_play_is_refused_at_once(drill: Drill) -> None:
    unknown = FeedOutage(minute=1, lasts_s=5, name="hall-z")
    with pytest.raises(ConfigError, match="no platform named 'hall-z'; give one of those that play: doudian, hall-a"):
        drill.of(unknown)
    running = drill.of(unknown, file="")  # of the usual plan: a small cast has no such hall
    await drill.clock.to(2)
    assert (running.done(), drill.said) == (True, [])


async def test_minute_zero_is_when_it_is_run_on_the_clock_of_the_machine(drill: Drill) -> None:
    faults = (FeedOutage(minute=0, lasts_s=1, name="hall-a"),)
    director = Director(Plan(Head(title="t"), faults), drill.troubles, drill.acts, drill.truth, drill.said.append)
    async with asyncio.timeout(30):
        await director.run()
    (began_min, _, _), (ended_min, _, _) = drill.notes()
    assert (ended_min - began_min) * 60 >= 0.9
    assert drill.troubles["hall-a"].feed is None


# --- real processes ---------------------------------------------------------------------------------------------------


@pytest.mark.real
def test_only_the_family_is_signalled() -> None:
    parent = subprocess.Popen(
        ["sh", "-c", "sleep 60 & echo $!; wait"],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    other = subprocess.Popen(["sleep", "60"])
    child = 0
    try:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert postmaster.children(parent.pid) == [child]
        assert {parent.pid, other.pid} <= set(postmaster.children(os.getpid()))
        assert child not in postmaster.children(os.getpid())
        postmaster.signal_family(parent.pid, signal.SIGSTOP)
        for pid in (parent.pid, child):
            wait_for_state(pid, "T")
        assert state(other.pid) != "T"
        postmaster.signal_family(parent.pid, signal.SIGCONT)
        for pid in (parent.pid, child):
            wait_for_state(pid, "S")
    finally:
        parent.kill()
        other.kill()
        if child:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        parent.wait()
        other.wait()
    postmaster.signal_family(parent.pid, signal.SIGCONT)  # of one that has ended: nothing


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def wait_for_state(pid: int, wanted: str) -> None:
    for _ in range(1_000):
        if state(pid) == wanted:
            return
        time.sleep(0.01)
    raise AssertionError(f"{pid} is {state(pid)}, not {wanted}")


@pytest.mark.real
async def test_a_real_server_stands_still_goes_on_and_comes_back(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="livemon-test-") as folder:
        assert postmaster.pid_of(Path(folder)) is None
        async with embedded.hold(Path(folder), installation.wheel()) as server:
            pid = postmaster.pid_of(Path(folder))
            assert pid is not None
            connection = await asyncpg.connect(FreshDatabase(server, "livemon").dsn("reader"))
            postmaster.signal_family(pid, signal.SIGSTOP)
            question = asyncio.ensure_future(connection.fetchval("SELECT 1"))
            done, _ = await asyncio.wait({question}, timeout=1.0)
            assert not done  # also those who are connected get no answer
            postmaster.signal_family(pid, signal.SIGCONT)
            async with asyncio.timeout(30):
                assert await question == 1
            postmaster.signal_family(pid, signal.SIGKILL)
            with suppress(asyncpg.PostgresError, OSError):
                await connection.close(timeout=5)
            async with asyncio.timeout(60):
                while postmaster.pid_of(Path(folder)) in (None, pid) or Cluster(Path(folder)).status() != "ready":
                    await asyncio.sleep(0.05)
        assert postmaster.pid_of(Path(folder)) is None

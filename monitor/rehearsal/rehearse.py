"""One rehearsal from the empty folder to the verdict: platforms, livemon, the market, the director, the comparison."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec

from monitor.config import load
from monitor.store.db import Database

from . import stage
from .boards import write_boards, zone_of_boards
from .compare.verify import Rules, verify
from .curtain import drained, settled_at
from .drill.acts import LivemonActs, NobodysActs
from .drill.director import Director
from .drill.plan import Plan
from .drill.usual_plan import default_plan
from .event.cast import cast, roster_csv
from .event.market import Market
from .event.play import Play
from .event.tempo import Tempo
from .event.written import lines
from .house import House
from .monitored import Livemon, NotRunning
from .platforms.hall import Hall
from .robots import NOBODY, lines_of
from .rtmp_hall import free_port
from .scene import Scene, Trouble
from .show import done_before, say, show, stop_asked
from .truth import Truth
from .usage import Usage

USUAL_PORT, USUAL_HOOKS_PORT = 8790, 8791
LEAD_S, ROOMS_A_SECOND = 15.0, 400.0  # so long before the play begins livemon is given to start
PLANNED_S = 86_400.0  # so far ahead of its end goes the schedule, by the clock of the world
FEED_EVERY_S, SAMPLE_EVERY_S = 0.5, 5.0
GRACE_S, END_SLACK_S = 120.0, 900.0


@dataclass(frozen=True)
class Asked:
    """What the command line asks for. `for_s`: seconds of the world from the beginning of the play, None: no end."""

    rooms: int
    speed: float
    seed: int
    for_s: float | None
    plan: Plan | None  # None: the usual one
    folder: Path
    verify: bool = False
    platform_only: bool = False
    robots: Path | None = None  # whose robots are told: those of this config; None: nobody is
    host: str = stage.LOOPBACK  # the address that livemon's pages listen on


class Rehearsal:
    """What the parts of one rehearsal share."""

    def __init__(self, asked: Asked, folder: Path, truth: Truth, http: aiohttp.ClientSession) -> None:
        self.asked, self.folder, self.truth = asked, folder, truth
        began_at = datetime.now(UTC) + timedelta(seconds=LEAD_S + asked.rooms / ROOMS_A_SECOND)
        tempo = Tempo(began_at, asked.speed)
        self.plan = asked.plan or default_plan(asked.seed, tempo, asked.for_s)
        self.timezone, opens_s = self.plan.clock(began_at, asked.speed)
        tempo = msgspec.structs.replace(tempo, opens_s=opens_s)
        parts = cast(asked.rooms, asked.seed)
        outages = self.plan.outages(parts, asked.seed)
        self.play = Play(parts, asked.seed, tempo, outages, self.plan.head.streams_fail)
        self.market = Market(self.play, asked.seed, self.plan.head.orders_share)
        self.port, self.hooks_port = free_port(USUAL_PORT), free_port(USUAL_HOOKS_PORT)
        hooks_url = f"http://127.0.0.1:{self.hooks_port}"
        self.scene = Scene(self.play, tempo, truth, http, hooks_url, secrets_of(asked.seed))
        self.house = House(self.scene)
        self.plan.must_know(self.troubles)
        self.told = NOBODY
        if asked.robots is not None:
            self.told = lines_of(load(asked.robots), f"http://127.0.0.1:{self.port}")
        self.selling = True
        self.usage = Usage()

    @property
    def troubles(self) -> Mapping[str, Trouble]:
        return {platform.name: platform.trouble for platform in self.house.platforms}

    @property
    def halls(self) -> set[str]:
        """The feeds that are asked every few seconds."""
        return {platform.name for platform in self.house.platforms if platform.name.startswith("hall-")}

    @property
    def end_slack_s(self) -> float:
        """Seconds of the world."""
        planned_s = self.plan.head.end_slack_s
        return END_SLACK_S if planned_s is None else planned_s

    @property
    def rules(self) -> Rules:
        return Rules(grace_s=GRACE_S, end_slack_s=self.end_slack_s, interval_s=self.scene.interval_s)

    def write(self) -> Path:
        """Everything that livemon is told, into the folder; the path of the config."""
        began_at = self.scene.tempo.began_at
        config = stage.write(
            self.folder, began_at, self.port, roster_csv(self.play.parts),
            [platform.settings() for platform in self.house.platforms], self.hooks_port,
            grace_s=GRACE_S, end_slack_s=self.end_slack_s, timezone=self.timezone, told=self.told,
            host=self.asked.host,
        )  # fmt: skip
        slots = self.play.planned((self.asked.for_s or 0.0) + PLANNED_S / self.asked.speed)
        (self.folder / "schedule.csv").write_bytes(stage.schedule_csv(slots, began_at))
        write_boards(self.folder / "boards", timezone=zone_of_boards(self.timezone))
        return config

    async def feed(self) -> None:
        """Tell the platforms what happened to orders, until the curtain falls."""
        while True:
            if self.selling:
                self.house.happened(self.market.due(self.scene.play_s))
            self.truth.flush()
            await asyncio.sleep(FEED_EVERY_S)

    async def measure(self, livemon: Livemon, acts: LivemonActs) -> None:
        """What each part takes of the machine, from the beginning of the play on."""
        await self.begun()
        while True:
            if not livemon.away and (postgres := acts.postgres_pid()) is not None:
                pids = acts.pids() | {"PostgreSQL": postgres}
                await asyncio.to_thread(self.usage.sample, pids)
            await asyncio.sleep(SAMPLE_EVERY_S)

    async def direct(self, director: Director) -> None:
        """The minutes of the plan are counted from the beginning of the play."""
        await self.begun()
        await director.run()

    async def begun(self) -> None:
        await asyncio.sleep(max(0.0, -self.clock_s))

    @property
    def clock_s(self) -> float:
        """Seconds of the world since the play began; negative before."""
        return (datetime.now(UTC) - self.scene.tempo.began_at).total_seconds()

    def left_s(self) -> float | None:
        return None if self.asked.for_s is None else max(1.0, self.asked.for_s - self.clock_s)

    def links(self, livemon: Livemon, config: Path) -> dict[str, str]:
        halls = {f"server of {each.name}": each.url for each in self.house.platforms if isinstance(each, Hall)}
        return {
            "landing page": livemon.url,
            "metrics": f"{livemon.url}/metrics",
            "metrics of rooms": f"{livemon.url}/metrics/rooms",
            **halls,
            "its boards": str(config.parent / "boards"),
            "ask the database": f'livemon sql "SELECT * FROM room_now" --config {config}',  # noqa: S608 (a hint)
            "its log": str(livemon.log),
            "the play begins at": f"{self.scene.tempo.began_at.astimezone():%H:%M:%S}",
        }


def secrets_of(seed: int) -> Callable[[str], bytes]:
    """Secrets that are the same for the same seed and name: of a play, and good for nothing else."""
    return lambda name: hashlib.sha256(f"secret {seed} {name}".encode()).hexdigest().encode()


async def rehearse(asked: Asked) -> int:
    """Play, watch, and compare if that is asked for; the exit code. Raises what `show.EXPECTED` names."""
    stop = stop_asked()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(stage.taken(asked.folder))
        truth = stack.enter_context(Truth(folder / "truth.sqlite"))
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())
        )
        rehearsal = Rehearsal(asked, folder, truth, http)
        for platform in rehearsal.house.platforms:
            await platform.open()
            stack.push_async_callback(platform.close)
        title = rehearsal.plan.head.title
        say(f"{asked.rooms:,} rooms, {asked.speed:g} times as fast as life, seed {asked.seed}: {title}")
        if (slack_s := rehearsal.end_slack_s) != END_SLACK_S:
            say(f"  end_slack_s is {slack_s:g}, not {END_SLACK_S:g}: slots shrink with the speed, its seconds do not")
        config = rehearsal.write()
        rehearsal.market.prepare()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(platform.run()) for platform in rehearsal.house.platforms]
            tasks.append(group.create_task(rehearsal.feed()))
            code, until = await (alone if asked.platform_only else watched)(rehearsal, config, stop)
            for task in tasks:
                task.cancel()
        if asked.verify and until is not None:
            return await compared(rehearsal, config, until)
        return code


async def alone(rehearsal: Rehearsal, config: Path, stop: asyncio.Event) -> tuple[int, datetime | None]:
    """The platforms without a monitor: whoever wants to watch them finds the settings in the folder."""
    say("the platforms play, and nobody watches. To watch them:")
    robots = "" if rehearsal.asked.robots is None else "--robots "
    say(f"  livemon run {robots}--config {config}")
    for what, file in (("schedule", "schedule.csv"), ("account", "accounts.csv")):
        say(f"  livemon {what} import {config.parent / file} --config {config}")
    director = Director(rehearsal.plan, rehearsal.troubles, NobodysActs(), rehearsal.truth, say)
    async with asyncio.TaskGroup() as group:
        directing, stopping = group.create_task(rehearsal.direct(director)), group.create_task(stop.wait())
        await asyncio.wait([stopping], timeout=rehearsal.left_s())
        for task in (directing, stopping):
            task.cancel()
    return 0, None


async def watched(rehearsal: Rehearsal, config: Path, stop: asyncio.Event) -> tuple[int, datetime | None]:
    """livemon as a user would run it, shown to the person who asked; the instant up to which all is in PostgreSQL."""
    say("starting livemon ...")
    until: datetime | None = None
    options = () if rehearsal.asked.robots is None else ("--robots",)
    async with Livemon(config, f"http://127.0.0.1:{rehearsal.port}", options) as livemon:
        if not await done_before(stop, ready(rehearsal, livemon)):
            say("stopped before it was ready")
            return 1, None
        acts = LivemonActs(livemon, config.parent / "data")
        director = Director(rehearsal.plan, rehearsal.troubles, acts, rehearsal.truth, say)
        async with asyncio.TaskGroup() as group:
            directing = group.create_task(rehearsal.direct(director))
            measuring = group.create_task(rehearsal.measure(livemon, acts))

            async def curtain() -> None:
                nonlocal until
                rehearsal.selling = False
                directing.cancel()
                await asyncio.wait([directing])
                if livemon.away:  # the play ended while the plan had it killed
                    await acts.start_monitor()
                for line in rehearsal.usage.lines():
                    say(line)
                if rehearsal.asked.verify:
                    await drained(livemon, rehearsal.truth, rehearsal.house.waiting, say)
                    until = await settled_at(livemon, rehearsal.halls)

            code = await show(livemon, stop, rehearsal.left_s(), rehearsal.links(livemon, config), curtain)
            measuring.cancel()
    return code, until


async def ready(rehearsal: Rehearsal, livemon: Livemon) -> None:
    """It watches all rooms, and knows the schedule and the accounts."""
    await livemon.ready(len(rehearsal.play.parts))
    for what, file in (("schedule", "schedule.csv"), ("account", "accounts.csv")):
        code, output = await livemon.command(what, "import", str(rehearsal.folder / file))
        if code != 0:
            raise NotRunning(f"{file} was not taken: exit code {code}\n{output[:2000]}")


async def compared(rehearsal: Rehearsal, config: Path, until: datetime) -> int:
    """Truth against PostgreSQL, as a reader sees it; 0 if they agree."""
    say("comparing what was played with what PostgreSQL holds ...")
    rehearsal.truth.flush()
    played_s = (rehearsal.asked.for_s or rehearsal.clock_s) * rehearsal.asked.speed
    with config.with_name("script.jsonl").open("wb") as file:
        file.writelines(lines(rehearsal.play, rehearsal.market, played_s))
    database = Database.of(load(config))
    async with database.reachable():
        connection = await database.connect("reader", "livemon rehearse --verify", command_timeout=300.0)
        try:
            verdict = await verify(rehearsal.truth.path, rehearsal.play, connection, until, rehearsal.rules, say)
        finally:
            await connection.close()
    for line in verdict.lines():
        say(line)
    return 0 if verdict.holds else 1

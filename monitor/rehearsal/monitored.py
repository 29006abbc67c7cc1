"""Runs livemon as a child process, as a user would, and asks it over HTTP what it sees."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from .program import Program

LIVEMON = (sys.executable, "-c", "from monitor.cli import main; raise SystemExit(main())")
START_S_MAX = 180.0  # the first start makes a database
STOP_S_MAX = 60.0


class NotRunning(Exception):
    """livemon ended, or does not answer; the text has its last words."""


class Sight(NamedTuple):
    """What livemon sees at one instant, summed over all rooms."""

    states: Counter[str]
    viewers: int
    drops: int

    def __str__(self) -> str:
        rooms = "  ".join(f"{name} {self.states[name]:>3}" for name in ("live", "dropped", "lost", "offline", "blind"))
        return f"{rooms}   viewers {self.viewers:>6,}   drops so far {self.drops:>3}"


class Livemon:
    """One `livemon run` with this config; `url` is where it listens. Leaving the block ends it."""

    def __init__(self, config: Path, url: str) -> None:
        self.config = config
        self.url = url
        self.log = config.with_name("livemon.log")
        self.end = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.http = await self.end.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10), headers={"Connection": "close"})
        )
        self.child = self.end.enter_context(Program([*LIVEMON, "run", "--config", str(self.config)], self.log))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        try:
            await self.stop()
        finally:
            await self.end.aclose()

    async def ready(self, rooms: int, within_s: float = START_S_MAX) -> None:
        """Wait until `/readyz` says so, and so many rooms of the roster are watched."""
        said = "nothing"
        try:
            async with asyncio.timeout(within_s):
                while said:
                    await asyncio.sleep(0.2)
                    said = await self.lacks(rooms)
        except TimeoutError:
            raise NotRunning(
                f"livemon is not ready after {within_s:.0f} s; it says {said}\n{self.last_words()}"
            ) from None

    async def lacks(self, rooms: int) -> str:
        """Why it is not ready; nothing if it is."""
        self.must_run()
        try:
            async with self.http.get(f"{self.url}/readyz") as reply:
                if reply.status != 200:
                    return await reply.text()
            watched = (await self.look()).states.total()
        except aiohttp.ClientError as error:
            return f"{type(error).__name__}: {error}"
        return "" if watched >= rooms else f"{watched} of {rooms} rooms"

    async def look(self) -> Sight:
        """What its metrics say now."""
        self.must_run()
        states, viewers, drops = Counter[str](), 0, 0
        for name, labels, value in samples(await self.text("/metrics")):
            if name == "livemon_rooms":
                states[labels["state"]] += int(value)
            elif name == "livemon_viewers":
                viewers += int(value)
        for name, _, value in samples(await self.text("/metrics/rooms")):
            if name == "livemon_room_drops_total":
                drops += int(value)
        return Sight(states, viewers, drops)

    async def text(self, path: str) -> str:
        async with self.http.get(self.url + path) as reply:
            reply.raise_for_status()
            return await reply.text()

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run another livemon command with the same config; its exit code and all that it printed."""
        child = await asyncio.create_subprocess_exec(
            *LIVEMON,
            *arguments,
            "--config",
            str(self.config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await child.communicate()
        return child.returncode or 0, output.decode(errors="replace")

    async def stop(self) -> int:
        """SIGTERM, and wait for a clean end; the exit code."""
        return await asyncio.to_thread(self.child.stop, signal.SIGTERM, STOP_S_MAX)

    def must_run(self) -> None:
        if not self.child.running:
            raise NotRunning(f"livemon ended with exit code {self.child.process.returncode}\n{self.last_words()}")

    def last_words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]


def samples(text: str) -> Iterable[tuple[str, dict[str, str], float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value

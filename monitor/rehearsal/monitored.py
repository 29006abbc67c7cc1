"""Runs livemon as a child process, as a user would, and asks it over HTTP what it sees."""

import asyncio
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from .program import Program

LIVEMON = (sys.executable, "-c", "from monitor.cli import main; raise SystemExit(main())")
DROPS = re.compile(r"^livemon_room_drops_total\{.*\} (\d+)", re.MULTILINE)
DROPS_REST = 50  # times as long as it took to count drops, they are not counted again
START_S_MAX = 180.0  # the first start makes a database
STOP_S_MAX = 60.0


class NotRunning(Exception):
    """livemon ended, or does not answer; the text has its last words."""


class Sight(NamedTuple):
    """What livemon sees at one instant, summed over all rooms."""

    states: Counter[str]
    viewers: int
    drops: int
    orders: int = 0
    sales_minor: int = 0  # of the event's currency

    def __str__(self) -> str:
        rooms = "  ".join(f"{name} {self.states[name]:>3}" for name in ("live", "dropped", "lost", "offline", "blind"))
        seen = f"{rooms}   viewers {self.viewers:>6,}   drops so far {self.drops:>3}"
        return seen + (f"   orders {self.orders:>6,}   ¥{self.sales_minor / 100:,.2f}" if self.orders else "")


class Livemon:
    """One `livemon run` with this config; `url` is where it listens. Leaving the block ends it."""

    def __init__(self, config: Path, url: str, options: Sequence[str] = ()) -> None:
        """`options` of `livemon run`."""
        self.config, self.options = config, options
        self.url = url
        self.log = config.with_name("livemon.log")
        self.end = AsyncExitStack()
        self.away = False  # ended by us, to be started again
        self.began_s = 0.0  # monotonic
        self._drops, self._drops_due_s = 0, 0.0

    async def __aenter__(self) -> Self:
        self.http = await self.end.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10), headers={"Connection": "close"})
        )
        self.start()
        return self

    def start(self) -> None:
        """Begin, or begin again after `kill` or `stop`."""
        self.child = self.end.enter_context(
            Program([*LIVEMON, "run", *self.options, "--config", str(self.config)], self.log)
        )
        self.away, self.began_s = False, time.monotonic()

    def kill(self) -> None:
        """SIGKILL to livemon alone: what it has started (PostgreSQL) lives on, as after a crash."""
        self.away = True
        self.child.process.kill()
        self.child.process.wait()

    async def leave(self) -> None:
        """A clean stop, with `start` to follow."""
        self.away = True
        await self.stop()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        try:
            if self.child.running:
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
        states, viewers, orders, sales_minor = Counter[str](), 0, 0, 0
        for name, labels, value in samples(await self.text("/metrics")):
            if name == "livemon_rooms":
                states[labels["state"]] += int(value)
            elif name == "livemon_viewers":
                viewers += int(value)
            elif name == "livemon_orders_total":
                orders += int(value)
            elif name == "livemon_sales_minor_total" and labels["currency"] == "CNY":
                sales_minor += int(value)
        return Sight(states, viewers, await self._dropped(), orders, sales_minor)

    async def _dropped(self) -> int:
        """Drops so far. The page of rooms is large: it is not parsed, only searched, and not so often that it costs."""
        began_s = time.monotonic()
        if began_s >= self._drops_due_s:
            self._drops = sum(map(int, DROPS.findall(await self.text("/metrics/rooms"))))
            now_s = time.monotonic()
            self._drops_due_s = now_s + DROPS_REST * (now_s - began_s)
        return self._drops

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

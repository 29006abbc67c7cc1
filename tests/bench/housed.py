"""One livemon as a user starts it, beside the shipped Prometheus, its rules and Alertmanager, for benchmarks that play
what it watches in their own process; and what it takes while nothing happens but the work.

Processor and memory are livemon's own, without PostgreSQL's.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from monitor.config import load
from monitor.rehearsal.monitored import Livemon, samples
from monitor.rehearsal.rtmp_hall import free_ports
from monitor.store.db import Database
from tests.acceptance.alerts.speeds import PRODUCTION, Ports, watching
from tests.bench.boards_past import Client
from tests.bench.figures import Sampled, core_percent, now, sample

ALL_S_MAX, WRITTEN_S_MAX = 300.0, 60.0
SEALED_S = 2.0  # what was heard is in a batch by then
SETTLE_S = 20.0  # after all rooms were seen first
WAITING = ("livemon_spool_oldest_timestamp_seconds", "livemon_frames_oldest_timestamp_seconds")
LOOP = "quantile_over_time(0.99, livemon_loop_lag_seconds[%ds])"
AGE = "quantile(0.99, timestamp(livemon_room_last_tick_timestamp_seconds) - livemon_room_last_tick_timestamp_seconds)"
ACCOUNTS = "accounts.csv"
type Json = dict[str, Any]


class Watched(Protocol):
    """What livemon watches: all of its `rooms` are on air while it is served."""

    rooms: list[str]

    async def serve(self) -> str: ...
    async def close(self) -> None: ...
    async def live(self) -> None:
        """Until it is cancelled: numbers move, and whoever listens is told."""


class House:
    """One livemon with so many rooms, and who watches livemon."""

    def __init__(self, livemon: Livemon, rooms: int, prometheus: Client) -> None:
        self.livemon, self.rooms, self.prometheus = livemon, rooms, prometheus

    async def all_live(self, settle_s: float = SETTLE_S) -> None:
        await until(self.live, self.rooms, ALL_S_MAX)
        await asyncio.sleep(settle_s)

    async def live(self) -> int:
        """How many rooms it sees on air."""
        return int(await self.total("livemon_rooms", state="live"))

    async def total(self, name: str, **labels: str) -> float:
        """Of all series of this name on its own page that have these labels, together."""
        self.livemon.must_run()
        found = samples(await self.livemon.text("/metrics"))
        return sum(value for series, has, value in found if series == name and labels.items() <= has.items())

    async def written(self, until_at: datetime) -> None:
        """Wait until what was heard before this instant is in PostgreSQL; more is heard all the time."""
        await asyncio.sleep(SEALED_S)

        async def older() -> int:
            found = [value for name, _, value in samples(await self.livemon.text("/metrics")) if name in WAITING]
            return sum(0 < value < until_at.timestamp() + SEALED_S for value in found)

        await until(older, 0, WRITTEN_S_MAX)

    async def rows(self, question: str, *parts: object) -> list[Any]:
        connection = await Database.of(load(self.livemon.config)).connect("reader", "bench")
        try:
            return list(await connection.fetch(question, *parts))
        finally:
            await connection.close()

    async def told(self, question: str) -> dict[str, float]:
        """Of each series of an answer its labels, as text, and its number."""
        answer = await self.prometheus.ask("query", query=question)
        return {
            " ".join(sorted(each["metric"].values())): float(each["value"][1]) for each in answer["result"]
        }  # fmt: skip

    async def most(self, question: str) -> float:
        """The largest number of an answer; 0 of none."""
        return max((await self.told(question)).values(), default=0.0)


async def until(look: Callable[[], Awaitable[int]], wanted: int, within_s: float) -> float:
    """Look each half second until it is so. After how many seconds it was; raises SystemExit where it never is."""
    began_s = time.monotonic()
    while (found := await look()) != wanted:
        if time.monotonic() - began_s > within_s:
            raise SystemExit(f"{found} after {within_s:g} s, not {wanted}")
        await asyncio.sleep(0.5)
    return time.monotonic() - began_s


@asynccontextmanager
async def housed(
    folder: Path, played: Watched, written: Callable[[Path, str, Ports], Path]
) -> AsyncIterator[House]:  # fmt: skip
    """All of it, running. `written` is told the folder, what `serve` said and the ports; it gives the config's path."""
    folder.mkdir()
    ports = Ports(*free_ports(3))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(played.close)
        config = written(folder, await played.serve(), ports)
        await stack.enter_async_context(watching(folder / "watch", ports, PRODUCTION))
        livemon = await stack.enter_async_context(Livemon(config, f"http://127.0.0.1:{ports.livemon}"))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        await livemon.ready(len(played.rooms))
        if (accounts := folder / ACCOUNTS).exists():
            code, said = await livemon.command("account", "import", str(accounts))
            if code:
                raise SystemExit(said)
        living = asyncio.create_task(played.live())
        stack.callback(living.cancel)
        yield House(livemon, len(played.rooms), Client(f"http://127.0.0.1:{ports.prometheus}", 0, http))
        if living.done():
            living.result()


async def at_work(house: House, for_s: float) -> tuple[Json, datetime, datetime]:
    """What it takes for so long, and from when to when that was; what was heard by then is in PostgreSQL."""
    taken, from_at = list[Sampled](), now()
    end_s = time.monotonic() + for_s
    while time.monotonic() < end_s:
        taken.append(sample(house.livemon.child.pid))
        await asyncio.sleep(1.0)
    taken.append(sample(house.livemon.child.pid))
    to_at = now()
    loop_s, age_s = await house.most(LOOP % for_s), await house.most(AGE)
    await house.written(to_at)
    figures = {
        "rooms": house.rooms, "seconds": round((to_at - from_at).total_seconds(), 1),
        "core_percent": round(core_percent(taken), 1), "rss_mb": round(max(it.bytes for it in taken) / 1e6),
        "tick_age_p99_s": round(age_s, 2), "loop_late_p99_ms": round(1000 * loop_s, 1),
    }  # fmt: skip
    return figures, from_at, to_at

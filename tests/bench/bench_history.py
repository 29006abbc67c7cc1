"""How long each question of a board, of a view, and each ready question takes in a week of history, as the reader.

Three sizes, by room-days: 1 % is 420 rooms x 2 days, 10 % 2,100 x 4, 100 % 12,000 x 7. Cold: PostgreSQL started anew,
its files out of the operating system's memory, the first question of a connection (the disk of a virtual machine may
have a memory of its own). Warm: asked again and again. Without more it makes 1 %; HISTORY=10 also 10 %, HISTORY=full
all three.

    [HISTORY=full] [HISTORY_S_MAX=1500] python -m tests.bench.bench_history
"""

import asyncio
import json
import os
import shutil
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from monitor.store import embedded
from monitor.store.cluster import Cluster
from monitor.store.db import Connection, Database
from tests.bench import history_check
from tests.bench.history_data import LOADING, Size, counted, make, say
from tests.bench.history_questions import Question, questions

SIZES = (
    Size(1, 420, 2, timedelta(minutes=15)),
    Size(10, 2_100, 4, timedelta(minutes=20)),
    Size(100, 12_000, 7, timedelta(minutes=40)),
)
GB = {1: 2, 10: 5, 100: 40}  # what must be free
GOAL_MS = 200
COLD_RUNS, WARM_RUNS, ASKED_S_MAX = 3, 10, 40.0
LEFT_FREE_GB = 5
STOP_S_MAX = 120.0


class Bench:
    """One size: its server, its data, its times."""

    def __init__(self, folder: Path, size: Size, stop_at: float) -> None:
        self.folder, self.size, self.stop_at = folder, size, stop_at
        self.database = Database(data_dir=folder, timezone="UTC")
        self.server: embedded.Server | None = None

    async def run(self) -> dict[str, Any]:
        try:
            started = time.monotonic()
            await self._load()
            made_s = round(time.monotonic() - started)
            owner = await self.database.connect("owner", "bench history")
            rows = await counted(owner)
            differing = await history_check.differences(owner)
            await owner.close()
            say(f"{self.size.percent} %: {rows['tick_raw']:,} ticks, {rows['bytes'] / 1e9:.1f} GB, made in {made_s} s")
            asked = questions(datetime.now(UTC))
            measured = [await self._ask(question) for question in asked]
        finally:
            if self.server is not None:
                await self.server.release()
        return {
            "percent": self.size.percent, "rooms": self.size.rooms, "days": self.size.days, "made_s": made_s,
            "rows": rows, "not_as_rolled": differing, "questions": measured,
        }  # fmt: skip

    async def _load(self) -> None:
        """With settings for loading, which are gone before anything is asked."""
        self.server = await embedded.start(self.folder)
        written = self.server.cluster.data / "postgresql.conf"
        own = written.read_text()
        await self._stop()
        written.write_text(own + LOADING)
        self.server = await embedded.start(self.folder)
        async with asyncio.timeout(self.stop_at - time.monotonic()):
            await make(self.database, self.size, datetime.now(UTC))
        written.write_text(own)
        await self._restart(cold=False)

    async def _restart(self, *, cold: bool) -> None:
        await self._stop()
        if cold:
            await asyncio.to_thread(out_of_memory, self.folder)
        self.server = await embedded.start(self.folder)

    async def _stop(self) -> None:
        if self.server is not None:
            server, self.server = self.server, None
            await server.release()

    async def _ask(self, question: Question) -> dict[str, Any]:
        """Cold, each time anew; then warm, in the server that the last of these has left."""
        row: dict[str, Any] = {"kind": question.kind, "name": question.name}
        if question.not_understood:
            return row | {"failed": question.not_understood}
        if time.monotonic() > self.stop_at:
            return row | {"failed": "no time was left"}
        cold: list[float] = []
        warm: list[float] = []
        rows, until = 0, time.monotonic() + ASKED_S_MAX
        try:
            while len(cold) < COLD_RUNS and (not cold or time.monotonic() < until):
                await self._restart(cold=True)
                async with self._reader() as reader:
                    cold.append((await _timed(reader, question.text))[0])
            async with self._reader() as reader:
                await _timed(reader, question.text)  # a board's connection has been asked before
                while len(warm) < WARM_RUNS and (not warm or time.monotonic() < until):
                    took, rows = await _timed(reader, question.text)
                    warm.append(took)
        except asyncpg.PostgresError as error:
            row["failed"] = f"{type(error).__name__}: {error}"
        row |= {"rows": rows, "cold_ms": _ranks(cold), "warm_ms": _ranks(warm), "runs": len(warm)}
        say(f"{question.kind} {question.name}: {rows} rows, cold {row['cold_ms']}, warm {row['warm_ms']}")
        return row

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[Connection]:
        reader = await self.database.connect("reader", "bench history")
        try:
            yield reader
        finally:
            await reader.close()


async def _timed(reader: Connection, text: str) -> tuple[float, int]:
    """Milliseconds until the last row is here, and how many there were."""
    began = time.perf_counter()
    rows = await reader.fetch(text)
    return (time.perf_counter() - began) * 1000, len(rows)


def _ranks(times: Sequence[float]) -> dict[str, float] | None:
    """By the nearest rank: the p95 of ten is the longest of them."""
    if not times:
        return None
    ordered = sorted(times)
    return {"p50": round(statistics.median(ordered), 1), "p95": round(ordered[-(-95 * len(ordered) // 100) - 1], 1)}


def out_of_memory(folder: Path) -> None:
    """On the disk, and out of the operating system's memory: these files alone, and without any rights."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def _wait_for_the_end(folder: Path) -> None:
    """Of a server that we let go, perhaps in the middle of something: its files must not be written while they go."""
    until = time.monotonic() + STOP_S_MAX
    while Cluster(folder).status() is not None and time.monotonic() < until:
        time.sleep(0.1)


def growth(sizes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per question its p95 at each size, and how much more the largest takes than the smallest."""
    table: dict[tuple[str, str], dict[str, Any]] = {}
    for size in sizes:
        for row in size["questions"]:
            told = table.setdefault((row["kind"], row["name"]), {"kind": row["kind"], "name": row["name"]})
            for way in ("cold", "warm"):
                told[f"{way}_{size['percent']}"] = (row.get(f"{way}_ms") or {}).get("p95")
            told["failed"] = row.get("failed") or told.get("failed")
    for told in table.values():
        warm = [told.get(f"warm_{size['percent']}") for size in sizes]
        told["warm_growth"] = round(warm[-1] / warm[0], 1) if warm[0] and warm[-1] else None
    return list(table.values())


def chosen() -> tuple[Size, ...]:
    wanted = os.environ.get("HISTORY", "1")
    if wanted not in ("1", "10", "full"):
        raise SystemExit(f"HISTORY is 1, 10 or full, not {wanted}")
    return SIZES[: {"1": 1, "10": 2, "full": 3}[wanted]]


def main() -> None:
    sizes = chosen()
    os.nice(10)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clears up as Ctrl-C does
    seconds_max = float(os.environ.get("HISTORY_S_MAX", "1500"))  # of each size
    done: list[dict[str, Any]] = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="livemon-bench-history-", ignore_cleanup_errors=True) as folder:
            free_gb = shutil.disk_usage(folder).free / 1e9
            if free_gb < GB[size.percent] + LEFT_FREE_GB:
                raise SystemExit(f"{size.percent} % needs {GB[size.percent] + LEFT_FREE_GB} GB, {free_gb:.0f} are free")
            try:
                done.append(asyncio.run(Bench(Path(folder), size, time.monotonic() + seconds_max).run()))
            except TimeoutError:
                say(f"{size.percent} %: HISTORY_S_MAX is over before the history was made")
                break
            except KeyboardInterrupt:
                raise SystemExit(130) from None  # stopped; what was made goes
            finally:
                _wait_for_the_end(Path(folder))
    table = growth(done)
    print(json.dumps({"bench": "history", "goal_ms": GOAL_MS, "sizes": done, "growth": table}))


if __name__ == "__main__":
    main()

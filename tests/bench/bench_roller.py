"""What the roller costs the writer, and how far its sums are behind: full ingest with and without it, by turns.

12,000 rooms on air, each observed every 5 s (2,400 ticks/s), 20 sales and two changes a second, through the real store
into the embedded server; the hour that is summed is 50 minutes old. Stretches without and with the roller alternate,
the first part of each (sums catching up, caches) is left out. A batch's time is from BEGIN to COMMIT, as the writer
tells its metrics. While the roller is at work a marker is sold each second, and looked for in minute_sum and shop_hour.

    [SECONDS=100] [ROOMS=12000] [STRETCHES=4] python -m tests.bench.bench_roller
"""

import asyncio
import json
import os
import resource
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from collectors.tick import SaleItem
from monitor.attribution import Attribution
from monitor.history import roller as rollers
from monitor.reader_pace import slow
from monitor.store import embedded
from monitor.store.cluster import SUPERUSER
from monitor.store.db import Connection, Database
from monitor.store.migrate import Birth, migrate
from monitor.store.statements import SQL, statement
from monitor.store.store import Store
from monitor.zone import in_postgresql
from tests.bench.roller_load import MARKER_MINOR, MARKER_SHOP, SALES_PER_S, Load, fill, hour_zone

SECONDS = float(os.environ.get("SECONDS", "100"))
ROOMS = int(os.environ.get("ROOMS", "12000"))
STRETCHES = int(os.environ.get("STRETCHES", "4"))
LEFT_OUT_S = min(20.0, SECONDS / 5)
HOUR_AT = 50  # minute of the hour at which it begins
LOOK_S, GOAL_LAG_S, GOAL_RATIO = 0.25, 15.0, 1.2
TICKS_ROWS_MIN = 50  # a batch of so many rows is one of ticks: facts come a few at a time
SEEN = (
    "SELECT platform, minute AS part, gmv_minor / $1 AS markers FROM minute_sum"
    " WHERE dimension = 'platform' AND minute >= now() - interval '5 minutes'",
    "SELECT platform, hour AS part, gmv_minor / $1 AS markers FROM shop_hour"
    " WHERE shop = $2 AND day >= event_date(now()) - 1",
)


NAMES = {statement(f"history/{path.stem}"): path.stem for path in (SQL / "history").glob("*.sql")}


class Meters:
    """What the writer tells: (when, seconds, rows) of each batch."""

    def __init__(self) -> None:
        self.batches: list[tuple[float, float, int]] = []

    def wrote(self, seconds: float, rows: int) -> None:
        self.batches.append((time.monotonic(), seconds, rows))

    def resolved(self, outcome: str) -> None: ...


class Markers:
    """Sells them and sees them come: of each, how long that took in either sum."""

    def __init__(self, load: Load, look: Connection) -> None:
        self.load, self.look = load, look
        self.platforms = sorted({room.platform for room in load.rooms})
        self.hour_at = datetime.min.replace(tzinfo=UTC)
        self.sold: list[dict[tuple[str, datetime], list[tuple[float, bool]]]] = [{}, {}]  # when, and whether it counts
        self.seen: list[dict[tuple[str, datetime], int]] = [{}, {}]
        self.lags: list[list[float]] = [[], []]

    async def sell(self, counts: bool) -> None:
        self.hour_at = await self.look.fetchval("SELECT event_hour(now())")
        for number in range(10**9):
            platform, at = self.platforms[number % len(self.platforms)], self.load.store.now()
            parts = (at.replace(second=0, microsecond=0), self.hour_at)
            for sold, part in zip(self.sold, parts, strict=True):
                sold.setdefault((platform, part), []).append((time.monotonic(), counts))
            await self.load.put_sale(
                platform, None, MARKER_SHOP, MARKER_MINOR, SaleItem("marker", "m", 1, MARKER_MINOR)
            )
            await asyncio.sleep(1)

    async def watch(self) -> None:
        """Markers of one platform come in their order, so that their number tells which are in."""
        while True:
            for which, query in enumerate(SEEN):
                more = [MARKER_SHOP] if which else []
                for row in await self.look.fetch(query, MARKER_MINOR, *more):
                    self._came(which, (row["platform"], row["part"]), int(row["markers"]))
            await asyncio.sleep(LOOK_S)

    def _came(self, which: int, key: tuple[str, datetime], markers: int) -> None:
        now, had = time.monotonic(), self.seen[which].get(key, 0)
        sold = self.sold[which].get(key, [])
        self.lags[which] += [now - at for at, counts in sold[had:markers] if counts]
        self.seen[which][key] = max(had, markers)

    def give_up(self) -> list[int]:
        """The roller stops: how many it kept waiting longer than it may. Those that came since do not count."""
        now, missed = time.monotonic(), []
        for which in (0, 1):
            late = [
                now - at for key, sold in self.sold[which].items()
                for at, counts in sold[self.seen[which].get(key, 0) :] if counts and now - at > GOAL_LAG_S
            ]  # fmt: skip
            self.lags[which] += late
            missed.append(len(late))
            for key, sold in self.sold[which].items():
                self.sold[which][key] = [(at, False) for at, _ in sold]
        return missed


class Bench:
    def __init__(self, database: Database, store: Store, load: Load, meters: Meters, look: Connection) -> None:
        self.database, self.store, self.load, self.meters, self.look = database, store, load, meters, look
        self.markers = Markers(load, look)
        self.lag_s: list[float] = []
        self.pids: dict[str, int] = {}
        self.stretches: list[dict[str, Any]] = []
        self.statements: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])  # of the roller: how often, and seconds

    async def connect(self, name: str, settings: dict[str, str] | None = None) -> Connection:
        """As app.py makes them."""
        conn = await self.database.connect("writer", name, command_timeout=30, settings=settings)
        self.pids["roller" if name == rollers.NAME else "writer"] = conn.get_server_pid()
        if name == rollers.NAME:
            conn.add_query_logger(self._asked)
        return conn

    def _asked(self, asked: Any) -> None:
        spent = self.statements[NAMES.get(asked.query, "other")]
        spent[0] += 1
        spent[1] += asked.elapsed

    async def stretch(self, rolls: bool) -> None:
        self.pids.pop("roller", None)
        roller = rollers.make(self.connect, lambda: self.store.sealer.standing.oldest_sealed_at, self.store.now, slow)
        work = [asyncio.create_task(roller.run()), asyncio.create_task(self.markers.watch())] if rolls else []
        await asyncio.sleep(LEFT_OUT_S)
        if rolls:
            work.append(asyncio.create_task(self.markers.sell(True)))
        begun, cpu, first = time.monotonic(), self._cpu(), len(self.meters.batches)
        while time.monotonic() < begun + SECONDS - LEFT_OUT_S:
            await asyncio.sleep(1)
            if rolls:
                self.lag_s.append(roller.lag_s(self.store.now()))
        seconds = time.monotonic() - begun
        spent = {name: round((used - cpu.get(name, 0.0)) / seconds, 3) for name, used in self._cpu().items()}
        missed = self.markers.give_up() if rolls else None
        for task in work:
            if task.done():
                task.result()  # none of these ends by itself, but by an error
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        batches = [(took, rows) for _, took, rows in self.meters.batches[first:]]
        self.stretches.append({
            "roller": rolls, "batches": batches, "cores": spent, "load1": os.getloadavg()[0], "unseen": missed,
            "waiting": len(self.store.shelf),
        })  # fmt: skip
        told = {key: value for key, value in self.stretches[-1].items() if key != "batches"}
        print(json.dumps(told | figures([took for took, _ in batches])), file=sys.stderr, flush=True)

    def _cpu(self) -> dict[str, float]:
        """CPU seconds of the two backends and of this process."""
        tick, usage = os.sysconf("SC_CLK_TCK"), resource.getrusage(resource.RUSAGE_SELF)
        used = {"python": usage.ru_utime + usage.ru_stime}
        for name, pid in self.pids.items():
            with suppress(FileNotFoundError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                used[name] = (int(fields[11]) + int(fields[12])) / tick
        return used


def figures(took: Sequence[float]) -> dict[str, float]:
    ordered = sorted(took)

    def at(part: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000, 2)

    return {"count": len(ordered), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0)}


def report(bench: Bench) -> dict[str, Any]:
    def batches(rolls: bool, rows_min: int) -> list[float]:
        return [
            took for stretch in bench.stretches if stretch["roller"] is rolls
            for took, rows in stretch["batches"] if rows >= rows_min
        ]  # fmt: skip

    told: dict[str, Any] = {"bench": "roller", "rooms": ROOMS, "sales_per_s": SALES_PER_S, "hour_at_minute": HOUR_AT}
    for name, rows_min in (("all", 0), ("ticks", TICKS_ROWS_MIN)):
        without, beside = figures(batches(False, rows_min)), figures(batches(True, rows_min))
        told[name] = {"without": without, "with": beside} | {
            f"ratio_{part}": round(beside[f"{part}_ms"] / without[f"{part}_ms"], 2) for part in ("p50", "p99")
        }
    for name, lags in zip(("minute_sum", "shop_hour"), bench.markers.lags, strict=True):
        told[f"{name}_lag_s"] = {
            "markers": len(lags), "p50": round(statistics.median(lags), 2), "max": round(max(lags), 2)
        } if lags else {"markers": 0}  # fmt: skip
    told["statements"] = {
        name: {"times": times, "s": round(seconds, 2), "ms_each": round(seconds / times * 1000, 1)}
        for name, (times, seconds) in sorted(bench.statements.items(), key=lambda told: -told[1][1])
    }
    told["roller_lag_s_max"] = round(max(bench.lag_s, default=0.0), 2)
    told["goals"] = {"ratio_p99": GOAL_RATIO, "lag_s_max": GOAL_LAG_S}
    told["frame_late_s_max"] = round(bench.load.behind_s_max, 2)
    told["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    told["stretches"] = [{k: v for k, v in stretch.items() if k != "batches"} for stretch in bench.stretches]
    return told


async def run(folder: Path) -> dict[str, Any]:
    server = await embedded.start(folder)
    try:
        database = Database(data_dir=folder)
        owner = await database.connect("owner", "bench")
        now = datetime.now(UTC)
        await migrate(owner, Birth(timezone=in_postgresql(hour_zone(now, HOUR_AT)), currency="CNY"))
        opened_at = now - timedelta(hours=1, minutes=30)
        rooms = await fill(owner, ROOMS, opened_at)
        await owner.close()
        look = await asyncpg.connect(
            f"postgresql://{SUPERUSER}:{server.password(SUPERUSER)}@/livemon?host={server.socket}",
            server_settings={"search_path": "livemon", "jit": "off"},
        )
        return await _measure(database, folder, look, rooms, opened_at)
    finally:
        await server.release()


async def _measure(
    database: Database, folder: Path, look: Connection, rooms: Any, opened_at: datetime
) -> dict[str, Any]:
    attribution, meters = Attribution(), Meters()

    async def tend(conn: Connection) -> None:
        await attribution.catch_up(conn, 1)

    store = Store(folder / "spool", lambda name: bench.connect(name), lambda: datetime.now(UTC), meters, tend)
    load = Load(store, rooms, opened_at)
    bench = Bench(database, store, load, meters, look)
    running, loading = asyncio.create_task(store.run()), asyncio.create_task(load.run())
    try:
        for number in range(STRETCHES):
            await bench.stretch(rolls=number % 2 == 1)
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        store.stop()
        await running
        await look.close()
    return report(bench)


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clears up as Ctrl-C does
    with tempfile.TemporaryDirectory(prefix="livemon-bench-roller-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "spool").mkdir()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            told = runner.run(run(Path(folder)))
    print(json.dumps(told))


if __name__ == "__main__":
    main()

"""How long one batch takes to commit, alone and beside readers who mean ill: turns of both, one after the other.

A batch is 5,000 ticks sent as the writer does (binary COPY, one transaction). The hostile readers hold some or all of
the connections that their role has, each in a loop of cross joins, sorts that spill, regular expressions and locks,
with every timeout that can be set aside set aside; when one is ended it comes again. The server is the embedded one,
with its settings.

    python -m tests.bench.bench_hostile [batches]
"""

import asyncio
import io
import json
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from collectors.tick import Tick
from monitor.reader_limits import cut_readers
from monitor.reader_pace import slow_readers
from monitor.store import embedded
from monitor.store.batch import COPY_HEAD, COPY_TAIL, TICK_COLUMNS, pack_ticks
from monitor.store.db import Database
from monitor.store.migrate import Birth, migrate

BATCHES, TURNS, ROWS = 40, 3, 5_000
READERS = (1, 4, 16)  # connections; the last is all that a role may have
PACE_S = 1.0
EACH_S = 0.25  # at 12,000 rooms and 5 s a batch is due about twice a second
HOSTILE = (
    "SELECT count(*) FROM generate_series(1, 100000) AS a, generate_series(1, 100000) AS b",
    "SELECT n FROM generate_series(1, 3000000) AS n ORDER BY random()",
    "SELECT count(*) FROM viewer_tick AS a JOIN viewer_tick AS b USING (room_id)",
    "SELECT room_id, avg(viewers) FROM viewer_tick GROUP BY room_id, at ORDER BY 2",
)
GONE = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


async def attack(database: Database, number: int, dsn: str) -> None:
    """One connection after the other, until cancelled."""
    while True:
        with suppress(*GONE):
            conn = await asyncpg.connect(dsn)
            try:
                await conn.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
                await conn.execute("SET work_mem = '64kB'")
                while True:
                    await conn.execute(HOSTILE[number % len(HOSTILE)])
                    number += 1
            finally:
                conn.terminate()
        await asyncio.sleep(0.05)


async def batches(conn: asyncpg.Connection, many: int) -> list[float]:
    """Milliseconds from BEGIN to COMMIT of each."""
    took = []
    for _ in range(many):
        now = datetime.now(UTC)
        ticks = [(n, Tick("", "", now, "status", True, n % 900, None, None, 2000)) for n in range(ROWS)]
        packed = pack_ticks(ticks, now)
        start = time.perf_counter()
        async with conn.transaction():
            await conn.copy_to_table(
                "tick_raw", source=io.BytesIO(COPY_HEAD + packed.payload + COPY_TAIL), columns=TICK_COLUMNS,
                format="binary",
            )  # fmt: skip
        took.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(EACH_S)
    return took


async def keep_slow(database: Database) -> None:
    """As the monitor does beside an embedded server."""
    conn = await database.connect("writer", "bench chores")
    while True:
        await slow_readers(conn)
        await asyncio.sleep(PACE_S)


async def run(many: int, folder: Path, paced: bool = True) -> dict[str, Any]:
    server = await embedded.start(folder)
    try:
        database = Database(data_dir=folder)
        owner = await database.connect("owner", "bench")
        await migrate(owner, Birth(timezone="UTC", currency="CNY"))
        await owner.execute("SELECT ensure_tick_day(current_date + n) FROM generate_series(-1, 1) AS n")
        await owner.close()
        writer = await database.connect("writer", "bench")
        reader = database.login("reader").shown(password=True)
        await batches(writer, 20)
        pace = asyncio.create_task(keep_slow(database)) if paced else None
        alone: list[float] = []
        beside: dict[int, list[float]] = {count: [] for count in READERS}
        for _ in range(TURNS):
            alone += await batches(writer, many)
            for count in READERS:
                readers = [asyncio.create_task(attack(database, n, reader)) for n in range(count)]
                await asyncio.sleep(2)
                beside[count] += await batches(writer, many)
                for task in readers:
                    task.cancel()
                await asyncio.gather(*readers, return_exceptions=True)
                await cut_readers(writer, timedelta(0))
                await asyncio.sleep(1)
        if pace is not None:
            pace.cancel()
        await writer.close()
    finally:
        await server.release()
    rows = [
        {"readers": count, "beside": figures(took)}
        | {f"ratio_p{part}": round(at(took, part / 100) / at(alone, part / 100), 2) for part in (50, 99)}
        for count, took in beside.items()
    ]
    return {"name": "hostile", "goal": 1.2, "alone": figures(alone), "rows": rows}


def at(took: list[float], part: float) -> float:
    return sorted(took)[min(len(took) - 1, int(len(took) * part))]


def figures(took: list[float]) -> dict[str, float]:
    return {"p50_ms": round(at(took, 0.5), 1), "p95_ms": round(at(took, 0.95), 1), "p99_ms": round(at(took, 0.99), 1)}


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else BATCHES
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(run(many, Path(folder), "unpaced" not in sys.argv))))


if __name__ == "__main__":
    main()

"""How fast frames become committed rows, beside bare COPY, asyncpg with ready tuples, and executemany: one run.

Same table with its (room_id, at) index, same rows, transactions of 5,000 rows for all (executemany too). End to end
means: frames of 100 rooms as JSON, parsed, through the watch (session step and live numbers), the inbox, the spool
(sealed and fsynced), binary COPY, commit, release; the sessions are open when the clock starts. CPU is this process'
user and system time, without PostgreSQL's.

    python -m tests.bench.bench_ingest [rows]
"""

import asyncio
import gc
import io
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import uvloop

from collectors.collector import FeedRow
from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.tick import Tick
from monitor.facts import RosterRoom
from monitor.live.watch import Watch
from monitor.store import embedded
from monitor.store.batch import COPY_HEAD, COPY_TAIL, ROWS_MAX, TICK_COLUMNS, pack_ticks
from monitor.store.cluster import SUPERUSER
from monitor.store.db import Database
from monitor.store.migrate import Birth, migrate
from monitor.store.store import Store
from tests.store.way import Counted, no_more

ROOMS = 12_000
PER_FRAME = 100
STEP = timedelta(seconds=5)
RowTuple = tuple[Any, ...]


class Seen(msgspec.Struct, gc=False):
    room: str
    live: bool
    viewers: int
    kbps: int
    progress: int
    key: str


class JsonFeed(FeedRow, tag="bench_json", frozen=True, kw_only=True):
    """100 rooms a frame: what a batch-polling platform gives."""

    PLATFORM = "bench"

    def parse(self, frame: bytes, at: datetime) -> Sequence[Tick]:
        name = self.name
        return [
            Tick(name, s.room, at, "status", s.live, s.viewers, None, None, s.kbps, s.progress, s.key)
            for s in DECODER.decode(frame)
        ]


DECODER = msgspec.json.Decoder(list[Seen])


def json_frames(rounds: int) -> list[list[bytes]]:
    """Per round one frame per 100 rooms; viewers and progress move in each."""
    return [
        [
            msgspec.json.encode([
                Seen(f"room-{n}", True, 100 + (n * 7 + turn) % 9000, 2000 + n % 500, 250_000 * (turn + 1), f"k{n}")
                for n in range(first, first + PER_FRAME)
            ])
            for first in range(0, ROOMS, PER_FRAME)
        ]
        for turn in range(rounds)
    ]  # fmt: skip


def xml_frames(rounds: int) -> list[list[bytes]]:
    """The stat page of a server with PER_FRAME streams of one publisher and one player each, as nginx writes it."""
    client = (
        "<client><id>{id}</id><address>10.0.0.{n}</address><time>{time}</time><flashver>LNX 9,0,124,2</flashver>"
        "<dropped>0</dropped><avsync>-9</avsync><timestamp>{time}</timestamp>{publishing}<active/></client>\n"
    )
    meta = (
        "<meta><video><width>1280</width><height>720</height><frame_rate>25</frame_rate><codec>H264</codec>"
        "<profile>High</profile><compat>0</compat><level>3.1</level></video><audio><codec>AAC</codec><profile>LC"
        "</profile><channels>2</channels><sample_rate>44100</sample_rate></audio></meta>\n"
    )
    frames = []
    for turn in range(rounds):
        row = []
        for first in range(0, ROOMS, PER_FRAME):
            streams = "".join(
                f"<stream>\n<name>room-{n}</name>\n<time>{turn * 5000}</time><bw_in>2000000</bw_in>\n"
                f"<bytes_in>{250_000 * (turn + 1)}</bytes_in>\n<bw_out>0</bw_out>\n<bytes_out>0</bytes_out>\n"
                f"<bw_audio>64000</bw_audio>\n<bw_video>1936000</bw_video>\n"
                + client.format(id=2 * n + 1, n=n % 250, time=turn * 5000, publishing="")
                + client.format(id=2 * n, n=n % 250, time=turn * 5000, publishing="<publishing/>")
                + meta
                + "<nclients>2</nclients>\n<publishing/>\n<active/>\n</stream>\n"
                for n in range(first, first + PER_FRAME)
            )
            row.append(
                '<?xml version="1.0" encoding="utf-8" ?>\n<rtmp>\n<nginx_version>1.26.3</nginx_version>\n'
                "<nginx_rtmp_version>1.1.4</nginx_rtmp_version>\n<built>Apr 11 2025 12:27:04</built>\n"
                "<pid>30557</pid>\n"
                f"<uptime>{turn * 5}</uptime>\n<naccepted>3</naccepted>\n<bw_in>0</bw_in>\n<bytes_in>0</bytes_in>\n"
                "<bw_out>0</bw_out>\n<bytes_out>0</bytes_out>\n<server>\n<application>\n<name>live</name>\n<live>\n"
                f"{streams}<nclients>{2 * PER_FRAME}</nclients>\n</live>\n</application>\n</server>\n</rtmp>\n".encode()
            )
        frames.append(row)
    return frames


class Bench:
    """One database, one table; every way of writing begins with the table empty."""

    def __init__(self, database: Database, admin: asyncpg.Connection, folder: Path) -> None:
        self.database, self.admin, self.folder = database, admin, folder
        self.report: list[dict[str, Any]] = []

    async def measure(self, name: str, rows: int, work: Callable[[asyncpg.Connection], Any]) -> None:
        await self._empty()
        conn = await self.database.connect("writer", "bench")
        cpu, wall = _cpu_s(), time.perf_counter()
        await work(conn)
        await self._report(name, rows, time.perf_counter() - wall, _cpu_s() - cpu)
        await conn.close()

    async def end_to_end(
        self, name: str, feeds: Sequence[Any], rooms: list[RosterRoom], frames: list[list[bytes]], start: datetime
    ) -> None:
        """Frame n of a round goes to feed n, or all to the one feed there is; the next round is 5 s later.

        The first round, in which every session opens, is sent and written before the clock starts.
        """

        async def connect(name: str) -> asyncpg.Connection:
            return await self.database.connect("writer", name, command_timeout=30)

        store = Store(Path(tempfile.mkdtemp(dir=self.folder)), connect, lambda: datetime.now(UTC), Counted(), no_more)
        running = asyncio.create_task(store.run())
        watch = Watch()
        watch.load(rooms, [], feeds, start)

        async def send(turn: int) -> None:
            at = start + STEP * turn
            for feed, frame in zip(feeds * len(frames[turn]) if len(feeds) == 1 else feeds, frames[turn], strict=True):
                ticks = feed.parse(frame, at)
                await store.inbox.room(len(ticks))
                store.inbox.put(watch.hear(feed.name, at, ticks, at))
                await asyncio.sleep(0)  # a frame comes from a socket: the loop turns between any two

        async def drained() -> None:
            while store.inbox.ticks or store.sealer.busy or len(store.shelf):
                await asyncio.sleep(0.002)

        await send(0)
        await drained()
        await self._empty()
        cpu, wall = _cpu_s(), time.perf_counter()
        for turn in range(1, len(frames)):
            await send(turn)
        await drained()
        seconds, cpu_s = time.perf_counter() - wall, _cpu_s() - cpu
        store.stop()
        await running
        await self._report(name, (len(frames) - 1) * ROOMS, seconds, cpu_s)

    async def _empty(self) -> None:
        owner = await self.database.connect("owner", "bench")
        await owner.execute("TRUNCATE tick_raw, applied_batch")
        await owner.close()
        await self.admin.execute("CHECKPOINT")

    async def _report(self, name: str, rows: int, seconds: float, cpu_s: float) -> None:
        written = await self.admin.fetchval("SELECT count(*) FROM livemon.tick_raw")
        assert written == rows, f"{name}: {written} rows written, {rows} expected"
        self.report.append({
            "name": name, "rows": rows, "rows_per_s": round(rows / seconds),
            "cpu_s_per_million": round(cpu_s / rows * 1e6, 2),
            "rss_mb": _rss_mb(),
        })  # fmt: skip
        print(json.dumps(self.report[-1]), file=sys.stderr, flush=True)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _rss_mb() -> int:
    """What this process holds now, or, where that cannot be read, at most held."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 2**20
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**20  # bytes on macOS


def _tuples(frames: list[list[bytes]], ids: dict[str, int], start: datetime) -> list[RowTuple]:
    return [
        (start + STEP * turn, ids[s.room], s.live, s.viewers, None, None, s.kbps)
        for turn, row in enumerate(frames)
        for frame in row
        for s in DECODER.decode(frame)
    ]


async def run(rows: int, folder: Path) -> list[dict[str, Any]]:
    rounds = max(1, rows // ROOMS)
    rows = rounds * ROOMS
    start = datetime.now(UTC) - STEP * rounds
    server = await embedded.start(folder)
    try:
        database = Database(data_dir=folder)
        owner = await database.connect("owner", "bench")
        await migrate(owner, Birth(timezone="UTC", currency="CNY"))
        for day in range(-1, 2):
            await owner.execute("SELECT ensure_tick_day(current_date + $1::int)", day)
        admin = await asyncpg.connect(
            f"postgresql://{SUPERUSER}:{server.password(SUPERUSER)}@/livemon?host={server.socket}"
        )
        bench = Bench(database, admin, folder)
        frames, xml_rounds = json_frames(rounds + 1), max(10, rounds // 5)
        rooms = await _rooms(owner, "bench", "room-")
        halls = await _rooms(owner, "nginx_rtmp", "live/room-")
        await owner.close()
        gc.collect()
        gc.freeze()  # as the monitor does
        feed = JsonFeed(name="bench", rooms=[room.external_id for room in rooms])
        await bench.end_to_end("end_to_end", [feed], rooms, frames, start)
        xml = xml_frames(xml_rounds)
        nginx = [
            NginxRtmp(
                name=f"hall-{n}", url="http://127.0.0.1:1/stat", rooms=[r.external_id for r in halls[n : n + PER_FRAME]]
            )
            for n in range(0, ROOMS, PER_FRAME)
        ]
        await bench.end_to_end("end_to_end_nginx_rtmp", nginx, halls, xml, start)
        # Last, as their tuples take memory, and a collector of garbage time to walk through.
        ids = {room.external_id: room.room_id for room in rooms}
        await _baselines(bench, rows, _tuples(frames[1:], ids, start), folder)
        return bench.report
    finally:
        await server.release()


async def _rooms(owner: asyncpg.Connection, platform: str, prefix: str) -> list[RosterRoom]:
    rows = await owner.fetch(
        "INSERT INTO room (platform, external_id) SELECT $1, $2 || n FROM generate_series(0, $3 - 1) AS n"
        " RETURNING room_id, platform, external_id",
        platform, prefix, ROOMS,
    )  # fmt: skip
    return [RosterRoom(*row) for row in rows]


async def _baselines(bench: Bench, rows: int, tuples: list[RowTuple], folder: Path) -> None:
    packed = pack_ticks(
        [(r[1], Tick("", "", r[0], "status", r[2], r[3], None, None, r[6])) for r in tuples], tuples[-1][0]
    )
    width = len(packed.payload) // packed.rows

    async def from_file(conn: asyncpg.Connection) -> None:
        for first in range(0, rows, ROWS_MAX):
            part = packed.payload[first * width : (first + ROWS_MAX) * width]
            await conn.copy_to_table(
                "tick_raw", source=io.BytesIO(COPY_HEAD + part + COPY_TAIL), columns=TICK_COLUMNS, format="binary"
            )

    async def ready_tuples(conn: asyncpg.Connection) -> None:
        for first in range(0, rows, ROWS_MAX):
            await conn.copy_records_to_table("tick_raw", records=tuples[first : first + ROWS_MAX], columns=TICK_COLUMNS)

    few = min(rows, 100_000)

    async def executemany(conn: asyncpg.Connection) -> None:
        for first in range(0, few, ROWS_MAX):
            part = tuples[first : first + ROWS_MAX]
            await conn.executemany("INSERT INTO tick_raw VALUES ($1, $2, $3, $4, $5, $6, $7)", part)

    await bench.measure("bare_copy_from_file", rows, from_file)
    await bench.measure("asyncpg_ready_tuples", rows, ready_tuples)
    await bench.measure("asyncpg_executemany", few, executemany)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 600_000
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(run(rows, Path(folder)))
    rates = {row["name"]: row["rows_per_s"] for row in report}
    ratio = rates["end_to_end"] / rates["asyncpg_ready_tuples"]
    print(json.dumps({"bench": "ingest", "end_to_end_per_ready_tuples": round(ratio, 2), "rows": report}))


if __name__ == "__main__":
    main()

"""A week of history made inside PostgreSQL: rooms of the rehearsal's cast, their sessions, ticks, sales and sums.

Density: on air every room is observed each 5 s, as a real poll does; off air each 15 minutes, where a real poll would
be as dense: those rows alone would not fit the disk. Ticks lie on disk in the order in which they were observed. All is
drawn by a hash: the same each time, but for the day. The day's own hour is 21 o'clock when the history is made.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import asyncpg

from monitor.rehearsal.event.cast import cast
from monitor.store.db import Connection, Database
from monitor.store.migrate import Birth, migrate
from monitor.zone import in_postgresql

SQL = Path(__file__).parent / "history"
EVENING = 21
SEED = 1
WORKERS = 2
# While it is loaded. What is created and filled in one transaction then needs no WAL. Measured with livemon's own.
LOADING = """
wal_level = minimal
max_wal_senders = 0
fsync = off
full_page_writes = off
autovacuum = off
max_wal_size = 16GB
work_mem = 256MB
maintenance_work_mem = 1GB
jit = off
"""
BULK = ("sale", "sale_item", "session", "session_change", "session_hour", "minute_sum", "shop_hour", "item_hour")


class Size(NamedTuple):
    percent: int  # of 12,000 rooms x 7 days, in room-days
    rooms: int
    days: int  # the last one is today, until now
    ahead: timedelta  # the history ends so long after its making began, so that now stays inside it while it is asked


class Day(NamedTuple):
    date: date
    from_s: int
    to_s: int  # of today: where the history ends


def zone(now: datetime) -> str:
    """The fixed offset at which it is nine in the evening."""
    ahead = EVENING - now.hour
    ahead -= 24 if ahead > 14 else 0
    return f"{'+' if ahead >= 0 else '-'}{abs(ahead):02}:00"


def days_of(size: Size, now: datetime) -> list[Day]:
    offset = timedelta(hours=int(zone(now)[:3]))
    today = (now + offset).date()
    end_s = int((now + size.ahead).timestamp()) // 60 * 60
    days = []
    for back in range(size.days - 1, -1, -1):
        day = today - timedelta(days=back)
        from_s = int((datetime(day.year, day.month, day.day, tzinfo=UTC) - offset).timestamp())
        days.append(Day(day, from_s, min(from_s + 86_400, end_s)))
    return days


def say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


async def make(database: Database, size: Size, now: datetime) -> list[Day]:
    """The whole history of this size, into a new and empty database."""
    owner = await database.connect("owner", "bench history")
    try:
        await migrate(owner, Birth(timezone=in_postgresql(zone(now)), currency="CNY"))
        days = days_of(size, now)
        await _ground(owner, size, days, int(now.timestamp()) // 5 * 5)
        async with _without_indexes(owner, BULK):
            for part in ("sessions", "sales"):
                await owner.execute(_sql(part))
                say(f"{part} of {size.rooms:,} rooms and {size.days} days")
            await _minutes_and_ticks(database, owner, days)
            await _spread(database, days, _hours_and_sums)
        await owner.execute(_sql("rest"))
        await owner.execute("VACUUM ANALYZE")
        say("vacuumed and analysed")
        return days
    finally:
        await owner.close()


async def _ground(owner: Connection, size: Size, days: list[Day], now_s: int) -> None:
    await owner.execute(_sql("ground"))
    spans = (days[0].from_s, days[-1].to_s, size.days, now_s)
    await owner.execute("INSERT INTO bench.size VALUES ($1, $2, $3, $4)", *spans)
    parts = cast(size.rooms, SEED)
    fields = "platform, external_id, anchor, broadcaster, hall, city, category, tier, fans, shop".split(", ")
    rows = [
        (p.platform, p.room, p.anchor, p.broadcaster, p.hall, p.city, p.category, p.tier, p.fans, p.shop) for p in parts
    ]
    await owner.copy_records_to_table("room", records=rows, columns=fields)
    ids = {row[0]: row[1] for row in await owner.fetch("SELECT external_id, room_id FROM room")}
    draws = [(ids[part.room], max(3, round(part.draw))) for part in parts]
    await owner.copy_records_to_table("draw", schema_name="bench", records=draws)
    await owner.execute(
        "UPDATE setting SET event_name = '基准', event_starts_at = to_timestamp($1), event_ends_at = to_timestamp($2)",
        days[0].from_s,
        days[0].from_s + size.days * 86_400,
    )


async def _minutes_and_ticks(database: Database, owner: Connection, days: list[Day]) -> None:
    """Each day's two partitions are made by livemon, taken off, filled without indexes, and put on again."""
    indexes: dict[str, list[str]] = {}
    for day in days:
        await owner.execute("SELECT ensure_tick_day($1), ensure_minute_day($1)", day.date)
        for parent in ("tick_raw", "session_minute"):
            name = _partition(parent, day)
            await owner.execute(f"ALTER TABLE {parent} DETACH PARTITION {name}")
            indexes[name] = await _drop_indexes(owner, name)

    async def ticks_and_minutes(worker: Connection, day: Day) -> None:
        for parent, part in (("tick_raw", "ticks_hour"), ("session_minute", "minutes_hour")):
            await _fill(worker, _partition(parent, day), part, day, indexes)

    await _spread(database, days, ticks_and_minutes)
    for day in days:
        bounds = [datetime.fromtimestamp(s, UTC).isoformat() for s in (day.from_s, day.from_s + 86_400)]
        for parent in ("tick_raw", "session_minute"):
            await owner.execute(
                f"ALTER TABLE {parent} ATTACH PARTITION {_partition(parent, day)}"
                f" FOR VALUES FROM ('{bounds[0]}') TO ('{bounds[1]}')"
            )


async def _hours_and_sums(worker: Connection, day: Day) -> None:
    span = [datetime.fromtimestamp(s, UTC) for s in (day.from_s, day.from_s + 86_400)]
    for part in ("hours", "sums", "sold"):
        await worker.execute(_sql(part), *span)


async def _spread(database: Database, days: list[Day], work: Callable[[Connection, Day], Awaitable[None]]) -> None:
    """The days over a few connections."""
    waiting = list(reversed(days))

    async def one() -> None:
        worker = await database.connect("owner", "bench history worker")
        try:
            while waiting:
                day = waiting.pop()
                await work(worker, day)
                say(f"{work.__name__.strip('_').replace('_', ' ')} of {day.date}")
        finally:
            await worker.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(WORKERS, len(days))):
            group.create_task(one())


async def _fill(worker: Connection, table: str, part: str, day: Day, indexes: dict[str, list[str]]) -> None:
    hour = _sql(part).replace("{day}", table)
    async with worker.transaction():
        await worker.execute(f"TRUNCATE {table}")  # in this transaction: so its rows need no WAL
        for hour_s in range(day.from_s, day.to_s, 3600):
            await worker.execute(hour, hour_s)
        for definition in indexes[table]:
            await worker.execute(definition)
        await worker.execute(f"ANALYZE {table}")


@asynccontextmanager
async def _without_indexes(owner: Connection, tables: Iterable[str]) -> AsyncIterator[None]:
    """But for those of keys."""
    dropped = [definition for table in tables for definition in await _drop_indexes(owner, table)]
    yield
    for definition in dropped:
        await owner.execute(definition)
    say("indexes")


async def _drop_indexes(owner: Connection, table: str) -> list[str]:
    rows = await owner.fetch(
        "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index"
        " WHERE indrelid = $1::text::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
        table,
    )
    for row in rows:
        await owner.execute(f"DROP INDEX {row['name']}")
    return [row["definition"] for row in rows]


def _partition(parent: str, day: Day) -> str:
    return f"{parent}_{day.date:%Y%m%d}"


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text()


async def counted(connection: asyncpg.Connection) -> dict[str, int]:
    """How many rows there are, and bytes of the database. `connection`: the owner's."""
    sums = "session_minute session_hour minute_sum shop_hour item_hour"
    tables = f"tick_raw {sums} session session_change sale sale_item".split()
    rows = {
        table: int(
            await connection.fetchval(
                "SELECT coalesce(sum(reltuples), 0)::bigint FROM pg_class JOIN pg_partition_tree($1::text::regclass)"
                " ON relid = pg_class.oid WHERE isleaf",
                table,
            )
            if table in ("tick_raw", "session_minute")
            else await connection.fetchval(f"SELECT count(*) FROM {table}")
        )
        for table in tables
    }
    return rows | {"bytes": await connection.fetchval("SELECT pg_database_size(current_database())")}

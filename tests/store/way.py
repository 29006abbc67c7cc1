"""The store as the tests drive it: rooms in a database, steps into the inbox, and what came of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from collectors.tick import Tick
from monitor.facts import Change, Heard, RosterRoom
from monitor.store.store import Store

NOW = lambda: datetime.now(UTC)  # noqa: E731


class Counted:
    """What the writer told the metrics."""

    def __init__(self) -> None:
        self.batches, self.unknown = 0, dict[str, int]()

    def wrote(self, seconds: float, rows: int) -> None:
        self.batches += 1

    def resolved(self, outcome: str) -> None:
        self.unknown[outcome] = self.unknown.get(outcome, 0) + 1


async def no_more(conn: object) -> None:
    """Nothing else to do between batches."""


async def add_rooms(database, count: int) -> list[RosterRoom]:
    """So many rooms `live/room1` ... in the roster, and partitions for now."""
    conn = await database.connect("owner")
    try:
        await conn.execute(
            "INSERT INTO room (platform, external_id)"
            " SELECT 'nginx_rtmp', 'live/room' || n FROM generate_series(1, $1) AS n",
            count,
        )
        rows = await conn.fetch("SELECT room_id, platform, external_id FROM room ORDER BY room_id")
        return [RosterRoom(*row) for row in rows]
    finally:
        await conn.close()


def heard_ticks(rooms: list[RosterRoom], at: datetime | None = None, viewers: int = 7) -> Heard:
    at = at or NOW()
    return Heard(
        ticks=[(r.room_id, Tick("hall", r.external_id, at, "status", True, viewers, kbps=2000)) for r in rooms]
    )


def heard_opening(room: RosterRoom, at: datetime | None = None) -> Heard:
    at = at or NOW()
    return Heard(changes=[Change(room.platform, room.external_id, at, 1, "opened", at, "status", b"state")])


@asynccontextmanager
async def running(
    folder: Path,
    connect: Callable[[str], Awaitable[asyncpg.Connection]],
    counted: Counted | None = None,
    **options: object,
) -> AsyncIterator[Store]:
    """A store at work; it is stopped cleanly at the end of the block."""
    store = Store(folder, connect, NOW, counted or Counted(), options.pop("tend", no_more), **options)
    task = asyncio.create_task(store.run())
    try:
        yield store
        store.stop()
        await task
    finally:
        task.cancel()


async def settled(store: Store, seconds: float = 10.0) -> None:
    """Wait until all that was put is applied and released."""
    async with asyncio.timeout(seconds):
        while (
            store.inbox.ticks
            or store.inbox.facts
            or store.sealer.busy
            or len(store.shelf)
            or store.sealer.standing.pending
        ):
            await asyncio.sleep(0.02)
            await store.sealer.take_stock()


def connecting(database) -> Callable[[str], Awaitable[asyncpg.Connection]]:
    async def connect(name: str) -> asyncpg.Connection:
        return await database.settings.connect("writer", name, command_timeout=20.0)

    return connect

"""A few days that were: what the boards of money and of history show has to have happened for days, not for minutes.

Made by tests/bench/history_data.py inside PostgreSQL, with the sums that livemon's own roll would make of it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.store import embedded
from monitor.store.db import Database
from tests.bench.history_data import Size, make
from tests.boards.sources import POSTGRES, POSTGRES_HALL, Addresses

# Shown from what was, the rest from what is.
BOARDS = {"wall", "commerce", "history"}
SIZE = Size(percent=1, rooms=220, days=4, ahead=timedelta(minutes=15))
MADE_S_MAX = 120.0


@asynccontextmanager
async def days(folder: Path, prometheus: str) -> AsyncIterator[Addresses]:
    """A server with these days, until the block ends; now is their last evening. `prometheus`: of what is."""
    database = Database(data_dir=folder, timezone="UTC")
    server = await embedded.start(folder)
    try:
        async with asyncio.timeout(MADE_S_MAX):
            await make(database, SIZE, datetime.now(UTC))
        roles = {POSTGRES: "livemon_reader", POSTGRES_HALL: "livemon_hall"}
        addresses = {
            uid: f"postgresql://{role}:{server.password(role)}@/livemon?host={server.socket}"
            for uid, role in roles.items()
        }
        yield Addresses(prometheus, addresses)
    finally:
        await server.release()

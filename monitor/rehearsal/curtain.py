"""The end of a play: no new orders; what was told is waited for until it is in PostgreSQL; then an instant to judge."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.config import load
from monitor.store.db import Database

from .monitored import Livemon, samples
from .truth import Truth

DRAIN_S_MAX = 180.0  # a poll of shops that are asked once a minute, and what it found, twice
SALES = "SELECT count(*) FROM sale WHERE kind IN ('paid', 'refunded')"


async def drained(livemon: Livemon, truth: Truth, waiting: Callable[[], int], say: Callable[[str], None]) -> None:
    """Wait until all that was told is in PostgreSQL, or give up: what is missing then is the comparison's business."""
    until = time.monotonic() + DRAIN_S_MAX
    truth.flush()
    told = await asyncio.to_thread(facts_of, truth.path)
    database = Database.of(load(livemon.config))
    said = ""
    while time.monotonic() < until:
        connection = await database.connect("reader", "livemon rehearse")
        try:
            written = int(await connection.fetchval(SALES))
        finally:
            await connection.close()
        if written >= told and waiting() == 0 and await spooled(livemon) == 0:
            return
        now_said = f"waiting for the last sales: {written:,} of {told:,} are in PostgreSQL, {waiting():,} under way"
        if now_said != said:
            say(said := now_said)
        await asyncio.sleep(1.0)
    say(f"given up after {DRAIN_S_MAX:.0f} s")


def facts_of(path: Path) -> int:
    """How many sales a perfect listener knows by now; without gifts, which are told once, and heard or not."""
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT count(*) FROM fact WHERE kind <> 'gift'").fetchone()[0])


async def settled_at(livemon: Livemon, feeds: set[str], within_s: float = 60.0) -> datetime:
    """An instant in the past before which everything that polled `feeds` told is in PostgreSQL."""
    cut = datetime.now(UTC)
    async with asyncio.timeout(within_s):
        while True:
            last = {
                labels["feed"]: value
                for name, labels, value in samples(await livemon.text("/metrics"))
                if name == "livemon_feed_last_message_timestamp_seconds"
            }
            if all(last.get(feed, 0.0) > cut.timestamp() for feed in feeds):
                break
            await asyncio.sleep(0.5)
        while await spooled(livemon):  # noqa: ASYNC110 - another process: what waits to be written now holds all that was heard before
            await asyncio.sleep(0.1)
    return cut - timedelta(seconds=1)


async def spooled(livemon: Livemon) -> int:
    """Rows that are not in PostgreSQL yet, of all kinds."""
    text = await livemon.text("/metrics")
    return sum(int(value) for name, _, value in samples(text) if name == "livemon_spooled")

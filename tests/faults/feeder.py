"""A store under load in a process of its own, so that it can be killed: `python -m tests.faults.feeder FOLDER DSN`."""

import argparse
import asyncio
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from monitor.facts import RosterRoom
from monitor.store.store import Store
from tests.faults.oracle import Oracle
from tests.store.way import no_more, settled

TICKS = 400
EVERY_S = 0.01


class Mortal:
    """Ends the process the hard way after so many batches: PostgreSQL holds the last, the spool does not know it."""

    def __init__(self, dies_after: int) -> None:
        self.dies_after = dies_after

    def wrote(self, seconds: float, rows: int) -> None:
        self.dies_after -= 1
        if self.dies_after == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def resolved(self, outcome: str) -> None:
        print("resolved", outcome, flush=True)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("dsn")
    parser.add_argument("--rooms", type=int, required=True)
    parser.add_argument("--first", type=int, default=1, help="the first id to issue")
    parser.add_argument("--dies-after", type=int, default=0, help="so many batches written")
    parser.add_argument("--drain", action="store_true", help="issue nothing; end when all is written")
    given = parser.parse_args()

    async def connect(name: str) -> asyncpg.Connection:
        settings = {"application_name": name}
        return await asyncpg.connect(given.dsn, server_settings=settings, command_timeout=20, timeout=10)

    store = Store(given.folder, connect, lambda: datetime.now(UTC), Mortal(given.dies_after), no_more)
    print("open", flush=True)
    async with asyncio.TaskGroup() as group:
        group.create_task(store.run())
        if given.drain:
            await settled(store, 30)
        else:
            rooms = [RosterRoom(n, "nginx_rtmp", f"live/room{n}") for n in range(1, given.rooms + 1)]
            await issue(store, Oracle(rooms, given.first))
        store.stop()


async def issue(store: Store, oracle: Oracle) -> None:
    """Until somebody kills us."""
    while True:
        await store.inbox.room(TICKS, 3)
        store.inbox.put(oracle.ticks(TICKS))
        store.inbox.put(oracle.facts())
        await asyncio.sleep(EVERY_S)


if __name__ == "__main__":
    asyncio.run(main())

"""Keeps deliveries as fast as the disk takes them, says the number of each that it acknowledged; it can be killed."""

import asyncio
import itertools
import sys
from datetime import UTC, datetime
from pathlib import Path

from monitor.store.cipher import Cipher
from monitor.store.frames import FrameLane
from monitor.store.store import Store
from tests.store.way import Counted, no_more

CIPHER = Cipher([bytes(range(32))])
SENDERS = 16


async def nobody(name: str) -> object:
    raise OSError("there is no PostgreSQL here")


async def main(folder: Path, first: int) -> None:
    store = Store(folder, nobody, lambda: datetime.now(UTC), Counted(), no_more)  # type: ignore[arg-type]
    lane, numbers = FrameLane(store.spool, store.sealer, CIPHER), itertools.count(first)

    async def send() -> None:
        while True:
            number = next(numbers)
            await lane.keep("erp", b"%d" % number, datetime.now(UTC))
            print(number, flush=True)

    async with asyncio.TaskGroup() as group:
        for work in (lane.run(), *(send() for _ in range(SENDERS))):
            group.create_task(work)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))

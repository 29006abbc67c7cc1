"""Seals batches as fast as the disk takes them and says each number once it is safe; a process that can be killed."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from monitor.facts import Change, RosterRoom
from monitor.store.spool import Spool
from tests.faults.oracle import Oracle, seal_of

TICKS = 50


def main(folder: Path, first: int) -> None:
    spool, number = Spool(folder), first
    rooms = [RosterRoom(n, "nginx_rtmp", f"live/room{n}") for n in range(1, 8)]
    while True:
        now = datetime.now(UTC)
        heard = Oracle(rooms, number * TICKS).ticks(TICKS)
        heard.changes = [Change("nginx_rtmp", "live/room1", now, number, "opened", now, "status", str(number).encode())]
        spool.commit(seal_of(heard))
        print(number, flush=True)
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

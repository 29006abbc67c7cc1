"""Seals batches as fast as the disk takes them and says each number once it is safe; a process that can be killed."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from monitor.facts import Change, RosterRoom
from monitor.store.batch import facts_batches, pack_ticks, ticks_batches
from monitor.store.books import Seal
from monitor.store.spool import Spool
from tests.faults.oracle import Oracle

TICKS = 50


def main(folder: Path, first: int) -> None:
    spool, number = Spool(folder), first
    rooms = [RosterRoom(n, "nginx_rtmp", f"live/room{n}") for n in range(1, 8)]
    while True:
        now = datetime.now(UTC)
        packed = pack_ticks(Oracle(rooms, number * TICKS).ticks(TICKS).ticks, now)
        change = Change("nginx_rtmp", "live/room1", now, number, "opened", now, "status", str(number).encode())
        batches = [*facts_batches([change], now), *ticks_batches([packed], now)]
        spool.commit(Seal(batches=batches, room_states={("nginx_rtmp", "live/room1"): change.state}))
        print(number, flush=True)
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

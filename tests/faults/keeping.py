"""Keeps deliveries as fast as the disk takes them, and says each number once it is safe; it can be killed."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from monitor.store.books import Seal
from monitor.store.frames import arrival
from monitor.store.spool import Spool
from tests.reading import KEY, sale

GROUP = 7


def main(folder: Path, first: int) -> None:
    spool, number = Spool(folder), first
    hours = spool.unlock(KEY)
    while True:
        now = datetime.now(UTC)
        group = [arrival(hours, "shop", sale(f"e{n}"), now, now) for n in range(number, number + GROUP)]
        seqs = spool.frames.append(group)
        print(number + GROUP - 1, flush=True)
        spool.commit(Seal(frames=seqs[:3]))
        number += GROUP
        time.sleep(0.001)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

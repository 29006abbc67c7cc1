"""How many TCP connects this machine makes, as its kernel counts them: what a played platform sees of them depends on
when its own loop comes to look.

    python -m tests.bench.connects     until it is ended: a line for each look, seconds (monotonic) and connects so far
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.figures import Counted

EVERY_S = 0.01
SNMP = Path("/proc/net/snmp")


def connects(snmp: str) -> int:
    """`ActiveOpens` of the kernel's table (RFC 1213, tcpActiveOpens): connections that were begun from here, by all."""
    names, numbers = (line.split() for line in snmp.splitlines() if line.startswith("Tcp:"))
    return int(numbers[names.index("ActiveOpens")])


@asynccontextmanager
async def counting(path: Path) -> AsyncIterator[Path]:
    """While it is open, a process of its own counts into this file."""
    with path.open("wb") as told:
        child = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.bench.connects", stdout=told)
    try:
        yield path
    finally:
        child.terminate()
        await child.wait()


def counted(path: Path) -> Sequence[Counted]:
    """What was counted by now. The last line may be half of one."""
    lines = path.read_text().rpartition("\n")[0].splitlines()
    return [Counted(float(at_s), int(count)) for at_s, count in map(str.split, lines)]


def main() -> None:
    while True:
        print(time.monotonic(), connects(SNMP.read_text()), flush=True)
        time.sleep(EVERY_S)  # a process of its own: there is no loop to hold up


if __name__ == "__main__":
    main()

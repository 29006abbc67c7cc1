"""Lets readers of the embedded server compute a little behind everybody else: their processes are made nicer.

Timeouts and limits of connections bound what one reader takes, not that sixteen share two cores with the writer.
The processes of an outside server are out of reach: there its administrator gives readers a standby of their own.
"""

import os
from contextlib import suppress
from pathlib import Path

from monitor.reader_limits import READERS
from monitor.store.apply import Connection
from monitor.store.statements import statement

# Measured (tests/bench/bench_hostile.py): at 19 the usual batch is faster still, and the slowest are slower than
# without: a reader that is hardly ever run holds on to what the writer waits for.
NICENESS = 10


async def slow_readers(conn: Connection) -> int:
    """On the writer's connection to a server on this machine, outside a transaction: how many processes there were.

    A process that is gone by now, or that is another user's, is left alone.
    """
    pids: list[int] = []
    for role in READERS:
        async with conn.transaction():
            if await conn.fetchval(statement("chores/may_act_as"), role):
                await conn.execute(statement("chores/act_as"), role)
                pids += [row["pid"] for row in await conn.fetch(statement("chores/reader_processes"))]
    for pid in pids:
        slow(pid)
    return len(pids)


def slow(pid: int) -> None:
    """A process of the server on this machine. One that is gone by now, or is another user's, is left alone."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
    with suppress(OSError):  # where Linux schedules by session, and each process of PostgreSQL is one of its own
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS))

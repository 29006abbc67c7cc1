"""The monitor itself killed with -9 again and again while 200 rooms change ten times a second."""

import asyncio
import random

import pytest

from monitor.rehearsal.monitored import LIVEMON
from monitor.rehearsal.program import Program
from monitor.rehearsal.rtmp_hall import free_ports
from tests.faults.hall import FLAPPING, SIGNING_ON, Hall, configure, open_hall
from tests.faults.oracle import balanced, sealed, written
from tests.faults.test_kill import KILLS

ROOMS = 200
SESSIONS = """
SELECT room.external_id, session_id, closed_at, array_agg(number ORDER BY number) AS numbers
FROM livemon.session JOIN livemon.room USING (room_id) JOIN livemon.session_change USING (session_id)
GROUP BY 1, 2, 3
"""


@pytest.mark.slow
async def test_kill_9_of_the_monitor_twenty_times(database, tmp_path):
    luck, log, spool = random.Random(9), tmp_path / "livemon.log", tmp_path / "data" / "spool"
    async with open_hall(ROOMS) as hall:
        config = configure(tmp_path, hall, database, free_ports(1)[0])
        for life in range(KILLS):
            with Program([*LIVEMON, "run", "--config", str(config)], log) as monitor:
                # The first one loads the roster and sees rooms flap; each later one is watching before it is killed.
                await asked(hall, hall.asked + (25 if life == 0 else 1), monitor)
                await asyncio.sleep(luck.uniform(0.0, 0.8))
                monitor.kill()
        with Program([*LIVEMON, "run", "--config", str(config)], log) as monitor:
            await asked(hall, max(hall.asked, ROOMS // SIGNING_ON) + 10, monitor)
            assert await asyncio.to_thread(monitor.stop, within_s=20.0) == 0
    issued, standing = sealed(spool)
    books = standing.books
    assert balanced(books), books
    assert (standing.pending, books["tick"].quarantined, books["change"].quarantined) == (0, 0, 0)
    conn = await database.connect("owner")
    found = await written(conn)
    assert found.ticks == issued.ticks  # each sealed row once, and no other
    assert max(found.ticks.values()) == 1
    assert len(found.ticks) == books["tick"].written > KILLS * ROOMS
    assert found.changes == issued.changes
    sums = await conn.fetchrow(
        "SELECT sum(written)::int, sum(quarantined)::int, sum(duplicates)::int FROM applied_batch"
    )
    assert tuple(sums) == (sum(book.written for book in books.values()), 0, 0)
    sessions = await conn.fetch(SESSIONS)
    assert len({row["external_id"] for row in sessions}) == len(sessions) == ROOMS  # the same sessions went on
    assert all(row["closed_at"] is None for row in sessions)
    assert all(row["numbers"] == list(range(1, len(row["numbers"]) + 1)) for row in sessions)
    assert sum(len(row["numbers"]) > 4 for row in sessions) == FLAPPING
    spans = await conn.fetchval("SELECT count(*) FROM blind WHERE cause = 'restart' AND to_at IS NOT NULL")
    assert spans >= KILLS // 2  # our own absence was blind time
    await conn.close()


async def asked(hall: Hall, times: int, monitor: Program) -> None:
    async with asyncio.timeout(30):
        while hall.asked < times:
            assert monitor.running, monitor.log.read_text()
            await asyncio.sleep(0.01)

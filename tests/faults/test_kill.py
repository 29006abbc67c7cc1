"""kill -9 under load, at any moment and between PostgreSQL's COMMIT and the spool's release: each row once."""

import asyncio
import random
import sys

import pytest

from monitor.store.spool import Spool
from monitor.store.statements import statement
from tests.faults.ground import rooms_and_days
from tests.faults.oracle import judge

KILLS = 20
ROOMS = 200


async def feeder(folder, database, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.feeder", str(folder), database.dsn("writer"), "--rooms", str(ROOMS),
        *options, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def applied_though_pending(folder, database) -> int:
    spool = Spool(folder)
    ids = [spool.load(ref.seq).header.id for ref in spool.pending()]
    spool.close()
    conn = await database.connect("owner")
    missing = await conn.fetch(statement("writer/missing_batches"), ids)
    await conn.close()
    return len(ids) - len(missing)


@pytest.mark.slow
async def test_kill_9_under_load_twenty_times(database, tmp_path):
    await rooms_and_days(database, ROOMS)
    folder, luck, unreleased = tmp_path / "spool", random.Random(20), 0
    for life in range(KILLS):
        between = life % 2  # every second one dies between COMMIT and release, the others at any moment
        options = ["--dies-after", str(luck.randint(1, 40))] if between else []
        process = await feeder(folder, database, "--first", str(life * 1_000_000 + 1), *options)
        if not between:
            assert await process.stdout.readline() == b"open\n"
            await asyncio.sleep(luck.uniform(0.0, 0.8))
            process.kill()
        async with asyncio.timeout(20):
            await process.communicate()
        assert process.returncode == -9
        if between:
            unreleased += await applied_though_pending(folder, database)
    draining = await feeder(folder, database, "--drain")
    async with asyncio.timeout(40):
        assert (await draining.wait()) == 0
    standing = await judge(database, folder)
    assert standing.books["tick"].written > KILLS * 400  # it was under load
    assert standing.books["sale"].written > KILLS
    assert unreleased >= KILLS // 2  # the kills between COMMIT and release met what they were for

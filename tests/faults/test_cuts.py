"""The line to PostgreSQL cut where it hurts: inside COMMIT, in mid-COPY, by a black hole, by a server that is gone."""

import asyncio
import random

import pytest

from tests.faults.ground import COMMIT, COPY, drained, proxied, rooms_and_days, through
from tests.faults.oracle import Oracle, judge
from tests.faults.postmaster import own_postgres
from tests.faults.proxy import FaultProxy, Trap
from tests.store.way import Counted, running

CUTS = 10


@pytest.mark.parametrize(("fate", "outcome", "cuts"), [("deliver", "committed", CUTS), ("drop", "absent", CUTS)])
async def test_a_cut_inside_commit_is_resolved_by_the_batch_id(database, tmp_path, fate, outcome, cuts):
    rooms = await rooms_and_days(database, 50)
    oracle, counted = Oracle(rooms), Counted()
    async with proxied(database) as proxy, running(tmp_path / "spool", through(proxy, database), counted) as store:
        for cut in range(cuts):
            trap = Trap("up", COMMIT, fate)
            proxy.traps.append(trap)
            store.inbox.put(oracle.ticks(500) if cut % 2 else oracle.facts())
            async with asyncio.timeout(10):
                await trap.sprung.wait()
            store.inbox.put(oracle.facts())  # facts go first: the batch in doubt waits, and is not forgotten
            await drained(store, 5)
        assert store.writer.blocked_since is None
    await judge(database, tmp_path / "spool")
    assert proxy.count[fate] == cuts
    assert counted.unknown == {outcome: cuts}


async def test_a_black_hole_in_mid_copy_whose_server_side_never_sees_a_reset(database, tmp_path):
    rooms = await rooms_and_days(database, 50)
    oracle, counted = Oracle(rooms), Counted()
    watcher = await database.connect("postgres")
    ours = "SELECT pid, state FROM pg_stat_activity WHERE application_name LIKE 'livemon-%' AND datname = $1"
    async with (
        proxied(database) as proxy,
        running(tmp_path / "spool", through(proxy, database), counted, deadline_s=1.0) as store,
    ):
        trap = Trap("up", COPY, "hole", after=100_000)
        proxy.traps.append(trap)
        store.inbox.put(oracle.ticks(5_000))
        await trap.sprung.wait()
        async with asyncio.timeout(0.9):  # until it waits for the rest of the COPY, and holds the batch's key
            while True:
                (before,) = await watcher.fetch(ours, database.name)
                if before["state"] == "active":
                    break
                await asyncio.sleep(0.01)
        await drained(store, 5)
        after = [row["pid"] for row in await watcher.fetch(ours, database.name)]
        assert len(after) == 1
        assert before["pid"] not in after
        assert counted.unknown == {"absent": 1}
    await watcher.close()
    await judge(database, tmp_path / "spool")


@pytest.mark.parametrize("mode", ["refuse", "reset", "black_hole", "half_open"])
async def test_a_line_that_fails_for_a_while_costs_no_row(database, tmp_path, mode):
    rooms = await rooms_and_days(database, 50)
    oracle = Oracle(rooms)
    async with (
        proxied(database) as proxy,
        running(tmp_path / "spool", through(proxy, database), deadline_s=0.3) as store,
    ):
        store.inbox.put(oracle.ticks(500))
        await drained(store)
        await proxy.turn(mode)
        if mode in ("refuse", "reset"):
            proxy.reset_all()
        for _ in range(5):
            store.inbox.put(oracle.ticks(500))
            store.inbox.put(oracle.facts())
            await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            while store.writer.blocked_since is None:
                await asyncio.sleep(0.02)
        await proxy.turn("pass")
        await drained(store)
        assert store.writer.blocked_since is None
    await judge(database, tmp_path / "spool")


async def test_a_slow_chopped_line_gets_there_though_a_batch_takes_longer_than_its_first_deadline(database, tmp_path):
    rooms = await rooms_and_days(database, 50)
    oracle = Oracle(rooms)
    async with (
        proxied(database) as proxy,
        running(tmp_path / "spool", through(proxy, database), deadline_s=0.3) as store,
    ):
        proxy.rate, proxy.chop, proxy.delay_s = 150_000, 1_000, 0.001
        store.inbox.put(oracle.ticks(2_000))  # about 120 kB: 0.8 s
        await drained(store)
    await judge(database, tmp_path / "spool")


@pytest.mark.slow
async def test_postgresql_stopped_immediately_in_mid_copy(tmp_path):
    async with own_postgres() as (postmaster, database):
        rooms = await rooms_and_days(database, 50)
        oracle, counted, luck = Oracle(rooms), Counted(), random.Random(10)
        async with FaultProxy(postmaster.address) as proxy:
            async with running(tmp_path / "spool", through(proxy, database), counted) as store:
                for _ in range(CUTS):
                    trap = Trap("up", COPY, "hold", after=luck.randint(1, 200_000))
                    proxy.traps.append(trap)
                    store.inbox.put(oracle.ticks(5_000))
                    async with asyncio.timeout(20):
                        await trap.sprung.wait()
                    await postmaster.stop_immediately()
                    store.inbox.put(oracle.facts())
                    await postmaster.start()
                    proxy.upstream = postmaster.address
                    await drained(store)
            assert proxy.count["hold"] == CUTS
            assert counted.unknown == {"absent": CUTS}
        await judge(database, tmp_path / "spool")

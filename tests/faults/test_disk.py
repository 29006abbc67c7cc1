"""The disk under the spool loses power, fails, or is full: nothing sealed is lost, and the books say what was shed."""

import asyncio
import os
import random
import select
import subprocess
import sys
import time
import uuid

import pytest

from monitor.facts import RosterRoom
from monitor.rehearsal.monitored import LIVEMON
from monitor.rehearsal.program import Program
from monitor.rehearsal.rtmp_hall import free_ports
from monitor.store.batch import TICK_COLUMNS, Batch, Header, facts_of
from monitor.store.books import Seal
from monitor.store.disk import SpoolDiskFailed, SpoolFull
from monitor.store.spool import Spool
from monitor.store.store import Store
from tests.faults.disk import small_disk
from tests.faults.ground import drained, rooms_and_days
from tests.faults.hall import configure, open_hall
from tests.faults.oracle import Oracle, balanced, judge, sealed
from tests.faults.sealing import TICKS
from tests.store.way import NOW, Counted, connecting, no_more, running

CUTS = 30
ROOM = RosterRoom(1, "nginx_rtmp", "live/room1")


@pytest.mark.slow
def test_power_cuts_at_random_moments_lose_no_sealed_row(tmp_path):
    luck, said = random.Random(30), 0
    with small_disk(tmp_path) as disk:
        folder = disk.folder / "spool"
        for _ in range(CUTS):
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.sealing", str(folder), str(said + 1)], stdout=subprocess.PIPE
            )
            pipe = process.stdout.fileno()
            heard = os.read(pipe, 65_536)
            time.sleep(luck.uniform(0, 0.1))
            while select.select([pipe], [], [], 0)[0]:
                heard += os.read(pipe, 65_536)
            disk.cut_power()  # what is said from here on may be said without power
            process.kill()
            after = process.communicate()[0].split()
            acknowledged = [int(number) for number in heard.split()]
            disk.unmount()
            disk.mount()
            spool = Spool(folder)
            numbers = sorted(
                fact.number for ref in spool.pending() if ref.kind == "facts" for fact in facts_of(spool.load(ref.seq))
            )
            state = int(spool.room_states()["nginx_rtmp", "live/room1"])
            standing = spool.standing()
            spool.close()
            assert numbers == list(range(1, len(numbers) + 1))
            assert acknowledged[-1] <= len(numbers) <= acknowledged[-1] + len(after) + 1
            assert state == len(numbers)  # the state is that of the last batch, not of another
            assert balanced(standing.books)
            assert standing.books["tick"].received == standing.books["tick"].spooled == len(numbers) * TICKS
            said = len(numbers)
        rows, _ = sealed(folder)
        assert len(rows.ticks) == said * TICKS
        assert max(rows.ticks.values()) == 1
    assert said > CUTS * 3


async def test_a_disk_that_fails_ends_the_store_and_nothing_is_told_to_be_safe(tmp_path):
    async def refused(name):
        raise ConnectionRefusedError

    with small_disk(tmp_path) as disk:
        store = Store(disk.folder / "spool", refused, NOW, Counted(), no_more)
        running_store = asyncio.create_task(store.run())
        disk.cut_power()
        store.inbox.put(Oracle([ROOM]).ticks(10))
        with pytest.raises(ExceptionGroup) as failure:
            async with asyncio.timeout(2):
                await running_store
        assert failure.group_contains(SpoolDiskFailed, match=r"spool.db: .*check the disk")


def test_a_spool_that_filled_the_disk_has_room_again_once_its_batches_were_applied(tmp_path):
    with small_disk(tmp_path, 160) as disk:
        spool = Spool(disk.folder / "spool")
        while True:
            big = Batch(Header(1, uuid.uuid4(), "ticks", NOW(), {"tick": 1}, TICK_COLUMNS), bytes(1_000_000))
            try:
                spool.commit(Seal(batches=[big]))
            except SpoolFull:
                break
        assert spool.standing().pending > 100
        assert spool.ballast.give_up()
        assert not spool.has_room()
        for ref in spool.pending():
            spool.commit(Seal(released=[(ref.seq, {"tick": (1, 0, 0)})]))
        spool.prune(time.time() + 3_600)
        assert not spool.ballast.path.exists()  # the file is as large as ever, and hollow
        assert spool.has_room()
        assert balanced(spool.standing().books)
        spool.close()


@pytest.mark.slow
async def test_the_monitor_ends_with_4_within_two_seconds_of_a_failed_fsync(database, tmp_path):
    log = tmp_path / "livemon.log"
    with small_disk(tmp_path) as disk:
        async with open_hall(20) as hall:
            config = configure(tmp_path, hall, database, free_ports(1)[0], disk.folder / "data")
            with Program([*LIVEMON, "run", "--config", str(config)], log) as monitor:
                async with asyncio.timeout(20):
                    while hall.asked < 10:
                        assert monitor.running, log.read_text()
                        await asyncio.sleep(0.02)
                disk.cut_power()
                started = time.monotonic()
                code = await asyncio.to_thread(monitor.process.wait, 10)
                took = time.monotonic() - started
    assert code == 4, log.read_text()
    assert took <= 2.0
    assert str(disk.folder / "data" / "spool" / "spool.db") in log.read_text().splitlines()[-1]


@pytest.mark.slow
async def test_a_full_disk_sheds_ticks_alone_and_drains_by_itself(database, tmp_path, caplog):
    oracle = Oracle(await rooms_and_days(database, 20))
    away = True

    async def connect(name):
        if away:
            raise ConnectionRefusedError
        return await connecting(database)(name)

    with small_disk(tmp_path, 160) as disk:
        folder = disk.folder / "spool"
        async with running(folder, connect) as store:
            assert store.spool.ballast.path.exists()
            disk.fill(leaving=2_000_000)
            issued = 0
            while not store.sealer.shedding:  # PostgreSQL is away: the spool fills the disk
                store.inbox.put(oracle.ticks(5_000))
                store.inbox.put(oracle.facts())
                issued += 5_000
                await asyncio.sleep(0.02)
                assert issued < 1_000_000
            assert not store.spool.ballast.path.exists()
            for _ in range(20):  # facts still go in, ticks do not
                store.inbox.put(oracle.ticks(500))
                store.inbox.put(oracle.facts())
                issued += 500
                await asyncio.sleep(0.02)
            away = False
            standing = await drained(store)
            assert standing.books["tick"].shed > 0
            assert store.sealer.shedding  # the disk is as full as before
            disk.empty()
            for _ in range(2):
                store.inbox.put(oracle.ticks(100))
                await asyncio.sleep(0.6)
            issued += 200
            await drained(store)
            assert not store.sealer.shedding
            assert store.spool.ballast.path.exists()
        books = (await judge(database, folder)).books
        assert (books["sale"].shed, books["change"].shed) == (0, 0)
        assert books["tick"].received == issued
        assert books["tick"].written == issued - books["tick"].shed

"""What was acknowledged is in PostgreSQL once: through kill -9, and through power cuts."""

import asyncio
import os
import random
import select
import signal
import subprocess
import sys
import time

import pytest

from monitor.store.spool import Spool
from tests.acceptance.keeping import CIPHER
from tests.acceptance.shop import Flood, Shop, books, drained
from tests.faults.disk import small_disk

pytestmark = [pytest.mark.real, pytest.mark.slow]

KILLS, CUTS = 20, 5
SALES = "SELECT event_id, amount_minor FROM sale"


async def test_kill_9_at_20_moments_under_load(database, tmp_path):
    await killed(database, tmp_path, KILLS)


async def killed(database, tmp_path, kills):
    """So many times at a random moment, and what became of all that was acknowledged."""
    shop, luck = Shop(tmp_path, database), random.Random(3)
    shop.open_door()
    flood, unanswered, fresh = Flood(shop.hooks, 1_500, 48), [], 1  # so many that some are always on their way
    for _ in range(kills):
        async with shop.livemon(ready=False) as livemon:
            struck = asyncio.Event()
            numbers = [*unanswered, *range(fresh, fresh + 5_000)]  # who was not answered sends it again
            flooding = asyncio.create_task(flood.run(numbers, struck.set))
            async with asyncio.timeout(20):
                await struck.wait()
            await asyncio.sleep(luck.uniform(0.0, 1.0))
            livemon.child.process.send_signal(signal.SIGKILL)
            await flooding
            await asyncio.to_thread(livemon.child.process.wait)
            assert livemon.child.process.returncode == -signal.SIGKILL
        fresh = max(flood.sent) + 1
        unanswered = sorted(flood.sent - flood.acknowledged)[::2]  # some never come again
    async with shop.livemon() as livemon:
        await drained(livemon)
        told = await books(livemon, "sale")
        found = await shop.ask(SALES)
        assert await livemon.stop() == 0
    print(f"\n{len(flood.acknowledged)} of {len(flood.sent)} acknowledged; {told}; answers {dict(flood.answers)}")
    kept = {n for _, n in found}
    assert sorted(found) == sorted((f"s1:{n}:paid", n) for n in kept)
    assert not flood.acknowledged - kept, "acknowledged and lost"
    assert not kept - flood.sent
    assert told["written"] == len(found)  # also where a batch was committed and not yet released
    assert told["quarantined"] == told["shed"] == 0
    assert len(flood.acknowledged) > kills * 50  # it was under load
    assert len(flood.sent) > len(flood.acknowledged)  # and killed in the midst of it


def test_power_cuts_lose_no_acknowledged_delivery(tmp_path):
    luck, said = random.Random(5), 0
    with small_disk(tmp_path) as disk:
        folder = disk.folder / "spool"
        for _ in range(CUTS):
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.acceptance.keeping", str(folder), str(said + 1)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            pipe = child.stdout.fileno()
            heard = os.read(pipe, 65_536)
            until = time.monotonic() + luck.uniform(0, 0.5)
            while (left := until - time.monotonic()) > 0 or select.select([pipe], [], [], 0)[0]:
                if select.select([pipe], [], [], max(left, 0))[0]:
                    heard += os.read(pipe, 65_536)
            disk.cut_power()  # what is said from here on may be said without power
            child.kill()
            after = child.communicate()[0]
            acknowledged = {int(number) for number in heard.split(b"\n")[:-1]}
            said = max([said, *(int(number) for number in (heard + after).split())]) + 1_000
            disk.unmount()
            disk.mount()
            kept = _kept(folder)
            assert len(acknowledged) > 16
            assert not acknowledged - set(kept), "acknowledged and lost"
            assert len(kept) == len(set(kept))
        print(f"\n{len(kept)} deliveries are there after {CUTS} power cuts")


def _kept(folder):
    """Every delivery that waits in the spool; its books know of each."""
    spool = Spool(folder)
    hours = spool.unlock(CIPHER)
    try:
        frames = spool.frames.waiting(0, 1_000_000, 1 << 40)
        book = spool.standing().books["frame"]
        assert (book.received, book.difference) == (len(frames), 0)
        return [int(hours.open(frame.body)) for frame in frames]
    finally:
        spool.close()

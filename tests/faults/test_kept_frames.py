"""The power fails while deliveries are kept: each that was acknowledged is there, whole, and can be read."""

import os
import random
import select
import subprocess
import sys
import time

import pytest

from monitor.store.spool import Spool
from tests.faults.disk import small_disk
from tests.faults.keeping import GROUP
from tests.reading import KEY, sale

CUTS = 12


@pytest.mark.slow
def test_power_cuts_at_random_moments_lose_no_acknowledged_delivery(tmp_path):
    luck, said = random.Random(12), 0
    with small_disk(tmp_path) as disk:
        folder = disk.folder / "spool"
        for cut in range(CUTS):
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.keeping", str(folder), str(said + 1)], stdout=subprocess.PIPE
            )
            pipe = process.stdout.fileno()
            heard = os.read(pipe, 65_536)
            time.sleep(luck.uniform(0, 0.1))
            while select.select([pipe], [], [], 0)[0]:
                heard += os.read(pipe, 65_536)
            disk.cut_power()  # what is said from here on may be said without power
            process.kill()
            process.communicate()
            disk.unmount()
            disk.mount()
            spool = Spool(folder)
            hours = spool.unlock(KEY)  # whose keys were on the same disk
            bodies = [hours.open(body) for (body,) in spool.rows("SELECT body FROM frame_body ORDER BY seq")]
            book = spool.standing().books["frame"]
            spool.close()
            assert bodies == [sale(f"e{number}") for number in range(1, len(bodies) + 1)]
            assert int(heard.split()[-1]) <= len(bodies)
            assert (book.received, book.difference) == (len(bodies), 0)
            marked = len(bodies) // GROUP * 3
            assert marked - 3 * (cut + 1) <= book.written <= marked  # each cut may come between a group and its mark
            said = len(bodies)
    assert said > CUTS * GROUP

"""Killed before any statement, a delivery that was acknowledged is read, and what it says is sealed once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.sabotage import ROOT, Bug, plant
from tests.store.crash_points import every_point

MARKED = "            self.frames.mark(seal, refs[-1].seq if refs else None, time.time())\n"
BUGS = {
    "marks in a transaction before the facts": Bug(
        "monitor/store/spool.py", '        refs = []\n        with self.transaction():\n            for batch',
        "        refs = []\n        with self.transaction():\n            self.frames.mark(seal, None, time.time())\n"
        "        with self.transaction():\n            for batch", "", "the frames that are done"),
    "marks in a transaction after the facts": Bug(
        "monitor/store/spool.py", MARKED, f"        with self.transaction():\n{MARKED}", "",
        "the frames that are done"),
    "acknowledged before it is on disk": Bug(
        "monitor/store/frames.py", "            await self._write(group)\n",
        "            [w.kept.set_result(n) for n, w in enumerate(group) if not w.kept.done()]\n"
        "            await asyncio.sleep(0.005)\n            await self._write(group)\n", "", "acknowledged and lost"),
    "received in the books before it is there": Bug(
        "monitor/store/frame_table.py", '        with self._file.transaction():\n            for arrival in arrivals:',
        "        with self._file.transaction():\n"
        '            sql.execute(MOVES["received"], (len(arrivals), "frame"))\n'
        '            sql.execute(MOVES["shed"], (0, "frame")); sql.execute("COMMIT"); sql.execute("BEGIN IMMEDIATE")\n'
        '            sql.execute("UPDATE books SET received = received - ? WHERE kind = \'frame\'", (len(arrivals),))\n'
        "            for arrival in arrivals:", "", "Book"),
}  # fmt: skip


def test_before_each_statement(tmp_path: Path) -> None:
    assert every_point(tmp_path, every=3) > 25


@pytest.mark.slow
@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(tmp_path: Path, name: str) -> None:
    bug = BUGS[name]
    copy = plant(bug, tmp_path / "copy")
    child = subprocess.run(
        [sys.executable, "-m", "tests.store.crash_points", str(tmp_path / "spools"), "1"],
        cwd=copy, capture_output=True, text=True, timeout=120, check=False, env=os.environ | {"PYTHONPATH": str(copy)},
    )  # fmt: skip
    assert child.returncode == 1, child.stdout
    assert bug.fails in child.stderr
    assert str(ROOT / "monitor") not in child.stderr  # it was the copy that ran

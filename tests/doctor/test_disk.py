"""The disk's verdicts: real folders and files, and a table of times."""

import errno
import os
from pathlib import Path

import pytest

from monitor.doctor import disk
from monitor.doctor.disk import check_folder, check_fsync, check_room, fsync_times, judge_fsync, need, spool_bytes


def test_a_folder_on_a_disk_is_fine_also_before_it_is_made(tmp_path: Path):
    assert check_folder(tmp_path).state == "fine"
    found = check_folder(tmp_path / "not" / "yet")
    assert found.state == "fine"
    assert f"made at the first start under {tmp_path}" in found.what


def test_memory_is_no_disk():
    found = check_folder(Path("/dev/shm/livemon"))  # noqa: S108 - nothing is made there
    assert found.state == "wrong"
    assert "tmpfs" in found.what
    assert "data_dir" in found.todo


def test_a_file_is_no_folder(tmp_path: Path):
    (tmp_path / "var").write_text("")
    assert check_folder(tmp_path / "var").state == "wrong"


def test_a_folder_of_somebody_else():
    as_root = os.geteuid() == 0
    if as_root:
        os.seteuid(65534)  # root may write everywhere
    try:
        found = check_folder(Path("/usr/livemon"))
    finally:
        if as_root:
            os.seteuid(0)
    assert (found.state, found.todo) == ("wrong", "give it to the user that runs livemon")


def test_fsync_is_really_measured(tmp_path: Path):
    took = fsync_times(tmp_path, count=5)
    assert len(took) == 5
    assert took == sorted(took)
    assert all(seconds > 0 for seconds in took)
    assert list(tmp_path.iterdir()) == []  # it leaves nothing behind


@pytest.mark.parametrize(
    ("middle", "worst", "state"),
    [
        pytest.param(0.0005, 0.002, "fine", id="SSD"),
        pytest.param(0.004, 0.015, "note", id="a tired SSD"),
        pytest.param(0.012, 0.060, "wrong", id="a disk that turns"),
        pytest.param(0.001, 0.200, "wrong", id="a neighbour"),
        pytest.param(0.000_002, 0.000_004, "note", id="one that lies"),
    ],
)
def test_the_verdict_on_fsync(middle: float, worst: float, state: str):
    found = judge_fsync([middle] * 54 + [worst] * 6)
    assert found.state == state
    assert (found.todo != "") == (state != "fine")


def test_a_disk_that_refuses_is_said(tmp_path: Path):
    folder = tmp_path / "gone"
    folder.mkdir()
    folder.rmdir()
    assert check_fsync(folder).state in ("fine", "note", "wrong")  # the nearest folder is measured instead
    with pytest.raises(FileNotFoundError) as raised:
        fsync_times(folder)
    assert raised.value.errno == errno.ENOENT


def test_room_is_compared_with_what_the_week_needs(tmp_path: Path):
    assert check_room(tmp_path, 1, "a little").state == "fine"
    found = check_room(tmp_path, 2**60, "too much")
    assert (found.state, "too much" in found.what) == ("wrong", True)
    assert "spool_bytes_max" in found.todo


def test_the_need_grows_with_rooms_intervals_and_days_and_shrinks_by_what_the_spool_has():
    week = 7 * 86_400.0
    outside = need(ticks_per_s=2_400, seconds=week, spool_bytes_max=10**9, spool_bytes=0, embedded=False)
    assert outside == int(10**9 * 1.1) + disk.BALLAST_BYTES
    inside = need(ticks_per_s=2_400, seconds=week, spool_bytes_max=10**9, spool_bytes=0, embedded=True)
    assert inside - outside == 2_400 * 604_800 * disk.TICK_BYTES  # 12,000 rooms every 5 s: 174 GB in a week
    assert need(ticks_per_s=0, seconds=week, spool_bytes_max=10**9, spool_bytes=10**10, embedded=True) == 0


def test_what_the_spool_has_is_counted_without_opening_it(tmp_path: Path):
    assert spool_bytes(tmp_path) == 0
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "spool.db").write_bytes(bytes(1000))
    (tmp_path / "spool" / "spool.db-wal").write_bytes(bytes(24))
    assert spool_bytes(tmp_path) == 1024

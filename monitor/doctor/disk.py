"""The disk under data_dir: what it is, how fast it keeps its word, whether it holds the event."""

import errno
import os
import shutil
import tempfile
import time
from pathlib import Path

from monitor.doctor.finding import Finding, fine, note, wrong
from monitor.http.figures import size
from monitor.store.disk import BALLAST_BYTES, file_system, untrusted

FSYNCS = 60
PAGE = bytes(4096)
GOOD_S_MAX = 0.010  # a hook's answer waits for one fsync at least, and a group of them for 10 ms
USABLE_S_MAX = 0.030  # beyond it 50 ms for an answer cannot be kept
HONEST_S_MIN = 0.000_005
TICK_BYTES = 120  # of one tick in PostgreSQL with its index entry, measured at 118
HELD_S_MAX = 20.0


def nearest(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there: on its disk it will be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def check_folder(data_dir: Path) -> Finding:
    """Is it on a disk, and may we write there?"""
    place = nearest(data_dir)
    if (why := untrusted(place)) is not None:
        what, _, todo = why.partition("; ")
        return wrong("data_dir", what, todo)
    if not place.is_dir():
        return wrong("data_dir", f"{place} is not a folder", "name a folder; it is made if missing")
    if not os.access(place, os.W_OK | os.X_OK, effective_ids=True):
        return wrong("data_dir", f"{place} cannot be written by this user", "give it to the user that runs livemon")
    made = "" if place == data_dir else f", made at the first start under {place}"
    return fine("data_dir", f"{data_dir} on {file_system(place) or 'a local disk'}{made}")


def fsync_times(folder: Path, count: int = FSYNCS) -> list[float]:
    """Seconds that each of some small writes took to be on the disk, in ascending order."""
    took: list[float] = []
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".livemon-doctor-") as file:
        until = time.monotonic() + HELD_S_MAX
        while len(took) < count and time.monotonic() < until:
            file.write(PAGE)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return sorted(took)


def check_fsync(data_dir: Path) -> Finding:
    """How long does the spool's disk take until it has what it was given?"""
    try:
        return judge_fsync(fsync_times(nearest(data_dir)))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return wrong("fsync", "the disk is full", "free space on the disk of data_dir")
        return wrong("fsync", f"the disk refused a write: {error.strerror}", "check the disk before anything else")


def judge_fsync(took: list[float]) -> Finding:
    """A verdict on these times, which are in ascending order."""
    middle, worst = took[len(took) // 2], took[int(len(took) * 0.95)]
    what = f"{middle * 1000:.2f} ms in the middle, {worst * 1000:.2f} ms at the 95th of a hundred"
    if middle < HONEST_S_MIN:
        return note("fsync", f"{what}: faster than a disk", "make sure that this disk survives a power cut")
    if worst > USABLE_S_MAX:
        todo = "put data_dir on a local SSD; hooks are answered only after an fsync"
        return wrong("fsync", f"{what}: too slow for order hooks", todo)
    if worst > GOOD_S_MAX:
        return note("fsync", f"{what}: slow, but usable", "a local SSD takes 1 to 5 ms")
    return fine("fsync", what)


def check_room(data_dir: Path, need: int, for_what: str) -> Finding:
    """Does the disk have `need` bytes left?"""
    free = shutil.disk_usage(nearest(data_dir)).free
    what = f"{size(free)} free, {size(need)} needed ({for_what})"
    if free >= need:
        return fine("disk", what)
    return wrong("disk", what, "free space, move data_dir, or set spool_bytes_max to what the disk can hold")


def need(*, ticks_per_s: float, seconds: float, spool_bytes_max: int, spool_bytes: int, embedded: bool) -> int:
    """Bytes that the spool at its limit still needs, and with it the embedded database until the end of the event."""
    spool = max(0, int(spool_bytes_max * 1.1) + BALLAST_BYTES - spool_bytes)
    return spool + (int(ticks_per_s * seconds * TICK_BYTES) if embedded else 0)


def spool_bytes(data_dir: Path) -> int:
    """What the spool's folder holds now, without opening anything in it."""
    folder = data_dir / "spool"
    try:
        return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    except OSError:  # not made yet, or a file that went away meanwhile
        return 0

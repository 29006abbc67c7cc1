"""A small real disk of a test's own: it can be filled, and it can lose power. Needs root and loop devices."""

import fcntl
import os
import struct
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FS_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2  # neither data nor journal reach the disk any more: what a power cut leaves


class SmallDisk:
    def __init__(self, image: Path, folder: Path) -> None:
        self.image, self.folder = image, folder

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop", self.image, self.folder], check=True, capture_output=True)

    def unmount(self) -> None:
        subprocess.run(["umount", self.folder], check=True, capture_output=True)

    def cut_power(self) -> None:
        """From now on every write and fsync fails, and what was not fsynced is gone at the next mount."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, FS_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def fill(self, leaving: int = 0) -> None:
        """A file of somebody else's takes all that is free, but for so many bytes."""
        room = os.statvfs(self.folder)
        with (self.folder / "filler").open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, room.f_bavail * room.f_frsize - leaving)

    def empty(self) -> None:
        (self.folder / "filler").unlink()


@contextmanager
def small_disk(folder: Path, mebibytes: int = 64) -> Iterator[SmallDisk]:
    """Mounted. Where that cannot be, the test is reported as NOT RUN; in CI as root it is a failure."""
    disk = SmallDisk(folder / "disk.img", folder / "disk")
    disk.folder.mkdir()
    with disk.image.open("wb") as image:
        image.truncate(mebibytes * 1024 * 1024)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", disk.image], check=True, capture_output=True)
        disk.mount()
    except (OSError, subprocess.CalledProcessError) as error:
        said = f"NOT RUN: this needs root, mkfs.ext4 and loop devices ({error})"
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            pytest.fail(said)
        warnings.warn(said, stacklevel=1)
        pytest.skip(said)
    try:
        yield disk
    finally:  # lazily: a test that failed may have left files open
        subprocess.run(["umount", "--lazy", disk.folder], check=True, capture_output=True)

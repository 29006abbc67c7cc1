"""Hears one feed alone, as the monitor would, and writes every frame to a file before asking what it means."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import aiohttp

from collectors.collector import Emit, FeedRow, Now
from collectors.frames import encode_line
from collectors.tick import Tick
from monitor.facts import Heard
from monitor.live.sight import silence_s_max
from monitor.live.supervise import Collecting, Outlets, Supervisor
from monitor.live.watch import Watch


class FrameFile:
    """A recording that grows. Each line is whole on return, so that whatever ends us leaves a good file."""

    def __init__(self, path: Path, over: bool) -> None:
        """Raises FileExistsError where there is a file and `over` is not given. Frames may hold secrets: 0600."""
        self.path = path
        self._file: BinaryIO = open(path, "wb" if over else "xb", buffering=0, opener=_private)
        self.frames = self.bytes = self._size = 0

    def write(self, frame: bytes, at: datetime) -> None:
        """Raises OSError when the disk takes no more; what it took of the line is cut off again."""
        line = encode_line(frame, at)
        try:
            if self._file.write(line) != len(line):
                raise OSError(f"{self.path}: no room left on the disk")
        except OSError:
            with suppress(OSError):
                self._file.truncate(self._size)
            raise
        self._size += len(line)
        self.frames += 1
        self.bytes += len(frame)

    def close(self) -> None:
        """An empty recording is none: it leaves no file."""
        self._file.close()
        if not self.frames and self.path.is_file():
            self.path.unlink()


class Recorded:
    """A feed whose frames are written down on their way; it is a collector itself."""

    def __init__(self, feed: Collecting, file: FrameFile, full: Callable[[OSError], None]) -> None:
        self.feed, self.file, self.full = feed, file, full

    @property
    def name(self) -> str:
        return self.feed.name

    @property
    def RETRY_S_MAX(self) -> float:
        return self.feed.RETRY_S_MAX

    def parse(self, frame: bytes, at: datetime) -> Sequence[Tick]:
        return self.feed.parse(frame, at)

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        async def write_and_emit(frame: bytes, at: datetime) -> None:
            try:
                self.file.write(frame, at)
            except OSError as error:  # our disk's failure, not the feed's: it must not be tried again
                self.full(error)
                return
            await emit(frame, at)

        await self.feed.collect(http, write_and_emit, now)


async def record(
    feed: Collecting,
    http: aiohttp.ClientSession,
    now: Now,
    file: FrameFile,
    until: asyncio.Event,
    failed: Callable[[str], None],
    bad: Callable[[str], None],
) -> None:
    """Record until the event is set. `failed` and `bad` hear of each failure and each frame that means nothing.

    The feed is tried again as the monitor does. Raises OSError when the file takes no more.
    """
    full: list[OSError] = []

    def end(error: OSError) -> None:
        full.append(error)
        until.set()

    async def room(ticks: int, facts: int) -> None:
        """Nothing is kept here but the file."""

    def put(heard: Heard) -> None:
        """What it means is not asked here."""

    outlets = Outlets(
        room=room,
        put=put,
        quarantine=lambda name, frame, at, reason: bad(reason),
        failed=lambda name, reason: failed(reason),
        heard=lambda name: None,
        polled=lambda name, seconds: None,
    )
    keeper = Supervisor(Recorded(feed, file, end), Watch(), now, outlets)
    if isinstance(feed, FeedRow):
        keeper.silence_s_max = silence_s_max(feed)
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(keeper.run(http), name=f"feed {feed.name}")
        await until.wait()
        hearing.cancel()
    if full:
        raise full[0]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)

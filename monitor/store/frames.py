"""The frame lane: a delivery is on disk, encrypted, before its sender is told that we have it.

Deliveries that come while a group is being written go with the next one, so that one fsync serves up to 64 of them and
none waits for company.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from monitor.store.cipher import Cipher
from monitor.store.disk import SpoolFull
from monitor.store.frame_table import Arrival
from monitor.store.hour_cipher import HourCipher
from monitor.store.sealer import Sealer
from monitor.store.spool import Spool

GROUP_MAX = 64
WAITING_MAX = 2_000
WAITING_BYTES_MAX = 67_108_864


class LaneFull(SpoolFull):
    """More deliveries wait for the disk than it takes in time, or we are about to stop: the sender tries again."""


class Waiting:
    """A delivery on its way to the disk."""

    __slots__ = ("feed", "frame", "kept", "once", "received_at")

    def __init__(self, feed: str, frame: bytes, received_at: datetime, once: str, kept: asyncio.Future[int]) -> None:
        self.feed, self.frame, self.received_at, self.once, self.kept = feed, frame, received_at, once, kept


class FrameLane:
    """`cipher` is under the spool key: what leaves the spool for quarantine is encrypted by it."""

    def __init__(
        self,
        spool: Spool,
        sealer: Sealer,
        cipher: Cipher,
        waiting_max: int = WAITING_MAX,
        waiting_bytes_max: int = WAITING_BYTES_MAX,
    ) -> None:
        self.cipher, self.hours = cipher, spool.unlock(cipher)
        self.came = asyncio.Event()  # set whenever frames were kept: somebody should read them
        self.waiting_max, self.waiting_bytes_max = waiting_max, waiting_bytes_max
        self._spool, self._sealer = spool, sealer
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._stirred = asyncio.Event()
        self._closed = False

    async def keep(self, feed: str, frame: bytes, received_at: datetime, once: str = "") -> int:
        """Returns the frame's number once it is on disk. `received_at` is aware UTC. With `once`, what was kept under
        that name in the last 30 days is not kept again.

        Raises SpoolFull where there is no room for it; then nothing of it was kept, and the sender must be told so.
        Raises SpoolDiskFailed where the disk failed, and the process is about to end.
        """
        if self._closed or len(self._waiting) >= self.waiting_max or self._bytes > self.waiting_bytes_max:
            raise LaneFull("deliveries come faster than the disk takes them, or the monitor is stopping")
        kept: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(feed, frame, received_at, once, kept))
        self._bytes += len(frame)
        self._stirred.set()
        return await kept

    async def make_ready(self) -> None:
        """Make this hour's key before anybody waits for it: on a busy disk its fsyncs may take a while."""
        with suppress(SpoolFull):  # whoever delivers then is told so
            await self._sealer.call(self.hours.begin, self._sealer.now().timestamp())

    async def run(self) -> None:
        """Write groups until the lane is closed and empty. Raises SpoolDiskFailed and SpoolUnreadable."""
        while self._waiting or not self._closed:
            if not self._waiting:
                self._stirred.clear()
                await self._stirred.wait()
                continue
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_MAX))]
            self._bytes -= sum(len(waiting.frame) for waiting in group)
            await self._write(group)

    def close(self) -> None:
        """No more deliveries are taken; `run` ends when those that wait are kept."""
        self._closed = True
        self._stirred.set()

    async def _write(self, group: Sequence[Waiting]) -> None:
        try:
            seqs = await self._append(group)
            await self._sealer.keep_stock()  # who was answered, and looks at the books, finds the delivery there
        except SpoolFull as error:
            for waiting in group:
                _fail(waiting, error)
            return
        except BaseException as error:
            for waiting in (*group, *self._waiting):
                _fail(waiting, error)
            self._closed = True
            raise
        for waiting, seq in zip(group, seqs, strict=True):
            if not waiting.kept.done():  # its sender may have gone; it is kept all the same
                waiting.kept.set_result(seq)
        self.came.set()

    async def _append(self, group: Sequence[Waiting]) -> list[int]:
        """Once more after the ballast was given up: a sender that is told to wait may never come back."""
        try:
            return await self._sealer.call(self._keep, group)
        except SpoolFull as error:
            if not await self._sealer.give_up_ballast(error):
                raise
            return await self._sealer.call(self._keep, group)

    def _keep(self, group: Sequence[Waiting]) -> list[int]:
        """In the spool's thread."""
        now = self._sealer.now()
        return self._spool.frames.append(
            [arrival(self.hours, it.feed, it.frame, it.received_at, now, it.once) for it in group]
        )


def arrival(
    hours: HourCipher, feed: str, frame: bytes, received_at: datetime, now: datetime, once: str = ""
) -> Arrival:
    """A delivery as the spool keeps it, sealed now; it may have been received long before, if it comes back."""
    body = hours.seal(frame, now.timestamp())
    return Arrival(feed, received_at.timestamp(), hashlib.sha256(frame).digest(), body, once)


def _fail(waiting: Waiting, error: BaseException) -> None:
    if not waiting.kept.done():
        waiting.kept.set_exception(error)
        waiting.kept.exception()  # looked at: who waited may be gone

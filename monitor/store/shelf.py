"""The shelf: sealed batches in the order in which the writer shall send them, facts before ticks.

It holds references; of the newest batches the bytes, too, so that they need not be read back from the spool.
"""

import asyncio
from collections import deque

from monitor.store.batch import Batch
from monitor.store.books import Ref

KEPT_BYTES_MAX = 32 * 1024 * 1024


class Shelf:
    def __init__(self, kept_bytes_max: int = KEPT_BYTES_MAX) -> None:
        self._facts: deque[Ref] = deque()
        self._ticks: deque[Ref] = deque()
        self._kept: dict[int, Batch] = {}
        self._kept_bytes, self._kept_bytes_max = 0, kept_bytes_max
        self._filled, self._emptied = asyncio.Event(), asyncio.Event()

    def __len__(self) -> int:
        return len(self._facts) + len(self._ticks)

    def put(self, ref: Ref, batch: Batch | None = None) -> None:
        """At the end of its lane; the bytes are kept while there is room for them."""
        (self._facts if ref.kind == "facts" else self._ticks).append(ref)
        if batch is not None and self._kept_bytes + ref.size <= self._kept_bytes_max:
            self._kept[ref.seq] = batch
            self._kept_bytes += ref.size
        self._filled.set()

    async def next(self) -> tuple[Ref, Batch | None]:
        """The batch to send now, which stays on the shelf until it is `done`; None: read it from the spool."""
        while not (lane := self._facts or self._ticks):
            self._filled.clear()
            await self._filled.wait()
        return lane[0], self._kept.get(lane[0].seq)

    def done(self, ref: Ref) -> None:
        """Take it off: it was applied, set aside, or found damaged."""
        for lane in (self._facts, self._ticks):
            if lane and lane[0].seq == ref.seq:
                lane.popleft()
                break
        if (batch := self._kept.pop(ref.seq, None)) is not None:
            self._kept_bytes -= batch.size
        if not len(self):
            self._emptied.set()

    async def emptied(self) -> None:
        """Wait until nothing is left to send."""
        while len(self):
            self._emptied.clear()
            await self._emptied.wait()

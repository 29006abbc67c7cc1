"""The way of a step to PostgreSQL, put together: inbox, sealer, spool, shelf, writer; and how it starts and stops."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from collectors.tick import Sale
from monitor.facts import Heard
from monitor.purpose import Purpose
from monitor.store.apply import Connection
from monitor.store.disk import SpoolFull
from monitor.store.inbox import Inbox
from monitor.store.renewal import forget
from monitor.store.reunion import application_name
from monitor.store.sealer import PENDING_BYTES_MAX, Sealer
from monitor.store.shelf import Shelf
from monitor.store.spool import Spool
from monitor.store.writer import DEADLINE_S, Meters, Writer

PRUNE_S = 10.0
DRAIN_S = 5.0


class Store:
    """Everything between a step of the watch and a committed row."""

    def __init__(
        self,
        folder: Path,
        connect: Callable[[str], Awaitable[Connection]],
        now: Callable[[], datetime],
        meters: Meters,
        tend: Callable[[Connection], Awaitable[None]],
        sold: Callable[[Sequence[Sale]], None] = lambda sales: None,
        pending_bytes_max: int = PENDING_BYTES_MAX,
        fatal: tuple[type[Exception], ...] = (),
        deadline_s: float = DEADLINE_S,
        purpose: Purpose | None = None,
    ) -> None:
        """Opens the spool in `folder` (raises the errors of `disk`); `connect` is given the application's name.

        Errors of the types `fatal` out of `tend` end the run; all others are PostgreSQL's, and tried again."""
        self.spool = Spool(folder, purpose)
        self.inbox, self.shelf, self.now = Inbox(now), Shelf(), now
        self._stopping = asyncio.Event()
        self.sealer = Sealer(self.spool, self.inbox, self.shelf, now, pending_bytes_max)
        self.writer = Writer(
            self.spool, self.sealer, lambda: connect(application_name(self.spool.id)), now, meters, tend, sold, fatal,
            deadline_s,
        )  # fmt: skip

    async def run(self) -> None:
        """Seal and write until `stop`; then the inbox drains into the spool and the writer has a few seconds more.

        What is not written by then waits on disk for the next start. Raises SpoolDiskFailed, SpoolUnreadable.
        """
        async with asyncio.TaskGroup() as group:
            sealing = group.create_task(self.sealer.run(), name="sealer")
            writing = group.create_task(self.writer.run(), name="writer")
            pruning = group.create_task(self._prune(), name="prune")
            await self._stopping.wait()
            self.inbox.close()
            await sealing
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_S):
                    await self.shelf.emptied()
            writing.cancel()
            pruning.cancel()
        await self.sealer.finish()

    async def put_on_disk(self, heard: Heard) -> None:
        """For who must not go on before it is sealed."""
        self.inbox.put(heard)
        await self.sealer.on_disk()

    def stop(self) -> None:
        """No more steps will come: finish."""
        self._stopping.set()

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_S)
            with suppress(SpoolFull):  # on a full disk even this needs room; the sealer makes some
                await self.sealer.call(self.spool.prune, self.now().timestamp())
                while await self.sealer.call(forget, self.spool, self.now().timestamp()):
                    pass  # a little at a time: whoever wants to keep something goes between

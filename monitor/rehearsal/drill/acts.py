"""What a director does to processes: to livemon and to the PostgreSQL that it has started, by their own pids."""

import asyncio
import os
from pathlib import Path

from monitor.store.cluster import Cluster

from ..monitored import Livemon


class LivemonActs:
    """Acts on the livemon of this rehearsal."""

    def __init__(self, livemon: Livemon, data_dir: Path) -> None:
        self.livemon, self.cluster = livemon, Cluster(data_dir)

    def postgres_pid(self) -> int | None:
        """The postmaster's, while one runs."""
        return self.cluster.postmaster()[0] if self.cluster.status() else None

    def pids(self) -> dict[str, int]:
        """Who takes of the machine."""
        return {"platforms and market": os.getpid(), "livemon": self.livemon.child.pid}

    async def kill_monitor(self) -> None:
        """kill -9."""
        await asyncio.to_thread(self.livemon.kill)

    async def stop_monitor(self) -> None:
        """SIGTERM, and wait."""
        await self.livemon.leave()

    async def start_monitor(self) -> None:
        """Again, and wait until it is ready."""
        self.livemon.start()
        await self.livemon.ready(1)


class NobodysActs:
    """For platforms without a monitor: there is nothing to act on."""

    def postgres_pid(self) -> int | None:
        return None

    async def kill_monitor(self) -> None: ...

    async def stop_monitor(self) -> None: ...

    async def start_monitor(self) -> None: ...

"""What those that ask platforms want of the spool: what is needed, what was answered, how far polls came."""

from collections.abc import Set

from collectors.hook import Need
from monitor.facts import PollCursor
from monitor.reading import Reader
from monitor.store.frame_table import OpenNeed
from monitor.store.store import Store


class Spooled:
    def __init__(self, store: Store, reader: Reader) -> None:
        self._store, self._reader = store, reader

    async def open_needs(self, before: int, frames_max: int) -> list[OpenNeed]:
        """See FrameTable.open_needs."""
        return await self._store.sealer.call(self._store.spool.frames.open_needs, before, frames_max)

    async def needed(self, needs: Set[Need]) -> Set[Need]:
        """Those of these that deliveries still wait for."""
        return await self._reader.needed(needs)

    async def answered(self, platform: str, need: Need, answer: bytes) -> None:
        """See Reader.answered."""
        await self._reader.answered(platform, need, answer)

    async def cursors(self, feed: str) -> list[PollCursor]:
        """How far the shops of this feed were polled."""
        return await self._store.sealer.call(self._store.spool.accounts.cursors, feed)

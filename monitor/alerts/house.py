"""What the desk of alerts is given of the rest of the house, and what a handover finds there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from monitor.alerts import ending
from monitor.alerts.alert import Episode
from monitor.alerts.handover_data import FeedStands, FramesStand, Reader
from monitor.alerts.hold import Hold
from monitor.alerts.keeper import Keeper
from monitor.alerts.sight import RoomSight, Sight
from monitor.alerts.silence import Silence
from monitor.alerts.telling_facts import Lane, Sealing


class FrameCount(Protocol):
    @property
    def waiting(self) -> int: ...
    @property
    def pending(self) -> int: ...
    @property
    def oldest_at(self) -> float: ...


class House(NamedTuple):
    """`feeds` are those that are not well, `sold` what each room sold since we watch, `refused` counts accounts.

    `reading` is a connection of the reader; it raises OSError where there is none.
    """

    sight: Sight
    watch: ending.Watch
    feeds: Callable[[], Sequence[FeedStands]]
    sold: Callable[[], Iterable[tuple[tuple[str, str], int]]]
    now: Callable[[], datetime]
    lane: Lane
    sealing: Sealing
    frames: Callable[[], Mapping[str, FrameCount]]
    refused: Callable[[], int]
    reading: Callable[[], AbstractAsyncContextManager[Reader]]


class Book(Protocol):
    async def open_episodes(self) -> Sequence[Episode]: ...


class Stands:
    """How everything stands: the Sources of a handover. `keeper` None: there is no Alertmanager."""

    def __init__(self, book: Book, keeper: Keeper | None, house: House) -> None:
        self._book, self._keeper, self._house = book, keeper, house

    async def look(self) -> None:
        if self._keeper is not None:
            await self._keeper.glance()

    async def open_episodes(self) -> Sequence[Episode]:
        return await self._book.open_episodes()

    def holds(self) -> Mapping[int, Hold]:
        return {} if self._keeper is None else self._keeper.holds

    def silences(self) -> Sequence[Silence]:
        return () if self._keeper is None else self._keeper.silences

    def alertmanager_failing_since(self) -> datetime | None:
        return None if self._keeper is None else self._keeper.failing_since

    def stopped(self) -> Sequence[RoomSight]:
        return self._house.sight.stopped()

    def feeds(self) -> Sequence[FeedStands]:
        return self._house.feeds()

    def frames(self) -> Sequence[FramesStand]:
        return [
            FramesStand(feed, kept.waiting + kept.pending, datetime.fromtimestamp(kept.oldest_at, UTC))
            for feed, kept in sorted(self._house.frames().items())
            if kept.waiting + kept.pending
        ]

    def refused_count(self) -> int:
        return self._house.refused()

    def reading(self) -> AbstractAsyncContextManager[Reader]:
        return self._house.reading()

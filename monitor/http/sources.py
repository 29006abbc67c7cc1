"""What the pages are told by the rest of the house: the shapes, and the callables that give them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from monitor.live.watch import Watch


class Book(Protocol):
    """The account of one kind of row, as the spool keeps it."""

    @property
    def received(self) -> int: ...
    @property
    def written(self) -> int: ...
    @property
    def duplicates(self) -> int: ...
    @property
    def quarantined(self) -> int: ...
    @property
    def shed(self) -> int: ...
    @property
    def spooled(self) -> int: ...
    @property
    def reoffered(self) -> int: ...
    @property
    def lost(self) -> int: ...
    @property
    def difference(self) -> int: ...


class FrameCount(Protocol):
    """Deliveries of one feed that are kept and not finished."""

    @property
    def waiting(self) -> int: ...
    @property
    def pending(self) -> int: ...
    @property
    def oldest_at(self) -> float: ...


class Standing(Protocol):
    """The spool as it stood at one instant."""

    @property
    def books(self) -> Mapping[str, Book]: ...
    @property
    def pending(self) -> int: ...
    @property
    def pending_bytes(self) -> int: ...
    @property
    def oldest_sealed_at(self) -> float | None: ...
    @property
    def frames(self) -> Mapping[str, FrameCount]: ...


class WriterSight(msgspec.Struct, frozen=True):
    """The writer as it stands: since when it makes no progress and why, and how far partitions stand ready."""

    connected: bool = False
    blocked_since: datetime | None = None
    blocked_by: str = ""
    partitions_ready_until: datetime | None = None


def nothing_wrong() -> list[str]:
    return []


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Asked at each scrape and each page, on the event loop: none may block, none may raise."""

    now: Callable[[], datetime]
    watch: Callable[[], Watch]
    standing: Callable[[], Standing]
    writer: Callable[[], WriterSight]
    reasons: Callable[[], list[str]] = nothing_wrong
    hooks_reasons: Callable[[], list[str]] = nothing_wrong
    event: str = ""

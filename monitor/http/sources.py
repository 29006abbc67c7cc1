"""What the pages are told by the rest of the house: the shapes, and the callables that give them."""

from collections.abc import Callable, Mapping, Sequence
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


class Polls(Protocol):
    """The polls of one feed: shops that are asked, and those of them that could not be asked last time."""

    @property
    def shops(self) -> int: ...
    @property
    def failing(self) -> int: ...


class Wait(Protocol):
    """Answers that kept deliveries of one feed wait for, for one reason; `shops` are some of those it is about."""

    @property
    def obstacle(self) -> str: ...
    @property
    def needs(self) -> int: ...
    @property
    def shops(self) -> Sequence[str]: ...


class WriterSight(msgspec.Struct, frozen=True):
    """The writer as it stands: since when it makes no progress and why, and how far partitions stand ready."""

    connected: bool = False
    blocked_since: datetime | None = None
    blocked_by: str = ""
    partitions_ready_until: datetime | None = None


def none_counted() -> Mapping[tuple[str, str], int]:
    return {}


def none_polled() -> Mapping[str, Polls]:
    return {}


def nothing_waits() -> Mapping[str, Sequence[Wait]]:
    return {}


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
    accounts: Callable[[], Mapping[tuple[str, str], int]] = none_counted  # by platform and state
    breakers: Callable[[], Mapping[tuple[str, str], int]] = none_counted  # by app and state
    polls: Callable[[], Mapping[str, Polls]] = none_polled  # by feed
    waits: Callable[[], Mapping[str, Sequence[Wait]]] = nothing_waits  # by feed
    probes: Callable[[], Mapping[tuple[str, str], int]] = none_counted  # looks at rooms, by feed and outcome
    rollup_lag_s: Callable[[], float] = lambda: 0.0
    event: str = ""
    spool_bytes_max: int = 8 * 1024**3

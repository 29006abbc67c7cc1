"""The monitor at one glance: what /api/status gives, the landing page shows and `livemon status` prints."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from .labels import one_line
from .sources import Sources, Wait
from .sums import STATES, is_up, platform_sums
from .witness_word import witness_of


class RoomsStatus(msgspec.Struct, frozen=True):
    """The rooms of one platform."""

    platform: str
    states: dict[str, int]
    viewers: int
    expected: int


class FeedStatus(msgspec.Struct, frozen=True):
    """One feed."""

    name: str
    kind: str
    platform: str
    hall: str
    up: bool
    state: str
    detail: str
    rooms: int
    unlisted: int
    failures: int  # in a row
    last_message_at: datetime | None
    blind_from: datetime | None
    witness: str = ""  # of a push: poll, or none
    polled: int = 0  # shops that are asked
    failing: int = 0  # those of them that could not be asked last time


class BookStatus(msgspec.Struct, frozen=True):
    """The account of one kind of row."""

    kind: str
    received: int
    written: int
    duplicates: int
    quarantined: int
    shed: int
    spooled: int
    difference: int


class WriterStatus(msgspec.Struct, frozen=True):
    connected: bool
    blocked_since: datetime | None
    blocked_by: str
    partitions_ready_until: datetime | None


class SpoolStatus(msgspec.Struct, frozen=True):
    batches: int
    bytes: int
    oldest_sealed_at: float | None


class WaitStatus(msgspec.Struct, frozen=True):
    """Answers that deliveries wait for, for one reason, and some of the shops."""

    obstacle: str
    needs: int
    shops: list[str]


class FramesStatus(msgspec.Struct, frozen=True):
    """Deliveries of one feed that were acknowledged and are not rows yet."""

    feed: str
    waiting: int  # to be read
    pending: int  # for an answer of the platform
    oldest_at: datetime
    waits: list[WaitStatus] = []


class Status(msgspec.Struct, frozen=True):
    """All of it, of one instant."""

    at: datetime
    version: str
    event: str
    ready: bool
    reasons: list[str]
    rooms: list[RoomsStatus]
    feeds: list[FeedStatus]
    books: list[BookStatus]
    spool: SpoolStatus
    writer: WriterStatus
    frames: list[FramesStatus] = []


def take_status(sources: Sources, version: str) -> Status:
    standing, writer, reasons, waits = sources.standing(), sources.writer(), sources.reasons(), sources.waits()
    return Status(
        at=sources.now(),
        version=version,
        event=one_line(sources.event),
        ready=not reasons,
        reasons=[one_line(reason) for reason in reasons],
        rooms=rooms_status(sources),
        feeds=feeds_status(sources),
        books=[
            BookStatus(kind, b.received, b.written, b.duplicates, b.quarantined, b.shed, b.spooled, b.difference)
            for kind, b in standing.books.items()
        ],
        spool=SpoolStatus(standing.pending, standing.pending_bytes, standing.oldest_sealed_at),
        writer=WriterStatus(
            writer.connected, writer.blocked_since, one_line(writer.blocked_by), writer.partitions_ready_until
        ),
        frames=[
            FramesStatus(
                one_line(feed),
                kept.waiting,
                kept.pending,
                datetime.fromtimestamp(kept.oldest_at, UTC),
                waits_status(waits.get(feed, ())),
            )
            for feed, kept in sorted(standing.frames.items())
        ],
    )


def rooms_status(sources: Sources) -> list[RoomsStatus]:
    return [
        RoomsStatus(one_line(name), dict(zip(STATES, sums.states, strict=True)), sums.viewers, sums.expected)
        for name, sums in platform_sums(sources.watch()).items()
    ]


def waits_status(waits: Sequence[Wait]) -> list[WaitStatus]:
    return [WaitStatus(wait.obstacle, wait.needs, [one_line(shop) for shop in wait.shops]) for wait in waits]


def feeds_status(sources: Sources) -> list[FeedStatus]:
    polls = sources.polls()
    return [
        FeedStatus(
            name=one_line(name),
            kind=str(feed.row.__struct_config__.tag),
            platform=one_line(feed.platform),
            hall=one_line(feed.hall),
            up=is_up(feed),
            state=feed.state,
            detail=one_line(feed.detail),
            rooms=len(feed.rooms),
            unlisted=len(feed.unlisted) + feed.unlisted_more,
            failures=feed.failures,
            last_message_at=feed.last_message_at,
            blind_from=feed.blind_from or feed.late_from,
            witness=witness_of(feed.row, polls.get(name)),
            polled=polls[name].shops if name in polls else 0,
            failing=polls[name].failing if name in polls else 0,
        )
        for name, feed in sources.watch().feeds.items()
    ]

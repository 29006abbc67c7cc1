"""What travels together: batches of ticks as PGCOPY rows, and of facts as msgpack rows, each sealed once.

A batch is a msgpack header and a payload. The payload of `ticks` is the rows of PostgreSQL's binary COPY format
(without its file header and trailer: postgresql.org/docs/current/sql-copy.html, "Binary Format") for exactly the
columns that the header names; that of `facts` is a msgpack array of [kind, row] pairs.
"""

import struct
import uuid
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from collectors.tick import Sale, Tick
from monitor.facts import AccountFact, AlertAction, AlertEpisode, BlindSpan, Change, PlatformTotal, Quarantined

FORMAT = 4  # the newest that is read: 2 are facts batches with accounts, 3 with alerts, 4 with totals, all others 1
ROWS_MAX = 5_000
TICK_COLUMNS = ("at", "room_id", "live", "viewers", "views_total", "likes_total", "kbps")
COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TAIL = b"\xff\xff"
PG_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MINUTE_US = 60_000_000
PG_EPOCH_MINUTE = 15_778_080  # minutes from 1970 to it
PAST_MAX = timedelta(days=7)
FUTURE_MAX = timedelta(minutes=10)
SESSIONS = uuid.UUID("6c9f6ed4-50b5-5e0c-9c3e-2f1d3f0a7b11")
"""The namespace of session ids: uuid5(SESSIONS, "platform\\nexternal id\\nopened_at in microseconds since 1970")."""
ALERTS = uuid.UUID("0d6f5b0a-64d5-5a53-9f0e-5d1f0b7f3c6e")

BatchKind = Literal["ticks", "facts"]
BookKind = Literal["frame", "tick", "sale", "change"]
Fact = Change | BlindSpan | Sale | Quarantined | AccountFact | AlertEpisode | AlertAction | PlatformTotal
FACTS: dict[str, type[Fact]] = {
    "change": Change, "span": BlindSpan, "sale": Sale, "quarantine": Quarantined, "account": AccountFact,
    "alert": AlertEpisode, "action": AlertAction, "total": PlatformTotal,
}  # fmt: skip
NAMES: dict[type[Fact], str] = {fact: name for name, fact in FACTS.items()}
SINCE = {"account": 2, "alert": 3, "action": 3, "total": 4}
"""The format from which on there are such facts, where that is not the first: earlier releases do not know them."""
BOOKED: dict[str, BookKind] = {"change": "change", "span": "change", "sale": "sale"}
"""In which book a fact counts. A quarantine row is a message about a row that was booked already; accounts and alerts
are no observations at all, and what a platform says of its own money is in no book of ours."""


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a batch says of itself. `counts`: rows per book; `from_at`, `to_at`: the span of its ticks.

    `touched`: the minutes of its ticks (since 1970), each with a room of the platform: one pair per minute and feed.
    Batches of earlier releases do not tell; those releases pass over it.
    """

    format: int
    id: uuid.UUID
    kind: BatchKind
    sealed_at: datetime
    counts: dict[str, int]
    columns: tuple[str, ...] = ()
    from_at: datetime | None = None
    to_at: datetime | None = None
    touched: tuple[tuple[int, int], ...] = ()


class _Format(msgspec.Struct):
    format: int


class Batch(msgspec.Struct, frozen=True):
    """A sealed batch, or one about to be sealed (`seq` 0); one that is `secret` rests encrypted."""

    header: Header
    payload: bytes
    seq: int = 0
    secret: bool = False

    @property
    def size(self) -> int:
        return len(self.payload)


class BatchTooNew(Exception):
    """A later release sealed this batch; it is left untouched."""


class BatchDamaged(Exception):
    """The bytes are not those that were sealed."""


def encode_header(header: Header) -> bytes:
    return msgspec.msgpack.encode(header)


def decode_header(raw: bytes) -> Header:
    """Raises BatchTooNew for a format of a later release, BatchDamaged for what is no header."""
    try:
        found = msgspec.msgpack.decode(raw, type=_Format).format  # alone first: a later release's rest may be anything
        if found > FORMAT:
            raise BatchTooNew(f"batch format {found}, this release knows {FORMAT}")
        return msgspec.msgpack.decode(raw, type=Header)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BatchDamaged(str(error)) from error


def checksum(header: bytes, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(header))


def session_id(platform: str, room: str, opened_at: datetime) -> uuid.UUID:
    """The same session has the same id, whoever works it out (contract.md, `session`)."""
    micros = (opened_at - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND
    return uuid.uuid5(SESSIONS, f"{platform}\n{room}\n{micros}")


def alert_id(fingerprint: str, starts_at: datetime) -> uuid.UUID:
    """The same episode of an alert has the same id, whoever works it out; an action names its alert by it."""
    micros = (starts_at - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND
    return uuid.uuid5(ALERTS, f"{fingerprint}\n{micros}")


# --- ticks -----------------------------------------------------------------------------------------------------------

_fixed = struct.Struct(">hiqii").pack  # columns, width and value of `at`, width and value of `room_id`
_int4 = struct.Struct(">ii").pack
_int8 = struct.Struct(">iq").pack
NULL = b"\xff\xff\xff\xff"
LIVE = {True: b"\0\0\0\1\1", False: b"\0\0\0\1\0", None: NULL}


class PackedTicks(msgspec.Struct):
    """Rows ready for COPY, and what could not become a row: (room_id, tick, reason).

    `touched`: a room for each feed and minute (since 1970) of the rows.
    """

    payload: bytes = b""
    rows: int = 0
    from_at: datetime | None = None
    to_at: datetime | None = None
    refused: list[tuple[int, Tick, str]] = []
    touched: dict[tuple[str, int], int] = {}


def pack_ticks(
    ticks: Sequence[tuple[int, Tick]], received_at: datetime, from_at: datetime | None = None
) -> PackedTicks:
    """Encode ticks for COPY. A tick that cannot be a row is refused with its reason and spoils no other.

    An instant is taken from 7 days before `received_at` to 10 minutes after it (reliability.md section 2, Clock), of
    what came as a file from `from_at`.
    """
    rows: list[bytes] = []
    refused: list[tuple[int, Tick, str]] = []
    floor, ceiling = from_at or received_at - PAST_MAX, received_at + FUTURE_MAX
    low, high, last_at, last_feed, micros = ceiling, floor, None, None, 0
    touched: dict[tuple[str, int], int] = {}
    for room_id, tick in ticks:
        try:
            if tick.at is not last_at or tick.feed is not last_feed:  # the ticks of one frame share their instant
                last_at, last_feed = None, tick.feed
                if not floor <= tick.at <= ceiling:
                    refused.append((room_id, tick, "time out of range"))
                    continue
                micros, last_at = (tick.at - PG_EPOCH) // MICROSECOND, tick.at
                low, high = min(low, last_at), max(high, last_at)
                touched[last_feed, micros // MINUTE_US + PG_EPOCH_MINUTE] = room_id
            viewers, views, likes, kbps = tick.viewers, tick.views_total, tick.likes_total, tick.kbps
            if ((viewers or 0) | (views or 0) | (likes or 0) | (kbps or 0)) < 0:
                refused.append((room_id, tick, "negative count"))
                continue
            rows.append(
                _fixed(len(TICK_COLUMNS), 8, micros, 4, room_id)
                + LIVE[tick.live]
                + (NULL if viewers is None else _int4(4, viewers))
                + (NULL if views is None else _int8(8, views))
                + (NULL if likes is None else _int8(8, likes))
                + (NULL if kbps is None else _int4(4, kbps))
            )
        except struct.error:
            refused.append((room_id, tick, "number out of range"))
        except TypeError:  # a naive instant, or a number that is none
            refused.append((room_id, tick, "wrong type"))
    if not rows:
        return PackedTicks(refused=refused)
    return PackedTicks(b"".join(rows), len(rows), low, high, refused, touched)


def ticks_batches(packed: Iterable[PackedTicks], sealed_at: datetime) -> Iterator[Batch]:
    """Batches of at most ROWS_MAX rows, in their order; a part of `packed` is never cut."""
    part: list[PackedTicks] = []
    for ticks in packed:
        if part and sum(p.rows for p in part) + ticks.rows > ROWS_MAX:
            yield _ticks_batch(part, sealed_at)
            part = []
        if ticks.rows:
            part.append(ticks)
    if part:
        yield _ticks_batch(part, sealed_at)


def _ticks_batch(part: Sequence[PackedTicks], sealed_at: datetime) -> Batch:
    counts = {"tick": sum(ticks.rows for ticks in part)}
    from_at = min(ticks.from_at for ticks in part if ticks.from_at is not None)
    to_at = max(ticks.to_at for ticks in part if ticks.to_at is not None)
    touched = {(feed, minute): room for ticks in part for (feed, minute), room in ticks.touched.items()}
    pairs = tuple(sorted((minute, room) for (_, minute), room in touched.items()))
    header = Header(1, uuid.uuid4(), "ticks", sealed_at, counts, TICK_COLUMNS, from_at, to_at, pairs)
    return Batch(header, b"".join(ticks.payload for ticks in part))


def cut_rows(payload: bytes) -> list[bytes]:
    """The single rows of a `ticks` payload, cut by the length fields of the COPY format."""
    rows, start, end = [], 0, len(payload)
    while start < end:
        fields = int.from_bytes(payload[start : start + 2])
        at = start + 2
        for _ in range(fields):
            width = int.from_bytes(payload[at : at + 4], signed=True)
            at += 4 + max(width, 0)
        rows.append(payload[start:at])
        start = at
    return rows


# --- facts -----------------------------------------------------------------------------------------------------------


def facts_batches(facts: Sequence[Fact], sealed_at: datetime, secret: bool = False) -> Iterator[Batch]:
    """Batches of at most ROWS_MAX facts, in their order."""
    for start in range(0, len(facts), ROWS_MAX):
        part = facts[start : start + ROWS_MAX]
        counts: dict[str, int] = {}
        for fact in part:
            if book := BOOKED.get(NAMES[type(fact)]):
                counts[book] = counts.get(book, 0) + 1
        payload = msgspec.msgpack.encode([(NAMES[type(fact)], fact) for fact in part])
        number = max(SINCE.get(NAMES[type(fact)], 1) for fact in part)
        yield Batch(Header(number, uuid.uuid4(), "facts", sealed_at, counts), payload, secret=secret)


def facts_of(batch: Batch) -> list[Fact]:
    """The facts of a batch, in their order. Raises BatchDamaged."""
    try:
        pairs = msgspec.msgpack.decode(batch.payload, type=list[tuple[str, msgspec.Raw]])
        return [msgspec.msgpack.decode(raw, type=FACTS[name]) for name, raw in pairs]
    except (msgspec.MsgspecError, ValueError, RecursionError, KeyError) as error:
        raise BatchDamaged(str(error)) from error

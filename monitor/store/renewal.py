"""Keys of hours that are over: what still needs one is sealed anew, then it is thrown away.

From then on all that free pages, the log, copies of the file still hold of that hour is noise. In the spool's thread,
a little at a time.
"""

from collections.abc import Iterator
from contextlib import suppress

import msgspec

from monitor.store.batch import checksum
from monitor.store.cipher import FRAME, MARK, CannotDecrypt
from monitor.store.disk import SpoolUnreadable
from monitor.store.frame_table import BODY_S, body_checksum
from monitor.store.hour_cipher import BATCH, HourCipher, prefix
from monitor.store.hour_keys import HOUR_S, HourLost, hour_of
from monitor.store.spool import Spool

RENEWED_MAX = 200  # in one go: whoever wants to keep something goes between
RENEWED_BYTES_MAX = 4_194_304
FUTURE_HOURS_MAX = 1  # the key of the coming hour is made ahead; later ones are of a clock that was wrong

# The instant until which a piece was needed: NULL while it still is.
FRAMES = (
    "SELECT frame_body.seq, length(body), CASE WHEN done_at IS NULL OR batch.state IN ('pending', 'aside') THEN NULL"
    " ELSE max(done_at, coalesce(applied_at, 0)) END FROM frame_body LEFT JOIN frame ON frame.seq = frame_body.seq"
    " LEFT JOIN batch ON batch.seq = batch_seq"
    " WHERE substr(body, 1, 8) = ? AND frame_body.seq > ? ORDER BY frame_body.seq LIMIT ?"
)
BATCHES = (
    "SELECT payload.seq, length(payload), CASE WHEN state IN ('pending', 'aside') THEN NULL ELSE applied_at END"
    " FROM payload LEFT JOIN batch ON batch.seq = payload.seq WHERE substr(payload, 1, 4) = x'4C4D4602'"
    " AND substr(payload, 1, 8) = ? AND payload.seq > ? ORDER BY payload.seq LIMIT ?"
)


class Piece(msgspec.Struct, frozen=True):
    """Something under the key of an hour, needed until the hour `until`."""

    seq: int
    size: int
    until: int


def forget(spool: Spool, now: float) -> bool:
    """Bytes that were needed a day ago for the last time, then keys that nothing needs. True if that was not all."""
    return spool.frames.prune(now) or renew(spool, now)


def renew(spool: Spool, now: float) -> bool:
    """Throw away the keys of hours that ended a day ago, after what needs them was sealed anew. True if it was not all.

    A piece goes under the key of the hour in which it was needed for the last time, so that it never outlives its day
    for having been sealed anew.
    """
    hours = spool.hours
    if hours is None:
        return False
    hours.prepare(now)
    for hour in hours.keys.hours():
        if not _is_over(hour, now):
            continue
        opens = _opens(hours, hour)
        if opens and _renewed(spool, hours, hour, now):
            return True
        # Of what is left a key that opens is needed by what goes in a moment, and by nothing that it cannot open. While
        # something waits for one that does not open, a person may put a copy of its file back.
        left = (piece for table in (FRAMES, BATCHES) for piece in _all_pieces(spool, table, hour, now))
        if not any(_is_over(piece.until, now) or not opens for piece in left):
            hours.keys.throw(hour)
    return False


def check_key(spool: Spool, hours: HourCipher) -> None:
    """Raises CannotDecrypt if what lies in the spool is under another spool key; a lost hour is not that."""
    body = spool.frames.any_body(MARK)
    if body is not None:
        hours.open(body)
    for hour in hours.keys.hours():
        if any(_pieces(spool, table, hour, 0.0) for table in (FRAMES, BATCHES)):
            with suppress(HourLost):
                hours.keys.find(hour)


def _is_over(hour: int, now: float) -> bool:
    return (hour + 1) * HOUR_S + BODY_S <= now or hour > hour_of(now) + FUTURE_HOURS_MAX


def _opens(hours: HourCipher, hour: int) -> bool:
    try:
        hours.keys.find(hour)
    except CannotDecrypt:
        return False
    return True


def _pieces(spool: Spool, table: str, hour: int, now: float, after: int = 0) -> list[Piece]:
    rows = spool.rows(table, (prefix(hour), after, RENEWED_MAX))
    return [Piece(seq, size, hour_of(now if until is None else min(until, now))) for seq, size, until in rows]


def _all_pieces(spool: Spool, table: str, hour: int, now: float) -> Iterator[Piece]:
    after = 0
    while page := _pieces(spool, table, hour, now, after):
        yield from page
        after = page[-1].seq


def _renewed(spool: Spool, hours: HourCipher, hour: int, now: float) -> int:
    """Some of what needs this key, sealed anew and on disk; how many."""
    for table, renewed_of in ((FRAMES, _frame), (BATCHES, _batch)):
        renewed, size = list[tuple[str, tuple[object, ...]]](), 0
        for piece in _all_pieces(spool, table, hour, now):
            if _is_over(piece.until, now):  # of no more use: it is about to be deleted
                continue
            with suppress(CannotDecrypt, SpoolUnreadable):  # nothing can make it readable: whoever reads it says so
                renewed.append(renewed_of(spool, hours, piece))
                size += piece.size
            if len(renewed) >= RENEWED_MAX or size >= RENEWED_BYTES_MAX:
                break
        if renewed:
            with spool.transaction():
                for statement, values in renewed:
                    spool.sql.execute(statement, values)
            return len(renewed)
    return 0


def _frame(spool: Spool, hours: HourCipher, piece: Piece) -> tuple[str, tuple[object, ...]]:
    [(feed, received_at, body)] = spool.rows(
        "SELECT feed, received_at, body FROM frame_body WHERE seq = ?", (piece.seq,)
    )
    sealed = hours.seal(hours.open(body, FRAME), piece.until * HOUR_S, FRAME)
    crc = body_checksum(feed, received_at, sealed)
    return "UPDATE frame_body SET body = ?, crc = ? WHERE seq = ?", (sealed, crc, piece.seq)


def _batch(spool: Spool, hours: HourCipher, piece: Piece) -> tuple[str, tuple[object, ...]]:
    [(header, payload)] = spool.rows("SELECT header, payload FROM payload WHERE seq = ?", (piece.seq,))
    sealed = hours.seal(hours.open(payload, BATCH), piece.until * HOUR_S, BATCH)
    return "UPDATE payload SET payload = ?, crc = ? WHERE seq = ?", (sealed, checksum(header, sealed), piece.seq)

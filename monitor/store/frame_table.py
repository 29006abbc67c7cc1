"""The frames of the spool: deliveries kept before they were answered, and what became of each.

Plain and blocking, like all of the spool. Bytes come and go encrypted: nothing here can read them.
"""

import time
import zlib
from collections.abc import Iterable, Sequence
from itertools import starmap

import msgspec

from collectors.hook import Need
from monitor.store.books import MOVES, FrameCount, Seal
from monitor.store.disk import SpoolUnreadable
from monitor.store.spool_file import SpoolFile

BODY_S = 86_400.0  # how long bytes are kept after they are of no more use
RECORD_S = 30 * 86_400.0
PRUNED_MAX = 500  # looked at in one go: the spool's thread is wanted elsewhere


class Arrival(msgspec.Struct, frozen=True):
    """A delivery to be kept. `received_at` in unix seconds; `body` is encrypted, `sha256` is of what it was before.

    `once`: the name that its content gives it, if what comes under the same name again shall not be kept again.
    """

    feed: str
    received_at: float
    sha256: bytes
    body: bytes
    once: str = ""


class KeptFrame(msgspec.Struct, frozen=True):
    """A delivery as it lies in the spool; `body` is empty where the disk does not give it back."""

    seq: int
    feed: str
    received_at: float
    body: bytes


class OpenNeed(msgspec.Struct, frozen=True):
    """What a pending frame of a feed needs."""

    frame: int
    feed: str
    need: Need


def body_checksum(feed: str, received_at: float, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(f"{feed}\n{float(received_at)!r}".encode()))


def checksum_of(arrival: Arrival) -> int:
    return body_checksum(arrival.feed, arrival.received_at, arrival.body)


class FrameTable:
    def __init__(self, file: SpoolFile) -> None:
        self._file = file
        self._pruned_to = (0.0, 0)

    # --- keeping -----------------------------------------------------------------------------------------------------

    def append(self, arrivals: Sequence[Arrival]) -> list[int]:
        """Keep a group: one transaction, fsynced on return. Returns their numbers, which rise in this order.

        One that was kept before and is to be kept once has the number that it has had since.
        """
        sql, seqs, kept = self._file.sql, list[int](), list[tuple[int, Arrival]]()
        with self._file.transaction():
            for arrival in arrivals:
                seq = self._kept_before(arrival) if arrival.once else None
                if seq is None:
                    seq = self._insert(arrival)
                    kept.append((seq, arrival))
                seqs.append(seq)
            sql.executemany(
                "INSERT INTO frame_body (seq, feed, received_at, body, crc) VALUES (?, ?, ?, ?, ?)",
                [(seq, it.feed, it.received_at, it.body, checksum_of(it)) for seq, it in kept],
            )
            sql.execute(MOVES["received"], (len(kept), "frame"))
        return seqs

    def _insert(self, arrival: Arrival) -> int:
        seq = self._file.sql.execute(
            "INSERT INTO frame (feed, received_at, kept_at, sha256, size, state, has_body)"
            " VALUES (?, ?, ?, ?, ?, 'waiting', 1)",
            (arrival.feed, arrival.received_at, time.time(), arrival.sha256, len(arrival.body)),
        ).lastrowid
        if arrival.once:
            self._file.sql.execute(
                "INSERT INTO frame_once VALUES (?, ?, ?, ?)", (arrival.feed, arrival.once, seq, arrival.received_at)
            )
        return seq or 0

    def _kept_before(self, arrival: Arrival) -> int | None:
        found = self._file.sql.execute(
            "SELECT frame FROM frame_once WHERE feed = ? AND name = ?", (arrival.feed, arrival.once)
        ).fetchone()
        return None if found is None else int(found[0])

    def mark(self, seal: Seal, batch_seq: int | None, now: float) -> None:
        """What a sealing says of frames, in the transaction of that sealing; each moves the books once."""
        for seq, needs in seal.frames_pending:
            self._pend(seq, needs)
        for column, state, seqs in (
            ("written", "done", seal.frames),
            ("quarantined", "quarantined", seal.frames_quarantined),
        ):
            moved = sum(self._finish(seq, state, batch_seq, now) for seq in seqs)
            if moved:
                self._file.sql.execute(MOVES[column], (moved, "frame"))

    def _pend(self, seq: int, needs: Iterable[Need]) -> None:
        sql = self._file.sql
        found = sql.execute(
            "UPDATE frame SET state = 'pending' WHERE seq = ? AND state IN ('waiting', 'pending')", (seq,)
        )
        if found.rowcount:
            sql.execute("DELETE FROM frame_need WHERE frame = ?", (seq,))
            sql.executemany(
                "INSERT OR IGNORE INTO frame_need (what, key, shop, frame) VALUES (?, ?, ?, ?)",
                [(need.what, need.key, need.shop, seq) for need in needs],
            )

    def _finish(self, seq: int, state: str, batch_seq: int | None, now: float) -> int:
        sql = self._file.sql
        found = sql.execute(
            "UPDATE frame SET state = ?, done_at = ?, batch_seq = ? WHERE seq = ? AND state IN ('waiting', 'pending')",
            (state, now, batch_seq, seq),
        )
        sql.execute("DELETE FROM frame_need WHERE frame = ?", (seq,))
        return found.rowcount

    # --- reading -----------------------------------------------------------------------------------------------------

    def before_waiting(self) -> int:
        """The number after which all that wait are found."""
        rows = self._file.rows("SELECT min(seq) - 1 FROM frame WHERE state = 'waiting'")
        return int(rows[0][0] or 0)

    def waiting(self, after: int, frames_max: int, bytes_max: int) -> list[KeptFrame]:
        """The next that wait after this number, in order: at least one if there is any, else none."""
        rows = self._file.rows(
            "SELECT seq, feed, received_at, size FROM frame NOT INDEXED WHERE seq > ? AND state = 'waiting'"
            " ORDER BY seq LIMIT ?",
            (after, frames_max),
        )
        size, count = 0, 0
        for row in rows:
            size += row[3]
            if count and size > bytes_max:
                break
            count += 1
        return [self._loaded(*row[:3]) for row in rows[:count]]

    def load(self, seqs: Iterable[int]) -> list[KeptFrame]:
        """Those of these that are not finished."""
        found: list[KeptFrame] = []
        for seq in seqs:
            rows = self._file.rows(
                "SELECT seq, feed, received_at FROM frame WHERE seq = ? AND state IN ('waiting', 'pending')", (seq,)
            )
            found += starmap(self._loaded, rows)
        return found

    def _loaded(self, seq: int, feed: str, received_at: float) -> KeptFrame:
        try:
            rows = self._file.rows("SELECT body FROM frame_body WHERE seq = ?", (seq,))
        except SpoolUnreadable:
            rows = []
        return KeptFrame(seq, feed, received_at, rows[0][0] if rows else b"")

    def any_body(self, mark: bytes) -> bytes | None:
        """The bytes of some frame that begin with this mark, to see whether the key fits."""
        rows = self._file.rows(
            "SELECT body FROM frame_body INDEXED BY frame_body_hour WHERE substr(body, 1, 8) BETWEEN ? AND ? LIMIT 1",
            (mark, mark + b"\xff" * 4),
        )
        return rows[0][0] if rows else None

    def needing(self, need: Need, after: int, frames_max: int) -> list[int]:
        """Pending frames that this answer is for, a page at a time."""
        rows = self._file.rows(
            "SELECT frame FROM frame_need WHERE what = ? AND key = ? AND shop = ? AND frame > ? ORDER BY frame LIMIT ?",
            (need.what, need.key, need.shop, after, frames_max),
        )
        return [row[0] for row in rows]

    def needs(self, what: str, after: Need | None, needs_max: int) -> list[Need]:
        """What pending frames need of this sort, a page at a time, each need once."""
        key, shop = (after.key, after.shop) if after else ("", "")
        rows = self._file.rows(
            "SELECT DISTINCT what, key, shop FROM frame_need WHERE what = ? AND (key, shop) > (?, ?)"
            " ORDER BY key, shop LIMIT ?",
            (what, key, shop, needs_max),
        )
        return list(starmap(Need, rows))

    def open_needs(self, before: int, frames_max: int) -> list[OpenNeed]:
        """All that the newest pending frames before this number need, of so many frames, newest first."""
        rows = self._file.rows(
            "SELECT newest.seq, feed, what, key, shop FROM"
            " (SELECT DISTINCT frame AS seq FROM frame_need WHERE frame < ? ORDER BY frame DESC LIMIT ?) AS newest"
            " JOIN frame ON frame.seq = newest.seq JOIN frame_need ON frame_need.frame = newest.seq"
            " ORDER BY newest.seq DESC",
            (before, frames_max),
        )
        return [OpenNeed(frame, feed, Need(what, key, shop)) for frame, feed, what, key, shop in rows]

    def asked_for(self, needs: Iterable[Need]) -> set[Need]:
        """Those of these that some pending frame has."""
        sql = "SELECT 1 FROM frame_need WHERE what = ? AND key = ? AND shop = ? LIMIT 1"
        return {need for need in needs if self._file.rows(sql, (need.what, need.key, need.shop))}

    def last_waiting(self) -> int:
        """The newest that waits to be read; 0 if none does."""
        return int(self._file.rows("SELECT max(seq) FROM frame WHERE state = 'waiting'")[0][0] or 0)

    def overdue(self, before: float, frames_max: int) -> list[int]:
        """Pending frames that have been here since before this instant."""
        rows = self._file.rows(
            "SELECT seq FROM frame WHERE state = 'pending' AND received_at < ? AND kept_at < ? LIMIT ?",
            (before, before, frames_max),
        )
        return [row[0] for row in rows]

    def count(self) -> tuple[dict[str, FrameCount], int]:
        """Of each feed what waits and what is pending, and since when; and the bytes of all of them."""
        rows = self._file.rows(
            "SELECT state, feed, count(*), min(received_at), sum(size) FROM frame"
            " WHERE state IN ('waiting', 'pending') GROUP BY state, feed"
        )
        counts: dict[str, FrameCount] = {}
        for state, feed, frames, oldest_at, _ in rows:
            had = counts.get(feed, FrameCount(oldest_at=oldest_at))
            counts[feed] = FrameCount(
                had.waiting + frames * (state == "waiting"),
                had.pending + frames * (state == "pending"),
                min(had.oldest_at, oldest_at),
            )
        return counts, sum(row[4] for row in rows)

    # --- forgetting --------------------------------------------------------------------------------------------------

    def prune(self, now: float) -> bool:
        """Delete bytes a day after their use, records after 30 days, so many at a time. True if that was not all."""
        bodies = self._file.rows(
            "SELECT done_at, seq, batch_seq IS NULL OR NOT EXISTS (SELECT 1 FROM batch WHERE batch.seq = batch_seq"
            " AND (state IN ('pending', 'aside') OR applied_at > ?)) FROM frame"
            " WHERE has_body AND done_at IS NOT NULL AND done_at <= ? AND (done_at, seq) > (?, ?)"
            " ORDER BY done_at, seq LIMIT ?",
            (now - BODY_S, now - BODY_S, *self._pruned_to, PRUNED_MAX),
        )
        self._pruned_to = (bodies[-1][0], bodies[-1][1]) if len(bodies) == PRUNED_MAX else (0.0, 0)
        records = self._file.rows(
            "SELECT seq FROM frame NOT INDEXED WHERE seq <= (SELECT min(seq) FROM frame) + ? AND done_at <= ?",
            (PRUNED_MAX, now - RECORD_S),
        )
        ripe = [(row[1],) for row in bodies if row[2]]
        sql = self._file.sql
        with self._file.transaction(), self._file.wiping():
            sql.executemany("DELETE FROM frame_body WHERE seq = ?", ripe + records)
            sql.executemany("UPDATE frame SET has_body = 0 WHERE seq = ?", ripe)
            sql.executemany("DELETE FROM frame WHERE seq = ?", records)
            sql.execute("DELETE FROM frame_once WHERE kept_at < ?", (now - RECORD_S,))
        return len(bodies) == PRUNED_MAX or len(records) >= PRUNED_MAX

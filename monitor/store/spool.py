"""The spool: every batch on disk before it is sent, with the state and the books that belong to it.

What one step brought is sealed in one transaction of its file: batches, room states, feed states, books.
"""

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

import msgspec

from monitor.facts import FeedState, RosterRoom, Slot
from monitor.purpose import Purpose
from monitor.store.account_table import AccountTable
from monitor.store.batch import Batch, BatchDamaged, checksum, decode_header, encode_header
from monitor.store.books import KINDS, MOVES, Book, Outcome, Ref, Seal, Standing
from monitor.store.cipher import HOUR_MARK, CannotDecrypt, Cipher
from monitor.store.disk import SpoolUnreadable
from monitor.store.frame_table import FrameTable
from monitor.store.hour_cipher import BATCH, HourCipher
from monitor.store.spool_file import SpoolFile


class Spool(SpoolFile):
    """All methods are plain and blocking; the caller keeps them in one thread."""

    def __init__(self, folder: Path, purpose: Purpose | None = None) -> None:
        super().__init__(folder, purpose)
        self.frames = FrameTable(self)
        self.accounts = AccountTable(self)
        self.hours: HourCipher | None = None

    def unlock(self, cipher: Cipher) -> HourCipher:
        """From now on deliveries rest here under keys of hours, which rest under `cipher`."""
        self.hours = HourCipher(self.path.parent / "keys", cipher)
        return self.hours

    # --- sealing and releasing ---------------------------------------------------------------------------------------

    def commit(self, seal: Seal) -> list[Ref]:
        """Seal batches, state and books, and release what PostgreSQL holds: one transaction, fsynced on return."""
        refs = []
        with self.transaction():
            for batch in seal.batches:
                refs.append(self._insert(batch))
            self.sql.executemany(
                "INSERT OR REPLACE INTO room_state (platform, room, state) VALUES (?, ?, ?)",
                [(platform, room, state) for (platform, room), state in seal.room_states.items()],
            )
            self.sql.executemany(
                "INSERT OR REPLACE INTO feed_state (feed, state) VALUES (?, ?)",
                [(feed, msgspec.msgpack.encode(state)) for feed, state in seal.feed_states.items()],
            )
            for kind, rows in seal.quarantined.items():
                self._book(kind, received=rows, quarantined=rows)
            for kind, rows in seal.shed.items():
                self._book(kind, received=rows, shed=rows)
            for seq, outcome in seal.released:
                self._release(seq, outcome)
            self.accounts.move(seal.cursors)
            self.frames.mark(seal, refs[-1].seq if refs else None, time.time())
        return refs

    def _insert(self, batch: Batch) -> Ref:
        raw, payload = encode_header(batch.header), batch.payload
        counts = batch.header.counts
        sealed_at = batch.header.sealed_at.timestamp()
        if batch.secret and self.hours is not None:
            payload = self.hours.seal(payload, sealed_at, BATCH)
        seq = cast(int, self.sql.execute(
            "INSERT INTO batch (id, kind, sealed_at, state, size, frames, ticks, sales, changes)"
            " VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?)",
            (batch.header.id.bytes, batch.header.kind, sealed_at, batch.size, *(counts.get(kind, 0) for kind in KINDS)),
        ).lastrowid)  # fmt: skip
        self.sql.execute(
            "INSERT INTO payload (seq, header, payload, crc) VALUES (?, ?, ?, ?)",
            (seq, raw, payload, checksum(raw, payload)),
        )
        for kind, rows in counts.items():
            self._book(kind, received=rows)
        return Ref(seq, batch.header.kind, batch.size, sealed_at)

    def _release(self, seq: int, outcome: Outcome) -> None:
        row = self.sql.execute("SELECT state, applied_at FROM batch WHERE seq = ?", (seq,)).fetchone()
        if row is None or row[0] != "pending":
            return
        self.sql.execute("UPDATE batch SET state = 'applied', applied_at = ? WHERE seq = ?", (time.time(), seq))
        if row[1] is None:  # an offer made again moves the books no more
            for kind, (written, duplicates, quarantined) in outcome.items():
                self._book(kind, written=written, duplicates=duplicates, quarantined=quarantined)

    def damaged(self, seq: int) -> None:
        """A batch whose bytes are not those sealed: its rows are quarantined as a whole, with its number."""
        with self.transaction():
            row = self.sql.execute(
                "SELECT frames, ticks, sales, changes, applied_at FROM batch WHERE seq = ?", (seq,)
            ).fetchone()
            self.sql.execute("UPDATE batch SET state = 'damaged', applied_at = ? WHERE seq = ?", (time.time(), seq))
            fate = "quarantined" if row[4] is None else "lost"  # the rows of an offer made again were written, once
            for kind, rows in zip(KINDS, row, strict=False):
                self._book(kind, **{fate: rows})

    def _book(self, kind: str, **moves: int) -> None:
        for column, rows in moves.items():
            if rows:
                self.sql.execute(MOVES[column], (rows, kind))

    # --- the way to PostgreSQL ---------------------------------------------------------------------------------------

    def pending(self) -> list[Ref]:
        """All batches not yet applied, in order."""
        rows = self.rows("SELECT seq, kind, size, sealed_at FROM batch WHERE state = 'pending' ORDER BY seq")
        return [Ref(*row) for row in rows]

    def load(self, seq: int) -> Batch:
        """The batch as it was sealed. Raises BatchDamaged where its checksum, its key or its page says otherwise."""
        try:
            rows = self.rows("SELECT header, payload, crc FROM payload WHERE seq = ?", (seq,))
        except SpoolUnreadable as error:
            raise BatchDamaged(f"spool record {seq}: {error}") from error
        if not rows or checksum(rows[0][0], rows[0][1]) != rows[0][2]:
            raise BatchDamaged(f"spool record {seq}: checksum")
        header, payload = decode_header(rows[0][0]), rows[0][1]
        if not payload.startswith(HOUR_MARK):  # with which neither rows of COPY nor a msgpack array begin
            return Batch(header, payload, seq)
        try:
            if self.hours is None:
                raise CannotDecrypt("nobody brought the spool key")
            return Batch(header, self.hours.open(payload, BATCH), seq, secret=True)
        except CannotDecrypt as error:
            raise BatchDamaged(f"spool record {seq}: {error}") from error

    def sealed(self, seq: int, batch_id: uuid.UUID) -> bool:
        """Whether batch `seq` was sealed here under this id, or so long ago that its record is gone."""
        newest = self.rows("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'batch'")[0][0]
        known = self.rows("SELECT id FROM batch WHERE seq = ?", (seq,))
        return bool(known[0][0] == batch_id.bytes if known else seq <= newest)

    def applied_before(self, seq: int, count: int) -> list[tuple[int, uuid.UUID, bool]]:
        """(seq, id, are the bytes kept?) of up to `count` applied batches before `seq`, newest first."""
        rows = self.rows(
            "SELECT batch.seq, id, payload.seq IS NOT NULL FROM batch LEFT JOIN payload USING (seq)"
            " WHERE batch.seq < ? AND state = 'applied' ORDER BY batch.seq DESC LIMIT ?",
            (seq, count),
        )
        return [(row[0], uuid.UUID(bytes=row[1]), bool(row[2])) for row in rows]

    def offer_again(self, seqs: Iterable[int]) -> list[Ref]:
        """Batches that PostgreSQL held and holds no more: those kept are pending again, the others are lost."""
        refs = []
        with self.transaction():
            for seq in sorted(seqs):
                kind, size, sealed_at, kept, *counts = self.sql.execute(
                    "SELECT kind, size, sealed_at, payload.seq IS NOT NULL, frames, ticks, sales, changes"
                    " FROM batch LEFT JOIN payload USING (seq) WHERE batch.seq = ?",
                    (seq,),
                ).fetchone()
                state = "pending" if kept else "lost"
                self.sql.execute("UPDATE batch SET state = ? WHERE seq = ?", (state, seq))
                for book, rows in zip(KINDS, counts, strict=True):
                    self._book(book, **{"reoffered" if kept else "lost": rows})
                if kept:
                    refs.append(Ref(seq, kind, size, sealed_at))
        return refs

    def set_aside(self, seq: int) -> None:
        """A batch too old to be sent without risk of a double; it stays on the books as spooled."""
        with self.transaction():
            self.sql.execute("UPDATE batch SET state = 'aside' WHERE seq = ?", (seq,))

    # --- state and mirror --------------------------------------------------------------------------------------------

    def room_states(self) -> dict[tuple[str, str], bytes]:
        return {(row[0], row[1]): row[2] for row in self.rows("SELECT platform, room, state FROM room_state")}

    @property
    def knows_sessions(self) -> bool:
        """Whether the room states here are all there are: a new spool first learns which sessions are open."""
        return self._about("knows_sessions") is not None

    def learn_sessions(self, states: Mapping[tuple[str, str], bytes]) -> None:
        """The sessions that an earlier spool left open, read from PostgreSQL."""
        with self.transaction():
            self.sql.executemany(
                "INSERT OR IGNORE INTO room_state (platform, room, state) VALUES (?, ?, ?)",
                [(platform, room, state) for (platform, room), state in states.items()],
            )
            self.sql.execute("INSERT OR REPLACE INTO about (name, value) VALUES ('knows_sessions', 1)")

    def feed_states(self) -> list[FeedState]:
        return [msgspec.msgpack.decode(row[0], type=FeedState) for row in self.rows("SELECT state FROM feed_state")]

    def mirror(self, version: int, rooms: Sequence[RosterRoom], slots: Sequence[Slot]) -> None:
        """Keep the roster as PostgreSQL has it now, so that the next start needs no database."""
        with self.transaction():
            self.sql.execute("DELETE FROM slot")
            self.sql.executemany(
                "INSERT OR REPLACE INTO room (room_id, row) VALUES (?, ?)",
                [(room.room_id, msgspec.msgpack.encode(room)) for room in rooms],
            )
            self.sql.executemany(
                "INSERT INTO slot (room_id, row) VALUES (?, ?)",
                [(slot.room_id, msgspec.msgpack.encode(slot)) for slot in slots],
            )
            self.sql.execute("INSERT OR REPLACE INTO about (name, value) VALUES ('roster_version', ?)", (version,))

    def roster(self) -> tuple[int, list[RosterRoom], list[Slot]]:
        """The mirrored roster and its version; version -1 if there was none yet."""
        rooms = [msgspec.msgpack.decode(row[0], type=RosterRoom) for row in self.rows("SELECT row FROM room")]
        slots = [msgspec.msgpack.decode(row[0], type=Slot) for row in self.rows("SELECT row FROM slot")]
        version = self._about("roster_version")
        return (-1 if version is None else version), rooms, slots

    # --- standing and retention --------------------------------------------------------------------------------------

    def standing(self) -> Standing:
        with self.transaction():
            sums = self.rows(
                "SELECT count(*), coalesce(sum(size), 0), min(sealed_at),"
                " coalesce(sum(CASE WHEN applied_at IS NULL THEN frames END), 0),"
                " coalesce(sum(CASE WHEN applied_at IS NULL THEN ticks END), 0),"
                " coalesce(sum(CASE WHEN applied_at IS NULL THEN sales END), 0),"
                " coalesce(sum(CASE WHEN applied_at IS NULL THEN changes END), 0)"
                " FROM batch WHERE state IN ('pending', 'aside')"
            )[0]
            accounts = self.rows(
                "SELECT kind, received, written, duplicates, quarantined, shed, reoffered, lost FROM books"
            )
            frames, frame_bytes = self.frames.count()
        spooled = dict(zip(KINDS, sums[3:], strict=True))
        spooled["frame"] += sum(count.waiting + count.pending for count in frames.values())
        books = {kind: Book(*(*moves, spooled[kind])) for kind, *moves in accounts}
        return Standing(books, sums[1] + frame_bytes, sums[2], sums[0], frames)

    def prune(self, now: float, facts_s: float = 86_400, ticks_s: float = 900, ticks_bytes: int = 268_435_456) -> None:
        """Forget applied bytes beyond their retention, and the record of batches after 30 days."""
        with self.transaction():
            for kind, age_s in (("facts", facts_s), ("ticks", ticks_s)):
                self.sql.execute(
                    "DELETE FROM payload WHERE seq IN (SELECT seq FROM batch WHERE state IN ('applied', 'damaged')"
                    " AND kind = ? AND applied_at < ?)",
                    (kind, now - age_s),
                )
            self.sql.execute(
                "DELETE FROM payload WHERE seq IN (SELECT seq FROM (SELECT batch.seq, sum(size) OVER"
                " (ORDER BY batch.seq DESC) AS newer FROM batch JOIN payload USING (seq)"
                " WHERE state = 'applied' AND kind = 'ticks') WHERE newer > ?)",
                (ticks_bytes,),
            )
            self.sql.execute(
                "DELETE FROM batch WHERE state NOT IN ('pending', 'aside') AND applied_at < ?", (now - 30 * 86_400,)
            )

"""Writes a new spool of all that can be read of a damaged one, and says what is lost.

Each row is read from its own page (`pages`), and is believed only where it proves itself: batches by their checksum,
everything else by its shape. Rows of which the bytes are gone end in quarantine, so that the books balance.
"""

import sqlite3
import uuid
from collections.abc import Iterable
from pathlib import Path

import msgspec

from monitor.facts import Change, FeedState, RosterRoom, Slot
from monitor.store.account_salvage import take_account
from monitor.store.batch import Batch, BatchDamaged, BatchTooNew, Header, checksum, decode_header, facts_of
from monitor.store.books import KINDS, MOVES
from monitor.store.disk import SpoolUnreadable
from monitor.store.frame_salvage import FramesTold, settle_frames, take_frame, unfinished
from monitor.store.pages import Pages, Row
from monitor.store.spool_file import FORMAT, SCHEMA

SEQ_LEAP = 1_000_000  # where the last number is not known: beyond any that PostgreSQL may have seen of us
STATES = ("pending", "applied", "aside", "damaged", "lost")
ABOUT = {"format": int, "id": bytes, "purpose": str, "knows_sessions": int, "roster_version": int}
COLUMNS = {"batch": 11, "books": 8}


class LostBatch(msgspec.Struct, frozen=True):
    """A batch that was on its way and whose bytes are gone."""

    seq: int
    kind: str
    sealed_at: float
    counts: dict[str, int]


class Salvage(msgspec.Struct):
    """What became of a damaged spool."""

    pages: int = 0
    damaged_pages: int = 0
    pending: int = 0  # batches on their way that are kept
    applied: int = 0  # batches that PostgreSQL holds, and of which the record is kept
    rebuilt: list[int] = []  # batches whose record was gone, made anew from their own header
    lost: list[LostBatch] = []
    nameless: dict[str, int] = {}  # rows on their way of which not even the batch is known
    frames: FramesTold = msgspec.field(default_factory=FramesTold)
    books_lost: list[str] = []
    rooms: int = 0
    sessions: int = 0
    accounts: int = 0  # authorisations of shops and anchors that are kept
    sessions_doubtful: bool = False
    id_lost: bool = False


def salvage(old: int, log: int | None, new: Path, now: float) -> Salvage:
    """Read the damaged spool by open descriptors of it and of its log; write `new`, which must not exist.

    Raises SpoolUnreadable for a spool of a later release, and where nothing of a spool is found.
    """
    sql = sqlite3.connect(new, isolation_level=None)
    try:
        sql.execute("PRAGMA journal_mode = OFF")
        sql.execute("PRAGMA synchronous = OFF")
        sql.executescript(SCHEMA)
        sql.execute("BEGIN")
        pages = Pages(old, log)
        collected = Collected(sql)
        if not any([collected.take(row) for row in pages.rows()]):  # a list: every row must be taken
            raise SpoolUnreadable("nothing of a spool is found in it")
        told = Salvage(pages.count, len(pages.damaged()), sessions_doubtful=bool(pages.unplaced()))
        _settle_about(sql, collected, told)
        _settle_books(sql, told, now)
        _settle_sessions(sql, told)
        told.pending, told.applied, told.rooms, told.sessions, told.accounts = sql.execute(
            "SELECT (SELECT count(*) FROM batch WHERE state IN ('pending', 'aside')),"
            " (SELECT count(*) FROM batch WHERE state = 'applied'),"
            " (SELECT count(*) FROM room), (SELECT count(*) FROM room_state), (SELECT count(*) FROM account)"
        ).fetchone()
        sql.execute("COMMIT")
    finally:
        sql.close()
    return told


class Collected:
    """Takes every row that is recognised into the new spool."""

    def __init__(self, sql: sqlite3.Connection) -> None:
        self.sql, self.seq = sql, 0
        sql.execute("DELETE FROM books")

    def take(self, row: Row) -> bool:
        """False for a row of no table of ours (those of indexes are among them)."""
        match row:
            case Row(int(seq), (None, bytes(header), bytes(payload), int(crc))) if checksum(header, payload) == crc:
                self._put("INSERT OR REPLACE INTO payload VALUES (?, ?, ?, ?)", seq, header, payload, crc)
            case Row(int(seq), (None, *rest)) if is_batch(rest):
                # Without a header the pages of deleted rows are read, too: what is done with was pending before.
                self._put(
                    "INSERT OR IGNORE INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seq) DO UPDATE"
                    " SET state = excluded.state, applied_at = excluded.applied_at WHERE excluded.state <> 'pending'",
                    seq, *rest,
                )  # fmt: skip
            case Row(int(room_id), (None, bytes(raw))) if is_of_room(raw, RosterRoom, room_id):
                self._put("INSERT OR REPLACE INTO room VALUES (?, ?)", room_id, raw)
            case Row(int(), (int(room_id), bytes(raw))) if is_of_room(raw, Slot, room_id):
                self._put("INSERT INTO slot VALUES (?, ?)", room_id, raw)
            case Row(None, (str(platform), str(room), bytes(state))):
                self._put("INSERT OR REPLACE INTO room_state VALUES (?, ?, ?)", platform, room, state)
            case Row(None, (str(kind), *moves)) if kind in KINDS and are_counts(moves, COLUMNS["books"] - 1):
                self._put("INSERT OR REPLACE INTO books VALUES (?, ?, ?, ?, ?, ?, ?, ?)", kind, *moves)
            case Row(None, (str(name), value)) if isinstance(value, ABOUT.get(name, ())):
                self._put("INSERT OR REPLACE INTO about VALUES (?, ?)", name, value)
            case Row(None, (str(feed), bytes(raw))) if is_of_feed(raw, feed):
                self._put("INSERT OR REPLACE INTO feed_state VALUES (?, ?)", feed, raw)
            case Row(int(), ("batch", int(seq))):
                self.seq = max(self.seq, seq)
            case _:
                return take_frame(row, self._put) or take_account(row, self._put)
        return True

    def _put(self, statement: str, *values: object) -> None:
        self.sql.execute(statement, values)


def is_batch(values: Iterable[object]) -> bool:
    """Whether these can be the columns of `batch` after its number."""
    match tuple(values):
        case (bytes(), "ticks" | "facts", float() | int(), float() | int() | None, str(state), *counts):
            return state in STATES and are_counts(counts, COLUMNS["batch"] - 6)
    return False


def are_counts(values: Iterable[object], number: int) -> bool:
    found = list(values)
    return len(found) == number and all(isinstance(value, int) and value >= 0 for value in found)


def is_of_room(raw: bytes, kind: type[RosterRoom | Slot], room_id: int) -> bool:
    try:
        return bool(msgspec.msgpack.decode(raw, type=kind).room_id == room_id)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False


def is_of_feed(raw: bytes, feed: str) -> bool:
    try:
        return msgspec.msgpack.decode(raw, type=FeedState).feed == feed
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False


def _settle_about(sql: sqlite3.Connection, collected: Collected, told: Salvage) -> None:
    """Who this spool is. The roster is read again in any case: which of its rows are lost cannot be told."""
    about = dict(sql.execute("SELECT name, value FROM about"))
    if about.get("format", FORMAT) > FORMAT:
        raise SpoolUnreadable(f"it was written by a later release (format {about['format']}, this one knows {FORMAT})")
    told.id_lost = len(about.get("id", b"")) != 16
    if told.id_lost:
        about["id"] = uuid.uuid4().bytes
    told.sessions_doubtful |= "knows_sessions" not in about
    sql.execute("DELETE FROM about WHERE name IN ('roster_version', 'knows_sessions')")
    known = {"format": FORMAT, "id": about["id"]} | ({} if told.sessions_doubtful else {"knows_sessions": 1})
    sql.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", known.items())
    newest = sql.execute(
        "SELECT max(coalesce((SELECT max(seq) FROM batch), 0), coalesce((SELECT max(seq) FROM payload), 0))"
    )
    seq = collected.seq or newest.fetchone()[0] + SEQ_LEAP
    sql.execute("DELETE FROM sqlite_sequence WHERE name = 'batch'")
    sql.execute("INSERT INTO sqlite_sequence VALUES ('batch', ?)", (seq,))


# --- batches and books -----------------------------------------------------------------------------------------------


def _settle_books(sql: sqlite3.Connection, told: Salvage, now: float) -> None:
    """received = written + duplicates + quarantined + shed + spooled, to the unit, also after this."""
    had = {kind for (kind,) in sql.execute("SELECT kind FROM books")}
    told.books_lost = [kind for kind in KINDS if kind not in had]
    sql.executemany("INSERT OR IGNORE INTO books (kind) VALUES (?)", [(kind,) for kind in KINDS])
    told.frames = settle_frames(sql, "frame" in told.books_lost, now)
    _give_up_batches_without_bytes(sql, told, now)
    owed = _owed(sql)
    for seq, header, size in _batches_without_record(sql):
        # What the books say is still on its way: by that the newest of these have not been applied yet. The others
        # are offered again and move the books no more; PostgreSQL knows them by their id.
        waits = all(rows <= owed[kind] or kind in told.books_lost for kind, rows in header.counts.items())
        counts = [header.counts.get(kind, 0) for kind in KINDS]
        sql.execute(
            "INSERT OR IGNORE INTO batch VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?)",
            (seq, header.id.bytes, header.kind, header.sealed_at.timestamp(), None if waits else now, size, *counts),
        )
        told.rebuilt.append(seq)
        if waits:
            owed = {kind: rows - header.counts.get(kind, 0) for kind, rows in owed.items()}
    for kind, rows in owed.items():
        if rows > 0:
            told.nameless[kind] = rows
            sql.execute(MOVES["quarantined"], (rows, kind))
        elif rows < 0:  # the books of this kind are lost, or older than their batches
            sql.execute(MOVES["received"], (-rows, kind))


def _give_up_batches_without_bytes(sql: sqlite3.Connection, told: Salvage, now: float) -> None:
    gone = sql.execute(
        "SELECT seq, kind, sealed_at, applied_at, frames, ticks, sales, changes FROM batch"
        " WHERE state IN ('pending', 'aside') AND seq NOT IN (SELECT seq FROM payload) ORDER BY seq"
    ).fetchall()
    for seq, kind, sealed_at, applied_at, *rows in gone:
        counts = {book: count for book, count in zip(KINDS, rows, strict=True) if count}
        told.lost.append(LostBatch(seq, kind, sealed_at, counts))
        sql.execute("UPDATE batch SET state = 'damaged', applied_at = ? WHERE seq = ?", (now, seq))
        fate = "quarantined" if applied_at is None else "lost"  # an offer made again was written once
        sql.executemany(MOVES[fate], [(count, book) for book, count in counts.items()])


def _owed(sql: sqlite3.Connection) -> dict[str, int]:
    """Rows that the books say are on their way, beyond those of the batches and frames that are known to be."""
    sums = sql.execute(
        "SELECT coalesce(sum(frames), 0), coalesce(sum(ticks), 0), coalesce(sum(sales), 0), coalesce(sum(changes), 0)"
        " FROM batch WHERE state IN ('pending', 'aside') AND applied_at IS NULL"
    ).fetchone()
    spooled = dict(zip(KINDS, sums, strict=True))
    spooled["frame"] += unfinished(sql)
    moves = sql.execute("SELECT kind, received - written - duplicates - quarantined - shed FROM books")
    return {kind: rows - spooled[kind] for kind, rows in moves.fetchall()}


def _batches_without_record(sql: sqlite3.Connection) -> list[tuple[int, Header, int]]:
    """Newest first. Bytes without a header of this release are left out of the new spool."""
    found = []
    for seq, raw, size in sql.execute(
        "SELECT seq, header, length(payload) FROM payload WHERE seq NOT IN (SELECT seq FROM batch) ORDER BY seq DESC"
    ).fetchall():
        try:
            found.append((seq, decode_header(raw), size))
        except (BatchDamaged, BatchTooNew):
            sql.execute("DELETE FROM payload WHERE seq = ?", (seq,))
    return found


# --- sessions --------------------------------------------------------------------------------------------------------


def _settle_sessions(sql: sqlite3.Connection, told: Salvage) -> None:
    """Where states of rooms may be lost, the newest change that we still have of each room tells."""
    if not told.sessions_doubtful:
        return
    batches = sql.execute(
        "SELECT seq, header, payload FROM payload JOIN batch USING (seq) WHERE kind = 'facts' ORDER BY seq DESC"
    )
    for seq, header, payload in batches.fetchall():
        try:
            facts = facts_of(Batch(decode_header(header), payload, seq))
        except (BatchDamaged, BatchTooNew):
            continue
        changes = [fact for fact in reversed(facts) if isinstance(fact, Change) and fact.state]
        sql.executemany(
            "INSERT OR IGNORE INTO room_state VALUES (?, ?, ?)",
            [(change.platform, change.room, change.state) for change in changes],
        )

"""What a damaged spool still tells of kept frames: each whose bytes are whole is read again, once, and none is guessed.

What was pending is read anew: which answers it needs, its own bytes say.
"""

import sqlite3
from collections.abc import Callable

import msgspec

from monitor.store.books import MOVES
from monitor.store.frame_table import body_checksum
from monitor.store.pages import Row

STATES = ("waiting", "pending", "done", "quarantined")
UNKNOWN_SHA256 = bytes(32)


class FramesTold(msgspec.Struct):
    """What became of the frames."""

    kept: int = 0  # acknowledged and not finished: the next start reads them
    rebuilt: int = 0  # of these, frames whose record was gone
    lost: list[int] = []  # acknowledged, and their bytes are gone


def take_frame(row: Row, put: Callable[..., None]) -> bool:
    """False for a row that is none of a frame."""
    match row:
        case Row(int(seq), (None, str(feed), int() | float() as at, bytes(body), int(crc))) if crc == body_checksum(
            feed, at, body
        ):
            put("INSERT OR REPLACE INTO frame_body VALUES (?, ?, ?, ?, ?)", seq, feed, at, body, crc)
        case Row(
            int(seq),
            (
                None,
                str(feed),
                int() | float() as at,
                int() | float() as kept_at,
                bytes(sha256),
                int(size),
                str(state),
                done_at,
                batch,
                has_body,
            ),
        ) if (
            state in STATES
            and len(sha256) == 32
            and isinstance(done_at, int | float | None)
            and isinstance(batch, int | None)
            and has_body in (0, 1)
        ):
            # Without a header the pages of deleted rows are read, too: what is done with was waiting before.
            put(
                "INSERT INTO frame VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seq) DO UPDATE SET"
                " state = excluded.state, done_at = excluded.done_at, batch_seq = excluded.batch_seq,"
                " has_body = excluded.has_body WHERE excluded.has_body < has_body OR state IN ('waiting', 'pending')"
                " AND excluded.state NOT IN ('waiting', 'pending')",
                seq, feed, at, kept_at, sha256, size, state, done_at, batch, has_body,
            )  # fmt: skip
        case Row(None, (str(feed), str(name), int(seq), int() | float() as kept_at)):
            put("INSERT OR REPLACE INTO frame_once VALUES (?, ?, ?, ?)", feed, name, seq, kept_at)
        case _:
            return False
    return True


def settle_frames(sql: sqlite3.Connection, books_lost: bool, now: float) -> FramesTold:
    """Records and bytes are made to agree; what has no bytes any more ends in quarantine, in the books, too."""
    told = FramesTold()
    sql.execute("DELETE FROM frame_body WHERE seq IN (SELECT seq FROM frame WHERE NOT has_body)")
    sql.execute("UPDATE frame SET has_body = seq IN (SELECT seq FROM frame_body)")
    lost = sql.execute("SELECT seq FROM frame WHERE state IN ('waiting', 'pending') AND NOT has_body ORDER BY seq")
    told.lost = [seq for (seq,) in lost.fetchall()]
    sql.executemany(
        "UPDATE frame SET state = 'quarantined', done_at = ? WHERE seq = ?", [(now, seq) for seq in told.lost]
    )
    sql.execute(MOVES["quarantined"], (len(told.lost), "frame"))
    sql.execute("UPDATE frame SET state = 'waiting' WHERE state = 'pending'")
    moves = sql.execute("SELECT received - written - duplicates - quarantined - shed FROM books WHERE kind = 'frame'")
    owed = moves.fetchone()[0] - unfinished(sql)
    for seq, feed, at, size in sql.execute(
        "SELECT seq, feed, received_at, length(body) FROM frame_body WHERE seq NOT IN (SELECT seq FROM frame)"
        " ORDER BY seq DESC"
    ).fetchall():
        # By what the books say is still unread the newest of these are that; the others are kept for a day.
        waits = owed > 0 or books_lost
        owed -= 1
        state, done_at = ("waiting", None) if waits else ("done", now)
        sql.execute(
            "INSERT INTO frame VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, 1)",
            (seq, feed, at, at, UNKNOWN_SHA256, size, state, done_at),
        )
        told.rebuilt += waits
    told.kept = unfinished(sql)
    return told


def unfinished(sql: sqlite3.Connection) -> int:
    return int(sql.execute("SELECT count(*) FROM frame WHERE state IN ('waiting', 'pending')").fetchone()[0])

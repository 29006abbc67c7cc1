"""What robots are to be told, on disk until they were: rows of the book. Plain and blocking, in the book's thread."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from monitor.alerts.book_file import BookFile
from monitor.alerts.notice import Notice
from monitor.alerts.waiting import Waiting

DUE_MAX = 500
DONE_KEPT = timedelta(days=7)
DONE_MAX = 50_000
WHY_CHARS_MAX = 500


class OutboxRows:
    def __init__(self, file: BookFile) -> None:
        self._file = file

    def put(self, notices: Iterable[tuple[str, Notice, str]], now: datetime) -> None:
        """Within a transaction. A robot is told each key once, however often it is put."""
        at = now.timestamp()
        self._file.sql.executemany(
            "INSERT OR IGNORE INTO message (robot, key, severity, notice, created_at, next_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (robot, key, notice.severity, msgspec.msgpack.encode(notice), at, at)
                for robot, notice, key in notices
            ],
        )  # fmt: skip

    def due(self, robot: str, now: datetime) -> list[Waiting]:
        found = self._waiting(
            "SELECT id, robot, notice, tries, created_at, severity FROM message"
            " WHERE robot = ? AND done_at IS NULL AND next_at <= ? ORDER BY severity != 'critical', id LIMIT ?",
            (robot, now.timestamp(), DUE_MAX),
        )
        return sorted(found, key=lambda waiting: waiting.id)  # critical ones are never beyond the limit

    def others(self, robots: Sequence[str]) -> list[Waiting]:
        return self._waiting(
            "SELECT id, robot, notice, tries, created_at, severity FROM message"
            " WHERE done_at IS NULL AND robot NOT IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?",
            (msgspec.json.encode(robots).decode(), DUE_MAX),
        )

    def sent(self, ids: Sequence[int], at: datetime) -> None:
        self._each(
            "UPDATE message SET state = 'sent', done_at = ?, tries = tries + 1 WHERE id = ?", (at.timestamp(),), ids
        )

    def again(self, ids: Sequence[int], next_at: datetime, why: str) -> None:
        self._each(
            "UPDATE message SET next_at = ?, why = ?, tries = tries + 1 WHERE id = ? AND done_at IS NULL",
            (next_at.timestamp(), why[:WHY_CHARS_MAX]), ids,
        )  # fmt: skip

    def failed(self, ids: Sequence[int], why: str, at: datetime) -> None:
        self._each(
            "UPDATE message SET state = 'failed', done_at = ?, why = ? WHERE id = ? AND done_at IS NULL",
            (at.timestamp(), why[:WHY_CHARS_MAX]), ids,
        )  # fmt: skip

    def sent_since(self, robot: str, since: datetime) -> list[datetime]:
        rows = self._file.rows(
            "SELECT DISTINCT done_at FROM message WHERE done_at >= ? AND robot = ? AND state = 'sent' ORDER BY done_at",
            (since.timestamp(), robot),
        )
        return [instant(row[0]) for row in rows]

    def prune(self, now: datetime) -> None:
        """Within a transaction."""
        sql = self._file.sql
        sql.execute("DELETE FROM message WHERE done_at < ?", ((now - DONE_KEPT).timestamp(),))
        sql.execute(
            "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE done_at IS NOT NULL"
            " ORDER BY done_at DESC LIMIT -1 OFFSET ?)",
            (DONE_MAX,),
        )

    def _waiting(self, query: str, values: tuple[object, ...]) -> list[Waiting]:
        return [
            Waiting(number, to, msgspec.msgpack.decode(notice, type=Notice), tries, instant(created), severity)
            for number, to, notice, tries, created, severity in self._file.rows(query, values)
        ]

    def _each(self, statement: str, values: tuple[object, ...], ids: Sequence[int]) -> None:
        with self._file.transaction():
            self._file.sql.executemany(statement, [(*values, number) for number in ids])


def instant(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)

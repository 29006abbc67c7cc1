"""The book of alerts: episodes, what robots are to be told of them, what people did; on disk before we answer.

What is decided is written in one transaction with the messages and facts that come of it, so that kill -9 neither loses
nor doubles. PostgreSQL is told later: it may be down, and that is an alert itself.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from monitor.alerts.alert import Episode
from monitor.alerts.book_file import BookFile
from monitor.alerts.kept import Kept
from monitor.alerts.memory import REMEMBERED_FOR, REMEMBERED_MAX, Memory
from monitor.alerts.notice import Notice
from monitor.alerts.outbox import OutboxRows, instant
from monitor.facts import AlertAction, AlertEpisode

EPISODES_KEPT = timedelta(days=30)
FACTS_MAX = 1_000
MICROSECONDS = 1_000_000
FACTS: dict[str, type[AlertEpisode | AlertAction]] = {"alert": AlertEpisode, "action": AlertAction}


class Entry(msgspec.Struct):
    """One transaction."""

    kept: Sequence[Kept] = ()
    messages: Sequence[tuple[str, Notice, str]] = ()
    storms: dict[str, datetime] = {}


class Book:
    """All methods are plain and blocking; the caller keeps them in one thread."""

    def __init__(self, folder: Path) -> None:
        """Open or make the book in `folder`. Raises BookRefused."""
        self.file = BookFile(folder)
        self.outbox = OutboxRows(self.file)

    def close(self) -> None:
        self.file.close()

    def memory(self, now: datetime) -> Memory:
        rows = self.file.rows(
            "SELECT kept FROM episode WHERE settled_at IS NULL OR settled_at > ? ORDER BY settled_at LIMIT ?",
            ((now - REMEMBERED_FOR).timestamp(), 2 * REMEMBERED_MAX),
        )
        newest = self.file.rows("SELECT coalesce(max(number), 0) FROM episode")[0][0]
        memory = Memory((_kept(row[0]) for row in rows), max(newest, self._numbered()) + 1)
        memory.storms = {key: instant(until) for key, until in self.file.rows("SELECT key, until FROM storm")}
        return memory

    def write(self, entry: Entry, now: datetime) -> None:
        """On disk when it returns. Raises BookRefused, and then nothing of it was kept."""
        with self.file.transaction():
            for kept in entry.kept:
                self._write_episode(kept)
            self.outbox.put(entry.messages, now)
            self.file.sql.executemany(
                "INSERT OR REPLACE INTO storm (key, until) VALUES (?, ?)",
                [(key, until.timestamp()) for key, until in entry.storms.items()],
            )

    def _write_episode(self, kept: Kept) -> None:
        """A fact goes with it where PostgreSQL is to know: that it began, and that it ended."""
        key = _key(kept)
        had = self.file.sql.execute(
            "SELECT settled_at FROM episode WHERE fingerprint = ? AND starts_at = ?", key
        ).fetchone()
        settled_at = None if kept.settled_at is None else kept.settled_at.timestamp()
        self.file.sql.execute(
            "INSERT OR REPLACE INTO episode (fingerprint, starts_at, number, settled_at, kept) VALUES (?, ?, ?, ?, ?)",
            (*key, kept.number, settled_at, msgspec.msgpack.encode(kept)),
        )
        if had is None or (had[0] is None and settled_at is not None):
            self._tell("alert", fact_of(kept))

    def act(self, number: int, action: AlertAction) -> None:
        """What a person did about #number. The same of the same instant is written once."""
        with self.file.transaction():
            cursor = self.file.sql.execute(
                "INSERT OR IGNORE INTO action (number, at, action, by_whom, reason, until) VALUES (?, ?, ?, ?, ?, ?)",
                (number, action.at.timestamp(), action.action, action.by_whom, action.reason,
                 None if action.until is None else action.until.timestamp()),
            )  # fmt: skip
            if cursor.rowcount:
                self._tell("action", action)

    def episode(self, number: int) -> Episode | None:
        """The episode of this number; of several the one that goes on, or ended last."""
        rows = self.file.rows(
            "SELECT kept FROM episode WHERE number = ? ORDER BY settled_at IS NULL DESC, starts_at DESC LIMIT 1",
            (number,),
        )
        return _kept(rows[0][0]).episode if rows else None

    def escalated(self) -> dict[int, tuple[int, datetime]]:
        """By number: how often somebody was called for it, and when last."""
        rows = self.file.rows("SELECT number, count(*), max(at) FROM action WHERE action = 'escalated' GROUP BY number")
        return {number: (count, instant(at)) for number, count, at in rows}

    def end_room(self, platform: str, room: str, at: datetime) -> None:
        """Somebody said that the broadcast there is over."""
        with self.file.transaction():
            self.file.sql.execute(
                "INSERT OR REPLACE INTO ended_room (platform, room, at) VALUES (?, ?, ?)",
                (platform, room, at.timestamp()),
            )

    def ended_by_people(self, since: datetime) -> list[tuple[tuple[str, str], datetime]]:
        """Rooms of which somebody said so, and when last, in that order."""
        rows = self.file.rows(
            "SELECT platform, room, at FROM ended_room WHERE at >= ? ORDER BY at", (since.timestamp(),)
        )
        return [((platform, room), instant(at)) for platform, room, at in rows]

    def knows(self, key: str) -> bool:
        """Was something put for robots under this key?"""
        return bool(self.file.rows("SELECT 1 FROM message WHERE key = ? LIMIT 1", (key,)))

    def facts(self) -> list[tuple[int, AlertEpisode | AlertAction]]:
        """What PostgreSQL has to be told, in its order."""
        rows = self.file.rows("SELECT id, kind, fact FROM fact ORDER BY id LIMIT ?", (FACTS_MAX,))
        return [(number, msgspec.msgpack.decode(fact, type=FACTS[kind])) for number, kind, fact in rows]

    def facts_kept(self, ids: Iterable[int]) -> None:
        """The spool has these."""
        with self.file.transaction():
            self.file.sql.executemany("DELETE FROM fact WHERE id = ?", [(number,) for number in ids])

    def prune(self, now: datetime) -> None:
        before = (now - EPISODES_KEPT).timestamp()
        with self.file.transaction():
            newest = self.file.sql.execute("SELECT coalesce(max(number), 0) FROM episode").fetchone()[0]
            self.file.sql.execute(
                "INSERT OR REPLACE INTO about (name, value) VALUES ('number', ?)", (max(newest, self._numbered()),)
            )  # a number is never given twice, though nothing of it is left
            self.file.sql.execute("DELETE FROM episode WHERE settled_at < ?", (before,))
            self.file.sql.execute("DELETE FROM action WHERE at < ?", (before,))
            self.file.sql.execute("DELETE FROM ended_room WHERE at < ?", (before,))
            self.file.sql.execute("DELETE FROM storm WHERE until < ?", (now.timestamp(),))
            self.outbox.prune(now)

    def _numbered(self) -> int:
        rows = self.file.rows("SELECT value FROM about WHERE name = 'number'")
        return int(rows[0][0]) if rows else 0

    def _tell(self, kind: str, fact: AlertEpisode | AlertAction) -> None:
        self.file.sql.execute("INSERT INTO fact (kind, fact) VALUES (?, ?)", (kind, msgspec.msgpack.encode(fact)))


def fact_of(kept: Kept) -> AlertEpisode:
    alert = kept.alert
    return AlertEpisode(
        alert.fingerprint, alert.starts_at, kept.number, alert.name, alert.severity, dict(alert.labels),
        alert.annotations.get("summary", ""), alert.ends_at if kept.settled_at else None, kept.episode.end,
    )  # fmt: skip


def _key(kept: Kept) -> tuple[str, int]:
    starts_at = kept.alert.starts_at
    return kept.alert.fingerprint, int(starts_at.timestamp()) * MICROSECONDS + starts_at.microsecond


def _kept(raw: bytes) -> Kept:
    return msgspec.msgpack.decode(raw, type=Kept)

"""The book's file: opened and locked by one process alone, and written in transactions that are on disk on return."""

import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FORMAT = 1
SCHEMA = (Path(__file__).parent / "book.sql").read_text()
log = logging.getLogger(__name__)


class BookRefused(Exception):
    """The disk, or another process, does not let us write: nothing of the transaction was kept."""


class BookFile:
    """`alerts.sqlite` in `folder`: WAL, synchronous=FULL, 0600. All methods are plain, blocking, of one thread."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "alerts.sqlite"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._open()
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                    raise
                self._set_aside(error)
                self._open()
        except (OSError, sqlite3.Error) as error:
            raise BookRefused(f"{self.path}: {error}") from error

    def _open(self) -> None:
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
        self.sql = sqlite3.connect(self.path, isolation_level=None, timeout=0.5, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self.sql.close()
            raise

    def _prepare(self) -> None:
        self.sql.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.sql.execute("PRAGMA journal_mode = WAL")
        self.sql.execute("PRAGMA synchronous = FULL")
        self.sql.execute("PRAGMA fullfsync = 1")
        self.sql.executescript(SCHEMA)
        self.sql.execute("INSERT OR IGNORE INTO about (name, value) VALUES ('format', ?)", (FORMAT,))
        found = self.sql.execute("SELECT value FROM about WHERE name = 'format'").fetchone()[0]
        if found > FORMAT:
            raise BookRefused(f"{self.path} was written by a later release (format {found}); start that release")
        if self.sql.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise damaged("quick_check")
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _set_aside(self, error: sqlite3.Error) -> None:
        """Alerts must be told today, whatever became of those of yesterday: begin a new book, and keep the old one."""
        log.error("the book of alerts %s is damaged (%s): it is set aside, and a new one begun", self.path, error)
        stamp = int(time.time())
        for name in ("", "-wal", "-shm"):
            path = self.path.with_name(self.path.name + name)
            if path.exists():
                path.rename(path.with_name(f"damaged-{stamp}-{path.name}"))

    def close(self) -> None:
        self.sql.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            self.sql.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.sql.execute("COMMIT")
            except BaseException:
                if self.sql.in_transaction:
                    self.sql.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise BookRefused(f"{self.path}: {error}") from error

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self.sql.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise BookRefused(f"{self.path}: {error}") from error


def damaged(what: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error

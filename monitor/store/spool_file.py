"""The spool's file: opened and locked by one process alone, and written in transactions that are on disk on return.

WAL mode with synchronous=FULL, one connection, one thread: `locking_mode=EXCLUSIVE` is the lock.
"""

import os
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from monitor.purpose import EVENT, Purpose, born_for
from monitor.store.disk import Ballast, SpoolBornDifferent, SpoolUnreadable, named_errors, sync_folder

# 2: kept frames; 3: deliveries under keys of hours. What is of an earlier format becomes 3 when it is opened, since its
# tables are the same.
FORMAT = 3
SCHEMA = (Path(__file__).parent / "spool.sql").read_text()


class SpoolFile:
    def __init__(self, folder: Path, purpose: Purpose | None = None) -> None:
        """Open or make the spool in `folder` (0700). Raises the errors of `disk`.

        A spool of another purpose is refused; without one it is opened whatever it is for, and a new one is an event's.
        """
        self.path = folder / "spool.db"
        self.ballast = Ballast(folder / "ballast")
        self.fsync_s: list[float] = []  # how long each commit took; the metrics take them away
        with named_errors(self.path):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = not self.path.exists()
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
            self.sql = sqlite3.connect(self.path, isolation_level=None, timeout=0.5, check_same_thread=False)
            try:
                self._prepare(purpose)
            except BaseException:
                self.sql.close()
                raise
            if fresh:
                for made in (folder, folder.parent):
                    sync_folder(made)
        self.ballast.lay()

    def _prepare(self, purpose: Purpose | None) -> None:
        self.sql.execute("PRAGMA locking_mode = EXCLUSIVE")
        known = self.sql.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'about'").fetchone()[0]
        found = self._about("format") if known else None
        if found is not None and found > FORMAT:
            self.sql.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
            raise SpoolUnreadable(
                f"{self.path} was written by a later release (format {found}, this one knows {FORMAT}); "
                "it is left untouched: start that release, or choose another data_dir"
            )
        if found is not None and purpose is not None and (born := self._about("purpose") or EVENT) != purpose:
            self.sql.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
            raise SpoolBornDifferent(f"the spool {self.path} {born_for(born, purpose)}: give this one its own data_dir")
        self.sql.execute("PRAGMA journal_mode = WAL")
        self.sql.execute("PRAGMA synchronous = FULL")
        self.sql.execute("PRAGMA fullfsync = 1")
        self.sql.execute("PRAGMA secure_delete = OFF")  # Debian's default writes zeros over all that is deleted
        self.sql.executescript(SCHEMA)
        if found is not None and found < FORMAT:
            self.sql.execute("UPDATE about SET value = ? WHERE name = 'format'", (FORMAT,))
        if found is None:
            self.sql.execute(  # one statement: a spool with the one and not the other could never be opened
                "INSERT INTO about (name, value) VALUES ('format', ?), ('id', ?), ('purpose', ?)",
                (FORMAT, uuid.uuid4().bytes, purpose or EVENT),
            )
            self.sql.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # where `purpose_of` sees it
        self.sql.execute("INSERT OR IGNORE INTO about (name, value) VALUES ('purpose', ?)", (EVENT,))
        self.id = uuid.UUID(bytes=self._about("id"))

    def close(self) -> None:
        with named_errors(self.path):
            self.sql.close()

    def has_room(self) -> bool:
        """Whether what a full disk made us give up can be had again: the ballast, or as much within the file itself."""
        if self.ballast.lay():
            return True
        free, size = (self.rows(f"PRAGMA {name}")[0][0] for name in ("freelist_count", "page_size"))
        return bool(free * size >= 5 * self.ballast.size)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with named_errors(self.path):
            self.sql.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self.sql.in_transaction:
                    self.sql.execute("ROLLBACK")
                raise
            started = time.perf_counter()
            try:
                self.sql.execute("COMMIT")
            except sqlite3.Error:
                if self.sql.in_transaction:
                    self.sql.execute("ROLLBACK")
                raise
            self.fsync_s.append(time.perf_counter() - started)

    @contextmanager
    def wiping(self) -> Iterator[None]:
        """What is deleted in here is overwritten with zeros: else it lies in free pages until something needs them."""
        self.sql.execute("PRAGMA secure_delete = ON")
        try:
            yield
        finally:
            self.sql.execute("PRAGMA secure_delete = OFF")

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with named_errors(self.path):
            return self.sql.execute(query, values).fetchall()

    def _about(self, name: str) -> Any:
        row = self.sql.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None


def purpose_of(folder: Path) -> str | None:
    """What the spool in `folder` is for, also while a monitor has it open; None where that cannot be told.

    Without locks, and without the log beside the file: what it is for was written into the file when it was made. Who
    goes on to write opens it with its purpose, and only that is proof.
    """
    path = folder / "spool.db"
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as sql:
            row = sql.execute("SELECT value FROM about WHERE name = 'purpose'").fetchone()
    except sqlite3.Error:
        return None
    return EVENT if row is None else str(row[0])

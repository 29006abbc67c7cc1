"""The accounts of the spool, each as sealed bytes that nothing here can read, and how far listings were polled.

Plain and blocking, like all of the spool.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from monitor.facts import PollCursor
from monitor.store.spool_file import SpoolFile


class SealedAccount(msgspec.Struct, frozen=True):
    """One account as it rests; the three ids are those of the platform and lie in clear."""

    app: str
    shop: str
    anchor: str
    sealed: bytes


class AccountTable:
    def __init__(self, file: SpoolFile) -> None:
        self._file = file

    def load(self) -> list[SealedAccount]:
        rows = self._file.rows("SELECT app, shop, anchor, sealed FROM account ORDER BY app, shop, anchor")
        return [SealedAccount(*row) for row in rows]

    def keep(
        self,
        rows: Iterable[SealedAccount],
        gone: Iterable[tuple[str, str, str]] = (),
        aside: Iterable[tuple[str, str, str]] = (),
    ) -> None:
        """One transaction, fsynced on return. What is replaced or gone is overwritten, but for that of `aside`.

        Raises SpoolFull, SpoolDiskFailed: then nothing of it is kept.
        """
        sql, now = self._file.sql, time.time()
        with self._file.transaction(), self._file.wiping():
            sql.executemany(
                "INSERT OR IGNORE INTO account_aside (app, shop, anchor, kept_at, sealed)"
                " SELECT app, shop, anchor, kept_at, sealed FROM account WHERE app = ? AND shop = ? AND anchor = ?",
                aside,
            )
            sql.executemany(
                "INSERT OR REPLACE INTO account (app, shop, anchor, sealed, kept_at) VALUES (?, ?, ?, ?, ?)",
                [(row.app, row.shop, row.anchor, row.sealed, now) for row in rows],
            )
            sql.executemany("DELETE FROM account WHERE app = ? AND shop = ? AND anchor = ?", gone)

    def move(self, cursors: Iterable[PollCursor]) -> None:
        """In the transaction of the sealing that holds what was polled before them."""
        self._file.sql.executemany(
            "INSERT OR REPLACE INTO poll_cursor (feed, shop, listing, until, moved_at) VALUES (?, ?, ?, ?, ?)",
            [(it.feed, it.shop, it.listing, it.until.timestamp(), time.time()) for it in cursors],
        )

    def cursors(self, feed: str) -> list[PollCursor]:
        rows = self._file.rows(
            "SELECT feed, shop, listing, until FROM poll_cursor WHERE feed = ? ORDER BY shop, listing", (feed,)
        )
        return [PollCursor(row[0], row[1], row[2], datetime.fromtimestamp(row[3], UTC)) for row in rows]

"""What a damaged spool still tells of accounts and cursors: rows are believed by their shape, and later by their key.

Which accounts are lost cannot be told: PostgreSQL still lists them, and they are linked again.
"""

from collections.abc import Callable

from monitor.store.cipher import is_encrypted
from monitor.store.pages import Row


def take_account(row: Row, put: Callable[..., None]) -> bool:
    """False for a row that is none of an account and no cursor."""
    match row:
        case Row(None, (str(app), str(shop), str(anchor), bytes(sealed), int() | float() as at)) if is_encrypted(
            sealed
        ):
            # Without a header the pages of deleted rows are read, too: a pair that was replaced is worth nothing.
            put(
                "INSERT INTO account VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed,"
                " kept_at = excluded.kept_at WHERE excluded.kept_at > kept_at",
                app, shop, anchor, sealed, at,
            )  # fmt: skip
        case Row(None, (str(app), str(shop), str(anchor), int() | float() as at, bytes(sealed))) if is_encrypted(
            sealed
        ):
            put("INSERT OR REPLACE INTO account_aside VALUES (?, ?, ?, ?, ?)", app, shop, anchor, at, sealed)
        case Row(None, (str(feed), str(shop), str(listing), int() | float() as until, int() | float() as at)):
            # What is polled once more is known by its event ids; what is skipped is lost.
            put(
                "INSERT INTO poll_cursor VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until,"
                " moved_at = excluded.moved_at WHERE excluded.until < until",
                feed, shop, listing, until, at,
            )  # fmt: skip
        case _:
            return False
    return True

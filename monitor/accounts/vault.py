"""Accounts at rest: each as a whole encrypted under the account key, in the spool, on disk before it is used.

A piece is that of `store.cipher`: AES-256-GCM over the account as msgpack, with its three ids authenticated, so that a
row means nothing in the place of another. While the key is rotated the older one still reads; what is under it is
written anew under the newer at the next start.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import batched
from typing import Protocol

import msgspec

from monitor.accounts.account import Account, AccountKey
from monitor.keys import Key
from monitor.store.account_table import AccountTable, SealedAccount
from monitor.store.cipher import CannotDecrypt, Cipher
from monitor.store.disk import SpoolFull

log = logging.getLogger(__name__)
ACCOUNT_KEY = "accounts.key"  # where the key is made, under data_dir
UNREADABLE = "its tokens cannot be read: another account key?"
CONTEXT = b"livemon account 1 "
PIECE = 500  # accounts in one transaction while a key is rotated: the spool's thread is wanted elsewhere
NAMED_MAX = 10


class Calling(Protocol):
    """The sealer's way into the spool's one thread."""

    def __call__[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]: ...


class Unreadable(Exception):
    """These bytes are no account of ours under any key that we have."""


class Sealing:
    """Between an account and its sealed row; knows no disk."""

    def __init__(self, keys: Sequence[Key]) -> None:
        """The newest key first."""
        self._present = Cipher([keys[0].reveal()])
        self._earlier = Cipher([key.reveal() for key in keys[1:]])

    def seal(self, account: Account) -> SealedAccount:
        piece = self._present.encrypt(msgspec.msgpack.encode(account), context(account.id))
        return SealedAccount(*account.id, piece)

    def open(self, row: SealedAccount) -> tuple[Account, bool]:
        """The account, and whether it is under an earlier key. Raises Unreadable."""
        what = context((row.app, row.shop, row.anchor))
        for cipher in (self._present, self._earlier):
            try:
                plain = cipher.decrypt(row.sealed, what)
            except CannotDecrypt:
                continue
            try:
                return msgspec.msgpack.decode(plain, type=Account), cipher is self._earlier
            except msgspec.MsgspecError:
                break
        raise Unreadable


class Vault:
    """A `book.Keeping`. `call` is the sealer's; `platform_of` tells the platform of an app by its name."""

    def __init__(
        self, call: Calling, table: AccountTable, keys: Sequence[Key], platform_of: Callable[[str], str]
    ) -> None:
        self._call, self._table, self._platform_of = call, table, platform_of
        self._sealing = Sealing(keys)
        self._unread: set[AccountKey] = set()

    def __repr__(self) -> str:
        return "Vault(***)"

    async def load(self) -> list[Account]:
        """All accounts. One that cannot be read is among them as refused: its row stays on disk as it is."""
        accounts, earlier, unread = list[Account](), list[Account](), list[Account]()
        for row in await self._call(self._table.load):
            try:
                account, is_earlier = self._sealing.open(row)
            except Unreadable:
                unread.append(self._unreadable(row))
                continue
            accounts.append(account)
            if is_earlier:
                earlier.append(account)
        self._unread = {account.id for account in unread}
        if unread:
            named = ", ".join(f"{it.app} {it.shop or it.anchor or '(the app itself)'}" for it in unread[:NAMED_MAX])
            more = "" if len(unread) <= NAMED_MAX else f" and {len(unread) - NAMED_MAX} more"
            log.error(
                "the tokens of %d accounts cannot be read, is this another account key? They are kept as they are: "
                "put the earlier key back as the second line of account_key_file, or link them again: %s%s",
                len(unread), named, more,
            )  # fmt: skip
        await self._renew(earlier)
        return accounts + unread

    async def keep(self, accounts: Iterable[Account], gone: Iterable[AccountKey] = ()) -> None:
        """On disk when it returns. Raises SpoolFull, SpoolDiskFailed."""
        rows, ids = [self._sealing.seal(account) for account in accounts], list(gone)
        moved = {(row.app, row.shop, row.anchor) for row in rows} | set(ids)
        await self._call(self._table.keep, rows, ids, self._unread & moved)
        self._unread -= moved

    def _unreadable(self, row: SealedAccount) -> Account:
        return Account(row.app, self._platform_of(row.app), row.shop, row.anchor, refused=UNREADABLE)

    async def _renew(self, earlier: Sequence[Account]) -> None:
        """Under the present key, a piece at a time, so that the earlier one can be taken out of its file."""
        try:
            for piece in batched(earlier, PIECE, strict=False):
                await self.keep(piece)
        except SpoolFull as error:
            log.error("accounts stay under the earlier account key until the next start: %s", error)
            return
        if earlier:
            log.warning(
                "%d accounts rest under the present account key now: the earlier one is needed no more", len(earlier)
            )


def context(account: AccountKey) -> bytes:
    """What is authenticated beside an account."""
    return CONTEXT + msgspec.msgpack.encode(account)

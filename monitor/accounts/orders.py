"""Orders about accounts, carried out by the running monitor: what a command put into the folder comes into the book.

An order that is carried out twice (a crash came between) does no harm: tokens that came after it was given stay.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import batched
from pathlib import Path

import msgspec

from collectors.collector import Now
from monitor.accounts.account import Account
from monitor.accounts.book import Book
from monitor.accounts.order_file import (
    ACCOUNTS_MAX,
    DONE,
    DRAFT,
    ORDER,
    BadOrder,
    Done,
    Import,
    Order,
    Revoke,
    read_order,
    write_done,
)
from monitor.accounts.vault import UNREADABLE
from monitor.keys import Key
from monitor.store.cipher import Cipher
from monitor.store.disk import SpoolFull, destroy, named_errors

log = logging.getLogger(__name__)
TEND_S = 1.0
PIECE = 500  # accounts in one keeping
DRAFT_S = 600.0  # a draft this old was left by a command that died
DONE_S = 86_400.0  # an answer that nobody has read goes
LEFT_SHOWN_MAX = 1_000
ASIDE = "aside"


class AccountOrders:
    """`platform_of` tells the platform of an app by its name, "" of one that is not configured.

    `refused` counts files that were set aside; `set_aside` is told of each, in whatever thread.
    """

    def __init__(
        self,
        folder: Path,
        keys: Sequence[Key],
        book: Book,
        platform_of: Callable[[str], str],
        now: Now,
        set_aside: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder, self._book, self._platform_of, self._now = folder, book, platform_of, now
        self._told_aside = set_aside
        self._cipher = Cipher([key.reveal() for key in keys])
        self._full = False
        self.refused = 0

    async def run(self) -> None:
        while True:
            await self.tend()
            await asyncio.sleep(TEND_S)

    async def tend(self) -> None:
        """Carry out what lies there. Raises SpoolDiskFailed."""
        try:
            for path in await asyncio.to_thread(self._waiting):
                await self._take(path)
            self._full = False
        except SpoolFull as error:
            if not self._full:
                log.error("orders about accounts wait until there is room: %s", error)
            self._full = True

    async def _take(self, path: Path) -> None:
        try:
            order = await asyncio.to_thread(read_order, path, self._cipher)
        except FileNotFoundError:
            return  # whoever gave it has taken it back
        except BadOrder as error:
            await asyncio.to_thread(self._set_aside, path, str(error))
            return
        match order.what:
            case Import(accounts=accounts):
                done = await self._import(order, accounts)
                log.info("%s imported %d accounts, %d were left", order.by, done.taken, len(done.left))
            case Revoke():
                done = await self._revoke(order, order.what)
                log.info("%s revoked %d accounts of %s", order.by, done.taken, order.what.platform)
        await asyncio.to_thread(self._finish, path, done)

    # --- what is ordered ---------------------------------------------------------------------------------------------

    async def _import(self, order: Order, accounts: Sequence[Account]) -> Done:
        left: list[str] = []
        taken = 0
        for piece in batched(accounts[:ACCOUNTS_MAX], PIECE, strict=False):
            taken += await self._book.keep_made(partial(self._merged_all, order, piece, left))
        if len(accounts) > ACCOUNTS_MAX:
            left.append(f"{len(accounts) - ACCOUNTS_MAX:,} rows beyond {ACCOUNTS_MAX:,}: import them apart")
        return _done(taken, left)

    def _merged_all(self, order: Order, piece: Iterable[Account], left: list[str]) -> list[Account]:
        return [merged for account in piece if (merged := self._merged(order, account, left)) is not None]

    def _merged(self, order: Order, account: Account, left: list[str]) -> Account | None:
        """The account as it shall be kept; None, and why, where it stays as it is."""
        if account.is_app or self._platform_of(account.app) != account.platform:
            left.append(f"{_named(account)}: there is no app {account.app} of this platform in the running config")
            return None
        known = self._book.get(*account.id)
        if known is not None and _is_newer(known, order):
            left.append(f"{_named(account)}: its tokens came after this order was given, and stay")
            return None
        if known is not None and known.refused == UNREADABLE and account.tokens is None and not account.key:
            left.append(f"{_named(account)}: {UNREADABLE} It stays as it is until tokens come")
            return None
        return _over(known, account, order)

    async def _revoke(self, order: Order, what: Revoke) -> Done:
        left: list[str] = []
        return _done(await self._book.keep_made(lambda: self._revoked(order, what, left)), left)

    def _revoked(self, order: Order, what: Revoke, left: list[str]) -> list[Account]:
        found = [
            account
            for account in self._book.all()
            if not account.is_app
            and (account.platform, account.shop or account.anchor) == (what.platform, what.shop)
            and what.app in ("", account.app)
        ]
        gone = [account for account in found if not _is_newer(account, order)]
        left += [
            f"{_named(account)}: it was linked anew meanwhile, and stays" for account in found if account not in gone
        ]
        if not found:
            left.append(f"{what.platform} {what.shop}: there is no such account")
        reason = f"revoked by {order.by}"
        return [
            msgspec.structs.replace(account, tokens=None, key="", secret=b"", asked_at=None, refused=reason)
            for account in gone
        ]

    # --- the folder --------------------------------------------------------------------------------------------------

    def _waiting(self) -> list[Path]:
        """Orders, the oldest first; what else lies there and should not goes."""
        with named_errors(self._folder):
            try:
                found = sorted(self._folder.iterdir())
            except FileNotFoundError:
                return []
            self._clear(path for path in found if not path.name.endswith(ORDER))
        return [path for path in found if path.name.endswith(ORDER)]

    def _clear(self, others: Iterable[Path]) -> None:
        for path in others:
            if path.name == ASIDE:
                continue
            age_s = _age_s(path)
            if path.is_symlink() or not path.is_file():
                self._set_aside(path, "it is not a file")
            elif path.name.endswith(f"{ORDER}{DRAFT}") or path.name.endswith(f"{DONE}{DRAFT}"):
                if age_s > DRAFT_S:
                    destroy(path)
            elif not path.name.endswith(DONE):
                self._set_aside(path, "it is no order")
            elif age_s > DONE_S:
                path.unlink(missing_ok=True)

    def _set_aside(self, path: Path, why: str) -> None:
        self.refused += 1
        self._told_aside()
        with named_errors(path):
            aside = self._folder / ASIDE
            aside.mkdir(mode=0o700, exist_ok=True)
            os.replace(path, aside / f"{time.time_ns()}-{path.name}"[:200])
        log.error(
            "%s was set aside in %s: %s", path.name[:100].encode("ascii", "backslashreplace").decode(), aside, why
        )

    def _finish(self, path: Path, done: Done) -> None:
        """The answer first: a crash between the two means a second try, which changes nothing."""
        write_done(self._folder, path.name.removesuffix(ORDER), done)
        with named_errors(path):
            destroy(path)


def _over(known: Account | None, account: Account, order: Order) -> Account:
    """What a file says, over what is known; without tokens and key in it, those that are known stay."""
    if known is None:
        return msgspec.structs.replace(account, refreshed_at=order.at if account.tokens else None)
    named = msgspec.structs.replace(known, name=account.name or known.name, contact=account.contact or known.contact)
    if account.tokens is None and not account.key:
        return named
    return msgspec.structs.replace(
        named, platform=account.platform, tokens=account.tokens, key=account.key, secret=account.secret, refused="",
        asked_at=None, refreshed_at=order.at if account.tokens else None, permitted=False,
    )  # fmt: skip


def _is_newer(known: Account, order: Order) -> bool:
    return known.tokens is not None and known.refreshed_at is not None and known.refreshed_at > order.at


def _named(account: Account) -> str:
    return f"{account.platform} {account.shop or account.anchor} ({account.app})"


def _done(taken: int, left: list[str]) -> Done:
    more = len(left) - LEFT_SHOWN_MAX
    return Done(taken, left if more <= 0 else [*left[:LEFT_SHOWN_MAX], f"and {more:,} more"])


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0

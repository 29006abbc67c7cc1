"""The book of accounts: all of them in memory, each on disk before it is used, and told to PostgreSQL as facts."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from collectors.collector import Now
from monitor.accounts.account import Account, AccountKey
from monitor.facts import AccountFact, Heard, RosterRoom

MICROSECOND = timedelta(microseconds=1)


class Keeping(Protocol):
    """Where accounts rest: encrypted, in the spool."""

    async def load(self) -> list[Account]: ...

    async def keep(self, accounts: Iterable[Account], gone: Iterable[AccountKey] = ()) -> None:
        """On disk when it returns. Raises SpoolFull, SpoolDiskFailed."""


class Book:
    """`put` and `room` are the inbox's; `changed` is set whenever an account is new or another."""

    def __init__(self, vault: Keeping, put: Callable[[Heard], None], now: Now) -> None:
        self._vault, self._put, self._now = vault, put, now
        self._accounts: dict[AccountKey, Account] = {}
        self._index: Index | None = None  # made anew when accounts come or go
        self._missing: tuple[object, Counter[str]] | None = None  # of a roster, by platform; it goes with the index
        self._keeping = asyncio.Lock()
        self.changed = asyncio.Event()

    async def open(self) -> None:
        """Read all of them from the spool, and tell how they stand: the database may be new, a key may be another."""
        dated = [(account, self._after(account)) for account in await self._vault.load()]
        self._accounts = {account.id: msgspec.structs.replace(account, changed_at=at) for account, at in dated}
        self._index = self._missing = None
        self._tell([account.fact(at) for account, at in dated if not account.is_app])

    def get(self, app: str, shop: str, anchor: str = "") -> Account | None:
        return self._accounts.get((app, shop, anchor))

    def of(self, app: str) -> list[Account]:
        """The accounts of shops and anchors with this app."""
        return [account for account in self._accounts.values() if account.app == app and not account.is_app]

    def belonging(self, app: str, row: RosterRoom, to_shop: bool) -> Account | None:
        """The account that this row of the roster means, of its shop or of its anchor (whose id may be the room's).

        What its column `account` names goes before both.
        """
        key = self._indexed().named.get((app, row.account or (row.shop if to_shop else row.external_id)))
        return None if key is None else self._accounts[key]

    def all(self) -> list[Account]:
        return list(self._accounts.values())

    def by_id(self) -> Mapping[AccountKey, Account]:
        """All of them as they are now, without a copy: for who looks through them often."""
        return self._accounts

    async def keep(self, *accounts: Account) -> None:
        """On disk, then in use, then told: what is used is never newer than what a start would find."""
        async with self._keeping:
            await self._keep(accounts)

    async def keep_made(self, make: Callable[[], Iterable[Account]]) -> int:
        """Keep what `make` gives; it is asked when nobody else keeps anything, so it starts from what is in force.

        Returns how many these were.
        """
        async with self._keeping:
            made = list(make())
            if made:
                await self._keep(made)
            return len(made)

    async def change(self, key: AccountKey, step: Callable[[Account], Account | None]) -> Account | None:
        """Keep what `step` makes of the account as it stands when nobody else keeps anything; None: leave it.

        So an answer that took seconds never overwrites what a person linked meanwhile. Returns what is in force then;
        None: it was left, or is gone.
        """
        async with self._keeping:
            account = self._accounts.get(key)
            changed = None if account is None else step(account)
            if changed is not None:
                await self._keep((changed,))
            return None if changed is None else self._accounts[key]

    async def _keep(self, accounts: Iterable[Account]) -> None:
        dated = [(account, self._after(self._accounts.get(account.id))) for account in accounts]
        kept = [msgspec.structs.replace(account, changed_at=at) for account, at in dated]
        await self._vault.keep(kept)
        if any(account.id not in self._accounts for account in kept):
            self._index = self._missing = None
        self._accounts |= {account.id: account for account in kept}
        self._tell([account.fact(at) for account, at in dated if not account.is_app])

    async def forget(self, *accounts: Account) -> None:
        """They are gone for good: nothing of them stays but the line that says so."""
        async with self._keeping:
            await self._vault.keep((), [account.id for account in accounts])
            dated = [(account, self._after(self._accounts.pop(account.id, None))) for account in accounts]
            self._index = self._missing = None
        self._tell([msgspec.structs.replace(account.fact(at), gone=True) for account, at in dated])

    def _after(self, known: Account | None) -> datetime:
        """Now, but after what was told of it last: a clock that was set back must not make the news the older one."""
        now = self._now()
        return now if known is None or known.changed_at is None else max(now, known.changed_at + MICROSECOND)

    def _tell(self, facts: list[AccountFact]) -> None:
        self.changed.set()
        if facts:
            self._put(Heard(accounts=facts))

    @property
    def platforms(self) -> frozenset[str]:
        return self._indexed().platforms

    def counts(self, roster: object, wanted: Callable[[], Iterable[tuple[str, str]]]) -> Counter[tuple[str, str]]:
        """How many accounts of each platform stand how. `wanted`: platform and id of shops and anchors of this roster;
        those that nobody ever linked are missing, too, as in the view `account`."""
        now = self._now()
        accounts = [it for it in self._accounts.values() if not it.is_app]
        counts = Counter[tuple[str, str]]((it.platform, it.state(now)) for it in accounts)
        if self._missing is None or self._missing[0] != roster:  # thousands, that seldom change
            known = {(it.platform, name) for it in accounts for name in (it.shop, it.anchor)}
            self._missing = roster, Counter(platform for platform, _ in set(wanted()) - known)
        for platform, missing in self._missing[1].items():
            counts[platform, "missing"] += missing
        return counts

    def _indexed(self) -> "Index":
        if self._index is None:
            named = {
                (of, name): (of, shop, anchor)
                for of, shop, anchor in sorted(self._accounts, reverse=True)
                for name in (anchor, shop)
                if name
            }
            self._index = Index(named, frozenset(it.platform for it in self._accounts.values()))
        return self._index


class Index(msgspec.Struct, frozen=True):
    """What is known of accounts by their ids alone. `named`: by app and id of a shop or an anchor."""

    named: dict[tuple[str, str], AccountKey]
    platforms: frozenset[str]

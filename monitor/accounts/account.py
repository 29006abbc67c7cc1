"""One account: what a shop or an anchor granted to one of our apps, and how it stands at an instant."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from collectors.open_api import Tokens
from monitor.facts import AccountFact

EXPIRING = timedelta(days=3)  # so long before the authorisation ends people are told, where we cannot extend it
OVERDUE = timedelta(minutes=10)  # a token so near its end should have been refreshed long ago

AccountKey = tuple[str, str, str]
"""App, shop, anchor: the ids of the platform, empty where there is none. ("app", "", "") is the app itself."""

State = Literal["ok", "expiring", "refused", "missing"]


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that is kept of an account, in the spool encrypted as a whole.

    `key` and `secret` are those of a self-use app, where each shop has its own. `asked_at`: a refresh went out then,
    and its answer is not kept yet; found so after a start, the pair may be lost. `refused`: why the account will not
    have us until it is linked anew, in our own few words. `ticket` is what a platform pushes to an app itself. `link`
    is the nonce of the link that was used last. `permitted`: the platform was told that this shop's pushes shall come.
    """

    app: str
    platform: str
    shop: str
    anchor: str = ""
    name: str = ""
    contact: str = ""
    tokens: Tokens | None = None
    key: str = ""
    secret: bytes = b""
    ticket: str = ""
    link: str = ""
    permitted: bool = False
    refreshed_at: datetime | None = None
    asked_at: datetime | None = None
    refused: str = ""
    changed_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Account({self.app!r}, {self.shop!r}, {self.anchor!r})"

    @property
    def id(self) -> AccountKey:
        return self.app, self.shop, self.anchor

    @property
    def is_app(self) -> bool:
        return not self.shop and not self.anchor

    @property
    def lapses_at(self) -> datetime | None:
        """When a person must link again, unless we refresh before; None: never, or nothing is granted."""
        if self.tokens is None or self.key:
            return None
        return self.tokens.refresh_until if self.tokens.refresh else self.tokens.access_until

    def state(self, now: datetime) -> State:
        if self.refused:
            return "refused"
        if self.tokens is None:
            return "missing"
        lapses_at, access_until = self.lapses_at, self.tokens.access_until
        if lapses_at is not None and lapses_at - now < EXPIRING:
            return "expiring"
        return "expiring" if access_until is not None and access_until - now < OVERDUE else "ok"

    def fact(self, at: datetime) -> AccountFact:
        """What PostgreSQL is told: never a token, never a key."""
        tokens = self.tokens
        return AccountFact(
            app=self.app, platform=self.platform, shop=self.shop, anchor=self.anchor, name=self.name,
            contact=self.contact, at=at, granted=tokens is not None, refused=self.refused,
            access_until=None if tokens is None else tokens.access_until, lapses_at=self.lapses_at,
            refreshed_at=self.refreshed_at,
        )  # fmt: skip

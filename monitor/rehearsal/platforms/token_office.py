"""The office of a played platform that issues tokens: who holds which pair, until when, and what makes it void.

Plain and without a clock of its own: time comes as an argument. How a platform writes all this on the wire is the
business of its fake.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Why = Literal["unknown", "expired", "void", "early", "revoked"]
SECONDS_KEPT_MAX = 100_000  # of a book of calls: over a day


class Denied(Exception):
    """The office does not take this token: why."""

    def __init__(self, why: Why) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True)
class TokenRules:
    """How one platform treats pairs. Spans are seconds.

    `window_s`: refreshing works only so shortly before the access token ends (None: at any time); earlier it is denied,
    or, with `same_early`, answered with the pair as it is. `old_s`: how long the pair before stays good after a refresh
    (0: void at once). `inherits`: the new refresh token ends when the old one would have. `keeps_refresh`: the refresh
    token stays the same one for ever.
    """

    access_s: float
    refresh_s: float | None
    window_s: float | None = None
    same_early: bool = False
    old_s: float = 0.0
    inherits: bool = False
    keeps_refresh: bool = False


@dataclass
class Pair:
    shop: str
    access: str
    refresh: str
    granted_at: datetime
    access_until: datetime
    refresh_until: datetime | None
    void_from: datetime | None = None


@dataclass
class TokenOffice:
    rules: TokenRules
    revoked: set[str] = field(default_factory=set)
    by_access: dict[str, Pair] = field(default_factory=dict)
    by_refresh: dict[str, Pair] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    refreshes: int = 0

    def code(self, shop: str) -> str:
        """The owner of a shop lets an app in: a code that is good once."""
        code = secrets.token_urlsafe(12)
        self.codes[code] = shop
        self.revoked.discard(shop)
        return code

    def exchange(self, code: str, now: datetime) -> Pair:
        """Raises Denied."""
        if code not in self.codes:
            raise Denied("unknown")
        return self.issue(self.codes.pop(code), now)

    def issue(self, shop: str, now: datetime, access_until: datetime | None = None) -> Pair:
        """A pair for a shop; a test may say when its access token ends."""
        refresh_s = self.rules.refresh_s
        refresh_until = None if refresh_s is None else now + timedelta(seconds=refresh_s)
        return self._pair(shop, now, refresh_until, access_until)

    def refresh(self, refresh: str, now: datetime) -> Pair:
        """Raises Denied."""
        old, rules = self.by_refresh.get(refresh), self.rules
        if old is None:
            raise Denied("unknown")
        self._good(old, old.refresh_until, now)
        if rules.window_s is not None and now < old.access_until - timedelta(seconds=rules.window_s):
            if rules.same_early:
                return old
            raise Denied("early")
        self.refreshes += 1
        refresh_until = old.refresh_until
        if not rules.inherits and rules.refresh_s is not None:
            refresh_until = now + timedelta(seconds=rules.refresh_s)
        old.void_from = now + timedelta(seconds=rules.old_s)
        if rules.keeps_refresh:
            self.by_access[old.access] = Pair(**{**vars(old)})
            old.void_from = None
        return self._pair(old.shop, now, refresh_until, refresh=refresh if rules.keeps_refresh else "")

    def shop_of(self, access: str, now: datetime) -> str:
        """Whose access token this is. Raises Denied."""
        pair = self.by_access.get(access)
        if pair is None:
            raise Denied("unknown")
        self._good(pair, pair.access_until, now)
        return pair.shop

    def revoke(self, shop: str) -> None:
        """The owner wants no more of us."""
        self.revoked.add(shop)

    def _good(self, pair: Pair, until: datetime | None, now: datetime) -> None:
        if pair.shop in self.revoked:
            raise Denied("revoked")
        if pair.void_from is not None and now >= pair.void_from:
            raise Denied("void")
        if until is not None and now >= until:
            raise Denied("expired")

    def _pair(
        self, shop: str, now: datetime, refresh_until: datetime | None, access_until: datetime | None = None,
        refresh: str = "",
    ) -> Pair:  # fmt: skip
        until = access_until or now + timedelta(seconds=self.rules.access_s)
        pair = Pair(shop, secrets.token_hex(16), refresh or secrets.token_hex(16), now, until, refresh_until)
        self.by_access[pair.access] = self.by_refresh[pair.refresh] = pair
        return pair


@dataclass(slots=True)
class PlayedRefund:
    """`done_at`: when the money went back, where that was before the platform touched it last; else `updated_at`."""

    refund_id: str
    amount_minor: int
    updated_at: datetime
    done: bool = True
    done_at: datetime | None = None


@dataclass(slots=True)
class PlayedOrder:
    """One order of a played shop. Amounts are minor units of CNY, whatever the platform writes.

    `currency`: another one, on platforms that write it; empty: the platform's own.
    """

    order_id: str
    shop: str
    created_at: datetime
    updated_at: datetime
    amount_minor: int
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    room: str = ""
    author: str = ""
    product: str = "p1"
    title: str = "苹果"
    units: int = 1
    buyer: str = "buyer"
    currency: str = ""
    refunds: list[PlayedRefund] = field(default_factory=list)


@dataclass
class CallBook:
    """Who called what and when: the pace that a test judges, and the limits that the platform enforces.

    `per_s`: so many calls in one second of the clock are answered, the rest is told that it is too fast. `quota`: so
    many calls of one name in a day.
    """

    per_s: float | None = None
    quota: dict[str, int] = field(default_factory=dict)
    addresses: frozenset[str] = frozenset()  # empty: from everywhere
    skew_s: float | None = None
    by_second: dict[int, int] = field(default_factory=dict)
    by_name: dict[str, int] = field(default_factory=dict)

    def take(self, name: str, now: datetime) -> Literal["ok", "rate", "quota"]:
        second = int(now.timestamp())
        self.by_second[second] = self.by_second.get(second, 0) + 1
        if len(self.by_second) > SECONDS_KEPT_MAX:
            del self.by_second[next(iter(self.by_second))]
        self.by_name[name] = self.by_name.get(name, 0) + 1
        if self.per_s is not None and self.by_second[second] > self.per_s:
            return "rate"
        return "quota" if self.by_name[name] > self.quota.get(name, 1 << 60) else "ok"

    def address_ok(self, address: str) -> bool:
        return not self.addresses or address in self.addresses

    def clock_ok(self, at: datetime, now: datetime) -> bool:
        return self.skew_s is None or abs((at - now).total_seconds()) <= self.skew_s

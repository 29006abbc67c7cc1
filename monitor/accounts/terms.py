"""On what terms one of our apps is called: its rules, its addresses, its rate, as the config says now."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from collectors.hook import App
from collectors.open_api import Caller, OpenApi, Tokens
from monitor.accounts.account import Account


class Terms(msgspec.Struct, frozen=True):
    """`origins`: those of addresses that the config names itself; only these may be private, and plain http."""

    app: App
    api: OpenApi
    base: str
    auth_base: str
    calls_per_s: float
    name_calls_per_s: Mapping[str, float]
    origins: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"Terms({self.app.name!r})"

    def rate_of(self, name: str) -> float:
        """At most so many calls of this name a second."""
        return min(self.calls_per_s, self.name_calls_per_s.get(name, self.calls_per_s))

    def caller(self, account: Account | None, app_tokens: Tokens | None) -> Caller:
        """In whose name a call of this account goes out; None: in that of the app alone."""
        if account is None:
            return Caller(self.app, self.base, self.auth_base, app_tokens=app_tokens)
        app = self.app
        if account.key:
            # One key and one secret is all that a shop of its own has.
            app = msgspec.structs.replace(
                app, key=account.key, secrets=(account.secret,), app_secrets=(), sign_secrets=()
            )
        return Caller(app, self.base, self.auth_base, account.shop, account.tokens, app_tokens)


def terms_of(
    app: App, api: OpenApi, api_url: str = "", auth_url: str = "", calls_per_s: float | None = None,
    name_calls_per_s: Mapping[str, float] | None = None,
) -> Terms:  # fmt: skip
    """What is left out is as the platform's rules have it. An `api_url` alone is where it is authorised, too."""
    given = [url.rstrip("/") for url in (api_url, auth_url) if url]
    base = api_url.rstrip("/") or api.BASE
    auth_base = auth_url.rstrip("/") or (base if api_url else api.AUTH_BASE)
    return Terms(
        app, api, base, auth_base, calls_per_s or api.CALLS_PER_S,
        {**api.NAME_CALLS_PER_S, **(name_calls_per_s or {})}, frozenset(origin_of(url) for url in given),
    )  # fmt: skip


def origin_of(url: str) -> str:
    """Scheme, host and port, in one way of writing. Raises ValueError."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"

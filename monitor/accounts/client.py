"""The client that platform calls go through: in whose name it asks, and what becomes of an account by the answer."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import msgspec

from collectors.collector import Now
from collectors.open_api import Caller, Tokens, Verdict
from monitor.accounts.account import Account, AccountKey
from monitor.accounts.book import Book
from monitor.accounts.budget import Urgency
from monitor.accounts.exchange import Exchange, Make, Outcome
from monitor.accounts.failed import AccountRefused, CallFailed, Transport
from monitor.accounts.terms import Terms

__all__ = ["AccountRefused", "CallFailed", "Client", "Make", "Urgency"]

NEVER_LINKED = "it was never linked"
REVOKED = "revoked on the platform"

Renew = Callable[[AccountKey, Tokens | None], Awaitable[Account]]
"""New tokens for those in force; see Refresher.renew."""


class Client:
    """`terms` may be set anew at any time (a rotated secret, a new app). `called` counts: app, name, verdict.

    `renew` is set by the refresher, which asks through this client, too.
    """

    def __init__(
        self, terms: Mapping[str, Terms], book: Book, transport: Transport, now: Now,
        called: Callable[[str, str, Verdict], None],
    ) -> None:  # fmt: skip
        self.terms, self.book, self._now = terms, book, now
        self.exchange = Exchange(transport, called)
        self.renew: Renew = _nobody_renews

    async def ask(self, app: str, shop: str, make: Make, anchor: str = "", urgency: Urgency = Urgency.DETAIL) -> bytes:
        """The body of an answer that holds what was asked for, in the name of this account.

        Raises CallFailed, and AccountRefused: then nothing was called, or the platform has just said so.
        """
        account = self.standing(app, shop, anchor)
        if account.tokens is None or ended(account.tokens, self._now()):
            account = await self.renew(account.id, account.tokens)
        outcome = await self._ask(account, make, urgency)
        if outcome.judged.verdict == "token":
            await self.renew(account.id, outcome.caller.tokens)
            outcome = await self._ask(account, make, urgency)
        if outcome.judged.verdict == "revoked":
            await self._revoked(account.id, outcome.caller.tokens)
            raise AccountRefused(REVOKED)
        return _body(outcome)

    async def send(self, app: str, make: Make, urgency: Urgency = Urgency.LINK) -> bytes:
        """The body of an answer to a call in the name of the app alone (a code for tokens).

        Raises CallFailed; AccountRefused where the app itself must be authorised first and is not.
        """
        terms = self.terms_of(app)
        if terms.api.APP_HAS_TOKENS:
            await self.app_ready(app)
        outcome = await self.exchange.go(terms, lambda: self.caller_of(app, None), make, urgency)
        if outcome.judged.verdict == "token" and terms.api.APP_HAS_TOKENS:
            await self.renew((app, "", ""), outcome.caller.app_tokens)
            outcome = await self.exchange.go(terms, lambda: self.caller_of(app, None), make, urgency)
        return _body(outcome)

    async def app_ready(self, app: str) -> None:
        """See that the app's own tokens are good for a call. Raises CallFailed, AccountRefused."""
        account = self.book.get(app, "") or await self._first_seen(app)
        if account.tokens is None or ended(account.tokens, self._now()):
            await self.renew(account.id, account.tokens)

    async def _first_seen(self, app: str) -> Account:
        """The app's own account, where its key alone is enough for tokens; else a ticket of the platform begins it."""
        terms = self.terms_of(app)
        if terms.api.app_grant(self.caller_of(app, None), "", self._now()) is None:
            raise CallFailed("app", "no_ticket", 60.0)
        account = Account(app, terms.api.PLATFORM, "")
        await self.book.keep(account)
        return account

    def wait_s(self, app: str) -> float:
        """So long at the least nothing of this app is called; 0: it may be."""
        return self.exchange.wait_s(self.terms[app]) if app in self.terms else 0.0

    def breaker_states(self) -> Counter[tuple[str, str]]:
        return self.exchange.breaker_states()

    # --- for the refresher and the quotas, too -----------------------------------------------------------------------

    def terms_of(self, app: str) -> Terms:
        if app not in self.terms:
            raise CallFailed("app", "unknown_app", 60.0)
        return self.terms[app]

    def standing(self, app: str, shop: str, anchor: str = "") -> Account:
        """The account as it is now, if it may be called. Raises AccountRefused."""
        account = self.book.get(app, shop, anchor)
        if account is None or (account.tokens is None and not account.key and not account.is_app):
            raise AccountRefused(NEVER_LINKED)
        if account.refused:
            raise AccountRefused(account.refused)
        return account

    def caller_of(self, app: str, account: Account | None) -> Caller:
        """In whose name a call goes out at this instant; None: in that of the app alone."""
        terms = self.terms_of(app)
        app_account = self.book.get(app, "") if terms.api.APP_HAS_TOKENS else None
        return terms.caller(account, None if app_account is None else app_account.tokens)

    async def _ask(self, account: Account, make: Make, urgency: Urgency) -> Outcome:
        # While it waits for its turn the account may be refreshed, linked anew or revoked.
        return await self.exchange.go(
            self.terms_of(account.app), lambda: self.caller_of(account.app, self.standing(*account.id)), make, urgency
        )

    async def _revoked(self, key: AccountKey, tokens: Tokens | None) -> None:
        """What was linked anew in the meantime is not meant."""
        await self.book.change(
            key,
            lambda it: msgspec.structs.replace(it, refused=REVOKED, asked_at=None) if it.tokens == tokens else None,
        )


def ended(tokens: Tokens, now: datetime) -> bool:
    return tokens.access_until is not None and tokens.access_until <= now


def _body(outcome: Outcome) -> bytes:
    judged = outcome.judged
    if judged.verdict != "ok":
        raise CallFailed(judged.verdict, judged.detail, judged.wait_s)
    return outcome.body


async def _nobody_renews(_key: AccountKey, _tokens: Tokens | None) -> Account:
    raise CallFailed("broken", "no_refresher", 1.0)

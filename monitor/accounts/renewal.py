"""One account's tokens for new ones: what is asked, what is on disk before and after, and what a refusal means.

A platform may void the old pair the instant it answers. So it is on disk that we ask before the call leaves, and what
came is on disk before anybody uses it. What dies between the two is one pair, and the account says so.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import msgspec

from collectors.collector import Now
from collectors.open_api import Call, Caller, Tokens
from monitor.accounts.account import OVERDUE, Account
from monitor.accounts.budget import Urgency
from monitor.accounts.client import NEVER_LINKED, REVOKED, Client, ended
from monitor.accounts.exchange import NO_CALL_S, Outcome
from monitor.accounts.failed import AccountRefused, CallFailed, NotUnderstood, understood
from monitor.store.disk import SpoolFull

log = logging.getLogger(__name__)

EARLY_S_MAX = 600.0  # so far into a platform's window a denial may only mean that its clock is behind ours
NOT_UNDERSTOOD_S = 300.0
FULL_S = 1.0

NOT_TAKEN = "its own key or secret is not taken: import it again"
VOID = "its tokens are void: link again"
EXPIRED = "expired, nothing could extend it in time: link again"

Step = Callable[[Account], Account]


class Superseded(Exception):
    """While it waited for its turn the account was linked anew, refused or forgotten."""


class Renewal:
    """`began_at`: when this life of the monitor began. What was asked before and has no answer fell to a crash."""

    def __init__(self, client: Client, now: Now) -> None:
        self._client, self._book, self._now = client, client.book, now
        self.began_at = now()

    def by_itself(self, account: Account) -> bool:
        """Whether new tokens need no old ones: they are granted for a key of its own, or for the ticket of the app."""
        caller = self._client.caller_of(account.app, account)
        return self._made(lambda: self._by_itself(account, caller)) is not None

    def _made(self, make: Callable[[], Call | None]) -> Call | None:
        """Raises CallFailed where the rules trip over what the app lacks."""
        try:
            return understood(make)
        except NotUnderstood as error:
            raise CallFailed("app", "no_call", NO_CALL_S) from error

    def call_of(self, account: Account) -> Call | None:
        """What would be asked at this instant; None: nothing can be. Raises CallFailed."""
        caller = self._client.caller_of(account.app, account)
        return self._made(lambda: self._by_itself(account, caller) or self._by_pair(account, caller))

    def _by_itself(self, account: Account, caller: Caller) -> Call | None:
        api = self._client.terms_of(account.app).api
        if account.is_app:
            return api.app_grant(caller, account.ticket, self._now())
        return api.own(caller, self._now()) if account.key else None

    def _by_pair(self, account: Account, caller: Caller) -> Call | None:
        if account.tokens is None or not account.tokens.refresh:
            return None
        return self._client.terms_of(account.app).api.refresh(caller, self._now())

    async def renew(self, account: Account, again: bool) -> Account:
        """The account with new tokens, which are on disk by then. `again`: this is a second try.

        Raises AccountRefused, which is on disk by then, and CallFailed.
        """
        if self.call_of(account) is None:
            raise await self._cannot(account)
        pair = not self.by_itself(account)
        terms = self._client.terms_of(account.app)
        if pair and terms.api.APP_HAS_TOKENS:
            await self._app_ready(account.app)
        asking = self._asking if pair else self._unchanged
        try:
            outcome = await self._client.exchange.go(
                terms, lambda: self._client.caller_of(account.app, account), lambda _: self._call(account),
                Urgency.REFRESH, before=lambda: asking(account), again=again and not self._urgent(account),
            )  # fmt: skip
        except Superseded:
            return self._as_it_is(account)
        if outcome.judged.verdict != "ok":
            raise await (self._denied(account, outcome) if pair else self._not_granted(account, outcome))
        tokens = self._tokens(account, outcome.body)
        return await self._settle(
            account,
            lambda it: msgspec.structs.replace(it, tokens=tokens, asked_at=None, refreshed_at=self._now()),
        ) or self._as_it_is(account)

    def _call(self, account: Account) -> Call:
        call = self.call_of(self._book.get(*account.id) or account)  # its ticket may be a newer one by now
        if call is None:
            raise CallFailed("broken", "superseded", 1.0)
        return call

    async def _app_ready(self, app: str) -> None:
        """Its pair can only be refreshed in the name of an app that is authorised itself."""
        try:
            await self._client.app_ready(app)
        except AccountRefused as refused:
            raise CallFailed("app", "no_ticket", 60.0) from refused

    async def _app_again(self, app: str, tokens: Tokens | None) -> None:
        """Others than these for the app itself, before its shops try again."""
        with suppress(CallFailed, AccountRefused):  # whoever tries again meets the same, and says so
            await self._client.renew((app, "", ""), tokens)

    async def _asking(self, account: Account) -> None:
        """It is on disk that this pair is asked for."""
        try:
            kept = await self._book.change(account.id, lambda it: self._asked(it, account.tokens))
        except SpoolFull as error:
            raise CallFailed("broken", "spool_full", FULL_S) from error
        if kept is None:
            raise Superseded

    def _asked(self, it: Account, tokens: Tokens | None) -> Account | None:
        if it.tokens != tokens or it.refused:
            return None
        return msgspec.structs.replace(it, asked_at=it.asked_at or self._now())

    async def _unchanged(self, account: Account) -> None:
        it = self._book.get(*account.id)
        if it is None or it.tokens != account.tokens or it.refused:
            raise Superseded

    def _tokens(self, account: Account, body: bytes) -> Tokens:
        api = self._client.terms_of(account.app).api
        try:
            return understood(lambda: api.granted(body, account.tokens, self._now()).tokens)
        except NotUnderstood as error:
            # This pair may be lost; the others must not follow it, so the whole app is held up.
            log.error("app %s: what a refresh brought cannot be understood: %s", account.app, error)
            raise CallFailed("broken", "not_understood", NOT_UNDERSTOOD_S) from None

    # --- refusals ----------------------------------------------------------------------------------------------------

    async def _cannot(self, account: Account) -> AccountRefused | CallFailed:
        """It has ended, or a call said that it is not good any more, and nothing brings a new one but a person."""
        if account.is_app:
            return CallFailed("app", "no_ticket", 60.0)
        if account.tokens is None:
            return AccountRefused(NEVER_LINKED)
        return await self._refuse(account, EXPIRED if ended(account.tokens, self._now()) else VOID)

    async def _denied(self, account: Account, outcome: Outcome) -> AccountRefused | CallFailed:
        """A pair was not refreshed."""
        judged = outcome.judged
        failed = CallFailed(judged.verdict, judged.detail, judged.wait_s)
        match judged.verdict:
            case "revoked" if account.asked_at is None:
                return await self._refuse(account, REVOKED)
            case "token" if self._client.terms_of(account.app).api.APP_HAS_TOKENS:
                # The app's own token was not good; this pair was not even looked at (a void one is said to be revoked).
                await self._not_asked(account)
                await self._app_again(account.app, outcome.caller.app_tokens)
                return failed
            case "token" if (early_s := self._early_s(account)) > 0:
                await self._not_asked(account)
                return CallFailed("token", judged.detail, early_s)
            case "token" | "revoked":
                return await self._refuse(account, self._lost(account))
        if self._over(account):
            return await self._refuse(account, EXPIRED)
        if judged.verdict != "broken" or not outcome.sent:
            await self._not_asked(account)
        return failed

    async def _not_granted(self, account: Account, outcome: Outcome) -> AccountRefused | CallFailed:
        """A key of its own, or the ticket of the app, brought nothing."""
        judged = outcome.judged
        if judged.verdict == "revoked" and not account.is_app:
            return await self._refuse(account, REVOKED)
        if judged.verdict == "app" and not account.is_app:
            return await self._refuse(account, NOT_TAKEN)
        return CallFailed(judged.verdict, judged.detail, judged.wait_s)

    def _lost(self, account: Account) -> str:
        """Why its pair is void, as far as we know."""
        if account.asked_at is None:
            return VOID
        how = "by a crash" if account.asked_at < self.began_at else "for want of an answer"
        return f"its pair was lost in flight {how} at {account.asked_at:%Y-%m-%dT%H:%M:%SZ}: link again"

    def _over(self, account: Account) -> bool:
        tokens, now = account.tokens, self._now()
        return (
            tokens is not None and ended(tokens, now)
            and tokens.refresh_until is not None and tokens.refresh_until <= now
        )  # fmt: skip

    def _early_s(self, account: Account) -> float:
        """How long to wait until a denial can no longer mean that we are too early; 0: it cannot."""
        window_s, tokens = self._client.terms_of(account.app).api.REFRESH_WINDOW_S, account.tokens
        if window_s is None or tokens is None or tokens.access_until is None:
            return 0.0
        sure_at = tokens.access_until - timedelta(seconds=window_s - min(EARLY_S_MAX, window_s / 2))
        return (sure_at - self._now()).total_seconds()

    def _urgent(self, account: Account) -> bool:
        """So near the end that the budget of second tries must not stand in the way."""
        tokens = account.tokens
        return tokens is None or tokens.access_until is None or tokens.access_until - self._now() < OVERDUE

    # --- keeping -----------------------------------------------------------------------------------------------------

    async def _refuse(self, account: Account, why: str) -> AccountRefused | CallFailed:
        kept = await self._settle(account, lambda it: msgspec.structs.replace(it, refused=why, asked_at=None))
        return AccountRefused(why) if kept is not None else CallFailed("broken", "superseded", 1.0)

    async def _not_asked(self, account: Account) -> None:
        """The platform did nothing: what was asked before this call, if anything, stays what is in flight."""
        await self._settle(account, lambda it: msgspec.structs.replace(it, asked_at=account.asked_at))

    async def _settle(self, account: Account, step: Step) -> Account | None:
        """Keep what the answer changed, however long the disk is full; None: other tokens are in force meanwhile."""
        while True:
            try:
                return await self._book.change(account.id, lambda it: step(it) if it.tokens == account.tokens else None)
            except SpoolFull:
                await asyncio.sleep(FULL_S)

    def _as_it_is(self, account: Account) -> Account:
        it = self._book.get(*account.id)
        if it is None or it.tokens is None:
            raise AccountRefused(NEVER_LINKED)
        if it.refused:
            raise AccountRefused(it.refused)
        return it

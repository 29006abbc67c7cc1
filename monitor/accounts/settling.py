"""What is still to be asked of a platform once, after an account was linked or came as a file: until then it is not
whole, or its pushes do not come."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence

import msgspec

from collectors.collector import BadFrame, Now
from collectors.open_api import Call, Caller, Completing, OpenApi
from monitor.accounts.account import Account, AccountKey
from monitor.accounts.client import Client, Urgency
from monitor.accounts.failed import AccountRefused, CallFailed, NotUnderstood, understood
from monitor.store.disk import SpoolFull

log = logging.getLogger(__name__)
LOOK_S = 2.0
AT_ONCE = 50  # of them asked for, one after the other
WHOLE_AT_ONCE = 500  # looked at in one round; those of whom nothing is asked are one write
AGAIN_S, AGAIN_S_MAX = 5.0, 600.0


class Settling:
    def __init__(self, client: Client, now: Now, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._client, self._book, self._now, self._sleep = client, client.book, now, sleep
        self._again: dict[AccountKey, tuple[float, float]] = {}  # when to try again, and how long it was put off
        self._settled: dict[AccountKey, Account] = {}  # as they were found to be: only what changed is looked at

    async def run(self) -> None:
        """Look after new accounts until cancelled."""
        while True:
            await self.round(asyncio.get_running_loop().time())
            await self._sleep(LOOK_S)

    async def round(self, at_s: float) -> None:
        """All that are not settled and may be tried at this instant."""
        due = [it for it in self._unsettled() if self._again.get(it.id, (0.0, 0.0))[0] <= at_s]
        asked, others = list[Account](), list[Account]()
        for account in due[:WHOLE_AT_ONCE]:
            (others if self._needs_nothing(account) else asked).append(account)
        for account in asked[:AT_ONCE]:
            try:
                await self._settle(account)
                self._again.pop(account.id, None)
            except (CallFailed, AccountRefused, NotUnderstood, SpoolFull) as error:
                self._put_off(account, error, at_s)
        if others:
            await self._let_in(others, at_s)

    def _unsettled(self) -> list[Account]:
        """An account that changes is another object."""
        apps = self._client.terms
        completing = {app for app, terms in apps.items() if isinstance(terms.api, Completing)}
        accounts, found = self._book.by_id(), list[Account]()
        for key, account in accounts.items():
            if self._settled.get(key) is account:
                continue
            if self._is_open(account, completing):
                found.append(account)
            elif account.app in apps:
                self._settled[key] = account
        if len(self._settled) > len(accounts):  # of those that are forgotten nothing stays
            self._settled = {key: it for key, it in self._settled.items() if key in accounts}
        return found

    def _is_open(self, account: Account, completing: Collection[str]) -> bool:
        if account.tokens is None or account.refused or account.is_app or account.app not in self._client.terms:
            return False
        if not account.permitted or account.app not in completing:
            return not account.permitted
        try:
            return self._incomplete(account)
        except NotUnderstood:
            return True  # that is said, and put off, where it is looked after

    def _needs_nothing(self, account: Account) -> bool:
        """There is nothing to be asked of the platform."""
        try:
            caller = self._client.caller_of(account.app, account)
            permit = understood(lambda: self._client.terms_of(account.app).api.permit(caller, self._now()))
            return permit is None and not self._incomplete(account)
        except (CallFailed, NotUnderstood):  # the app was taken out meanwhile; what trips is said where it is asked
            return False

    async def _let_in(self, accounts: Sequence[Account], at_s: float) -> None:
        """As they stand when nobody else keeps anything; thousands that come in one file are no thousand writes."""

        def permitted() -> list[Account]:
            now = [it for account in accounts if (it := self._book.get(*account.id)) is not None]
            return [msgspec.structs.replace(it, permitted=True) for it in now if self._needs_nothing(it)]

        try:
            await self._book.keep_made(permitted)
            for account in accounts:
                self._again.pop(account.id, None)
        except SpoolFull as error:
            for account in accounts:
                self._put_off(account, error, at_s)

    def _incomplete(self, account: Account) -> bool:
        """Raises NotUnderstood."""
        api = self._client.terms_of(account.app).api
        if not isinstance(api, Completing):
            return False
        caller = self._client.caller_of(account.app, account)
        return understood(lambda: api.complete(caller, self._now())) is not None

    async def _settle(self, account: Account) -> None:
        api: OpenApi = self._client.terms_of(account.app).api
        if isinstance(api, Completing) and self._incomplete(account):
            await self._complete(account, api)
        caller = self._client.caller_of(account.app, self._book.get(*account.id))
        if understood(lambda: api.permit(caller, self._now())) is not None:
            await self._ask(account, lambda caller: api.permit(caller, self._now()))
        await self._book.change(account.id, lambda it: msgspec.structs.replace(it, permitted=True))

    async def _complete(self, account: Account, api: Completing) -> None:
        body = await self._ask(account, lambda caller: api.complete(caller, self._now()))
        caller = self._client.caller_of(account.app, self._book.get(*account.id))
        grant = understood(lambda: api.completed(caller, body))
        if grant.shop not in ("", account.shop):
            raise NotUnderstood("other_shop")

        def completed(it: Account) -> Account | None:
            """A pair that was refreshed in the meantime is asked for in the next round."""
            if it.tokens is None or caller.tokens is None or it.tokens.access != caller.tokens.access:
                return None
            return msgspec.structs.replace(it, tokens=grant.tokens, name=grant.name or it.name)

        await self._book.change(account.id, completed)

    async def _ask(self, account: Account, make: Callable[[Caller], Call | None]) -> bytes:
        def some(caller: Caller) -> Call:
            call = make(caller)
            if call is None:
                raise BadFrame("settled: somebody was faster")
            return call

        return await self._client.ask(account.app, account.shop, some, account.anchor, Urgency.LINK)

    def _put_off(self, account: Account, error: Exception, at_s: float) -> None:
        """Said once an account; a refusal for good is for the book, not for us."""
        put_off_s = min(max(self._again.get(account.id, (0.0, 0.0))[1] * 2, AGAIN_S), AGAIN_S_MAX)
        if account.id not in self._again:
            log.warning(
                "account %s/%s of app %s is not settled yet: %s", account.platform, account.shop, account.app, error
            )
        self._again[account.id] = (at_s + put_off_s, put_off_s)

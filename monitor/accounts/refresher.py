"""Keeps every account's tokens alive: all that is due, in time, each once, whoever else wants it renewed."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from collectors.collector import Now
from collectors.open_api import Tokens
from monitor.accounts.account import Account, AccountKey
from monitor.accounts.client import NEVER_LINKED, Client, ended
from monitor.accounts.failed import AccountRefused, CallFailed
from monitor.accounts.refresh_plan import Due, refresh_due, soon
from monitor.accounts.renewal import Renewal
from monitor.accounts.terms import Terms

PLAN_S, TICK_S = 10.0, 0.5
STOP_S_MAX = 5.0
BACKOFF_S, BACKOFF_S_MAX = 0.5, 60.0
FUTILE_S, FUTILE_S_MAX = 5.0, 600.0
DOUBLINGS_MAX = 16

Refreshed = Literal["ok", "failed", "refused"]
Result = Account | AccountRefused | CallFailed


class Trial(msgspec.Struct):
    """How it went with one account lately: failures in a row, and when to try again, in seconds of the loop.

    `went`: at least one of them was a call that left us. `forced`: how often it was renewed since a call found its
    token bad, though it was not due.
    """

    failures: int = 0
    again_s: float = 0.0
    went: bool = False
    forced: int = 0
    forced_again_s: float = float("-inf")


class Refresher:
    """`refreshed` counts: app, outcome. All that want one account renewed at a time share one call."""

    def __init__(
        self, client: Client, now: Now, refreshed: Callable[[str, Refreshed], None],
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:  # fmt: skip
        self._client, self._book, self._now = client, client.book, now
        self._refreshed, self._uniform = refreshed, uniform
        self._renewal = Renewal(client, now)
        self._flights: dict[AccountKey, asyncio.Task[Result]] = {}
        self._trials: dict[AccountKey, Trial] = {}
        self._paused_s: dict[str, float] = {}
        self._planned: dict[AccountKey, tuple[Account, Due | None]] = {}
        self._group: asyncio.TaskGroup | None = None
        client.renew = self.renew

    # --- for those that ask ------------------------------------------------------------------------------------------

    async def renew(self, key: AccountKey, tokens: Tokens | None) -> Account:
        """The account with other tokens than these: they are asked for, unless that has just been done.

        Cancelling who waits here cancels nothing but the waiting. Raises AccountRefused, CallFailed.
        """
        account = self._book.get(*key)
        if account is None:
            raise AccountRefused(NEVER_LINKED)
        if account.refused:
            raise AccountRefused(account.refused)
        if account.tokens is not None and account.tokens != tokens and not ended(account.tokens, self._now()):
            return account
        flight = self._flights.get(key) or self._forced(account)
        await asyncio.wait([flight])
        if flight.cancelled() or flight.exception() is not None:
            raise CallFailed("broken", "stopping", 1.0)
        result = flight.result()
        if isinstance(result, Exception):
            raise result
        return result

    def _forced(self, account: Account) -> asyncio.Task[Result]:
        """A token that is bad though it was just renewed is not renewed again and again."""
        trial, now_s = self._trials.setdefault(account.id, Trial()), _now_s()
        wait_s = max(trial.again_s, trial.forced_again_s) - now_s
        if self._group is not None and wait_s > 0:
            raise CallFailed("token", "renewed_lately", wait_s)
        if account.tokens is not None and not ended(account.tokens, self._now()):
            trial.forced = 0 if now_s - trial.forced_again_s > FUTILE_S_MAX else trial.forced + 1
            rest_s = min(FUTILE_S_MAX, FUTILE_S * 2.0 ** min(trial.forced, DOUBLINGS_MAX))
            trial.forced_again_s = now_s + rest_s
        return self._start(account)

    # --- the task ----------------------------------------------------------------------------------------------------

    async def work(self, until: asyncio.Event) -> None:
        """Refresh what is due until then. What is under way may still bring its answer home, for a few seconds."""
        self._renewal.began_at = self._now()
        async with asyncio.TaskGroup() as self._group:
            tending = self._group.create_task(self._tend(), name="refresher")
            try:
                await until.wait()
            finally:
                self._group = None
            tending.cancel()
            if self._flights:
                await asyncio.wait(list(self._flights.values()), timeout=STOP_S_MAX)
            for flight in self._flights.values():
                flight.cancel()

    async def _tend(self) -> None:
        planned_s, plan = float("-inf"), dict[str, list[Due]]()
        while True:
            if _now_s() - planned_s >= PLAN_S:
                planned_s, plan = _now_s(), self._plan()
            for app, dues in plan.items():
                self._launch(app, dues)
            await asyncio.sleep(TICK_S)

    def _plan(self) -> dict[str, list[Due]]:
        """Those of each app whose time comes before the next plan, most urgent first."""
        accounts = self._book.by_id()
        for key, account in accounts.items():
            planned = self._planned.get(key)
            if planned is None or planned[0] is not account:
                with suppress(CallFailed):  # its app is gone, or lacks what a call needs: looked at again next time
                    self._planned[key] = account, self._due(account)
        for key in self._planned.keys() - accounts.keys():
            del self._planned[key]
            self._trials.pop(key, None)
        dues = dict[str, list[Due]]()
        for account, due in self._planned.values():
            if due is not None and account.app in self._client.terms:
                dues.setdefault(account.app, []).append(due)
        within = timedelta(seconds=PLAN_S)
        return {
            app: soon(them, self._rate(self._client.terms[app], them), self._now(), within)
            for app, them in dues.items()
        }

    def _due(self, account: Account) -> Due | None:
        api, renewable = self._client.terms_of(account.app).api, self._renewal.by_itself(account)
        return refresh_due(account, api, self._now(), renewable)

    def _rate(self, terms: Terms, dues: list[Due]) -> float:
        """How many of them may be refreshed a second: all of one app are refreshed by a call of one name."""
        with suppress(CallFailed):
            call = self._renewal.call_of(self._planned[dues[-1].key][0])
            if call is not None:
                return terms.rate_of(call.name)
        return terms.calls_per_s

    def _seconds_to(self, at: datetime) -> float:
        return (at - self._now()).total_seconds()

    def _launch(self, app: str, dues: list[Due]) -> None:
        """As many of them as keep the app's budget busy; the rest waits here, where the most urgent goes first."""
        if app not in self._client.terms:
            return  # it was taken out of the config since
        now_s, free = _now_s(), int(max(16.0, 4 * self._client.terms_of(app).calls_per_s)) - self._under_way()[app]
        for due in dues:
            if free <= 0 or self._paused_s.get(app, 0.0) > now_s:
                return
            account, trial = self._book.get(*due.key), self._trials.get(due.key)
            if (
                account is not None
                and account is self._planned[due.key][0]  # else it was renewed since, or linked anew
                and due.key not in self._flights
                and (trial is None or trial.again_s <= now_s)
                and self._seconds_to(due.from_at) <= 0
            ):
                self._start(account)
                free -= 1

    def _under_way(self) -> Counter[str]:
        return Counter(app for app, _, _ in self._flights)

    # --- one account -------------------------------------------------------------------------------------------------

    def _start(self, account: Account) -> asyncio.Task[Result]:
        if self._group is None:
            raise CallFailed("broken", "no_refresher", 1.0)
        flight = self._group.create_task(self._fly(account), name="refresh")
        self._flights[account.id] = flight
        flight.add_done_callback(lambda _: self._flights.pop(account.id, None))
        return flight

    async def _fly(self, account: Account) -> Result:
        trial = self._trials.setdefault(account.id, Trial())
        try:
            renewed = await self._renewal.renew(account, trial.went)
            due = self._due(renewed)
        except AccountRefused as refused:
            self._refreshed(account.app, "refused")
            return refused
        except CallFailed as failed:
            self._refreshed(account.app, "failed")
            self._put_off(account, trial, failed)
            return failed
        self._refreshed(account.app, "ok")
        if due is not None and self._seconds_to(due.from_at) <= 0:  # what was granted is no newer: no haste
            self._put_off(account, trial, CallFailed("broken", "not_newer"))
        else:
            trial.failures, trial.again_s, trial.went = 0, 0.0, False
        return renewed

    def _put_off(self, account: Account, trial: Trial, failed: CallFailed) -> None:
        """Full jitter, and not sooner than the platform said. What holds for the whole app holds up all of it."""
        ceiling_s = min(BACKOFF_S_MAX, BACKOFF_S * 2.0 ** min(trial.failures, DOUBLINGS_MAX))
        wait_s = max(self._uniform(0.0, ceiling_s), failed.wait_s)
        match failed.detail:
            case "breaker_open" | "not_understood" | "no_ticket" if not account.key:
                self._paused_s[account.app] = _now_s() + wait_s
            case "queue_full" | "retry_budget":
                trial.again_s = _now_s() + wait_s
            case _:
                trial.failures += 1
                trial.went = True
                trial.again_s = _now_s() + wait_s


def _now_s() -> float:
    return asyncio.get_running_loop().time()

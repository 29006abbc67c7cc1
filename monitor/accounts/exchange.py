"""One call of a platform, from the wait for its turn to what its answer says of the host, the key and the pace."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from collectors.open_api import Answer, Call, Caller, Judged, Verdict
from collectors.request import told_s
from monitor.accounts.breaker import REFUSALS, Breaker, Breakers, RetryBudget, Why
from monitor.accounts.budget import REST_S_MAX, Bucket, Urgency
from monitor.accounts.failed import AccountRefused, CallFailed, NotAnswered, NotUnderstood, Transport, understood
from monitor.accounts.terms import Terms
from monitor.accounts.turns import QueueFull, Turns

log = logging.getLogger(__name__)
USED_MAX = 20_000
NO_CALL_S = 60.0
ADDRESSES_KEPT = 1_000  # a platform's calls have some dozens; what is known of them is not found out for each call

SAID: dict[Why, str] = {
    "broken": "does not answer as it should",
    "app": "does not take the app's key, its secret or its signature",
    "address": "does not have our address on the app's list",
    "clock": "finds our clock too far off",
}

Make = Callable[[Caller], Call]
"""Builds a call of the platform's rules for this caller. It is asked once to learn the call's name, and, if that had to
wait for its turn, again at the moment of sending, so that stamps are fresh and the tokens are those in force then: it
has no effects."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of a call that was sent, or nearly: `sent` is False if certainly nothing of it left us."""

    caller: Caller
    judged: Judged
    body: bytes = b""
    sent: bool = True


class Line(NamedTuple):
    """What has a pace of its own: one name of a call, of an app's key. Of a self-use app each shop has its own key."""

    app: str
    key: str
    name: str


class Used(msgspec.Struct, frozen=True):
    """A call that was sent lately: on what terms, and in whose name it would go now."""

    terms: Terms
    caller_now: Callable[[], Caller]


class Exchange:
    """`called` counts: app, name, verdict. No address and no body is ever logged."""

    def __init__(self, transport: Transport, called: Callable[[str, str, Verdict], None]) -> None:
        self._transport, self._called = transport, called
        self._turns: dict[tuple[str, str], tuple[tuple[float, Mapping[str, float]], Turns]] = {}
        self._hosts, self._keys = Breakers(), Breakers()
        self._retries: defaultdict[str, RetryBudget] = defaultdict(RetryBudget)
        self.used: dict[Line, Used] = {}
        self.stirred: dict[Line, bool] = {}
        """Those that were new among them, or were found too fast (True), since somebody took them out of it."""

    async def go(
        self, terms: Terms, caller_now: Callable[[], Caller], make: Make, urgency: Urgency,
        before: Callable[[], Awaitable[None]] | None = None, again: bool = False,
    ) -> Outcome:  # fmt: skip
        """Send one call when its turn comes.

        `before` is awaited right before the call leaves: what must be on disk by then. `again`: this is a second try,
        of which there are few. Raises CallFailed where nothing was sent and `before` was not awaited, and what
        `caller_now`, `make` and `before` raise.
        """
        app, caller, made_s = terms.app.name, caller_now(), _now_s()
        call = _made(terms, make, caller)
        host, key = self._hosts[app, _host_of(call.url)], self._keys[app, caller.app.key]
        _closed(host, key)
        turns = self.turns_of(terms, caller)
        try:
            async with turns.turn(call.name, urgency):
                _closed(host, key)
                self._may_go(app, again)
                trying = host.begin(), key.begin()
                try:
                    if before is not None:
                        await before()
                    asked_by, caller = caller, caller_now()
                    if caller != asked_by or _now_s() != made_s:  # it waited: stamps are of now, and so are tokens
                        call = _made(terms, make, caller)
                    outcome = await self._send(terms, caller, call)
                finally:
                    host.given_up(trying[0])
                    key.given_up(trying[1])
                self._learn(terms, call, outcome, host, key, trying)
                self._called(app, call.name, outcome.judged.verdict)
                self._remember(Line(app, caller.app.key, call.name), terms, caller_now, outcome)
                # Before the turn ends: the next one that waits must already find how long to rest.
                return _paced(turns.of(call.name), outcome)
        except QueueFull as error:
            raise CallFailed("rate", "queue_full", 1.0) from error

    def turns_of(self, terms: Terms, caller: Caller) -> Turns:
        """The queue of an app's key: of a self-use app each shop has its own, and its own rate."""
        line, rates = (terms.app.name, caller.app.key), (terms.calls_per_s, terms.name_calls_per_s)
        known = self._turns.get(line)
        if known is None or known[0] != rates:  # or the config was read again, and has other rates
            known = self._turns[line] = rates, Turns(*rates, asyncio.get_running_loop().time)
        return known[1]

    def wait_s(self, terms: Terms) -> float:
        """So long at the least no call of this app goes out: its interface is away, or its key is refused.

        0 while one call tries whether that is over.
        """
        app, at_s = terms.app.name, _now_s()
        ways = self._hosts.get((app, _host_of(terms.base))), self._keys.get((app, terms.app.key))
        return max((breaker.away_s(at_s) for breaker in ways if breaker is not None), default=0.0)

    def breaker_states(self) -> Counter[tuple[str, str]]:
        """How many breakers of each app stand how: one for each of its hosts, one for each of its keys."""
        return self._hosts.states(_now_s()) + self._keys.states(_now_s())

    def _remember(self, line: Line, terms: Terms, caller_now: Callable[[], Caller], outcome: Outcome) -> None:
        refused = outcome.judged.verdict == "rate"
        if self.used.pop(line, None) is None or refused:
            self.stirred[line] = refused or self.stirred.get(line, False)
        self.used[line] = Used(terms, caller_now)
        if len(self.used) > USED_MAX:
            del self.used[next(iter(self.used))]

    def _may_go(self, app: str, again: bool) -> None:
        retries = self._retries[app]
        if not again:
            retries.first()
        elif not retries.again(_now_s()):
            raise CallFailed("rate", "retry_budget", 10.0)

    async def _send(self, terms: Terms, caller: Caller, call: Call) -> Outcome:
        try:
            answer = await self._transport(call)
        except NotAnswered as failed:
            return Outcome(caller, Judged("broken", failed.reason), sent=failed.sent)
        return Outcome(caller, _judged(terms, answer), answer.body)

    def _learn(
        self, terms: Terms, call: Call, outcome: Outcome, host: Breaker, key: Breaker, trying: tuple[bool, bool]
    ) -> None:
        verdict, name, at_s = outcome.judged.verdict, terms.app.name, _now_s()
        where = _host_of(call.url)
        if verdict == "broken":
            if host.bad("broken", at_s, trying[0]):
                log.warning("app %s: %s %s: %s", name, where, SAID["broken"], outcome.judged.detail)
            return
        if host.good():
            log.info("app %s: %s answers again", name, where)
        if verdict in REFUSALS:
            why = REFUSALS[verdict]
            if key.bad(why, at_s, trying[1]):
                log.error("app %s: %s %s: %s", name, where, SAID[why], outcome.judged.detail)
        elif verdict != "rate" and key.good():
            log.info("app %s: %s takes our calls again", name, where)


def _host_of(url: str) -> str:
    """Of the URL without its query, where tokens are."""
    return _host_at(url.partition("?")[0])


@lru_cache(ADDRESSES_KEPT)
def _host_at(address: str) -> str:
    return urlsplit(address).hostname or ""


def _closed(host: Breaker, key: Breaker) -> None:
    """Raises CallFailed while one of them is open."""
    for breaker in (host, key):
        wait_s = breaker.wait_s(_now_s())
        if wait_s > 0:
            raise CallFailed(breaker.why, "breaker_open", wait_s)


def _made(terms: Terms, make: Make, caller: Caller) -> Call:
    """Raises CallFailed also where the rules trip: an app without a secret, an id that no address can hold."""
    try:
        return make(caller)
    except (CallFailed, AccountRefused):
        raise
    except Exception as error:  # noqa: BLE001  one app's settings must not end the calls of all the others
        log.error("app %s: a call cannot be made: %s", terms.app.name, type(error).__name__)
        raise CallFailed("app", "no_call", NO_CALL_S) from None


def _paced(bucket: Bucket, outcome: Outcome) -> Outcome:
    """Let the budget of this call's name rest if we were too fast, and say in the outcome for how long.

    Where the platform says with each answer what is left, nobody need be refused to learn it.
    """
    judged = outcome.judged
    if judged.verdict == "rate":
        wait_s = bucket.refused(_now_s(), judged.wait_s)
        return msgspec.structs.replace(outcome, judged=Judged("rate", judged.detail, wait_s))
    if judged.verdict != "broken":
        bucket.accepted()
    if judged.left is not None:
        bucket.stretch(judged.left, judged.wait_s, _now_s())
    return outcome


def _judged(terms: Terms, answer: Answer) -> Judged:
    try:
        judged = understood(lambda: terms.api.judge(answer))
    except NotUnderstood as error:
        log.warning("app %s: an answer cannot be understood: %s", terms.app.name, error)
        return Judged("broken", "bad_frame")
    wait_s = max(judged.wait_s, told_s(answer.headers.get("retry-after", "")))
    return msgspec.structs.replace(judged, wait_s=min(wait_s, REST_S_MAX))


def _now_s() -> float:
    return asyncio.get_running_loop().time()

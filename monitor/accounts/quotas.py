"""What is left of the day's quota, asked where it can be, and spread over the time until it is renewed."""

import asyncio
import heapq
import logging

from collectors.collector import Now
from collectors.open_api import Quota
from monitor.accounts.budget import Urgency
from monitor.accounts.exchange import Exchange, Line, Used
from monitor.accounts.failed import AccountRefused, CallFailed, NotUnderstood, understood

log = logging.getLogger(__name__)

EVERY_S = 600.0
AFTER_REFUSAL_S = 60.0  # since it was asked last
TICK_S = 5.0


class Quotas:
    """Follows what the exchange sends; asks in the name of whoever called last. Instants are seconds of the loop."""

    def __init__(self, exchange: Exchange, now: Now) -> None:
        self._exchange, self._now = exchange, now
        self._asked_s: dict[Line, float] = {}  # of lines that can be asked about
        self._due: list[tuple[float, Line]] = []  # a heap; one of before the line was asked again is over
        self._questions: set[tuple[str, str]] = set()  # app and name of the questions themselves

    async def work(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.round()
            await asyncio.sleep(TICK_S)

    async def round(self) -> None:
        """Ask for all that is due: at once who called first, ten minutes after it was asked last, and sooner if it was
        found too fast since."""
        clock, stirred = asyncio.get_running_loop().time, self._exchange.stirred
        while stirred:
            line, refused = stirred.popitem()
            if line not in self._asked_s:
                heapq.heappush(self._due, (clock(), line))
            elif refused:
                heapq.heappush(self._due, (self._asked_s[line] + AFTER_REFUSAL_S, line))
        while self._due and self._due[0][0] <= clock():
            due_s, line = heapq.heappop(self._due)
            asked_s = self._asked_s.get(line)
            if asked_s is not None and due_s not in (asked_s + AFTER_REFUSAL_S, asked_s + EVERY_S):
                continue
            self._asked_s.pop(line, None)
            used = self._exchange.used.get(line)  # None: nobody has called it for long
            if used is not None and (line.app, line.name) not in self._questions:
                await self._ask(line, used)
                if line in self._asked_s:
                    heapq.heappush(self._due, (self._asked_s[line] + EVERY_S, line))

    async def _ask(self, line: Line, used: Used) -> None:
        api, asked_s = used.terms.api, asyncio.get_running_loop().time()
        self._asked_s[line] = asked_s
        try:
            caller = used.caller_now()
            question = understood(lambda: api.quota(caller, line.name, self._now()))
            if question is None:
                del self._asked_s[line]
                return
            self._questions.add((line.app, question.name))
            outcome = await self._exchange.go(
                used.terms, used.caller_now, lambda caller: api.quota(caller, line.name, self._now()) or question,
                Urgency.REFRESH,
            )  # fmt: skip
        except (CallFailed, AccountRefused, NotUnderstood):
            return  # whoever called it meets the same; the pace stays as it is
        if outcome.judged.verdict == "ok" and (quota := self._read(line, used, outcome.body)) is not None:
            for_s = (quota.until - self._now()).total_seconds()
            bucket = self._exchange.turns_of(used.terms, caller).of(line.name)
            bucket.stretch(quota.left, for_s, asyncio.get_running_loop().time())

    def _read(self, line: Line, used: Used, body: bytes) -> Quota | None:
        try:
            return understood(lambda: used.terms.api.read_quota(body, self._now()))
        except NotUnderstood as error:
            log.warning("app %s: what is left of %s cannot be understood: %s", line.app, line.name, error)
            return None

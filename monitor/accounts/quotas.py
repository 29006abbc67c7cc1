"""What is left of the day's quota, asked where it can be, and spread over the time until it is renewed."""

import asyncio
import logging

import msgspec

from collectors.collector import Now
from collectors.open_api import Quota
from monitor.accounts.budget import Urgency
from monitor.accounts.exchange import Exchange, Line, Used
from monitor.accounts.failed import AccountRefused, CallFailed, NotUnderstood, understood

log = logging.getLogger(__name__)

EVERY_S = 600.0
AFTER_REFUSAL_S = 60.0  # since it was asked last
TICK_S = 5.0


class Asked(msgspec.Struct):
    """When it was asked, in seconds of the loop, and how many refusals there had been by then."""

    at_s: float
    refusals: int


class Quotas:
    """Follows what the exchange sends; asks in the name of whoever called last."""

    def __init__(self, exchange: Exchange, now: Now) -> None:
        self._exchange, self._now = exchange, now
        self._asked: dict[Line, Asked] = {}
        self._questions: set[tuple[str, str]] = set()  # app and name of the questions themselves

    async def work(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.round()
            await asyncio.sleep(TICK_S)

    async def round(self) -> None:
        """Ask for all that is due."""
        for line, used in list(self._exchange.used.items()):
            if (line.app, line.name) not in self._questions and self._is_due(line, used):
                self._asked[line] = Asked(asyncio.get_running_loop().time(), used.refusals)
                await self._ask(line, used)
        self._asked = {line: asked for line, asked in self._asked.items() if line in self._exchange.used}

    def _is_due(self, line: Line, used: Used) -> bool:
        """Ten minutes after it was asked last, and sooner if it was found too fast since."""
        asked = self._asked.get(line)
        if asked is None:
            return True
        rest_s = AFTER_REFUSAL_S if used.refusals > asked.refusals else EVERY_S
        return asyncio.get_running_loop().time() - asked.at_s >= rest_s

    async def _ask(self, line: Line, used: Used) -> None:
        api = used.terms.api
        try:
            caller = used.caller_now()
            question = understood(lambda: api.quota(caller, line.name, self._now()))
            if question is None:
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

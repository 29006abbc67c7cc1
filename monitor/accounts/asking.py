"""What asks of an account need of the client, and what to call when a call failed."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from collectors.collector import Now
from collectors.hook import Need
from collectors.open_api import Call, Caller, OpenApi, Verdict
from monitor.accounts.budget import Urgency
from monitor.live.failure import Reason
from monitor.understanding import place_of

log = logging.getLogger(__name__)
LOUD_EVERY_S = 60.0
WHOLE_APP: frozenset[Verdict] = frozenset({"address", "app", "clock"})
"""Verdicts that are about our app, whichever account it is called for."""

REASONS: dict[Verdict, Reason] = {
    "token": "auth", "revoked": "auth", "forbidden": "auth", "rate": "rate_limited", "address": "refused",
    "app": "refused", "clock": "refused", "missing": "http_status", "broken": "http_status",
}  # fmt: skip


Make = Callable[[Caller], Call]


class Asking(Protocol):
    """The client, as far as it is needed here. `ask` raises CallFailed and AccountRefused."""

    async def ask(
        self, app: str, shop: str, make: Make, anchor: str = "", urgency: Urgency = Urgency.DETAIL
    ) -> bytes: ...

    def wait_s(self, app: str) -> float: ...


class CannotAsk(Exception):
    """The rules of the platform know no question for this."""


def question(api: OpenApi, need: Need, now: Now) -> Make:
    """How a need is asked for. What it returns raises CannotAsk."""

    def make(caller: Caller) -> Call:
        call = api.detail(caller, need, now())
        if call is None:
            raise CannotAsk(f"nothing can be asked for {need.what}")
        return call

    return make


class Loudly:
    """Says once a minute at the most that the rules of a platform stumbled; never over what, which may be a name."""

    def __init__(self, what: str) -> None:
        self._what, self._at_s = what, -LOUD_EVERY_S

    def say(self, error: Exception) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._at_s >= LOUD_EVERY_S:
            self._at_s = now_s
            log.error("%s: %s at %s", self._what, type(error).__name__, place_of(error))

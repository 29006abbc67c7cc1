"""The outside heartbeat: called while the watchdog arrives here, so that our silence is an alarm from elsewhere."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import aiohttp

log = logging.getLogger(__name__)
WATCHDOG = "LivemonWatchdog"
APART = timedelta(seconds=30)
ANSWER_S_MAX = 10.0


class Deadman:
    """`failed` is told of each call that did not come through. The address may hold a secret, and is never logged."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        now: Callable[[], datetime],
        failed: Callable[[], None],
        seconds_max: float = ANSWER_S_MAX,
    ) -> None:
        self._http, self._url, self._now, self._failed = http, url, now, failed
        self._timeout = aiohttp.ClientTimeout(total=seconds_max)
        self._begun_at: datetime | None = None
        self.fails = False

    async def beat(self) -> None:
        """The watchdog arrived. One that comes within 30 s of the last call is not passed on."""
        now = self._now()
        if self._begun_at is not None and timedelta(0) <= now - self._begun_at < APART:
            return
        self._begun_at = now
        why = await self._call()
        if why:
            self._failed()
        if bool(why) is not self.fails:
            (log.error if why else log.info)("the outside heartbeat %s", why or "is heard again")
        self.fails = bool(why)

    async def _call(self) -> str:
        """Why it was not heard; empty: it was."""
        try:
            async with self._http.get(self._url, timeout=self._timeout, allow_redirects=False) as answer:
                return "" if answer.status // 100 == 2 else f"is answered {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return f"is not heard: {type(error).__name__}"

"""Looks at Alertmanager's silences again and again: who holds which alert, which acknowledgement is to be renewed or
ended, which silence ended while what it hid still fires.

Alertmanager notifies nobody of what it silences, not even of its end: so each acknowledged alert is asked for.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from monitor.alerts.alert import Episode
from monitor.alerts.hold import Hold, active, ended, holds
from monitor.alerts.silence import Silence
from monitor.alerts.silences import Alertmanager, AlertmanagerError, Listed, Unreachable

log = logging.getLogger(__name__)
LOOK_S = 10.0
ACKNOWLEDGED_FOR = timedelta(minutes=10)
RENEWED_BELOW = timedelta(minutes=6)
MISSED_MAX = 2  # looks in a row that did not find the alert
SETTLED_S = 180.0  # an Alertmanager that started just now has yet to be told of what fires
OVER_SAID_WITHIN = timedelta(minutes=10)  # what ended longer ago ended before we were started


class Book(Protocol):
    """What is asked of the book of episodes, and told to it. Telling it twice of the same instant does no harm."""

    async def open_episodes(self) -> Sequence[Episode]: ...

    async def acted(
        self, episode: int, action: str, at: datetime, by: str, reason: str, until: datetime | None
    ) -> None: ...

    async def stopped(self, episode: int) -> None:
        """Alertmanager no longer lists an alert that somebody held, and will never say so itself: judge it."""
        ...


Over = Callable[[Silence, Sequence[Listed]], Awaitable[None]]


class Keeper:
    """`over` is told once of each silence that ended while alerts it hid still fire; its key is (id, ends_at)."""

    def __init__(self, alertmanager: Alertmanager, book: Book, now: Callable[[], datetime], over: Over) -> None:
        self._alertmanager, self._book, self._now, self._over = alertmanager, book, now, over
        self.holds: Mapping[int, Hold] = {}
        self.silences: Sequence[Silence] = ()
        self.failing_since: datetime | None = None
        self._one_at_a_time = asyncio.Lock()
        self._missed: dict[str, int] = {}
        self._said: set[tuple[str, datetime]] = set()
        self._recorded: set[tuple[int, str]] = set()

    async def run(self) -> None:
        while True:
            await self.tend()
            await asyncio.sleep(LOOK_S)

    async def tend(self) -> None:
        """One look. While Alertmanager does not answer, what was known last stays."""
        await self._noted(self._look)

    async def glance(self) -> None:
        """Who holds what, now: after somebody acted."""
        await self._noted(self._see)

    async def _noted(self, look: Callable[[], Awaitable[None]]) -> None:
        try:
            async with self._one_at_a_time:
                await look()
            if self.failing_since is not None:
                log.info("Alertmanager answers again")
            self.failing_since = None
        except AlertmanagerError as error:
            if self.failing_since is None:
                log.error("who holds which alert stays as it was: %s", error)
                self.failing_since = self._now()

    async def _see(self) -> None:
        now = self._now()
        self.silences = await self._alertmanager.silences()
        self.holds = holds(await self._book.open_episodes(), self.silences, now)
        await self._record()

    async def _look(self) -> None:
        now = self._now()
        await self._see()
        acknowledgements = [each for each in active(self.silences, now) if each.acknowledges is not None]
        self._missed = {each.id: self._missed.get(each.id, 0) for each in acknowledgements}
        works = [self._renew(each, now) for each in acknowledgements]
        works += [self._say_over(each) for each in ended(self.silences, now, OVER_SAID_WITHIN)]
        await _all(works)

    async def _record(self) -> None:
        for number, hold in self.holds.items():
            if (number, hold.silence_id) not in self._recorded:
                action = "acknowledged" if hold.acknowledged else "silenced"
                await self._book.acted(number, action, hold.since, hold.by, hold.reason, hold.until)
        self._recorded = {(number, hold.silence_id) for number, hold in self.holds.items()}

    async def _renew(self, silence: Silence, now: datetime) -> None:
        if await self._alertmanager.alerts(silence.matchers):
            self._missed[silence.id] = 0
            if silence.ends_at - now < RENEWED_BELOW:
                await self._alertmanager.put(silence.until(now + ACKNOWLEDGED_FOR))
        elif await self._alertmanager.uptime_s(now) >= SETTLED_S:
            self._missed[silence.id] += 1
            if self._missed[silence.id] >= MISSED_MAX:
                await self._alertmanager.expire(silence.id)
                await self._book.stopped(silence.acknowledges or 0)

    async def _say_over(self, silence: Silence) -> None:
        key = silence.id, silence.ends_at
        if key in self._said:
            return
        heard = [each for each in await self._alertmanager.alerts(silence.matchers) if not each.status.silenced_by]
        if heard:
            await self._over(silence, heard)
        self._said.add(key)


async def _all(works: Sequence[Coroutine[None, None, None]]) -> None:
    """One after the other; one that Alertmanager refuses holds up none of the others."""
    refused: AlertmanagerError | None = None
    for place, work in enumerate(works):
        try:
            await work
        except Unreachable:
            for other in works[place + 1 :]:
                other.close()
            raise
        except AlertmanagerError as error:
            refused = error
    if refused is not None:
        raise refused

"""Looks at Alertmanager's silences again and again: who holds which alert, which acknowledgement is to be renewed or
ended, which silence ended while what it hid still fires.

Alertmanager notifies nobody of what it silences or inhibits, not even of its end: so each acknowledged alert is asked
for, and each that speaks of no room. How rooms are we see for ourselves, so that theirs are asked for seldom.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from monitor.alerts.alert import Episode
from monitor.alerts.hold import Hold, active, ended, holds, is_of
from monitor.alerts.kept import WATCHDOG
from monitor.alerts.silence import Matcher, Silence, acknowledgement
from monitor.alerts.silences import Alertmanager, AlertmanagerError, Listed, Unreachable
from monitor.alerts.webhook import Group

log = logging.getLogger(__name__)
LOOK_S = 10.0
ACKNOWLEDGED_FOR = timedelta(minutes=10)
RENEWED_BELOW = timedelta(minutes=6)
MISSED_MAX = 2  # looks in a row that did not find the alert
SETTLED_S = 180.0  # an Alertmanager that started just now has yet to be told of what fires
FRESH = timedelta(seconds=120)  # Prometheus tells of each alert once a minute, and for four minutes ahead
ROOMS_EVERY = timedelta(minutes=1)  # of thousands the list has megabytes
OVER_SAID_WITHIN = timedelta(minutes=10)  # what ended longer ago ended before we were started


class Book(Protocol):
    """What is asked of the book of episodes, and told to it. Telling it twice of the same instant does no harm."""

    async def open_episodes(self) -> Sequence[Episode]: ...

    async def episode(self, number: int) -> Episode | None: ...

    async def acted(
        self, episode: int, action: str, at: datetime, by: str, reason: str, until: datetime | None
    ) -> None: ...

    async def firing(self) -> Sequence[Episode]:
        """What fires, as far as anybody said, also where nobody was told: of rooms what was said long ago."""
        ...

    async def hear(self, group: Group) -> None: ...

    async def stopped(self, fingerprints: Collection[str]) -> None:
        """Alertmanager does not list these alerts any more, and may never say so itself: judge them."""
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
        self._told = self._watched = False  # this Alertmanager, of what fires; of the watchdog, ever
        self._rooms_at = datetime.min.replace(tzinfo=UTC)

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
        episodes = await self._book.open_episodes()
        firing = await self._book.firing()
        self._told = await self._is_told(firing, now)
        known = {each.id for each in acknowledgements} | {each.alert.fingerprint for each in firing}
        self._missed = {name: count for name, count in self._missed.items() if name in known}
        works = [self._tend(each, episodes, acknowledgements, now) for each in acknowledgements]
        works += [self._ask(name, asked) for name, asked in self._to_ask(firing, now).items()]
        works += [self._say_over(each) for each in ended(self.silences, now, OVER_SAID_WITHIN)]
        await _all(works)

    async def _record(self) -> None:
        for number, hold in self.holds.items():
            if (number, hold.silence_id) not in self._recorded:
                action = "acknowledged" if hold.acknowledged else "silenced"
                await self._book.acted(number, action, hold.since, hold.by, hold.reason, hold.until)
        there = {each.id for each in self.silences}
        self._recorded = {(number, name) for number, name in self._recorded if name in there}
        self._recorded |= {(number, hold.silence_id) for number, hold in self.holds.items()}

    async def _tend(
        self, held: Silence, episodes: Sequence[Episode], all_held: Sequence[Silence], now: datetime
    ) -> None:
        """Whoever took it holds it for as long as its number is open: also while its room is out of sight, and when
        another alert speaks of it."""
        present = next((each for each in episodes if is_of(held, each)), None)
        if present is not None and not held.takes(present.alert.labels):
            await self._follow(held, present, all_held, now)
            return
        if present is None and not await self._is_ours(held):
            return  # another livemon's, who tends it; or of a book that is gone: it lapses
        listed = await self._alertmanager.alerts(held.matchers)
        gone = self._is_gone(held.id, bool(listed))
        if gone and present is None:
            await self._alertmanager.expire(held.id)
            return
        if gone and present is not None and present.alert.firing:
            await self._book.stopped([present.alert.fingerprint])
        if listed and present is not None and not present.alert.firing:
            await self._book.hear(Group("", {}, tuple(each.alert for each in listed)))
        if (listed or present is not None) and held.ends_at - now < RENEWED_BELOW:
            await self._alertmanager.put(held.until(now + ACKNOWLEDGED_FOR))

    async def _follow(self, held: Silence, present: Episode, all_held: Sequence[Silence], now: datetime) -> None:
        """A drop was lost, say: the same person holds what fires now, and what fired before until it is gone."""
        labels = present.alert.labels
        if not any(is_of(each, present) and each.takes(labels) for each in all_held):
            until = now + ACKNOWLEDGED_FOR
            wanted = acknowledgement(present.number, held.by, held.reason, labels, now, until)
            self._recorded.add((present.number, await self._alertmanager.put(wanted)))
        if not await self._alertmanager.alerts(held.matchers):
            await self._alertmanager.expire(held.id)

    async def _is_ours(self, held: Silence) -> bool:
        episode = await self._book.episode(held.acknowledges or 0)
        return episode is not None and is_of(held, episode)

    def _to_ask(self, firing: Sequence[Episode], now: datetime) -> dict[str, list[str]]:
        """By the name of the alert, the fingerprints of those to be asked for in this look."""
        rooms_too = now - self._rooms_at >= ROOMS_EVERY
        if rooms_too:
            self._rooms_at = now
        asked: dict[str, list[str]] = {}
        for each in firing:
            if rooms_too or each.alert.room is None:
                asked.setdefault(each.alert.name, []).append(each.alert.fingerprint)
        return asked

    async def _ask(self, name: str, fingerprints: Sequence[str]) -> None:
        """Do these, all of one name, fire still?"""
        listed = {each.fingerprint for each in await self._listed(name)}
        gone = [each for each in fingerprints if self._is_gone(each, each in listed)]
        if gone:
            await self._book.stopped(gone)

    async def _listed(self, name: str) -> list[Listed]:
        return await self._alertmanager.alerts((Matcher("alertname", name),))

    async def _is_told(self, firing: Sequence[Episode], now: datetime) -> bool:
        """Does this Alertmanager know what fires? Not just after its start, and not for long without Prometheus, which
        tells of the watchdog, that always fires, as often as of the others."""
        listed = await self._listed(WATCHDOG)
        self._watched = self._watched or bool(listed) or any(each.alert.name == WATCHDOG for each in firing)
        fresh = any(each.updated_at is None or now - each.updated_at < FRESH for each in listed)
        return (fresh or not self._watched) and await self._alertmanager.uptime_s(now) >= SETTLED_S

    def _is_gone(self, name: str, listed: bool) -> bool:
        """Not listed, look after look, by an Alertmanager that is told of what fires."""
        if listed or not self._told:
            self._missed[name] = 0
            return False
        self._missed[name] = self._missed.get(name, 0) + 1
        return self._missed[name] >= MISSED_MAX

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

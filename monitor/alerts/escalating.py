"""Calls people, one after the other, for what nobody holds: looks every few seconds, and decides by `escalation`."""

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Protocol

from monitor.alerts import escalation
from monitor.alerts.alert import Episode
from monitor.alerts.contacts import Contact
from monitor.alerts.escalation import Call, Called
from monitor.alerts.notice import Language, Link, Notice

LOOK_S = 5.0

Make = Callable[[Language], Sequence[Notice]]


class Book(Protocol):
    async def open_episodes(self) -> Sequence[Episode]: ...

    async def acted(
        self, episode: int, action: str, at: datetime, by: str, reason: str, until: datetime | None
    ) -> None: ...


class Escalating:
    """`callees` are ids of contacts in their order, of this instant; `tell` puts what `make` makes into the outbox of
    the robots that take these episodes, once for each key. `called`: what the book remembers from before a restart.
    """

    def __init__(
        self,
        book: Book,
        held: Callable[[], Container[int]],
        callees: Callable[[datetime], Sequence[str]],
        contact: Callable[[str], Contact],
        links: Callable[[int, Language], Sequence[Link]],
        tell: Callable[[Make, str, Sequence[Episode]], Awaitable[None]],
        now: Callable[[], datetime],
        zone: tzinfo,
        called: Mapping[int, Called] | None = None,
    ) -> None:
        self._book, self._held, self._callees, self._contact = book, held, callees, contact
        self._links, self._tell, self._now, self._zone = links, tell, now, zone
        self._called: Mapping[int, Called] = dict(called or {})

    async def run(self) -> None:
        while True:
            await self.tend()
            await asyncio.sleep(LOOK_S)

    async def tend(self) -> None:
        """Told first, then noted: a crash in between finds the key of the call in the outbox."""
        now = self._now()
        episodes = await self._book.open_episodes()
        holds = self._held()
        held = [each.number for each in episodes if each.number in holds]
        calls = escalation.due(episodes, held, self._called, self._callees(now), now)
        for call in calls:
            await self._make(call, now)
        self._called = escalation.after(self._called, calls, [each.number for each in episodes], now)

    async def _make(self, call: Call, now: datetime) -> None:
        contact = self._contact(call.callee)
        clock = {each.number: f"{each.alert.starts_at.astimezone(self._zone):%H:%M:%S}" for each in call.episodes}

        def make(language: Language) -> list[Notice]:
            links = self._links(call.episodes[0].number, language)
            return [escalation.notice(call, contact, links, language, clock)]

        await self._tell(make, call.key, call.episodes)
        for each in call.episodes:
            await self._book.acted(each.number, "escalated", now, contact.name or contact.id, str(call.rank), None)

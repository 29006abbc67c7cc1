"""Tells robots what is no alert itself: calls of people, handovers, silences that are over. Each key is told once."""

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from typing import Protocol

from monitor.alerts import silence_over
from monitor.alerts.addressed import Make, addressed, group, takers
from monitor.alerts.alert import Episode
from monitor.alerts.notice import Language, Notice
from monitor.alerts.saying import Speaker
from monitor.alerts.sight import Sight
from monitor.alerts.silence import Silence
from monitor.alerts.silences import Listed


class Outbox(Protocol):
    async def knows(self, key: str) -> bool: ...

    async def put(self, notices: Iterable[tuple[str, Notice, str]]) -> None: ...


class Announcing:
    """`robots` are those of the present config."""

    def __init__(self, outbox: Outbox, robots: Callable[[], Sequence[Speaker]], sight: Sight, zone: tzinfo) -> None:
        self._outbox, self._robots, self._sight, self._zone = outbox, robots, sight, zone

    async def to_group(self, make: Make, key: str) -> None:
        """Where the house talks to itself."""
        await self._tell(make, key, group(self._robots()))

    async def to_takers(self, make: Make, key: str, episodes: Sequence[Episode]) -> None:
        """Where these were told of."""
        alerts = [episode.alert for episode in episodes]
        await self._tell(make, key, takers(self._robots(), alerts, self._sight))

    async def silence_over(self, silence: Silence, heard: Sequence[Listed]) -> None:
        """Where that which it hid would have been told of."""

        def make(language: Language) -> list[Notice]:
            return [silence_over.notice(silence, heard, self._zone, language)]

        alerts = [each.alert for each in heard]
        await self._tell(make, silence_over.key(silence), takers(self._robots(), alerts, self._sight))

    async def _tell(self, make: Make, key: str, robots: Sequence[Speaker]) -> None:
        """After a restart the words of one key may be others, and as many: what was begun is not told again."""
        notices = addressed(make, key, robots)
        if notices and not await self._outbox.knows(notices[0][2]):
            await self._outbox.put(notices)

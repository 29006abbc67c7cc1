"""The book of alerts as escalation sees it: nobody is called for what has stopped firing and is yet to be judged."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monitor.alerts.alert import Episode


class Book(Protocol):
    async def open_episodes(self) -> Sequence[Episode]: ...

    async def acted(
        self, episode: int, action: str, at: datetime, by: str, reason: str, until: datetime | None
    ) -> None: ...


class Firing:
    def __init__(self, book: Book) -> None:
        self._book = book
        self.acted = book.acted

    async def open_episodes(self) -> Sequence[Episode]:
        return [episode for episode in await self._book.open_episodes() if episode.alert.firing]

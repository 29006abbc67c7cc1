"""Brings episodes and actions from the book to PostgreSQL, the way of all facts: at least once, and written once."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from monitor.alerts.book_file import BookRefused
from monitor.facts import AlertAction, AlertEpisode, Heard

log = logging.getLogger(__name__)
LOOK_S = 1.0


class Facts(Protocol):
    async def facts(self) -> Sequence[tuple[int, AlertEpisode | AlertAction]]: ...

    async def facts_kept(self, ids: Sequence[int]) -> None: ...


class Lane(Protocol):
    """The inbox: room first, then put, without an await between."""

    async def room(self, ticks: int = 0, facts: int = 0) -> None: ...

    def put(self, heard: Heard) -> None: ...


class Sealing(Protocol):
    async def on_disk(self) -> None:
        """Wait until every step that was put so far is sealed."""
        ...


async def bring(facts: Facts, lane: Lane, sealing: Sealing) -> int:
    """All that waits, as of now; how many that was."""
    waiting = await facts.facts()
    if not waiting:
        return 0
    heard = Heard()
    for _, fact in waiting:
        if isinstance(fact, AlertEpisode):
            heard.alerts.append(fact)
        else:
            heard.actions.append(fact)
    await lane.room(facts=heard.facts)
    lane.put(heard)
    await sealing.on_disk()
    await facts.facts_kept([number for number, _ in waiting])
    return len(waiting)


async def keep_bringing(facts: Facts, lane: Lane, sealing: Sealing) -> None:
    """Until it is cancelled."""
    while True:
        try:
            if await bring(facts, lane, sealing):
                continue
        except BookRefused as error:
            log.warning("alerts wait in their book: %s", error)
        await asyncio.sleep(LOOK_S)

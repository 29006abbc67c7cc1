"""Gathers what a shift hands over, and tells it at each change of shift, or when it is asked for."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

import asyncpg

from monitor.alerts import shift
from monitor.alerts.alert import Episode
from monitor.alerts.contacts import Contact
from monitor.alerts.handover import notices
from monitor.alerts.handover_data import FeedStands, FramesStand, FromDatabase, Reader, Standing, from_database
from monitor.alerts.hold import Hold
from monitor.alerts.notice import Language, Notice
from monitor.alerts.shift import ShiftRow
from monitor.alerts.sight import RoomSight
from monitor.alerts.silence import Silence
from monitor.problem import quoted

log = logging.getLogger(__name__)
DATABASE_S_MAX = 10.0
LOOK_S = 5.0
LATE_MAX = timedelta(minutes=30)  # a change that was missed for longer is past: nobody stands there to hand over
COMMANDED_SINCE = timedelta(hours=12)

Make = Callable[[Language], Sequence[Notice]]


class Sources(Protocol):
    """What is asked of the rest of the house; all but the book at once, from memory, once it was looked at."""

    async def look(self) -> None:
        """See who holds what and what is silenced as of now: the last look may be ten seconds old."""
        ...

    async def open_episodes(self) -> Sequence[Episode]: ...
    def holds(self) -> Mapping[int, Hold]: ...
    def silences(self) -> Sequence[Silence]: ...
    def alertmanager_failing_since(self) -> datetime | None: ...
    def stopped(self) -> Sequence[RoomSight]: ...
    def feeds(self) -> Sequence[FeedStands]: ...
    def frames(self) -> Sequence[FramesStand]: ...
    def refused_count(self) -> int: ...
    def reading(self) -> AbstractAsyncContextManager[Reader]:
        """A connection of the reader."""
        ...


Tell = Callable[[Make, str], Awaitable[None]]
"""Puts the notices, in the language of each robot, into the outbox under a key: each key is told once."""


class HandingOver:
    """`shifts` and `called` (contacts of ids) may change with a reload, so both are asked for."""

    def __init__(
        self,
        sources: Sources,
        shifts: Callable[[], Sequence[ShiftRow]],
        called: Callable[[Sequence[str]], Sequence[Contact]],
        tell: Tell,
        now: Callable[[], datetime],
        zone: tzinfo,
    ) -> None:
        self._sources, self._shifts, self._called = sources, shifts, called
        self._tell, self._now, self._zone = tell, now, zone
        self._told_of: datetime | None = None

    async def run(self) -> None:
        while True:
            await self.tend()
            await asyncio.sleep(LOOK_S)

    async def tend(self) -> None:
        """At a change of shift, once; the outbox knows the key of one that was told before a restart."""
        now = self._now()
        over = shift.ended_turn(self._shifts(), now, self._zone)
        if over is None or over.ends_at == self._told_of or now - over.ends_at > LATE_MAX:
            return
        await self._tell(await self.made(), f"handover {over.ends_at.isoformat()}")
        self._told_of = over.ends_at

    async def command(self, send: bool, language: Language) -> list[str]:
        """Now, as text; and to the group, if it is wanted there."""
        make = await self.made()
        if send:
            await self._tell(make, f"handover by command {self._now().isoformat()}")
        return [line for notice in make(language) for line in (notice.title, *notice.lines)]

    async def made(self) -> Make:
        """The notices of what stands now."""
        standing = await self._standing()
        called = self._called(standing.on.duty) if standing.on else ()
        return lambda language: notices(standing, self._zone, language, called)

    async def _standing(self) -> Standing:
        now, shifts, sources = self._now(), self._shifts(), self._sources
        over = shift.ended_turn(shifts, now, self._zone)
        on = shift.on_duty(shifts, now, self._zone)
        since = over.starts_at if over is not None else now - COMMANDED_SINCE
        database, why = await self._ask(since)
        await sources.look()
        return Standing(
            at=now,
            over=over,
            on=on,
            stopped=tuple(sources.stopped()),
            episodes=tuple(await sources.open_episodes()),
            holds=sources.holds(),
            silences=tuple(
                each for each in sources.silences() if each.state != "expired" and each.acknowledges is None
            ),
            alertmanager_failing_since=sources.alertmanager_failing_since(),
            feeds=tuple(sources.feeds()),
            frames=tuple(sources.frames()),
            refused_count=sources.refused_count(),
            database=database,
            database_why=why,
        )

    async def _ask(self, since: datetime) -> tuple[FromDatabase | None, str]:
        try:
            async with asyncio.timeout(DATABASE_S_MAX), self._sources.reading() as reader:
                return await from_database(reader, since), ""
        except TimeoutError:
            return None, f"no answer within {DATABASE_S_MAX:g} s"
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            why = quoted(" ".join(str(error).split()) or type(error).__name__)
            log.warning("a handover goes without the database: %s", why)
            return None, why

"""Hears Alertmanager and the seconds pass: decides, writes it in the book, and only then lets it be so.

One thing at a time: what is decided rests on what the book holds. The book's work is done in a thread of its own.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import cast, get_args

from monitor.alerts.alert import Alert, Episode
from monitor.alerts.book import Book, Entry
from monitor.alerts.book_file import BookRefused
from monitor.alerts.kept import Kept
from monitor.alerts.match import listeners
from monitor.alerts.notice import Notice
from monitor.alerts.saying import Speaker, Wording, messages
from monitor.alerts.scene import Scene
from monitor.alerts.sight import Sight
from monitor.alerts.teller import step
from monitor.alerts.verdict import HELD_FOR
from monitor.alerts.waiting import Waiting
from monitor.alerts.webhook import Group
from monitor.facts import ActionName, AlertAction, AlertEpisode

log = logging.getLogger(__name__)
TICK_S = 1.0
PRUNE_EVERY = timedelta(hours=1)


class Hearing:
    """`said` is called when there is something new for robots. It is the outbox of delivery, and the book of duty."""

    def __init__(
        self,
        book: Book,
        sight: Sight,
        robots: Sequence[Speaker],
        wording: Wording,
        now: Callable[[], datetime],
        said: Callable[[], None] = lambda: None,
    ) -> None:
        self.robots = robots  # replaced when the config is read anew
        self._book, self._sight, self._wording, self._now, self._said = book, sight, wording, now, said
        self.up_since = now()
        self._memory = book.memory(self.up_since)
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "alerts")
        self._pruned_at = datetime.min.replace(tzinfo=self.up_since.tzinfo)

    async def hear(self, group: Group | None = None) -> None:
        """What Alertmanager told, or None: a second passed. On disk when it returns. Raises BookRefused."""
        await asyncio.shield(self._hear(group))  # who was cut off half-way would leave the book ahead of the memory

    async def _hear(self, group: Group | None) -> None:
        async with self._lock:
            now = self._now()
            self.up_since = min(self.up_since, now)  # the clock stepped back
            plan = step(self._memory, group, Scene(self._sight, now, self.up_since, self._audience))
            if not plan:
                return
            said = messages(plan, self.robots, self._sight, self._wording)
            entry = Entry(plan.changed, [(one.robot, one.notice, one.key) for one in said], plan.storms)
            await self._call(self._book.write, entry, now)
            self._memory.take(plan.changed)
            self._memory.storms |= plan.storms
            if said:
                self._said()

    async def run(self) -> None:
        """Each second; until it is cancelled."""
        refused = False
        while True:
            try:
                await self.hear()
                await self._prune()
                refused = False
            except BookRefused as error:
                if not refused:
                    log.error("the book of alerts cannot be written, and it is tried again: %s", error)
                refused = True
            await asyncio.sleep(TICK_S)

    async def close(self) -> None:
        async with self._lock:
            await self._call(self._book.close)
            self._thread.shutdown(wait=False)

    # --- what duty asks and tells ------------------------------------------------------------------------------------

    async def open_episodes(self) -> Sequence[Episode]:
        """Those that people were told of and that go on, as people know them; of one number the one that began last."""
        told = [kept for kept in self._memory.open.values() if kept.told_at is not None]
        told.sort(key=lambda kept: (kept.number, kept.alert.starts_at))
        return [kept.spoken for kept in {kept.number: kept for kept in told}.values()]

    async def firing(self) -> Sequence[Episode]:
        """What fires, as far as Alertmanager said, also where nobody was told: of rooms what it said long ago."""
        now, firing = self._now(), [kept for kept in self._memory.open.values() if kept.alert.firing]
        return [kept.episode for kept in firing if kept.alert.room is None or now - kept.heard_at >= HELD_FOR]

    async def episode(self, number: int) -> Episode | None:
        found = self._memory.numbered(number)
        return found.episode if found else await self._call(self._book.episode, number)

    async def stopped(self, fingerprints: Collection[str]) -> None:
        """Alertmanager does not list these any more, and may not say so itself, as of what is silenced: judge them."""
        await asyncio.shield(
            self._change(
                lambda kept: kept.alert.fingerprint in fingerprints and kept.alert.firing,
                lambda kept, now: kept.resolved(now),
            )
        )

    async def _change(self, which: Callable[[Kept], bool], become: Callable[[Kept, datetime], Kept]) -> None:
        async with self._lock:
            now = self._now()
            changed = [become(kept, now) for kept in self._memory.open.values() if which(kept)]
            if changed:
                await self._call(self._book.write, Entry(changed), now)
                self._memory.take(changed)

    async def acted(
        self, episode: int, action: str, at: datetime, by: str, reason: str, until: datetime | None
    ) -> None:
        """Telling it twice of the same instant does no harm."""
        if action not in get_args(ActionName):
            raise ValueError(f"no action: {action}")
        about = await self.episode(episode)
        fingerprint, starts_at = about.alert.key if about else ("", None)
        fact = AlertAction(at, cast(ActionName, action), by, fingerprint, starts_at, reason, until)
        await self._call(self._book.act, episode, fact)
        if action == "ended":  # who says so knows it: that it did not recover is no news
            await asyncio.shield(
                self._change(lambda kept: kept.number == episode, lambda kept, now: kept.ended("quiet", now))
            )

    async def end_room(self, platform: str, room: str, at: datetime) -> None:
        """Somebody said that the broadcast there is over."""
        await self._call(self._book.end_room, platform, room, at)

    # --- the outbox of delivery --------------------------------------------------------------------------------------

    async def put(self, notices: Iterable[tuple[str, Notice, str]]) -> None:
        await self._call(self._book.write, Entry(messages=list(notices)), self._now())
        self._said()

    async def knows(self, key: str) -> bool:
        """Was something put under this key?"""
        return await self._call(self._book.knows, key)

    async def due(self, robot: str, now: datetime) -> Sequence[Waiting]:
        return await self._call(self._book.outbox.due, robot, now)

    async def others(self, robots: Sequence[str]) -> Sequence[Waiting]:
        return await self._call(self._book.outbox.others, robots)

    async def sent(self, ids: Sequence[int], at: datetime) -> None:
        await self._call(self._book.outbox.sent, ids, at)

    async def again(self, ids: Sequence[int], next_at: datetime, why: str) -> None:
        await self._call(self._book.outbox.again, ids, next_at, why)

    async def failed(self, ids: Sequence[int], why: str) -> None:
        await self._call(self._book.outbox.failed, ids, why, self._now())

    async def sent_since(self, robot: str, since: datetime) -> Sequence[datetime]:
        return await self._call(self._book.outbox.sent_since, robot, since)

    # --- the way of facts --------------------------------------------------------------------------------------------

    async def facts(self) -> Sequence[tuple[int, AlertEpisode | AlertAction]]:
        return await self._call(self._book.facts)

    async def facts_kept(self, ids: Sequence[int]) -> None:
        await self._call(self._book.facts_kept, ids)

    # -----------------------------------------------------------------------------------------------------------------

    def _audience(self, alert: Alert) -> list[str]:
        room = self._sight.room(*alert.room) if alert.room else None
        return [robot.name for robot in listeners(self.robots, alert, room)]

    async def _prune(self) -> None:
        now = self._now()
        self._memory.forget(now)
        if now - self._pruned_at >= PRUNE_EVERY:
            await self._call(self._book.prune, now)
            self._pruned_at = now

    async def _call[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*args, **kwargs))

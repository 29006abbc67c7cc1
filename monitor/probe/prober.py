"""Looks at the picture of rooms that are in doubt, a few at a time; what it finds is told, and decides nothing.

The poll is the truth: no session opens, drops or closes by what a player of ours saw, and nothing waits for him.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from collectors.collector import FeedRow, Now
from collectors.probed_row import ProbedRow
from collectors.tick import Tick
from monitor.facts import Change
from monitor.live.sight import FeedSight
from monitor.live.watch import Watch
from monitor.probe import child
from monitor.probe.command import OUTCOMES, Outcome, Ran, command, outcome_of
from monitor.probe.suspicion import Reason, doubted
from monitor.probe.viewers import Look, is_over, others

log = logging.getLogger(__name__)
AT_ONCE_MAX = 2
WAITING_MAX = 20
AGAIN_AFTER_S = 60.0
SAYS: dict[Outcome, str] = {
    "moving": "a picture that moves",
    "sound_only": "sound without a picture",
    "picture_stands": "a picture that stands, with sound that goes on",
    "nothing": "nothing that moves: its source is frozen or gone",
    "unreachable": "nobody where players are served",
    "unsure": "only what the server had kept",
    "failed": "nothing that can be read",
    "timeout": "no end",
    "no_program": "no ffprobe on this machine",
}
Key = tuple[str, str]


class Suspect(NamedTuple):
    feed: str
    room: str
    reason: Reason
    since_s: float


class Prober:
    """`run` is what runs a program with its arguments; `clock` is one that never steps, in seconds."""

    def __init__(
        self,
        watch: Watch,
        now: Now,
        run: Callable[[Sequence[str]], Awaitable[Ran]] = child.run,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watch, self._now, self._run, self._clock = watch, now, run, clock
        self._waiting: asyncio.Queue[Suspect] = asyncio.Queue(WAITING_MAX)
        self._asked_s: dict[Key, float] = {}  # by feed and room: when it came in last
        self._looks: list[tuple[Key, Look]] = []  # of one room maybe several: a server keeps a player who has gone
        self._counts: Counter[tuple[str, Outcome]] = Counter()

    async def run(self) -> None:
        """Look at what comes in until cancelled; then no player of ours is left."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE_MAX):
                group.create_task(self._work())

    def counts(self) -> Mapping[Key, int]:
        """Of each feed that has a probe_url, by outcome."""
        names = [name for name, sight in self._watch.feeds.items() if probed(sight.row)]
        return {(name, outcome): self._counts[name, outcome] for name in names for outcome in OUTCOMES}

    def heard(self, changes: Iterable[Change]) -> None:
        """Polls brought these changes. Never waits, never raises."""
        for change in changes:
            room = self._watch.muster.by_key.get((change.platform, change.room))
            reason = doubted(change, room.expected) if room else None
            if room and reason:
                feed = next((sight.name for sight in room.feeds if sight.sees and probed(sight.row)), None)
                if feed is not None:
                    self.suspect(feed, change.room, reason)

    def suspect(self, feed: str, room: str, reason: Reason) -> None:
        """Look at it soon; or not, where too many wait, or it was looked at within the last minute."""
        now_s = self._clock()
        self._asked_s = {key: at_s for key, at_s in self._asked_s.items() if now_s - at_s < AGAIN_AFTER_S}
        if (feed, room) in self._asked_s or self._waiting.full():
            self._counts[feed, "shed"] += 1
            return
        self._asked_s[feed, room] = now_s
        self._waiting.put_nowait(Suspect(feed, room, reason, now_s))

    def without_us(self, row: ProbedRow, frame: bytes, ticks: Sequence[Tick], at: datetime) -> Sequence[Tick]:
        """The ticks of an answer that was asked for at `at`, with no player of ours among the viewers."""
        looks: dict[str, list[Look]] = {}
        for (feed, room), look in self._looks:
            if feed == row.name:
                looks.setdefault(room, []).append(look)
        if not looks or row.tells_probes(frame):
            return ticks
        now = self._now()
        return [_less(tick, at, now, looks[tick.room]) if tick.room in looks else tick for tick in ticks]

    async def _work(self) -> None:
        while True:
            suspect = await self._waiting.get()
            sight = self._watch.feeds.get(suspect.feed)
            row = probed(sight.row) if sight else None
            late = self._clock() - suspect.since_s > AGAIN_AFTER_S
            if sight is None or row is None or late:
                self._counts[suspect.feed, "shed"] += 1
            else:
                await self._look(suspect, sight, row)

    async def _look(self, suspect: Suspect, sight: FeedSight, row: ProbedRow) -> None:
        address, protocol = row.probe_address(suspect.room), row.probe_protocol
        key, began_at, kept_s = (suspect.feed, suspect.room), self._now(), row.probe_kept_s
        self._looks = [(known, look) for known, look in self._looks if not is_over(look, began_at)]
        there = (key, Look(began_at, None, timedelta(seconds=kept_s or 0.0)))
        if kept_s is not None:
            self._looks.append(there)
        ran = await self._run(command(address, protocol))
        if kept_s is not None:
            self._looks.remove(there)
            self._looks.append((key, there[1]._replace(ended_at=self._now())))
        outcome = outcome_of(ran, address, protocol)
        self._counts[suspect.feed, outcome] += 1
        if suspect.room in sight.listed:
            sight.listed[suspect.room].probed = (outcome, began_at)
        told = (suspect.room, suspect.feed, suspect.reason, SAYS[outcome], ran.took_s)
        log.info("room %s of feed %s is in doubt (%s): a player finds %s, in %.1f s", *told)


def probed(row: FeedRow) -> ProbedRow | None:
    """The row, where players may look at its rooms."""
    return row if isinstance(row, ProbedRow) and row.probe_url else None


def _less(tick: Tick, asked_at: datetime, answered_at: datetime, looks: Iterable[Look]) -> Tick:
    if tick.viewers is None:
        return tick
    return msgspec.structs.replace(tick, viewers=others(tick.viewers, asked_at, answered_at, looks))

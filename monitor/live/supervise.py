"""Keeps one collector running for ever; the only place where a feed is tried again."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast, get_args, runtime_checkable

import aiohttp

from collectors.collector import BadFrame, Emit, FeedRow, Now, PartlyRead
from collectors.tick import Tick
from monitor.facts import Heard
from monitor.live.failure import Reason, innermost, reason_of, retry_after_s
from monitor.live.sight import silence_s_max
from monitor.live.watch import Watch

log = logging.getLogger(__name__)
REFUSED_RETRY_S = 300.0
BACKOFF_S = 0.5
DOUBLINGS_MAX = 16
FACTS_OF_A_FRAME = 16  # changes and spans that a frame may bring; more than these are rare and small
LOUD_EVERY_S = 60.0


class Collecting(Protocol):
    """A feed's row that is a collector: every kind of feed is both."""

    @property
    def name(self) -> str: ...
    @property
    def RETRY_S_MAX(self) -> float: ...
    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None: ...
    def parse(self, frame: bytes, at: datetime) -> Sequence[Tick]: ...


@runtime_checkable
class Patient(Protocol):
    """A feed that finds out by itself that it must be asked less often than its row says."""

    def when_patient(self, told: Callable[[float], None]) -> None:
        """`told` is to be called with the seconds for which it may be silent from then on."""


@dataclass(frozen=True, kw_only=True)
class Outlets:
    """Where supervise leads to. The room in the inbox is awaited; nothing else may wait."""

    room: Callable[[int, int], Awaitable[None]]  # until so many ticks and facts fit
    put: Callable[[Heard], None]
    quarantine: Callable[[str, bytes, datetime, str], None]  # feed, frame, its instant, reason
    failed: Callable[[str, Reason], None]  # feed, reason
    heard: Callable[[str], None]  # a good frame of this feed
    polled: Callable[[str, float], None]  # feed, seconds from the asking to the answer


class Supervisor:
    """One feed's keeper; it ends only when it is cancelled."""

    def __init__(
        self,
        feed: Collecting,
        watch: Watch,
        now: Now,
        outlets: Outlets,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
        silence_after_s: float | None = None,
    ) -> None:
        self.feed, self.watch, self.now, self.outlets = feed, watch, now, outlets
        self.sleep, self.uniform = sleep, uniform
        """`silence_after_s`: of a feed that is no row itself."""
        self.silence_s_max = silence_after_s or (silence_s_max(feed) if isinstance(feed, FeedRow) else 10.0)
        self.usual_silence_s_max = self.silence_s_max
        if isinstance(feed, Patient):
            feed.when_patient(self._wait_longer)
        self.failures = 0  # in a row; a good frame forgets them, a mere connection does not
        self.lost = False
        self.deadline = asyncio.timeout(None)
        self.waiting = 0  # frames that wait for room in the inbox
        self.asked_at: datetime | None = None
        self.loud_s: dict[str, float] = {}

    async def run(self, http: aiohttp.ClientSession) -> None:
        while True:
            error = await self._collect(http)
            await self.sleep(self._failed(error))

    async def _collect(self, http: aiohttp.ClientSession) -> Exception | None:
        """Hear the feed until it fails; None: it fell silent."""
        self.waiting, self.silence_s_max = 0, self.usual_silence_s_max
        try:
            async with asyncio.timeout(self.silence_s_max) as self.deadline:
                await self.feed.collect(http, self._emit, self._ask)
        except Exception as error:  # noqa: BLE001  whatever it is, the feed is tried again
            return None if self.deadline.expired() else innermost(error)
        return EOFError("the collector ended")

    def _ask(self) -> datetime:
        self.asked_at = self.now()
        return self.asked_at

    async def _emit(self, frame: bytes, at: datetime) -> None:
        name, now = self.feed.name, self.now()
        if at is self.asked_at:  # the instant of a poll is the one before the request left
            self.outlets.polled(name, (now - at).total_seconds())
        ticks = self._parse(frame, at)
        if ticks is None:
            return
        self._rest(None)  # a full inbox is not the feed's silence
        self.waiting += 1
        try:
            await self.outlets.room(len(ticks), FACTS_OF_A_FRAME)
        finally:
            self.waiting -= 1
        # From here to the put nothing is awaited: the order of the spool is the order of the steps.
        self.outlets.put(self.watch.hear(name, at, ticks, self.now()))
        self.outlets.heard(name)
        self.failures = 0
        if self.lost:
            self.lost = False
            log.info("feed %s is back", name)
        if not self.waiting:
            self._rest(asyncio.get_running_loop().time() + self.silence_s_max)

    def _parse(self, frame: bytes, at: datetime) -> Sequence[Tick] | None:
        """What the frame means; None for a bad one, which is kept for a person and proves no health."""
        try:
            return self.feed.parse(frame, at)
        except PartlyRead as error:
            self._miss(error, at)
            return error.ticks if error.whole else error.ticks or None
        except BadFrame as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001  one room's nonsense must not end the feed
            reason = f"{type(error).__name__}: {error}"
            self._be_loud("parse failed", error)
        self.outlets.quarantine(self.feed.name, frame, at, reason)
        self.outlets.failed(self.feed.name, "bad_frame")
        self._put(self.watch.fail(self.feed.name, "bad_frame", self.now()))
        return None

    def _miss(self, error: PartlyRead, at: datetime) -> None:
        """Rooms of which a frame does not say how they stand; what could not be read is shown now and then."""
        name, now = self.feed.name, self.now()
        if not error.whole:
            word = next(iter(error.unseen.values()), str(error).partition(":")[0])
            self.outlets.failed(name, "bad_frame" if error.part else _word(word))
        if error.part and self._is_time("part"):
            self.outlets.quarantine(name, error.part, at, str(error))
        for room, reason in error.unseen.items():
            self._put(self.watch.fail_room(name, room, _word(reason), now))

    def _failed(self, error: Exception | None) -> float:
        """Say it to the watch, to the log once, to the counters; and say how long to stay away."""
        name, now = self.feed.name, self.now()
        reason: Reason = "silence" if error is None else reason_of(error)
        self.outlets.failed(name, reason)
        if error is None:
            self._put(self.watch.silent(name, now))
        elif reason == "refused":
            self._put(self.watch.refuse(name, str(error), now))
        else:
            self._put(self.watch.fail(name, reason, now))
        if reason == "unknown" and error is not None:
            self._be_loud("failed", error)
        elif not self.lost:
            log.log(
                logging.ERROR if reason == "refused" else logging.WARNING, "feed %s lost: %s: %s", name, reason, error
            )
        self.lost = True
        if reason == "refused":
            return REFUSED_RETRY_S
        ceiling_s = min(self.feed.RETRY_S_MAX, BACKOFF_S * 2 ** min(self.failures, DOUBLINGS_MAX))
        self.failures += 1
        asked_s = retry_after_s(error) if error is not None else 0.0
        return max(self.uniform(0.0, ceiling_s), asked_s)

    def _put(self, heard: Heard) -> None:
        if heard.spans or heard.changes or heard.feed is not None:
            self.outlets.put(heard)

    def _wait_longer(self, seconds: float) -> None:
        self.silence_s_max = max(self.usual_silence_s_max, seconds)
        if not self.waiting:
            self._rest(asyncio.get_running_loop().time() + self.silence_s_max)

    def _rest(self, until_s: float | None) -> None:
        if not self.deadline.expired():
            self.deadline.reschedule(until_s)

    def _be_loud(self, what: str, error: Exception) -> None:
        """Nobody thought of this one: a traceback, but not one for every frame."""
        if self._is_time(type(error).__name__):
            log.error("feed %s: %s: %s", self.feed.name, what, error, exc_info=error)

    def _is_time(self, kind: str) -> bool:
        """Is it long enough since we last said this?"""
        now_s = asyncio.get_running_loop().time()
        if now_s - self.loud_s.get(kind, -LOUD_EVERY_S) < LOUD_EVERY_S:
            return False
        self.loud_s[kind] = now_s
        return True


def _word(reason: str) -> Reason:
    return cast(Reason, reason) if reason in get_args(Reason) else "unknown"


async def supervise(
    feed: Collecting,
    http: aiohttp.ClientSession,
    watch: Watch,
    now: Now,
    outlets: Outlets,
    silence_after_s: float | None = None,
) -> None:
    await Supervisor(feed, watch, now, outlets, silence_after_s=silence_after_s).run(http)

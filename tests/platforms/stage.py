"""Where every kind of hosted platform plays the same piece: its own line, the real keeper and watch, two rooms.

A kind joins by a `Played` in kinds.py; the piece is test_every_kind.py.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from typing import Literal, Protocol

from collectors.collector import FeedRow, Now
from monitor.crew import bounded_http
from monitor.facts import BlindSpan, Heard, RosterRoom
from monitor.live.failure import Reason
from monitor.live.room import Room
from monitor.live.sight import platform_of
from monitor.live.supervise import Collecting, Outlets, Supervisor
from monitor.live.watch import Watch
from monitor.rehearsal.scene import Trouble

from .between import Between

DEADLINE_S = 10.0
GRACE_S, SETTLE_S = 60.0, 0.0
OFFLINE, LIVE, DROPPED, BLIND = 0, 1, 2, 3

Auth = Literal["app", "room"]


class House(Protocol):
    """What a kind's line is given of the house: the watch to look rooms up, and where a room is told to be unseen."""

    watch: Watch

    def unseen(self, feed: str, rooms: Sequence[str], reason: Reason) -> None: ...


class Reaching(House, Protocol):
    """The house of a piece: somebody may stand between a feed and its platform."""

    def reached(self, url: str) -> AbstractAsyncContextManager[str]:
        """Where the feed is to look for what listens at `url`."""


class Played(Protocol):
    """One kind beside its fake platform. Rooms are two; what is said of them is what the platform shows from then on.

    `auth`: whether a refusal is of the whole feed or of one room. `partial`: what a room is that an answer leaves out:
    absent (dropped at the second proof), or unknown for ever (blind alone). `totals`: whether it counts viewers so far.
    """

    row: FeedRow
    trouble: Trouble
    auth: Auth
    partial: Literal["absent", "unknown"]
    totals: bool

    def playing(self, house: Reaching) -> AbstractAsyncContextManager[Collecting]:
        """The platform is there; the feed as `supervise` knows it. Polls come every few hundredths of a second."""

    def on_air(self, room: str, viewers: int, views_total: int = 0) -> None: ...
    def off_air(self, room: str) -> None: ...
    def leave_out(self, room: str, left_out: bool) -> None: ...
    def garble(self, room: str) -> None: ...
    def too_fast(self, so: bool) -> None: ...
    def lock_out(self, room: str) -> None:
        """The platform takes back its word: that of this room, or of the whole feed, as `auth` says."""


class Stage:
    """What became of the piece. All that `supervise` leads to is kept."""

    def __init__(self, played: Played, silence_s: float = DEADLINE_S, between: Between | None = None) -> None:
        self.silence_s, self.between = silence_s, between
        self.played, self.rooms = played, list(played.row.rooms or ())
        self.watch = Watch(grace_s=GRACE_S, settle_s=SETTLE_S)
        roster = [RosterRoom(number, platform_of(played.row), room) for number, room in enumerate(self.rooms, 1)]
        self.watch.load(roster, (), [played.row], now())
        self.put: list[Heard] = []
        self.failed: list[Reason] = []
        self.quarantined: list[bytes] = []
        self.messages = 0
        self.now: Now = now

    def unseen(self, feed: str, rooms: Sequence[str], reason: Reason) -> None:
        self.failed.append(reason)
        self.put.extend(self.watch.fail_room(feed, room, reason, now()) for room in rooms)

    def reached(self, url: str) -> AbstractAsyncContextManager[str]:
        return nullcontext(url) if self.between is None else self.between.to(url)

    @asynccontextmanager
    async def playing(self) -> AsyncIterator["Stage"]:
        async with self.played.playing(self) as line, self.keeping(line):
            yield self

    @asynccontextmanager
    async def keeping(self, line: Collecting) -> AsyncIterator[None]:
        """The feed of this line is at work."""
        async with bounded_http() as http:
            keeper = Supervisor(line, self.watch, now, self._outlets(), _short, lambda low, high: 0.01, self.silence_s)
            task = asyncio.ensure_future(keeper.run(http))
            try:
                yield
            finally:
                task.cancel()
                await asyncio.wait([task])

    def _outlets(self) -> Outlets:
        async def room(ticks: int, facts: int) -> None: ...

        def heard(feed: str) -> None:
            self.messages += 1

        def quarantine(feed: str, frame: bytes, at: datetime, reason: str) -> None:
            self.quarantined.append(frame)

        return Outlets(
            room=room, put=self.put.append, quarantine=quarantine, heard=heard, polled=lambda feed, seconds: None,
            failed=lambda feed, reason: self.failed.append(reason),
        )  # fmt: skip

    async def until(self, so: Callable[[], object]) -> None:
        """Wait for it. Raises AssertionError, with how all rooms stand, where it does not come."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not so():
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"{self.states}, {self.failed[-3:]}, {self.messages} messages") from None

    async def messages_more(self, number: int) -> None:
        """Wait for so many good frames."""
        after = self.messages + number
        await self.until(lambda: self.messages >= after)

    async def ticks_more(self, room: str, number: int) -> None:
        """Wait until this room was seen so often."""
        for _ in range(number):
            before = self.of(room).last_tick_at
            await self.until(lambda before=before: self.of(room).last_tick_at > before)

    def of(self, room: str) -> Room:
        return self.watch.muster.by_key[platform_of(self.played.row), room]

    def counts(self, room: str, viewers: int) -> bool:
        """Whether so many are told to watch, where the kind tells of them."""
        return "viewers" not in self.played.row.signals() or self.of(room).viewers == viewers

    @property
    def states(self) -> dict[str, int]:
        return {room: self.of(room).state for room in self.rooms}

    def changes(self, room: str) -> list[str]:
        return [change.change for heard in self.put for change in heard.changes if change.room == room]

    def spans(self, room: str | None = None) -> Sequence[BlindSpan]:
        """Those that ended, of this room alone or of the whole feed."""
        spans = [span for heard in self.put for span in heard.spans]
        return [span for span in spans if span.room == room and span.to_at is not None]


def now() -> datetime:
    return datetime.now(UTC)


async def _short(seconds: float) -> None:
    """A refused feed is asked again in minutes; here, in a moment."""
    await asyncio.sleep(min(seconds, 0.05))

"""What a collector is, and the little that all of them share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Literal, Protocol

import aiohttp
import msgspec

from .beat import beat_after, place_of
from .tick import Tick

Emit = Callable[[bytes, datetime], Awaitable[None]]
"""Hand over one frame and the instant it speaks of. A frame without ticks still proves that the feed is alive."""

Now = Callable[[], datetime]
"""The monitor's one clock: aware UTC."""


class Collector(Protocol):
    """Hears one feed until it is cancelled or the feed fails, and says what a frame means.

    It never retries, sleeps (but for `every`), logs or counts: all of that is done once, around it.
    """

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None: ...

    def parse(self, frame: bytes, at: datetime) -> Sequence[Tick]: ...


class FeedRow(msgspec.Struct, tag_field="kind", forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A `[[feed]]` table of the config file: a collector's fields are its settings.

    `rooms` left out means every room of the roster on this platform (and hall, if given); the monitor fills it in
    before `collect` and `parse` are called, so that a collector finds its rooms here in either case.
    """

    name: str
    platform: str = ""  # left out: the kind's own
    hall: str = ""
    rooms: list[str] | None = None
    viewers: bool = True  # false for relay servers, whose only viewers are the platforms that pull
    silence_s_max: float | None = None  # left out: max(10, 3 x interval)

    # What the kind is, the same for all its rows.
    PLATFORM: ClassVar[str] = ""
    TELLS_STATE: ClassVar[bool] = True  # polls and sockets; hooks are silent by nature and never blind a room
    TELLS_END: ClassVar[bool] = False  # can this source tell a sign-off from a failure?
    ROOM_BY_ROOM: ClassVar[bool] = False  # a frame shows the rooms it names and no other: one can be blind alone
    HIDES_ROOMS: ClassVar[bool] = False  # a whole answer may say of single rooms that it cannot show them
    TELLS_MONEY: ClassVar[bool] = False  # its ticks have the platform's own running total of money
    KEY_IS: ClassVar[Literal["session", "connection"]] = "connection"  # what `session_key` names
    KEYS: ClassVar[str] = ""  # of what they are, where several kinds tell the same; left out: a feed's own compare
    TELLS_OF_REFUSED: ClassVar[bool] = True  # its events tell that somebody publishes before he is let, or refused
    TOLD_LATE_S: ClassVar[float] = 0.0  # so old an event is when its source tells it, though all is well there
    REFRESH_S: ClassVar[float] = 0.0  # how far this source's status may lag behind an event
    STALL_S: ClassVar[float] = 10.0  # so long after its last byte a stream stalls, as far as this kind can tell
    COUNTS_LATE_S: ClassVar[float] = 0.0  # so much of it may go by until that byte is counted, and progress stands
    RETRY_S_MAX: ClassVar[float] = 60.0  # the cap of the back-off: low for own servers, where sight matters most
    URL_SCHEMES: ClassVar[tuple[str, ...]] = ("http", "https")  # of `url`
    SIGNALS: ClassVar[tuple[str, ...]] = ("live", "viewers")  # what it tells of a room: live, viewers, sales
    ELSEWHERE: ClassVar[Mapping[str, str]] = {}  # keys that people look for here: what to do instead

    def complaints(self) -> Iterable[tuple[tuple[str, ...], str, str]]:
        """Settings that cannot be meant, beside what is wrong of each alone: the key, what is wrong, what to do."""
        return ()

    def signals(self) -> list[str]:
        """What this row tells of its rooms, after its settings."""
        return [signal for signal in self.SIGNALS if signal != "viewers" or self.viewers]


class FeedRefused(Exception):
    """The feed will not have us, however often we ask: a bad key, an unknown app. It ends in an alert."""


class BadFrame(ValueError):
    """A frame that means nothing to us, though it came: its reason is one of few fixed words plus detail."""


class PartlyRead(BadFrame):
    """A frame that shows some rooms (`ticks`), and leaves us blind for others: they are neither seen nor missed.

    `unseen`: these, each with one of the fixed words of monitor/live/failure.py; only of kinds that go room by room, or
    that may hide rooms. Where there are none, and no `part`, the reason begins with that word: something beside the
    rooms is missing. `part`: what of the frame could not be read, kept for a person now and then; empty where nothing
    came. `whole`: nothing failed, and the feed is well, though it may show no room at all.
    """

    def __init__(
        self, reason: str, ticks: Sequence[Tick], unseen: Mapping[str, str], part: bytes = b"", whole: bool = False
    ) -> None:
        self.ticks, self.unseen, self.part, self.whole = ticks, unseen, part, whole
        super().__init__(reason)


async def every(seconds: float, feed: str = "") -> AsyncIterator[None]:
    """Beat now and then every so many seconds; a beat that is late comes at once.

    A `feed` that polls gives its name: its beats are at a place in the interval that the name gives, so that hundreds
    which begin together do not ask together for ever. The first comes now all the same, because until it is answered
    the feed is blind; the second is at most an interval later. Without a name a late beat moves the ones after it.
    """
    loop = asyncio.get_running_loop()
    beat = loop.time()
    while True:
        yield
        beat = max(beat_after(place_of(feed), beat, seconds) if feed else beat + seconds, loop.time())
        await asyncio.sleep(beat - loop.time())

"""Calls livemon when a publisher of a hall comes or goes: its server, beside its pages, or the cloud it pushes to."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import ClassVar, Literal, NamedTuple, Protocol

import aiohttp
import msgspec
from yarl import URL

from ..deliveries import Made
from ..event.cast import OWN
from ..manners import feed_name
from ..scene import Scene, Settings, Trouble
from ..truth import NOT_TOLD, OFF_AIR
from .stream import JUST_S, Stream, Streams

LOOK_EVERY_S = 0.5
MOMENT = timedelta(milliseconds=1)
STANZAS = """
[[app]]
name = "{name}"
platform = "{platform}"
secret_file = "secrets/{name}"

[[feed]]
kind = "{kind}"
name = "{name}"
platform = "{platform}"
hall = "{hall}"
app = "{name}"
"""

Stamped = Literal["never", "ends", "seconds", "always"]
"""Which calls say of when they are: none, ends alone, all of them in whole seconds, all of them to the millisecond."""


class Habit(msgspec.Struct, frozen=True):
    """How and when a kind calls. Seconds of the world.

    `made`: headers, body and perhaps a query of what is told, with a secret, for a first try at an instant. `token`:
    livemon knows the caller by the token in the address; else each call is signed. `retries_s`: the pauses after tries
    that failed; after the last one it gives up.

    It waits `waits_s` for a publisher who came before it tells of him, and `gives_up_s` for one who went before it
    tells that he is gone; of one who is back by then it tells if it `tells_back`.
    """

    made: Callable[[bytes, bytes, datetime], Made]
    method: Literal["POST", "GET"] = "POST"
    token: bool = True
    timeout_s: float = 5.0
    retries_s: Sequence[float] = ()
    waits_s: float = 0.0
    gives_up_s: float = 0.0
    tells_back: bool = True
    stamped: Stamped = "never"

    def left_s(self, late_s: float) -> Sequence[float]:
        """Of the pauses those that are not over so long after the first try was due."""
        return self.retries_s[sum(over_s <= late_s for over_s in accumulate(self.retries_s)) :]


class Words(Protocol):
    """What one kind calls."""

    KIND: ClassVar[str]
    HABIT: ClassVar[Habit]

    def told(self, stream: Stream, live: bool, since_at: datetime, at: datetime) -> bytes:
        """`since_at`: when the row of the stream began; `at`: when the publisher came or went. A stream that went is
        given as it stood last, but that its room says whether he signed off."""


class Call(NamedTuple):
    """`at`: of one that is stamped its instant as livemon understands it, None where a call is of when it comes."""

    room: str
    told: bytes
    live: bool
    at: datetime | None


class Caller:
    """Looks at a hall each half second, and calls of each room one thing after the other.

    Own servers do not try again: what livemon does not take is lost, and while `trouble.pushing` is not set they do not
    call at all. A cloud tries again as it says, with the same bytes; what `trouble` holds up is told later: late, but
    never out of turn. In the truth each room's calls are a feed of its own. Of calls that are tried again it says twice
    what was taken: as of the instant that the call names, and when that was.
    """

    def __init__(self, scene: Scene, way: str, hall: str, streams: Streams, words: Words, trouble: Trouble) -> None:
        self.scene, self.hall, self.streams, self.words, self.trouble = scene, hall, streams, words, trouble
        self.way, self.name = way, feed_name(way, hall.lower())
        self.secret = scene.secret(self.name)
        self.habit = words.HABIT
        self.again = bool(self.habit.retries_s)
        token = f"?token={self.secret.decode()}" if self.habit.token else ""
        self.url = f"{scene.hooks_url}/hooks/{self.name}{token}"
        self.waiting = 0  # calls that were neither taken nor given up
        self._on: dict[int, Stream] | None = None  # whose publishers it has told of, as they stood last
        self._gone: dict[int, datetime] = {}  # and which of them went when
        self._telling: dict[int, asyncio.Task[None]] = {}

    def settings(self) -> Settings:
        text = STANZAS.format(name=self.name, platform=OWN, kind=self.words.KIND, hall=self.hall)
        return Settings(text, {self.name: self.secret})

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                for number, calls in self.look(self.scene.now()).items():
                    before = self._telling.get(number)
                    self.waiting += len(calls)
                    self._telling[number] = group.create_task(self._tell(calls, before))
                await asyncio.sleep(LOOK_EVERY_S)

    def look(self, at: datetime) -> dict[int, list[Call]]:
        """What is to be called now, of each room in order. The first look calls nothing: what there is was called of
        before anybody listened."""
        began_at = self.scene.tempo.began_at
        rows = zip(self.streams.numbers, self.streams.at((at - began_at).total_seconds()), strict=True)
        if self._on is None:
            self._on = {number: stream for number, stream in rows if self._is_here(stream)}
            return {}
        calls = {number: self._of(self._on, number, stream, at) for number, stream in rows}
        return {number: told for number, told in calls.items() if told}

    def _is_here(self, stream: Stream) -> bool:
        return stream.room.publishing and stream.room.connected_s >= self.habit.waits_s

    def _of(self, on: dict[int, Stream], number: int, stream: Stream, at: datetime) -> list[Call]:
        known, room, told = on.get(number), stream.room, list[Call]()
        same = known is not None and room.publishing and known.room.connection == room.connection
        if known is not None and not same:
            back_at = at - timedelta(seconds=room.connected_s) if room.publishing else None
            gone_at = self._gone.setdefault(number, self._gone_at(number, stream, at))
            waited_s = ((back_at or at) - gone_at).total_seconds()
            if waited_s >= self.habit.gives_up_s and (self.habit.tells_back or not room.publishing):
                told.append(self._call(self._left(number, known, gone_at), False, gone_at))
                del on[number]
        if self._is_here(stream):
            self._gone.pop(number, None)
            if not same and (number not in on or self.habit.tells_back):
                told.append(self._call(stream, True, at - timedelta(seconds=room.connected_s)))
            on[number] = stream
        elif number not in on:
            self._gone.pop(number, None)
        return told

    def _gone_at(self, number: int, stream: Stream, at: datetime) -> datetime:
        """When the publisher went who was there at the last look."""
        room = stream.room
        if room.publishing:  # by another connection
            at -= timedelta(seconds=room.connected_s + JUST_S)
            room = self.streams.play.room(number, self._clock_s(at))
        return at - timedelta(seconds=room.away_s)

    def _left(self, number: int, known: Stream, gone_at: datetime) -> Stream:
        """As it stood, and whether its publisher signed off himself: who did was off the air in the same instant."""
        after = self.streams.play.room(number, self._clock_s(gone_at) + JUST_S)
        room = msgspec.structs.replace(known.room, on_air=after.on_air, signed_off=after.signed_off)
        return msgspec.structs.replace(known, room=room)

    def _call(self, stream: Stream, live: bool, at: datetime) -> Call:
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # as it is written
        since_at = self.scene.tempo.began_at + timedelta(seconds=stream.since_s)
        told = self.words.told(stream, live, since_at, at)
        return Call(stream.room.part.room, told, live, stamp(self.habit.stamped, live, at))

    def _clock_s(self, at: datetime) -> float:
        return (at - self.scene.tempo.began_at).total_seconds()

    async def _tell(self, calls: Sequence[Call], before: asyncio.Task[None] | None) -> None:
        found_at = self.scene.now()
        if before is not None:
            await asyncio.wait([before])
        for call in calls:
            await self._deliver(call, found_at)
            if self.trouble.twice and not self.again and call.at is None:  # of one instant two would be one
                await self._deliver(call, found_at)
            self.waiting -= 1

    async def _deliver(self, call: Call, found_at: datetime) -> None:
        """Until it is taken, or given up: what waited for others has had that part of its time."""
        made: Made | None = None
        for pause_s in (*self.habit.left_s((self.scene.now() - found_at).total_seconds()), 0.0):
            if not self.trouble.pushing:
                if not self.again:
                    return
                await self._held(call)
            sent_at = self.scene.now()
            made = made or self.habit.made(call.told, self.secret, sent_at)
            if await self._is_taken(made):
                self._took(call, sent_at)
                if self.trouble.twice and self.again:  # the same bytes, which livemon has
                    await self._is_taken(made)
                return
            self._failed(call, sent_at)
            await asyncio.sleep(pause_s)

    async def _held(self, call: Call) -> None:
        """Nothing is delivered just now."""
        self._failed(call, self.scene.now())
        while not self.trouble.pushing:  # noqa: ASYNC110 - nobody tells us that the trouble is over
            await asyncio.sleep(LOOK_EVERY_S)

    async def _is_taken(self, made: Made) -> bool:
        headers, body, *query = made
        try:
            async with self.scene.http.request(
                self.habit.method, URL("?".join([self.url, *query]), encoded=True), data=body or None,
                headers=headers, timeout=aiohttp.ClientTimeout(total=self.habit.timeout_s), allow_redirects=False,
            ) as reply:  # fmt: skip
                return reply.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False  # nobody is there

    def _took(self, call: Call, sent_at: datetime) -> None:
        feed, viewers = self._feed(call), [0 if call.live else OFF_AIR]
        if call.at is not None:
            self.scene.truth.served(feed, call.at, viewers, "stamped")
        else:
            self.scene.truth.served(feed, sent_at, viewers)
        if self.again:
            self.scene.truth.served(feed, self.scene.now(), [NOT_TOLD], "alive")

    def _failed(self, call: Call, at: datetime) -> None:
        self.scene.truth.served(self._feed(call), at, None, "failed")

    def _feed(self, call: Call) -> str:
        return feed_name(self.way, self.hall.lower(), call.room)


def stamp(stamped: Stamped, live: bool, at: datetime) -> datetime | None:
    """Of which instant livemon takes a call to be; of one whole second first an end, then a beginning."""
    match stamped:
        case "seconds":
            return at.replace(microsecond=0) + MOMENT * live
        case "ends":
            return None if live else at
        case "always":
            return at
    return None

"""What the server of a hall calls when a publisher comes or goes, beside its pages: once, and never again."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple, Protocol

import aiohttp

from ..event.cast import OWN
from ..manners import feed_name
from ..scene import Scene, Settings, Trouble
from ..truth import OFF_AIR
from .stream import Stream, Streams

LOOK_EVERY_S = 0.5
TIMEOUT_S = 5.0
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


class Words(Protocol):
    """How one kind of server calls."""

    KIND: ClassVar[str]
    CONTENT_TYPE: ClassVar[str]
    GIVES_UP_S: ClassVar[float]  # so long it waits for a publisher before it tells that he is gone
    TELLS_BACK: ClassVar[bool]  # also of one who is back by then it tells
    STAMPED: ClassVar[bool]  # an end says when it was, to the millisecond

    def body(self, stream: Stream, live: bool, since_at: datetime, at: datetime) -> bytes:
        """`since_at`: when the row of the stream began; `at`: when the publisher came or went."""


class Call(NamedTuple):
    """`at`: of an end that is stamped its instant, None where a call is of when it comes."""

    room: str
    body: bytes
    live: bool
    at: datetime | None


class Caller:
    """Looks at a hall each half second. What livemon does not take is lost: these servers do not try again, and while
    `trouble.pushing` is not set they do not call at all. In the truth each room's calls are a feed of its own."""

    def __init__(self, scene: Scene, hall: str, streams: Streams, words: Words, trouble: Trouble) -> None:
        self.scene, self.hall, self.streams, self.words, self.trouble = scene, hall, streams, words, trouble
        self.name = feed_name("call", hall.lower())
        self.secret = scene.secret(self.name)
        self.url = f"{scene.hooks_url}/hooks/{self.name}?token={self.secret.decode()}"
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
                    self._telling[number] = group.create_task(self._tell(calls, before))
                await asyncio.sleep(LOOK_EVERY_S)

    def look(self, at: datetime) -> dict[int, list[Call]]:
        """What is to be called now, of each room in order. The first look calls nothing: it finds what there is."""
        began_at = self.scene.tempo.began_at
        rows = zip(self.streams.numbers, self.streams.at((at - began_at).total_seconds()), strict=True)
        if self._on is None:
            self._on = {number: stream for number, stream in rows if stream.room.publishing}
            return {}
        calls = {number: self._of(self._on, number, stream, at) for number, stream in rows}
        return {number: told for number, told in calls.items() if told}

    def _of(self, on: dict[int, Stream], number: int, stream: Stream, at: datetime) -> list[Call]:
        known, room, told = on.get(number), stream.room, list[Call]()
        same = known is not None and room.publishing and known.room.connection == room.connection
        if known is not None and not same:
            back_at = at - timedelta(seconds=room.connected_s) if room.publishing else None
            gone_at = self._gone.setdefault(number, back_at or at - timedelta(seconds=room.away_s))
            waited_s = ((back_at or at) - gone_at).total_seconds()
            if waited_s >= self.words.GIVES_UP_S and (self.words.TELLS_BACK or not room.publishing):
                told.append(self._call(known, False, gone_at))
                del on[number]
        if room.publishing:
            self._gone.pop(number, None)
            if not same and (number not in on or self.words.TELLS_BACK):
                told.append(self._call(stream, True, at))
            on[number] = stream
        elif number not in on:
            self._gone.pop(number, None)
        return told

    def _call(self, stream: Stream, live: bool, at: datetime) -> Call:
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # as it is written
        since_at = self.scene.tempo.began_at + timedelta(seconds=stream.since_s)
        body = self.words.body(stream, live, since_at, at)
        return Call(stream.room.part.room, body, live, at if self.words.STAMPED and not live else None)

    async def _tell(self, calls: Sequence[Call], before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        for call in calls:
            for _ in range(1 + (self.trouble.twice and call.at is None)):  # of one instant two would be one
                if self.trouble.pushing:
                    await self._post(call)

    async def _post(self, call: Call) -> None:
        sent_at, taken = self.scene.now(), False
        try:
            async with self.scene.http.post(
                self.url, data=call.body, headers={"Content-Type": self.words.CONTENT_TYPE},
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            ) as reply:  # fmt: skip
                taken = reply.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass  # nobody is there, and nobody is asked again
        feed, viewers = feed_name("call", self.hall.lower(), call.room), [0 if call.live else OFF_AIR]
        if not taken:
            self.scene.truth.served(feed, sent_at, None, "failed")
        elif call.at is not None:
            self.scene.truth.served(feed, call.at, viewers, "stamped")
        else:
            self.scene.truth.served(feed, sent_at, viewers)

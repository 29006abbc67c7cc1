"""A hall of own servers: one server that tells of its streams as its kind does, as they stand when somebody asks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple, Protocol

from ..event.cast import OWN
from ..manners import hall_feed
from ..scene import Scene, Settings, Trouble
from ..truth import OFF_AIR
from .calls import Caller, Words
from .page_server import Answer, Asked, PageServer
from .stream import Counting, Stream, Streams
from .unsold import SellsNothing

STANZA = """\
[[feed]]
kind = "{kind}"
name = "{name}"
hall = "{hall}"
url = "{url}"
interval_s = {interval_s}
"""
PLATFORM_LINE = 'platform = "{}"\n'  # halls with servers of several kinds are one platform to people


class Look(NamedTuple):
    """How all rooms of a hall stand at one instant: as its server counts them, and of each part its viewers, or
    OFF_AIR, in the order of the hall's cast. `clock_s`: seconds of the world since the play began."""

    at: datetime
    clock_s: float
    streams: Sequence[Stream]
    viewers: Sequence[int]

    def since_at(self, stream: Stream) -> datetime:
        """When its row began: to the microsecond the same in all looks."""
        return self.at - timedelta(seconds=self.clock_s) + timedelta(seconds=stream.since_s)


class View(Protocol):
    """What a server sees of its hall."""

    def now(self) -> Look:
        """A new look."""

    def last(self) -> Look:
        """The one before, for further pages: a list in pages is one look, so that it can be compared as a whole."""


class Server(Protocol):
    """One kind of server. Its answers are byte for byte in the form of the real one's."""

    KIND: ClassVar[str]
    PATH: ClassVar[str]  # what `url` has behind the address
    SERVES: ClassVar[str]  # the name that it gives itself in its head
    CONTENT_TYPE: ClassVar[str]
    COUNTING: ClassVar[Counting]

    def __init__(self, hall: str, secret: bytes) -> None:
        """`hall`: its letter. `secret`: what its interface asks for, where it asks."""

    def settings(self, name: str) -> Settings:
        """More lines of its [[feed]] table, whose secret is the file of the feed's `name`."""

    def answer(self, asked: Asked, view: View) -> Answer | None:
        """None: it has no such page. The last page of a look says `viewers`."""


class Hall(SellsNothing):
    """The rooms of one hall (its letter). A room counts as livemon will understand it: live while it is published.

    A trouble of its interface is the pages' alone: streams go on, and the process stays the same, so that connections
    of encoders have the names afterwards that they had before. (A restarted server would cut all its streams: that is
    an outage of the play.) An encoder that froze stays on the page with its bytes standing still: no server of a hall
    cuts it, however soon its kind usually does.
    """

    def __init__(self, scene: Scene, hall: str, server: Server, words: Words | None = None) -> None:
        """`words`: it calls livemon, too, in these."""
        self.scene, self.hall, self.told = scene, hall, server
        self.name = hall_feed(hall)
        self.trouble = Trouble()
        self.parts = [part for part in scene.play.parts if (part.platform, part.hall) == (OWN, hall)]
        self.streams = Streams(scene.play, [part.number for part in self.parts], server.COUNTING)
        self.server = PageServer(
            self.name, self.answer, scene.truth, self.trouble, scene.now, server.SERVES, server.CONTENT_TYPE
        )
        self.caller = Caller(scene, "call", hall, self.streams, words, self.trouble) if words else None
        self.url = ""
        self._at = scene.now()
        self._look: Look | None = None

    async def open(self) -> None:
        self.url = await self.server.open() + self.told.PATH

    def settings(self) -> Settings:
        more = self.told.settings(self.name)
        platform = "" if self.told.KIND == OWN else PLATFORM_LINE.format(OWN)
        stanza = STANZA.format(
            kind=self.told.KIND, name=self.name, hall=self.hall, url=self.url, interval_s=self.scene.interval_s
        )
        calls = self.caller.settings() if self.caller else Settings("")
        return Settings(stanza + platform + more.stanzas + calls.stanzas, {**more.secrets, **calls.secrets})

    async def run(self) -> None:
        if self.caller is not None:
            await self.caller.run()

    def answer(self, at: datetime, asked: Asked) -> Answer | None:
        self._at = at
        return self.told.answer(asked, self)

    def now(self) -> Look:
        clock_s = (self._at - self.scene.tempo.began_at).total_seconds()
        streams = self.streams.at(clock_s)
        viewers = [stream.room.viewers if stream.room.publishing else OFF_AIR for stream in streams]
        self._look = Look(self._at, clock_s, streams, viewers)
        return self._look

    def last(self) -> Look:
        return self._look or self.now()

    async def close(self) -> None:
        await self.server.close()

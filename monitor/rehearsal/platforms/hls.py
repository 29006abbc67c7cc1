"""A hall whose rooms are packaged as HLS by ffmpeg, and looked at by their playlists alone: one list a room."""

from datetime import datetime
from functools import partial
from typing import ClassVar

from ..event.cast import OWN
from ..event.play import RoomNow
from ..manners import EVERY_S, hall_feed
from ..scene import Scene, Settings, Trouble
from ..truth import OFF_AIR
from .hls_looks import Looks, Shown
from .page_server import Answer, Asked, PageServer
from .stream import JUST_S, Counting, Stream, Streams
from .unsold import SellsNothing

SEGMENT_S, SEGMENTS = 4.0, 5  # of the world; a list has so many
STANZA = """\
[[feed]]
kind = "hls"
name = "{name}"
platform = "{platform}"
hall = "{hall}"
url = "{url}/{{room}}.m3u8"
interval_s = {interval_s}
"""
HEAD = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{first}\n"
SEGMENT = "#EXTINF:{length:.6f},\n{name}{number}.ts\n"
END = "#EXT-X-ENDLIST\n"


class Packager(SellsNothing):
    """ffmpeg's own muxer writes the lists: an end where somebody signs off, and nothing where a stream is gone. Each
    encoder that connects begins a list anew, before whose first segment there is none; a script of the hall takes away
    what nobody has written to for half a minute.

    A list says how a room stands only beside those before it, so that what it says is what they say to somebody who
    has had all of them: `hls_looks`.
    """

    COUNTING: ClassVar[Counting] = Counting(keeps_s=30.0, carries=False)

    def __init__(self, scene: Scene, hall: str) -> None:
        self.scene, self.hall = scene, hall
        self.name = hall_feed(hall)
        self.trouble = Trouble()
        self.parts = [part for part in scene.play.parts if (part.platform, part.hall) == (OWN, hall)]
        self.numbers = {f"/{part.room}.m3u8": part.number for part in self.parts}
        self.streams = Streams(scene.play, list(self.numbers.values()), self.COUNTING)
        self.looks = Looks(len(self.parts), self.trouble, scene.truth.notes)
        self.server = PageServer(
            self.name, self.answer, scene.truth, self.trouble, scene.now, "nginx/1.26.3",
            "application/vnd.apple.mpegurl",
        )  # fmt: skip
        self.url = ""

    async def open(self) -> None:
        self.url = await self.server.open()

    def settings(self) -> Settings:
        stanza = STANZA.format(
            name=self.name, platform=OWN, hall=self.hall, url=self.url, interval_s=EVERY_S[self.name]
        )
        return Settings(stanza)

    async def run(self) -> None:
        """Lists are asked for."""

    def answer(self, at: datetime, asked: Asked) -> Answer | None:
        number = self.numbers.get(asked.path)
        if asked.method != "GET" or number is None:
            return None
        clock_s = (at - self.scene.tempo.began_at).total_seconds()
        room = self.scene.play.room(number, clock_s)
        shown, body = self.written(number, room, clock_s)
        feed = hall_feed(self.hall, room.part.room)
        heard = partial(self.heard, room.part.room, shown, at)
        return Answer(body, status=200 if body else 404, feed=feed, heard=heard)

    def heard(self, room: str, shown: Shown | None, at: datetime, had: bool) -> list[int] | None:
        """What the list says of the room; nobody is told how many watch."""
        if not had:
            self.looks.failed()
            return None
        return [0 if self.looks.had(room, shown, at) else OFF_AIR]

    def written(self, number: int, room: RoomNow, clock_s: float) -> tuple[Shown | None, bytes | None]:
        """The list as it stands, and what of it matters; None where there is none."""
        stream = self.streams.one(number, room, clock_s)
        received_s = stream.counted_s / self.scene.play.speed  # by the clock of the world
        whole = int(round(received_s, 6) // SEGMENT_S)
        if stream.room.away_s >= self.COUNTING.keeps_s or not whole:
            return None, None
        ended = self._ended(number, stream, clock_s)
        first = max(0, whole - SEGMENTS)
        lengths = [SEGMENT_S] * (whole - first) + [received_s % SEGMENT_S] * ended
        lines = [
            SEGMENT.format(length=length, name=stream.name, number=first + place)
            for place, length in enumerate(lengths)
        ]
        text = HEAD.format(first=first) + "".join(lines) + END * ended
        return Shown(first, first + len(lengths), ended), text.encode()

    def _ended(self, number: int, stream: Stream, clock_s: float) -> bool:
        """Whether the encoder itself was told to stop, while it worked."""
        room = stream.room
        if room.on_air or not room.signed_off or room.frozen_s:
            return False
        return not self.scene.play.room(number, clock_s - room.away_s + JUST_S).on_air  # else it was gone before that

    async def close(self) -> None:
        await self.server.close()

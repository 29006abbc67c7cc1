"""A hall of own servers: one nginx-rtmp that shows its rooms on a stat page, as it stands whenever somebody asks."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from ..event.order import Happened
from ..scene import Scene, Settings, Trouble
from ..truth import OFF_AIR
from .nginx_rtmp_page import stat_page
from .page_server import PageServer

PLATFORM = "nginx_rtmp"
UP_S = 400_000  # for how long nginx had been running when the play began
STANZA = """\
[[feed]]
kind = "nginx_rtmp"
name = "{name}"
hall = "{hall}"
url = "{url}"
interval_s = {interval_s}
"""


class Hall:
    """The rooms of one hall (its letter). A room counts as livemon will understand it: live while it is published.

    A trouble is the stat page's alone: streams go on, and the worker process stays the same, so that the connections
    of encoders have the names afterwards that they had before. (A restarted nginx would cut all its streams: that is
    an outage of the play.) An encoder that froze stays on the page with its bytes standing still.
    """

    SELLS_ON: ClassVar[str] = ""
    SHOWS: ClassVar[str] = ""

    def __init__(self, scene: Scene, hall: str) -> None:
        self.scene, self.hall = scene, hall
        self.name = f"hall-{hall.lower()}"
        self.trouble = Trouble()
        self.parts = [part for part in scene.play.parts if (part.platform, part.hall) == (PLATFORM, hall)]
        self.pid = 30_000 + ord(hall[0])
        self.server = PageServer(
            self.name, "/stat", lambda at, query: self.page(at), scene.truth, self.trouble, scene.now, "nginx/1.26.3",
            "text/xml",
        )  # fmt: skip
        self.url = ""

    async def open(self) -> None:
        self.url = await self.server.open()

    def settings(self) -> Settings:
        stanza = STANZA.format(name=self.name, hall=self.hall, url=self.url, interval_s=self.scene.interval_s)
        return Settings(stanza)

    async def run(self) -> None:
        """A stat page delivers nothing."""

    def page(self, at: datetime) -> tuple[bytes, Sequence[int]]:
        """The page at this instant, and of each part of the hall its viewers, or OFF_AIR."""
        clock_s = (at - self.scene.tempo.began_at).total_seconds()
        rooms = self.scene.play.rooms(clock_s, [part.number for part in self.parts])
        viewers = [room.viewers if room.publishing else OFF_AIR for room in rooms]
        return stat_page(rooms, self.pid, UP_S + int(clock_s)), viewers

    def happened(self, event: Happened) -> None:
        raise AssertionError(f"a hall sells nothing: {event}")

    def waiting(self) -> int:
        return 0

    async def close(self) -> None:
        await self.server.close()

"""youtube in the table: two broadcasts. The quota is no hindrance; that it is one is in test_youtube.py."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from collectors.apis.youtube import YoutubeApi
from collectors.hook import App
from collectors.platforms.youtube import Youtube
from monitor.live.supervise import Collecting
from monitor.rehearsal.platforms.youtube_api import FakeYoutube, PlayedVideo

from .api_house import asking
from .stage import Auth, Reaching, now

ROOMS = ["dQw4w9WgXcQ", "jNQXAC9IV-_"]


class PlayedYoutube:
    def __init__(self) -> None:
        self.row = Youtube(name="youtube", app="youtube", rooms=list(ROOMS), interval_s=0.03, units_per_day=10**9)
        self.auth: Auth = "app"
        self.partial, self.totals = "absent", False
        self.app = App("youtube", "youtube", "", (b"AIzaKEY",))
        self.fake = FakeYoutube("", b"AIzaKEY", now, units=10**9)
        self.fake.videos = {room: PlayedVideo(room, scheduled_at=now()) for room in ROOMS}
        self.trouble = self.fake.trouble

    @asynccontextmanager
    async def playing(self, house: Reaching) -> AsyncIterator[Collecting]:
        url = await self.fake.serve()
        try:
            async with house.reached(url) as way, asking(self.row, YoutubeApi(), self.app, way, (), house) as line:
                yield line
        finally:
            await self.fake.close()

    def on_air(self, room: str, viewers: int, views_total: int = 0) -> None:
        video = self.fake.videos[room]
        video.began_at, video.viewers = video.began_at or now(), viewers

    def off_air(self, room: str) -> None:
        self.fake.videos[room].ended_at = now()

    def leave_out(self, room: str, left_out: bool) -> None:
        (self.fake.left_out.add if left_out else self.fake.left_out.discard)(room)

    def garble(self, room: str) -> None:
        self.fake.garbled.add(room)

    def too_fast(self, so: bool) -> None:
        self.fake.book.per_s = 0 if so else None

    def lock_out(self, room: str) -> None:
        self.fake.secret = b"another key"

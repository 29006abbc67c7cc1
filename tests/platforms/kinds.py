"""The rows of the table: every kind of hosted platform beside its fake. A new kind adds its class and its name."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from collectors.apis.wechat import WechatApi
from collectors.apis.wechat_live import DATA, LIST
from collectors.hook import App
from collectors.platforms.wechat_live import WechatLive
from monitor.accounts.account import Account
from monitor.live.supervise import Collecting
from monitor.rehearsal.platforms.wechat_api import FakeWechat
from monitor.rehearsal.platforms.wechat_dashboard import PlayedLive

from .api_house import asking
from .bilibili_played import PlayedBilibili
from .described_played import http_json, ws_json
from .stage import Played, Reaching, now
from .twitch_played import PlayedEventsub, PlayedTwitch
from .youtube_played import PlayedYoutube

ROOMS = ["sphLN00042", "视频号_沈阳一号"]


class PlayedWechat:
    """Two video accounts, each with a key of its own."""

    def __init__(self) -> None:
        self.row = WechatLive(name="wechat-live", app="wechat", rooms=list(ROOMS), interval_s=0.03)
        self.auth, self.partial, self.totals = "room", "absent", True
        self.app = App("wechat", "wechat", "wxcomponent", (b"secret",))
        self.fake = FakeWechat("wxcomponent", b"secret", now)
        self.trouble = self.fake.server.trouble
        self.fake.book.quota = dict.fromkeys((LIST, DATA), 10**9)  # else the interval is stretched
        self.began, self.number = now(), 0
        self.lives: dict[str, list[PlayedLive]] = {room: [] for room in ROOMS}
        self.fake.dashboard.accounts = {room: self._lives_of(room) for room in ROOMS}
        self.fake.own_shops = {f"wx{number}": (f"secret{number}", room) for number, room in enumerate(ROOMS)}

    def _lives_of(self, room: str) -> Callable[[datetime], Sequence[PlayedLive]]:
        return lambda at: self.lives[room]

    @asynccontextmanager
    async def playing(self, house: Reaching) -> AsyncIterator[Collecting]:
        accounts = [
            Account("wechat", "wechat", "", room, key=key, secret=secret.encode())
            for key, (secret, room) in self.fake.own_shops.items()
        ]
        url = await self.fake.serve()
        try:
            async with house.reached(url) as way, asking(self.row, WechatApi(), self.app, way, accounts, house) as line:
                yield line
        finally:
            await self.fake.close()

    def on_air(self, room: str, viewers: int, views_total: int = 0) -> None:
        lives = self.lives[room]
        if not lives or not lives[-1].living:
            self.number += 1
            created_at = self.began + timedelta(seconds=self.number)
            lives.append(PlayedLive(f"export/直播{self.number}", created_at, True))
        key, created_at = lives[-1].export_id, lives[-1].created_at
        lives[-1] = PlayedLive(key, created_at, True, viewers, views_total)

    def off_air(self, room: str) -> None:
        last = self.lives[room][-1]
        self.lives[room][-1] = PlayedLive(last.export_id, last.created_at, False, 0, last.views_total)

    def leave_out(self, room: str, left_out: bool) -> None:
        """The list is empty, and the live that was on answers no more."""
        board = self.fake.dashboard
        (board.left_out.add if left_out else board.left_out.discard)(room)

    def garble(self, room: str) -> None:
        self.fake.dashboard.garbled.add(room)

    def too_fast(self, so: bool) -> None:
        self.fake.book.per_s = 0 if so else None

    def lock_out(self, room: str) -> None:
        key = next(key for key, (_, of) in self.fake.own_shops.items() if of == room)
        self.fake.own_shops[key] = "another secret", room
        for pair in self.fake.own_office.by_access.values():
            if pair.shop == room:
                pair.void_from = now()


KINDS: dict[str, Callable[[], Played]] = {
    "http_json": http_json,
    "ws_json": ws_json,
    "wechat_live": PlayedWechat,
    "bilibili_oauth": PlayedBilibili,
    "twitch": PlayedTwitch,
    "twitch_eventsub": PlayedEventsub,
    "youtube": PlayedYoutube,
}

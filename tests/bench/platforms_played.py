"""Three platforms that make all their rooms heard at once: one asked for a hundred in a call, one for each by itself,
one that tells by a socket a room. They are played in the benchmark's process; livemon is another one.

What a platform would not allow so many rooms of one app is allowed here: 24 calls a second where Twitch gives 800 a
minute, 400 starts a second where Bilibili publishes no number, a day's quota without an end where WeChat has one.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Protocol

from collectors.apis.twitch_calls import BATCH_MAX
from collectors.apis.wechat_live import DATA, LIST
from collectors.batch_polls import batches
from monitor.rehearsal.platforms.bilibili_api import FakeBilibili
from monitor.rehearsal.platforms.twitch_api import FakeTwitch
from monitor.rehearsal.platforms.wechat_api import FakeWechat
from monitor.rehearsal.platforms.wechat_dashboard import PlayedLive
from tests.bench.figures import now
from tests.bench.housed import Watched

FEED = "平台"
CALLS_PER_S = 1_000
STEP_S = 0.05
TABLES = """
[[app]]
name = "app"
platform = "{platform}"
key = "key"
secret_file = "app.secret"
api_url = "{api}"
calls_per_s = {calls_per_s}
self_use = {self_use}

[[feed]]
kind = "{kind}"
name = "{feed}"
app = "app"
interval_s = {interval_s}
{more}
"""


class Played(Watched, Protocol):
    """One platform. `beats`: the room by whose name the instant is found at which a room is asked for; empty where
    nobody asks."""

    kind: str
    platform: str
    interval_s: float
    account: ClassVar[Mapping[str, str]]  # columns of the file of accounts, {room} in them; none: the app asks

    @property
    def beats(self) -> Mapping[str, str]: ...


def tables(played: Played, api: str, more: str = "") -> str:
    return TABLES.format(
        platform=played.platform, api=api, calls_per_s=CALLS_PER_S, kind=played.kind, feed=FEED,
        interval_s=played.interval_s, more=more, self_use=str("key" in played.account).lower(),
    )  # fmt: skip


class PlayedTwitch:
    kind, platform = "twitch", "twitch"
    account: ClassVar[Mapping[str, str]] = {}

    def __init__(self, rooms: int, interval_s: float = 5.0) -> None:
        self.rooms, self.interval_s = [str(141_000_000 + number) for number in range(rooms)], interval_s
        self.fake = FakeTwitch("key", b"secret", now, points_max=1e6)
        for number, room in enumerate(self.rooms):
            self.fake.on_air(room, number)

    @property
    def beats(self) -> Mapping[str, str]:
        """As the rooms stood together in the calls that came."""
        return {room: asked[0] for asked in self.fake.asked[-len(batches(self.rooms, BATCH_MAX)) :] for room in asked}

    async def serve(self) -> str:
        return await self.fake.serve()

    async def close(self) -> None:
        await self.fake.close()

    async def live(self) -> None:
        while True:
            await asyncio.sleep(self.interval_s)
            for stream in self.fake.streams.values():
                stream.viewers = (stream.viewers + 7) % 9_000
            del self.fake.asked[: -2 * len(self.rooms) // BATCH_MAX - 2]


class PlayedWechat:
    kind, platform = "wechat_live", "wechat"
    account: ClassVar[Mapping[str, str]] = {"key": "wx{room}", "secret": "secret-of-{room}"}

    def __init__(self, rooms: int, interval_s: float = 30.0) -> None:
        self.rooms, self.interval_s = [f"sph{number:08d}" for number in range(rooms)], interval_s
        self.beats = dict(zip(self.rooms, self.rooms, strict=True))
        self.fake = FakeWechat("key", b"secret", now)
        self.fake.book.quota = dict.fromkeys((LIST, DATA), 10**9)  # else the interval is stretched
        self.fake.own_shops = {f"wx{room}": (f"secret-of-{room}", room) for room in self.rooms}
        self.turn, self.began_at = 0, now() - timedelta(minutes=1)
        self.fake.dashboard.accounts = {
            room: lambda at, number=number: self._lives(number)  # type: ignore[misc]
            for number, room in enumerate(self.rooms)
        }

    def _lives(self, number: int) -> Sequence[PlayedLive]:
        viewers = (100 + 7 * (number + self.turn)) % 9_000
        return [PlayedLive(f"export/直播{number}", self.began_at, True, viewers, viewers + 10 * self.turn)]

    async def serve(self) -> str:
        return await self.fake.serve()

    async def close(self) -> None:
        await self.fake.close()

    async def live(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.turn += 1


class Bilibili(FakeBilibili):
    """It looks for runs that fell silent once a second, not at each of hundreds of calls a second."""

    looked_s = 0.0

    def _let_go(self) -> None:
        if time.monotonic() - self.looked_s >= 1.0:
            self.looked_s = time.monotonic()
            super()._let_go()


class PlayedBilibili:
    """Each room hears a like each `interval_s` and somewhere a gift is given 20 times a second: its id names the
    instant at which it was told, in µs since 1970."""

    kind, platform = "bilibili_open", "bilibili"
    account: ClassVar[Mapping[str, str]] = {"access_token": "CODE{room}"}
    GIFTS_PER_S = 20

    def __init__(self, rooms: int, interval_s: float = 20.0, told_every_s: float = 5.0) -> None:
        self.rooms, self.interval_s = [str(10_000_000 + number) for number in range(rooms)], interval_s
        self.beats = dict[str, str]()
        self.told_every_s, self.told = told_every_s, 0
        self.fake = Bilibili("key", b"secret", now)
        self.fake.sockets.version = 2
        self.fake.codes = {f"CODE{room}": room for room in self.rooms}

    @property
    def heard(self) -> int:
        return sum(map(len, self.fake.sockets.heard.values()))

    async def serve(self) -> str:
        return await self.fake.serve()

    async def close(self) -> None:
        await self.fake.close()

    async def live(self) -> None:
        likes, gifts, began_s = 0, 0, time.monotonic()
        while True:
            await asyncio.sleep(STEP_S)
            passed_s = time.monotonic() - began_s
            while likes < passed_s * len(self.rooms) / self.told_every_s:
                self._tell(likes, "LIKE", like_count=1)
                likes += 1
            while gifts < passed_s * self.GIFTS_PER_S:
                about = {"gift_id": 1, "gift_name": "小花花", "gift_num": 1, "price": 100, "r_price": 100, "paid": True}
                self._tell(gifts * 613, "SEND_GIFT", msg_id=f"g{time.time_ns() // 1000}", **about)
                gifts += 1

    def _tell(self, number: int, name: str, **about: object) -> None:
        room = self.rooms[number % len(self.rooms)]
        about |= {"room_id": int(room), "timestamp": int(time.time()), "open_id": "u"}
        self.told += self.fake.sockets.push(room, name, about)

"""bilibili_oauth beside its fake: two rooms, each with an account of its own. Nobody counts who watches."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from collectors.apis.bilibili import BilibiliApi
from collectors.hook import App
from collectors.open_api import Tokens
from collectors.platforms.bilibili_oauth import BilibiliOauth
from monitor.accounts.account import Account
from monitor.live.supervise import Collecting
from monitor.rehearsal.platforms.bilibili_api import FakeBilibili

from .api_house import asking
from .stage import Reaching, now

ROOMS = ["24330218", "545068"]


class PlayedBilibili:
    def __init__(self) -> None:
        self.row = BilibiliOauth(name="bilibili", app="bili", rooms=list(ROOMS), interval_s=0.03)
        self.auth, self.partial, self.totals = "room", "unknown", False
        self.app = App("bili", "bilibili", "client-id", (b"secret",))
        self.fake = FakeBilibili("client-id", b"secret", now)
        self.trouble = self.fake.trouble

    @asynccontextmanager
    async def playing(self, house: Reaching) -> AsyncIterator[Collecting]:
        url = await self.fake.serve()
        pairs = {room: self.fake.office.issue(room, now()) for room in ROOMS}
        accounts = [
            Account(
                "bili", "bilibili", "", room, tokens=Tokens(it.access, now(), now() + timedelta(days=9), it.refresh)
            )
            for room, it in pairs.items()
        ]
        try:
            async with (
                house.reached(url) as way,
                asking(self.row, BilibiliApi(), self.app, way, accounts, house) as line,
            ):
                yield line
        finally:
            await self.fake.close()

    def on_air(self, room: str, viewers: int, views_total: int = 0) -> None:
        self.fake.on_air.add(room)

    def off_air(self, room: str) -> None:
        self.fake.on_air.discard(room)

    def leave_out(self, room: str, left_out: bool) -> None:
        (self.fake.left_out.add if left_out else self.fake.left_out.discard)(room)

    def garble(self, room: str) -> None:
        self.fake.garbled.add(room)

    def too_fast(self, so: bool) -> None:
        self.fake.book.per_s = 0 if so else None

    def lock_out(self, room: str) -> None:
        self.fake.office.revoke(room)

"""twitch and twitch_eventsub in the table: two channels, whose broadcasters let the app in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from collectors.apis.twitch import TwitchApi
from collectors.hook import App
from collectors.open_api import Tokens
from collectors.platforms.twitch import Twitch
from collectors.platforms.twitch_eventsub import TwitchEventsub
from monitor.accounts.account import Account
from monitor.live.supervise import Collecting
from monitor.rehearsal.platforms.twitch_api import FakeTwitch

from .api_house import asking
from .stage import Auth, Reaching, now

ROOMS = ["94355978", "87564242"]
POINTS = 10**9
APP = App("twitch", "twitch", "CLIENT", (b"secret",))


class PlayedTwitch:
    def __init__(self) -> None:
        self.row: Twitch | TwitchEventsub = Twitch(name="twitch", app="twitch", rooms=list(ROOMS), interval_s=0.03)
        self.auth: Auth = "app"
        self.partial, self.totals = "absent", False
        self.fake = FakeTwitch(APP.key, APP.secrets[0], now, points_max=POINTS, fills_in_s=1.0)
        self.trouble = self.fake.trouble
        self.accounts: list[Account] = []
        self.url = ""

    @asynccontextmanager
    async def playing(self, house: Reaching) -> AsyncIterator[Collecting]:
        self.url = await self.fake.serve()
        try:
            async with house.reached(self.url) as way, house.reached(self.fake.sockets.url) as sockets:
                self.ready(sockets)
                async with asking(self.row, TwitchApi(), APP, way, self.accounts, house) as line:
                    yield line
        finally:
            await self.fake.close()

    def ready(self, sockets: str) -> None:
        """The platform listens, with its sockets there."""

    def on_air(self, room: str, viewers: int, views_total: int = 0) -> None:
        self.fake.on_air(room, viewers)

    def off_air(self, room: str) -> None:
        self.fake.off_air(room)

    def leave_out(self, room: str, left_out: bool) -> None:
        (self.fake.left_out.add if left_out else self.fake.left_out.discard)(room)

    def garble(self, room: str) -> None:
        self.fake.garbled.add(room)

    def too_fast(self, so: bool) -> None:
        self.fake.points_max = 0 if so else POINTS

    def lock_out(self, room: str) -> None:
        """The secret is another one, and all that was granted by the old one is void."""
        self.fake.secret = b"another secret"
        for pair in self.fake.office.by_access.values():
            pair.void_from = now()


class PlayedEventsub(PlayedTwitch):
    """With a `cell` its sockets are at a name, and whoever is asked to move is to come to another one under it."""

    cell = ""

    def __init__(self) -> None:
        super().__init__()
        self.row = TwitchEventsub(name="twitch-events", app="twitch", rooms=list(ROOMS), interval_s=0.03)
        self.fake.authorised.update(ROOMS)
        for room in ROOMS:
            pair = self.fake.office.issue(room, now())
            tokens = Tokens(pair.access, now(), pair.access_until, pair.refresh)
            self.accounts.append(Account("twitch", "twitch", "", room, tokens=tokens))

    def ready(self, sockets: str) -> None:
        if self.cell:
            sockets = sockets.replace("127.0.0.1", "localhost")
            self.fake.sockets.url, self.fake.sockets.cell = sockets, self.cell
        self.row = msgspec.structs.replace(self.row, url=sockets)

"""A house for bilibili_open: the product's own line to a played Bilibili, with everything else as plain values."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import msgspec

from collectors.api_feed import Make
from collectors.apis.bilibili import BilibiliApi
from collectors.hook import App, Meaning
from collectors.open_api import Answer, Caller, Tokens
from collectors.platforms.bilibili_open import BilibiliOpen
from monitor.accounts.account import Account, AccountKey
from monitor.accounts.api_line import Means
from monitor.accounts.budget import Urgency
from monitor.accounts.failed import AccountRefused, CallFailed
from monitor.accounts.live_line import House, LiveLine
from monitor.facts import RosterRoom
from monitor.live.failure import Reason
from monitor.rehearsal.platforms.api_server import Asked
from monitor.rehearsal.platforms.bilibili_api import FakeBilibili

KEY, SECRET = "access-key", b"secret"
BASE = "http://127.0.0.1:1"
START = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
API = BilibiliApi()


class Clock:
    """Moves with the wall, and by what a test adds."""

    def __init__(self) -> None:
        self.began_s, self.more = asyncio.get_running_loop().time(), timedelta()

    def __call__(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time() - self.began_s) + self.more

    def add(self, seconds: float) -> None:
        self.more += timedelta(seconds=seconds)


def opened_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class Hall:
    """One feed and its played platform. `frames` are what was kept; `blind` the rooms that were told to be unheard."""

    fake: FakeBilibili
    clock: Clock
    secret: bytes = SECRET
    accounts: dict[AccountKey, Account] = field(default_factory=dict)
    frames: list[tuple[bytes, datetime]] = field(default_factory=list)
    held: list[tuple[bytes, datetime]] = field(default_factory=list)  # what was told past the disk
    unread: int = 0  # so many of those that were kept last nobody has read yet
    holds: bool = True  # whether there is a place for what is told past the disk
    came: asyncio.Event = field(default_factory=asyncio.Event)
    pulses: int = 0
    heard_rooms: dict[str, datetime] = field(default_factory=dict)
    unheard_rooms: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    lost_for: list[Reason] = field(default_factory=list)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)  # name of the call, verdict
    disk: asyncio.Event = field(default_factory=opened_event)  # cleared: nothing gets onto it
    names: asyncio.Event = field(default_factory=opened_event)  # cleared: nobody says where a host is

    def let_in(self, *rooms: str) -> None:
        """The broadcasters of these rooms have given their identity codes."""
        for room in rooms:
            self.fake.codes[f"CODE{room}"] = room
            account = Account("bili", "bilibili", "", room, tokens=Tokens(f"CODE{room}", START))
            self.accounts[account.id] = account

    # --- the client ---

    async def ask(self, app: str, shop: str, make: Make, anchor: str = "", urgency: Urgency = Urgency.LOOK) -> bytes:
        account = self.accounts[app, shop, anchor]
        if account.refused:
            raise AccountRefused(account.refused)
        try:
            return await self._asked(make, account)
        except CallFailed as error:
            if error.verdict != "revoked":
                raise
            self.accounts[account.id] = msgspec.structs.replace(account, refused="revoked on the platform")
            raise AccountRefused("revoked on the platform") from error

    async def send(self, app: str, make: Make, urgency: Urgency = Urgency.LINK) -> bytes:
        return await self._asked(make, None)

    def wait_s(self, app: str) -> float:
        return 0.0

    async def _asked(self, make: Make, account: Account | None) -> bytes:
        await asyncio.sleep(0)
        app = App("bili", "bilibili", KEY, (self.secret,))
        call = make(Caller(app, BASE, BASE, "", None if account is None else account.tokens))
        method = "GET" if call.body is None else "POST"
        told = self.fake.answer(Asked(method, call.url.removeprefix(BASE), {}, call.headers, call.body or b""))
        judged = API.judge(Answer(told.status, {}, told.body))
        self.asked[call.name, judged.detail] += 1
        if judged.verdict != "ok":
            raise CallFailed(judged.verdict, judged.detail, judged.wait_s * self.patience)
        return told.body

    patience: float = 0.01  # what the platform asks us to wait, for tests

    # --- the house ---

    async def keep(self, feed: str, frame: bytes, at: datetime) -> int:
        await asyncio.sleep(0)
        await self.disk.wait()
        self.frames.append((frame, at))
        self.came.set()
        return len(self.frames)

    def hold(self, feed: str, frame: bytes, at: datetime) -> bool:
        if self.holds:
            self.held.append((frame, at))
            self.came.set()
        return self.holds

    async def change(self, key: AccountKey, step: Callable[[Account], Account | None]) -> Account | None:
        changed = step(self.accounts[key])
        if changed is not None:
            self.accounts[key] = changed
        return changed

    async def emit(self, frame: bytes, at: datetime) -> None:
        assert not frame, "what may be money goes to the disk"
        self.pulses += 1
        self.came.set()

    async def reach(self, host: str, anywhere: bool) -> str:
        if not anywhere:
            raise OSError("not looked up in tests")
        await self.names.wait()
        return host

    def heard(self, feed: str, rooms: Mapping[str, datetime]) -> None:
        self.heard_rooms.update(rooms)
        self.came.set()

    def unheard(self, feed: str, room: str, reason: Reason) -> None:
        self.unheard_rooms[room, reason] += 1
        self.came.set()

    def lost(self, feed: str, reason: Reason) -> None:
        self.lost_for.append(reason)
        self.came.set()

    def house(self, row: BilibiliOpen) -> House:
        means = Means(
            self, roster_row, lambda app, row, to_shop: self.accounts.get((app, "", row.external_id)), never_unseen
        )
        return House(
            means, self.keep, self.hold, lambda: len(self.frames) - self.unread, self.change, self.reach,
            lambda app: frozenset({BASE}), self, self.clock,
        )  # fmt: skip

    def line(self, row: BilibiliOpen) -> LiveLine:
        return LiveLine(row, self.house(row))

    @asynccontextmanager
    async def hearing(self, row: BilibiliOpen) -> AsyncIterator[asyncio.Task[None]]:
        """The feed at work, until the block ends; what ended it before is raised."""
        async with aiohttp.ClientSession() as http:
            work = asyncio.create_task(self.line(row).collect(http, self.emit, self.clock))
            try:
                yield work
            finally:
                work.cancel()
                await asyncio.wait([work])
                if not work.cancelled() and (error := work.exception()) is not None:
                    raise error

    async def until(self, seen: Callable[[], Any], seconds: float = 10.0) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(seconds):
            while not seen():
                self.came.clear()
                try:
                    async with asyncio.timeout(0.02):
                        await self.came.wait()
                except TimeoutError:
                    pass  # not all that a test looks at is told here

    def listeners(self) -> int:
        return sum(map(len, self.fake.sockets.heard.values()))

    def meanings(self, row: BilibiliOpen) -> list[Meaning]:
        """Of what was kept and of what was not."""
        frames = (*self.frames, *self.held)
        return [row.parse(frame, at, App("bili", "bilibili", KEY, (SECRET,))) for frame, at in frames]


def roster_row(room: str) -> RosterRoom:
    return RosterRoom(room_id=int(room), platform="bilibili", external_id=room)


def never_unseen(feed: str, room: str, reason: Reason) -> None:
    raise AssertionError(f"a line of sockets tells of rooms by its rolls: {room} {reason}")


def row(rooms: list[str], **settings: Any) -> BilibiliOpen:
    known = {"connects_per_s": 400.0, "interval_s": 0.2} | settings
    return BilibiliOpen(name="bili", app="bili", app_id=1_234_567_890_123, rooms=rooms, **known)


@asynccontextmanager
async def hall(*rooms: str, **settings: Any) -> AsyncIterator[Hall]:
    """A played Bilibili with these rooms let in."""
    clock = Clock()
    fake = FakeBilibili(KEY, SECRET, clock, **settings)
    await fake.serve()
    found = Hall(fake, clock)
    found.let_in(*rooms)
    try:
        yield found
    finally:
        await fake.close()

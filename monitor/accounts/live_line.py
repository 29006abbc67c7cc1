"""A feed with a socket for each room, as `supervise` knows feeds: its calls, its notes, which rooms are heard."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import msgspec

from collectors.api_feed import Make, RoomUnseen
from collectors.collector import Emit, FeedRefused, Now
from collectors.live_rooms import LiveRooms
from collectors.tick import Tick
from monitor.accounts.account import Account, AccountKey
from monitor.accounts.api_line import Means
from monitor.accounts.asking import REASONS
from monitor.accounts.budget import Urgency
from monitor.accounts.failed import AccountRefused, CallFailed
from monitor.live.failure import Reason, reason_of
from monitor.order_line import Keep, kept

NOT_ASKED = ("breaker_open", "queue_full", "no_ticket")  # words of ours: the platform itself has said nothing of it

Reach = Callable[[str, bool], Awaitable[str]]
"""The address of a host that may be called; True: it may be anywhere. Raises OSError."""

Hold = Callable[[str, bytes, datetime], bool]
"""Feed, frame, received at: it is read at once, from memory; False: there is no place for it, or nobody watches."""


class Conversing(Protocol):
    """How such a feed is heard: each kind of LiveRoomsRow is one."""

    @property
    def name(self) -> str: ...
    @property
    def app(self) -> str: ...
    @property
    def RETRY_S_MAX(self) -> float: ...
    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now, rooms: LiveRooms) -> None: ...


class Rolls(Protocol):
    """Where it is told which rooms are heard; `Watching` in desk.py tells it on."""

    def heard(self, feed: str, rooms: Mapping[str, datetime]) -> None: ...
    def unheard(self, feed: str, room: str, reason: Reason) -> None: ...
    def lost(self, feed: str, reason: Reason) -> None: ...


class House(msgspec.Struct, frozen=True):
    """What such a feed is given of the house. `change` keeps what a step makes of an account; `origins` are those of
    addresses that the config names itself. `read_to`: kept frames up to this number have been read."""

    means: Means
    keep: Keep
    hold: Hold
    read_to: Callable[[], int]
    change: Callable[[AccountKey, Callable[[Account], Account | None]], Awaitable[Account | None]]
    reach: Reach
    origins: Callable[[str], frozenset[str]]
    rolls: Rolls
    now: Now


class LiveLine:
    def __init__(self, row: Conversing, house: House | None) -> None:
        """`house` None: there is no app of this name, or livemon knows no rules of its platform."""
        self.name, self.RETRY_S_MAX = row.name, row.RETRY_S_MAX
        self._row, self._given = row, house
        self._unread: dict[str, int] = {}  # by room the frame that was kept last, until it is seen to be read

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        await self._row.collect(http, emit, self._house.now, self)  # not `now`: a message is no answer to a poll

    def parse(self, frame: bytes, at: datetime) -> Sequence[Tick]:
        """A sign of life has no meaning, and what was said is read elsewhere."""
        return ()

    @property
    def _house(self) -> House:
        if self._given is None:
            raise FeedRefused(f"there is no [[app]] named {self._row.app!r}, or livemon cannot ask its platform")
        return self._given

    # --- what the collector is given ---------------------------------------------------------------------------------

    async def ask(self, make: Make, room: str = "") -> bytes:
        """What keeps alive all that runs goes before what is begun."""
        client, app = self._house.means.client, self._row.app
        try:
            if not room:
                return await client.send(app, make, Urgency.REFRESH)
            account = self._account(room)
            if account is None:
                raise AccountRefused("no account belongs to it")
            return await client.ask(app, account.shop, make, account.anchor, Urgency.LOOK)
        except AccountRefused as error:
            raise RoomUnseen("auth") from error
        except CallFailed as error:
            if error.verdict in ("app", "address") and error.detail not in NOT_ASKED:
                raise FeedRefused(f"app {app}: {error}") from error
            raise RoomUnseen(error.detail or error.verdict, error.wait_s) from error

    async def reach(self, link: str) -> str:
        try:
            parts = urlsplit(link)
            host, _ = parts.hostname or "", parts.port
        except ValueError as error:
            raise OSError("the platform named a socket that is no address") from error
        ours = self._house.origins(self._row.app)
        anywhere = host in {urlsplit(origin).hostname for origin in ours}
        if parts.scheme != "wss" and not (anywhere and parts.scheme == "ws"):
            raise OSError("the platform named a socket that is not wss://")
        return await self._house.reach(host, anywhere)

    def notes(self, room: str) -> Mapping[str, str]:
        account = self._account(room)
        return {} if account is None or account.tokens is None else account.tokens.extra

    async def note(self, room: str, notes: Mapping[str, str]) -> None:
        account = self._account(room)
        if account is not None:
            await self._house.change(account.id, lambda it: _noted(it, notes))

    async def keep(self, room: str, frame: bytes, at: datetime) -> None:
        self._unread[room] = await kept(self._house.keep, self.name, frame, at)

    def tell(self, room: str, frame: bytes, at: datetime) -> bool:
        if self._unread.get(room, 0) > self._house.read_to():
            return False
        self._unread.pop(room, None)
        return self._house.hold(self.name, frame, at)

    def roll(self, heard: Mapping[str, datetime], unheard: Mapping[str, Exception | None]) -> None:
        rolls = self._house.rolls
        if heard:
            rolls.heard(self.name, heard)
        for room, error in unheard.items():
            rolls.unheard(self.name, room, meant(error))

    def all_lost(self, error: Exception | None) -> None:
        self._house.rolls.lost(self.name, meant(error))

    def _account(self, room: str) -> Account | None:
        means = self._house.means
        row = means.row_of(room)
        return None if row is None else means.account_of(self._row.app, row, False)


def meant(error: Exception | None) -> Reason:
    """The word for why a room is not heard."""
    if error is None:
        return "connect"
    if not isinstance(error, RoomUnseen):
        return reason_of(error)
    cause = error.__cause__
    return REASONS[cause.verdict] if isinstance(cause, CallFailed) else "auth"


def _noted(account: Account, notes: Mapping[str, str]) -> Account | None:
    if account.tokens is None:
        return None
    return msgspec.structs.replace(account, tokens=msgspec.structs.replace(account.tokens, extra=dict(notes)))

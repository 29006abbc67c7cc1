"""A feed that asks a platform's open API, as `supervise` knows feeds: what its failures say of a room, and of all."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal, Protocol, cast, get_args

import aiohttp

from collectors.api_feed import BatchUnseen, Make, Platform, RoomUnseen
from collectors.collector import Emit, FeedRefused, Now
from collectors.open_api import Verdict
from collectors.room_pace import RoomPace
from collectors.tick import Tick
from monitor.accounts.account import Account
from monitor.accounts.asking import REASONS, WHOLE_APP
from monitor.accounts.budget import Urgency
from monitor.accounts.calls_in_a_row import CallsInARow
from monitor.accounts.failed import AccountRefused, CallFailed
from monitor.facts import RosterRoom
from monitor.live.failure import FeedFailed, Reason

SILENT_INTERVALS = 3.0
IN_A_ROW_MAX = 10  # so many calls that fail by what could be everybody's trouble, and none between that does not
OF_A_CALL: frozenset[Verdict] = frozenset({"missing", "broken"})  # what may be wrong with one call alone
PASSING = OF_A_CALL | {"rate"}


class Client(Protocol):
    """The accounts' client, as far as it is needed here. `ask` and `send` raise CallFailed and AccountRefused."""

    async def ask(self, app: str, shop: str, make: Make, anchor: str = "", urgency: Urgency = ...) -> bytes: ...
    async def send(self, app: str, make: Make, urgency: Urgency = ...) -> bytes: ...
    def wait_s(self, app: str) -> float: ...


class Asking(Protocol):
    """How such a feed is heard; each kind of ApiRow is one: a test sees to it."""

    @property
    def name(self) -> str: ...
    @property
    def app(self) -> str: ...
    @property
    def rooms(self) -> list[str] | None: ...
    @property
    def BY_ACCOUNT(self) -> Literal["", "anchor", "shop"]: ...
    @property
    def RETRY_S_MAX(self) -> float: ...
    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now, platform: Platform) -> None: ...
    def parse(self, frame: bytes, at: datetime) -> Sequence[Tick]: ...


class Means:
    """What such feeds are given of the house. `row_of`: the roster's row of a room; `account_of`: of an app, the one
    that a row of the roster means, of its shop or of its anchor. `unseen` is told: feed, rooms, reason."""

    def __init__(
        self,
        client: Client,
        row_of: Callable[[str], RosterRoom | None],
        account_of: Callable[[str, RosterRoom, bool], Account | None],
        unseen: Callable[[str, Sequence[str], Reason], None],
    ) -> None:
        self.client, self.row_of, self.account_of, self.unseen = client, row_of, account_of, unseen


class ApiLine:
    def __init__(self, row: Asking, means: Means | None) -> None:
        """`means` None: there is no app of this name, or livemon knows no rules of its platform."""
        self.name, self.RETRY_S_MAX = row.name, row.RETRY_S_MAX
        self._row, self._means = row, means
        self._bad = 0  # in a row
        self._patient: Callable[[float], None] | None = None
        self._pace: RoomPace | None = None  # outlives `collect`, and so do the calls
        self._calls: CallsInARow | None = None

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        """Raises FeedRefused where the app will not be had, FeedFailed where nothing can be asked just now."""
        if self._means is None:
            raise FeedRefused(f"there is no [[app]] named {self._row.app!r}, or livemon cannot ask its platform")
        self._bad = 0
        if self._row.BY_ACCOUNT and self._row.rooms and not any(map(self._account, self._row.rooms)):
            raise FeedFailed("auth", f"no account with app {self._row.app} belongs to any of its rooms")
        await self._row.collect(http, emit, now, self)

    def parse(self, frame: bytes, at: datetime) -> Sequence[Tick]:
        return self._row.parse(frame, at)

    async def ask(self, make: Make, room: str = "", batch: Sequence[str] = ()) -> bytes:
        """See `Platform`."""
        means, app = self._means, self._row.app
        if means is None:
            raise FeedRefused(f"there is no [[app]] named {app!r}")
        account = self._account(room) if room and self._row.BY_ACCOUNT else None
        try:
            if account is not None:
                body = await means.client.ask(app, account.shop, make, account.anchor, Urgency.LOOK)
            elif room and self._row.BY_ACCOUNT:
                raise AccountRefused("no account belongs to it")
            else:
                body = await means.client.send(app, make, Urgency.LOOK)
        except (CallFailed, AccountRefused) as error:
            unseen = self._unseen_by(error, batch) if batch and isinstance(error, CallFailed) else None
            raise unseen or self._meant(error, room, account) from error
        self._bad = 0
        if batch and self._calls is not None:
            self._calls.answered(batch[0])
        return body

    def unseen(self, room: str, reason: str) -> None:
        """See `Platform`."""
        self._unseen(room, cast(Reason, reason) if reason in get_args(Reason) else "unknown", 0.0)

    def pace(self, rooms: Iterable[str], interval_s: float, stretched_s: float = 0.0) -> RoomPace:
        """See `Platform`. The row of a line, and with it its rooms, never changes."""
        at_s = asyncio.get_running_loop().time()
        if self._pace is None:
            calls = tuple(rooms)
            self._pace = RoomPace(self.name, calls, interval_s, at_s, stretched_s)
            self._calls = CallsInARow(len(calls))
        else:
            self._pace.begin(at_s)
        return self._pace

    def patience(self, interval_s: float) -> None:
        """See `Platform`."""
        if self._patient is not None:
            self._patient(SILENT_INTERVALS * interval_s)

    def when_patient(self, told: Callable[[float], None]) -> None:
        """See `supervise.Patient`."""
        self._patient = told

    def _account(self, room: str) -> Account | None:
        if self._means is None or (row := self._means.row_of(room)) is None:
            return None
        return self._means.account_of(self._row.app, row, self._row.BY_ACCOUNT == "shop")

    def _meant(self, error: CallFailed | AccountRefused, room: str, account: Account | None) -> Exception:
        """What a failed call says: of this room alone, or of the feed."""
        app = self._row.app
        if isinstance(error, AccountRefused):
            return self._unseen(room, "auth", 0.0) if room else FeedFailed("auth", f"app {app}: {error}")
        reason, own_key = REASONS[error.verdict], account is not None and bool(account.key)
        if error.verdict in WHOLE_APP and not own_key:
            return FeedRefused(f"app {app}: {error}")
        if not room:
            return FeedFailed(reason, f"app {app}: {error}", error.wait_s)
        # What waits for one that tries is no failure: to end `collect` by it would cut off the very call that tries.
        sent = error.detail != "breaker_open"
        self._bad += sent and (error.verdict == "broken" or (error.verdict == "rate" and not own_key))
        wait_s = self._means.client.wait_s(app) if self._means is not None else 0.0
        if wait_s > 0 or self._bad >= min(IN_A_ROW_MAX, 2 * len(self._row.rooms or [room])):
            return FeedFailed(reason, f"app {app}: {error}", max(wait_s, error.wait_s))
        return self._unseen(room, reason, error.wait_s)

    def _unseen_by(self, error: CallFailed, batch: Sequence[str]) -> BatchUnseen | None:
        """Who is unseen by this call that failed; None: that is not said of them alone."""
        if self._means is None or error.verdict not in (PASSING if self._calls is None else OF_A_CALL):
            return None
        sent = error.detail != "breaker_open"  # what waits for one that tries says nothing of its own rooms
        if self._calls is not None:
            everybody = sent and self._calls.failed(batch[0])
            if everybody or self._means.client.wait_s(self._row.app) > 0:
                return None
        if sent or self._calls is None:
            self._means.unseen(self.name, batch, REASONS[error.verdict])
        return BatchUnseen(REASONS[error.verdict], error.wait_s)

    def _unseen(self, room: str, reason: Reason, wait_s: float) -> RoomUnseen:
        if self._means is not None:
            self._means.unseen(self.name, [room], reason)
        return RoomUnseen(reason, wait_s)

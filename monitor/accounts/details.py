"""Asks platforms for what pending deliveries need, until it comes; and says for what others wait in vain."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Mapping, Set
from datetime import datetime, timedelta
from typing import Literal, Protocol

import msgspec

from collectors.collector import FeedRow, Now
from collectors.hook import Need
from collectors.open_api import OpenApi
from monitor.accounts.account import Account
from monitor.accounts.asking import WHOLE_APP, Asking, CannotAsk, Loudly, question
from monitor.accounts.failed import AccountRefused, CallFailed
from monitor.accounts.fairness import Fairness, again_after
from monitor.live.sight import platform_of
from monitor.store.frame_table import OpenNeed

FRAMES_OF_A_PAGE, PAGES_OF_A_LOOK = 500, 4
NEEDS_MAX = 20_000  # remembered to be asked for; further ones are looked at when some of these are done
AT_ONCE = 8  # of one app
LOOK_S = 1.0
SHOPS_MAX = 10  # named of those that wait in vain
NEWEST = (1 << 63) - 1
NEVER = 1_000  # times: the rules know no question for it, and perhaps the next release does

Obstacle = Literal["no_app", "no_api", "no_account", "refused", "to_ask", "asked"]
"""Why a need is open. `asked`: the platform was, and did not say it yet; all before `to_ask` wait for a person."""


class Wait(msgspec.Struct):
    """How many needs of a feed are open for one reason, and whose they are: some of the shops."""

    obstacle: Obstacle
    needs: int = 0
    shops: list[str] = []


class Wanted(msgspec.Struct):
    """A need that can be asked for. `newest` is the number of the newest delivery that was seen to have it."""

    app: str
    api: OpenApi
    need: Need
    platform: str
    newest: int
    seen: int
    times: int = 0
    out: bool = False
    done: bool = False

    @property
    def shop(self) -> str:
        return self.need.shop


class Spooled(Protocol):
    """What is asked of the spool and the reader."""

    async def open_needs(self, before: int, frames_max: int) -> list[OpenNeed]: ...
    async def needed(self, needs: Set[Need]) -> Set[Need]: ...
    async def answered(self, platform: str, need: Need, answer: bytes) -> None: ...


class Details:
    """`pending` says whether any delivery waits; `rows` are the feeds by name, `has_app` whether a feed's is there;
    `account` finds that of an app and a shop."""

    def __init__(
        self,
        client: Asking,
        spooled: Spooled,
        pending: Callable[[], bool],
        rows: Callable[[], Mapping[str, FeedRow]],
        has_app: Callable[[FeedRow], bool],
        apis: Mapping[str, OpenApi],
        account: Callable[[str, str], Account | None],
        now: Now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client, self._spooled, self._pending, self._rows = client, spooled, pending, rows
        self._has_app, self._apis, self._account, self._now, self._sleep = has_app, apis, account, now, sleep
        self._wanted: dict[tuple[str, Need], Wanted] = {}
        self._due: list[tuple[datetime, int, Wanted]] = []
        self._turns = Fairness[Wanted](AT_ONCE)
        self._parked: dict[tuple[str, str], datetime | None] = {}  # refused accounts, as they were then
        self._before, self._look = NEWEST, 0
        self._counting: dict[str, dict[Obstacle, Wait]] = {}
        self._counted: dict[str, dict[Obstacle, Wait]] = {}
        self._number, self._loudly = 0, Loudly("a detail could not be asked for")

    def waits(self) -> dict[str, list[Wait]]:
        """By feed: how many needs are open for which reason, as they were last looked through."""
        return {feed: list(waits.values()) for feed, waits in self._counted.items()}

    async def run(self) -> None:
        """Ask until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                if self._pending():
                    await self._look_through()
                elif self._wanted or self._counted:
                    self._forget_all()
                self._launch(group)
                await self._sleep(LOOK_S)

    def _launch(self, group: asyncio.TaskGroup) -> None:
        """All that is due and has a place."""
        now = self._now()
        while self._due and self._due[0][0] <= now:
            wanted = heapq.heappop(self._due)[2]
            if not wanted.done:
                wanted.out = True
                self._turns.add(wanted)
        while (next_one := self._turns.take()) is not None:
            group.create_task(self._ask(next_one, group))

    # --- what is open ------------------------------------------------------------------------------------------------

    async def _look_through(self) -> None:
        """The newest, and some pages of all the others: in the end each is seen again and again."""
        for found in await self._spooled.open_needs(NEWEST, FRAMES_OF_A_PAGE):
            self._see(found)
        for _ in range(PAGES_OF_A_LOOK):
            page = await self._spooled.open_needs(self._before, FRAMES_OF_A_PAGE)
            for found in page:
                self._count(found, self._see(found))
            if not page:
                self._all_seen()
                return
            self._before = page[-1].frame

    def _all_seen(self) -> None:
        """What was not seen this time is open no more."""
        for key, wanted in list(self._wanted.items()):
            if wanted.seen < self._look and not wanted.out:
                self._wanted.pop(key).done = True
        self._counted, self._counting = self._counting, {}
        self._before = NEWEST
        self._look += 1

    def _forget_all(self) -> None:
        for wanted in self._wanted.values():
            wanted.done = not wanted.out
        self._wanted = {key: wanted for key, wanted in self._wanted.items() if wanted.out}
        self._counted, self._counting, self._before = {}, {}, NEWEST

    def _see(self, found: OpenNeed) -> Obstacle:
        row = self._rows().get(found.feed)
        if row is None or not self._has_app(row):
            return "no_app"
        platform, app, need = platform_of(row), getattr(row, "app", ""), found.need
        api = self._apis.get(platform)
        if api is None:
            return "no_api"
        known = self._wanted.get((platform, need))
        if known is not None:
            known.seen, known.newest = self._look, max(known.newest, found.frame)
        account = self._account(app, need.shop)
        if account is None or (account.tokens is None and not account.key and not account.refused):
            return "no_account"
        if self._refused(app, account):
            return "refused"
        if known is None and len(self._wanted) < NEEDS_MAX:
            known = self._wanted[platform, need] = Wanted(app, api, need, platform, found.frame, self._look)
            self._plan(known, self._now())
        if known is None or not known.times:
            return "to_ask"
        return "asked" if known.times < NEVER else "no_api"

    def _refused(self, app: str, account: Account) -> bool:
        key = app, account.shop
        if key in self._parked and self._parked[key] != account.changed_at:
            del self._parked[key]
        return bool(account.refused) or key in self._parked

    def _count(self, found: OpenNeed, obstacle: Obstacle) -> None:
        wait = self._counting.setdefault(found.feed, {}).setdefault(obstacle, Wait(obstacle, 0, []))
        wait.needs += 1
        if found.need.shop not in wait.shops and len(wait.shops) < SHOPS_MAX:
            wait.shops.append(found.need.shop)

    # --- asking ------------------------------------------------------------------------------------------------------

    def _plan(self, wanted: Wanted, at: datetime) -> None:
        self._number += 1
        heapq.heappush(self._due, (at, self._number, wanted))

    async def _ask(self, wanted: Wanted, group: asyncio.TaskGroup) -> None:
        wait_s: float | None
        try:
            wait_s = await self._answer(wanted)
        except CannotAsk:
            wanted.times, wait_s = NEVER, 0.0
        except AccountRefused:
            account = self._account(wanted.app, wanted.shop)
            self._parked[wanted.app, wanted.shop] = None if account is None else account.changed_at
            wait_s = None
        except Exception as error:  # noqa: BLE001  a slip in the rules of one platform must not end the asking of all
            self._loudly.say(error)
            wanted.times, wait_s = wanted.times + 1, 0.0
        finally:
            wanted.out = False
            self._turns.answered(wanted)
        if wait_s is None:
            wanted.done = True
            self._wanted.pop((wanted.platform, wanted.need), None)
        else:
            self._plan(wanted, self._now() + max(again_after(max(wanted.times, 1)), timedelta(seconds=wait_s)))
        self._launch(group)

    async def _answer(self, wanted: Wanted) -> float | None:
        """In how many seconds it may be asked again at the earliest; None: nobody needs it any more."""
        need = wanted.need
        if wanted.times and not await self._spooled.needed({need}):
            return None
        try:
            body = await self._client.ask(wanted.app, need.shop, question(wanted.api, need, self._now))
        except CallFailed as failed:
            wanted.times += failed.verdict != "rate" and failed.verdict not in WHOLE_APP
            return failed.wait_s
        wanted.times += 1
        await self._spooled.answered(wanted.platform, need, body)
        return 0.0

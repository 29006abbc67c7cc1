"""Polls over update windows: the witness of each push that can have one, and the feeds that no push tells of."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import aiohttp

from collectors.collector import Emit, FeedRefused, FeedRow, Now
from collectors.hook import App, HookRow, OrderPollRow, OrderSocketRow
from collectors.open_api import OpenApi
from collectors.tick import Tick
from monitor.accounts.account import Account
from monitor.accounts.failed import CallFailed
from monitor.accounts.feed_poll import FeedPoll, Polls
from monitor.accounts.shop_poll import Means, Polled
from monitor.accounts.witness import Witness
from monitor.accounts.witnesses import PushRow, Witnesses
from monitor.facts import PollCursor
from monitor.live.failure import Reason
from monitor.live.sight import platform_of

log = logging.getLogger(__name__)
WORKERS = 6  # of a feed: so many of its shops are asked at once, within the rate of its app
APP_REST_S = 5.0  # after the app as a whole was refused
IN_A_ROW_MAX = 10  # so many turns that fail, and nothing between, blind a feed that is only polled


class Reconcile:
    """`app_of` gives the application that a feed names; `accounts` those that are linked to an app; `cursors` how far
    a feed was polled; `failed` counts: feed, reason."""

    def __init__(
        self,
        means: Means,
        apis: Mapping[str, OpenApi],
        app_of: Callable[[FeedRow], App | None],
        accounts: Callable[[str], Sequence[Account]],
        cursors: Callable[[str], Awaitable[list[PollCursor]]],
        witnesses: Witnesses,
        failed: Callable[[str, Reason], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._means, self._apis, self._app_of, self._accounts = means, apis, app_of, accounts
        self._cursors, self._witnesses, self._failed, self._sleep = cursors, witnesses, failed, sleep
        self._rows: dict[str, PushRow] = {}
        self._tasks: dict[str, tuple[FeedRow, asyncio.Task[None]]] = {}
        self._feeds: dict[str, FeedPoll] = {}
        self._group: asyncio.TaskGroup | None = None
        witnesses.sold = self._sold

    def api_of(self, row: FeedRow) -> OpenApi | None:
        """The rules by which this feed can be polled; None: there is no poll of it."""
        api = self._apis.get(platform_of(row))
        app = self._app_of(row) if getattr(row, "app", "") else None
        return api if api is not None and api.LISTINGS and app is not None else None

    def configure(self, rows: Iterable[FeedRow]) -> None:
        """The feeds of the present config. While this runs, the watch knows them already."""
        rows = list(rows)
        self._feeds = {row.name: self._feeds[row.name] for row in rows if row.name in self._feeds}
        pushes = [row for row in rows if isinstance(row, HookRow | OrderSocketRow) and self.api_of(row) is not None]
        self._rows = {row.name: row for row in pushes}
        self._witnesses.are_of(pushes)
        self._muster()

    async def run(self) -> None:
        """Be the witness of all pushes until cancelled. By now the watch knows the feeds and what was sealed."""
        self._witnesses.are_of(self._rows.values())
        try:
            async with asyncio.TaskGroup() as self._group:
                self._muster()
                await asyncio.get_running_loop().create_future()
        finally:
            self._group = None
            self._tasks.clear()

    def _muster(self) -> None:
        if self._group is None:
            return
        for name in [name for name, (row, _) in self._tasks.items() if self._rows.get(name) != row]:
            self._tasks.pop(name)[1].cancel()
            self._feeds.pop(name, None)
        for name, row in self._rows.items():
            witness, api = self._witnesses.of(row), self.api_of(row)
            if name not in self._tasks and witness is not None and api is not None:
                feed = self._feed_poll(row, api, witness)
                self._tasks[name] = (row, self._group.create_task(self._keep(feed), name=f"witness of {name}"))

    def _feed_poll(self, row: FeedRow, api: OpenApi, witness: Witness) -> FeedPoll:
        app = getattr(row, "app", "")
        feed = FeedPoll(
            row, app, api, self._means, witness, lambda: self._accounts(app), self._cursors, self._polled, self._failed
        )
        self._feeds[row.name] = feed
        return feed

    async def _keep(self, feed: FeedPoll) -> None:
        await feed.open()
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work(feed))

    async def _work(self, feed: FeedPoll) -> None:
        """What fails is counted there, and the client says it once: here only the pace is kept."""
        app = getattr(feed.row, "app", "")
        while True:
            wait_s = min(self._means.client.wait_s(app), APP_REST_S)
            try:
                if not wait_s and await feed.turn() is None:
                    wait_s = feed.rest_s()
            except CallFailed as failed:
                wait_s = min(max(failed.wait_s, 1.0), APP_REST_S)
            await self._sleep(wait_s)

    # --- feeds that no push tells of ---------------------------------------------------------------------------------

    def line(self, row: OrderPollRow) -> "PollLine":
        """Such a feed for `supervise`."""
        api, since = self.api_of(row), self._means.now()
        poll = None if api is None else self._feed_poll(row, api, Witness(timedelta(0), since))
        return PollLine(row, poll, self._means, self._sleep)

    # --- what others are told ----------------------------------------------------------------------------------------

    @property
    def pushes(self) -> list[str]:
        """The pushes that have a witness by the present config."""
        return list(self._rows)

    def standing(self) -> dict[str, Polls]:
        """By feed."""
        return {name: feed.standing for name, feed in self._feeds.items()}

    def _polled(self, feed: str, shop: str, polled: Polled, at: datetime) -> None:
        self._witnesses.polled(feed, shop, polled.sifted, at)

    def _sold(self, feed: str, shop: str, at: datetime) -> None:
        if feed in self._feeds:
            self._feeds[feed].rota.sold(shop, at, self._means.now())


class PollLine:
    """A feed that is only polled, as `supervise` knows feeds: each shop that was asked well proves that it is alive."""

    def __init__(
        self, row: OrderPollRow, poll: FeedPoll | None, means: Means, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self.name, self.RETRY_S_MAX = row.name, row.RETRY_S_MAX
        self._row, self._poll, self._means, self._sleep = row, poll, means, sleep
        self._bad = 0  # turns that failed in a row

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        """Ends by an error when no shop can be asked. Raises FeedRefused where the app will not be had."""
        if self._poll is None:
            raise FeedRefused(f"there is no [[app]] named {self._row.app!r}, or its platform has no poll")
        await self._poll.open()
        self._bad = 0
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work(self._poll, emit, now))

    async def _work(self, poll: FeedPoll, emit: Emit, now: Now) -> None:
        while True:
            wait_s = self._means.client.wait_s(self._row.app)
            if wait_s:
                raise ConnectionError(f"app {self._row.app} is not called for {wait_s:.0f} s")
            at = now()
            try:
                good = await poll.turn()
            except CallFailed as failed:
                if failed.detail == "breaker_open" and not self._means.client.wait_s(self._row.app):
                    await self._sleep(failed.wait_s)  # another worker tries: an error would end its call, too
                    continue
                if failed.verdict in ("app", "address"):
                    raise FeedRefused(f"app {self._row.app}: {failed}") from failed
                raise ConnectionError(f"app {self._row.app}: {failed}") from failed
            if good is None:
                await self._sleep(poll.rest_s())
            elif good:
                self._bad = 0
                await emit(b"", at)
            else:
                self._bad += 1
                if self._bad >= min(IN_A_ROW_MAX, 2 * max(1, poll.standing.shops)):
                    raise ConnectionError(f"no shop can be asked: {poll.last_error}")

    def parse(self, frame: bytes, at: datetime) -> Sequence[Tick]:
        """A pulse has no meaning; what was polled is on its way already."""
        return ()

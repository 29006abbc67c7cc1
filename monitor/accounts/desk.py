"""The desk of accounts: vault, book, client, refresher, witnesses and all that ask platforms, put together."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

from collectors.api_feed import ApiRow
from collectors.apis import APIS
from collectors.collector import FeedRow, Now
from collectors.hook import App, Notice, OrderPollRow
from collectors.live_rooms import LiveRoomsRow
from collectors.tick import Sale
from monitor.accounts.api_line import ApiLine, Asking
from monitor.accounts.api_line import Means as ApiMeans
from monitor.accounts.book import Book
from monitor.accounts.client import Client
from monitor.accounts.details import Details
from monitor.accounts.guarded_http import GuardedHttp
from monitor.accounts.link_text import link_key
from monitor.accounts.linking import Linking
from monitor.accounts.live_line import Conversing, Hold, House, LiveLine
from monitor.accounts.live_rolls import LookedUp, WatchRolls
from monitor.accounts.notices import Notices
from monitor.accounts.orders import AccountOrders
from monitor.accounts.quotas import Quotas
from monitor.accounts.reconcile import PollLine, Reconcile
from monitor.accounts.refresher import Refresher
from monitor.accounts.rooms import OrderRooms
from monitor.accounts.settling import Settling
from monitor.accounts.shop_poll import Means
from monitor.accounts.spooled import Spooled
from monitor.accounts.terms import Terms, terms_of
from monitor.accounts.vault import ACCOUNT_KEY, Vault
from monitor.accounts.witnesses import Witnesses
from monitor.config import Config
from monitor.http.account_metrics import AccountMetrics
from monitor.keys import keys_of
from monitor.live.failure import Reason
from monitor.live.sight import platform_of
from monitor.live.watch import Watch
from monitor.reading import Reader
from monitor.store.apply import Connection
from monitor.store.disk import SpoolFull
from monitor.store.frames import FrameLane
from monitor.store.store import Store

FULL_S = 1.0


class Desk:
    def __init__(
        self,
        config: Config,
        store: Store,
        watch: Watch,
        now: Now,
        reader: Reader,
        lane: FrameLane,
        hold: Hold,
        apps: Callable[[], Mapping[str, App]],
        metrics: AccountMetrics,
        failed: Callable[[str, Reason], None],
    ) -> None:
        """`apps` are those of the present config by name, `lane` brings frames of sockets to the disk, and its
        cipher closes what goes to quarantine; `hold` takes those that are not kept.

        Raises SecretError where the account key will not do, OSError where it cannot be made.
        """
        self.config, self._apps, self._metrics, self._watch = config, apps, metrics, watch
        self._failed, self._put = failed, store.inbox.put
        self._keep, self._hold, self._read_to, self._looked_up = lane.keep, hold, reader.read_to, LookedUp()
        keys = keys_of(config.account_key_file, config.data_dir / ACCOUNT_KEY)
        self.terms: dict[str, Terms] = {}
        vault = Vault(store.sealer.call, store.spool.accounts, keys, self._platform_of)
        self.book = Book(vault, store.inbox.put, now)
        self._http = GuardedHttp(lambda: {origin for terms in self.terms.values() for origin in terms.origins})
        self.client = Client(self.terms, self.book, self._http, now, metrics.called)
        self._refresher = Refresher(self.client, now, metrics.refreshed)
        self._quotas = Quotas(self.client.exchange, now)
        self._settling = Settling(self.client, now)
        self._orders = AccountOrders(
            config.data_dir / "accounts", keys, self.book, self._platform_of, now, metrics.orders_refused.inc
        )
        self._notices = Notices(self.book, self.terms)
        self._link_key, self._now = link_key(keys[0].reveal()), now
        means = Means(
            client=self.client, now=now, rules=lambda: reader.rules, cipher=lane.cipher, room=store.inbox.room,
            put=store.inbox.put, understood=reader.caught_up,
        )  # fmt: skip
        self.witnesses = Witnesses(watch, reader, store.inbox.room, store.inbox.put, now, metrics.missed)
        spooled = Spooled(store, reader)
        self.reconcile = Reconcile(means, APIS, self._app_of, self.book.of, spooled.cursors, self.witnesses, failed)
        self.details = Details(
            self.client, spooled, lambda: any(it.pending for it in store.sealer.standing.frames.values()),
            self._rows, lambda row: self._app_of(row) is not None, APIS, self.book.get, now,
        )  # fmt: skip
        self._rooms = OrderRooms(means, APIS, self._rows, failed)
        reader.pushed, reader.noticed = self.witnesses.pushed, self._noticed
        self.configure(config)

    def configure(self, config: Config) -> None:
        """The config was read, or read again: apps, their secrets and rates, and the feeds."""
        self.config = config
        apps, tables = self._apps(), {table.name: table for table in config.apps}
        self.terms.clear()
        for name, app in apps.items():
            if app.platform in APIS:
                table = tables[name]
                self.terms[name] = terms_of(
                    app, APIS[app.platform], table.api_url, table.auth_url, table.calls_per_s, table.name_calls_per_s
                )
        self.reconcile.configure(config.feeds)
        self._metrics.apps_are(self.terms)
        self._metrics.pushes_are(self.reconcile.pushes)

    def line(self, row: OrderPollRow | ApiRow | LiveRoomsRow) -> PollLine | ApiLine | LiveLine:
        """A feed whose orders are only polled, or one that asks how rooms stand or for their sockets, for
        `supervise`."""
        if isinstance(row, OrderPollRow):
            return self.reconcile.line(row)
        if isinstance(row, LiveRoomsRow):
            return LiveLine(cast(Conversing, row), self._house(row))
        means = self._means(row)
        return ApiLine(cast(Asking, row), means)

    def _means(self, row: ApiRow | LiveRoomsRow) -> ApiMeans | None:
        platform, terms = platform_of(row), self.terms.get(row.app)
        if terms is None or terms.api.PLATFORM != row.PLATFORM:
            return None
        return ApiMeans(
            self.client, lambda room: self._watch.muster.row(platform, room), self.book.belonging, self._rooms_unseen
        )

    def _house(self, row: LiveRoomsRow) -> House | None:
        means = self._means(row)
        if means is None:
            return None
        rolls = WatchRolls(self._watch, self._failed, self._put, self._now)
        return House(
            means, self._keep, self._hold, self._read_to, self.book.change, self._looked_up, self._origins_of, rolls,
            self._now,
        )  # fmt: skip

    def _origins_of(self, app: str) -> frozenset[str]:
        terms = self.terms.get(app)
        return frozenset() if terms is None else terms.origins

    def door(self) -> Linking | None:
        """Where the owners of shops come in; None where nobody knows how we are reached."""
        url = self.config.hooks_url
        return Linking(self._link_key, url.rstrip("/"), self.book, self.client, self._now) if url else None

    def sold(self, sales: Sequence[Sale]) -> None:
        """A commit returned these as new."""
        self.witnesses.committed(sales)

    def counts(self) -> Counter[tuple[str, str]]:
        """How accounts stand, by platform and state, those that the roster wants and nobody linked among them."""
        platforms = self.book.platforms | {terms.api.PLATFORM for terms in self.terms.values()}

        def wanted() -> Iterator[tuple[str, str]]:
            rows = (room.row for room in self._watch.rooms if room.platform in platforms)
            return ((row.platform, of) for row in rows if (of := row.account or row.shop))

        return self.book.counts((self._watch.roster_generation, platforms), wanted)

    async def look(self, conn: Connection) -> None:
        """A chore on the writer's connection."""
        await self._rooms.look(conn)

    async def open(self) -> None:
        """Before any feed begins: there it finds what it noted of rooms. Raises SpoolDiskFailed, SpoolUnreadable."""
        await self.book.open()

    async def run(self, until: asyncio.Event) -> None:
        """Keep accounts alive and ask in their names until then. Raises SpoolDiskFailed."""
        async with self._http, asyncio.TaskGroup() as group:
            others = [
                group.create_task(work, name=name)
                for name, work in (
                    ("quotas", self._quotas.work()),
                    ("settling of accounts", self._settling.run()),
                    ("orders about accounts", self._orders.run()),
                    ("witnesses", self.witnesses.run()),
                    ("reconcile polls", self.reconcile.run()),
                    ("details", self.details.run()),
                    ("rooms of orders", self._rooms.run()),
                )
            ]
            await self._refresher.work(until)
            for task in others:
                task.cancel()

    def _rooms_unseen(self, feed: str, rooms: Sequence[str], reason: Reason) -> None:
        """By one failure, whichever number of rooms it leaves unseen."""
        self._failed(feed, reason)
        for room in rooms:
            self._put(self._watch.fail_room(feed, room, reason, self._now()))

    async def _noticed(self, app: str, notices: Sequence[Notice]) -> None:
        """What a delivery told must be on disk before that is finished with: on a full disk it waits for room."""
        while True:
            try:
                await self._notices.take(app, notices)
                return
            except SpoolFull:
                await asyncio.sleep(FULL_S)

    def _rows(self) -> Mapping[str, FeedRow]:
        return {row.name: row for row in self.config.feeds}

    def _app_of(self, row: FeedRow) -> App | None:
        return self._apps().get(getattr(row, "app", ""))

    def _platform_of(self, app: str) -> str:
        return next((table.platform for table in self.config.apps if table.name == app), "")

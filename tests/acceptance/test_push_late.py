"""Pushes stop while orders go on: seen in three minutes, no fen missing, nothing twice; a silent night is silent."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from collectors.apis.doudian import DoudianApi
from collectors.hook import App
from collectors.open_api import Tokens
from collectors.orders.doudian import Doudian
from collectors.tick import Sale
from monitor.accounts.account import Account
from monitor.accounts.book import Book
from monitor.accounts.client import Client
from monitor.accounts.guarded_http import GuardedHttp
from monitor.accounts.reconcile import Reconcile
from monitor.accounts.shop_poll import Means
from monitor.accounts.spooled import Spooled
from monitor.accounts.terms import Terms, terms_of
from monitor.accounts.witnesses import Witnesses
from monitor.live.watch import Watch
from monitor.reading import Reader
from monitor.rehearsal.platforms.doudian_api import FakeDoudian
from monitor.rehearsal.platforms.token_office import PlayedOrder
from monitor.store.frames import FrameLane
from monitor.store.store import Store
from tests.orders.chinese import doudian, doudian_message
from tests.reading import KEY, RULES
from tests.store.way import Counted, connecting, no_more

APP = App("dd-app", "doudian", "7055555555555555555", (b"an old secret of 32 bytes or more",))
SHOPS = ("4463798", "4463799", "4463800")
ROW = Doudian(name="dd", app="dd-app")
SPANS = "SELECT cause, from_at, to_at FROM blind WHERE feed = 'dd' ORDER BY from_at"
SOLD = "SELECT kind, count(*), sum(amount_minor)::bigint FROM sale GROUP BY kind ORDER BY kind"


class InMemory:
    def __init__(self, accounts: list[Account]) -> None:
        self.accounts = accounts

    async def load(self) -> list[Account]:
        return self.accounts

    async def keep(self, accounts: Iterable[Account], gone: Iterable[object] = ()) -> None:
        raise AssertionError("nothing changes here")


class Bazaar:
    """Three shops, the played platform, and the monitor's own way from there to PostgreSQL, on a clock of its own."""

    def __init__(self, folder: Path, database: Any, at: datetime) -> None:
        self.at, self.database, self.missed = at, database, 0
        self.fake = FakeDoudian(APP.key, APP.secrets[0], self.now)
        self.store = Store(folder / "spool", connecting(database), self.now, Counted(), no_more, self._sold)
        self.lane, self.watch = FrameLane(self.store.spool, self.store.sealer, KEY), Watch()
        self.watch.load([], (), [ROW], self.now())
        self.watch.restore({}, self.store.spool.feed_states(), self.now())
        self.reader = Reader(self.store, self.lane, self.watch, self.now, RULES, lambda row: APP)
        inbox = self.store.inbox
        self.witnesses = Witnesses(self.watch, self.reader, inbox.room, inbox.put, self.now, self._count_missed)
        self.reader.pushed = self.witnesses.pushed
        self.terms: dict[str, Terms] = {}
        self.http = GuardedHttp(lambda: {origin for terms in self.terms.values() for origin in terms.origins})

    async def open(self) -> None:
        url = await self.fake.serve()
        self.terms["dd-app"] = terms_of(APP, DoudianApi(), url, calls_per_s=1_000.0)
        pairs = [self.fake.office.issue(shop, self.at) for shop in SHOPS]
        accounts = [
            Account(
                "dd-app", "doudian", pair.shop,
                tokens=Tokens(pair.access, self.at, pair.access_until, pair.refresh, pair.refresh_until),
            )
            for pair in pairs
        ]  # fmt: skip
        book = Book(InMemory(accounts), self.store.inbox.put, self.now)
        await book.open()
        client = Client(self.terms, book, self.http, self.now, lambda *_: None)
        means = Means(
            client=client, now=self.now, rules=lambda: RULES, cipher=KEY, room=self.store.inbox.room,
            put=self.store.inbox.put, understood=self.reader.caught_up,
        )  # fmt: skip
        self.reconcile = Reconcile(
            means, {"doudian": DoudianApi()}, lambda row: APP, book.of, Spooled(self.store, self.reader).cursors,
            self.witnesses, lambda feed, reason: None, lambda seconds: asyncio.sleep(min(seconds, 0.005)),
        )  # fmt: skip
        self.reconcile.configure([ROW])

    def now(self) -> datetime:
        return self.at

    def _sold(self, sales: Iterable[Sale]) -> None:
        self.witnesses.committed(sales)

    def _count_missed(self, feed: str, facts: int) -> None:
        self.missed += facts

    # --- the platform ------------------------------------------------------------------------------------------------

    def sell(self, shop: str, amount_minor: int) -> PlayedOrder:
        number = len(self.fake.orders)
        order = PlayedOrder(
            str(4781320682406083641 + number), shop, self.at, self.at, amount_minor, self.at, author="58841646784",
            room="7312345678901234567", product="3456789012345678901", buyer="1@#b",
        )  # fmt: skip
        self.fake.orders[order.order_id] = order
        return order

    async def push(self, *orders: PlayedOrder) -> None:
        for order in orders:
            ids = {"p_id": int(order.order_id), "shop_id": int(order.shop)}
            second = int(order.created_at.timestamp())
            messages = [
                doudian_message("100", **ids, create_time=second),
                doudian_message("101", **ids, pay_time=second, pay_amount=order.amount_minor),
            ]
            delivery = doudian(messages, APP.secrets[0], APP.key)
            await self.lane.keep("dd", msgspec.msgpack.encode(delivery), self.at)

    # --- time --------------------------------------------------------------------------------------------------------

    async def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        await self.settled()

    async def settled(self) -> None:
        """All polls that are due were made, and all that was heard is in PostgreSQL and judged."""
        async with asyncio.timeout(20):
            while True:
                await asyncio.sleep(0.004)
                await self.reader.caught_up()
                rota = next(iter(self.reconcile._feeds.values())).rota
                due = rota.next_at()
                out = any(turn.out for turn in rota.turns.values()) or not rota.turns
                inbox, sealer = self.store.inbox, self.store.sealer
                if out or due is None or due <= self.at or inbox.facts or sealer.busy or self.witnesses._fresh:
                    continue
                await sealer.take_stock()
                if not sealer.standing.pending and not self.witnesses._fresh:
                    return

    @property
    def state(self) -> str:
        return self.watch.feeds["dd"].state

    async def ask(self, question: str) -> list[tuple[Any, ...]]:
        conn = await self.database.connect("owner")
        try:
            return [tuple(row) for row in await conn.fetch(question)]
        finally:
            await conn.close()

    def truth(self) -> list[tuple[str, int, int]]:
        orders = self.fake.orders.values()
        return [("created", len(orders), 0), ("paid", len(orders), sum(order.amount_minor for order in orders))]


@asynccontextmanager
async def bazaar(folder: Path, database: Any, at: datetime) -> AsyncIterator[Bazaar]:
    made = Bazaar(folder, database, at)
    async with made.http:
        await made.open()
        works = (made.store.run(), made.lane.run(), made.reader.run(), made.witnesses.run(), made.reconcile.run())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield made
        finally:
            for task in tasks[1:]:
                task.cancel()
            await asyncio.gather(*tasks[1:], return_exceptions=True)
            made.store.stop()
            await tasks[0]
            await made.fake.close()


def today() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def pushes_stop_for_half_an_hour(database: Any, folder: Path) -> None:
    async with bazaar(folder, database, today()) as shops:
        await shops.pass_by(1)
        for step in range(30):  # five good minutes
            await shops.push(*orders_of(shops, step))
            await shops.pass_by(10)
        assert (shops.state, shops.missed) == ("ok", 0)
        last_push_at = shops.at - timedelta(seconds=10)
        first_missed_at, blind_at, kept_back = shops.at, None, list[PlayedOrder]()
        for step in range(30, 210):  # half an hour without
            kept_back += orders_of(shops, step)
            await shops.pass_by(10)
            if blind_at is None and shops.state == "blind":
                blind_at = shops.at
        assert blind_at is not None
        assert blind_at - first_missed_at <= timedelta(minutes=3)
        assert shops.watch.feeds["dd"].detail == "push_late"
        await shops.pass_by(180)  # so that all of them are old enough to be polled
        assert await shops.ask(SOLD) == shops.truth()
        assert shops.missed == 2 * len(kept_back)  # each was created, and paid
        assert await shops.ask("SELECT count(*) FROM sale WHERE via = 'poll'") == [(2 * len(kept_back),)]
        [(cause, from_at, to_at)] = await shops.ask(SPANS)
        assert (cause, to_at) == ("push_late", None)
        assert last_push_at <= from_at <= first_missed_at
        await shops.push(*kept_back)  # late, but they come
        await shops.pass_by(1)
        assert await shops.ask(SOLD) == shops.truth()
        assert await shops.ask(SPANS) == [("push_late", from_at, shops.at - timedelta(seconds=1))]
        assert shops.state == "ok"
        for step in range(30):
            await shops.push(*orders_of(shops, step))
            await shops.pass_by(10)
        await shops.pass_by(200)
        assert await shops.ask(SOLD) == shops.truth()
        assert shops.missed == 2 * len(kept_back)
        assert len(await shops.ask(SPANS)) == 1
        assert await shops.ask("SELECT count(*) FROM quarantine") == [(0,)]
        book = shops.store.sealer.standing.books["sale"]
        assert (book.spooled, book.difference, book.quarantined) == (0, 0, 0)


def orders_of(shops: Bazaar, step: int) -> list[PlayedOrder]:
    """Of ten seconds: one shop sells each time, one now and then, one never."""
    busy = [shops.sell(SHOPS[0], 100 + step)]
    return busy if step % 7 else [*busy, shops.sell(SHOPS[1], 5_000 + step)]


async def a_night_without_orders_raises_nothing(database: Any, folder: Path) -> None:
    async with bazaar(folder, database, today()) as shops:
        await shops.pass_by(1)
        for step in range(6):
            await shops.push(*orders_of(shops, step))
            await shops.pass_by(10)
        polls = shops.fake.book.by_name.copy()
        for _ in range(8 * 12):
            await shops.pass_by(300)
            assert shops.state == "ok"
        assert shops.fake.book.by_name != polls
        assert await shops.ask(SPANS) == []
        assert await shops.ask(SOLD) == shops.truth()
        assert shops.missed == 0


async def a_late_span_survives_a_restart_and_blinds_no_room(database: Any, folder: Path) -> None:
    async with bazaar(folder, database, today()) as shops:
        await shops.pass_by(1)
        for step in range(20):
            orders_of(shops, step)
            await shops.pass_by(20)
        assert shops.state == "blind"
        at, missed, spans = shops.at, shops.missed, await shops.ask(SPANS)
        orders = shops.fake.orders
    async with bazaar(folder, database, at + timedelta(seconds=30)) as shops:
        shops.fake.orders |= orders
        await shops.pass_by(1)
        assert (shops.state, shops.watch.feeds["dd"].detail) == ("blind", "push_late")
        await shops.push(shops.sell(SHOPS[0], 7))  # one that comes in time ends nothing
        await shops.pass_by(1)
        assert shops.state == "blind"
        for step in range(60):
            await shops.push(*orders_of(shops, step))
            await shops.pass_by(20)
        assert await shops.ask(SOLD) == shops.truth()
        [(_, from_at, to_at)] = await shops.ask(SPANS)
        assert (shops.state, from_at) == ("ok", spans[0][1])
        assert to_at is not None
        assert missed + shops.missed == 2 * (20 + 3)  # three of the other shop; what was asked for again is no miss


async def test_pushes_stop_for_half_an_hour_while_orders_go_on(database, tmp_path):
    await pushes_stop_for_half_an_hour(database, tmp_path)


async def test_a_night_without_orders_raises_nothing(database, tmp_path):
    await a_night_without_orders_raises_nothing(database, tmp_path)


async def test_a_late_span_survives_a_restart_and_blinds_no_room(database, tmp_path):
    await a_late_span_survives_a_restart_and_blinds_no_room(database, tmp_path)

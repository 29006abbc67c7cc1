"""Rooms of orders whose push names none: the order itself does, so it is asked for, after the sale was written."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from collectors.collector import BadFrame, FeedRow
from collectors.details import ORDER
from collectors.hook import Meaning, Need
from collectors.open_api import OpenApi
from monitor.accounts.asking import REASONS, Loudly, question
from monitor.accounts.failed import AccountRefused, CallFailed
from monitor.accounts.shop_poll import Means
from monitor.facts import Heard
from monitor.live.failure import Reason
from monitor.live.sight import platform_of
from monitor.store.apply import Connection
from monitor.store.statements import statement
from monitor.understanding import judged

LOOK_EVERY = timedelta(seconds=10)
BACK_TO = timedelta(days=1)
ASKED_FOR = timedelta(minutes=30)
ROWS_MAX = 500
QUEUE_MAX, ASKED_MAX = 2_000, 100_000
WORKERS = 4
REST_S = 1.0


class RoomlessOrder(msgspec.Struct, frozen=True):
    """A paid sale that says of no room where it was sold."""

    feed: str
    shop: str
    order_id: str
    received_at: datetime


class OrderRooms:
    """`look` is the chore that finds such sales, `run` asks for them; `rows` are the feeds by name."""

    def __init__(
        self,
        means: Means,
        apis: Mapping[str, OpenApi],
        rows: Callable[[], Mapping[str, FeedRow]],
        failed: Callable[[str, Reason], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._means, self._apis, self._rows, self._failed, self._sleep = means, apis, rows, failed, sleep
        self._asked: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._queue: deque[RoomlessOrder] = deque()
        self._looked_at = datetime(1970, 1, 1, tzinfo=UTC)
        self._loudly = Loudly("the room of an order could not be asked for")
        self._before: datetime | None = None  # how far back the older ones were looked through

    async def look(self, conn: Connection) -> None:
        """On the writer's connection: the newest, and a page of the older ones."""
        now, feeds = self._means.now(), self._feeds()
        if not feeds or now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        self._forget(now)
        newest = await self._page(conn, feeds, now, None)
        self._enqueue(newest, now)
        older = newest if self._before is None else await self._page(conn, feeds, now, self._before)
        self._enqueue(older, now)
        self._before = older[-1].received_at if len(older) == ROWS_MAX else None

    def _feeds(self) -> list[str]:
        apis = {name: self._apis.get(platform_of(row)) for name, row in self._rows().items()}
        return [name for name, api in apis.items() if api is not None and api.ROOM_BY_ORDER]

    async def _page(
        self, conn: Connection, feeds: Sequence[str], now: datetime, before: datetime | None
    ) -> list[RoomlessOrder]:
        rows = await conn.fetch(statement("accounts/roomless_orders"), feeds, now - BACK_TO, before, ROWS_MAX)
        return [RoomlessOrder(*row) for row in rows]

    def _enqueue(self, orders: Sequence[RoomlessOrder], now: datetime) -> None:
        for order in orders:
            key = order.feed, order.order_id
            if key not in self._asked and len(self._queue) < QUEUE_MAX:
                self._asked[key] = now
                self._queue.append(order)

    def _forget(self, now: datetime) -> None:
        while self._asked:
            at = next(iter(self._asked.values()))
            if now - at < ASKED_FOR and len(self._asked) < ASKED_MAX:
                return
            self._asked.popitem(last=False)

    async def run(self) -> None:
        """Ask until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            if self._queue:
                await self._ask(self._queue.popleft())
            else:
                await self._sleep(REST_S)

    async def _ask(self, order: RoomlessOrder) -> None:
        """What fails is asked for again in half an hour, while the sale is of the last day."""
        row = self._rows().get(order.feed)
        api = None if row is None else self._apis.get(platform_of(row))
        if row is None or api is None:
            return
        need, means = Need(ORDER, order.order_id, order.shop), self._means
        try:
            body = await means.client.ask(getattr(row, "app", ""), order.shop, question(api, need, means.now))
            sales = api.read_order(row, order.shop, order.order_id, body, means.now())
        except CallFailed as failed:
            self._failed(order.feed, REASONS[failed.verdict])
            return
        except AccountRefused:
            self._failed(order.feed, "auth")
            return
        except BadFrame:
            self._failed(order.feed, "bad_frame")
            return
        except Exception as error:  # noqa: BLE001  a slip in the rules of one platform must not end the asking of all
            self._loudly.say(error)
            self._failed(order.feed, "unknown")
            return
        told = [sale if sale.via == "poll" else msgspec.structs.replace(sale, via="poll") for sale in sales]
        found = [sale for sale in judged(Meaning(told), means.now(), means.rules()).sales if sale.room is not None]
        if found:
            await means.room(0, len(found))
            means.put(Heard(sales=found))

"""A full event for bench_roller: 12,000 rooms on air for most of an hour, and what they go on doing each second.

Rooms are those of the rehearsal's cast. The hour of the event's zone is old already when it begins: an hour is summed
out of all its minutes each round, so the end of one is what costs most. What came before is put in by SQL, as the
roller would have left it; from then on all comes through the real store.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from collectors.tick import Sale, SaleItem, Tick
from monitor.facts import Change, Heard
from monitor.rehearsal.event.cast import cast
from monitor.store.batch import session_id
from monitor.store.db import Connection
from monitor.store.store import Store

OBSERVED_S, PER_FRAME = 5.0, 100
SALES_PER_S, STOPS_PER_S, STOPPED_S = 20, 1, 20
MARKER_MINOR = 10**10  # above all that others sell in an hour: how many markers are in a sum is its quotient
MARKER_SHOP = "marker"
FILL = (
    "SELECT ensure_tick_day(event_date(now()) + n), ensure_minute_day(event_date(now()) + n)"
    " FROM generate_series(-1, 1) AS n",
    "INSERT INTO feed (feed, kind, platform, signals)"
    " SELECT DISTINCT platform, 'bench', platform, '{live,viewers}'::text[] FROM room",
    "INSERT INTO feed_room (feed, room_id, from_at) SELECT platform, room_id, now() - interval '1 day' FROM room",
    "INSERT INTO session_minute (minute, platform, room_id, session_id, air_us, blind_us, measured_us, viewer_us,"
    " peak_viewers, drops, created, orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor,"
    " orders_other_currency) SELECT minute, platform, room_id, session_id, 60000000, 0, 60000000,"
    " 60000000::bigint * viewers, viewers, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM session JOIN room USING (room_id)"
    " CROSS JOIN LATERAL generate_series(event_hour(now()), date_trunc('minute', now()) - interval '1 minute',"
    " '1 minute') AS minute CROSS JOIN LATERAL (SELECT 50 + (room_id * 7 + 13 * extract(minute FROM minute)::int) % 900"
    " AS viewers) AS seen",
    "INSERT INTO sale (platform, event_id, at, received_at, feed, room, room_id, session_id, shop, order_id, kind,"
    " amount_minor, currency, units, buyer, via, attributed_at) SELECT platform, 'old' || n, at, at, platform,"
    " external_id, room_id, session_id, shop, 'old' || n, 'paid', 9900, 'CNY', 1,"
    " decode(md5((n % 40001)::text), 'hex'), 'push', at FROM"
    " generate_series(1, extract(epoch FROM now() - event_hour(now()))::int * 20) AS n"
    " JOIN room ON room_id = 1 + n * 7919 % (SELECT count(*) FROM room) JOIN session USING (room_id)"
    " CROSS JOIN LATERAL (SELECT event_hour(now()) + n * interval '50 milliseconds') AS told (at)",
    "INSERT INTO sale_item SELECT platform, event_id, 'item' || length(event_id) % 40, '商品', 1, 9900 FROM sale",
)


class Room(NamedTuple):
    room_id: int
    platform: str
    external_id: str
    shop: str


async def fill(owner: Connection, rooms_count: int, opened_at: datetime) -> list[Room]:
    """The roster, a session of each room since `opened_at`, and the hour so far."""
    fields = "platform, external_id, anchor, broadcaster, hall, city, category, tier, fans, shop".split(", ")
    parts = cast(rooms_count, 1)
    rows = [
        (p.platform, p.room, p.anchor, p.broadcaster, p.hall, p.city, p.category, p.tier, p.fans, p.shop) for p in parts
    ]
    await owner.copy_records_to_table("room", records=rows, columns=fields)
    found = await owner.fetch("SELECT room_id, platform, external_id, shop FROM room ORDER BY platform, room_id")
    rooms = [Room(*row) for row in found]
    ids = [session_id(room.platform, room.external_id, opened_at) for room in rooms]
    await owner.copy_records_to_table(
        "session", records=[(of, room.room_id, opened_at, False) for of, room in zip(ids, rooms, strict=True)],
        columns=("session_id", "room_id", "opened_at", "sales_due"),
    )  # fmt: skip
    await owner.copy_records_to_table(
        "session_change",
        records=[(of, 1, room.room_id, opened_at, "opened", "status") for of, room in zip(ids, rooms, strict=True)],
        columns=("session_id", "number", "room_id", "at", "change", "cause"),
    )
    for step in FILL:
        await owner.execute(step)
    await owner.execute("DELETE FROM minute_touched")
    await owner.execute("VACUUM ANALYZE")
    return rooms


class Load:
    """What goes on, each kind in a task of its own; ends by cancellation."""

    def __init__(self, store: Store, rooms: Sequence[Room], opened_at: datetime) -> None:
        self.store, self.rooms, self.opened_at = store, rooms, opened_at
        self.dice, self.number, self.changes = random.Random(1), 0, dict[Room, int]()
        self.behind_s_max = 0.0  # how late a frame was at worst: this process itself had no time

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for work, per_s in (
                (self.observe, len(self.rooms) / PER_FRAME / OBSERVED_S),
                (self.sell, SALES_PER_S), (self.stop, STOPS_PER_S),
            ):  # fmt: skip
                group.create_task(self._paced(work, per_s))

    async def _paced(self, work: Callable[[int], Awaitable[None]], per_s: float) -> None:
        loop = asyncio.get_running_loop()
        begun, turn = loop.time(), 0
        while True:
            late_s = loop.time() - begun - turn / per_s
            self.behind_s_max = max(self.behind_s_max, late_s)
            await asyncio.sleep(max(0.0, -late_s))
            await work(turn)
            turn += 1

    async def observe(self, turn: int) -> None:
        frames = -(-len(self.rooms) // PER_FRAME)
        first, at = turn % frames * PER_FRAME, self.store.now()
        ticks = [
            (room.room_id, Tick(room.platform, room.external_id, at, "status", True,
                                50 + (room.room_id * 7 + turn // frames * 13) % 900, None, None, 2000))
            for room in self.rooms[first : first + PER_FRAME]
        ]  # fmt: skip
        await self.store.inbox.room(ticks=len(ticks))
        self.store.inbox.put(Heard(ticks=ticks))

    async def sell(self, turn: int) -> None:
        room = self.dice.choice(self.rooms)
        item = SaleItem(f"item{turn % 40}", "商品", 1, 9_900)
        await self.put_sale(room.platform, room.external_id, room.shop, 9_900, item)

    async def put_sale(self, platform: str, room: str | None, shop: str, amount_minor: int, item: SaleItem) -> None:
        self.number += 1
        at, name = self.store.now(), f"new{self.number}"
        sale = Sale(
            feed=platform, platform=platform, event_id=name, at=at, received_at=at, kind="paid", room=room, shop=shop,
            amount_minor=amount_minor, currency="CNY", order_id=name, units=1, items=(item,),
            buyer=(self.number % 40_001).to_bytes(8),
        )  # fmt: skip
        await self.store.inbox.room(facts=1)
        self.store.inbox.put(Heard(sales=[sale]))

    async def stop(self, turn: int) -> None:
        """One room stops, and the one that stopped a while ago is back."""
        changes = [self._change(self.rooms[turn * 37 % len(self.rooms)], "dropped")]
        if turn >= STOPPED_S:
            changes.append(self._change(self.rooms[(turn - STOPPED_S) * 37 % len(self.rooms)], "resumed"))
        await self.store.inbox.room(facts=len(changes))
        self.store.inbox.put(Heard(changes=changes))

    def _change(self, room: Room, name: str) -> Change:
        self.changes[room] = number = self.changes.get(room, 1) + 1
        at = self.store.now()
        return Change(room.platform, room.external_id, self.opened_at, number, name, at, "status", b"state")  # type: ignore[arg-type]


def hour_zone(now: datetime, minute: int) -> str:
    """The fixed offset in which it is that minute of the hour."""
    return f"+00:{(minute - (now + timedelta(seconds=30)).minute) % 60:02}"

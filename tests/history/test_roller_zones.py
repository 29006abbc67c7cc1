"""Days of the views are those of raw ticks and sales, added up in Python: zones of half hours, days of 23 to 25 hours.

What happens is drawn: around midnights, the change of the clocks, and the edges of the event window, which both cut an
hour. All comes in as it does in the service, and is summed by the roller itself.
"""

import random
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from collectors.tick import Sale, SaleItem, Tick
from monitor.attribution import Attribution
from monitor.history.roller import SETTINGS, Roller
from monitor.store.apply import apply
from monitor.store.batch import Batch, Fact, facts_batches, pack_ticks, ticks_batches
from monitor.store.migrate import Birth, migrate
from tests.history.test_roller import never
from tests.postgres import FreshDatabase

pytestmark = pytest.mark.real

ROOMS = [("p", "p0"), ("p", "p1"), ("q", "q0")]
HOLD = timedelta(seconds=60)
MICROSECOND = timedelta(microseconds=1)
CASES = [  # zone, and how many hours the day has
    ("Asia/Kolkata", 24.0),
    ("Europe/Berlin", 25.0),
    ("Europe/Berlin", 23.0),
    ("America/St_Johns", 25.0),
    ("America/St_Johns", 23.0),
    ("Australia/Lord_Howe", 24.5),  # its summer time is half an hour: the last hour of a day is one, too
    ("Australia/Lord_Howe", 23.5),
]


class Session(NamedTuple):
    room: str
    opened_at: datetime
    closed_at: datetime
    ticks: list[tuple[datetime, int]]


def begins(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, datetime.min.time(), zone).astimezone(UTC)


def day_of(hours: float, zone: ZoneInfo) -> date:
    """The last one of that length, at least three days ago."""
    latest = datetime.now(zone).date() - timedelta(days=3)
    days = (latest - timedelta(days=n) for n in range(370))
    return next(
        day for day in days if begins(day + timedelta(days=1), zone) - begins(day, zone) == timedelta(hours=hours)
    )


class Happened:
    """Two days and what lies around them, drawn."""

    def __init__(self, zone: ZoneInfo, day: date, seed: int) -> None:
        self.zone, self.day, self.dice = zone, day, random.Random(seed)
        self.midnights = [begins(day + timedelta(days=n), zone) for n in (-1, 0, 1, 2)]
        # In the middle of hours of the day before and of the day after.
        self.starts_at = self.midnights[0] + timedelta(hours=19, minutes=40)
        self.ends_at = self.midnights[2] + timedelta(hours=3, minutes=17)
        change = [self.midnights[1] + timedelta(hours=2)]
        near = [*self.midnights[1:3], self.starts_at, self.ends_at, *change]
        self.sessions = [session for _, room in ROOMS for session in self._sessions(room, sorted(near))]
        self.sales = [self._sale(number, near) for number in range(240)]

    def _sessions(self, room: str, near: list[datetime]) -> list[Session]:
        made, free_from = [], near[0] - timedelta(days=1)
        for instant in near:
            opened_at = max(free_from, instant - timedelta(seconds=self.dice.uniform(1, 2_400)))
            closed_at = opened_at + timedelta(seconds=self.dice.uniform(60, 3_000))
            at, ticks = opened_at, []
            while (at := at + timedelta(seconds=self.dice.uniform(0.5, 90))) < closed_at:
                ticks.append((at, self.dice.randint(0, 5_000)))
            made.append(Session(room, opened_at, closed_at, ticks))
            free_from = closed_at + timedelta(seconds=self.dice.uniform(1, 300))
        return made

    def _sale(self, number: int, near: list[datetime]) -> Sale:
        platform, room = self.dice.choice(ROOMS)
        at = self.dice.choice(near) + timedelta(seconds=self.dice.uniform(-7_200, 7_200))
        if number % 3:
            at = self.midnights[0] + timedelta(seconds=self.dice.uniform(0, 3 * 86_400))
        amount = self.dice.randint(1, 90_000)
        return Sale(
            feed="orders", platform=platform, event_id=f"e{number}", at=at, received_at=at, amount_minor=amount,
            kind=self.dice.choice(["created", "paid", "paid", "paid", "refunded", "gift", "cancelled"]),
            currency=self.dice.choice(["EUR", "EUR", "EUR", "USD"]), room=self.dice.choice([None, room, room]),
            shop=f"s{self.dice.randint(1, 2)}", order_id=f"o{self.dice.randint(1, 70)}",
            units=self.dice.choice([None, 1, 3]), buyer=self.dice.choice([None, b"a", b"b", b"c", b"d"]),
            items=tuple(SaleItem(f"i{n}", f"件{n}", n, amount // 2) for n in (1, 2) if self.dice.random() < 0.7),
        )  # fmt: skip

    def span(self, day: date) -> tuple[datetime, datetime]:
        """A day inside the window."""
        midnight, next_one = begins(day, self.zone), begins(day + timedelta(days=1), self.zone)
        return max(midnight, self.starts_at), min(next_one, self.ends_at)

    # --- plainly ------------------------------------------------------------------------------------------------------

    def first(self, sale: Sale) -> bool:
        """Whether it counts its order: no part of it is earlier on its day inside the window."""
        return not any(
            (other.at, other.event_id) < (sale.at, sale.event_id)
            for other in self.of(sale.at.astimezone(self.zone).date())
            if (other.kind, other.order_id, other.shop, other.platform, other.currency)
            == (sale.kind, sale.order_id, sale.shop, sale.platform, sale.currency)
        )

    def first_with(self, sale: Sale, item: str) -> bool:
        return not any(
            (other.at, other.event_id) < (sale.at, sale.event_id)
            for other in self.of(sale.at.astimezone(self.zone).date())
            if other.kind == "paid" and any(held.item_id == item for held in other.items)
            and (other.order_id, other.shop, other.platform, other.currency)
            == (sale.order_id, sale.shop, sale.platform, sale.currency)
        )  # fmt: skip

    def of(self, day: date) -> list[Sale]:
        from_at, to_at = self.span(day)
        return [sale for sale in self.sales if from_at <= sale.at < to_at]

    def money(self, sales: list[Sale]) -> dict[str, int]:
        def those(kind: str) -> list[Sale]:
            return [sale for sale in sales if sale.kind == kind]

        return {
            "created_orders": sum(self.first(sale) for sale in those("created")),
            "orders": sum(self.first(sale) for sale in those("paid")),
            "gmv_minor": sum(sale.amount_minor for sale in those("paid")),
            "refund_orders": sum(self.first(sale) for sale in those("refunded")),
            "refunds_minor": sum(sale.amount_minor for sale in those("refunded")),
            "gifts_minor": sum(sale.amount_minor for sale in those("gift")),
            "gifts": len(those("gift")),
            "units": sum(sale.units or 0 for sale in those("paid")),
        }

    def event_day(self, day: date) -> dict[Any, Any]:
        by: dict[Any, list[Sale]] = defaultdict(list)
        for sale in self.of(day):
            if sale.kind != "cancelled":
                by[sale.platform, sale.currency].append(sale)
        return {key: chosen(self.money(sales), EVENT_DAY) for key, sales in by.items()}

    def shop_day(self, day: date) -> dict[Any, Any]:
        by: dict[Any, list[Sale]] = defaultdict(list)
        for sale in self.of(day):
            if sale.currency == "EUR" and sale.kind in ("created", "paid", "refunded"):
                by[sale.platform, sale.shop].append(sale)
        found = {}
        for key, sales in by.items():
            told: dict[str, Any] = dict(self.money(sales))
            told["buyers"] = len({sale.buyer for sale in sales if sale.kind == "paid" and sale.buyer}) or None
            if any(told[name] for name in ("created_orders", "orders", "gmv_minor", "refund_orders", "refunds_minor")):
                found[key] = chosen(told, SHOP_DAY)
        return found

    def item_day(self, day: date) -> dict[Any, Any]:
        found: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])
        for sale in self.of(day):
            for item in sale.items if sale.kind == "paid" and sale.currency == "EUR" else ():
                told = found[sale.platform, item.item_id]
                told[0] += self.first_with(sale, item.item_id)
                told[1] += item.units or 0
                told[2] += item.amount_minor or 0
        return {key: tuple(told) for key, told in found.items()}

    def room_day(self, day: date) -> dict[Any, Any]:
        found = {}
        from_at, to_at = self.span(day)
        for _, room in ROOMS:
            sessions = [s for s in self.sessions if s.room == room and s.opened_at < to_at and s.closed_at > from_at]
            sales = [sale for sale in self.of(day) if sale.room == room]
            if not sessions and not [sale for sale in sales if sale.kind != "cancelled"]:
                continue
            air = sum(within(s.opened_at, s.closed_at, from_at, to_at) for s in sessions)
            measured = viewer = 0
            peaks = []
            for session in sessions:
                ends = [at for at, _ in session.ticks[1:]] + [session.closed_at]
                for (at, viewers), until in zip(session.ticks, ends, strict=False):
                    held = within(at, min(until, at + HOLD, session.closed_at), from_at, to_at)
                    measured, viewer = measured + held, viewer + held * viewers
                    if from_at <= at < to_at:
                        peaks.append((-viewers, at.replace(second=0, microsecond=0)))
            peak = min(peaks, default=None)
            found[room] = (
                len(sessions), rounded(air, 1_000_000, 3), rounded(measured, 1_000_000, 3),
                rounded(viewer, measured, 2) if measured else None,
                rounded(viewer, 3_600_000_000, 3) if peak or measured else None,
                -peak[0] if peak else None, peak[1] if peak else None,
                *chosen(self.money([sale for sale in sales if sale.currency == "EUR"]), ROOM_MONEY),
            )  # fmt: skip
        return found


EVENT_DAY = ("created_orders", "orders", "gmv_minor", "refund_orders", "refunds_minor", "gifts", "gifts_minor")
SHOP_DAY = ("created_orders", "orders", "gmv_minor", "refund_orders", "refunds_minor", "units", "buyers")
ROOM_MONEY = ("created_orders", "orders", "gmv_minor", "refund_orders", "refunds_minor", "gifts_minor", "units")
ROOM_DAY = ("sessions", "air_s", "measured_s", "average_viewers", "watch_hours", "peak_viewers", "peak_at", *ROOM_MONEY)


def chosen(told: dict[str, Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(told[name] for name in names)


def within(begin: datetime, end: datetime, from_at: datetime, to_at: datetime) -> int:
    """Microseconds of it inside the span."""
    return max(0, (min(end, to_at) - max(begin, from_at)) // MICROSECOND)


def rounded(amount: int, of: int, places: int) -> Decimal:
    return (Decimal(amount) / of).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


class Service:
    """The database in that zone, and how things come into it."""

    def __init__(self, sql: Any) -> None:
        self.sql, self.spool, self.seq = sql, uuid.uuid4(), 0

    async def put(self, batch: Batch) -> None:
        self.seq += 1
        transaction = self.sql.transaction()
        await transaction.start()
        await apply(self.sql, transaction, Batch(batch.header, batch.payload, self.seq), self.spool)

    async def take(self, told: Happened) -> None:
        names = "SELECT ensure_tick_day(event_date($1) + n), ensure_minute_day(event_date($1) + n)"
        await self.sql.execute(f"{names} FROM generate_series(-2, 4) AS n", told.midnights[0])
        await self.sql.execute(
            "UPDATE setting SET event_starts_at = $1, event_ends_at = $2", told.starts_at, told.ends_at
        )
        await self.sql.executemany("INSERT INTO room (platform, external_id) VALUES ($1, $2)", ROOMS)
        ids = {row[0]: row[1] for row in await self.sql.fetch("SELECT external_id, room_id FROM room")}
        ticks = []
        for session in told.sessions:
            room = ids[session.room]
            await self.sql.execute(
                "INSERT INTO session (session_id, room_id, opened_at, closed_at, close_reason)"
                " VALUES ($1, $2, $3, $4, 'ended')",
                *(uuid.uuid4(), room, session.opened_at, session.closed_at),
            )  # by hand: a session that closes after the fact marks every minute until now
            ticks += [(room, Tick("f", session.room, at, "status", True, viewers)) for at, viewers in session.ticks]
        await self.sql.execute(
            "INSERT INTO minute_touched SELECT date_bin('1 minute', opened_at, '2000-01-01Z'), platform, closed_at"
            " FROM session JOIN room USING (room_id)"
        )
        facts: list[Fact] = [*told.sales]
        now = datetime.now(UTC)
        for n in range(0, len(ticks), 400):
            packed = pack_ticks(ticks[n : n + 400], now, told.midnights[0] - timedelta(days=2))
            for batch in ticks_batches([packed], now):
                await self.put(batch)
        for n in range(0, len(facts), 60):
            for batch in facts_batches(facts[n : n + 60], now):
                await self.put(batch)
        while not await Attribution().catch_up(self.sql, 1):
            pass


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
async def case(
    request: pytest.FixtureRequest, empty_database: FreshDatabase
) -> AsyncIterator[tuple[Service, Happened, Any]]:
    name, hours = request.param
    owner = await empty_database.connect("owner")
    await migrate(owner, Birth(timezone=name, currency="EUR"))
    await owner.close()
    sql = await empty_database.connect("writer")
    roller = await empty_database.settings.connect("writer", "roller", settings=SETTINGS)
    zone = ZoneInfo(name)
    yield Service(sql), Happened(zone, day_of(hours, zone), 7), roller
    await roller.close()
    await sql.close()


async def test_days_are_those_of_what_was_observed(case: tuple[Service, Happened, Any]) -> None:
    service, told, other = case
    await service.take(told)
    while await Roller(never).round(other):
        pass
    days = [told.day + timedelta(days=n) for n in (-1, 0, 1)]
    for day in days:
        for view, key, names, plain in (
            ("room_day", "external_id", ROOM_DAY, told.room_day),
            ("shop_day", "platform, shop", SHOP_DAY, told.shop_day),
            ("item_day", "platform, item_id", ("orders", "units", "gmv_minor"), told.item_day),
            ("event_day($1)", "platform, currency", EVENT_DAY, told.event_day),
            ("event_day($1, now() - interval '1 microsecond')", "platform, currency", EVENT_DAY, told.event_day),
        ):
            rows = await service.sql.fetch(f"SELECT {key}, {', '.join(names)} FROM {view} WHERE day = $1", day)
            width = key.count(",") + 1
            found = {(tuple(row)[:width] if width > 1 else row[0]): tuple(row)[width:] for row in rows}
            assert found == plain(day), (view, day)
            assert found or view == "room_day", (view, day)
    outside = await service.sql.fetch(
        "SELECT day FROM room_day UNION SELECT day FROM shop_day UNION SELECT day FROM item_day"
    )
    assert {row["day"] for row in outside} == set(days)

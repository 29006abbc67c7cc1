"""What a report tells: plain values, as PostgreSQL counted them at one instant."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

import msgspec

STEPS = (1, 2, 5, 10, 15, 30, 60)  # each divides an hour, so that hours are whole steps
POINTS_MAX = 1_500


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """The days of a report, the instants between which the event counts in them, and when they were asked for."""

    first: date
    last: date
    starts_at: datetime
    ends_at: datetime
    from_at: datetime  # starts_at and ends_at, cut to the event
    to_at: datetime
    as_of: datetime

    @property
    def step(self) -> timedelta:
        """Between two points of a curve."""
        minutes = (self.ends_at - self.starts_at) / timedelta(minutes=1)
        return timedelta(minutes=next((step for step in STEPS if minutes / step <= POINTS_MAX), STEPS[-1]))

    @property
    def over(self) -> bool:
        return self.as_of >= self.to_at

    @property
    def seen_until(self) -> datetime:
        """The end of the last closed minute that the report tells of."""
        return max(self.from_at, min(self.to_at, self.as_of.replace(second=0, microsecond=0)))

    def days(self) -> Iterator[date]:
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)

    def instants(self, step: timedelta) -> list[datetime]:
        """From the beginning of the first day to the end of the last, in equal steps of real time."""
        return [self.starts_at + step * n for n in range(-(-(self.ends_at - self.starts_at) // step))]


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """What one day came to on one platform in one currency."""

    day: date
    platform: str
    currency: str
    orders: int = 0
    gmv_minor: int = 0
    created_orders: int = 0
    refund_orders: int = 0
    refunds_minor: int = 0
    gifts_minor: int = 0


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """A day as it stood at 00:15 of the next one, in the event's currency."""

    day: date
    as_of: datetime
    orders: int
    gmv_minor: int
    refund_orders: int
    refunds_minor: int


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """What rooms did: all of them, those of a platform, hall or broadcaster, or one."""

    kind: str
    platform: str = ""
    broadcaster: str = ""
    hall: str = ""
    external_id: str = ""
    anchor: str = ""
    rooms: int = 0
    broadcasters: int = 0
    sessions: int = 0
    air_s: Decimal = Decimal(0)
    blind_s: Decimal = Decimal(0)
    measured_s: Decimal = Decimal(0)
    watch_hours: Decimal = Decimal(0)
    peak_viewers: int | None = None
    drops: int = 0
    down_s: Decimal = Decimal(0)
    orders: int = 0
    gmv_minor: int = 0
    refunds_minor: int = 0

    @property
    def average_viewers(self) -> Decimal | None:
        return self.watch_hours * 3600 / self.measured_s if self.measured_s else None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What was sold of one item."""

    platform: str
    item_id: str
    title: str
    orders: int
    units: int | None  # None: not told
    gmv_minor: int | None  # None: the platform prices no items


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a platform's curves: viewers x minutes, and what was paid in it."""

    at: datetime
    platform: str
    viewer_minutes: Decimal
    rooms_live: int
    orders: int
    gmv_minor: int


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """The minute in which most people watched."""

    at: datetime
    viewers: int


class Drop(msgspec.Struct, frozen=True, kw_only=True):
    """One drop. `down_s` is None where nobody can say, `viewers_before` where none were reported."""

    platform: str
    external_id: str
    anchor: str
    hall: str
    at: datetime
    down_s: Decimal | None
    viewers_before: int | None
    outcome: str
    cause: str


class Blind(msgspec.Struct, frozen=True, kw_only=True):
    """A span in which a whole feed could not be seen, cut to the report's."""

    feed: str
    platform: str
    hall: str
    from_at: datetime
    to_at: datetime
    still_open: bool
    cause: str


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """All of a report."""

    event: str  # as people see it: a rehearsal's is marked
    zone: tzinfo
    zone_name: str
    version: str
    currency: str
    period: Period
    money: list[Money] = []
    cuts: list[Cut] = []
    sums: list[Sums] = []
    items: list[Item] = []
    points: list[Point] = []
    peak: Peak | None = None
    drops: list[Drop] = []
    blind: list[Blind] = []

    def own_money(self) -> list[Money]:
        """In the event's currency."""
        return [row for row in self.money if row.currency == self.currency]

    def of(self, kind: str) -> list[Sums]:
        return [row for row in self.sums if row.kind == kind]

    def platforms(self) -> list[str]:
        """By GMV, the highest first."""
        names = {row.platform for row in self.own_money()} | {row.platform for row in self.points}
        names = (names | {row.platform for row in self.of("platform")}) - {""}
        gmv = {name: sum(row.gmv_minor for row in self.own_money() if row.platform == name) for name in names}
        return sorted(names, key=lambda name: (-gmv[name], name))


def total(rows: list[Money]) -> Money:
    """Their sum. Only for rows of one currency; `day` and `platform` of the sum mean nothing."""
    return Money(
        day=date.min,
        platform="",
        currency=rows[0].currency if rows else "",
        orders=sum(row.orders for row in rows),
        gmv_minor=sum(row.gmv_minor for row in rows),
        created_orders=sum(row.created_orders for row in rows),
        refund_orders=sum(row.refund_orders for row in rows),
        refunds_minor=sum(row.refunds_minor for row in rows),
        gifts_minor=sum(row.gifts_minor for row in rows),
    )

"""A made-up report: the rows of a day, or of no day at all, without a database."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import exp, sin
from zoneinfo import ZoneInfo

from monitor.history.report.content import Blind, Content, Cut, Drop, Item, Money, Peak, Period, Point, Sums

ZONE = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 11, 19)
PLATFORMS = ("wechat", "doudian", "kwaixiaodian", "nginx_rtmp", "taobao")
MINUTE = timedelta(minutes=1)


def starts_at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)


def period(first: date = DAY, last: date = DAY, as_of: datetime | None = None) -> Period:
    begins, ends = starts_at(first), starts_at(last + timedelta(days=1))
    return Period(
        first=first, last=last, starts_at=begins, ends_at=ends, from_at=begins, to_at=ends,
        as_of=as_of or ends + timedelta(hours=9),
    )  # fmt: skip


def empty(of: Period | None = None) -> Content:
    return Content(
        event="辽宁网红周", zone=ZONE, zone_name="Asia/Shanghai", version="0.1.0", currency="CNY", period=of or period()
    )


def full(of: Period | None = None, names: str = "直播间 {}") -> Content:
    """Every part has something in it. `names` is what strangers call themselves."""
    told = of or period()
    money = [
        Money(
            day=day, platform=name, currency="CNY", orders=9_000 + n * 811, gmv_minor=123_456_789 * (n + 1),
            created_orders=11_000, refund_orders=400 + n, refunds_minor=5_000_050 * (n + 1), gifts_minor=77_700,
        )
        for day in told.days()
        for n, name in enumerate(PLATFORMS)
    ]  # fmt: skip
    money.append(Money(day=DAY, platform="shopify", currency="USD", orders=12, gmv_minor=99_950))
    cuts = [
        Cut(
            day=DAY, as_of=starts_at(DAY + timedelta(days=1)) + timedelta(minutes=15), orders=53_000,
            gmv_minor=1_851_851_000, refund_orders=1_900, refunds_minor=75_000_000,
        )
    ]  # fmt: skip
    return Content(
        event="【演练】辽宁网红周", zone=ZONE, zone_name="Asia/Shanghai", version="0.1.0", currency="CNY", period=told,
        money=money, cuts=cuts, sums=_sums(names), items=_items(names), points=_points(told),
        peak=Peak(at=starts_at(DAY) + timedelta(hours=20, minutes=31), viewers=812_345), drops=_drops(told, names),
        blind=_blind(told),
    )  # fmt: skip


def _sums(names: str) -> list[Sums]:
    def rooms(kind: str, n: int, count: int, **more: object) -> Sums:
        return Sums(
            kind=kind, rooms=count, broadcasters=count, sessions=count + 3, air_s=Decimal(count * 20_000),
            blind_s=Decimal(count * 300), measured_s=Decimal(count * 19_000), watch_hours=Decimal(count * 800),
            peak_viewers=90_000 - n * 1_234, drops=7 + n, down_s=Decimal(900), orders=4_000 - n * 17,
            gmv_minor=98_765_432 - n * 3_333_333, refunds_minor=1_234, **more,
        )  # fmt: skip

    return [
        rooms("all", 0, 12_000),
        *(rooms("platform", n, 2_400, platform=name) for n, name in enumerate(PLATFORMS)),
        *(
            rooms("room", n, 1, platform=PLATFORMS[n % 5], anchor=names.format(n), external_id=f"r{n}", hall="A 馆")
            for n in range(20)
        ),
        *(rooms("broadcaster", n, 2, broadcaster=names.format(f"人 {n}")) for n in range(20)),
        *(rooms("hall", n, 900, hall=names.format(f"馆 {n}")) for n in range(6)),
    ]


def _items(names: str) -> list[Item]:
    return [
        Item(
            platform=PLATFORMS[n % 5], item_id=str(10**15 + n), title=names.format(f"东北大米 5kg 装 {n}"),
            orders=900 - n, units=None if n == 3 else 1_200, gmv_minor=None if n == 4 else 5_999_900 - n * 100,
        )
        for n in range(20)
    ]  # fmt: skip


def _points(told: Period) -> list[Point]:
    step, rows = told.step, []
    for at in told.instants(step):
        if at >= told.seen_until:
            break
        hour = (at - told.starts_at) / timedelta(hours=1) % 24
        crowd = exp(-(((hour - 20.5) / 2.5) ** 2)) + 0.45 * exp(-(((hour - 11) / 2) ** 2)) + 0.03
        for n, name in enumerate(PLATFORMS):
            people = crowd * (n + 1) * 40_000 * (1 + 0.06 * sin(hour * 37 + n))
            rows.append(
                Point(
                    at=at, platform=name, viewer_minutes=Decimal(f"{people * (step / MINUTE):.2f}"),
                    rooms_live=int(people / 90), orders=int(people / 500),
                    gmv_minor=int(people * 31 * (1 + 0.5 * sin(hour * 91 + n))),
                )
            )  # fmt: skip
    return rows


def _drops(told: Period, names: str) -> list[Drop]:
    return [
        Drop(
            platform=PLATFORMS[n % 4], external_id=f"r{n}", anchor=names.format(n), hall="A 馆",
            at=told.starts_at + timedelta(minutes=(n * 7919) % 1380 + 30),
            down_s=None if n % 11 == 0 else Decimal(5 + n % 90),
            viewers_before=None if n % 13 == 0 else (n * 48_271) % 9_000,
            outcome="lost" if n % 17 == 0 else "resumed", cause="event",
        )
        for n in range(400)
    ]  # fmt: skip


def _blind(told: Period) -> list[Blind]:
    return [
        Blind(feed=f"feed-{n}", platform="wechat", hall="", from_at=told.starts_at + timedelta(hours=14, minutes=9 * n),
              to_at=told.starts_at + timedelta(hours=14, minutes=9 * n + 6), still_open=False, cause="timeout")
        for n in range(4)
    ]  # fmt: skip

"""One evening of a small market, put into a database and summed: what the ready questions are asked about.

All of it happens on EVENING, the day before today, but for one sale of the day before that; Asia/Shanghai, CNY, amounts
in fen. Feeds look every 30 s, so that a number of viewers always holds until the next one.

wechat, hall 一号馆, 沈阳, 服装, tier 1:
  sph-1 (anchor 阿丽, broadcaster 王丽; planned 20:00-21:00): on air 20:00-21:00, 100 viewers, dropped 20:20-20:22.
  sph-2 (anchor 小雪; planned 20:00-21:00): never came, and was seen all the time.
doudian, hall 二号馆, 大连, 美食, tier 2; its feed was blind 20:10-20:15 and at both midnights, 23:58-00:03:
  dy-1 (anchor 丽丽, broadcaster 王丽; planned 19:50-20:30): on air 20:00-20:25, 50 viewers.
  dy-2 (anchor 老张; planned 20:10-21:05): on air from 20:05, 20 viewers, dropped 20:35, closed as lost 20:37.
  dy-3 (anchor 小王; planned 20:00-21:00): never came, but its feed was blind for a while.
  dy-9 (anchor 小李; planned 20:00-21:00): never came, and no feed watches it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from monitor.store.migrate import SQL
from tests.history.story import roll_sold
from tests.sql.stage import Sql, Stage, evening

DAY = timedelta(days=1)
EVENING = evening("00:00", 1)
THAT_DAY = f"DATE '{EVENING:%Y-%m-%d}'"  # as an edit of a question
DAY_BEFORE = f"DATE '{EVENING - DAY:%Y-%m-%d}'"
ROOMS = [
    ("wechat", "sph-1", "阿丽", "王丽", "一号馆", "沈阳", "服装", 1, "s1", "zhang"),
    ("wechat", "sph-2", "小雪", "", "一号馆", "沈阳", "服装", 1, "", "li"),
    ("doudian", "dy-1", "丽丽", "王丽", "二号馆", "大连", "美食", 2, "s2", "wang"),
    ("doudian", "dy-2", "老张", "", "二号馆", "大连", "美食", 2, "s2", "wang"),
    ("doudian", "dy-3", "小王", "", "二号馆", "大连", "美食", 2, "", "wang"),
    ("doudian", "dy-9", "小李", "", "二号馆", "大连", "美食", 2, "", "wang"),
]
# platform, order, kind, clock (of EVENING; after 24:00 of the next day), fen, room (or None), item and units (or None)
SALES: list[tuple[str, str, str, str, int, str | None, tuple[str, int] | None]] = [
    ("wechat", "w0", "paid", "-4:30", 2000, "sph-1", None),  # 20:30 of the evening before: no session
    ("wechat", "w1", "paid", "20:12:10", 1000, "sph-1", ("i1", 2)),
    ("wechat", "w2", "paid", "20:15:30", 3000, "sph-1", ("i1", 6)),
    ("wechat", "w3", "created", "20:14:00", 2000, "sph-1", None),
    ("wechat", "w3", "paid", "20:16:00", 2000, "sph-1", ("i1", 4)),
    ("wechat", "w4", "created", "20:39:00", 4000, "sph-1", None),
    ("wechat", "w4", "paid", "20:40:00", 4000, "sph-1", ("i2", 1)),
    ("wechat", "w6", "created", "20:42:00", 500, "sph-1", None),
    ("wechat", "w6", "cancelled", "20:50:00", 500, "sph-1", None),
    ("wechat", "w7", "created", "20:43:00", 900, "sph-1", ("i1", 40)),  # ordered, not sold
    ("wechat", "w1", "refunded", "20:55:00", 1000, "sph-1", None),
    ("wechat", "w8", "paid", "20:58:00", 600, "sph-1", None),  # received at 01:00, after the cut
    ("wechat", "w2", "refunded", "23:59:00", 300, "sph-1", None),  # a part; received at 00:30
    ("wechat", "w4", "refunded", "24:05:00", 2000, "sph-1", None),  # the day after
    ("doudian", "d2", "paid", "20:05:00", 1400, "dy-1", ("j1", 2)),
    ("doudian", "d3", "paid", "20:20:00", 1000, None, ("j1", 1)),
    ("doudian", "d5", "created", "20:21:00", 100, "not in the roster", None),
    ("doudian", "d4", "paid", "20:26:00", 500, "dy-1", None),  # a minute after its session closed
    ("doudian", "d1", "paid", "20:30:00", 600, "dy-2", ("j1", 1)),
]
RECEIVED = {("w8", "paid"): "25:00", ("w2", "refunded"): "24:30"}


def at(clock: str) -> datetime:
    """Hours of the clock from the beginning of EVENING: 20:12:10, 24:05."""
    hour, minute, second = (int(part) for part in f"{clock}:00".split(":")[:3])
    return EVENING + timedelta(hours=hour, minutes=minute, seconds=second)


@dataclass
class Market:
    stage: Stage
    rooms: dict[str, int]
    sessions: dict[str, UUID]


async def play(stage: Stage) -> Market:
    await stage.ready()
    await stage.sql.execute("SELECT ensure_minute_day(event_date(now()) + n) FROM generate_series(-4, 2) AS n")
    rooms = {
        row[1]: int(
            await stage.sql.fetchval(
                "INSERT INTO room (platform, external_id, anchor, broadcaster, hall, city, category, tier, shop,"
                " contact) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING room_id",
                *row,
            )
        )
        for row in ROOMS
    }
    wechat, doudian = [rooms["sph-1"], rooms["sph-2"]], [rooms[name] for name in ("dy-1", "dy-2", "dy-3")]
    await stage.feed("wechat-live", wechat, platform="wechat", kind="wechat_live")
    await stage.feed("doudian-live", doudian, platform="doudian", kind="http_json")
    await stage.blind("doudian-live", at("20:10"), at("20:15"))
    await stage.blind("doudian-live", at("23:58"), at("24:03"))
    await stage.blind("doudian-live", at("23:58") - DAY, at("00:03"))
    await stage.blind("wechat-live", at("21:30"), at("21:31"), rooms["sph-1"])
    for name, begins, ends in [
        *(("sph-1", "20:00", "21:00"), ("sph-2", "20:00", "21:00"), ("dy-1", "19:50", "20:30")),
        *(("dy-2", "20:10", "21:05"), ("dy-3", "20:00", "21:00"), ("dy-9", "20:00", "21:00")),
    ]:
        await stage.slot(rooms[name], at(begins), at(ends))
    sessions = {
        "sph-1": await stage.session(
            rooms["sph-1"],
            ("opened", at("20:00"), "status"),
            ("dropped", at("20:20"), "stall"),
            ("resumed", at("20:22"), "status"),
            ("closed", at("21:00"), "ended"),
        ),
        "dy-1": await stage.session(rooms["dy-1"], ("opened", at("20:00"), "status"), ("closed", at("20:25"), "ended")),
        "dy-2": await stage.session(
            rooms["dy-2"],
            ("opened", at("20:05"), "status"),
            ("dropped", at("20:35"), "status"),
            ("closed", at("20:37"), "lost"),
        ),
    }
    for name, viewers, *spans in [
        ("sph-1", 100, ("20:00", "20:20"), ("20:22", "21:00")),
        ("dy-1", 50, ("20:00", "20:25")),
        ("dy-2", 20, ("20:05", "20:35")),
    ]:
        for begins, ends in spans:
            count = int((at(ends) - at(begins)) / timedelta(seconds=30))
            await stage.ticks(
                rooms[name], *((at(begins) + timedelta(seconds=30 * n), True, viewers) for n in range(count))
            )
    await stage.sql.execute(
        "INSERT INTO tick_raw (room_id, at, live, kbps) VALUES ($1, $3, true, 3000), ($1, $4, true, 2000),"
        " ($2, $3, true, 9)",
        *(rooms["sph-1"], rooms["dy-1"], at("20:12:10"), at("20:12:40")),
    )
    market = Market(stage, rooms, sessions)
    for platform, order, kind, clock, amount, room, item in SALES:
        received = RECEIVED.get((order, kind), clock)
        await sell(market, platform, order, kind, at(clock), amount, room, item, received_at=at(received))
    # The buyer paid in another currency; a gift that attribution has not looked at yet.
    await sell(market, "wechat", "w5", "paid", at("20:41"), 700, "sph-1", None, currency="USD")
    await sell(market, "doudian", "d6", "gift", at("20:22"), 50, None, None, looked_at=False)
    cut = (SQL / "history" / "cut_day.sql").read_text()
    await stage.sql.fetch(cut, EVENING.date(), at("24:15"))
    await roll(stage.sql)
    return market


async def sell(
    market: Market,
    platform: str,
    order: str,
    kind: str,
    sold_at: datetime,
    amount_minor: int,
    room: str | None,
    item: tuple[str, int] | None,
    *,
    received_at: datetime | None = None,
    currency: str = "CNY",
    looked_at: bool = True,
) -> None:
    event_id = f"{order}:{kind}"
    room_id = market.rooms.get(room) if room else None
    await market.stage.sql.execute(
        "INSERT INTO sale (platform, event_id, at, received_at, feed, room, room_id, session_id, shop, order_id, kind,"
        " amount_minor, currency, units, via, attributed_at) VALUES ($1, $2, $3, $4, 'orders', $5, $6,"
        " (SELECT session_id FROM session_at($6, $3)), $7, $8, $9, $10, $11, $12, 'push', $13)",
        *(platform, event_id, sold_at, received_at or sold_at, room, room_id, "s1" if platform == "wechat" else "s2"),
        *(order, kind, amount_minor, currency, item and item[1], sold_at if looked_at else None),
    )
    if item:
        await market.stage.sql.execute(
            "INSERT INTO sale_item (platform, event_id, item_id, title, units, amount_minor)"
            " VALUES ($1, $2, $3, '商品' || $3, $4, $5)",
            *(platform, event_id, *item, amount_minor),
        )


async def roll(sql: Sql) -> None:
    """Sum every minute in which something was anew, by the roller's own statements."""
    minutes = await sql.fetch(
        "SELECT DISTINCT minute, platform FROM ("
        " SELECT generate_series(date_bin('1 minute', opened_at, '2000-01-01 00:00+00'), coalesce(closed_at, now()),"
        "  '1 minute') AS minute, platform FROM session JOIN room USING (room_id)"
        " UNION ALL SELECT date_bin('1 minute', at, '2000-01-01 00:00+00'), platform FROM sale) AS touched"
    )
    await _each(sql, ("clear_minute", "roll_minute", "clear_sums", "roll_sums"), [tuple(row) for row in minutes])
    hours = await sql.fetch("SELECT DISTINCT event_hour(minute), platform FROM session_minute")
    await _each(sql, ("clear_hour", "roll_hour"), [tuple(row) for row in hours])
    await roll_sold(sql)


async def _each(sql: Sql, statements: tuple[str, ...], pairs: list[tuple[datetime, str]]) -> None:
    for name in statements:
        await sql.executemany((SQL / "history" / f"{name}.sql").read_text(), pairs)

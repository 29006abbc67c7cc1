"""One small event, told by hand: three rooms, two platforms, two halls, a night; whoever asks must find these numbers.

Times are of the event's zone, Asia/Shanghai; `D1` is four days ago, `D2` the day after. The event goes from D1 19:30 to
D2 20:30: both edges cut an hour. All amounts are in fen. What a session must come to is worked out beside its rows.

    story = await tell(writer)      # rooms, feeds, ticks, sessions, sales, as if livemon had written them
    await roll(writer)              # session_minute, session_hour, minute_sum by the roller's own statements
"""

import uuid
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.sql.stage import Sql

HISTORY = Path(__file__).resolve().parents[2] / "sql" / "history"
ZONE = ZoneInfo("Asia/Shanghai")
FIRST_DAY = datetime.now(ZONE).date() - timedelta(days=4)  # D1

# (external id, platform, anchor, broadcaster, hall, city, category, tier, shop)
A, B, C = "live/晚风", "live/海", "r3"
ROOMS = [
    (A, "nginx_rtmp", "晚风", "林晚", "一号馆", "沈阳", "服装", 1, "s-lin"),
    (B, "nginx_rtmp", "海哥", "海哥", "二号馆", "大连", "食品", 2, "s-hai"),
    (C, "doudian", "晚风旗舰", "林晚", "", "沈阳", "服装", 2, "s-dou"),
]
FEEDS = [
    ("hall-a", "nginx_rtmp", "nginx_rtmp", A),
    ("hall-b", "nginx_rtmp", "nginx_rtmp", B),
    ("dou", "http_json", "doudian", C),
]

# Sessions by name: room, then (change, at, cause).
SESSIONS = {
    # Half of it lies before the event begins. 20 minutes, 10 people, but 99 in the minute of 19:25.
    # 19 x 60 x 10 + 60 x 99 = 17,340 in 1,200 s: 14.45 on average, 4.817 h. In the event: 600 s x 10 = 6,000.
    "C0": (C, [("opened", "D1 19:20", "event"), ("closed", "D1 19:40", "ended")]),
    # One drop of 40 s, a blind span of 90 s.
    "A1": (A, [("opened", "D1 20:00", "status"), ("dropped", "D1 20:03:20", "status"),
               ("resumed", "D1 20:04", "status"), ("dropped", "D1 20:10", "status"), ("closed", "D1 20:10", "ended")]),
    # Lost inside its plan (20:30 to 21:00), back at 20:50: 930 s away.
    "B1": (B, [("opened", "D1 20:30", "status"), ("dropped", "D1 20:34:30", "failed"),
               ("closed", "D1 20:34:30", "lost")]),
    # A sign-off: its last stop is no drop.
    "B2": (B, [("opened", "D1 20:50", "status"), ("dropped", "D1 20:55", "status"),
               ("closed", "D1 20:55", "scheduled")]),
    # Across midnight.
    "A2": (A, [("opened", "D1 23:58", "status"), ("closed", "D2 00:02", "ended")]),
    "C1": (C, [("opened", "D2 00:10", "event"), ("closed", "D2 00:12", "unknown")]),
}  # fmt: skip
SLOTS = [(B, "D1 20:30", "D1 21:00")]
BLIND = [("hall-a", "D1 20:06", "D1 20:07:30")]

# (room, at, live, viewers, views_total, likes_total)
TICKS = [
    *((C, f"D1 19:{minute}", True, 99 if minute == 25 else 10, None, None) for minute in range(20, 40)),
    (A, "D1 19:59:50", False, 7777, None, None),  # before it opened
    (A, "D1 20:00", True, 100, 1000, 5),  #     30 s x 100 =  3,000
    (A, "D1 20:00:30", True, 200, None, None),  # 30 s x 200 =  6,000
    (A, "D1 20:01", True, 300, None, None),  #   60 s x 300 = 18,000: the next is further away
    (A, "D1 20:02:30", True, 250, None, 9),  #   50 s x 250 = 12,500: until the stop
    (A, "D1 20:03:20", False, 0, None, None),
    (A, "D1 20:03:30", None, 9999, None, None),  # inside the stop: counts for nothing
    (A, "D1 20:04", True, 240, None, None),  #   30 s x 240 =  7,200
    (A, "D1 20:04:30", True, 180, None, None),  # 60 s x 180 = 10,800
    (A, "D1 20:05:40", True, 150, None, None),  # 20 s x 150 =  3,000: until it is blind
    (A, "D1 20:06:30", True, 999, None, None),  # while blind: counts for nothing
    (A, "D1 20:07:30", True, 120, 5000, None),  # 60 s x 120 =  7,200
    (A, "D1 20:09", True, 90, None, None),  #    60 s x  90 =  5,400: until it closed
    #                                           400 s         73,100: 182.75 on average, 20.306 h
    *((B, f"D1 20:{minute}", True, 50 if minute < 32 else 70, None, None) for minute in range(30, 35)),
    #                                           120 s x 50 + 150 s x 70 = 16,500 in 270 s: 61.11, 4.583 h
    (B, "D1 20:50", True, 30, None, None),  #    60 s x 30
    (B, "D1 20:51", True, 40, None, None),  #    60 s x 40
    (B, "D1 20:53:30", True, None, None, None),  # says nothing of viewers
    (B, "D1 20:54", None, 20, None, None),  #    60 s x 20: 5,400 in 180 s: 30 on average, 1.5 h
    (A, "D1 23:58", True, 60, None, None),  #    60 s x 60 = 3,600
    (A, "D1 23:59", True, 60, None, None),  #    30 s x 60 = 1,800
    (A, "D1 23:59:30", True, 80, None, None),  # 30 s x 80 = 2,400 before midnight, and as much after
    (A, "D2 00:01", True, 40, None, None),  #    60 s x 40 = 2,400: 12,600 in 210 s: 60 on average, 3.5 h
    (C, "D2 00:10", True, 500, 2000, 10),  #     60 s x 500
    (C, "D2 00:11", True, 700, 4000, 20),  #     60 s x 700: 72,000 in 120 s: 600 on average, 20 h
]

# (event id, room, session, at, kind, order, amount, currency, units, buyer)
SALES = [
    ("d0", C, "C0", "D1 19:25", "paid", "d0", 700, "CNY", 1, "b5"),  # before the event begins
    ("d00", C, "C0", "D1 19:35", "paid", "d00", 300, "CNY", None, "b5"),
    ("o1c", A, "A1", "D1 20:01", "created", "o1", 10_000, "CNY", None, None),
    ("o1-1", A, "A1", "D1 20:01:10", "paid", "o1", 9_900, "CNY", 1, "b1"),  # one order in two parts
    ("o1-2", A, "A1", "D1 20:01:20", "paid", "o1", 100, "CNY", 1, "b1"),
    ("o2c", A, "A1", "D1 20:02", "created", "o2", 20_000, "CNY", None, None),
    ("o2", A, "A1", "D1 20:02:05", "paid", "o2", 20_000, "CNY", 2, "b2"),
    ("o3c", A, "A1", "D1 20:02:30", "created", "o3", 5_000, "CNY", None, None),
    ("o3x", A, "A1", "D1 20:03", "cancelled", "o3", 5_000, "CNY", None, None),
    ("o4", A, "A1", "D1 20:05", "paid", "o4", 5_000, "USD", 1, "b1"),
    ("o4r", A, "A1", "D1 20:05:05", "refunded", "o4", 5_000, "USD", None, None),
    ("g1", A, "A1", "D1 20:05:10", "gift", "", 7_000, "CNY", None, None),
    ("o1r", A, "A1", "D1 20:08", "refunded", "o1", 100, "CNY", None, None),  # on air
    ("o2r", A, None, "D1 20:30", "refunded", "o2", 5_000, "CNY", None, None),  # after the close
    ("o8", B, "B1", "D1 20:31:30", "paid", "o8", 4_000, "CNY", None, None),  # arrives D2 03:00, after the day's cut
    ("o9", B, "B1", "D1 20:32", "paid", "o9", 6_000, "CNY", 3, None),
    ("oxr", B, "B1", "D1 20:33", "refunded", "ox", 500, "CNY", None, None),  # nobody saw it paid
    ("o5", A, None, "D1 21:00", "paid", "o5", 3_000, "CNY", 1, "b3"),  # its room was not on air
    ("d1", None, None, "D1 22:00", "paid", "d1", 8_000, "CNY", 1, "b4"),  # of no room: by its shop in 沈阳
    ("o6", A, "A2", "D1 23:59:59", "paid", "o6", 1_000, "CNY", 1, "b1"),
    ("o7", A, "A2", "D2 00:00", "paid", "o7", 2_000, "CNY", 1, "b2"),
    ("d2c", C, "C1", "D2 00:10:20", "created", "d2", 12_000, "CNY", None, None),
    ("d2", C, "C1", "D2 00:10:30", "paid", "d2", 12_000, "CNY", 3, "b4"),
    ("o1rr", None, None, "D2 10:00", "refunded", "o1", 900, "CNY", None, None),  # the next day, and no room told
    ("d3", C, None, "D2 20:02", "paid", "d3", 1_500, "CNY", None, "b4"),
    ("d4", C, None, "D2 20:40", "paid", "d4", 9_999, "CNY", 1, "b9"),  # after the event
    ("o2rr", A, None, "D2 20:45", "refunded", "o2", 1_000, "CNY", None, None),  # after the event
]
LATE = {"o8": "D2 03:00"}  # received then; all others a second after they happened
DOUDIAN = {"d0", "d00", "d1", "d2c", "d2", "d3", "d4"}
SHOPS = {"o8": "s-hai", "o9": "s-hai", "oxr": "s-hai"}
# (event id, item, title, units, amount)
ITEMS = [
    ("o1-1", "i1", "羊绒围巾", 1, 9_900),
    ("o1-2", "i2", "袜子", 1, 100),
    ("o2", "i1", "羊绒围巾", 2, 20_000),
    ("o4", "i1", "羊绒围巾", 1, 5_000),  # dollars
    ("o6", "i1", "羊绒围巾", 1, 1_000),
    ("o7", "i1", "羊绒围巾", 1, 2_000),
    ("d2", "i9", "苹果", 3, 12_000),
    ("d4", "i9", "苹果", 1, 9_999),
]


def when(text: str) -> datetime:
    """`D1 20:03:20` as an instant."""
    day, clock = text.split()
    hour, minute, second = (int(part) for part in f"{clock}:00".split(":")[:3])
    start = datetime.combine(FIRST_DAY, datetime.min.time(), ZONE)
    return start + timedelta(days=int(day[1:]) - 1, hours=hour, minutes=minute, seconds=second)


class Story(NamedTuple):
    d1: date
    d2: date
    rooms: dict[str, int]  # by external id
    sessions: dict[str, uuid.UUID]  # by name


async def tell(sql: Sql) -> Story:
    """The story, as livemon_writer."""
    await sql.execute("SELECT ensure_tick_day(event_date(now()) + n) FROM generate_series(-5, 1) AS n")
    await sql.execute("SELECT ensure_minute_day(event_date(now()) + n) FROM generate_series(-5, 1) AS n")
    await sql.execute("UPDATE setting SET event_starts_at = $1, event_ends_at = $2", when("D1 19:30"), when("D2 20:30"))
    rooms = {
        row[0]: await sql.fetchval(
            "INSERT INTO room (external_id, platform, anchor, broadcaster, hall, city, category, tier, shop)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING room_id",
            *row,
        )
        for row in ROOMS
    }
    for feed, kind, platform, room in FEEDS:
        await sql.execute(
            "INSERT INTO feed (feed, kind, platform, signals) VALUES ($1, $2, $3, '{live,viewers}')",
            feed,
            kind,
            platform,
        )
        await sql.execute(
            "INSERT INTO feed_room (feed, room_id, from_at) VALUES ($1, $2, $3)", feed, rooms[room], when("D1 00:00")
        )
    for feed, starts, ends in BLIND:
        await sql.execute("INSERT INTO blind VALUES ($1, NULL, $2, $3, 'timeout')", feed, when(starts), when(ends))
    for room, starts, ends in SLOTS:
        await sql.execute("INSERT INTO schedule VALUES ($1, $2, $3)", rooms[room], when(starts), when(ends))
    await sql.executemany(
        "INSERT INTO tick_raw (room_id, at, live, viewers, views_total, likes_total) VALUES ($1, $2, $3, $4, $5, $6)",
        [(rooms[room], when(at), *told) for room, at, *told in TICKS],
    )
    sessions = {name: await put_session(sql, rooms[room], changes) for name, (room, changes) in SESSIONS.items()}
    await _sales(sql, rooms, sessions)
    return Story(FIRST_DAY, FIRST_DAY + timedelta(days=1), rooms, sessions)


async def put_session(sql: Sql, room: int, changes: list[tuple[str, str, str]]) -> uuid.UUID:
    """As livemon_writer; it closes with its last change."""
    session = uuid.uuid4()
    (_, opened, _), (_, closed, reason) = changes[0], changes[-1]
    await sql.execute(
        "INSERT INTO session (session_id, room_id, opened_at, closed_at, close_reason) VALUES ($1, $2, $3, $4, $5)",
        *(session, room, when(opened), when(closed), reason),
    )
    await sql.executemany(
        "INSERT INTO session_change (session_id, number, room_id, change, at, cause) VALUES ($1, $2, $3, $4, $5, $6)",
        [(session, number, room, change, when(at), cause) for number, (change, at, cause) in enumerate(changes, 1)],
    )
    return session


async def _sales(sql: Sql, rooms: dict[str, int], sessions: dict[str, uuid.UUID]) -> None:
    def platform(event: str) -> str:
        return "doudian" if event in DOUDIAN else "nginx_rtmp"

    await sql.executemany(
        "INSERT INTO sale (platform, event_id, at, received_at, feed, room_id, session_id, shop, order_id, kind,"
        " amount_minor, currency, units, buyer, via, attributed_at)"
        " VALUES ($1, $2, $3, $4, 'orders', $5, $6, $7, $8, $9, $10, $11, $12, $13, 'push', $4)",
        [
            (
                *(platform(event), event, when(at), when(LATE.get(event, at)) + timedelta(seconds=1)),
                *(rooms[room] if room else None, sessions[session] if session else None),
                SHOPS.get(event, "s-dou" if event in DOUDIAN else "s-lin"),
                *(order, kind, amount, currency, units, buyer.encode() if buyer else None),
            )
            for event, room, session, at, kind, order, amount, currency, units, buyer in SALES
        ],
    )
    await sql.executemany(
        "INSERT INTO sale_item (platform, event_id, item_id, title, units, amount_minor)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        [(platform(event), event, *item) for event, *item in ITEMS],
    )


async def roll(sql: Sql, until: datetime | None = None) -> None:
    """Every minute of a session (one that goes on: until then, or now) and sale, and the hours, by the roller's SQL."""
    minutes = await sql.fetch(
        "SELECT DISTINCT date_trunc('minute', at) AS minute, platform FROM ("
        " SELECT generate_series(date_trunc('minute', opened_at), coalesce(closed_at, $1, now()), '1 minute') AS at,"
        " platform FROM session JOIN room USING (room_id) UNION ALL SELECT at, platform FROM sale"
        " UNION ALL SELECT at, room.platform FROM sale JOIN room USING (room_id)) AS touched",
        until,
    )
    await flag_sales(sql)
    for row in await sql.fetch(
        "SELECT DISTINCT event_date(minute) FROM unnest($1::timestamptz[]) AS touched (minute)",
        [row["minute"] for row in minutes],
    ):
        await sql.execute("SELECT ensure_minute_day($1)", row[0])
    async with sql.transaction():
        for statement in ("clear_minute", "roll_minute", "clear_sums", "roll_sums"):
            await sql.executemany((HISTORY / f"{statement}.sql").read_text(), [tuple(row) for row in minutes])
        hours = await sql.fetch(
            "SELECT DISTINCT event_hour(minute), platform"
            " FROM unnest($1::timestamptz[], $2::text[]) AS touched (minute, platform)",
            [row["minute"] for row in minutes],
            [row["platform"] for row in minutes],
        )
        for statement in ("clear_hour", "roll_hour"):
            await sql.executemany((HISTORY / f"{statement}.sql").read_text(), [tuple(row) for row in hours])
        await roll_sold(sql)


async def flag_sales(sql: Sql) -> None:
    """As the writer does after it put sales: those that are not alone of their order, or buyer, are flagged."""
    rows = await sql.fetch("SELECT platform, event_id FROM sale")
    again = (HISTORY.parent / "writer" / "sales_again.sql").read_text()
    await sql.execute(again, [row["platform"] for row in rows], [row["event_id"] for row in rows])


async def roll_sold(sql: Sql) -> None:
    """The hours of every shop that ever sold."""
    await flag_sales(sql)
    hours = await sql.fetch(
        "SELECT event_hour(at), array_agg(platform) AS platforms, array_agg(shop) AS shops"
        " FROM (SELECT DISTINCT event_hour(at) AS at, platform, shop FROM sale) AS sold GROUP BY 1"
    )
    for statement in ("clear_shops", "roll_shops", "clear_items", "roll_items"):
        await sql.executemany((HISTORY / f"{statement}.sql").read_text(), [tuple(row) for row in hours])

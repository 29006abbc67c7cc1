"""One small market, told by hand and summed by the roller's own SQL: what the boards of money must make of it.

Three rooms on two platforms; 林晚 broadcasts in two of them, nobody knows who in the third. Yesterday A was on air
around this time, today all three are. The event began yesterday, 25 minutes before this time. Amounts are in fen.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

from tests.history.story import roll
from tests.postgres import FreshDatabase
from tests.sql.stage import Sql

DAY = timedelta(days=1)
# external id, platform, anchor, broadcaster, hall, city, category, shop, viewers all the time
ROOMS = [
    ("a", "doudian", "晚风", "林晚", "一号馆", "沈阳", "服装", "s-a", 150),
    ("b", "kwaixiaodian", "晚风快", "林晚", "二号馆", "大连", "服装", "s-b", 50),
    ("c", "doudian", "海哥", "", "一号馆", "沈阳", "食品", "s-c", 20),
]
YESTERDAY_VIEWERS = 100  # of room a alone
# event id, days and seconds before now, room, kind, order, amount, currency
SALES = [
    ("y0", 1, 1680, "a", "paid", "y0", 7_777, "CNY"),  # before the event
    ("y1", 1, 1200, "a", "paid", "y1", 10_000, "CNY"),
    ("y2", 1, -1200, "a", "paid", "y2", 50_000, "CNY"),  # yesterday, later than now
    ("t1-1", 0, 600, "a", "paid", "t1", 10_000, "CNY"),  # one order in two parts
    ("t1-2", 0, 598, "a", "paid", "t1", 5_000, "CNY"),
    ("t1r", 0, 300, "a", "refunded", "t1", 3_000, "CNY"),
    ("t3", 0, 290, "a", "paid", "t3", 9_900, "USD"),
    ("t4", 0, 280, None, "paid", "t4", 2_000, "CNY"),  # of kwaixiaodian and no room: by its shop in 大连
]
ITEMS = [("t1-1", "i1", "羊绒围巾", 2, 10_000), ("t1-2", "i2", "袜子", 1, 5_000)]


class Market(NamedTuple):
    now: datetime
    zone: timezone  # in which it is about noon
    rooms: dict[str, int]

    @property
    def midnight(self) -> datetime:
        return self.now.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)


async def open_market(database: FreshDatabase, *, newest_s: int = 20) -> Market:
    """`newest_s`: how long ago the last sale was paid, 5,000 fen in room b. It is noon, so that no test runs over
    midnight: the event's zone is chosen by the clock."""
    now = datetime.now(UTC).replace(microsecond=0)
    hours = 12 - now.hour
    owner = await database.connect("owner")
    await owner.execute("UPDATE livemon.setting SET timezone = $1", f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT")
    await owner.close()
    sql = await database.connect("writer")
    market = Market(now, timezone(timedelta(hours=hours)), await _rooms(sql, now))
    for row in (*SALES, ("t2", 0, newest_s, "b", "paid", "t2", 5_000, "CNY")):
        await sell(sql, market, *row)
    await sql.executemany(
        "INSERT INTO sale_item (platform, event_id, item_id, title, units, amount_minor)"
        " VALUES ('doudian', $1, $2, $3, $4, $5)",
        ITEMS,
    )
    await roll(sql, now)
    await sql.close()
    return market


async def _rooms(sql: Sql, now: datetime) -> dict[str, int]:
    """On air from half an hour before this time: today until now, yesterday half an hour longer."""
    await sql.execute("SELECT ensure_tick_day(event_date(now()) + n) FROM generate_series(-2, 1) AS n")
    await sql.execute("UPDATE setting SET event_starts_at = $1", now - DAY - timedelta(minutes=25))
    rooms: dict[str, int] = {}
    for external_id, *told, viewers in ROOMS:
        room = rooms[external_id] = await sql.fetchval(
            "INSERT INTO room (external_id, platform, anchor, broadcaster, hall, city, category, shop, tier)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1) RETURNING room_id",
            external_id,
            *told,
        )
        await _on_air(sql, room, now - timedelta(minutes=30), None, now, viewers)
        if external_id == "a":
            opened = now - DAY - timedelta(minutes=30)
            await _on_air(sql, room, opened, opened + timedelta(minutes=60), now, YESTERDAY_VIEWERS)
    return rooms


async def _on_air(sql: Sql, room: int, opened: datetime, closed: datetime | None, now: datetime, viewers: int) -> None:
    session = await sql.fetchval(
        "INSERT INTO session (session_id, room_id, opened_at, closed_at, close_reason)"
        " VALUES (gen_random_uuid(), $1, $2, $3, $4) RETURNING session_id",
        *(room, opened, closed, "ended" if closed else None),
    )
    changes: list[tuple[Any, ...]] = [(session, 1, room, "opened", opened)]
    if closed:
        changes.append((session, 2, room, "closed", closed))
    await sql.executemany(
        "INSERT INTO session_change (session_id, number, room_id, change, at, cause) VALUES ($1, $2, $3, $4, $5, 'x')",
        changes,
    )
    seconds = round(((closed or now) - opened).total_seconds())
    await sql.executemany(
        "INSERT INTO tick_raw (room_id, at, live, viewers, views_total) VALUES ($1, $2, true, $3, $4)",
        [(room, opened + timedelta(seconds=s), viewers, 1000 + s) for s in range(0, seconds, 30)],
    )


async def sell(
    sql: Sql, market: Market, event: str, days: int, ago_s: int, room: str | None, kind: str, order: str, amount: int,
    currency: str,
) -> None:  # fmt: skip
    """Stored at once, but not summed yet."""
    at = market.now - days * DAY - timedelta(seconds=ago_s)
    platform = "kwaixiaodian" if room in ("b", None) else "doudian"
    session = await sql.fetchval(
        "SELECT session_id FROM session WHERE room_id = $1 AND opened_at <= $2 ORDER BY opened_at DESC LIMIT 1",
        market.rooms.get(room or ""),
        at,
    )
    await sql.execute(
        "INSERT INTO sale (platform, event_id, at, received_at, feed, room_id, session_id, shop, order_id, kind,"
        " amount_minor, currency, units, via, attributed_at)"
        " VALUES ($1, $2, $3, $3, 'orders', $4, $5, $6, $7, $8, $9, $10, 1, 'push', $3)",
        *(platform, event, at, market.rooms.get(room or ""), session, f"s-{room or 'b'}", order, kind),
        *(amount, currency),
    )

"""Puts small hand-made stories into a database, as livemon_writer: rooms, feeds, ticks, sessions, spans, sales."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

ZONE = ZoneInfo("Asia/Shanghai")

type Sql = asyncpg.Connection[asyncpg.Record]
type Number = int | None


def evening(clock: str, days_ago: int = 2) -> datetime:
    """A time of day in the event's zone, some days ago: `20:00` or `20:00:30`."""
    hour, minute, second = (int(part) for part in f"{clock}:00".split(":")[:3])
    today = datetime.now(ZONE).replace(hour=hour, minute=minute, second=second, microsecond=0)
    return today - timedelta(days=days_ago)


class Stage:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql
        self._sales = 0

    async def ready(self) -> None:
        await self.sql.execute("SELECT ensure_tick_day(event_date(now()) + n) FROM generate_series(-4, 2) AS n")

    async def room(self, external_id: str, *, platform: str = "nginx_rtmp", active: bool = True) -> int:
        return int(
            await self.sql.fetchval(
                "INSERT INTO room (platform, external_id, anchor, hall, tier, contact, active)"
                " VALUES ($1, $2, '主播' || $2, '一号馆', 1, 'zhang', $3) RETURNING room_id",
                platform,
                external_id,
                active,
            )
        )

    async def feed(
        self,
        feed: str,
        rooms: Sequence[int],
        *,
        kind: str = "nginx_rtmp",
        signals: Sequence[str] = ("live", "viewers"),
        platform: str = "nginx_rtmp",
        state: str = "ok",
        detail: str = "",
    ) -> None:
        await self.sql.execute(
            "INSERT INTO feed (feed, kind, platform, signals, state, detail) VALUES ($1, $2, $3, $4, $5, $6)",
            *(feed, kind, platform, list(signals), state, detail),
        )
        since = evening("00:00", days_ago=4)
        await self.sql.executemany(
            "INSERT INTO feed_room (feed, room_id, from_at) VALUES ($1, $2, $3)",
            [(feed, room, since) for room in rooms],
        )

    async def ticks(
        self, room: int, *ticks: tuple[datetime, bool | None, Number] | tuple[datetime, bool, Number, Number]
    ) -> None:
        """Each is (at, live, viewers) or (at, live, viewers, views_total)."""
        await self.sql.executemany(
            "INSERT INTO tick_raw (room_id, at, live, viewers, views_total) VALUES ($1, $2, $3, $4, $5)",
            [(room, *tick, *([None] if len(tick) == 3 else [])) for tick in ticks],
        )

    async def session(self, room: int, *changes: tuple[str, datetime, str]) -> uuid.UUID:
        """Changes are (change, at, cause) in their order; the last `closed` closes the session with its cause."""
        session_id, opened_at = uuid.uuid4(), changes[0][1]
        closed = next(((at, cause) for change, at, cause in changes if change == "closed"), (None, None))
        await self.sql.execute(
            "INSERT INTO session (session_id, room_id, opened_at, closed_at, close_reason) VALUES ($1, $2, $3, $4, $5)",
            *(session_id, room, opened_at, *closed),
        )
        await self.sql.executemany(
            "INSERT INTO session_change (session_id, number, room_id, change, at, cause)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            [(session_id, number, room, *change) for number, change in enumerate(changes, 1)],
        )
        return session_id

    async def blind(self, feed: str, from_at: datetime, to_at: datetime | None, room: int | None = None) -> None:
        await self.sql.execute(
            "INSERT INTO blind (feed, room_id, from_at, to_at, cause) VALUES ($1, $2, $3, $4, 'timeout')",
            *(feed, room, from_at, to_at),
        )

    async def slot(self, room: int, starts_at: datetime, ends_at: datetime) -> None:
        await self.sql.execute(
            "INSERT INTO schedule (room_id, starts_at, ends_at) VALUES ($1, $2, $3)", room, starts_at, ends_at
        )

    async def sale(
        self,
        room: int,
        session: uuid.UUID | None,
        at: datetime,
        kind: str,
        amount_minor: int,
        order: str,
        currency: str = "CNY",
    ) -> None:
        self._sales += 1
        await self.sql.execute(
            "INSERT INTO sale (platform, event_id, at, received_at, feed, room_id, session_id, shop, order_id, kind,"
            " amount_minor, currency, buyer, via)"
            " VALUES ('doudian', $1, $2, $2, 'orders', $3, $4, 'shop', $5, $6, $7, $8, 'hash', 'push')",
            *(f"shop:{order}:{kind}:{self._sales}", at, room, session, order, kind, amount_minor, currency),
        )

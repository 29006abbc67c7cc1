"""Days that are 25 and 23 hours long, in a zone with summer time: hours, days, pace."""

import uuid
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from monitor.store.migrate import Birth, migrate
from tests.history.story import roll
from tests.postgres import FreshDatabase
from tests.sql.stage import Sql

pytestmark = pytest.mark.real

BERLIN = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")


def last_change(month: int) -> date:
    """The last Sunday of that month that is at least three days ago."""
    latest = datetime.now(BERLIN).date() - timedelta(days=3)
    days = (latest - timedelta(days=n) for n in range(370))
    return next(
        day for day in days if day.month == month and day.weekday() == 6 and (day + timedelta(days=7)).month > month
    )


@pytest.fixture
async def writer(empty_database: FreshDatabase) -> AsyncIterator[Sql]:
    owner = await empty_database.connect("owner")
    await migrate(owner, Birth(timezone="Europe/Berlin", currency="EUR"))
    await owner.close()
    sql = await empty_database.connect("writer")
    yield sql
    await sql.close()


async def room_on_air(sql: Sql, opened_at: datetime, minutes: int) -> None:
    """One room, ten viewers in each minute."""
    for part in ("tick", "minute"):
        await sql.execute(f"SELECT ensure_{part}_day(event_date($1) + n) FROM generate_series(-1, 2) AS n", opened_at)
    room = await sql.fetchval("INSERT INTO room (platform, external_id) VALUES ('twitch', 'r') RETURNING room_id")
    await sql.execute(
        "INSERT INTO session (session_id, room_id, opened_at, closed_at, close_reason)"
        " VALUES ($1, $2, $3, $4, 'ended')",
        *(uuid.uuid4(), room, opened_at, opened_at + timedelta(minutes=minutes)),
    )
    await sql.executemany(
        "INSERT INTO tick_raw (room_id, at, live, viewers) VALUES ($1, $2, true, 10)",
        [(room, opened_at + timedelta(minutes=n)) for n in range(minutes)],
    )


async def sell(sql: Sql, *sales: tuple[datetime, int]) -> None:
    await sql.executemany(
        "INSERT INTO sale (platform, event_id, at, received_at, feed, room_id, shop, order_id, kind, amount_minor,"
        " currency, via) VALUES ('twitch', $1, $2, $2, 'f', 1, 's', $1, 'paid', $3, 'EUR', 'push')",
        [(f"o{number}", at, amount) for number, (at, amount) in enumerate(sales)],
    )


async def test_the_day_on_which_an_hour_comes_twice(writer: Sql):
    day = last_change(10)
    midnight = datetime.combine(day, datetime.min.time(), BERLIN).astimezone(UTC)
    await room_on_air(writer, midnight + timedelta(hours=1, minutes=30), 120)  # 01:30 until 02:30, the second one
    await sell(
        writer,
        (midnight - timedelta(seconds=1), 1),  # the day before
        (midnight + timedelta(hours=2, minutes=15), 10),  # 02:15
        (midnight + timedelta(hours=3, minutes=15), 100),  # 02:15 again
        (midnight + timedelta(hours=24, minutes=59, seconds=59), 1_000),  # 23:59:59
        (midnight + timedelta(hours=25), 10_000),  # the day after
    )
    await roll(writer)
    hours = await writer.fetch(
        "SELECT hour, air_us / 1000000 AS air_s FROM session_hour WHERE air_us > 0 ORDER BY hour"
    )
    assert [tuple(row) for row in hours] == [
        (midnight + timedelta(hours=1), 1_800),
        (midnight + timedelta(hours=2), 3_600),
        (midnight + timedelta(hours=3), 1_800),
    ]
    row = await writer.fetchrow("SELECT air_s, watch_hours, gmv_minor, orders FROM room_day WHERE day = $1", day)
    assert row is not None
    assert tuple(row) == (7_200, 20, 1_110, 3)
    sold = {row["day"]: row["gmv_minor"] for row in await writer.fetch("SELECT day, gmv_minor FROM shop_day")}
    assert sold == {day - timedelta(days=1): 1, day: 1_110, day + timedelta(days=1): 10_000}
    assert await writer.fetchval("SELECT gmv_minor FROM event_day($1)", day) == 1_110
    # At 02:30 of the next day: yesterday until its second 02:30. At 02:10: until the second 02:10, but not 02:15.
    pace = "SELECT gmv_minor, gmv_yesterday_minor FROM event_pace_at($1)"
    assert tuple(await writer.fetchrow(pace, midnight + timedelta(hours=27, minutes=30))) == (10_000, 110)
    assert tuple(await writer.fetchrow(pace, midnight + timedelta(hours=27, minutes=10))) == (10_000, 10)


async def test_the_day_that_has_no_hour_after_two(writer: Sql):
    day = last_change(3)
    midnight = datetime.combine(day, datetime.min.time(), BERLIN).astimezone(UTC)
    await room_on_air(writer, midnight + timedelta(hours=1, minutes=30), 60)  # 01:30 until 03:30
    await sell(
        writer,
        (midnight + timedelta(hours=2), 10),  # 03:00
        (midnight + timedelta(hours=22, minutes=59, seconds=59), 1_000),  # 23:59:59
        (midnight + timedelta(hours=23), 10_000),  # the day after
    )
    # The event begins at 03:10: of the hour from 03:00 only those minutes count.
    await writer.execute("UPDATE setting SET event_starts_at = $1", midnight + timedelta(hours=2, minutes=10))
    await roll(writer)
    row = await writer.fetchrow("SELECT air_s, watch_hours, gmv_minor, orders FROM room_day WHERE day = $1", day)
    assert row is not None
    assert tuple(row) == (1_200, Decimal("3.333"), 1_000, 1)
    sold = {row["day"]: row["gmv_minor"] for row in await writer.fetch("SELECT day, gmv_minor FROM shop_day")}
    assert sold == {day: 1_000, day + timedelta(days=1): 10_000}
    assert await writer.fetchval("SELECT gmv_minor FROM event_day($1)", day) == 1_000

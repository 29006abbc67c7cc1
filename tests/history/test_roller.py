"""Whatever comes, in whatever order, with the roller at work in between: the sums are those of what was observed."""

import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from collectors.tick import Sale, Tick
from monitor.attribution import Attribution
from monitor.facts import BlindSpan, Change, ChangeName
from monitor.history.roller import SETTINGS, Roller
from monitor.store.apply import apply
from monitor.store.batch import Batch, Fact, facts_batches, facts_of, pack_ticks, ticks_batches
from monitor.store.statements import statement
from tests.postgres import FreshDatabase
from tests.sql.stage import Sql

pytestmark = pytest.mark.real
SPOOL = uuid.uuid4()
TABLES = {
    "session_minute": "minute, platform, room_id, session_id",
    "session_hour": "hour, platform, room_id, session_id",
    "minute_sum": "minute, platform, dimension, value",
}
PLATFORMS = {"p": 3, "q": 1}  # rooms of each


class World:
    """A database with a few rooms, what happens in it, and one roller."""

    def __init__(self, sql: Sql, other: Sql, seed: int) -> None:
        self.sql, self.other, self.dice = sql, other, random.Random(seed)
        self.roller = Roller(never)
        self.attribution, self.seq = Attribution(), 0
        self.rooms: dict[tuple[str, str], int] = {}
        self.starts_at = datetime.now(UTC)  # until `ready` asks the database

    async def ready(self) -> None:
        now = await self.sql.fetchval("SELECT date_trunc('minute', now())")
        self.starts_at = now - timedelta(minutes=self.dice.choice([16, 20]))
        await self.sql.execute("SELECT ensure_tick_day(event_date(now()) + n) FROM generate_series(-3, 1) AS n")
        for platform, count in PLATFORMS.items():
            for number in range(count):
                name = f"{platform}{number}"
                self.rooms[platform, name] = await self.sql.fetchval(
                    "INSERT INTO room (platform, external_id, hall, city, category, tier, shop)"
                    " VALUES ($1, $2, $3, $4, '', $5, $6) RETURNING room_id",
                    platform, name, self.dice.choice(["", "一号馆", "二号馆"]), self.dice.choice(["", "沈阳"]),
                    self.dice.choice([None, 1, 2]), f"shop-{platform}",
                )  # fmt: skip
            for feed in ("a", "b"):
                await self.sql.execute(
                    "INSERT INTO feed (feed, kind, platform, signals) VALUES ($1, 'http_json', $2, '{live,viewers}')",
                    f"{platform}-{feed}", platform,
                )  # fmt: skip
                await self.sql.execute(
                    "INSERT INTO feed_room SELECT $1, room_id, $3 FROM room"
                    " WHERE platform = $2 AND ($1 LIKE '%a' OR room_id % 2 = 0)",
                    f"{platform}-{feed}", platform, self.starts_at - timedelta(days=1),
                )  # fmt: skip

    def at(self, seconds: float) -> datetime:
        return self.starts_at + timedelta(seconds=seconds)

    # --- what happens ------------------------------------------------------------------------------------------------

    def happenings(self) -> list[Batch]:
        """Batches of all kinds, in no order; some ticks twice, some changes long after later ones."""
        facts: list[Fact] = []
        for platform, room in self.rooms:
            facts += self.broadcasts(platform, room)
            facts += self.sales(platform, room)
        facts += self.spans()
        self.dice.shuffle(facts)
        cuts = sorted(self.dice.choices(range(len(facts) + 1), k=6))
        parts = [facts[a:b] for a, b in zip([0, *cuts], [*cuts, len(facts)], strict=True)]
        batches = [batch for part in parts if part for batch in facts_batches(part, self.at(2000))]
        ticks = [tick for (platform, room) in self.rooms for tick in self.ticks(platform, room)]
        self.dice.shuffle(ticks)
        for n in range(0, len(ticks), 60):
            part = ticks[n : n + 60]
            part += part[: self.dice.choice([0, 0, 7])]  # replayed
            (batch,) = ticks_batches([pack_ticks(part, self.at(2000))], self.at(2000))
            batches.append(batch)
        self.dice.shuffle(batches)
        return batches

    def broadcasts(self, platform: str, room: str) -> list[Fact]:
        """Up to three sessions of a room one after the other; the last may be open, at its end or in a stop."""
        found: list[Fact] = []
        clock = self.dice.uniform(-30, 200)
        for _ in range(self.dice.randint(1, 3)):
            opened, number = self.at(clock), 1
            moves: list[tuple[ChangeName, str]] = [("opened", "status")]
            for _ in range(self.dice.randint(0, 3)):
                moves += [("dropped", "absent"), ("resumed", "status")]
            moves += self.dice.choice([
                [("closed", "ended")], [("dropped", "status"), ("closed", "lost")],
                [("dropped", "status"), ("closed", "ended")],
            ])  # fmt: skip
            for name, cause in moves:
                found.append(Change(platform, room, opened, number, name, self.at(clock), cause))
                number, clock = number + 1, clock + self.dice.choice([0.25, 7, 31.5, 59, 60, 61, 130, 250])
            clock += self.dice.choice([0, 1, 45, 90])
        return found[: -self.dice.choice([0, 0, 1, 2])] if self.dice.random() < 0.25 else found

    def spans(self) -> list[Fact]:
        found: list[Fact] = []
        for platform in PLATFORMS:
            for feed in ("a", "b"):
                for _ in range(self.dice.randint(0, 2)):
                    begins = self.dice.uniform(-60, 900)
                    room = self.dice.choice([None, None, f"{platform}0"])
                    span = BlindSpan(f"{platform}-{feed}", platform, self.at(begins), "timeout", room)
                    ends = self.at(begins + self.dice.choice([0, 5, 59, 60, 200]))
                    done = BlindSpan(f"{platform}-{feed}", platform, span.from_at, "timeout", room, ends)
                    found += self.dice.choice([[span], [span, done], [done]])
        return found

    def ticks(self, platform: str, room: str) -> list[tuple[int, Tick]]:
        """At instants of their own, on a grid of half seconds: two of one instant would leave open which holds on."""
        room_id, made = self.rooms[platform, room], []
        for step in self.dice.sample(range(-120, 2000), k=60):
            live, viewers = self.dice.choice([(True, 1), (True, 1), (None, 1), (True, None), (False, 0), (False, None)])
            people = None if viewers is None else viewers * self.dice.randint(0, 100_000)
            feed = f"{platform}-{self.dice.choice('ab')}"
            views = self.dice.choice([None, step + 200])
            made.append((room_id, Tick(feed, room, self.at(step / 2), "status", live, people, views, views)))
        return made

    def sales(self, platform: str, room: str) -> list[Fact]:
        made: list[Fact] = []
        for number in range(self.dice.randint(0, 9)):
            kind: Any = self.dice.choice(["created", "paid", "paid", "refunded", "gift", "cancelled"])
            at = self.at(self.dice.uniform(-100, 1000))
            made.append(Sale(
                feed="orders", platform=platform, event_id=f"{room}-{number}-{kind}", at=at, received_at=at, kind=kind,
                amount_minor=self.dice.randint(1, 9_999), currency=self.dice.choice(["CNY", "CNY", "USD"]),
                room=self.dice.choice([None, room, room, f"late-{platform}"]), shop=f"shop-{platform}",
                order_id=f"{room}-{number % 4}", units=self.dice.choice([None, 1, 3]),
            ))  # fmt: skip
        return made

    # --- and how it comes in -----------------------------------------------------------------------------------------

    async def put(self, batch: Batch) -> None:
        self.seq += 1
        transaction = self.sql.transaction()
        await transaction.start()
        await apply(self.sql, transaction, Batch(batch.header, batch.payload, self.seq), SPOOL)

    async def know_more(self, version: int) -> None:
        while not await self.attribution.catch_up(self.sql, version):
            pass

    async def roll_all(self) -> None:
        while await self.roller.round(self.other):
            pass

    async def come_in(self, batches: Sequence[Batch]) -> None:
        for number, batch in enumerate(batches):
            await self.put(batch)
            if self.dice.random() < 0.3:
                await self.put(batch)  # offered again
            if self.dice.random() < 0.25:
                await self.know_more(0)
            if self.dice.random() < 0.4:  # some of what is due, and as a rule not all
                await self.roller._turn(self.other, "history/take_closed", 8)
            if number == len(batches) // 2:
                await self.sql.execute(
                    "INSERT INTO room (platform, external_id) SELECT p, 'late-' || p FROM unnest($1::text[]) AS p",
                    list(PLATFORMS),
                )
        await self.know_more(1)


async def never() -> Any:
    raise AssertionError


async def open_world(database: FreshDatabase, seed: int) -> World:
    sql = await database.connect("writer")
    other = await database.settings.connect("writer", "roller", settings=SETTINGS)
    world = World(sql, other, seed)
    await world.ready()
    return world


async def content(sql: Sql, until: datetime) -> dict[str, list[tuple[Any, ...]]]:
    """All sums of what is before `until`, in order."""
    found = {}
    for table, key in TABLES.items():
        column = "hour" if table == "session_hour" else "minute"
        rows = await sql.fetch(f"SELECT * FROM {table} WHERE {column} < $1 ORDER BY {key}", until)
        found[table] = [tuple(row) for row in rows]
    return found


async def recomputed(world: World, until: datetime) -> dict[str, list[tuple[Any, ...]]]:
    """The sums worked out from nothing, of every minute there could be; rolled back at the end."""
    transaction = world.other.transaction()
    await transaction.start()
    for table in TABLES:
        await world.other.execute(f"DELETE FROM {table}")
    minute, hours = world.starts_at - timedelta(minutes=4), set()
    while minute < until:
        for platform in PLATFORMS:
            await world.other.execute(statement("history/roll_minute"), minute, platform)
            await world.other.execute(statement("history/roll_sums"), minute, platform)
            hours.add((await world.other.fetchval("SELECT event_hour($1)", minute), platform))
        minute += timedelta(minutes=1)
    for hour, platform in hours:
        await world.other.execute(statement("history/roll_hour"), hour, platform)
    found = await content(world.other, until)
    await transaction.rollback()
    return found


async def settled_until(world: World) -> datetime:
    """Until when minutes are over for the roller; it is waited for that they were passed."""
    await world.roll_all()
    until: datetime = await world.sql.fetchval("SELECT date_trunc('minute', now() - interval '5 seconds')")
    return min(until, world.starts_at + timedelta(minutes=36))


@pytest.mark.parametrize("seed", range(4))
async def test_the_sums_are_those_of_what_was_observed(database: FreshDatabase, seed: int) -> None:
    world = await open_world(database, seed)
    await world.come_in(world.happenings())
    until = await settled_until(world)
    kept, again = await content(world.sql, until), await recomputed(world, until)
    for table in ("session_minute", "minute_sum"):
        assert plain(kept[table]) == plain(again[table]), table
    assert len(kept["session_minute"]) > 10
    await hours_agree(world)
    await sessions_agree(world)


@pytest.mark.parametrize("seed", range(3))
async def test_each_thing_alone_marks_all_that_it_touches(database: FreshDatabase, seed: int) -> None:
    """One fact of one room after the other, in no order, all minutes rolled after each: nothing else marks them."""
    world = await open_world(database, seed)
    sales = world.sales("p", "p0")[:5]
    late = world.at(300)
    sales.append(Sale(
        feed="orders", platform="p", event_id="late", at=late, received_at=late, kind="paid", amount_minor=7,
        currency="CNY", room="late-p",
    ))  # fmt: skip
    facts = [*world.broadcasts("p", "p0"), *sales, *world.spans()]
    world.dice.shuffle(facts)
    ticks = world.ticks("p", "p0")
    batches = [batch for fact in facts for batch in facts_batches([fact], world.at(2000))]
    for n in range(0, 30, 3):
        batches += ticks_batches([pack_ticks(ticks[n : n + 3], world.at(2000))], world.at(2000))
    world.dice.shuffle(batches)
    for batch in batches[: -len(batches) // 2]:
        await world.put(batch)
    await world.know_more(0)
    for batch in batches[-len(batches) // 2 :]:
        await world.put(batch)
        await world.roll_all()
        await kept_are_right(world, batch)
        await world.know_more(0)
        await world.roll_all()
        await kept_are_right(world, batch)
    begins, ends = world.at(200.5), world.at(330)
    early = msgspec.structs.replace(sales[-1], event_id="early", room="p1", at=world.at(250))
    for fact in (
        early,  # of no session, until the next fact makes one known, by its third change
        Change("p", "p1", world.at(100), 3, "resumed", world.at(400), "status"),
        BlindSpan("p-a", "p", begins, "timeout"),
        BlindSpan("p-a", "p", begins, "timeout", None, ends),
        BlindSpan("p-a", "p", world.at(500), "timeout", None, world.at(560)),
    ):
        (batch,) = facts_batches([fact], world.at(2000))
        await world.put(batch)
        await world.roll_all()
        await kept_are_right(world, batch)
        await world.know_more(0)
        await world.roll_all()
        await kept_are_right(world, batch)
    await world.sql.execute("INSERT INTO room (platform, external_id) VALUES ('p', 'late-p')")
    await world.know_more(1)
    await world.roll_all()
    await kept_are_right(world, batches[-1])
    assert await world.sql.fetchval("SELECT sum(gmv_minor) FROM session_minute WHERE gmv_minor = 7") == 14


async def kept_are_right(world: World, batch: Batch) -> None:
    until = min(await settled_until(world), world.starts_at + timedelta(minutes=18))
    what = facts_of(batch) if batch.header.kind == "facts" else batch.header.touched
    query = "SELECT * FROM session_minute WHERE minute < $1 AND platform = 'p' ORDER BY minute, session_id"
    kept = [tuple(row) for row in await world.sql.fetch(query, until)]
    transaction = world.other.transaction()
    await transaction.start()
    await world.other.execute("DELETE FROM session_minute")
    minute = world.starts_at - timedelta(minutes=4)
    while minute < until:
        await world.other.execute(statement("history/roll_minute"), minute, "p")
        minute += timedelta(minutes=1)
    again = [tuple(row) for row in await world.other.fetch(query, until)]
    await transaction.rollback()
    assert plain(kept) == plain(again), what


def plain(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Without rows that say nothing: a session that only touches a minute may have left one."""
    return [row for row in rows if any(value not in (0, None) for value in row[4:])]


async def hours_agree(world: World) -> None:
    """Each hour is the sum of its minutes, and its peak is the first of the highest."""
    wrong = await world.sql.fetch("""
        WITH told AS (
            SELECT event_hour(minute) AS hour, room_id, session_id, sum(air_us) AS air, sum(viewer_us) AS viewer,
                sum(gmv_minor) AS gmv, max(peak_viewers) AS peak, sum(drops) AS drops,
                (array_agg(minute ORDER BY peak_viewers DESC NULLS LAST, minute))[1] AS peak_at
            FROM session_minute GROUP BY 1, 2, 3
        )
        SELECT * FROM told LEFT JOIN session_hour AS kept
            ON kept.hour = told.hour AND kept.room_id = told.room_id
                AND kept.session_id IS NOT DISTINCT FROM told.session_id
        WHERE (told.air, told.viewer, told.gmv, told.peak, told.drops)
                IS DISTINCT FROM (kept.air_us, kept.viewer_us, kept.gmv_minor, kept.peak_viewers, kept.drops)
            OR (told.peak IS NOT NULL AND told.peak_at IS DISTINCT FROM kept.peak_at)
    """)
    assert wrong == []
    assert await world.sql.fetchval("SELECT count(*) FROM session_hour") == await world.sql.fetchval(
        "SELECT count(DISTINCT (event_hour(minute), room_id, session_id)) FROM session_minute"
    )


async def sessions_agree(world: World) -> None:
    """What a closed session's minutes come to is what session_exact works out from every observation, to the unit."""
    rows = await world.sql.fetch("""
        SELECT exact.session_id, exact.measured_s, exact.blind_s, exact.airtime_s, exact.drops, exact.peak_viewers,
            exact.watch_hours, exact.views_total,
            round(sum(minute.measured_us) / 1e6, 3) AS measured, round(sum(minute.blind_us) / 1e6, 3) AS blind,
            round(sum(minute.air_us) / 1e6, 3) AS air, sum(minute.drops) AS dropped, max(minute.peak_viewers) AS peak,
            round(sum(minute.viewer_us) / 3600e6, 3) AS watched, max(minute.views_total) AS views
        FROM session_exact AS exact
        JOIN session USING (session_id)
        JOIN session_minute AS minute USING (session_id)
        WHERE session.closed_at < date_trunc('minute', now() - interval '5 seconds')
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    """)
    for row in rows:
        assert (row["measured_s"] or 0, row["blind_s"], row["drops"], row["peak_viewers"], row["watch_hours"] or 0) == (
            row["measured"], row["blind"], row["dropped"], row["peak"], row["watched"]
        ), row  # fmt: skip
        assert row["views_total"] == row["views"]
        assert row["airtime_s"] == row["air"]
    assert rows

"""A roller killed for good (SIGKILL) before and in each of its statements, again and again: the sums come out the same.

Unlike test_roller_between this is a process: nothing of it says goodbye to the server, and what is half done is found
by the next one. Between two lives more comes in: late ticks, sales, sessions told after their sales.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.tick import Sale, SaleItem, Tick
from monitor.history.roller import SETTINGS
from monitor.store.batch import Batch, Fact, pack_ticks, ticks_batches
from monitor.store.statements import statement
from tests.history.test_roller import PLATFORMS, World
from tests.postgres import FreshDatabase

pytestmark = pytest.mark.real

HERE = Path(__file__).resolve().parents[2]
STATEMENTS = (
    "lock", "pass_minutes", "spread_marks", "take_open", "take_closed", "days", "ensure_day", "clear_minute",
    "roll_minute", "clear_sums", "roll_sums", "hours", "clear_hour", "roll_hour", "sold", "clear_shops", "roll_shops",
    "clear_items", "roll_items", "rolled", "commit",
)  # fmt: skip
TABLES = {  # how to put rows in an order, and where their figures begin
    "session_minute": ("minute", "minute, platform, room_id, session_id", 4),
    "minute_sum": ("minute", "minute, platform, dimension, value", 4),
    "session_hour": ("hour", "hour, platform, room_id, session_id", 5),
    "shop_hour": ("hour", "hour, platform, shop, currency", 5),
    "item_hour": ("hour", "hour, platform, shop, item_id", 6),
}
LIVES_S_MAX = 120.0
IDLE_S_MIN = 4.0  # a round sleeps for longer, and no statement here takes so long


class Shops(World):
    """Whose sales name items and buyers, too, and whose ticks all come a second time, few at once."""

    def happenings(self) -> list[Batch]:
        self.again: list[tuple[int, Tick]] = []
        found = super().happenings()
        for n in range(0, len(self.again), 10):
            found += ticks_batches([pack_ticks(self.again[n : n + 10], self.at(2000))], self.at(2000))
        self.dice.shuffle(found)
        return found

    def ticks(self, platform: str, room: str) -> list[tuple[int, Tick]]:
        found = super().ticks(platform, room)
        self.again += found
        return found

    def sales(self, platform: str, room: str) -> list[Fact]:
        found: list[Fact] = []
        for sale in super().sales(platform, room):
            assert isinstance(sale, Sale)
            items = tuple(SaleItem(f"i{n}", f"件{n}", n, sale.amount_minor // n) for n in (1, 2))
            buyer = self.dice.choice([None, b"one", b"two"])
            found.append(msgspec.structs.replace(sale, items=items, buyer=buyer))
        return found


class Life:
    """One process of a roller, which does the next thing when it is let."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self._in, self._out = process, process.stdin, process.stdout

    async def next(self) -> str:
        """What it is about to do."""
        return (await self._out.readline()).decode().strip()

    async def go_on(self) -> None:
        self._in.write(b".")
        await self._in.drain()

    async def until(self, name: str, turn: int) -> bool:
        """Before the so-many-th time that it wants to do this. False: it has nothing more to do before that."""
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(IDLE_S_MIN):
                    told = await self.next()
                assert told, "it ended by itself"
                turn -= told == name
                if turn == 0:
                    return True
                await self.go_on()
        return False

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def alive(database: FreshDatabase, fault: str) -> AsyncIterator[Life]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.history.rolling", fault, cwd=HERE, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, env=os.environ | {"ROLLER_DSN": database.dsn("writer")},
    )  # fmt: skip
    life = Life(process)
    try:
        yield life
    finally:
        await life.kill()


async def gone(world: World) -> None:
    """Until the server has noticed, too."""
    await world.sql.fetchval("SELECT rolled_at FROM roll_state FOR UPDATE")


async def many_lives(database: FreshDatabase, world: World, batches: list[Batch], fault: str) -> int:
    """Each ends at another statement: before it, or with it on its way. Then one that lives until all is summed.

    Returns how many were killed where they should be."""
    killed = 0
    for number, name in enumerate(STATEMENTS):
        async with alive(database, fault) as life:
            killed += await life.until(name, 1 + number % 2)
            if number % 3:
                await life.go_on()
                await asyncio.sleep(number % 4 / 1000)
        await gone(world)
        if batches:
            await world.put(batches.pop())
            await world.know_more(0)
    while batches:
        await world.put(batches.pop())
    await world.know_more(1)
    async with alive(database, fault) as life:
        while True:
            if await life.next() == "lock" and not await waiting(world):
                break
            await life.go_on()
    await gone(world)
    return killed


async def waiting(world: World) -> int:
    return int(await world.sql.fetchval(
        "SELECT count(*) FROM minute_touched"
        " WHERE until IS NOT NULL OR minute < date_trunc('minute', now() - interval '5 s')"
    ))  # fmt: skip


async def content(sql: Any) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: [tuple(row) for row in await sql.fetch(f"SELECT * FROM {table} ORDER BY {order}")]
        for table, (_, order, _) in TABLES.items()
    }


async def from_nothing(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """All that is over, worked out anew; the minute that goes on is left as it is. Nothing stays changed."""
    sql = world.other
    transaction = sql.transaction()
    await transaction.start()
    until: datetime = await sql.fetchval("SELECT date_trunc('minute', rolled_at - interval '5 s') FROM roll_state")
    for table in ("session_minute", "minute_sum"):
        await sql.execute(f"DELETE FROM {table} WHERE minute < $1", until)
    for table in ("session_hour", "shop_hour", "item_hour"):
        await sql.execute(f"DELETE FROM {table}")
    minute, hours = world.starts_at - timedelta(minutes=4), set()
    while minute < until:
        for platform in PLATFORMS:
            await sql.execute(statement("history/roll_minute"), minute, platform)
            await sql.execute(statement("history/roll_sums"), minute, platform)
        hours.add(await sql.fetchval("SELECT event_hour($1)", minute))
        minute += timedelta(minutes=1)
    hours.add(await sql.fetchval("SELECT event_hour(now())"))
    shops = await sql.fetch("SELECT DISTINCT platform, shop FROM sale")
    names = [row["platform"] for row in shops], [row["shop"] for row in shops]
    for hour in hours:
        for platform in PLATFORMS:
            await sql.execute(statement("history/roll_hour"), hour, platform)
        for step in ("roll_shops", "roll_items"):
            await sql.execute(statement(f"history/{step}"), hour, *names)
    found = await content(sql)
    await transaction.rollback()
    return found


@pytest.mark.parametrize("fault", ["", "marks_first", "hours_apart"])
async def test_killed_anywhere_it_leaves_nothing_wrong(database: FreshDatabase, fault: str) -> None:
    sql = await database.connect("writer")
    other = await database.settings.connect("writer", "recompute", settings=SETTINGS)
    world = Shops(sql, other, 5)
    await world.ready()
    batches = world.happenings()
    for batch in batches[: len(batches) // 2]:
        await world.put(batch)
    await world.know_more(0)
    assert await sql.fetchval("SELECT count(*) FROM minute_touched") > 200
    async with asyncio.timeout(LIVES_S_MAX):
        killed = await many_lives(database, world, batches[len(batches) // 2 :], fault)
    kept, again = await content(sql), await from_nothing(world)
    assert all(again.values())
    wrong = {
        table: (plainly(kept[table], begin), plainly(again[table], begin))
        for table, (_, _, begin) in TABLES.items()
        if plainly(kept[table], begin) != plainly(again[table], begin)
    }
    if fault:
        assert wrong, f"{fault} was not seen"
    else:
        assert wrong == {}
        assert killed == len(STATEMENTS)


def plainly(rows: list[tuple[Any, ...]], begin: int) -> list[tuple[Any, ...]]:
    """Without rows that say nothing, as in test_roller."""
    return [row for row in rows if any(value not in (0, None) for value in row[begin:])]

"""Whether the history that was made is what livemon's own roll makes of its ticks and sales: some minutes, rolled."""

from datetime import datetime
from itertools import product
from pathlib import Path

from monitor.store.db import Connection
from tests.bench.history_data import SQL, say

ROLL = Path(__file__).resolve().parents[2] / "sql" / "history"
OF_HOURS = (
    ("session_hour", "clear_hour", "roll_hour"),
    ("shop_hour", "clear_shops", "roll_shops"),
    ("item_hour", "clear_items", "roll_items"),
)
MINUTES = 12  # of all platforms each: evenly over the history, and those in which feeds went blind and stops began


async def differences(owner: Connection) -> int:
    """How many rows are different; 0 is what it should be. Nothing stays changed."""
    platforms = [row[0] for row in await owner.fetch("SELECT DISTINCT platform FROM room ORDER BY 1")]
    differing = rows = 0
    for minute in await _minutes(owner):
        for platform in platforms:
            for table, clear, roll in (
                ("session_minute", "clear_minute", "roll_minute"),
                ("minute_sum", "clear_sums", "roll_sums"),
            ):
                made, rolled = await _both(owner, table, clear, roll, minute, platform)
                rows += len(rolled)
                if made != rolled:
                    differing += len(made ^ rolled)
                    say(f"{table} {minute} {platform}: made, and rolled anew: {sorted(made ^ rolled)[:2]}")
    for hour in await owner.fetch("SELECT DISTINCT hour FROM session_hour ORDER BY 1 LIMIT 3 OFFSET 12"):
        for platform, (table, clear, roll) in product(platforms, OF_HOURS):
            made, rolled = await _both(owner, table, clear, roll, hour[0], platform)
            rows += len(rolled)
            if made != rolled:
                differing += len(made ^ rolled)
                say(f"{table} {hour[0]} {platform}: made, and rolled anew: {sorted(made ^ rolled)[:2]}")
    if not rows:
        raise SystemExit("none of the minutes that were to be compared has a row")
    say(f"{rows:,} rows of minutes, sums and hours rolled anew, {differing} differ")
    return differing


async def _minutes(owner: Connection) -> list[datetime]:
    """Only such as are over and safely inside the history."""
    return [row[0] for row in await owner.fetch((SQL / "sample.sql").read_text(), MINUTES)]


async def _both(
    owner: Connection, table: str, clear: str, roll: str, at: datetime, platform: str
) -> tuple[set[str], set[str]]:
    column = "hour" if table.endswith("_hour") else "minute"
    read = f"SELECT t::text FROM {table} AS t WHERE {column} = $1 AND platform = $2"
    transaction = owner.transaction()
    await transaction.start()
    try:
        made = {row[0] for row in await owner.fetch(read, at, platform)}
        asked: list[object] = [platform]
        if table in ("shop_hour", "item_hour"):
            shops = [
                row[0] for row in await owner.fetch("SELECT DISTINCT shop FROM sale WHERE platform = $1", platform)
            ]
            asked = [[platform] * len(shops), shops]
        for name in (clear, roll):
            await owner.execute((ROLL / f"{name}.sql").read_text(), at, *asked)
        return made, {row[0] for row in await owner.fetch(read, at, platform)}
    finally:
        await transaction.rollback()

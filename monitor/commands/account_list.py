"""`livemon account list`: how accounts stand, and whom to call."""

import argparse
import asyncio
from collections import Counter
from datetime import datetime, tzinfo

from asyncpg import Record

from monitor.commands import load_config
from monitor.commands.database import connected
from monitor.commands.table import print_table
from monitor.store.statements import statement

STATES = {
    "missing": "shops of the roster that have never let us in",
    "expiring": "those that a person must link again within days",
    "refused": "those that will not have us until they are linked again",
}
ALL = (*STATES, "ok")


def list_accounts(args: argparse.Namespace) -> int:
    wanted = [state for state in STATES if getattr(args, state)] or list(ALL)
    zone = load_config(args).zone
    rows = asyncio.run(_read(args, wanted))
    if not rows:
        print("no accounts here" if len(wanted) == len(ALL) else f"no account is {' or '.join(wanted)}")
        return 0
    print_table(
        ["platform", "shop", "anchor", "app", "name", "state", "contact", "reason", "expires", "refreshed"],
        [[*list(row.values())[:8], _local(row["expires_at"], zone), _local(row["refreshed_at"], zone)] for row in rows],
    )
    counts = Counter((row["platform"], row["state"]) for row in rows)
    print("\n" + ", ".join(f"{platform} {state}: {count:,}" for (platform, state), count in sorted(counts.items())))
    return 0


async def _read(args: argparse.Namespace, states: list[str]) -> list[Record]:
    async with connected(args, "reader", "livemon account") as conn:
        return await conn.fetch(statement("accounts/list"), states, args.platform)


def _local(at: datetime | None, zone: tzinfo) -> str:
    return "" if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

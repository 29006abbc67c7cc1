"""`livemon prune`: take away the days that the config no longer keeps, or show which would go."""

import argparse
import asyncio
from typing import TYPE_CHECKING

import asyncpg

from monitor.commands import CommandError, add_config_option, load_config
from monitor.commands.database import connected, person
from monitor.config_retention import Retention
from monitor.history.retention import StillHeld, Verdict, old_batches, prune, survey
from monitor.store.db import Connection

if TYPE_CHECKING:
    from monitor.commands import Commands

NAMES = {"tick_raw": "ticks", "session_minute": "minutes", "platform_total": "platforms' own totals"}
EXAMPLES = """\
examples:
  livemon prune            which days [retention] no longer keeps, and what stands in the way of their end
  livemon prune --yes      take them away; from a timer, once a day, at a quiet hour

A day goes as a whole, and only after its minutes are summed: sessions, sums, drops and sales stay. Days of the event
are as old as the event's end. What went, by whom and how many rows, is in day_pruned and total_pruned. On an outside
database this needs migrate_dsn, the login of livemon_owner: the service itself never deletes what it observed.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "prune",
        help="take away days that the config no longer keeps",
        description="Shows the days that [retention] no longer keeps; with --yes takes them away, for good.\n"
        "Readers and the writer go on meanwhile.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("--yes", action="store_true", help="take them away; left out, nothing is changed")
    parser.add_argument("--by", metavar="NAME", help="who does this (left out: your login)")


def run(args: argparse.Namespace) -> int:
    policy = load_config(args).retention
    if policy == Retention():
        print("[retention] keeps everything: nothing to do")
        return 0
    try:
        asyncio.run(_run(args, policy))
    except (StillHeld, asyncpg.PostgresError) as error:
        raise CommandError(f"livemon: {error}; what was begun is finished by the next run") from error
    return 0


async def _run(args: argparse.Namespace, policy: Retention) -> None:
    async with connected(args, "owner", "livemon prune") as conn:
        verdicts = await survey(conn, policy)
        if not verdicts:
            print("no day is older than [retention] says")
        for verdict in verdicts:
            print(await _carry_out(conn, verdict, person(args.by)) if args.yes else _shown(verdict), flush=True)
        if batches := await old_batches(conn, policy, delete=args.yes):
            print(f"{batches:,} entries of the list of batches {'are gone' if args.yes else 'would go'}")
    if not args.yes and any(not verdict.kept_because for verdict in verdicts):
        print("nothing was changed; `livemon prune --yes` takes them away")


async def _carry_out(conn: Connection, verdict: Verdict, by: str) -> str:
    if verdict.kept_because:
        return _shown(verdict)
    rows, size = await prune(conn, verdict.day, by)
    return f"{_name(verdict)}: {rows:,} rows, {size / 1e6:,.1f} MB, are gone"


def _shown(verdict: Verdict) -> str:
    if verdict.kept_because:
        return f"{_name(verdict)}: kept, {verdict.kept_because}"
    return f"{_name(verdict)}: about {verdict.day.rows:,} rows, {verdict.day.bytes / 1e6:,.1f} MB, would go"


def _name(verdict: Verdict) -> str:
    return f"{NAMES[verdict.day.relation]} of {verdict.day.day}"

"""`livemon quarantine`: the rows that could not be written: list, show, retry, drop."""

import argparse
import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from monitor.commands import CommandError, add_config_option, load_config
from monitor.commands.answer import plain, shown
from monitor.commands.database import connected
from monitor.commands.table import print_table
from monitor.facts import Heard
from monitor.store.cipher import is_encrypted
from monitor.store.keeping import CannotRevive, revive
from monitor.store.statements import statement

if TYPE_CHECKING:
    from monitor.commands import Commands

KINDS = ("frame", "tick", "sale", "change")
STATES = ("kept", "retry", "retried", "drop", "dropped")
OPEN = ("kept", "retry", "drop")
MAY_BECOME = {"retry": ("kept", "drop", "dropped"), "drop": ("kept", "retry")}
SHOWN_MAX = 50
REASONS_MAX = 10
SAMPLE_SHOWN_MAX = 60

EXAMPLES = """\
examples:
  livemon quarantine list                              what is kept, and why
  livemon quarantine list --kind sale --state all      also what was tried again or dropped
  livemon quarantine show 17                           one row as a whole
  livemon quarantine show 17 --raw row.bin             its bytes as they came, readable by you alone
  livemon quarantine retry 17 18                       try these again
  livemon quarantine retry --all --reason "not in the roster"
  livemon quarantine drop 19 --yes                     give it up; the row stays here, marked dropped

What can never be written is kept here whole, so that it costs no row beside it. After its cause is gone (the room is in
the roster now, the number has its place), retry sends it the usual way again: a new receipt in the books. The running
monitor carries out retry and drop within a few seconds; without one, the next start does. No row is ever deleted; the
bytes of a delivery (of a hook, an order socket, a file) are erased a day after it was tried again or dropped.
Samples are masked; the bytes behind --raw are not.
"""

type Row = asyncpg.Record


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "quarantine",
        help="rows that could not be written: list, show, retry, drop",
        description="The rows and frames that could not be written, each with its reason.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = _add_action(actions, "list", _list, "what is kept, newest first, and the reasons counted")
    listing.add_argument(
        "--state",
        choices=(*STATES, "all"),
        help="rows in this state (left out: kept, and what is asked for and not yet done)",
    )
    _add_filters(listing)
    listing.add_argument(
        "--limit", type=int, default=SHOWN_MAX, metavar="N", help=f"at most so many rows ({SHOWN_MAX})"
    )
    show = _add_action(actions, "show", _show, "one row as a whole")
    show.add_argument("id", metavar="ID", type=int, help="as `livemon quarantine list` shows it")
    show.add_argument("--raw", metavar="F", type=Path, help="write its bytes to a new file that you alone can read")
    retry = _add_action(actions, "retry", _retry, "try rows again, as a new receipt")
    retry.add_argument("ids", metavar="ID", type=int, nargs="*", help="as `livemon quarantine list` shows them")
    retry.add_argument("--all", action="store_true", help="all that are kept, and that the other options allow")
    _add_filters(retry)
    drop = _add_action(actions, "drop", _drop, "give rows up; they stay here, marked dropped")
    drop.add_argument("ids", metavar="ID", type=int, nargs="+", help="as `livemon quarantine list` shows them")
    drop.add_argument("--yes", action="store_true", help="without it nothing is done: look at them first")


def _add_action(
    actions: "Commands", name: str, act: Callable[[argparse.Namespace], int], does: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")
    add_config_option(parser)
    parser.set_defaults(act=act)
    return parser


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", choices=KINDS, help="this kind alone")
    parser.add_argument("--feed", metavar="NAME", help="this feed alone")
    parser.add_argument("--reason", metavar="TEXT", help="only those whose reason contains this")


def run(args: argparse.Namespace) -> int:
    act: Callable[[argparse.Namespace], int] = args.act
    return act(args)


def _list(args: argparse.Namespace) -> int:
    if not 0 < args.limit <= 10_000:
        raise CommandError("livemon quarantine: --limit takes 1 to 10000")
    states = OPEN if args.state is None else STATES if args.state == "all" else (args.state,)
    rows, counts = asyncio.run(_read_list(args, states))
    if not rows:
        print("nothing here")
        return 0
    zone = load_config(args).zone
    print_table(
        ["id", "received", "feed", "kind", "state", "reason", "sample"],
        [
            [str(row["quarantine_id"]), plain(row["received_at"], zone)[:19], *map(_cell, list(row.values())[2:])]
            for row in rows
        ],
    )
    total = sum(row["rows"] for row in counts)
    if total > len(rows) or len(counts) < total:
        print(f"\n{total:,} rows in all; why:")
        for row in counts[:REASONS_MAX]:
            print(f"  {row['rows']:8,}  {row['kind']}: {shown(row['reason'])}")
        if len(counts) > REASONS_MAX:
            print(f"            ... and {len(counts) - REASONS_MAX:,} more reasons")
    return 0


async def _read_list(args: argparse.Namespace, states: Sequence[str]) -> tuple[list[Row], list[Row]]:
    asked = (states, args.kind, args.feed, args.reason)
    async with connected(args, "writer", "livemon quarantine") as conn:
        rows = await conn.fetch(statement("quarantine/list"), *asked, args.limit)
        return rows, await conn.fetch(statement("quarantine/count"), *asked)


def _show(args: argparse.Namespace) -> int:
    row = asyncio.run(_read_row(args))
    if row is None:
        raise CommandError(f"livemon quarantine: there is no row {args.id}")
    zone = load_config(args).zone
    erased = row["erased_at"] and f"erased {plain(row['erased_at'], zone)}, a day after it was {row['state']}"
    if args.raw is not None:
        if erased:
            raise CommandError(f"livemon quarantine: the bytes of row {args.id} are gone: {erased}")
        _write_privately(args.raw, row["payload"])
    goes = f", to be erased {plain(row['erase_at'], zone)}" if row["erase_at"] else ""
    facts = {
        "id": row["quarantine_id"],
        "received": plain(row["received_at"], zone),
        "feed": row["feed"] or "-",
        "kind": row["kind"],
        "state": row["state"],
        "reason": row["reason"],
        "from": f"row {row['place']} of batch {row['origin']}",
        "bytes": erased or f"{len(row['payload']):,}" + (f", written to {args.raw}" if args.raw else "") + goes,
        "row": "a delivery that is gone: nothing is left to try again"
        if erased
        else decoded(row["kind"], row["payload"]),
    }
    for name, value in facts.items():
        print(f"{name:10}{_safe(str(value))}")
    print("sample")
    for line in row["sample"].splitlines():
        print(f"  {_safe(line)}")
    return 0


def decoded(kind: str, payload: bytes) -> str:
    """What a retry would bring back; a buyer is nobody's business here."""
    if is_encrypted(payload):
        return "a delivery, encrypted under the spool key: a retry reads it again"
    if kind == "frame":
        return "a frame: a retry gives it to its feed's parser again"
    try:
        heard = revive(payload)
    except CannotRevive as error:
        return f"cannot be brought back: {error}"
    sales = [msgspec.structs.replace(sale, buyer=None) for sale in heard.sales]
    fields = msgspec.to_builtins(Heard(ticks=heard.ticks, changes=heard.changes, spans=heard.spans, sales=sales))
    [(_, [only])] = [(name, rows) for name, rows in fields.items() if rows]
    return msgspec.json.encode(only).decode()


async def _read_row(args: argparse.Namespace) -> Row | None:
    async with connected(args, "writer", "livemon quarantine") as conn:
        return await conn.fetchrow(statement("quarantine/row"), args.id)


def _retry(args: argparse.Namespace) -> int:
    filtered = args.kind or args.feed or args.reason
    if args.all == bool(args.ids) or (filtered and not args.all):
        raise CommandError("livemon quarantine: give the ids, or --all with what it shall be limited to")
    if args.ids:
        return _ask(args, "retry")
    count = asyncio.run(_ask_all(args))
    print(_told(count, "tried again") if count else "nothing is kept that fits")
    return 0


async def _ask_all(args: argparse.Namespace) -> int:
    async with connected(args, "writer", "livemon quarantine") as conn:
        status = await conn.execute(statement("quarantine/ask_all"), args.kind, args.feed, args.reason)
    return int(status.rpartition(" ")[2])


def _drop(args: argparse.Namespace) -> int:
    if not args.yes:
        raise CommandError(
            "livemon quarantine: look at each with `livemon quarantine show ID` first; then say --yes to give it up"
        )
    return _ask(args, "drop")


def _ask(args: argparse.Namespace, wanted: str) -> int:
    """Ask for these rows; 1 if any of them cannot be had."""
    done, states = asyncio.run(_ask_for(args, wanted))
    for number in args.ids:
        if number not in done:
            print(f"row {number}: {states.get(number, 'there is none')}")
    if done:
        print(_told(len(done), "tried again" if wanted == "retry" else "marked dropped"))
    return 0 if done >= set(args.ids) else 1


async def _ask_for(args: argparse.Namespace, wanted: str) -> tuple[set[int], dict[int, str]]:
    async with connected(args, "writer", "livemon quarantine") as conn:
        rows = await conn.fetch(statement("quarantine/ask"), args.ids, wanted, MAY_BECOME[wanted])
        states = await conn.fetch(statement("quarantine/states"), args.ids)
    gone = ", and its bytes were erased a day later: nothing is left to try again"
    told = {row["quarantine_id"]: f"is {row['state']}{gone if row['erased_at'] else ''}" for row in states}
    return {row["quarantine_id"] for row in rows}, told


def _told(count: int, what: str) -> str:
    rows = "1 row is" if count == 1 else f"{count:,} rows are"
    return f"{rows} to be {what}: the running monitor does it within seconds, or else its next start"


def _write_privately(path: Path, payload: bytes) -> None:
    try:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(payload)
    except FileExistsError as error:
        raise CommandError(f"livemon quarantine: {path} is there already; name a new file") from error


def _cell(value: object) -> str:
    text = shown(str(value))
    return text if len(text) <= SAMPLE_SHOWN_MAX else f"{text[: SAMPLE_SHOWN_MAX - 1]}…"


def _safe(text: str) -> str:
    """As a terminal may have it, whole."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)

"""`livemon roster`: import, export, undo, adopt, log. Each change is whole or nothing, and can be taken back."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from monitor import roster
from monitor.commands import CommandError, add_config_option, load_config
from monitor.commands.database import connected, person
from monitor.commands.table import print_table
from monitor.problem import ConfigError, of_file
from monitor.roster import Outcome
from monitor.roster_file import COLUMNS, RosterFile, read_roster_file
from monitor.roster_plan import ROOMS_MAX, RosterFull, RosterRefused
from monitor.roster_text import change_lines, count_line, export_csv, rejected_csv, totals_line
from monitor.store.db import Connection
from monitor.store.statements import statement
from monitor.table_file import read_bytes

if TYPE_CHECKING:
    from monitor.commands import Commands

SHOWN_MAX = 20

EXAMPLES = f"""\
examples:
  livemon roster import roster.csv --dry-run     what would change, room by room; nothing is written
  livemon roster import roster.xlsx              add and change rooms; the others stay
  livemon roster import roster.csv --replace     also retire the rooms that are not in the file
  livemon roster undo                            take the last change back; once more: the one before it
  livemon roster adopt hall-a live/room7         take in a room that a feed sees and the roster lacks
  livemon roster export -o roster.csv            the roster as it is; importing it changes nothing

columns (in any order; only platform and room are required; Chinese headings such as 平台, 直播间, 主播, 粉丝 will do):
  {",".join(COLUMNS)}

CSV may be UTF-8, GB18030 or UTF-16, with commas, semicolons or tabs; of a spreadsheet the first sheet is read.
What the file has no column for stays as it is; an empty cell empties the field. `broadcaster` is the person, the same
in all their rooms: broadcasters are counted by it, with the largest number of fans given for any of their rooms.
A room keeps its id for good. A running monitor follows within 10 s.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "roster",
        help="import, export, undo or adopt rooms",
        description="The rooms of the event, as PostgreSQL holds them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_import(actions)
    _add_export(actions)
    undo = _add_action(actions, "undo", _undo, "take back the last change that is not yet taken back", changes=True)
    undo.add_argument("--all", action="store_true", help=f"show every room, not the first {SHOWN_MAX} of each sort")
    adopt = _add_action(
        actions, "adopt", _adopt, "take in a room that a feed sees and the roster lacks (room_unlisted)", changes=True
    )
    adopt.add_argument("feed", metavar="FEED", help="the feed that sees it")
    adopt.add_argument("room", metavar="ROOM", help="its id, as the feed tells it")
    adopt.set_defaults(all=False)
    _add_action(actions, "log", _log, "the last changes: who, when, what, and whether it was undone")


def _add_import(actions: "Commands") -> None:
    parser = _add_action(actions, "import", _import, "add and change rooms by (platform, room)", changes=True)
    parser.add_argument("file", metavar="F.csv|F.xlsx", type=Path, help="the rooms, one a row")
    parser.add_argument("--replace", action="store_true", help="also retire the rooms that are not in the file")
    parser.add_argument("--yes", action="store_true", help="with --replace: yes, retire more than 5 %% of the rooms")
    parser.add_argument(
        "--accept-good",
        action="store_true",
        help="load the rows without errors, and write the others with reasons to F.rejected.csv "
        "(left out: any error, and nothing is loaded)",
    )
    parser.add_argument("--all", action="store_true", help=f"show every room, not the first {SHOWN_MAX} of each sort")
    parser.add_argument(
        "--rooms-max",
        type=int,
        default=ROOMS_MAX,
        metavar="N",
        help="refuse a roster of more active rooms than this (%(default)s)",
    )


def _add_export(actions: "Commands") -> None:
    parser = _add_action(actions, "export", _export, "the active rooms as CSV (UTF-8 with BOM)")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="F.csv", help="the file to write (left out: standard output)"
    )
    parser.add_argument(
        "--excel", action="store_true", help="a tab before long numbers, so that Excel does not destroy ids"
    )


def _add_action(
    actions: "Commands", name: str, act: Callable[[argparse.Namespace], int], does: str, changes: bool = False
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")
    add_config_option(parser)
    if changes:
        parser.add_argument("--dry-run", action="store_true", help="show what would change; nothing is written")
        parser.add_argument("--by", metavar="NAME", help="who does this (left out: $USER)")
    parser.set_defaults(act=act)
    return parser


def run(args: argparse.Namespace) -> int:
    try:
        act: Callable[[argparse.Namespace], int] = args.act
        return act(args)
    except RosterRefused as error:
        raise CommandError(f"livemon roster: {error}") from error


def _import(args: argparse.Namespace) -> int:
    file = read_roster_file(read_bytes(args.file), str(args.file))
    _refuse_errors(args, file)
    for note in file.notes:
        print(f"note: {note}", file=sys.stderr)
    if file.rejected and not args.dry_run:
        rejected = args.file.with_suffix(".rejected.csv")
        rejected.write_bytes(rejected_csv(file))
        print(f"{len(file.rejected):,} rows have errors and are in {rejected}, with the reasons", file=sys.stderr)

    async def work(conn: Connection) -> Outcome:
        return await roster.import_rooms(
            conn,
            file.rooms,
            by_whom=person(args.by),
            source=str(args.file),
            replace=args.replace,
            yes=args.yes,
            dry_run=args.dry_run,
            rooms_max=args.rooms_max,
        )

    try:
        return _change(args, work)
    except RosterFull as error:
        raise of_file(args.file, error.what, error.todo) from error


def _refuse_errors(args: argparse.Namespace, file: RosterFile) -> None:
    """Raise the file's errors, or, if the good rows are wanted all the same, print them."""
    if not file.problems:
        return
    if not args.accept_good or file.broken or not file.rooms:
        raise ConfigError(file.problems)
    if args.replace:
        todo = "which rooms its bad rows mean cannot be told, so that good rooms would be retired: correct them first"
        raise ConfigError([*file.problems, *of_file(args.file, "--replace needs a file without errors", todo).problems])
    for problem in file.problems:
        print(problem, file=sys.stderr)


def _undo(args: argparse.Namespace) -> int:
    return _change(args, lambda conn: roster.undo(conn, by_whom=person(args.by), dry_run=args.dry_run))


def _adopt(args: argparse.Namespace) -> int:
    async def work(conn: Connection) -> Outcome:
        return await roster.adopt(conn, args.feed, args.room, by_whom=person(args.by), dry_run=args.dry_run)

    return _change(args, work)


def _change(args: argparse.Namespace, work: Callable[[Connection], Awaitable[Outcome]]) -> int:
    async def connect_and_work() -> Outcome:
        async with connected(args, "writer", "livemon roster") as conn:
            return await work(conn)

    outcome = asyncio.run(connect_and_work())
    for line in change_lines(outcome.plan, None if args.all else SHOWN_MAX):
        print(line)
    print(count_line(outcome.plan))
    print(totals_line(outcome.plan.rooms))
    if outcome.change_id is None:
        print("nothing was written (--dry-run)")
    return 0


def _export(args: argparse.Namespace) -> int:
    async def read() -> bytes:
        async with connected(args, "writer", "livemon roster") as conn:
            return export_csv(await roster.read_rooms(conn), args.excel)

    content = asyncio.run(read())
    if args.output is None:
        sys.stdout.buffer.write(content)
    else:
        args.output.write_bytes(content)
    return 0


def _log(args: argparse.Namespace) -> int:
    zone = load_config(args).zone

    async def read() -> list[list[object]]:
        async with connected(args, "writer", "livemon roster") as conn:
            records = await conn.fetch(statement("roster/log"), SHOWN_MAX)
        return [
            [row["number"], f"{row['at'].astimezone(zone):%Y-%m-%d %H:%M:%S}", *list(row.values())[2:]]
            for row in records
        ]

    rows = [["" if cell is None else cell for cell in row] for row in asyncio.run(read())]
    print_table(["number", "at", "by", "action", "source", "added", "changed", "retired", "undoes", "undone by"], rows)
    return 0

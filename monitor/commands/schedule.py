"""`livemon schedule import`: the planned broadcasts, by which stops are judged."""

import argparse
import asyncio
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import add_config_option, load_config
from monitor.commands.database import connected
from monitor.facts import RosterRoom
from monitor.problem import ConfigError
from monitor.roster import read_rooms
from monitor.schedule import SchedulePlan, import_slots
from monitor.schedule_file import ScheduleFile, local, read_schedule_file
from monitor.table_file import read_bytes

if TYPE_CHECKING:
    from monitor.commands import Commands

SHOWN_MAX = 20

EXAMPLES = """\
examples:
  livemon schedule import schedule.csv --dry-run
  livemon schedule import schedule.xlsx

  platform,room,starts_at,ends_at
  wechat,123456,2026-11-19 20:00,2026-11-19 23:30
  doudian,7654321,2026-11-19T20:00+08:00,2026-11-20T01:00+08:00

Chinese headings (平台, 直播间, 开始, 结束) will do, CSV or spreadsheet, as with the roster. Times without an offset are
in the event's timezone. For each room that it names, the file replaces the planned broadcasts that begin at or after
the file's first start; what began before that stays, and so do the plans of all other rooms. Any error, and nothing
is loaded. A running monitor follows within 10 s.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "schedule",
        help="import the planned broadcasts: stops are judged by them",
        description="The planned broadcasts. "
        "A room that stops in mid-broadcast is lost; one that stops at its end is not.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    load = actions.add_parser(
        "import",
        help="load planned broadcasts from a file",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(load)
    load.add_argument("file", metavar="F.csv|F.xlsx", type=Path, help="the planned broadcasts, one a row")
    load.add_argument("--dry-run", action="store_true", help="show what would change; nothing is written")
    load.add_argument("--all", action="store_true", help=f"show every change, not the first {SHOWN_MAX} of each sort")


def run(args: argparse.Namespace) -> int:
    zone = load_config(args).zone
    file = read_schedule_file(read_bytes(args.file), str(args.file), zone)
    if file.problems:
        raise ConfigError(file.problems)
    plan, rooms = asyncio.run(_import(args, zone, file))
    for line in slot_lines(plan, rooms, zone, None if args.all else SHOWN_MAX):
        print(line)
    counts = f"{len(plan.added):,} added, {len(plan.removed):,} removed, {plan.unchanged:,} unchanged"
    print(f"{counts}, in {plan.rooms:,} rooms")
    if args.dry_run:
        print("nothing was written (--dry-run)")
    return 0


async def _import(
    args: argparse.Namespace, zone: tzinfo, file: ScheduleFile
) -> tuple[SchedulePlan, dict[int, RosterRoom]]:
    async with connected(args, "writer", "livemon schedule") as conn:
        plan = await import_slots(conn, file.slots, file=str(args.file), zone=zone, dry_run=args.dry_run)
        return plan, {room.room_id: room for room in await read_rooms(conn)}


def slot_lines(
    plan: SchedulePlan, rooms: Mapping[int, RosterRoom], zone: tzinfo, shown_max: int | None
) -> Iterator[str]:
    """Slot by slot, the first so many of each sort, in the event's zone."""
    for sign, slots in (("+", plan.added), ("-", plan.removed)):
        for slot in slots[:shown_max]:
            room = rooms[slot.room_id]
            span = f"{local(slot.starts_at, zone)} to {local(slot.ends_at, zone)}"
            yield f"{sign} {room.platform} {room.external_id}  {span}  {room.anchor}".rstrip()
        if shown_max is not None and len(slots) > shown_max:
            yield f"{sign} ... and {len(slots) - shown_max:,} more (--all shows them)"

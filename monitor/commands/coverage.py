"""`livemon coverage`: which room is seen by which feed, or why by none."""

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from monitor.commands import CommandError, add_config_option
from monitor.commands.database import connected
from monitor.commands.table import print_table
from monitor.problem import quoted
from monitor.store.statements import statement

if TYPE_CHECKING:
    from monitor.commands import Commands

SHOWN_MAX = 20
SIGNALS = ("live", "viewers", "sales")

EXAMPLES = """\
examples:
  livemon coverage                     per platform: how many rooms are seen, and the first rooms that are not
  livemon coverage --all               every room, with its feeds or why it has none
  livemon coverage --platform wechat   one platform

A room that no configured feed can see is unwatched (无数据源), never offline. What a feed can see is told by the
running monitor: before its first start, all rooms are unwatched.
"""


class Covered(msgspec.Struct, frozen=True):
    """One active room and the feeds that tell of it."""

    platform: str
    external_id: str
    anchor: str
    hall: str
    live_by: list[str]
    viewers_by: list[str]
    sales_by: list[str]
    why: str


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "coverage",
        help="which room is seen by which feed, or why by none",
        description="Which room is seen by which feed, or why by none.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("--all", action="store_true", help="every room, not only the first that nobody sees")
    parser.add_argument("--platform", metavar="NAME", help="this platform alone")


def run(args: argparse.Namespace) -> int:
    everywhere = asyncio.run(read_coverage(args))
    if not everywhere:
        print("no rooms here; load some with `livemon roster import F.csv`")
        return 0
    rooms = [room for room in everywhere if args.platform in (None, room.platform)]
    if not rooms:
        known = ", ".join(sorted({room.platform for room in everywhere}))
        raise CommandError(
            f"livemon coverage: the roster has no room on platform {quoted(args.platform)}; it has {known}"
        )
    print_table(["platform", "rooms", "live seen", "viewers seen", "sales seen"], summary(rooms))
    unwatched = [room for room in rooms if not room.live_by]
    shown = rooms if args.all else unwatched[:SHOWN_MAX]
    print(f"\n{len(unwatched):,} of {len(rooms):,} rooms are unwatched: no feed tells whether they are on air.")
    if shown:
        print_table(["platform", "room", "anchor", "hall", "live", "viewers", "sales", "why not"], map(_cells, shown))
    if len(shown) < len(unwatched):
        print(f"... and {len(unwatched) - len(shown):,} more (--all shows them)")
    return 0


async def read_coverage(args: argparse.Namespace) -> list[Covered]:
    async with connected(args, "reader", "livemon coverage") as conn:
        return [Covered(*row) for row in await conn.fetch(statement("roster/coverage"))]


def summary(rooms: Sequence[Covered]) -> list[tuple[str, int, int, int, int]]:
    """Per platform: rooms, and how many of them some feed tells the state, the viewers, the sales of."""
    platforms = Counter(room.platform for room in rooms)
    live = Counter(room.platform for room in rooms if room.live_by)
    viewers = Counter(room.platform for room in rooms if room.viewers_by)
    sales = Counter(room.platform for room in rooms if room.sales_by)
    return [(name, count, live[name], viewers[name], sales[name]) for name, count in sorted(platforms.items())]


def _cells(room: Covered) -> list[str]:
    feeds = (" ".join(by) or "-" for by in (room.live_by, room.viewers_by, room.sales_by))
    return [room.platform, room.external_id, room.anchor, room.hall, *feeds, shorter(room.why)]


def shorter(why: str) -> str:
    """One reason for all three signals is said once."""
    pieces = [piece.partition(": ") for piece in why.split("; ")]
    reasons = {reason for _, _, reason in pieces}
    same = tuple(signal for signal, _, _ in pieces) == SIGNALS and len(reasons) == 1
    return reasons.pop() if same else why

"""`livemon report`: one self-contained HTML file about a day, some days or the whole event."""

import argparse
import asyncio
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import CommandError, add_config_option, load_config
from monitor.commands.database import connected
from monitor.history.export import replacing
from monitor.history.export_columns import ExportError
from monitor.history.report.content import Content
from monitor.history.report.page import page
from monitor.history.report.question import Asked, BadDays, ask
from monitor.history.report.words import WORDS
from monitor.store.statements import statement

if TYPE_CHECKING:
    from monitor.commands import Commands

SECONDS_MAX = 120.0
KINDS = (".html", ".htm")
EXAMPLES = """\
examples:
  livemon report -o report.html                              today so far, in Chinese
  livemon report --day 2026-11-19 --lang en -o report.html   one day, in English
  livemon report --week -o week.html                         the whole event; of one without a window, seven days
  livemon report --from 2026-11-19 --to 2026-11-21 -o three-days.html

The file needs nothing else: open it, send it, print it on A4. Days are those of the event's timezone.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "report",
        help="one HTML file about a day or the event",
        description="Writes one self-contained HTML file: key figures, curves, heat maps, drops, leaderboards, and "
        "what each figure means. Everything in it was known at one instant, which it names.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("--day", type=date.fromisoformat, metavar="D", help="this day (left out: today)")
    parser.add_argument("--week", action="store_true", help="all days of the event")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="D", help="from this day")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="D", help="to this day, it included")
    parser.add_argument("--lang", choices=sorted(WORDS), default="zh", help="the language (zh)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="F", help="the file to write: F.html")


def run(args: argparse.Namespace) -> int:
    asked = _asked(args)
    output: Path = args.output
    if output.suffix.lower() not in KINDS:
        raise CommandError(f"livemon: -o takes a file named {' or '.join(KINDS)}, not {output}")
    try:
        with replacing(output) as inside:
            content = asyncio.run(_ask(args, asked))
            text = page(content, args.lang)
            inside.write_text(text, encoding="utf-8")
    except (BadDays, ExportError) as error:
        raise CommandError(f"livemon: {error}") from error
    print(f"{content.period.first} to {content.period.last}, {len(text.encode()) / 1024:.0f} KiB in {output}")
    return 0


def _asked(args: argparse.Namespace) -> Asked:
    ways = [args.day is not None, args.week, args.first is not None or args.last is not None]
    if sum(ways) > 1:
        raise CommandError("livemon: give one of --day, --week, or --from and --to")
    return Asked(args.day or args.first, args.day or args.last, args.week)


async def _ask(args: argparse.Namespace, asked: Asked) -> Content:
    configured = load_config(args)
    async with connected(args, "reader", "livemon report") as connection:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.fetchrow(statement("report/limits"), f"{SECONDS_MAX * 1000:.0f}")
            return await ask(
                connection, asked, configured.shown_name, configured.zone, configured.timezone, version("livemon")
            )

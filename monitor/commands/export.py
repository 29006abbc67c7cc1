"""`livemon export`: rows of the history into a file of Parquet, CSV or xlsx, however many there are."""

import argparse
import asyncio
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from monitor.commands import CommandError, add_config_option
from monitor.commands.database import connected, own_config
from monitor.commands.sql import explained
from monitor.history.export import (
    SHORT,
    Question,
    Table,
    counted,
    event_window,
    question_of,
    relations,
    replacing,
    stream,
)
from monitor.history.export_columns import ExportError
from monitor.history.export_csv import CsvTable
from monitor.history.export_window import Window, window_of
from monitor.history.export_xlsx import ROWS_MAX, TOO_MANY, XlsxTable
from monitor.problem import quoted
from monitor.store.db import Connection, reading

if TYPE_CHECKING:
    from monitor.commands import Commands

FILE_KINDS = (".parquet", ".csv", ".xlsx")
NO_PARQUET = (
    "livemon: this installation cannot write Parquet: pyarrow is an extra of its own (165 MB). "
    "Install livemon[parquet] (`make parquet` in a checkout), or write .csv or .xlsx"
)
EXAMPLES = """\
examples:
  livemon export sessions -o sessions.xlsx                       all sessions of the event
  livemon export ticks --day 2026-11-19 -o ticks.parquet         a day of observations, whole
  livemon export drops --from "2026-11-19 20:00" --to "2026-11-19 22:00" -o drops.csv
  livemon export -q "SELECT * FROM sale_place WHERE at >= $1 AND at < $2 AND city = '沈阳'" --day 2026-11-19 -o city.csv

what is written:
  ids are text. An instant is two columns, ..._utc and ..._local (the event's zone): text with its offset in CSV,
  real dates in xlsx and Parquet. Money is in the minor unit (..._minor, fen) and in the major one. CSV is as
  `livemon sql -o` writes it. In xlsx a number of more than 15 digits is text, since a spreadsheet would round it;
  what is more than one sheet holds goes on in the next, up to four. In Parquet a numeric has nine decimal places.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "export",
        help="history into a file: Parquet, CSV or xlsx",
        description="Writes the rows of a relation, or of a question of your own, as the reader role sees them. "
        "A file of this name is whole: until all rows are there it has another one.",
        epilog=f"{_listed()}\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("relation", nargs="?", metavar="RELATION", help="one of those below")
    parser.add_argument("-q", "--query", metavar="SQL", help="one SELECT instead (- reads it from standard input)")
    parser.add_argument("-o", "--output", type=Path, metavar="F", required=True, help=f"F{', F'.join(FILE_KINDS)}")
    parser.add_argument(
        "--from", dest="from_at", metavar="T", help="a day, or an instant, in the event's zone (left out: the event's)"
    )
    parser.add_argument("--to", dest="to_at", metavar="T", help="until the end of this day, or before this instant")
    parser.add_argument("--day", metavar="D", help="this day alone, as 2026-11-19")
    parser.add_argument("--seconds", type=float, default=600.0, help="give up when PostgreSQL is silent so long (600)")


def run(args: argparse.Namespace) -> int:
    if args.output.suffix not in FILE_KINDS:
        raise CommandError(f"livemon: -o takes a file named {', '.join(FILE_KINDS)}, not {args.output}")
    if args.output.suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise CommandError(NO_PARQUET)
    if not args.seconds > 0:
        raise CommandError("livemon: --seconds must be more than 0")
    asked = _asked(args)
    zone = own_config(args).zone
    try:
        window = window_of(args.from_at, args.to_at, args.day, zone)
        told = asyncio.run(_export(args, asked, window, zone))
    except ExportError as error:
        raise CommandError(f"livemon: {error}") from error
    print("\n".join(told), file=sys.stderr)
    return 0


async def _export(args: argparse.Namespace, asked: Question, window: Window, zone: tzinfo) -> list[str]:
    async with connected(args, "reader", "livemon export") as connection:
        try:
            async with reading(connection, args.seconds):
                window = window.within(await event_window(connection))
                return await _write(connection, asked, window, zone, args.output)
        except asyncpg.PostgresError as error:
            if asked.ours:
                raise
            raise CommandError(explained(asked.sql, error)) from error


async def _write(connection: Connection, asked: Question, window: Window, zone: tzinfo, output: Path) -> list[str]:
    total = await rows_of_sheets(connection, asked, window, ROWS_MAX) if output.suffix == ".xlsx" else None
    with replacing(output) as inside, _progress(asked.name, total) as wrote:
        table = _table(inside, asked.name)
        try:
            told = await stream(connection, asked, window, zone, table, wrote)
            notes = table.finish()
        except BaseException:
            table.discard()
            raise
    rows = f"{told.rows:,} row{'' if told.rows == 1 else 's'} in {output}"
    return [f"{rows}, {window.shown(zone)}" if told.bounded else rows, *notes]


async def rows_of_sheets(connection: Connection, asked: Question, window: Window, rows_max: int) -> int | None:
    """Too many is said before a row is written where it can be known; a question of somebody's own stops on its way."""
    if not asked.ours:
        return None
    rows = await counted(connection, asked, window, rows_max)
    if rows > rows_max:
        raise ExportError(TOO_MANY)
    return rows


def _table(path: Path, name: str) -> Table:
    if path.suffix == ".csv":
        return CsvTable(path)
    if path.suffix == ".xlsx":
        return XlsxTable(path, name)
    from monitor.history.export_parquet import ParquetTable  # not at the top: its library is an extra

    return ParquetTable(path)


def _asked(args: argparse.Namespace) -> Question:
    if (args.relation is None) == (args.query is None):
        raise CommandError("livemon: name a relation, or give -q and a question; livemon export --help lists them")
    if args.query is not None:
        return Question(sys.stdin.read() if args.query == "-" else args.query, "answer", False)
    if (asked := question_of(args.relation)) is None:
        known = ", ".join([*SHORT, *(name for name in relations() if name not in SHORT.values())])
        raise CommandError(f"livemon: there is no relation {quoted(args.relation)} to export; there are {known}")
    return asked


def _listed() -> str:
    short = {relation: name for name, relation in SHORT.items()}
    lines = [f"  {short.get(name, ''):<9} {name:<16} {does}" for name, does in relations().items()]
    return "\n".join(["relations (by either name):", *lines, ""])


@contextmanager
def _progress(name: str, total: int | None) -> Iterator[Callable[[int], object]]:
    """A bar on a terminal, nothing in a file. Rows are counted beforehand only where that decides whether they fit."""
    console = Console(file=sys.stderr, highlight=False)
    columns = (TextColumn(name), BarColumn(), TextColumn("{task.completed:,.0f} rows"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(name, total=total)
        yield lambda rows: bar.update(task, completed=rows)

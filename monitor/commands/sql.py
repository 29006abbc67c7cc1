"""`livemon sql`: one read-only question to the database, its answer as a table or a file."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from rich.cells import cell_len

from monitor.commands import CommandError, add_config_option, load_config
from monitor.commands.answer import Answer, FileAnswer, TableAnswer, file_kinds
from monitor.config import Config
from monitor.store.db import Database, DatabaseError, reading

if TYPE_CHECKING:
    from monitor.commands import Commands

PREFETCH = 1_000
EXAMPLES = """\
examples:
  livemon sql "SELECT * FROM room_now WHERE state = 'dropped'"
  livemon sql "SELECT * FROM drop_log WHERE dropped_at > now() - interval '1 hour'"
  livemon sql "TABLE session_summary" -o sessions.csv       opens in Excel and WPS with its Chinese intact
  livemon sql "TABLE session_summary" -o sessions.json
  livemon sql - < question.sql                              from standard input
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "sql",
        help="ask one read-only question",
        description="Runs one statement as the reader role in a READ ONLY transaction and prints its rows. "
        "NULL is shown as ∅, times in the event's timezone with their offset. In CSV NULL is empty, an empty text is "
        '""; a text that a spreadsheet would run as a formula gets a \' before it.',
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("query", help="one SQL statement, or - to read it from standard input")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="F", help=f"write a file instead: F{', F'.join(file_kinds())}"
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="give up after so many seconds (30)")


def run(args: argparse.Namespace) -> int:
    if args.output is not None and args.output.suffix not in file_kinds():
        raise CommandError(f"livemon: -o takes a file named {' or '.join(file_kinds())}, not {args.output}")
    if not args.seconds > 0:
        raise CommandError("livemon: --seconds must be more than 0")
    configured = load_config(args)
    query = sys.stdin.read() if args.query == "-" else args.query
    answer = TableAnswer(configured.zone) if args.output is None else FileAnswer(args.output, configured.zone)
    try:
        asyncio.run(_ask(configured, query, answer, args.seconds))
        answer.finish()
    except DatabaseError as error:
        raise CommandError(f"livemon: {error}") from error
    except asyncpg.PostgresError as error:
        raise CommandError(explained(query, error)) from error
    finally:
        answer.discard()
    return 0


async def _ask(configured: Config, query: str, answer: Answer, seconds_max: float) -> None:
    database = Database.of(configured)
    async with database.reachable():
        connection = await database.connect("reader", "livemon sql", command_timeout=seconds_max + 5)
        try:
            async with reading(connection, seconds_max):
                statement = await connection.prepare(query)
                if not (names := [attribute.name for attribute in statement.get_attributes()]):
                    raise CommandError("livemon: this asks nothing: give one SELECT, TABLE, VALUES, SHOW or EXPLAIN")
                answer.columns(names)
                async for record in statement.cursor(prefetch=PREFETCH, timeout=seconds_max + 5):
                    answer.row(tuple(record))
        finally:
            await connection.close(timeout=5)


def explained(query: str, error: asyncpg.PostgresError) -> str:
    """PostgreSQL's own words, with the line of the query that they are about and a mark under the place."""
    lines = [f"livemon: {error.sqlstate}: {error.message or error}"]
    if error.position is not None:
        before = query[: int(error.position) - 1]
        line = query.splitlines()[before.count("\n")] if query.splitlines() else ""
        column = len(before.rpartition("\n")[2])
        lines += [f"  {line}", f"  {' ' * cell_len(line[:column])}^ line {before.count('\n') + 1}"]
    lines += [f"  {label}: {text}" for label, text in (("detail", error.detail), ("hint", error.hint)) if text]
    return "\n".join(lines)

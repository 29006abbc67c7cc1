"""`livemon import`: sales and ticks that came as files, on the same way as those that are pushed, and each once."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from collectors.orders.push_json import PushJson
from monitor.apps import read_apps
from monitor.commands import CommandError, add_config_option
from monitor.commands.database import own_config
from monitor.config import Config
from monitor.import_file import HEADINGS, ImportFile, Relation, Span, read_import_file
from monitor.import_plan import Chunk, chunks
from monitor.import_send import NotTaken, keep, post
from monitor.import_text import rejected_csv, summary_lines
from monitor.keys import SPOOL_KEY, keys_of
from monitor.problem import ConfigError, quoted
from monitor.sale_rules import FUTURE_MAX, filed_from
from monitor.store.cipher import CannotDecrypt, Cipher
from monitor.store.disk import SpoolFull, SpoolLocked
from monitor.store.spool import Spool
from monitor.table_file import read_bytes

if TYPE_CHECKING:
    from monitor.commands import Commands

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - it is called on this machine, not bound

EXAMPLES = f"""\
examples:
  livemon import sale orders.xlsx --feed files --dry-run     what is in the file, and what is wrong in it
  livemon import sale orders.csv --feed files --accept-good  load the good rows; the others go to orders.rejected.csv
  livemon import viewer_tick ticks.csv --feed files

columns of sale (kind, at and an amount are required, and event_id or shop and order_id):
  {",".join(dict.fromkeys(HEADINGS["sale"].values()))}
columns of viewer_tick (room and at are required):
  {",".join(dict.fromkeys(HEADINGS["viewer_tick"].values()))}

Chinese headings (店铺, 订单号, 类型, 支付时间, 金额, 币种; 直播间, 时间, 在播, 在线人数) will do, CSV or spreadsheet.
Times without an offset are in the event's timezone. kind: created, paid, refunded, cancelled, gift. `amount` is in the
major unit (元), `amount_minor` in the minor one (分); the currency is never assumed. A sale without an event_id is
named shop:order_id[:sub_order]:kind[:refund_id], as pushes of the same fact are: use the platform's own ids.

FEED is a feed of kind push_json. With the monitor running the rows go to its hooks, signed with the feed's secret; with
no monitor running, into the spool, for its next start. The same file twice counts once: sales by their event id, ticks
by the rows of each hour (for 30 days). A changed file of ticks is another file: import what is new. Ticks of the last
7 days move sessions as live ones do, so let the last row of a broadcast say that it is over (live = false); older ones
are stored alone. Rooms that the roster lacks get no ticks (room_unlisted shows them): import the roster first.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "import",
        help="sales and ticks that came as files, each once",
        description="Sales and ticks that came as files, on the same way as those that are pushed, and each once.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("relation", choices=list(HEADINGS), help="what a row of the file is")
    parser.add_argument("file", metavar="F.csv|F.xlsx", type=Path, help="the rows")
    parser.add_argument("--feed", required=True, metavar="NAME", help="the push_json feed that the rows belong to")
    parser.add_argument("--dry-run", action="store_true", help="show what is in the file; nothing is sent")
    parser.add_argument(
        "--accept-good",
        action="store_true",
        help="load the rows without errors, and write the others with reasons to F.rejected.csv "
        "(left out: any error, and nothing is loaded)",
    )


def run(args: argparse.Namespace) -> int:
    configured, now = own_config(args), datetime.now(UTC)
    feed = feed_of(configured, args.feed)
    relation: Relation = args.relation
    starts_at = configured.event.starts_at if configured.event else None
    span = Span(filed_from(now, starts_at), now + FUTURE_MAX)
    file = read_import_file(read_bytes(args.file), str(args.file), relation, feed, configured.zone, span)
    _refuse_errors(args, file)
    for line in summary_lines(file.told, configured.zone):
        print(line)
    if args.dry_run:
        print("nothing was sent (--dry-run)")
        return 0
    deliveries = list(chunks(relation, file.told))
    with progress(deliveries) as took:
        print(bring(configured, feed, deliveries, took))
    return 0


def feed_of(configured: Config, name: str) -> PushJson:
    """The feed of this name; ticks and sales of files need one that takes both."""
    pushes = [feed for feed in configured.feeds if isinstance(feed, PushJson)]
    found = next((feed for feed in pushes if feed.name == name), None)
    if found is None:
        known = ", ".join(feed.name for feed in pushes)
        todo = f"there is {known}" if known else 'add one: [[feed]] with kind = "push_json" (docs/push_json.md)'
        raise CommandError(f"livemon import: there is no feed {quoted(name)} of kind push_json; {todo}")
    return found


def _refuse_errors(args: argparse.Namespace, file: ImportFile) -> None:
    if file.broken or (file.problems and not args.accept_good):
        raise ConfigError(file.problems)
    if file.rejected and not args.dry_run:
        rejected = args.file.with_suffix(".rejected.csv")
        rejected.write_bytes(rejected_csv(file.columns, file.rejected))
        print(f"{len(file.rejected):,} rows have errors and are in {rejected}, with the reasons", file=sys.stderr)


@contextmanager
def progress(deliveries: Sequence[Chunk]) -> Iterator[Callable[[Chunk], None]]:
    """A bar on a terminal, nothing in a file."""
    console = Console(file=sys.stderr, highlight=False)
    columns = (TextColumn("rows"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("rows", total=sum(chunk.rows for chunk in deliveries))
        yield lambda chunk: bar.advance(task, chunk.rows)


def bring(configured: Config, feed: PushJson, deliveries: Sequence[Chunk], took: Callable[[Chunk], None]) -> str:
    """To the monitor that runs with this config, else into its spool. What to say of it."""
    try:
        spool = Spool(configured.data_dir / "spool", configured.purpose)
    except SpoolLocked:
        return asyncio.run(_to_hooks(configured, feed, deliveries, took))
    try:
        keys = keys_of(configured.spool_key_file, configured.data_dir / SPOOL_KEY)
        cipher = Cipher([key.reveal() for key in keys])
        new = keep(spool, cipher, feed.name, deliveries, datetime.now(UTC), took)
    except (SpoolFull, CannotDecrypt) as error:
        raise CommandError(f"livemon import: {error}; mend that, and import the file again") from error
    finally:
        spool.close()
    before = len(deliveries) - new
    told = f"; {before:,} of {len(deliveries):,} parts of the file were there already" if before else ""
    return f"no monitor is running: the rows wait in the spool for its next start{told}"


async def _to_hooks(
    configured: Config, feed: PushJson, deliveries: Sequence[Chunk], took: Callable[[Chunk], None]
) -> str:
    taken: list[Chunk] = []

    def count(chunk: Chunk) -> None:
        taken.append(chunk)
        took(chunk)

    app = read_apps(table for table in configured.apps if table.name == feed.app)[feed.app]
    url = _url(configured, feed)
    try:
        async with aiohttp.ClientSession() as http:
            await post(http, url, app.secrets[0], deliveries, lambda: datetime.now(UTC), count)
    except NotTaken as error:
        raise CommandError(
            f"livemon import: the monitor at {url}: {error}. {len(taken):,} of {len(deliveries):,} parts of the file"
            " were taken; import it again: what was taken counts once"
        ) from error
    return "the monitor has taken all rows; each counts once, however often the file is imported"


def _url(configured: Config, feed: PushJson) -> str:
    if configured.hooks_address is None:
        raise CommandError("livemon import: a monitor is running without hooks: add hooks_listen, and start it again")
    host, port = configured.hooks_address
    host = EVERYWHERE.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/hooks/{feed.name}"

"""`livemon status`: a live table of a running monitor, asked over HTTP."""

import argparse
import http.client
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from monitor.commands import CommandError, add_config_option, load_config
from monitor.http.figures import COLOURS, age, number, size
from monitor.http.labels import one_line
from monitor.http.status import FramesStatus, Status, WaitStatus
from monitor.http.witness_word import NONE

if TYPE_CHECKING:
    from monitor.commands import Commands

ANSWER_S_MAX = 5.0
BYTES_MAX = 4 * 1024 * 1024
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - it is asked on this machine, not bound
STYLES = {"good": "green", "warn": "yellow", "bad": "bold red", "dim": "dim"}
FILE_COLUMNS_MAX = 200
SHOPS_SHOWN_MAX = 10
OBSTACLES = {
    "no_app": "the [[app]] of this feed is not in livemon.toml",
    "no_api": "livemon does not know how to ask this platform",
    "no_account": "no account: livemon account link PLATFORM SHOP",
    "refused": "the account is refused: livemon account list --refused",
    "to_ask": "about to be asked for",
    "asked": "asked for, and not said yet",
}

EXAMPLES = """\
examples:
  livemon status           until Ctrl-C, anew every two seconds
  livemon status --once    once, for scripts; exit code 1 where no monitor runs
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "status",
        help="a live table of a running monitor",
        description="Feeds, rooms by state, books, spool and writer of the monitor that runs with this config.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("--once", action="store_true", help="print once and end")
    parser.add_argument("--every", type=float, default=2.0, metavar="S", help="seconds between two looks (2)")


def run(args: argparse.Namespace) -> int:
    host, port = load_config(args).address
    host = EVERYWHERE.get(host, host)
    width = None if sys.stdout.isatty() else FILE_COLUMNS_MAX
    console = Console(file=sys.stdout, width=width, highlight=False, emoji=False, legacy_windows=False)
    status = ask(host, port)
    if args.once:
        console.print(shown(status))
        return 0
    try:
        with Live(shown(status), console=console, screen=console.is_terminal, auto_refresh=False) as live:
            while True:
                time.sleep(max(args.every, 0.2))
                live.update(look(host, port), refresh=True)
    except KeyboardInterrupt:
        return 0


def look(host: str, port: int) -> Group:
    """What is to be seen now: a monitor that is gone for a while is said, and waited for."""
    try:
        return shown(ask(host, port))
    except CommandError as error:
        return Group(Text(str(error), style=STYLES["bad"]), Text("waiting for it to come back ...", style="dim"))


def ask(host: str, port: int) -> Status:
    """The status of the monitor that listens there. Raises CommandError with what to do."""
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_S_MAX)
    try:
        connection.request("GET", "/api/status")
        answer = connection.getresponse()
        body = answer.read(BYTES_MAX)
    except (OSError, http.client.HTTPException) as error:
        why = one_line(str(error)) or type(error).__name__
        raise CommandError(
            f"livemon: no monitor answers on {host}:{port} ({why}); start it with `livemon run`"
        ) from error
    finally:
        connection.close()
    if answer.status != 200:
        raise CommandError(f"livemon: {host}:{port} answers {answer.status} to /api/status; is it livemon?")
    try:
        return msgspec.json.decode(body, type=Status)
    except msgspec.DecodeError as error:
        raise CommandError(f"livemon: {host}:{port} answers, but not as this release of livemon does") from error


def shown(status: Status) -> Group:
    parts = [title(status), *(Text(f"  {reason}", style=STYLES["bad"]) for reason in status.reasons), Text()]
    return Group(*parts, rooms(status), Text(), feeds(status), Text(), books(status), pipeline(status))


def title(status: Status) -> Text:
    ready = ("ready", STYLES["good"]) if status.ready else ("not ready", STYLES["bad"])
    at = f"  {status.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC  livemon {one_line(status.version)}"
    return Text.assemble((one_line(status.event) or "livemon", "bold"), "  ", ready, (at, "dim"))


def grid(*headings: str, words: int = 1) -> Table:
    """A table whose first columns are words and whose others are numbers."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < words else "right", overflow="fold")
    return table


def count(value: int, style: str = "") -> Text:
    return Text(number(value), style=style if value else "dim")


def rooms(status: Status) -> Table:
    states = ("live", "dropped", "lost", "blind", "unwatched", "offline")
    table = grid("rooms", *states, "expected", "viewers")
    for row in status.rooms:
        counts = (count(row.states[state], STYLES[COLOURS[state]]) for state in states)
        table.add_row(Text(one_line(row.platform)), *counts, count(row.expected), count(row.viewers))
    return table


def feeds(status: Status) -> Table:
    table = grid("feed", "platform", "hall", "state", "last message", "rooms", "unlisted", "failures", words=4)
    for feed in status.feeds:
        state = Text(feed.state, style=STYLES[COLOURS[feed.state]])
        if feed.detail:
            state.append(f" {one_line(feed.detail)}", style="dim")
        if feed.witness == NONE:
            state.append(" no witness", style="dim")
        elif feed.polled:
            fails = f", {number(feed.failing)} fail" if feed.failing else ""
            state.append(f" polls {number(feed.polled)} shops{fails}", style="yellow" if feed.failing else "dim")
        last = "never" if feed.last_message_at is None else f"{age(status.at, feed.last_message_at)} ago"
        words = (Text(one_line(word)) for word in (feed.name, feed.platform, feed.hall))
        counts = (count(feed.rooms), count(feed.unlisted, STYLES["warn"]), count(feed.failures, STYLES["bad"]))
        table.add_row(*words, state, Text(last), *counts)
    return table


def books(status: Status) -> Table:
    columns = ("received", "written", "duplicates", "quarantined", "shed", "spooled", "difference")
    styles = {"quarantined": STYLES["warn"], "shed": STYLES["bad"], "difference": STYLES["bad"]}
    table = grid("books", *columns)
    for book in status.books:
        counts = (count(getattr(book, column), styles.get(column, "")) for column in columns)
        table.add_row(Text(one_line(book.kind)), *counts)
    return table


def pipeline(status: Status) -> Text:
    deliveries = sum(frames.waiting + frames.pending for frames in status.frames)
    waiting = f"{number(deliveries)} deliveries and " if deliveries else ""
    spool = f"spool   {waiting}{number(status.spool.batches)} batches wait, {size(status.spool.bytes)}"
    if status.spool.oldest_sealed_at is not None:
        oldest = age(status.at, datetime.fromtimestamp(status.spool.oldest_sealed_at, UTC))
        spool += f", the oldest for {oldest}"
    writer = ("writing", STYLES["good"]) if status.writer.connected else ("not connected", STYLES["warn"])
    if status.writer.blocked_since is not None:
        since = age(status.at, status.writer.blocked_since)
        writer = (f"blocked for {since}: {one_line(status.writer.blocked_by)}", STYLES["bad"])
    return Text.assemble("\n", spool, "\nwriter  ", writer, *(kept(status, frames) for frames in status.frames))


def kept(status: Status, frames: FramesStatus) -> tuple[str, str]:
    """Deliveries that are acknowledged and not rows yet."""
    waits = f"{number(frames.waiting)} deliveries to be read, " if frames.waiting else ""
    needs = f"{number(frames.pending)} wait for an answer of the platform, " if frames.pending else ""
    oldest = age(status.at, frames.oldest_at)
    why = "".join(f"\n        {waited_for(wait)}" for wait in frames.waits)
    return f"\nkept    {one_line(frames.feed)}: {waits}{needs}the oldest for {oldest}{why}", STYLES["warn"]


def waited_for(wait: WaitStatus) -> str:
    """For what answers are waited, and what a person can do."""
    more = ", ..." if len(wait.shops) == SHOPS_SHOWN_MAX and wait.needs > len(wait.shops) else ""
    shops = f" (shop {', '.join(one_line(shop) for shop in wait.shops)}{more})" if any(wait.shops) else ""
    return f"{number(wait.needs)}: {OBSTACLES.get(wait.obstacle, one_line(wait.obstacle))}{shops}"

"""`livemon doctor`: asks every outside thing once, a line each: fine, or what to do."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from monitor import config
from monitor.commands import add_config_option
from monitor.config import Config
from monitor.doctor.finding import Finding, State
from monitor.doctor.rounds import round_of
from monitor.http.labels import one_line

if TYPE_CHECKING:
    from monitor.commands import Commands

STYLES: dict[State, str] = {"fine": "green", "note": "yellow", "wrong": "bold red"}
FILE_COLUMNS_MAX = 10_000
NAME_WIDTH = 16

EXAMPLES = """\
examples:
  livemon doctor --send    each chat robot gets a test message
  livemon doctor           before the event, and whenever something seems odd; the monitor may run meanwhile

Asks each feed, Alertmanager and Prometheus once, reaches each hook by its public URL, looks at database, clock, disk
and the time an fsync takes.
What can be signed with our own secrets (push_json) is tried with a probe, which is answered and counted nowhere.
Exit code 0: all fine (a note is nothing to mend); 1: something is wrong; 2: the config itself is,
or database or data_dir were born for an event and the config is for a rehearsal, or the other way.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "doctor",
        help="asks every outside thing once: fine, or what to do",
        description="Asks every outside thing once, a line each: fine, or what to do.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("--send", action="store_true", help="send each chat robot a test message, too")


def run(args: argparse.Namespace) -> int:
    path = config.find(args.config)
    checked = config.load(path)
    wrong = asyncio.run(examine(checked, path, args.send))
    return 1 if wrong else 0


async def examine(checked: Config, path: Path, send: bool = False) -> int:
    """Print each finding as it comes; how many are wrong."""
    width = None if sys.stdout.isatty() else FILE_COLUMNS_MAX
    console = Console(file=sys.stdout, width=width, highlight=False, emoji=False, legacy_windows=False)
    counted: dict[State, int] = {"fine": 0, "note": 0, "wrong": 0}
    with console.status("asking ...") as waiting:
        async for finding in round_of(checked, path, send):
            counted[finding.state] += 1
            console.print(line(finding))
            waiting.update(f"asking, after {one_line(finding.name)} ...")
    console.print(Text(f"\n{counted['fine']} fine, {counted['note']} of note, {counted['wrong']} wrong", style="bold"))
    return counted["wrong"]


def line(finding: Finding) -> Text:
    """State, what was asked, what came of it, what to do."""
    todo = f"; {one_line(finding.todo)}" if finding.todo else ""
    return Text.assemble(
        (f"{finding.state:<6}", STYLES[finding.state]),
        (f"{one_line(finding.name):<{NAME_WIDTH}} ", "bold"),
        one_line(finding.what),
        (todo, STYLES["note"] if finding.todo else ""),
    )

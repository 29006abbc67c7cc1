"""`livemon run`: the monitor itself."""

import argparse
import asyncio
from typing import TYPE_CHECKING

import uvloop

from monitor import app, log, open_files
from monitor.birth import recognise_embedded
from monitor.commands import add_config_option
from monitor.commands.database import own_config
from monitor.config import find

if TYPE_CHECKING:
    from monitor.commands import Commands

DESCRIPTION = """\
Watch all feeds of the config until Ctrl-C or SIGTERM, then stop cleanly (exit 0): collectors first, then what was
heard is sealed on disk, then PostgreSQL has a few seconds; the rest waits in the spool for the next start.
SIGHUP reads the config again: feeds, roster file, event, robots and shifts follow it; a bad file changes nothing and is
said."""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "run",
        help="the monitor: watches all feeds until Ctrl-C or SIGTERM",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("--robots", action="store_true", help="in a rehearsal: let chat robots speak, marked 【演练】")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    config, path = own_config(args), find(args.config)
    open_files.raise_limit()
    with log.started(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(recognise_embedded(config, path))
        runner.run(app.run(config, path, robots=args.robots))
    return 0

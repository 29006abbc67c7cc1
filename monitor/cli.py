"""The command line: finds the command, runs it, and turns every expected failure into one line and an exit code."""

import argparse
import difflib
import importlib
import os
import select
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from types import ModuleType
from typing import NoReturn

from monitor.commands import CommandError
from monitor.config import ConfigError
from monitor.problem import quoted
from monitor.secret import SecretError
from monitor.store.disk import SpoolBornDifferent, SpoolDiskFailed, SpoolFull, SpoolLocked, SpoolUnreadable

COMMANDS = {
    "Watch": {
        "run": "the monitor: watches all feeds until Ctrl-C or SIGTERM",
        "check": "is everything in the config, the roster file and the secret files right?",
        "doctor": "asks every outside thing once: fine, or what to do",
        "status": "a live table of a running monitor",
        "coverage": "which room is seen by which feed, or why by none",
    },
    "Rooms": {
        "roster": "import, export, undo or adopt rooms",
        "schedule": "import the planned broadcasts: stops are judged by them",
    },
    "Duty": {
        "ack": "take an alert: nobody else is called for it",
        "silence": "nobody hears of these for a while: make, list, end, import",
        "ended": "a person's word that a broadcast is over: its stop was no drop",
        "handover": "the shift's digest: open drops and who holds them, silences, blind feeds",
    },
    "Accounts": {
        "account": "authorisations of shops and anchors: import, link, list, revoke",
    },
    "Files": {
        "import": "sales and ticks that came as files, each once",
    },
    "Database": {
        "sql": "ask one read-only question",
        "export": "history into a file: Parquet, CSV or xlsx",
        "report": "one HTML file about a day or the event, with plots",
        "dsn": "the address of the database in force",
        "migrate": "bring the schema up to date",
        "prune": "take away days that the config no longer keeps",
    },
    "Practice": {
        "rehearse": "a simulated event week, served by fake platforms, watched by the real monitor",
    },
    "Trouble": {
        "record": "what one feed sends, raw, to a file",
        "replay": "what recorded frames mean: ticks, a summary, or the story",
        "quarantine": "rows that could not be written: list, show, retry, drop",
        "spool": "what a stopped monitor has yet to send; the repair after exit code 5",
    },
}

EXAMPLES = """\
examples:
  livemon check                                  before the first start, and after each edit
  livemon run                                    with ./livemon.toml, or $LIVEMON_CONFIG
  livemon roster import roster.csv --dry-run     what would change, and what is wrong in the file
  livemon status                                 is it well? which feeds are blind?
  livemon sql "SELECT * FROM room_now"           the rooms as they are now
  livemon COMMAND --help                         everything about one command

exit codes:
  0  fine
  1  anything that is not below
  2  configuration: each error as file:line: what; what to do
  3  the spool is locked by another instance
  4  the disk failed (a write or an fsync was refused)
  5  the spool cannot be read: livemon spool repair
"""

EXIT_CODES: dict[type[BaseException], int] = {
    ConfigError: 2,
    SecretError: 2,
    SpoolBornDifferent: 2,
    SpoolLocked: 3,
    SpoolDiskFailed: 4,
    SpoolUnreadable: 5,
    SpoolFull: 1,
    CommandError: 1,
    OSError: 1,  # among them a connection that was refused or timed out
}
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """argparse, but a wrong command line is exit code 1: 2 says that the configuration is wrong."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a character must not end a command
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        told = outcome(error)
        if isinstance(error, BrokenPipeError) and _reader_left():
            return 1
        if told is None:
            raise
        message, code = told
        print(message, file=sys.stderr)
    return code


def outcome(error: BaseException) -> tuple[str, int] | None:
    """What to say of an expected failure, and its exit code; None of anything else: that is a bug, with traceback.

    Of several that ended together the one with the highest code is told; one bug among them makes it a bug.
    """
    codes = _exit_codes()
    found = [(code, leaf) for leaf in _leaves(error) if (code := _code(leaf, codes)) is not None]
    if len(found) < len(list(_leaves(error))):
        return None
    code, failure = max(found, key=lambda pair: pair[0])
    if isinstance(failure, ConfigError | CommandError):
        return str(failure), code
    text = " ".join(str(failure).split()) or type(failure).__name__
    return f"livemon: {text}", code


def command_names() -> list[str]:
    return [name for group in COMMANDS.values() for name in group]


def _dispatch(arguments: list[str]) -> int:
    if arguments and arguments[0].partition("=")[0] == "--config":
        raise CommandError("livemon: --config comes after the command: livemon COMMAND --config F")
    asked = next((word for word in arguments if not word.startswith("-")), None)
    if asked is not None and asked not in command_names():
        near = difflib.get_close_matches(asked, command_names(), 1)
        todo = f"did you mean {near[0]}?" if near else "livemon --help lists them"
        raise CommandError(f"livemon: there is no command {quoted(asked)}; {todo}")
    parser = _parser()
    try:
        if asked is None:
            parser.parse_args(arguments)
            parser.print_help(sys.stderr)
            return 1
        command = _command(asked)
        command.add(parser.add_subparsers(prog="livemon", metavar="COMMAND", help=argparse.SUPPRESS))
        args = parser.parse_args(arguments)
    except SystemExit as end:  # --help, --version or a wrong command line; what was printed is still to be flushed
        return end.code if isinstance(end.code, int) else 1
    code: int = command.run(args)
    return code


def _parser() -> Parser:
    parser = Parser(
        prog="livemon",
        usage="livemon COMMAND [...]",
        description=_overview(),
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"livemon {version()}")
    return parser


def _command(name: str) -> ModuleType:
    """The module of the command that was asked for; the others are not imported: they would make each start slow."""
    return importlib.import_module(f"monitor.commands.{name}")


def _overview() -> str:
    lines = ["Watches live-commerce broadcasts: who is on air, who dropped, what was sold.", ""]
    for group, commands in COMMANDS.items():
        lines += [f"{group}:", *(f"  {name:12}{does}" for name, does in commands.items()), ""]
    return "\n".join(lines)


def version() -> str:
    """The version of the installed package."""
    try:
        return metadata.version("livemon")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _exit_codes() -> dict[type[BaseException], int]:
    """The table with the errors of libraries, which are imported only once something went wrong."""
    import aiohttp
    import asyncpg

    libraries = (asyncpg.PostgresError, asyncpg.InterfaceError, aiohttp.ClientError)
    return EXIT_CODES | dict.fromkeys(libraries, 1)


def _code(error: BaseException, codes: dict[type[BaseException], int]) -> int | None:
    return next((code for kind, code in codes.items() if isinstance(error, kind)), None)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _reader_left() -> bool:
    """Whether whoever read our output has gone, as `head` does; the rest of it then goes nowhere."""
    try:
        descriptor = sys.stdout.fileno()
    except OSError:  # a stdout that is no file
        return False
    poll = select.poll()
    poll.register(descriptor, 0)
    if not any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    return True

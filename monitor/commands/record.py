"""`livemon record`: the raw frames of one feed, with their instants, to a file that `livemon replay` reads."""

import argparse
import asyncio
import logging
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from collectors.api_feed import ApiRow
from collectors.hook import CalledRow, OrderPollRow, OrderSocketRow
from monitor.commands import CommandError, add_config_option, load_config
from monitor.commands.answer import shown
from monitor.commands.feed import add_roster_option, feed_named, roster_of, with_rooms
from monitor.crew import bounded_http
from monitor.live.clock import Clock
from monitor.live.recorder import FrameFile, record
from monitor.live.supervise import Collecting

if TYPE_CHECKING:
    from monitor.commands import Commands

PROGRESS_S = 0.5
BAD_SHOWN_MAX = 20

EXAMPLES = """\
examples:
  livemon record hall-a -o frames.jsonl                until Ctrl-C, which keeps what is there
  livemon record hall-a --for 600 -o frames.jsonl      ten minutes
  livemon replay frames.jsonl --feed hall-a --story    what happened in them

Asks the feed as `livemon run` would, with the same limits, and tries it again in the same way. Needs no running
monitor and no database, and is in the way of neither. Each line of the file is one frame as it came, and its instant.
Frames may hold what is nobody's business: the file is readable by you alone.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "record",
        help="what one feed sends, raw, to a file",
        description="Hears one feed of the config alone and writes its raw frames to a file.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    add_roster_option(parser)
    parser.add_argument("feed", metavar="FEED", help="the name of a [[feed]] of the config")
    parser.add_argument(
        "--for", dest="seconds", metavar="S", type=float, help="so many seconds (left out: until Ctrl-C)"
    )
    parser.add_argument("-o", "--output", metavar="F.jsonl", type=Path, required=True, help="the file to write")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")


def run(args: argparse.Namespace) -> int:
    if args.seconds is not None and not args.seconds > 0:
        raise CommandError("livemon: --for must be more than 0 seconds")
    configured = load_config(args)
    feed = with_rooms(feed_named(configured, args.feed), roster_of(configured, args.roster))
    if isinstance(feed, CalledRow):
        raise CommandError(f"livemon: {feed.name} is called by its platform; there is nothing to ask and to record")
    if isinstance(feed, OrderSocketRow):
        raise CommandError(
            f"livemon: what {feed.name} brings is brought once: recording would take it from the monitor"
        )
    if isinstance(feed, ApiRow):
        raise CommandError(f"livemon: {feed.name} is asked by the running monitor, with the tokens of its app")
    if isinstance(feed, OrderPollRow):
        raise CommandError(f"livemon: orders of {feed.name} are asked for by the running monitor, with its accounts")
    try:
        file = FrameFile(args.output, args.force)
    except FileExistsError as error:
        raise CommandError(f"livemon: {args.output} is there already; --force writes over it") from error
    telling = Telling(feed.name, file)
    try:
        with telling.log():
            asyncio.run(_record(feed, file, args.seconds, telling))
    finally:
        telling.clear()
        file.close()
    return telling.end()


async def _record(feed: Collecting, file: FrameFile, seconds: float | None, telling: "Telling") -> None:
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, until.set)
    if seconds is not None:
        loop.call_later(seconds, until.set)
    async with bounded_http() as http, asyncio.TaskGroup() as group:
        progress = group.create_task(telling.progress(), name="progress")
        await record(feed, http, Clock().now, file, until, telling.failed, telling.bad)
        progress.cancel()


class Telling:
    """What a person is told meanwhile, all of it on stderr: one line that moves, if it is a terminal; each failure."""

    def __init__(self, feed: str, file: FrameFile) -> None:
        self.feed, self.file, self.started_s = feed, file, time.monotonic()
        self.moving = sys.stderr.isatty()
        self.failures: Counter[str] = Counter()
        self.bad_frames = 0

    def failed(self, reason: str) -> None:
        self.failures[reason] += 1

    def bad(self, reason: str) -> None:
        self.bad_frames += 1
        if self.bad_frames <= BAD_SHOWN_MAX:
            self._say(f"frame {self.file.frames} was recorded, and means nothing to {self.feed}: {shown(reason)}")

    async def progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_S)
            if self.moving:
                print(f"\r\x1b[K{self._so_far()}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.moving:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def end(self) -> int:
        """The last word, and the exit code: 1 if nothing was heard."""
        print(f"{self._so_far()} in {self.file.path}" if self.file.frames else f"nothing was heard of {self.feed}")
        return 0 if self.file.frames else 1

    @contextmanager
    def log(self) -> Iterator[None]:
        """What the keeper of feeds logs (lost, and back) is a line here."""
        log, handler = logging.getLogger("monitor.live.supervise"), logging.Handler()
        handler.emit = lambda record: self._say(shown(record.getMessage()))  # type: ignore[method-assign]
        level, propagate = log.level, log.propagate
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
        try:
            yield
        finally:
            log.removeHandler(handler)
            log.setLevel(level)
            log.propagate = propagate

    def _so_far(self) -> str:
        count = self.file.frames
        said = f"{count:,} frame{'' if count == 1 else 's'}, {self.file.bytes:,} bytes"
        said += f" in {time.monotonic() - self.started_s:.0f} s"
        if self.bad_frames:
            said += f"; {self.bad_frames:,} mean nothing"
        others = {reason: times for reason, times in self.failures.items() if reason != "bad_frame"}
        if others:
            said += "; failures: " + ", ".join(f"{times} {reason}" for reason, times in sorted(others.items()))
        return said

    def _say(self, line: str) -> None:
        self.clear()
        print(line, file=sys.stderr)

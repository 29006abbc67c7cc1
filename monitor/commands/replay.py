"""`livemon replay`: recorded frames back through their collector; what they mean is printed, and written nowhere."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from collectors import Feed
from collectors.collector import BadFrame, PartlyRead
from collectors.frames import Recorded, whole
from collectors.hook import CalledRow, OrderPollRow, OrderSocketRow
from collectors.tick import Tick
from monitor.commands import CommandError, add_config_option, load_config
from monitor.commands.answer import shown
from monitor.commands.feed import add_roster_option, feed_named, roster_of, with_rooms
from monitor.commands.table import print_table
from monitor.config import Config
from monitor.facts import BlindSpan, Change, RosterRoom
from monitor.live.sight import platform_of
from monitor.live.story import Story
from monitor.live.supervise import Collecting
from monitor.live.watch import Watch

if TYPE_CHECKING:
    from monitor.commands import Commands

EXAMPLES = """\
examples:
  livemon replay frames.jsonl --feed hall-a               every tick, one JSON object a line
  livemon replay frames.jsonl --feed hall-a --summary     a line per room
  livemon replay day1.jsonl day2.jsonl --feed hall-a --story
                                                          who opened, dropped, resumed, closed; when we were blind

Pure: no database is read or written, no feed is asked. The feed's settings, and with them how long it may be silent,
are those of the config now. With --story, rooms are those of the roster file, or, where there is none, those that the
frames tell of (`livemon roster export -o roster.csv` writes the roster as the database has it); no schedule is known,
so that a session that ends in mid-broadcast closes as unknown instead of lost.
Lines that are no frame, and frames that mean nothing, are named on stderr: exit code 1.
"""

type Meant = tuple[datetime, Sequence[Tick] | None]


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "replay",
        help="what recorded frames mean: ticks, a summary, or the story",
        description="Reads recorded frames and prints what they mean to their collector.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    add_roster_option(parser)
    parser.add_argument("files", metavar="F.jsonl", type=Path, nargs="+", help="what `livemon record` wrote, in order")
    parser.add_argument("--feed", required=True, metavar="FEED", help="the name of the [[feed]] they came from")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--summary", action="store_true", help="a line per room instead of every tick")
    how.add_argument("--story", action="store_true", help="the changes of sessions, and blind spans, instead of ticks")


def run(args: argparse.Namespace) -> int:
    configured = load_config(args)
    roster = roster_of(configured, args.roster)
    feed = with_rooms(feed_named(configured, args.feed), roster)
    if isinstance(feed, CalledRow | OrderPollRow | OrderSocketRow):
        raise CommandError(
            f"livemon: what {feed.name} brings is kept encrypted and never recorded; `livemon quarantine` shows what "
            "could not be read"
        )
    reading = Reading(args.files, feed)
    if args.summary:
        print_summary(reading, configured.zone)
    elif args.story:
        print_story(reading, configured, roster)
    else:
        print_ticks(reading)
    if reading.bad:
        print(f"{reading.bad:,} of {reading.frames + reading.bad:,} frames are bad", file=sys.stderr)
    return 1 if reading.bad else 0


class Reading:
    """The frames of files and what each means; what is bad is said on stderr and counted."""

    def __init__(self, files: Sequence[Path], feed: Feed, quiet: bool = False) -> None:
        self.files, self.feed, self.quiet = files, feed, quiet
        self.frames = self.bad = 0

    def meant(self) -> Iterator[Meant]:
        for file in self.files:
            yield from self._meant_in(file)

    def _meant_in(self, file: Path) -> Iterator[Meant]:
        decode = msgspec.json.Decoder(Recorded).decode
        try:
            lines = file.open("rb")
        except OSError as error:
            raise CommandError(f"livemon: {file} cannot be read: {error.strerror}") from error
        with lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    frame, at = whole(decode(line))
                except ValueError as error:  # msgspec's errors are among them
                    self._say(file, number, f"not a recorded frame: {error}")
                    continue
                ticks = self._parsed(file, number, frame, at)
                self.frames += ticks is not None
                yield at, ticks

    def _parsed(self, file: Path, number: int, frame: bytes, at: datetime) -> Sequence[Tick] | None:
        try:
            ticks = cast(Collecting, self.feed).parse(frame, at)
            msgspec.json.encode(ticks)  # what no JSON can hold, no row can
            return ticks
        except PartlyRead as error:
            if error.whole:
                return error.ticks
            self._say(file, number, str(error))
            return error.ticks or None
        except BadFrame as error:
            self._say(file, number, str(error))
        except Exception as error:  # noqa: BLE001  as the monitor: one frame's nonsense ends nothing
            self._say(file, number, f"{type(error).__name__}: {error}")
        return None

    def _say(self, file: Path, number: int, reason: str) -> None:
        self.bad += 1
        if self.quiet:
            return
        sys.stdout.flush()
        print(f"{file}:{number}: {shown(reason)}", file=sys.stderr)


def print_ticks(reading: Reading) -> None:
    """JSON is UTF-8, whatever the terminal's encoding is."""
    encode = msgspec.json.Encoder().encode_lines
    for _, ticks in reading.meant():
        if ticks:
            sys.stdout.buffer.write(encode(ticks))
    sys.stdout.buffer.flush()


class Seen(msgspec.Struct):
    """What the frames told of one room."""

    ticks: int = 0
    live: int = 0
    stops: int = 0
    viewers_max: int | None = None
    first_live_at: datetime | None = None
    last_live_at: datetime | None = None
    was_live: bool = False

    def add(self, tick: Tick) -> None:
        self.ticks += 1
        if tick.viewers is not None:
            self.viewers_max = max(self.viewers_max or 0, tick.viewers)
        if tick.live:
            self.live += 1
            self.first_live_at = self.first_live_at or tick.at
            self.last_live_at = tick.at
        if tick.live is not None:
            self.stops += self.was_live and not tick.live
            self.was_live = tick.live


def print_summary(reading: Reading, zone: tzinfo) -> None:
    rooms: dict[str, Seen] = {}
    first_at = last_at = None
    for at, ticks in reading.meant():
        first_at, last_at = first_at or at, at
        for tick in ticks or ():
            rooms.setdefault(tick.room, Seen()).add(tick)
    rows = [
        [shown(room), seen.ticks, seen.live, seen.stops, "-" if seen.viewers_max is None else seen.viewers_max,
         _local(seen.first_live_at, zone), _local(seen.last_live_at, zone)]
        for room, seen in sorted(rooms.items())
    ]  # fmt: skip
    print_table(["room", "ticks", "live", "stops", "viewers max", "first live", "last live"], rows)
    ticks_total = sum(seen.ticks for seen in rooms.values())
    span = f", {_local(first_at, zone)} to {_local(last_at, zone)}" if first_at else ""
    print(f"{reading.frames:,} frames, {ticks_total:,} ticks, {len(rooms):,} rooms{span}")


def print_story(reading: Reading, configured: Config, roster: list[RosterRoom]) -> None:
    roster = roster or rooms_told(reading)
    watch = Watch(configured.grace_s, configured.end_slack_s, configured.event_currency)
    rooms = {(room.platform, room.external_id): room for room in roster}
    counts: dict[str, int] = {}
    for fact in Story(watch, reading.feed, roster).tell(reading.meant()):
        if isinstance(fact, Change):
            counts[fact.change] = counts.get(fact.change, 0) + 1
            room = rooms[fact.platform, fact.room]
            words = f"{fact.room}  {fact.cause}  {room.anchor or room.broadcaster}".rstrip()
            print(f"{_local(fact.at, configured.zone)}  {fact.change:8}{shown(words)}")
        else:
            print(_span_line(fact, configured.zone))
    told = ", ".join(f"{counts.get(name, 0):,} {name}" for name in ("opened", "dropped", "resumed", "closed"))
    still = sum(room.session.is_open for room in watch.rooms)
    print(f"{reading.frames:,} frames: {told}; {still:,} open at the end")
    if unlisted := sum(len(feed.unlisted) + feed.unlisted_more for feed in watch.feeds.values()):
        print(f"{unlisted:,} rooms that it saw live are not in the roster, or not this feed's")


def rooms_told(reading: Reading) -> list[RosterRoom]:
    """Every room that the frames tell of, as a roster."""
    platform = platform_of(reading.feed)
    before = Reading(reading.files, reading.feed, quiet=True)
    names = dict.fromkeys(tick.room for _, ticks in before.meant() for tick in ticks or ())
    return [RosterRoom(number, platform, name) for number, name in enumerate(names, 1)]


def _span_line(span: BlindSpan, zone: tzinfo) -> str:
    if span.to_at is None:
        return f"{_local(span.from_at, zone)}  blind   {span.feed}  {span.cause}"
    seconds = (span.to_at - span.from_at).total_seconds()
    return f"{_local(span.to_at, zone)}  sees    {span.feed}  after {seconds:,.1f} s blind ({span.cause})"


def _local(at: datetime | None, zone: tzinfo) -> str:
    return "-" if at is None else at.astimezone(zone).isoformat(" ", "milliseconds")

"""`livemon check`: is everything in the config, the roster file and the secret files right? Opens no socket."""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from monitor import config, problem
from monitor.alerts import contacts, shift
from monitor.alerts.contacts import Contact
from monitor.commands import add_config_option
from monitor.config import Config, ConfigError
from monitor.problem import quoted
from monitor.roster_file import RosterFile, read_roster_file

if TYPE_CHECKING:
    from monitor.commands import Commands


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "check",
        help="is everything in the config, the roster file and the secret files right?",
        description="Reads the config, the roster file and the secret files, and opens no socket. "
        "Exit code 0, or 2 with one line per error: file:line: what is wrong; what to do.",
    )
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    path = config.find(args.config)
    checked = config.load(path)
    roster = read_roster(checked.roster) if checked.roster else None
    people = contacts.read(checked.contacts) if checked.contacts else {}
    print(f"{path} is fine.")
    for line in (*summary(checked, roster), *_duty(checked, people)):
        print(f"  {line}")
    return 0


def read_roster(path: Path) -> RosterFile:
    """The roster file, right in every row; ConfigError holds the line of each row that is not."""
    try:
        roster = read_roster_file(path.read_bytes(), str(path))
    except OSError as error:
        raise problem.of_file(path, f"cannot be read: {error.strerror}", "let livemon read it") from error
    if roster.problems:
        raise ConfigError(roster.problems)
    return roster


def summary(checked: Config, roster: RosterFile | None) -> Iterator[str]:
    """What a person would want to see at a glance before the first start."""
    kinds = Counter(str(feed.__struct_config__.tag) for feed in checked.feeds)
    yield f"feeds: {_counts(kinds)}" if kinds else "feeds: none yet, so nothing would be watched; add a [[feed]]"
    if roster is None:
        yield "roster: no file named here; rooms come from the database"
    else:
        rooms = Counter(room.platform for room in roster.rooms)
        yield f"roster: {rooms.total()} rooms ({_counts(rooms)})"
        yield from (f"note: {note}" for note in roster.notes)
        yield from _unwatched(checked, rooms)
    if checked.purpose == "rehearsal":
        yield "purpose: a rehearsal, which no database or data_dir of an event will take"
    if checked.event:
        starts_at, ends_at = (
            at.astimezone(checked.zone).isoformat(" ", "minutes")
            for at in (checked.event.starts_at, checked.event.ends_at)
        )
        yield f"event: {checked.shown_name}, {starts_at} to {ends_at}"
    yield from _called(checked)
    yield "database: the one of dsn" if checked.dsn else f"database: embedded PostgreSQL under {checked.data_dir}"


def _called(checked: Config) -> Iterator[str]:
    if checked.apps:
        yield f"apps: {', '.join(f'{app.name} ({app.platform})' for app in checked.apps)}"
    if checked.hooks_listen:
        public = f", told to platforms as {checked.hooks_url}" if checked.hooks_url else ""
        yield f"hooks: {checked.hooks_listen}{public}"
        if not checked.trusted_proxies:
            yield "note: no trusted_proxies: behind a proxy all callers count as one client"
    if checked.rates:
        yield f"coins: {_counts(Counter(rate.coin for rate in checked.rates))}"


def _duty(checked: Config, people: Mapping[str, Contact]) -> Iterator[str]:
    """Who is called, and what leaves an hour without anybody."""
    if checked.shifts:
        yield f"shifts: {', '.join(f'{each.name} {each.starts} to {each.ends}' for each in checked.shifts)}"
    yield from (f"note: {doubt}" for doubt in shift.doubts(checked.shifts))
    for each in checked.shifts:
        for name in each.duty:
            if name not in people:
                yield f"note: shift {each.name} calls {quoted(name)}, whom contacts do not list: nobody is mentioned"


def _unwatched(checked: Config, rooms: Counter[str]) -> Iterator[str]:
    seen = {feed.platform or feed.PLATFORM for feed in checked.feeds}
    for platform in sorted(rooms.keys() - seen):
        yield f"note: no feed sees platform {quoted(platform)}: {rooms[platform]} of the rooms would be unwatched"


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))

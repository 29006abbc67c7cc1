"""The feed that a command names, with the rooms it watches: without a database, by config and roster file alone."""

import argparse
from pathlib import Path

import msgspec

from collectors import Feed
from monitor.commands import CommandError
from monitor.config import Config, ConfigError
from monitor.facts import RosterRoom
from monitor.live.clock import wall_time
from monitor.live.watch import Watch
from monitor.problem import quoted
from monitor.roster_file import read_roster_file
from monitor.table_file import read_bytes


def add_roster_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--roster", metavar="F", type=Path, help="the roster file (left out: the one that the config names)"
    )


def feed_named(config: Config, name: str) -> Feed:
    """The feed of the config with this name."""
    for feed in config.feeds:
        if feed.name == name:
            return feed
    names = ", ".join(feed.name for feed in config.feeds) or "none at all"
    raise CommandError(f"livemon: the config has no feed {quoted(name)}; it has {names}")


def roster_of(config: Config, given: Path | None) -> list[RosterRoom]:
    """The rooms of the roster file, numbered as they stand; none where no file is named. Raises ConfigError."""
    path = given or config.roster
    if path is None:
        return []
    file = read_roster_file(read_bytes(path), str(path))
    if file.problems:
        raise ConfigError(file.problems)
    known = {field for field in RosterRoom.__struct_fields__ if field not in ("room_id", "platform", "external_id")}
    return [
        msgspec.convert(
            {"room_id": number, "platform": room.platform, "external_id": room.external_id}
            | {name: value for name, value in room.fields.items() if name in known and value is not None},
            RosterRoom,
        )
        for number, room in enumerate(file.rooms, 1)
    ]


def with_rooms(feed: Feed, roster: list[RosterRoom]) -> Feed:
    """The feed as the monitor would start it: with its own rooms, else with those of the roster, if there is one."""
    if feed.rooms is not None or not roster:
        return feed
    watch = Watch()
    watch.load(roster, (), (feed,), wall_time())
    return msgspec.structs.replace(feed, rooms=watch.rooms_of(feed))

"""What a comparison works on: the play, its truth, the database as a reader sees it, and who told of which room."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

import asyncpg

from monitor.store.statements import statement

from ..event.cast import OWN
from ..event.play import Play
from ..manners import OWN_WAYS, feed_name, hall_feed, manner
from ..truth import feeds_in
from .allowance import Rules
from .darkness import Blind
from .stops import Span

type Connection = asyncpg.Connection[asyncpg.Record]
EARLIER = timedelta(hours=1)  # livemon watches for some seconds before a play begins
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """`feeds`: the numbers of the parts that each feed is about, in the order of its frames. `feed_of` is the one that
    says how a room stands; `counted_by` one that says beside it how many watch, `called_by` what its server calls.

    Instants that end in `_s` are seconds of the world since the play began.
    """

    truth: Path
    play: Play
    conn: Connection
    until: datetime
    rules: Rules
    feeds: dict[str, list[int]]
    feed_of: dict[int, str]
    room_ids: dict[int, int]  # by part
    part_of: dict[int, int]  # by room
    say: Callable[[str], None]
    counted_by: dict[int, str] = field(default_factory=dict)
    called_by: dict[int, str] = field(default_factory=dict)

    def clock_s(self, at: datetime) -> float:
        return (at - self.play.tempo.began_at).total_seconds()

    @property
    def until_s(self) -> float:
        return self.clock_s(self.until)

    @property
    def from_at(self) -> datetime:
        return self.play.tempo.began_at - EARLIER

    def instant(self, clock_s: float | None) -> str:
        """For a person who looks for it in the database."""
        if clock_s is None or clock_s == inf:
            return "never"
        at = self.play.tempo.began_at + timedelta(seconds=clock_s)
        return at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds")

    def of_feed(self, feed: str, clock_s: float) -> str:
        return f"{feed} {self.instant(clock_s)}".strip()

    def of_part(self, number: int, clock_s: float | None) -> str:
        """-1: the instant alone."""
        return self.instant(clock_s) if number < 0 else f"{self.room(number)} {self.instant(clock_s)}"

    def room(self, number: int) -> str:
        part = self.play.parts[number]
        return f"{part.platform} {part.room}"

    async def blind(self) -> list[Blind]:
        """The blind spans of all feeds."""
        return [
            Blind(
                row["feed"], self.clock_s(row["from_at"]), inf if row["to_at"] is None else self.clock_s(row["to_at"]),
                row["cause"], row["room_id"],
            )
            for row in await self.conn.fetch(statement("rehearsal/blind"), self.from_at)
        ]  # fmt: skip

    def blind_rooms(self, blind: Iterable[Blind]) -> dict[str, list[Span]]:
        """When rooms that are told of one by one could not be seen, each by itself or all of them; by feed."""
        found: dict[str, list[Span]] = {feed: [] for feed in self.feeds if manner(feed).one_room}
        of_all: dict[str, list[str]] = {}
        for feed in found:
            of_all.setdefault(feed.partition(":")[0], []).append(feed)
        for span in blind:
            for feed in of_all.get(span.feed, ()):
                if span.room_id is None or self.part_of.get(span.room_id, -1) in self.feeds[feed]:
                    found[feed].append(Span(span.from_s, span.to_s))
        return found


def feeds_of(play: Play, ways: Mapping[str, str] = {}) -> dict[str, list[int]]:
    """Own servers are told of by their hall, all other rooms as `ways` says of their platform: by its relay if it
    does not."""
    feeds: dict[str, list[int]] = {}
    for number, part in enumerate(play.parts):
        feed = hall_feed(part.hall, part.room)
        if part.platform != OWN:
            feed = feed_name(ways.get(part.platform, "relay"), part.platform, part.room)
        feeds.setdefault(feed, []).append(number)
    return feeds


def ways_in(feeds: Iterable[str]) -> dict[str, str]:
    """How the platforms' rooms were told of, by the feeds that served something."""
    ways = [feed.partition(":")[0].split("-", 1) for feed in feeds]
    return {platform: way for way, platform in ways if way not in OWN_WAYS | {"count", "call"}}


async def opened(
    truth: Path, play: Play, conn: Connection, until: datetime, rules: Rules, say: Callable[[str], None]
) -> Case:
    """Read the roster as the database has it."""
    served = set(feeds_in(truth))
    feeds = feeds_of(play, ways_in(served))
    feed_of = {number: feed for feed, members in feeds.items() for number in members}
    counting = {
        number: feed for number, part in enumerate(play.parts)
        if (feed := feed_name("count", part.platform, part.room)) in served
    }  # fmt: skip
    calling = {
        number: feed for number, part in enumerate(play.parts)
        if (feed := feed_name("call", part.hall.lower(), part.room)) in served and part.platform == OWN
    }  # fmt: skip
    feeds |= {feed: [number] for each in (counting, calling) for number, feed in each.items()}
    numbers = {(part.platform, part.room): number for number, part in enumerate(play.parts)}
    part_of = {
        int(row["room_id"]): numbers[row["platform"], row["external_id"]]
        for row in await conn.fetch(statement("rehearsal/rooms"))
        if (row["platform"], row["external_id"]) in numbers
    }
    room_ids = {number: room_id for room_id, number in part_of.items()}
    return Case(truth, play, conn, until, rules, feeds, feed_of, room_ids, part_of, say, counting, calling)

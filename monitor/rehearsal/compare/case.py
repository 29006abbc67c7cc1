"""What a comparison works on: the play, its truth, the database as a reader sees it, and who told of which room."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

import asyncpg

from monitor.store.statements import statement

from ..event.play import Play
from ..truth import asked_one_by_one
from .allowance import Rules
from .darkness import Blind
from .stops import Span

type Connection = asyncpg.Connection[asyncpg.Record]
EARLIER = timedelta(hours=1)  # livemon watches for some seconds before a play begins
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """`feeds`: the numbers of the parts that each feed is about, in the order of its frames.

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
    one_by_one: Sequence[str] = ()  # platforms whose rooms are asked each by itself

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
        """The blind spans of halls."""
        rows = await self.conn.fetch(statement("rehearsal/blind"), self.from_at)
        return [
            Blind(
                row["feed"], self.clock_s(row["from_at"]), inf if row["to_at"] is None else self.clock_s(row["to_at"]),
                row["cause"], row["room_id"] is not None,
            )
            for row in rows
            if row["feed"] in self.feeds and row["feed"].startswith("hall-")
        ]  # fmt: skip

    async def blind_rooms(self) -> dict[int, list[Span]]:
        """When rooms that are asked one by one could not be seen, each by itself or all of them; by part."""
        found: dict[int, list[Span]] = {number: [] for number, feed in self.feed_of.items() if ":" in feed}
        for row in await self.conn.fetch(statement("rehearsal/blind"), self.from_at):
            ends_s = inf if row["to_at"] is None else self.clock_s(row["to_at"])
            for number in found if row["room_id"] is None else (self.part_of.get(row["room_id"], -1),):
                if self.feed_of.get(number, "").startswith(f"{row['feed']}:"):
                    found[number].append(Span(self.clock_s(row["from_at"]), ends_s))
        return found


def feeds_of(play: Play, one_by_one: Collection[str] = ()) -> dict[str, list[int]]:
    """Own servers are told of by their hall, all other rooms by the relay of their platform, or each by itself."""
    feeds: dict[str, list[int]] = {}
    for number, part in enumerate(play.parts):
        feed = f"hall-{part.hall.lower()}" if part.platform == "nginx_rtmp" else f"relay-{part.platform}"
        if part.platform in one_by_one:
            feed = f"live-{part.platform}:{part.room}"
        feeds.setdefault(feed, []).append(number)
    return feeds


async def opened(
    truth: Path, play: Play, conn: Connection, until: datetime, rules: Rules, say: Callable[[str], None]
) -> Case:
    """Read the roster as the database has it."""
    one_by_one = asked_one_by_one(truth)
    feeds = feeds_of(play, one_by_one)
    numbers = {(part.platform, part.room): number for number, part in enumerate(play.parts)}
    part_of = {
        int(row["room_id"]): numbers[row["platform"], row["external_id"]]
        for row in await conn.fetch(statement("rehearsal/rooms"))
        if (row["platform"], row["external_id"]) in numbers
    }
    feed_of = {number: feed for feed, members in feeds.items() for number in members}
    room_ids = {number: room_id for room_id, number in part_of.items()}
    return Case(truth, play, conn, until, rules, feeds, feed_of, room_ids, part_of, say, sorted(one_by_one))

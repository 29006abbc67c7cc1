"""What was served, as it was served: frames and order events, in a file beside the database they are compared with."""

import sqlite3
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self

import msgspec

NOT_TOLD, OFF_AIR = -2, -1  # in a frame: nothing said of this room; told that it is not live

TABLES = """
CREATE TABLE frame (feed TEXT NOT NULL, at REAL NOT NULL, outcome TEXT NOT NULL, viewers BLOB);
CREATE INDEX frame_of_feed ON frame (feed, at);
CREATE TABLE fact (
    platform TEXT NOT NULL, shop TEXT NOT NULL, order_id TEXT NOT NULL, kind TEXT NOT NULL, ref TEXT NOT NULL,
    amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, room TEXT, at REAL NOT NULL, told_at REAL NOT NULL
);
CREATE TABLE note (at REAL NOT NULL, what TEXT NOT NULL, data TEXT NOT NULL);
"""

# failed: no answer, a broken one, or one that the reader cannot have had; told unasked, and nobody could hear it.
# stamped: it says itself of which instant it is, and that is the frame's; others are of when they were asked or heard.
# alive: a sign of life that says nothing of rooms.
Outcome = Literal["answered", "stamped", "alive", "failed"]


class Fact(msgspec.Struct, frozen=True):
    """One order event that a perfect listener knows by the end of the play.

    `platform`, `shop` and `room` are what the sale's row shall say; `room` is None where this platform's own words
    name none. `ref` tells several refunds of one order apart. `at` is aware UTC. A gift has no order and no shop:
    `order_id` is its event's id.
    """

    platform: str
    shop: str
    order_id: str
    kind: Literal["paid", "refunded", "gift"]
    amount_minor: int
    currency: str
    at: datetime
    room: str | None = None
    ref: str = ""


class Note(NamedTuple):
    """As `Truth.note` was given it."""

    at: datetime
    what: str
    data: Mapping[str, object]


class Truth:
    """The file, open for one play. Use as a context manager; nothing is sure to be on disk before `flush`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[Note] = []
        self._db = sqlite3.connect(path)
        self._db.executescript(TABLES)
        self._db.execute("PRAGMA synchronous = OFF")

    def served(self, feed: str, at: datetime, viewers: Sequence[int] | None, outcome: Outcome = "answered") -> int:
        """A frame of this feed went out at `at`: for each room of the feed, in the order of its cast, its viewers, or
        OFF_AIR, or NOT_TOLD. None for a frame that said nothing of rooms. Returns the number of the frame.

        A room that is told of by itself is a feed of its own: `live-PLATFORM:ROOM` (`manners`).
        """
        blob = None if viewers is None else zlib.compress(array("i", viewers).tobytes(), 1)
        row = (feed, at.timestamp(), outcome, blob)
        return self._db.execute("INSERT INTO frame VALUES (?, ?, ?, ?)", row).lastrowid or 0

    def withdraw(self, number: int) -> None:
        """This frame said nothing after all."""
        self._db.execute("DELETE FROM frame WHERE rowid = ?", (number,))

    def sold(self, fact: Fact, told_at: datetime) -> None:
        """The platform tells this from `told_at` on."""
        self._db.execute(
            "INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                fact.platform, fact.shop, fact.order_id, fact.kind, fact.ref, fact.amount_minor, fact.currency,
                fact.room, fact.at.timestamp(), told_at.timestamp(),
            ),
        )  # fmt: skip

    def note(self, at: datetime, what: str, **data: object) -> None:
        """Something was done to the play or to livemon: a fault began, PostgreSQL was killed, livemon started."""
        self.notes.append(Note(at, what, data))
        self._db.execute(
            "INSERT INTO note VALUES (?, ?, ?)", (at.timestamp(), what, msgspec.json.encode(data).decode())
        )

    def flush(self) -> None:
        self._db.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.commit()
        self._db.close()


def viewers_of(blob: bytes) -> array[int]:
    """A frame's viewers, as `served` was given them."""
    viewers = array("i")
    viewers.frombytes(zlib.decompress(blob))
    return viewers


def frames_of(path: Path, feed: str | None = None) -> Iterator[tuple[str, datetime, Outcome, bytes | None]]:
    """All frames (or those of one feed) in the order in which they were served."""
    one = "WHERE feed = ?" if feed is not None else ""
    sql = f"SELECT feed, at, outcome, viewers FROM frame {one} ORDER BY at, rowid"  # noqa: S608 (of two texts)
    with _opened(path) as db:
        for name, at, outcome, blob in db.execute(sql, () if feed is None else (feed,)):
            yield name, datetime.fromtimestamp(at, UTC), outcome, blob


def instants_of(path: Path) -> Iterator[tuple[str, datetime, Outcome]]:
    """As `frames_of`, without what the frames said."""
    with _opened(path) as db:
        for feed, at, outcome in db.execute("SELECT feed, at, outcome FROM frame ORDER BY at, rowid"):
            yield feed, datetime.fromtimestamp(at, UTC), outcome


def feeds_in(path: Path) -> list[str]:
    """The names of all feeds that served something."""
    with _opened(path) as db:
        return [str(feed) for (feed,) in db.execute("SELECT DISTINCT feed FROM frame ORDER BY feed")]


def facts_of(path: Path) -> Iterator[tuple[Fact, datetime]]:
    """All order events with the instants from which they were told, ordered by the characters of platform, order and
    kind, as COLLATE "C" orders them."""
    with _opened(path) as db:
        for row in db.execute(
            "SELECT platform, shop, order_id, kind, amount_minor, currency, at, room, ref, told_at FROM fact"
            " ORDER BY platform, order_id, kind, at, rowid"
        ):
            platform, shop, order_id, kind, amount_minor, currency, at, room, ref, told_at = row
            yield (
                Fact(
                    platform, shop, order_id, kind, amount_minor, currency, datetime.fromtimestamp(at, UTC), room, ref
                ),
                datetime.fromtimestamp(told_at, UTC),
            )


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """To read; a file that is not there is not made."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        yield db

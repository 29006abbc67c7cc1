"""The books: received = written + duplicates + quarantined + shed + spooled, and what one sealing writes into them."""

from collections.abc import Mapping

import msgspec

from collectors.hook import Need
from monitor.facts import FeedState, PollCursor
from monitor.store.batch import Batch

KINDS = ("frame", "tick", "sale", "change")

Outcome = Mapping[str, tuple[int, int, int]]
"""Of a batch, per book: rows written, duplicates, quarantined."""

MOVES = {
    "received": "UPDATE books SET received = received + ? WHERE kind = ?",
    "written": "UPDATE books SET written = written + ? WHERE kind = ?",
    "duplicates": "UPDATE books SET duplicates = duplicates + ? WHERE kind = ?",
    "quarantined": "UPDATE books SET quarantined = quarantined + ? WHERE kind = ?",
    "shed": "UPDATE books SET shed = shed + ? WHERE kind = ?",
    "reoffered": "UPDATE books SET reoffered = reoffered + ? WHERE kind = ?",
    "lost": "UPDATE books SET lost = lost + ? WHERE kind = ?",
}


class Ref(msgspec.Struct, frozen=True):
    """A sealed batch on its way: where it lies in the spool, and what it is. `sealed_at` in unix seconds."""

    seq: int
    kind: str
    size: int
    sealed_at: float


class Seal(msgspec.Struct):
    """What one transaction of the spool writes. `quarantined` and `shed` are rows that end here, per book.

    Kept frames, by their numbers: `frames` were understood, `frames_quarantined` cannot be, `frames_pending` need
    answers first.
    """

    batches: list[Batch] = []
    room_states: dict[tuple[str, str], bytes] = {}
    feed_states: dict[str, FeedState] = {}
    quarantined: dict[str, int] = {}
    shed: dict[str, int] = {}
    released: list[tuple[int, Outcome]] = []
    frames: list[int] = []
    frames_quarantined: list[int] = []
    frames_pending: list[tuple[int, tuple[Need, ...]]] = []
    cursors: list[PollCursor] = []

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__)


class Book(msgspec.Struct, frozen=True):
    """The account of one kind of row. `difference` is 0 when it balances; re-offers and losses move nothing else."""

    received: int = 0
    written: int = 0
    duplicates: int = 0
    quarantined: int = 0
    shed: int = 0
    reoffered: int = 0
    lost: int = 0
    spooled: int = 0

    @property
    def difference(self) -> int:
        return self.received - self.written - self.duplicates - self.quarantined - self.shed - self.spooled


class FrameCount(msgspec.Struct, frozen=True):
    """Of one feed: frames that nobody has read yet, frames that need an answer first, the oldest of all of them."""

    waiting: int = 0
    pending: int = 0
    oldest_at: float = 0.0


class Standing(msgspec.Struct, frozen=True):
    """The spool as it stands, read in one transaction: books per kind, pending bytes, the oldest pending instant.

    `pending` counts batches; `frames` are those that are not finished, by feed.
    """

    books: dict[str, Book]
    pending_bytes: int = 0
    oldest_sealed_at: float | None = None
    pending: int = 0
    frames: dict[str, FrameCount] = {}

    @property
    def frames_spooled(self) -> int:
        return sum(count.waiting + count.pending for count in self.frames.values())

    @property
    def oldest_frame_at(self) -> float | None:
        return min((count.oldest_at for count in self.frames.values()), default=None)

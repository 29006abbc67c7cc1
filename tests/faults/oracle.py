"""Issues rows that each have an id of their own, and judges what became of them: sealed once, in PostgreSQL once."""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec

from collectors.tick import Sale, Tick
from monitor.facts import Change, Heard, RosterRoom
from monitor.store.batch import Batch, cut_rows, facts_batches, facts_of, pack_ticks, ticks_batches
from monitor.store.books import Book, Seal, Standing
from monitor.store.keeping import tick_of
from monitor.store.spool import Spool

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Oracle:
    """The id of a tick is its number of viewers; of a sale its event id; of a session the instant it was opened."""

    def __init__(self, rooms: Sequence[RosterRoom], first: int = 1) -> None:
        self.rooms, self.next = rooms, first

    def ticks(self, count: int) -> Heard:
        at, first = datetime.now(UTC), self.next
        self.next += count
        rooms = [self.rooms[n % len(self.rooms)] for n in range(first, self.next)]
        return Heard(
            ticks=[
                (room.room_id, Tick("hall", room.external_id, at, "status", True, first + place, kbps=2000))
                for place, room in enumerate(rooms)
            ]
        )

    def facts(self) -> Heard:
        """A session that opens and closes, and a sale."""
        self.next += 1
        room, at = self.rooms[self.next % len(self.rooms)], LONG_AGO + timedelta(milliseconds=self.next)
        sale = Sale(
            feed="erp", platform=room.platform, event_id=str(self.next), at=at, received_at=at, kind="paid",
            amount_minor=self.next, currency="CNY", room=room.external_id,
        )  # fmt: skip
        opened = Change(room.platform, room.external_id, at, 1, "opened", at, "status", str(self.next).encode())
        closed = Change(room.platform, room.external_id, at, 2, "closed", at, "ended", str(self.next).encode())
        return Heard(changes=[opened, closed], sales=[sale])


def seal_of(heard: Heard) -> Seal:
    """What the sealer makes of one step."""
    at, state = datetime.now(UTC), {(c.platform, c.room): c.state for c in heard.changes}
    facts = facts_batches([*heard.changes, *heard.sales], at)
    return Seal(batches=[*facts, *ticks_batches([pack_ticks(heard.ticks, at)], at)], room_states=state)


class Rows(msgspec.Struct):
    """Of each kind of row, how often each id is there."""

    ticks: Counter[tuple[int, datetime, int | None]] = msgspec.field(default_factory=Counter)
    sales: Counter[tuple[str, int]] = msgspec.field(default_factory=Counter)
    changes: Counter[tuple[datetime, int]] = msgspec.field(default_factory=Counter)

    def add(self, batch: Batch) -> None:
        if batch.header.kind == "ticks":
            found = (tick_of(row) for row in cut_rows(batch.payload))
            self.ticks.update((room_id, tick.at, tick.viewers) for room_id, tick in found)
            return
        for fact in facts_of(batch):
            if isinstance(fact, Sale):
                self.sales[fact.event_id, fact.amount_minor] += 1
            elif isinstance(fact, Change):
                self.changes[fact.opened_at, fact.number] += 1


def sealed(folder: Path) -> tuple[Rows, Standing]:
    """All that a spool ever sealed (within its retention), and its books."""
    spool, rows = Spool(folder), Rows()
    try:
        seqs = [ref.seq for ref in spool.pending()]
        seqs += [seq for seq, _, kept in spool.applied_before(sys.maxsize, 1_000_000) if kept]
        for seq in seqs:
            rows.add(spool.load(seq))
        return rows, spool.standing()
    finally:
        spool.close()


async def written(conn: asyncpg.Connection) -> Rows:
    """All that PostgreSQL holds."""
    ticks = await conn.fetch("SELECT room_id, at, viewers FROM livemon.tick_raw")
    sales = await conn.fetch("SELECT event_id, amount_minor FROM livemon.sale")
    changes = await conn.fetch(
        "SELECT opened_at, number FROM livemon.session_change JOIN livemon.session USING (session_id)"
    )
    return Rows(*(Counter(tuple(row) for row in found) for found in (ticks, sales, changes)))


def balanced(books: dict[str, Book]) -> bool:
    return all(book.difference == 0 for book in books.values())


async def judge(database, folder: Path, restored: bool = False) -> Standing:
    """After everything has drained: what was sealed is written, each row once, and nothing else; the books say so.

    Unless the database was `restored` from a backup, nothing may have been released that it did not hold.
    """
    issued, standing = sealed(folder)
    conn = await database.connect("owner")
    try:
        found = await written(conn)
        sums = await conn.fetchrow("SELECT sum(written)::int, sum(duplicates)::int FROM livemon.applied_batch")
    finally:
        await conn.close()
    for kind in ("ticks", "sales", "changes"):
        ours, theirs = getattr(issued, kind), getattr(found, kind)
        twice = [row for row, count in theirs.items() if count > 1]
        assert not twice, f"{kind} written twice: {len(twice)}, such as {twice[:3]}"
        assert not ours - theirs, f"{kind} sealed and lost: {len(ours - theirs)}, such as {list(ours - theirs)[:3]}"
        assert not theirs - ours, f"{kind} that nobody sealed: {len(theirs - ours)}, {list(theirs - ours)[:3]}"
    books = standing.books
    assert balanced(books), books
    assert standing.pending == 0
    assert restored or not any(book.reoffered for book in books.values()), "released too early"
    assert books["tick"].written == books["tick"].received - books["tick"].shed == len(found.ticks)
    assert books["sale"].written == len(found.sales)
    assert books["change"].written == len(found.changes)
    assert (sums[0], sums[1]) == (sum(book.written for book in books.values()), 0)
    return standing

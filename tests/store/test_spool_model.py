"""The spool against a slow and obvious model of it, through every order of seals, releases, crashes and losses."""

import shutil
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from monitor.store.batch import TICK_COLUMNS, Batch, BatchDamaged, Header
from monitor.store.books import KINDS, Book, Seal
from monitor.store.spool import Spool

AT = datetime(2026, 11, 19, 12, tzinfo=UTC)
HOUR = 3_600


class Sealed:
    """What the model knows of one batch."""

    def __init__(self, batch: Batch) -> None:
        self.batch, self.state, self.kept, self.applied = batch, "pending", True, False


class SpoolMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="livemon-model-"))
        self.life, self.number = 0, 0
        self.batches: dict[int, Sealed] = {}
        self.states: dict[tuple[str, str], bytes] = {}
        self.books = {kind: dict.fromkeys(Book.__struct_fields__, 0) for kind in KINDS}
        self.spool = Spool(self.folder)

    @property
    def folder(self) -> Path:
        return self.home / str(self.life)

    def book(self, kind: str, **moves: int) -> None:
        for column, rows in moves.items():
            self.books[kind][column] += rows

    def among(self, data: st.DataObject, *states: str) -> list[int]:
        """Some batches in one of these states."""
        known = [seq for seq, sealed in self.batches.items() if sealed.state in states]
        return data.draw(st.lists(st.sampled_from(known), unique=True, max_size=3)) if known else []

    # --- what happens to it ------------------------------------------------------------------------------------------

    @rule(ticks=st.lists(st.integers(1, 9), max_size=2), changes=st.integers(0, 3), sales=st.integers(0, 2),
          shed=st.integers(0, 5), bad=st.integers(0, 2), data=st.data())  # fmt: skip
    def commit(self, ticks, changes, sales, shed, bad, data) -> None:
        """One sealing: batches, a state, rows that end here, and releases of some that are on their way."""
        self.number += 1
        seal = Seal(shed={"tick": shed}, quarantined={"sale": bad})
        if changes + sales:
            seal.batches.append(self.batch("facts", {"change": changes, "sale": sales}))
        seal.batches += [self.batch("ticks", {"tick": rows}) for rows in ticks]
        if changes:
            seal.room_states["nginx_rtmp", f"live/room{self.number % 3}"] = str(self.number).encode()
        for seq in self.among(data, "pending", "applied", "lost"):  # a release said twice, or too late, changes nothing
            seal.released.append((seq, {kind: (rows - 1, 1, 0) for kind, rows in self.counts(seq).items() if rows}))
        refs = self.spool.commit(seal)
        for ref, batch in zip(refs, seal.batches, strict=True):
            assert ref.seq == max(self.batches, default=0) + 1
            self.batches[ref.seq] = Sealed(batch)
            for kind, rows in batch.header.counts.items():
                self.book(kind, received=rows)
        self.states |= seal.room_states
        self.book("tick", received=shed, shed=shed)
        self.book("sale", received=bad, quarantined=bad)
        for seq, outcome in seal.released:
            sealed = self.batches[seq]
            if sealed.state == "pending":
                for kind, (written, duplicates, _) in {} if sealed.applied else outcome.items():
                    self.book(kind, written=written, duplicates=duplicates)
                sealed.state, sealed.applied = "applied", True

    def batch(self, kind, counts) -> Batch:
        header = Header(1, uuid.uuid4(), kind, AT, counts, TICK_COLUMNS if kind == "ticks" else ())
        return Batch(header, str(self.number).encode() * 100)

    def counts(self, seq) -> dict[str, int]:
        return self.batches[seq].batch.header.counts

    @rule(data=st.data())
    def offer_again(self, data) -> None:
        """PostgreSQL lost some that it held."""
        gone = self.among(data, "applied")
        refs = self.spool.offer_again(gone)
        assert [ref.seq for ref in refs] == sorted(seq for seq in gone if self.batches[seq].kept)
        for seq in gone:
            sealed = self.batches[seq]
            sealed.state = "pending" if sealed.kept else "lost"
            for kind, rows in self.counts(seq).items():
                self.book(kind, **{"reoffered" if sealed.kept else "lost": rows})

    @rule(data=st.data())
    def damaged(self, data) -> None:
        for seq in self.among(data, "pending"):
            self.spool.damaged(seq)
            sealed = self.batches[seq]
            sealed.state = "damaged"
            for kind, rows in self.counts(seq).items():
                self.book(kind, **{"lost" if sealed.applied else "quarantined": rows})

    @rule(data=st.data())
    def set_aside(self, data) -> None:
        for seq in self.among(data, "pending"):
            self.spool.set_aside(seq)
            self.batches[seq].state = "aside"

    @rule(facts=st.booleans())
    def prune(self, facts) -> None:
        """An hour on the ticks' bytes are gone, a day on those of facts, too; never of what is on its way."""
        self.spool.prune(time.time() + (25 if facts else 1) * HOUR)
        for sealed in self.batches.values():
            if sealed.state in ("applied", "damaged") and (facts or sealed.batch.header.kind == "ticks"):
                sealed.kept = False

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.spool = Spool(self.folder)

    @precondition(lambda self: self.batches)
    @rule()
    def crash(self) -> None:
        """kill -9: the files as they lie there are all that the next start finds."""
        here = self.folder
        self.life += 1
        self.folder.mkdir()
        for file in here.glob("spool.db*"):
            shutil.copy(file, self.folder)
        self.spool.close()
        shutil.rmtree(here)
        self.spool = Spool(self.folder)

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def the_books_are_those_of_the_model_and_balance(self) -> None:
        standing = self.spool.standing()
        waiting = [sealed for sealed in self.batches.values() if sealed.state in ("pending", "aside")]
        for kind in KINDS:
            spooled = sum(s.batch.header.counts.get(kind, 0) for s in waiting if not s.applied)
            assert standing.books[kind] == Book(**self.books[kind] | {"spooled": spooled})
            assert standing.books[kind].difference == 0
        assert standing.pending == len(waiting)
        assert standing.pending_bytes == sum(sealed.batch.size for sealed in waiting)

    @invariant()
    def what_is_on_its_way_can_be_sent_as_it_was_sealed(self) -> None:
        pending = [seq for seq, sealed in self.batches.items() if sealed.state == "pending"]
        assert [ref.seq for ref in self.spool.pending()] == pending
        for seq in pending:
            sent, sealed = self.spool.load(seq), self.batches[seq].batch
            assert (sent.header, sent.payload, sent.seq) == (sealed.header, sealed.payload, seq)
        applied = [(s, b.batch.header.id, b.kept) for s, b in self.batches.items() if b.state == "applied"]
        assert self.spool.applied_before(10**9, 10**9) == applied[::-1]
        for seq, sealed in self.batches.items():
            assert self.spool.sealed(seq, sealed.batch.header.id)
            assert not self.spool.sealed(seq, uuid.uuid4())
            if not sealed.kept:
                self.is_gone(seq)
        assert not self.spool.sealed(max(self.batches, default=0) + 1, uuid.uuid4())

    def is_gone(self, seq: int) -> None:
        try:
            self.spool.load(seq)
        except BatchDamaged:
            return
        raise AssertionError(f"the bytes of {seq} are beyond their retention")

    @invariant()
    def the_states_are_the_newest(self) -> None:
        assert self.spool.room_states() == self.states

    def teardown(self) -> None:
        self.spool.close()
        shutil.rmtree(self.home)


TestSpool = SpoolMachine.TestCase
TestSpool.settings = settings(max_examples=40, stateful_step_count=25, deadline=None, derandomize=True)

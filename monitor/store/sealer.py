"""The sealer: takes what the inbox holds, seals it in one fsynced transaction of the spool, puts it on the shelf.

All of the spool's work is done here or through `call`, in one thread. What the writer applied is released in the same
transactions, so that one fsync serves both.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import msgspec

from monitor.facts import Heard, Quarantined
from monitor.store.batch import Fact, facts_batches, ticks_batches
from monitor.store.books import Outcome, Ref, Seal, Standing
from monitor.store.cipher import is_encrypted
from monitor.store.disk import SpoolFull
from monitor.store.inbox import Inbox, Taken
from monitor.store.keeping import keep_fact, keep_tick
from monitor.store.shelf import Shelf
from monitor.store.spool import Spool

log = logging.getLogger(__name__)
SHED_FROM = 0.95  # of the cap: ticks are shed from here on, sales never
PENDING_BYTES_MAX = 8_589_934_592
FULL_WAIT_S = 1.0
FULL_S_MAX = 10.0  # how long a stop waits for room on a full disk
RELEASE_S = 0.1  # a release waits so long for a sealing to go with
STOCK_S = 0.5  # how often the books are read while many batches are pending
STOCK_FREE = 100  # with so few pending they are read after whatever is written


class Sealer:
    def __init__(
        self,
        spool: Spool,
        inbox: Inbox,
        shelf: Shelf,
        now: Callable[[], datetime],
        pending_bytes_max: int = PENDING_BYTES_MAX,
    ) -> None:
        """`sealed` may be set: it is told of each sealing that is on disk."""
        self.inbox, self.shelf, self.now = inbox, shelf, now
        self.pending_bytes_max = pending_bytes_max
        self.shedding = False
        self._full_for_s = 0.0
        self.busy = False  # steps were taken from the inbox and are not sealed yet
        self.standing: Standing = spool.standing()
        self.sealed: Callable[[Seal], None] = lambda seal: None
        self._spool, self._stock_at = spool, 0.0
        self._steps, self._stepped = 0, asyncio.Event()  # steps that are on disk
        self._released: list[tuple[int, Outcome]] = []
        self._thread = ThreadPoolExecutor(1, "spool")
        for ref in spool.pending():
            shelf.put(ref)

    async def call[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something with the spool, in its thread, after what was asked for before."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*args, **kwargs))

    def release(self, ref: Ref, outcome: Outcome) -> None:
        """PostgreSQL holds this batch: written down with the next sealing, soon."""
        self.shelf.done(ref)
        self._released.append((ref.seq, outcome))
        self.inbox.call(RELEASE_S)

    async def on_disk(self) -> None:
        """Wait until every step that was put so far is sealed."""
        steps = self.inbox.steps
        while self._steps < steps:
            self._stepped.clear()
            await self._stepped.wait()

    async def run(self) -> None:
        """Seal until the inbox is closed and drained, and every release so far is written."""
        while True:
            taken = await self.inbox.take()
            if taken or self._released:
                self.busy = True
                await self._seal(taken)
                self.busy = False
            if self.inbox.closed and not self._released:
                return

    async def finish(self) -> None:
        """After `run` and the writer have ended: write the last releases and close the spool."""
        if self._released:
            await self._seal(Taken())
        await self.call(self._spool.close)
        self._thread.shutdown(wait=False)

    async def _seal(self, taken: Taken) -> None:
        seal = self._gather(taken)
        seal.released, self._released = self._released, []
        while True:
            try:
                refs = await self.call(self._spool.commit, seal)
                break
            except SpoolFull as error:
                await self._make_room(seal, error)
        for ref, batch in zip(refs, seal.batches, strict=True):
            self.shelf.put(ref, msgspec.structs.replace(batch, seq=ref.seq))
        self._steps += len(taken.heard)
        self._stepped.set()
        self.sealed(seal)
        await self.keep_stock()

    def _gather(self, taken: Taken) -> Seal:
        """One sealing out of many steps: rows in batches, facts in their order, the newest state of each."""
        seal, facts, at = Seal(), list[Fact](), self.now()
        for step in taken.heard:
            facts += step.changes
            facts += step.spans
            facts += step.sales
            facts += step.accounts
            facts += step.alerts
            facts += step.actions
            facts += step.totals
            seal.cursors += step.cursors
            for bad in step.quarantine:
                self._set_aside(seal, facts, bad)
            self._gather_frames(seal, facts, step)
            for change in step.changes:
                if change.state:
                    seal.room_states[change.platform, change.room] = change.state
            if step.feed is not None:
                seal.feed_states[step.feed.feed] = step.feed
        for packed in taken.packed:
            for room_id, tick, reason in packed.refused:
                self._set_aside(seal, facts, keep_tick(room_id, tick, reason, at))
        if self.shedding:
            seal.shed["tick"] = sum(packed.rows for packed in taken.packed)
        else:
            seal.batches += ticks_batches(taken.packed, at)
        facts = self._encodable(seal, facts, at)
        plain, secret = ([fact for fact in facts if _is_secret(fact) is held] for held in (False, True))
        seal.batches[:0] = [*facts_batches(plain, at), *facts_batches(secret, at, secret=True)]
        return seal

    def _gather_frames(self, seal: Seal, facts: list[Fact], step: Heard) -> None:
        """Marks of kept frames go with what these frames said; they were received when they were kept."""
        seal.frames += step.frames
        seal.frames_pending += step.frames_pending
        for seq, bad in step.frames_quarantined:
            seal.frames_quarantined.append(seq)
            facts.append(bad)

    def _encodable(self, seal: Seal, facts: list[Fact], at: datetime) -> list[Fact]:
        """The facts; each that cannot be written down and read back (a lone surrogate, 65 bits) as its quarantine."""
        kept: list[Fact] = []
        for fact in facts:
            try:
                msgspec.msgpack.decode(msgspec.msgpack.encode(fact), type=type(fact))
                kept.append(fact)
            except (UnicodeEncodeError, OverflowError, TypeError, ValueError, msgspec.MsgspecError) as error:
                self._set_aside(seal, kept, keep_fact(fact, f"cannot be encoded: {type(error).__name__}", at))
        return kept

    def _set_aside(self, seal: Seal, facts: list[Fact], bad: Quarantined) -> None:
        facts.append(bad)
        seal.quarantined[bad.kind] = seal.quarantined.get(bad.kind, 0) + 1

    async def _make_room(self, seal: Seal, error: SpoolFull) -> None:
        """The disk is full: give up the ballast, shed the ticks of this sealing; facts wait, they are never shed."""
        await self.give_up_ballast(error)
        ticks = [batch for batch in seal.batches if batch.header.kind == "ticks"]
        if ticks:
            rows = sum(batch.header.counts["tick"] for batch in ticks)
            seal.shed["tick"] = seal.shed.get("tick", 0) + rows
            seal.batches = [batch for batch in seal.batches if batch.header.kind != "ticks"]
        else:
            with suppress(SpoolFull):
                await self.call(self._spool.prune, self.now().timestamp(), ticks_bytes=0)
            if self.inbox.closed:  # a stop must end: after this long nobody is making room
                self._full_for_s += FULL_WAIT_S
                if self._full_for_s > FULL_S_MAX:
                    raise error
            await asyncio.sleep(FULL_WAIT_S)

    async def give_up_ballast(self, error: SpoolFull) -> bool:
        """The disk is full: ticks are shed from now on. True if there was some space to be given up."""
        self.shedding = True
        given_up = await self.call(self._spool.ballast.give_up)
        if given_up:
            log.error("%s: the ballast was given up, ticks are shed from now on", error)
        return given_up

    async def keep_stock(self) -> None:
        """Something was written: read the books, but not often while so much waits that this costs."""
        few = self.standing.pending + self.standing.frames_spooled <= STOCK_FREE
        if few or self._stock_at + STOCK_S <= time.monotonic():
            await self.take_stock()

    async def take_stock(self) -> None:
        """Read the books; shed from 95 % of the cap until there is room again; say so once each way."""
        self.standing = await self.call(self._spool.standing)
        self._stock_at = time.monotonic()
        room_on_disk = not self.shedding or await self.call(self._spool.has_room)
        shedding = self.standing.pending_bytes >= SHED_FROM * self.pending_bytes_max or not room_on_disk
        if shedding and not self.shedding:
            log.error("spool at %d of %d bytes: ticks are shed", self.standing.pending_bytes, self.pending_bytes_max)
        if self.shedding and not shedding:
            log.warning("spool has room again: ticks are kept")
        self.shedding = shedding


def _is_secret(fact: Fact) -> bool:
    """A delivery in quarantine is encrypted for good; on its way there it must become unreadable with its frame."""
    return isinstance(fact, Quarantined) and is_encrypted(fact.payload)

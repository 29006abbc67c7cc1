"""The writer: sends sealed batches to PostgreSQL, one transaction each, until it is told to stop.

The only place where PostgreSQL is tried again. After any error inside a transaction nobody knows what became of the
batch: the connection is thrown away, our own earlier backends are ended, and the batch is offered again under the
same id; its own row in `applied_batch` then tells. The text of an exception never decides.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from collectors.tick import Sale
from monitor.store.apply import Applied, Connection, apply
from monitor.store.batch import Batch, BatchDamaged, BatchTooNew
from monitor.store.books import Ref
from monitor.store.disk import SpoolDiskFailed, SpoolLocked, SpoolUnreadable
from monitor.store.reunion import Held, reunite
from monitor.store.sealer import Sealer
from monitor.store.spool import Spool
from monitor.store.statements import statement
from monitor.store.verdict import Verdict, verdict

log = logging.getLogger(__name__)
DEADLINE_S = 10.0  # for one batch; doubled each time the same batch ran out of it (a slow link gets there)
DEADLINE_DOUBLINGS_MAX = 4
BACKOFF_S_MAX = 15.0
AGE_MAX = timedelta(days=30)  # applied_batch is not pruned within it: beyond, an id proves nothing
TEND_S = 2.0


class Meters(Protocol):
    """What the writer tells the metrics."""

    def wrote(self, seconds: float, rows: int) -> None: ...
    def resolved(self, outcome: str) -> None: ...


class Writer:
    def __init__(
        self,
        spool: Spool,
        sealer: Sealer,
        connect: Callable[[], Awaitable[Connection]],
        now: Callable[[], datetime],
        meters: Meters,
        tend: Callable[[Connection], Awaitable[None]],
        sold: Callable[[Sequence[Sale]], None] = lambda sales: None,
        fatal: tuple[type[Exception], ...] = (),
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """`tend(conn)` is called after each connect and every few seconds between batches: the house's other SQL."""
        self._spool, self._sealer, self._shelf = spool, sealer, sealer.shelf
        self._connect, self._now, self._meters, self._tend, self._sold = connect, now, meters, tend, sold
        self._fatal: tuple[type[Exception], ...] = (SpoolLocked, SpoolDiskFailed, SpoolUnreadable, *fatal)
        self._deadline_s = deadline_s
        # By batch number; others may go in between, as facts go first:
        self._unknown: set[int] = set()  # nobody knows whether it was committed
        self._failures: dict[int, int] = {}  # how often in a row it failed
        self._careful: set[int] = set()  # it holds a row which can never go in
        self._tries = 0
        self.blocked_since: float | None = time.time()
        self.blocked_reason = "not connected yet"

    async def run(self) -> None:
        """Connect, write, and again after each loss; ends only by cancellation."""
        while True:
            conn = None
            try:
                conn = await self._connect()
                await self._meet(conn)
                await self._write(conn)
            except self._fatal:
                raise
            except (Held, BatchTooNew) as error:
                self._block("held", error)
            except Exception as error:  # noqa: BLE001  what is not named is transient and loud, never dropped
                self._block(verdict(error), error)
            finally:
                if conn is not None:
                    conn.terminate()
            self._tries += 1
            await asyncio.sleep(random.uniform(0.05, min(BACKOFF_S_MAX, 0.25 * 2**self._tries)))  # noqa: S311

    async def _meet(self, conn: Connection) -> None:
        """Nothing is sent before: our earlier backends are gone, the database is ours, and holds what it held."""
        again = await reunite(conn, self._spool, self._sealer.call)
        for ref in again:
            self._shelf.put(ref)
        await self._tend(conn)
        if not len(self._shelf):
            self._unblock()

    async def _write(self, conn: Connection) -> None:
        tended_at = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(TEND_S):
                    ref, batch = await self._shelf.next()
            except TimeoutError:
                ref = None
            if ref is not None:
                await self._send(conn, ref, batch)
            if time.monotonic() - tended_at >= TEND_S:
                await self._tend(conn)
                tended_at = time.monotonic()

    async def _send(self, conn: Connection, ref: Ref, batch: Batch | None) -> None:
        if batch is None:
            try:
                batch = await self._sealer.call(self._spool.load, ref.seq)
            except BatchDamaged as error:
                await self._set_aside_damaged(ref, error)
                return
        if self._now() - batch.header.sealed_at > AGE_MAX:
            log.error("batch %s was sealed more than 30 days ago and is set aside, not sent", batch.header.id)
            await self._sealer.call(self._spool.set_aside, ref.seq)
            self._shelf.done(ref)
            return
        failures = self._failures.get(ref.seq, 0)
        started = time.monotonic()
        deadline_s = self._deadline_s * 2 ** min(failures, DEADLINE_DOUBLINGS_MAX)
        begun = False
        try:
            async with asyncio.timeout(deadline_s):
                transaction = conn.transaction()
                await transaction.start()
                begun = True
                applied = await apply(conn, transaction, batch, self._spool.id, careful=ref.seq in self._careful)
        except BatchDamaged as error:
            await self._set_aside_damaged(ref, error)
            return
        except Exception as error:  # noqa: BLE001  sorted by `verdict`; what it does not know is raised
            await self._failed(conn, ref, batch, error, begun)
            return
        self._finished(ref, applied, time.monotonic() - started)

    async def _set_aside_damaged(self, ref: Ref, error: BatchDamaged) -> None:
        log.error("spool record %d is damaged and was set aside: %s", ref.seq, error)
        await self._sealer.call(self._spool.damaged, ref.seq)
        self._shelf.done(ref)

    def _finished(self, ref: Ref, applied: Applied, seconds: float) -> None:
        if ref.seq in self._unknown:
            self._meters.resolved("committed" if applied.again else "absent")
        self._unknown.discard(ref.seq)
        self._careful.discard(ref.seq)
        self._failures.pop(ref.seq, None)
        self._unblock()
        self._sealer.release(ref, applied.outcome)
        self._meters.wrote(seconds, sum(sum(moves) for moves in applied.outcome.values()))
        if applied.sales:
            self._sold(applied.sales)

    async def _failed(self, conn: Connection, ref: Ref, batch: Batch, error: Exception, begun: bool) -> None:
        """Remember what is known of the batch; raise unless the same connection can go on with it."""
        self._failures[ref.seq] = self._failures.get(ref.seq, 0) + 1
        match verdict(error):
            case Verdict.POISON if not conn.is_closed() and ref.seq not in self._careful:
                log.warning("batch %s holds a row that cannot go in: %s", batch.header.id, error)
                self._careful.add(ref.seq)
            case Verdict.NO_PARTITION if not conn.is_closed() and await ensure_days(conn, batch):
                log.info("the day of batch %s was missing and has been made", batch.header.id)
            case Verdict.AWAY | Verdict.UNKNOWN if begun:
                self._unknown.add(ref.seq)
                raise error
            case _:  # PostgreSQL itself has told that the transaction failed
                raise error

    def _unblock(self) -> None:
        """Only a batch that went in, or none that waits, proves that the way is free."""
        self._tries = 0
        if self.blocked_since is not None:
            log.info(
                "PostgreSQL takes batches, after %.1f s (%s)", time.time() - self.blocked_since, self.blocked_reason
            )
            self.blocked_since, self.blocked_reason = None, ""

    def _block(self, why: str, error: BaseException) -> None:
        reason = f"{why}: {str(error) or type(error).__name__}"[:500]
        if self.blocked_since is None:
            self.blocked_since = time.time()
        if why != self.blocked_reason.partition(":")[0]:
            log.warning("PostgreSQL takes nothing now, batches wait in the spool: %s", reason)
        self.blocked_reason = reason


async def ensure_days(conn: Connection, batch: Batch) -> bool:
    """Make the partitions that a batch of ticks needs: each in a transaction of its own, with a short lock wait.

    False if there was none to make, so that trying again at once would help nobody.
    """
    made = False
    if batch.header.from_at is not None and batch.header.to_at is not None:
        for day in await conn.fetch(statement("writer/days_between"), batch.header.from_at, batch.header.to_at):
            made |= await conn.fetchval(statement("writer/ensure_day"), day["day"])
    return made

"""One batch into PostgreSQL: inside one transaction, once, with bad rows cut out and kept.

The batch's own row is inserted first. If it is there already, the batch was applied before and its outcome is read.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from uuid import UUID

import asyncpg
import asyncpg.transaction
import msgspec

from collectors.tick import Sale
from monitor.store.batch import (
    BOOKED,
    COPY_HEAD,
    COPY_TAIL,
    NAMES,
    Batch,
    BatchDamaged,
    Fact,
    Header,
    cut_rows,
    facts_of,
)
from monitor.store.books import Outcome
from monitor.store.keeping import keep_fact, keep_tick, tick_of
from monitor.store.put import Tally, put_facts, put_quarantine
from monitor.store.statements import statement
from monitor.store.verdict import Verdict, verdict

type Connection = asyncpg.Connection[asyncpg.Record]
Transaction = asyncpg.transaction.Transaction
ROW_FAULTS = {Verdict.POISON, Verdict.NO_PARTITION}
CHUNK = 1_048_576


class Applied(msgspec.Struct):
    """What became of a batch. `again`: it had been applied before. `sales`: those a commit made new."""

    outcome: Outcome
    again: bool = False
    sales: list[Sale] = []


async def apply(
    conn: Connection, transaction: Transaction, batch: Batch, spool_id: UUID, careful: bool = False
) -> Applied:
    """Apply `batch` in a transaction of `conn` that has begun, and commit it.

    `careful` cuts rows that can never go in out of the batch; without it such a row raises and nothing is applied.
    Raises whatever PostgreSQL raises. After a poison row, a missing partition or BatchDamaged the transaction is rolled
    back and the connection can go on; after anything else nobody knows what became of the batch until its id is looked
    up.
    """
    try:
        return await _apply(conn, transaction, batch, spool_id, careful)
    except Exception as error:
        if (verdict(error) in ROW_FAULTS or isinstance(error, BatchDamaged)) and not conn.is_closed():
            await transaction.rollback()
        raise


async def _apply(conn: Connection, transaction: Transaction, batch: Batch, spool_id: UUID, careful: bool) -> Applied:
    header = batch.header
    written = {kind: (rows, 0, 0) for kind, rows in header.counts.items()}
    total = sum(header.counts.values())
    claimed = await conn.fetchval(
        statement("writer/claim_batch"), header.id, header.kind, spool_id, batch.seq, header.sealed_at, total,
        json.dumps(written),
    )  # fmt: skip
    if claimed is None:
        known = await conn.fetchval(statement("writer/batch_outcome"), header.id)
        await transaction.rollback()
        return Applied({kind: tuple(moves) for kind, moves in json.loads(known).items()}, again=True)
    tally = await (_put_ticks if header.kind == "ticks" else _put_facts)(conn, batch, careful)
    if tally.outcome != written:
        sums = [sum(moves[column] for moves in tally.outcome.values()) for column in range(3)]
        await conn.execute(statement("writer/settle_batch"), header.id, *sums, json.dumps(tally.outcome))
    await transaction.commit()
    return Applied(tally.outcome, sales=tally.sales)


async def _put_ticks(conn: Connection, batch: Batch, careful: bool) -> Tally:
    """COPY the payload as it is; if careful, row by row numbers where it must be. Its minutes are to be summed anew."""
    columns = batch.header.columns
    await _mark(conn, batch.header)
    if not careful:
        await _copy(conn, batch.payload, columns)
        return Tally({"tick": (batch.header.counts["tick"], 0, 0)})
    rows = cut_rows(batch.payload)

    async def put(part: Sequence[bytes]) -> None:
        await _copy(conn, b"".join(part), columns)

    bad = await sieve(conn, rows, put)
    kept = [(at, keep_tick(*tick_of(rows[at]), why, batch.header.sealed_at)) for at, why in bad]
    await put_quarantine(conn, batch.header.id, kept)
    return Tally({"tick": (len(rows) - len(bad), 0, len(bad))})


async def _mark(conn: Connection, header: Header) -> None:
    if header.touched:
        minutes, rooms = [minute for minute, _ in header.touched], [room for _, room in header.touched]
        await conn.execute(statement("writer/mark_ticks"), minutes, rooms)
    elif header.from_at is not None and header.to_at is not None:
        await conn.execute(statement("writer/mark_between"), header.from_at, header.to_at)


async def _put_facts(conn: Connection, batch: Batch, careful: bool) -> Tally:
    facts = list(enumerate(facts_of(batch)))
    tally = Tally({kind: (0, 0, 0) for kind in batch.header.counts})
    if not careful:
        await put_facts(conn, batch.header.id, facts, tally)
        return tally

    async def put(part: Sequence[tuple[int, Fact]]) -> None:
        trial = Tally()
        await put_facts(conn, batch.header.id, part, trial)
        trials.append(trial)

    trials: list[Tally] = []
    bad = await sieve(conn, facts, put)
    for trial in trials:
        tally.add(trial)
    kept = []
    for at, why in bad:
        place, fact = facts[at]
        name = NAMES[type(fact)]
        kept.append((place, keep_fact(fact, why, batch.header.sealed_at)))
        if name in BOOKED:
            tally.move(BOOKED[name], quarantined=1)
    await put_quarantine(conn, batch.header.id, kept)
    return tally


async def sieve[T](
    conn: Connection, rows: Sequence[T], put: Callable[[Sequence[T]], Awaitable[None]]
) -> list[tuple[int, str]]:
    """Put all rows but the bad ones; the places and reasons of these. `rows` as a whole are known to fail.

    Halves the stretch that holds the first bad row, in savepoints, keeping each good half: k bad rows of n cost at
    most k * (log2 n + 2) probes. An error which is not about a row is raised.
    """
    bad: list[tuple[int, str]] = []
    start, known_to_fail = 0, True
    while start < len(rows):
        if not known_to_fail and await _goes_in(conn, rows[start:], put) is None:
            break
        low, high, reason = start, len(rows), None
        while high - low > 1 or reason is None:
            middle = max((low + high) // 2, low + 1)
            fault = await _goes_in(conn, rows[low:middle], put)
            if fault is None:
                low = middle
                if low == high:  # the rows go in one by one, though they did not together: nothing is bad here
                    break
            else:
                high, reason = middle, fault
        if low == high:
            start = high
        else:
            bad.append((low, reason or "refused"))
            start = low + 1
        known_to_fail = False
    return bad


async def _goes_in[T](conn: Connection, rows: Sequence[T], put: Callable[[Sequence[T]], Awaitable[None]]) -> str | None:
    """Put the rows in a savepoint; None if they went in, else why not."""
    try:
        async with conn.transaction():
            await put(rows)
    except Exception as error:
        if verdict(error) is not Verdict.POISON:
            raise
        state = getattr(error, "sqlstate", None) or type(error).__name__
        return f"{state} {str(error)[:200]}"
    return None


async def _copy(conn: Connection, payload: bytes, columns: Sequence[str]) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield COPY_HEAD
        for start in range(0, len(payload), CHUNK):
            yield payload[start : start + CHUNK]
        yield COPY_TAIL

    await conn.copy_to_table("tick_raw", source=chunks(), columns=list(columns), format="binary", schema_name="livemon")

"""One bad row costs one row: it is cut out of its batch and kept with its reason, and the rest goes in under one id."""

import asyncio
import re

import asyncpg
import pytest

from collectors.tick import Sale
from monitor.facts import Heard
from monitor.store.keeping import revive
from tests.faults.ground import drained, rooms_and_days, slow_down
from tests.faults.oracle import LONG_AGO, Oracle, balanced
from tests.store.way import running


class Probes:
    """Counts the savepoints that a connection makes."""

    def __init__(self, database) -> None:
        self.database, self.savepoints = database, 0

    async def connect(self, name: str) -> asyncpg.Connection:
        conn = await self.database.settings.connect("writer", name, command_timeout=20.0)
        conn.add_query_logger(self._count)
        return conn

    def _count(self, record) -> None:
        self.savepoints += record.query.startswith("SAVEPOINT")


async def forbid(conn, table, column, values):
    listed = ", ".join(map(str, values))
    await conn.execute(f"ALTER TABLE {table} ADD CONSTRAINT poison CHECK ({column} NOT IN ({listed})) NOT VALID")


@pytest.mark.parametrize(
    "poison", [[4242], [1], [5000], [1, 2], [17, 2500, 2501, 4999], list(range(100, 5000, 500))],
    ids=lambda rows: f"{len(rows)}-from-{rows[0]}",
)  # fmt: skip
async def test_poison_among_5000_ticks(database, tmp_path, poison):
    oracle = Oracle(await rooms_and_days(database, 20))
    conn = await database.connect("owner")
    await forbid(conn, "tick_raw", "viewers", poison)
    probes = Probes(database)
    async with running(tmp_path / "spool", probes.connect) as store:
        store.inbox.put(oracle.ticks(5_000))
        book = (await drained(store)).books["tick"]
    assert (book.received, book.written, book.quarantined, book.difference) == (
        5_000,
        5_000 - len(poison),
        len(poison),
        0,
    )
    viewers = [row[0] for row in await conn.fetch("SELECT viewers FROM tick_raw ORDER BY viewers")]
    assert viewers == [n for n in range(1, 5_001) if n not in poison]
    batch = await conn.fetchrow("SELECT rows, written, quarantined, batch_id FROM applied_batch")  # one id for all
    assert tuple(batch)[:3] == (5_000, 5_000 - len(poison), len(poison))
    assert await conn.fetchval("SELECT count(*) FROM applied_batch") == 1
    kept = await conn.fetch("SELECT origin, place, kind, reason, payload FROM quarantine ORDER BY place")
    assert [row["place"] for row in kept] == [n - 1 for n in poison]
    assert {(row["origin"], row["kind"]) for row in kept} == {(batch["batch_id"], "tick")}
    assert all(re.match(r"23514 .*violates check constraint \"poison\"", row["reason"]) for row in kept)
    assert [revive(row["payload"]).ticks[0][1].viewers for row in kept] == poison  # whole enough to be brought back
    assert probes.savepoints <= 14 * len(poison) + 1
    if len(poison) == 1:
        assert probes.savepoints <= 14
    await conn.close()


async def test_poison_among_facts(database, tmp_path):
    rooms = await rooms_and_days(database, 20)
    oracle, conn = Oracle(rooms), await database.connect("owner")
    await forbid(conn, "sale", "amount_minor", [7, 31])
    await conn.execute("ALTER TABLE session_change ADD CONSTRAINT poison CHECK (at <> '2026-01-01T00:00:00.012Z')")
    async with running(tmp_path / "spool", Probes(database).connect) as store:
        for _ in range(50):
            store.inbox.put(oracle.facts())  # ids 2 to 51
        books = (await drained(store)).books
    assert (books["sale"].written, books["sale"].quarantined) == (48, 2)
    assert (books["change"].written, books["change"].quarantined) == (98, 2)  # its opening and its end
    assert balanced(books)
    assert await conn.fetchval("SELECT count(*) FROM sale") == 48
    assert await conn.fetchval("SELECT count(*) FROM session_change") == 98
    kept = {(row["kind"], row["reason"][:5]) for row in await conn.fetch("SELECT kind, reason FROM quarantine")}
    assert kept == {("sale", "23514"), ("change", "23514")}
    assert await conn.fetchval("SELECT count(*) FROM quarantine") == 4
    await conn.close()


async def test_a_poisoned_batch_of_ticks_gets_in_though_facts_keep_coming(database, tmp_path):
    oracle = Oracle(await rooms_and_days(database, 20))
    conn = await database.connect("owner")
    await forbid(conn, "tick_raw", "viewers", [4242])
    await slow_down(database, 0.1)  # so that facts always wait when the ticks have failed, on a busy machine, too
    async with running(tmp_path / "spool", Probes(database).connect) as store:
        for batches in range(1, 4):  # thrice: on a busy machine no fact may wait once, just when the ticks have failed
            oracle.next = 0
            store.inbox.put(oracle.ticks(5_000))
            oracle.next = batches * 100_000
            async with asyncio.timeout(6):
                while await conn.fetchval("SELECT count(*) FROM tick_raw") < batches * 4_999:
                    store.inbox.put(oracle.facts())
                    await asyncio.sleep(0.005)
        await drained(store)
    assert await conn.fetchval("SELECT count(*) FROM tick_raw") == 3 * 4_999
    await conn.close()


async def test_a_fact_that_cannot_be_read_back_is_set_aside_before_it_blocks_all(database, tmp_path):
    rooms = await rooms_and_days(database, 1)
    oracle, conn = Oracle(rooms), await database.connect("owner")
    bad = Sale(
        feed="erp", platform="x", event_id="bad", at=LONG_AGO, received_at=LONG_AGO, kind="given",  # type: ignore[arg-type]
        amount_minor=1, currency="CNY",
    )  # fmt: skip
    async with running(tmp_path / "spool", Probes(database).connect) as store:
        store.inbox.put(Heard(sales=[bad]))
        store.inbox.put(oracle.facts())
        book = (await drained(store)).books["sale"]
    assert (book.written, book.quarantined, book.difference) == (1, 1, 0)
    assert await conn.fetchval("SELECT reason FROM quarantine") == "cannot be encoded: ValidationError"
    await conn.close()

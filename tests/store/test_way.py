"""Sealed batches reach PostgreSQL once, and the books balance."""

import asyncio
from datetime import UTC, datetime, timedelta

from collectors.tick import Sale, Tick
from monitor.facts import BlindSpan, Change, Heard
from monitor.store.spool import Spool
from tests.store.way import Counted, add_rooms, connecting, heard_opening, heard_ticks, running, settled


async def test_ticks_and_changes_become_rows_once_and_the_books_balance(database, tmp_path):
    rooms = await add_rooms(database, 100)
    async with running(tmp_path / "spool", connecting(database)) as store:
        for _ in range(10):
            store.inbox.put(heard_ticks(rooms))
        store.inbox.put(heard_opening(rooms[0]))
        await settled(store)
        books = store.sealer.standing.books
    assert (books["tick"].received, books["tick"].written, books["tick"].spooled) == (1000, 1000, 0)
    assert (books["change"].received, books["change"].written) == (1, 1)
    assert all(book.difference == 0 for book in books.values())
    conn = await database.connect("owner")
    assert await conn.fetchval("SELECT count(*) FROM tick_raw") == 1000
    assert await conn.fetchval("SELECT count(*) FROM session WHERE closed_at IS NULL") == 1
    assert await conn.fetchval("SELECT sum(rows) FROM applied_batch") == 1001
    await conn.close()


async def test_a_partition_that_is_missing_is_made_on_demand(database, tmp_path):
    rooms = await add_rooms(database, 3)
    yesterday = datetime.now(UTC) - timedelta(days=3)
    async with running(tmp_path / "spool", connecting(database)) as store:
        store.inbox.put(heard_ticks(rooms, yesterday))
        await settled(store)
    conn = await database.connect("owner")
    assert await conn.fetchval("SELECT count(*) FROM tick_raw WHERE at < now() - interval '2 days'") == 3
    await conn.close()


async def test_what_cannot_be_a_row_is_kept_in_quarantine_and_spoils_no_other(database, tmp_path):
    rooms = await add_rooms(database, 9)
    now = datetime.now(UTC)
    bad = {
        2**31: "viewers", -1: "negative", 2**63: "overflow",
    }  # fmt: skip
    ticks = [(rooms[0].room_id, Tick("hall", "live/room1", now, "status", True, viewers)) for viewers in bad]
    ticks.append((rooms[1].room_id, Tick("hall", "live/room2", now - timedelta(days=8), "status", True, 1)))
    ticks.append((rooms[1].room_id, Tick("hall", "live/room2", now + timedelta(hours=2), "status", True, 1)))
    ticks.append((rooms[1].room_id, Tick("hall", "live/room2", datetime(9999, 12, 31, tzinfo=UTC), "status", True, 1)))
    ticks.append((rooms[1].room_id, Tick("hall", "live/room2", now.replace(tzinfo=None), "status", True, 1)))
    async with running(tmp_path / "spool", connecting(database)) as store:
        store.inbox.put(Heard(ticks=ticks))
        store.inbox.put(heard_ticks(rooms))
        store.inbox.put(Heard(changes=[Change("nginx_rtmp", "a\ud800", now, 1, "opened", now, "status")]))
        store.inbox.put(Heard(changes=[Change("nginx_rtmp", "a\0", now, 1, "opened", now, "status")]))
        store.inbox.put(Heard(changes=[Change("nginx_rtmp", "nobody", now, 1, "opened", now, "status")]))
        await settled(store)
        books = store.sealer.standing.books
    assert (books["tick"].written, books["tick"].quarantined, books["tick"].difference) == (9, 7, 0)
    assert (books["change"].written, books["change"].quarantined, books["change"].difference) == (0, 3, 0)
    conn = await database.connect("owner")
    reasons = {row["reason"] for row in await conn.fetch("SELECT reason FROM quarantine")}
    assert await conn.fetchval("SELECT count(*) FROM quarantine") == 10
    assert {"number out of range", "negative count", "time out of range", "wrong type"} <= reasons
    await conn.close()


async def test_a_blind_span_may_be_closed_before_it_is_opened(database, tmp_path):
    await add_rooms(database, 1)
    now = datetime.now(UTC)
    opened = BlindSpan("hall", "nginx_rtmp", now, "timeout")
    closed = BlindSpan("hall", "nginx_rtmp", now, "timeout", to_at=now + timedelta(seconds=9))
    async with running(tmp_path / "spool", connecting(database)) as store:
        for span in (closed, opened, closed):
            store.inbox.put(Heard(spans=[span]))
            await settled(store)
    conn = await database.connect("owner")
    assert [tuple(row) for row in await conn.fetch("SELECT feed, room_id, to_at FROM blind")] == [
        ("hall", None, now + timedelta(seconds=9))
    ]
    await conn.close()


async def test_the_same_sale_twice_is_one_row_and_another_under_its_id_is_kept_apart(database, tmp_path):
    await add_rooms(database, 1)
    now = datetime.now(UTC)
    sale = Sale(
        feed="erp", platform="doudian", event_id="1:2:paid", at=now, received_at=now, kind="paid", amount_minor=1999,
        currency="CNY", room="live/room1", shop="1",
    )  # fmt: skip
    other = Sale(
        feed="erp", platform="doudian", event_id="1:2:paid", at=now, received_at=now, kind="paid", amount_minor=2999,
        currency="CNY",
    )  # fmt: skip
    sold = []
    async with running(tmp_path / "spool", connecting(database), sold=sold.extend) as store:
        store.inbox.put(Heard(sales=[sale, sale]))
        await settled(store)
        store.inbox.put(Heard(sales=[sale, other]))
        await settled(store)
        book = store.sealer.standing.books["sale"]
    assert (book.received, book.written, book.duplicates, book.quarantined, book.difference) == (4, 1, 2, 1, 0)
    assert [s.amount_minor for s in sold] == [1999]


async def test_batches_wait_in_the_spool_while_postgresql_is_away_and_go_at_the_next_start(database, tmp_path):
    rooms = await add_rooms(database, 10)

    async def refused(name: str):
        raise ConnectionRefusedError

    async with running(tmp_path / "spool", refused) as store:
        store.inbox.put(heard_ticks(rooms))
        store.inbox.put(heard_opening(rooms[0]))
        await asyncio.sleep(0.8)
        assert store.writer.blocked_since is not None
        store.inbox.put(heard_ticks(rooms))  # in the inbox only: the clean stop drains it
    spool = Spool(tmp_path / "spool")
    standing = spool.standing()
    assert standing.books["tick"].spooled == 20
    assert spool.room_states() == {("nginx_rtmp", "live/room1"): b"state"}
    spool.close()
    counted = Counted()
    async with running(tmp_path / "spool", connecting(database), counted) as store:
        await settled(store)
        assert store.sealer.standing.books["tick"].written == 20
        assert store.writer.blocked_since is None
    conn = await database.connect("owner")
    assert await conn.fetchval("SELECT count(*) FROM tick_raw") == 20
    await conn.close()

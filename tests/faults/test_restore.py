"""An older database is put back: what the spool still holds comes back, what it does not is counted as lost."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import asyncpg

from monitor.facts import RosterRoom
from monitor.store.spool import Spool
from monitor.store.statements import statement
from tests.faults.ground import drained, rooms_and_days
from tests.faults.oracle import Oracle, balanced, judge, sealed, written
from tests.store.way import connecting, running, settled


@asynccontextmanager
async def superuser(database):
    conn = await asyncpg.connect(database.dsn("postgres").replace(f"/{database.name}?", "/postgres?"))
    try:
        yield conn
    finally:
        await conn.close()


async def back_up(database) -> None:
    async with superuser(database) as conn:
        await conn.execute(f"CREATE DATABASE {database.name}_backup TEMPLATE {database.name} OWNER livemon_owner")


async def put_back(database) -> None:
    async with superuser(database) as conn:
        await conn.execute(f"DROP DATABASE {database.name} WITH (FORCE)")
        await conn.execute(f"ALTER DATABASE {database.name}_backup RENAME TO {database.name}")


async def feed(database, folder, oracle, ticks) -> None:
    async with running(folder, connecting(database)) as store:
        store.inbox.put(oracle.facts())
        store.inbox.put(oracle.ticks(ticks))
        await settled(store)


async def test_batches_within_the_retention_come_back_each_row_once(database, tmp_path):
    oracle, folder = Oracle(await rooms_and_days(database, 20)), tmp_path / "spool"
    await feed(database, folder, oracle, 300)
    await back_up(database)
    await feed(database, folder, oracle, 7_000)
    await put_back(database)
    await feed(database, folder, oracle, 100)
    books = (await judge(database, folder, restored=True)).books
    assert (books["tick"].written, books["tick"].reoffered, books["tick"].lost) == (7_400, 7_000, 0)
    assert (books["change"].reoffered, books["sale"].reoffered) == (2, 1)


async def test_what_was_lost_beyond_the_retention_is_counted_to_the_row(database, tmp_path):
    oracle, folder = Oracle(await rooms_and_days(database, 20)), tmp_path / "spool"
    await back_up(database)
    await feed(database, folder, oracle, 1_234)
    spool = Spool(folder)
    spool.prune(time.time() + 3_600)  # an hour on: the ticks' bytes are gone, those of facts are kept for a day
    spool.close()
    await feed(database, folder, oracle, 500)
    await put_back(database)
    await feed(database, folder, oracle, 100)
    kept, standing = sealed(folder)
    conn = await database.connect("owner")
    found = await written(conn)
    await conn.close()
    assert (found.ticks, found.sales, found.changes) == (kept.ticks, kept.sales, kept.changes)
    book = standing.books["tick"]
    assert (book.lost, book.reoffered, book.written, len(found.ticks)) == (1_234, 500, 1_834, 600)
    assert standing.books["change"].lost == standing.books["sale"].lost == 0
    assert balanced(standing.books)
    await feed(database, folder, oracle, 10)  # what is lost is counted once, not at each connect
    assert sealed(folder)[1].books["tick"].lost == 1_234


async def test_rooms_added_after_the_backup_come_back_with_their_ids_and_no_id_is_given_twice(database, tmp_path):
    rooms, folder = await rooms_and_days(database, 3), tmp_path / "spool"
    await back_up(database)
    conn = await database.connect("owner")
    later = await conn.fetchval(
        "INSERT INTO room (platform, external_id, anchor) VALUES ('nginx_rtmp', 'live/晚场', '小王') RETURNING room_id"
    )
    await conn.close()
    rooms.append(RosterRoom(later, "nginx_rtmp", "live/晚场", anchor="小王"))
    Spool(folder).close()
    async with running(folder, connecting(database)) as store:
        await store.sealer.call(store.spool.mirror, 1, rooms, [])
    await put_back(database)
    await feed(database, folder, Oracle(rooms), 100)
    await judge(database, folder)
    conn = await database.connect("owner")
    back = await conn.fetchrow("SELECT room_id, anchor FROM room WHERE external_id = 'live/晚场'")
    assert tuple(back) == (later, "小王")
    insert = "INSERT INTO room (platform, external_id) VALUES ('nginx_rtmp', $1) RETURNING room_id"
    ahead = await conn.fetchval(insert, "next")
    assert ahead == later + 1
    async with conn.transaction():
        taken = await conn.fetchval(insert, "an import that is not done yet")
        await feed(database, folder, Oracle(rooms[:3], 1_000), 10)  # a connect meanwhile moves no id back
        assert await conn.fetchval(insert, "its next room") == taken + 1
    await conn.close()


async def test_a_database_that_contradicts_the_spool_gets_nothing_until_they_agree(database, tmp_path):
    rooms, folder = await rooms_and_days(database, 3), tmp_path / "spool"
    conn = await database.connect("owner")
    async with running(folder, connecting(database)) as store:
        await store.sealer.call(store.spool.mirror, 1, rooms, [])
    await conn.execute("UPDATE room SET external_id = 'live/another' WHERE room_id = $1", rooms[1].room_id)
    async with running(folder, connecting(database)) as store:
        store.inbox.put(Oracle(rooms).ticks(100))
        async with asyncio.timeout(5):
            while not store.writer.blocked_reason.startswith("held: room nginx_rtmp/live/room2"):
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        assert store.writer.blocked_since is not None
        assert await conn.fetchval("SELECT count(*) FROM tick_raw") == 0
        await conn.execute("UPDATE room SET external_id = 'live/room2' WHERE room_id = $1", rooms[1].room_id)
        await drained(store)
        assert store.writer.blocked_since is None
    await conn.close()
    await judge(database, folder)


async def test_a_reoffered_batch_whose_bytes_rotted_is_lost_and_the_books_stay_in_balance(database, tmp_path):
    oracle, folder = Oracle(await rooms_and_days(database, 20)), tmp_path / "spool"
    await back_up(database)
    await feed(database, folder, oracle, 300)
    damage(folder)
    await put_back(database)
    await feed(database, folder, oracle, 100)
    standing = sealed_books(folder)
    assert (standing["tick"].lost, standing["tick"].written, standing["tick"].quarantined) == (300, 400, 0)
    assert balanced(standing)


def damage(folder) -> None:
    """One bit of the payload of the only batch of ticks, in the file."""
    spool = Spool(folder)
    (seq,) = [seq for seq, _, _ in spool.applied_before(1_000, 1_000) if spool.load(seq).header.kind == "ticks"]
    payload = spool.load(seq).payload
    spool.close()
    file = folder / "spool.db"
    raw = bytearray(file.read_bytes())
    at = raw.find(payload[-200:])
    assert at > 0
    raw[at + 100] ^= 4
    file.write_bytes(raw)


def sealed_books(folder):
    spool = Spool(folder)
    try:
        return spool.standing().books
    finally:
        spool.close()


async def test_a_full_roster_is_compared_room_by_room_at_each_connect(database):
    """Each against each took 20 s on a busy machine after a crash of PostgreSQL: no batch went in for minutes."""
    numbers = list(range(1, 12_001))
    told = (numbers, ["wechat"] * len(numbers), [f"r{number}" for number in numbers])
    conn = await database.connect("writer")
    try:
        await conn.execute(
            "INSERT INTO room (room_id, platform, external_id) SELECT * FROM unnest($1::int[], $2::text[], $3::text[])",
            *told,
        )
        for told_so, wrong in ((told, 0), ((numbers, told[1], [*told[2][1:], told[2][0]]), 5)):
            assert len(await conn.fetch(statement("writer/mirror_contradictions"), *told_so)) == wrong
        explained = "EXPLAIN (ANALYZE, FORMAT JSON) " + statement("writer/mirror_contradictions")
        plan = await conn.fetchval(explained, *told)
    finally:
        await conn.close()
    assert sum(removed_by_joins(json.loads(plan)[0]["Plan"])) <= len(numbers) * 2


def removed_by_joins(node):
    """Pairs of rows that joins looked at in vain."""
    yield node.get("Rows Removed by Join Filter", 0) * node["Actual Loops"]
    for part in node.get("Plans", ()):
        yield from removed_by_joins(part)

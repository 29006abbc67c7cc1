"""What an earlier release sealed is read, what a later one sealed is refused and left as it is."""

import asyncio
import shutil
import sqlite3
import time
import uuid

import msgspec
import pytest

from monitor.accounts.vault import Sealing
from monitor.store.batch import (
    FACTS,
    BatchDamaged,
    BatchTooNew,
    checksum,
    cut_rows,
    decode_header,
    encode_header,
    facts_batches,
    facts_of,
    pack_ticks,
    session_id,
    ticks_batches,
)
from monitor.store.books import Book, Seal
from monitor.store.cipher import CannotDecrypt, Cipher
from monitor.store.disk import SpoolUnreadable
from monitor.store.frame_table import BODY_S
from monitor.store.frames import arrival
from monitor.store.keeping import tick_of
from monitor.store.put import Tally, put_facts
from monitor.store.renewal import check_key, forget
from monitor.store.spool import Spool
from tests.store.fixtures import batch_format_4 as fourth
from tests.store.fixtures import format_1 as first
from tests.store.fixtures import format_2 as second
from tests.store.fixtures import format_3_accounts as third
from tests.store.way import connecting, running


def test_a_spool_of_format_1_is_read_to_the_last_field(tmp_path):
    shutil.copytree(first.FOLDER, tmp_path / "spool")
    spool = Spool(tmp_path / "spool")
    assert spool.roster() == (7, first.ROOMS, first.SLOTS)
    assert spool.knows_sessions
    assert (spool.room_states(), spool.feed_states()) == (first.STATES, first.FEEDS)
    assert [(ref.seq, ref.kind) for ref in spool.pending()] == [(2, "ticks"), (3, "facts")]
    ticks, facts = spool.load(2), spool.load(3)
    assert [tick_of(row) for row in cut_rows(ticks.payload)] == first.TICKS
    assert facts_of(facts) == first.FACTS
    assert (ticks.header.id, ticks.header.format, ticks.header.sealed_at) == (uuid.UUID(int=2), 1, first.AT)
    assert spool.applied_before(9, 9) == [(1, uuid.UUID(int=1), True)]
    books = spool.standing().books
    assert books["tick"] == Book(received=11, written=2, quarantined=1, shed=5, spooled=3)
    assert books["change"] == Book(received=3, spooled=3)
    assert books["sale"] == Book(received=1, spooled=1)
    assert books["frame"] == Book(received=1, quarantined=1)
    spool.close()


def test_a_spool_of_format_1_becomes_what_this_release_makes_of_the_same(tmp_path):
    """Later formats have kept frames beside all that format 1 had; nothing else is another."""
    first.make(tmp_path / "ours")
    shutil.copytree(first.FOLDER, tmp_path / "theirs")
    Spool(tmp_path / "theirs").close()
    dumps = []
    for name in ("theirs", "ours"):
        conn = sqlite3.connect(tmp_path / name / "spool.db")
        dumps.append([line for line in conn.iterdump() if "INTO \"about\" VALUES('id'" not in line])
        conn.close()
    theirs, ours = ([without_clock(line) for line in dump] for dump in dumps)
    assert ours == theirs


def without_clock(line):
    """`applied_at` of the one batch that was released is the wall clock's."""
    return line.split(",")[:4] + line.split(",")[5:] if line.startswith('INSERT INTO "batch" VALUES(1,') else line


def test_the_deliveries_of_a_spool_of_format_2_are_read_and_end_as_they_did(tmp_path):
    shutil.copytree(second.FOLDER, tmp_path / "spool")
    spool = Spool(tmp_path / "spool")
    hours = spool.unlock(second.KEY)
    check_key(spool, hours)
    with pytest.raises(CannotDecrypt):
        check_key(spool, spool.unlock(Cipher([bytes(32)])))
    hours = spool.unlock(second.KEY)
    assert [hours.open(kept.body) for kept in spool.frames.load(range(1, 5))] == second.BODIES[2:]
    assert spool.frames.needing(second.NEED, 0, 9) == [4]
    [ref] = spool.pending()
    [bad] = facts_of(spool.load(ref.seq))
    assert hours.open(bad.payload) == second.BODIES[1]
    assert msgspec.structs.replace(bad, payload=b"") == second.BAD
    assert spool.standing().books["frame"] == Book(received=4, written=1, quarantined=1, spooled=2)
    later = arrival(hours, "店", b"new", second.AT, second.AT)
    [seq] = spool.frames.append([later])
    spool.commit(Seal(released=[(ref.seq, {})], frames=[seq]))
    while forget(spool, time.time() + BODY_S + 7_200):
        pass
    assert [row[0] for row in spool.rows("SELECT seq FROM frame_body ORDER BY seq")] == [3, 4]
    assert [hours.open(kept.body) for kept in spool.frames.load((3, 4))] == second.BODIES[2:]
    spool.close()


def test_the_accounts_and_cursors_of_a_spool_of_format_3_and_its_facts_of_format_2_are_read(tmp_path):
    shutil.copytree(third.FOLDER, tmp_path / "spool")
    spool = Spool(tmp_path / "spool")
    sealing = Sealing([third.KEY])
    assert [sealing.open(row) for row in spool.accounts.load()] == [(account, False) for account in third.ACCOUNTS]
    assert spool.accounts.cursors("店") == third.CURSORS
    batches = [spool.load(ref.seq) for ref in spool.pending()]
    assert [(batch.header.format, facts_of(batch)) for batch in batches] == [(2, third.FACTS), (1, third.FACTS[:1])]
    spool.close()


def test_the_alerts_of_batch_format_3_and_the_totals_of_format_4_are_read_and_written_down(tmp_path):
    shutil.copytree(fourth.FOLDER, tmp_path / "spool")
    spool = Spool(tmp_path / "spool")
    batches = [spool.load(ref.seq) for ref in spool.pending()]
    assert [(batch.header.format, facts_of(batch)) for batch in batches] == [(4, fourth.TOTALS), (3, fourth.ALERTS)]
    assert [batch.header.counts for batch in batches] == [{"change": 2}, {}]
    spool.close()


@pytest.mark.real
async def test_what_a_spool_of_batch_format_4_holds_becomes_rows(database, tmp_path):
    shutil.copytree(fourth.FOLDER, tmp_path / "spool")
    spool = Spool(tmp_path / "spool")
    batches = [spool.load(ref.seq) for ref in spool.pending()]
    spool.close()
    sql = await database.connect("writer")
    await sql.execute(
        "INSERT INTO room (room_id, platform, external_id, active) VALUES (1, 'wechat', '视频号_沈阳一号', true)"
    )
    for batch in batches:
        await put_facts(sql, batch.header.id, list(enumerate(facts_of(batch))), Tally())
    [total] = await sql.fetch("SELECT room_id, at, session_id, gmv_minor, currency FROM platform_total")
    named = session_id("wechat", "视频号_沈阳一号", fourth.AT)
    assert tuple(total) == (1, fourth.LATER, named, 99_999_999_999, "CNY")
    [alert] = await sql.fetch("SELECT starts_at, ends_at, summary FROM alert")
    assert tuple(alert) == (fourth.AT, fourth.LATER, "断流: 小雪")
    assert await sql.fetchval("SELECT count(*) FROM alert_action") == 2
    assert await sql.fetchval("SELECT to_at FROM blind WHERE room_id = 1") == fourth.LATER
    await sql.close()


def test_every_kind_of_fact_is_in_a_fixture():
    """One that no fixture holds could change without anybody noticing."""
    held = {type(fact) for facts in (first.FACTS, third.FACTS, fourth.ALERTS, fourth.TOTALS) for fact in facts}
    assert held == set(FACTS.values())


def test_a_batch_says_the_format_that_its_facts_need_and_no_later_one():
    """An earlier release goes on with all that it knows."""
    formats = [
        [batch.header.format for batch in facts_batches(facts, third.AT)]
        for facts in (third.FACTS, third.FACTS[:1], first.FACTS, third.FACTS[1:], first.FACTS * 1_200 + third.FACTS[:2])
    ]
    assert formats == [[2], [1], [1], [2], [1, 2]]
    assert [batch.header.format for batch in ticks_batches([pack_ticks(first.TICKS, first.AT)], first.AT)] == [1]


def test_a_spool_of_a_later_release_is_refused_and_not_one_byte_is_touched(tmp_path):
    shutil.copytree(first.FOLDER, tmp_path / "source")
    conn = sqlite3.connect(tmp_path / "source" / "spool.db")
    conn.execute("UPDATE about SET value = 4 WHERE name = 'format'")
    conn.execute("ALTER TABLE batch ADD COLUMN fence")
    conn.commit()
    shutil.copytree(tmp_path / "source", tmp_path / "spool")  # while it is open: the log belongs to the file
    conn.close()
    (tmp_path / "spool" / "spool.db-shm").unlink()  # of a reader that shares; ours does not
    before = {path.name: path.read_bytes() for path in (tmp_path / "spool").iterdir()}
    assert before["spool.db-wal"]
    with pytest.raises(SpoolUnreadable, match=r"written by a later release \(format 4, this one knows 3\)"):
        Spool(tmp_path / "spool")
    assert {name: (tmp_path / "spool" / name).read_bytes() for name in before} == before


@pytest.mark.parametrize("change", [{}, {"kind": "frames"}, {"counts": [1, 2]}, {"id": 7}])
def test_a_header_of_a_later_format_is_told_from_a_damaged_one_whatever_else_is_in_it(change):
    (batch,) = ticks_batches([pack_ticks(first.TICKS, first.AT)], first.AT)
    fields = msgspec.msgpack.decode(encode_header(batch.header)) | change
    with pytest.raises(BatchTooNew):
        decode_header(msgspec.msgpack.encode(fields | {"format": 5}))
    if change:
        with pytest.raises(BatchDamaged):
            decode_header(msgspec.msgpack.encode(fields))


async def test_a_batch_of_a_later_format_waits_untouched(database, tmp_path):
    shutil.copytree(first.FOLDER, tmp_path / "spool")
    conn = sqlite3.connect(tmp_path / "spool" / "spool.db")
    raw, payload = conn.execute("SELECT header, payload FROM payload WHERE seq = 3").fetchone()
    raw = msgspec.msgpack.encode(msgspec.msgpack.decode(raw) | {"format": 5, "kind": "mixed"})
    conn.execute("UPDATE payload SET header = ?, crc = ? WHERE seq = 3", (raw, checksum(raw, payload)))
    conn.commit()
    conn.close()
    async with running(tmp_path / "spool", connecting(database)) as store:
        async with asyncio.timeout(5):
            while not store.writer.blocked_reason.startswith("held: batch format 5, this release knows 4"):
                await asyncio.sleep(0.02)
    spool = Spool(tmp_path / "spool")
    assert 3 in [ref.seq for ref in spool.pending()]
    spool.close()
    conn = sqlite3.connect(tmp_path / "spool" / "spool.db")
    assert conn.execute("SELECT header, payload FROM payload WHERE seq = 3").fetchone() == (raw, payload)
    conn.close()

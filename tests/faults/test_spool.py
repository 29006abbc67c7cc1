"""The spool's file locked, rotten, torn or put back from yesterday: each sealed row is kept, or said to be missing."""

import asyncio
import os
import shutil
import subprocess
import sys
import time

import pytest

from monitor.facts import RosterRoom
from monitor.store.batch import facts_of
from monitor.store.disk import SpoolLocked, SpoolUnreadable
from monitor.store.spool import Spool
from monitor.store.store import Store
from tests.faults.ground import drained, rooms_and_days
from tests.faults.oracle import Oracle, balanced, seal_of
from tests.store.way import NOW, Counted, connecting, no_more, running, settled

FRAME = 24 + 4_096  # of SQLite's log: a header and a page
ROOM = RosterRoom(1, "nginx_rtmp", "live/room1")


async def feed(database, folder, oracle):
    async with running(folder, connecting(database)) as store:
        store.inbox.put(oracle.ticks(300))
        store.inbox.put(oracle.facts())
        await settled(store)


def seal(folder, oracle, times):
    """What a run without PostgreSQL leaves."""
    spool = Spool(folder)
    for _ in range(times):
        spool.commit(seal_of(step(oracle)))
    spool.close()


def step(oracle):
    heard = oracle.facts()
    heard.ticks = oracle.ticks(300).ticks
    return heard


async def why_it_ends(database, folder):
    """The store run on this spool until it ends by itself, and with what."""
    store = Store(folder, connecting(database), NOW, Counted(), no_more)
    with pytest.raises(ExceptionGroup) as failure:
        async with asyncio.timeout(4):
            await store.run()
    store.spool.close()
    return failure


OLDER = r"spool.db is an older copy of itself: PostgreSQL already holds a batch \d+ that is not in it"


@pytest.mark.parametrize("sealed_on", [False, True], ids=["as-it-was", "having-sealed-on"])
async def test_an_older_copy_of_the_spool_is_refused(database, tmp_path, sealed_on):
    oracle, folder = Oracle(await rooms_and_days(database, 5)), tmp_path / "spool"
    await feed(database, folder, oracle)
    shutil.copytree(folder, tmp_path / "copy")
    await feed(database, folder, oracle)
    shutil.rmtree(folder)
    (tmp_path / "copy").rename(folder)
    if sealed_on:  # PostgreSQL is away at the restart: the copy gives out the same numbers once more
        seal(folder, oracle, 3)
    assert (await why_it_ends(database, folder)).group_contains(SpoolUnreadable, match=OLDER)


async def test_a_lost_log_is_an_older_copy_too(database, tmp_path):
    oracle, folder = Oracle(await rooms_and_days(database, 5)), tmp_path / "spool"
    await feed(database, folder, oracle)
    async with running(folder, connecting(database)) as store:
        store.inbox.put(oracle.ticks(300))
        await drained(store)
        (tmp_path / "crashed").mkdir()
        shutil.copy(folder / "spool.db", tmp_path / "crashed")  # without its log
    assert (await why_it_ends(database, tmp_path / "crashed")).group_contains(SpoolUnreadable, match=OLDER)


def test_a_second_opener_is_told_within_a_second_and_the_first_goes_on(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.sealing", str(tmp_path / "spool"), "1"], stdout=subprocess.PIPE
    ) as first:
        first.stdout.readline()
        started = time.monotonic()
        with pytest.raises(SpoolLocked, match="in use by another livemon"):
            Spool(tmp_path / "spool")
        assert time.monotonic() - started < 1.0
        before = int(os.read(first.stdout.fileno(), 1_000_000).split()[-1])
        said = int(os.read(first.stdout.fileno(), 1_000_000).split()[-1])
        assert said > before
        assert first.poll() is None
        first.kill()
    spool = Spool(tmp_path / "spool")
    assert spool.standing().pending >= said
    assert balanced(spool.standing().books)
    spool.close()


async def test_a_flipped_bit_costs_one_batch_which_is_named_and_all_others_are_delivered(database, tmp_path, caplog):
    oracle, folder = Oracle(await rooms_and_days(database, 5)), tmp_path / "spool"
    seal(folder, oracle, 5)
    spool = Spool(folder)
    ticks = [ref for ref in spool.pending() if ref.kind == "ticks"]
    payload = spool.load(ticks[2].seq).payload
    spool.close()
    raw = bytearray((folder / "spool.db").read_bytes())
    raw[raw.find(payload[:500]) + 250] ^= 1
    (folder / "spool.db").write_bytes(raw)
    async with running(folder, connecting(database)) as store:
        books = (await drained(store, 5)).books
        assert store.writer.blocked_since is None
    assert f"spool record {ticks[2].seq} is damaged" in caplog.text
    assert (books["tick"].written, books["tick"].quarantined, books["sale"].written) == (1_200, 300, 5)
    assert balanced(books)
    conn = await database.connect("owner")
    assert await conn.fetchval("SELECT count(*) FROM tick_raw") == 1_200
    await conn.close()


def crash_copy(tmp_path, batches):
    """The files as kill -9 leaves them after so many sealings: most are in the log only."""
    oracle, source = Oracle([ROOM]), Spool(tmp_path / "source")
    for _ in range(batches):
        source.commit(seal_of(step(oracle)))
    shutil.copytree(tmp_path / "source", tmp_path / "spool", ignore=shutil.ignore_patterns("ballast"))
    source.close()
    return tmp_path / "spool"


def test_wherever_the_log_ends_each_seal_is_whole(tmp_path):
    """Batches, books and room states of a seal are one transaction: no end of the log may part them."""
    whole = crash_copy(tmp_path, 4)
    log = (whole / "spool.db-wal").read_bytes()
    seals = set()
    for end in range(32, len(log) + 1, FRAME):
        folder = tmp_path / f"until-{end}"
        folder.mkdir()
        shutil.copy(whole / "spool.db", folder)
        (folder / "spool.db-wal").write_bytes(log[:end])
        spool = Spool(folder)
        refs, books = spool.pending(), spool.standing().books
        assert [ref.kind for ref in refs] == ["facts", "ticks"] * (len(refs) // 2)
        assert books["tick"].received == 300 * len(refs) // 2
        assert (books["sale"].received, books["change"].received) == (len(refs) // 2, len(refs))
        assert balanced(books)
        last = facts_of(spool.load(refs[-2].seq))[1].state if refs else None
        assert spool.room_states() == ({("nginx_rtmp", "live/room1"): last} if refs else {})
        seals.add(len(refs) // 2)
        spool.close()
        shutil.rmtree(folder)
    assert seals == set(range(5))


def torn(log):
    os.truncate(log, log.stat().st_size - 1_000)


def half(log):
    os.truncate(log, log.stat().st_size // 2)


def zeroed(log):
    with log.open("r+b") as file:
        file.seek(-4_096, os.SEEK_END)
        file.write(bytes(4_096))


def appended(log):
    with log.open("ab") as file:
        file.write(os.urandom(10_000))


def flipped(log):
    with log.open("r+b") as file:
        file.seek(log.stat().st_size * 2 // 3)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 16]))


def gone(log):
    log.unlink()


@pytest.mark.parametrize(
    ("edit", "least", "most"),
    [(torn, 19, 19), (half, 5, 15), (zeroed, 19, 19), (appended, 20, 20), (flipped, 5, 15), (gone, 0, 0)],
    ids=lambda value: getattr(value, "__name__", value),
)  # fmt: skip
def test_of_a_damaged_log_the_whole_seals_before_the_damage_are_kept(tmp_path, edit, least, most):
    folder = crash_copy(tmp_path, 20)
    edit(folder / "spool.db-wal")
    spool = Spool(folder)
    kept = [facts_of(spool.load(ref.seq))[0].opened_at for ref in spool.pending() if ref.kind == "facts"]
    ticks = sum(ref.kind == "ticks" for ref in spool.pending())
    standing = spool.standing()
    assert least <= ticks == len(kept) <= most  # both batches of a seal, or neither
    assert kept == sorted(set(kept))
    assert standing.books["tick"].received == ticks * 300
    assert balanced(standing.books)
    assert len(spool.room_states()) == bool(ticks)
    assert [ref.seq for ref in spool.commit(seal_of(step(Oracle([ROOM], 100_000))))] == [2 * ticks + 1, 2 * ticks + 2]
    spool.close()

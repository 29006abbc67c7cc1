"""The frame lane: what it says is kept is on disk, encrypted, in its order; what cannot be kept is refused."""

import asyncio
import hashlib
import importlib
import random
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from collectors.hook import Need
from monitor.store import frames
from monitor.store.books import Seal
from monitor.store.cipher import CannotDecrypt, Cipher, is_encrypted
from monitor.store.disk import SpoolDiskFailed, SpoolFull
from monitor.store.frame_table import BODY_S, PRUNED_MAX, RECORD_S
from monitor.store.hour_keys import hour_of
from monitor.store.inbox import Inbox
from monitor.store.sealer import Sealer
from monitor.store.shelf import Shelf
from monitor.store.spool import Spool
from tests.store.test_salvage import random_batch

KEY = Cipher([bytes(range(32))])
AT = datetime(2026, 11, 19, 12, 0, 0, 123_456, tzinfo=UTC)
STORE_ROOM = Path(frames.__file__).parent
CANARY = "收货人 王小明 13800138000".encode()


class Laid:
    """A spool with a lane at work."""

    def __init__(self, folder: Path, module: ModuleType = frames, **options: int) -> None:
        self.spool = Spool(folder)
        self.sealer = Sealer(self.spool, Inbox(), Shelf(), lambda: datetime.now(UTC))
        self.lane = module.FrameLane(self.spool, self.sealer, KEY, **options)

    async def count(self) -> int:
        """As another process would see it after a power cut: only what was committed."""
        return len(await self.sealer.call(self.spool.frames.waiting, 0, 10_000, 1 << 30))


@asynccontextmanager
async def laid(folder: Path, module: ModuleType = frames, **options: int) -> AsyncIterator[Laid]:
    made = Laid(folder, module, **options)
    running = asyncio.create_task(made.lane.run())
    try:
        yield made
        made.lane.close()
        await running
    finally:
        running.cancel()
        with suppress(Exception, asyncio.CancelledError):
            await running
        await made.sealer.finish()


async def test_what_is_kept_comes_back_in_order_and_its_books_balance(tmp_path):
    async with laid(tmp_path / "spool") as made:
        bodies = [b"%d " % number + CANARY for number in range(500)]
        seqs = await asyncio.gather(*(made.lane.keep("shop", body, AT) for body in bodies))
        assert seqs == sorted(seqs)
        kept = await made.sealer.call(made.spool.frames.waiting, 0, 10_000, 1 << 30)
        assert [made.lane.hours.open(frame.body) for frame in kept] == bodies
        assert {(frame.feed, datetime.fromtimestamp(frame.received_at, UTC)) for frame in kept} == {("shop", AT)}
        assert len(made.spool.fsync_s) < 20  # groups, not one by one
        book = made.spool.standing().books["frame"]
        assert (book.received, book.spooled, book.difference) == (500, 500, 0)
    conn = sqlite3.connect(tmp_path / "spool" / "spool.db")
    assert [row[0] for row in conn.execute("SELECT sha256 FROM frame ORDER BY seq")] == [
        hashlib.sha256(body).digest() for body in bodies
    ]
    conn.close()


async def test_no_file_of_the_spool_holds_a_word_of_a_delivery(tmp_path):
    async with laid(tmp_path / "spool") as made:
        await asyncio.gather(*(made.lane.keep("shop", CANARY * 99, AT) for _ in range(100)))
        for path in (path for path in (tmp_path / "spool").rglob("*") if path.is_file()):  # the log among them
            assert CANARY[:12] not in path.read_bytes(), path.name
        assert (tmp_path / "spool" / "spool.db-wal").stat().st_size > 100 * 99 * len(CANARY)


async def kept_means_committed(folder: Path, module: ModuleType = frames) -> None:
    """While the spool's thread is held up nothing is acknowledged; each acknowledged frame is there to be read."""
    async with laid(folder, module) as made:
        let_go = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold() -> None:
            asyncio.run_coroutine_threadsafe(let_go.wait(), loop).result(5)

        holding = asyncio.create_task(made.sealer.call(hold))
        keeping = [asyncio.create_task(made.lane.keep("shop", CANARY, AT)) for _ in range(3)]
        await asyncio.sleep(0.05)
        acknowledged = [task for task in keeping if task.done()]
        let_go.set()
        await holding
        assert not acknowledged
        await asyncio.gather(*keeping)
        assert await made.count() == 3


async def a_refused_frame_is_told_so(folder: Path, module: ModuleType = frames) -> None:
    """On a disk that fills up each sender hears whether its delivery is kept, and it is so."""
    async with laid(folder, module) as made:
        made.spool.sql.execute(f"PRAGMA max_page_count = {made.spool.rows('PRAGMA page_count')[0][0] + 40}")
        kept = refused = 0
        for _ in range(10):
            told = await asyncio.gather(
                *(made.lane.keep("shop", CANARY * 99, AT) for _ in range(5)), return_exceptions=True
            )
            kept += sum(isinstance(seq, int) for seq in told)
            refused += sum(isinstance(error, SpoolFull) for error in told)
        assert await made.count() == kept == 50 - refused
        assert kept
        assert refused


async def kept_means_in_the_books(folder: Path, module: ModuleType = frames) -> None:
    """Whoever has our answer finds the delivery there; else nothing would seem to wait, with nothing to be sealed."""
    async with laid(folder, module) as made:
        for number in range(1, 4):
            await made.lane.keep("shop", CANARY, AT)
            assert made.sealer.standing.books["frame"].spooled == number


async def test_kept_means_in_the_books(tmp_path):
    await kept_means_in_the_books(tmp_path / "spool")


async def test_kept_means_committed(tmp_path):
    await kept_means_committed(tmp_path / "spool")


async def test_a_full_disk_refuses_and_keeps_nothing_in_secret(tmp_path):
    await a_refused_frame_is_told_so(tmp_path / "spool")


def sabotaged(folder: Path, right: str, wrong: str, module: ModuleType = frames) -> ModuleType:
    """A copy of the lane in which one line is wrong. A line that is no longer there is a failure, not a pass."""
    text, name = (
        Path(str(module.__file__)).read_text(encoding="utf-8"),
        f"sabotaged_{module.__name__.rpartition('.')[2]}",
    )
    assert text.count(right) == 1, f"{module.__file__} no longer says just once: {right}"
    (folder / f"{name}.py").write_text(text.replace(right, wrong), encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


EARLY = (
    "            await self._write(group)\n",
    "            [w.kept.set_result(n) for n, w in enumerate(group) if not w.kept.done()]\n"
    "            await self._write(group)\n",
)
SILENT = (
    "        except SpoolFull as error:\n            for waiting in group:\n                _fail(waiting, error)\n"
    "            return\n",
    "        except SpoolFull as error:\n            seqs = [1] * len(group)\n",
)


NOT_LOOKED = ("            await self._sealer.keep_stock()", "            pass")


@pytest.mark.parametrize(
    ("planted", "guarantee"),
    [(EARLY, kept_means_committed), (SILENT, a_refused_frame_is_told_so), (NOT_LOOKED, kept_means_in_the_books)],
    ids=[
        "acknowledged before the fsync",
        "acknowledged though the disk is full",
        "acknowledged before the books say so",
    ],
)
async def test_a_planted_bug_is_caught(
    tmp_path: Path, planted: tuple[str, str], guarantee: Callable[[Path, ModuleType], object]
) -> None:
    module = sabotaged(tmp_path, *planted)
    with pytest.raises(AssertionError):
        await guarantee(tmp_path / "spool", module)  # type: ignore[misc]


async def test_too_many_at_once_are_refused_and_the_others_kept(tmp_path):
    async with laid(tmp_path / "spool", waiting_max=10) as made:
        told = await asyncio.gather(*(made.lane.keep("shop", b"x", AT) for _ in range(30)), return_exceptions=True)
        kept = [seq for seq in told if isinstance(seq, int)]
        assert [type(error) for error in told if not isinstance(error, int)] == [frames.LaneFull] * 20
        assert await made.count() == len(kept) == 10


async def test_the_ballast_is_given_up_before_a_sender_is_refused(tmp_path):
    async with laid(tmp_path / "spool") as made:
        assert made.spool.ballast.path.exists()
        pages = made.spool.rows("PRAGMA page_count")[0][0]
        made.spool.sql.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(SpoolFull):
            await made.lane.keep("shop", CANARY * 999, AT)
        assert not made.spool.ballast.path.exists()
        assert made.sealer.shedding  # ticks make room
        made.spool.sql.execute("PRAGMA max_page_count = 1000000")
        await made.lane.keep("shop", CANARY * 999, AT)
        assert await made.count() == 1


async def test_a_failed_disk_ends_the_lane_and_acknowledges_nothing(tmp_path):
    made = Laid(tmp_path / "spool")
    made.spool.sql.execute("PRAGMA query_only = 1")  # SQLITE_READONLY, as a disk remounted read-only
    running = asyncio.create_task(made.lane.run())
    told = await asyncio.gather(*(made.lane.keep("shop", b"x", AT) for _ in range(100)), return_exceptions=True)
    assert {type(error) for error in told} == {SpoolDiskFailed}
    with pytest.raises(SpoolDiskFailed):
        await running
    with pytest.raises(SpoolFull):
        await made.lane.keep("shop", b"x", AT)
    await made.sealer.finish()


async def test_a_sender_that_went_away_costs_nobody_else(tmp_path):
    async with laid(tmp_path / "spool") as made:
        keeping = [asyncio.create_task(made.lane.keep("shop", b"x", AT)) for _ in range(3)]
        await asyncio.sleep(0)
        keeping[1].cancel()
        assert isinstance(await keeping[0], int)
        assert isinstance(await keeping[2], int)
        assert await made.count() == 3


async def test_the_key_of_the_hour_is_there_before_the_first_delivery_comes(tmp_path):
    async with laid(tmp_path / "spool") as made:
        before = hour_of(time.time())
        await made.lane.make_ready()
        assert set(made.lane.hours.keys.hours()) & {before, hour_of(time.time())}


async def test_a_lane_that_closes_keeps_what_it_took(tmp_path):
    async with laid(tmp_path / "spool") as made:
        keeping = [asyncio.create_task(made.lane.keep("shop", b"x", AT)) for _ in range(200)]
        await asyncio.sleep(0)
        made.lane.close()
        with pytest.raises(frames.LaneFull):
            await made.lane.keep("shop", b"late", AT)
        assert len(set(await asyncio.gather(*keeping))) == 200


# --- the table -------------------------------------------------------------------------------------------------------


def keep(spool: Spool, *bodies: bytes, feed: str = "shop", at: float = 1_000.0) -> list[int]:
    arrivals = [frames.Arrival(feed, at, hashlib.sha256(body).digest(), KEY.encrypt(body)) for body in bodies]
    return spool.frames.append(arrivals)


def test_each_mark_moves_the_books_once_and_needs_are_followed(tmp_path):
    spool = Spool(tmp_path / "spool")
    first, second, third, fourth = keep(spool, b"1", b"2", b"3", b"4")
    order, refund = Need("order.detail", "7", "店"), Need("refund.detail", "9", "店")
    spool.commit(Seal(frames=[first], frames_pending=[(second, (order, refund)), (third, (order,))]))
    assert spool.frames.needing(order, 0, 9) == [second, third]
    assert spool.frames.needs("order.detail", None, 9) == [order]
    assert spool.frames.needs("order.detail", order, 9) == []
    assert [frame.seq for frame in spool.frames.waiting(0, 9, 999)] == [fourth]
    assert spool.frames.before_waiting() == fourth - 1
    standing = spool.standing()
    assert standing.frames["shop"].waiting, standing.frames["shop"].pending == (1, 2)
    assert (standing.frames_spooled, standing.oldest_frame_at) == (3, 1_000.0)
    spool.commit(Seal(frames=[second, first], frames_pending=[(first, (order,)), (third, (refund,))]))
    spool.commit(Seal(frames=[second], frames_quarantined=[third, third, second]))
    assert (spool.frames.needing(order, 0, 9), spool.frames.needing(refund, 0, 9)) == ([], [])
    book = spool.standing().books["frame"]
    assert (book.received, book.written, book.quarantined, book.spooled, book.difference) == (4, 2, 1, 1, 0)
    assert spool.frames.load([first, fourth, 99])[0].seq == fourth
    spool.close()


def test_bytes_go_a_day_after_their_batch_was_applied_and_the_record_after_thirty(tmp_path):
    spool = Spool(tmp_path / "spool")
    with_facts, without, pending, waiting = keep(spool, b"1", b"2", b"3", b"4")
    (ref,) = spool.commit(Seal(batches=[random_batch(random.Random(1))], frames=[with_facts]))
    spool.commit(Seal(frames=[without], frames_pending=[(pending, (Need("a", "b"),))]))
    now = time.time()

    def kept_at(at: float) -> list[int]:
        while spool.frames.prune(at):
            pass
        return [row[0] for row in spool.rows("SELECT seq FROM frame_body ORDER BY seq")]

    assert kept_at(now + BODY_S - 60) == [with_facts, without, pending, waiting]
    assert kept_at(now + BODY_S + 60) == [with_facts, pending, waiting]  # PostgreSQL does not have it yet
    spool.commit(Seal(released=[(ref.seq, {})]))
    assert kept_at(time.time() + BODY_S - 60) == [with_facts, pending, waiting]
    assert kept_at(time.time() + BODY_S + 60) == [pending, waiting]
    assert len(spool.rows("SELECT 1 FROM frame WHERE length(sha256) = 32")) == 4
    assert kept_at(time.time() + RECORD_S + 60) == [pending, waiting]
    assert [row[0] for row in spool.rows("SELECT seq FROM frame")] == [pending, waiting]
    assert spool.standing().books["frame"].difference == 0
    spool.close()


def test_many_bodies_are_deleted_a_little_at_a_time_and_none_is_left_behind(tmp_path):
    spool = Spool(tmp_path / "spool")
    seqs = keep(spool, *([b"x"] * (2 * PRUNED_MAX + 1)))
    spool.commit(Seal(frames=seqs))
    rounds = 1
    while spool.frames.prune(time.time() + BODY_S + 60):
        rounds += 1
    assert rounds == 3
    assert spool.rows("SELECT count(*) FROM frame_body") == [(0,)]
    spool.close()


def test_pieces_are_read_under_the_old_key_too_and_no_other(tmp_path):
    old, new = Cipher([b"o" * 32]), Cipher([b"n" * 32, b"o" * 32])
    piece = old.encrypt(CANARY)
    assert new.decrypt(piece) == CANARY
    assert new.encrypt(CANARY) != new.encrypt(CANARY)
    assert is_encrypted(piece)
    for broken in (new.encrypt(CANARY), piece[:-1], piece[:20] + bytes([piece[20] ^ 1]) + piece[21:], b"", CANARY):
        with pytest.raises(CannotDecrypt):
            old.decrypt(broken)
    assert "o" * 8 not in repr(old)

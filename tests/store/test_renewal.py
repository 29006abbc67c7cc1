"""Deliveries are unreadable for ever a day after they were needed for the last time, and not before."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from collectors.hook import Need
from monitor.facts import Quarantined
from monitor.store import renewal
from monitor.store.batch import BatchDamaged, facts_batches, facts_of
from monitor.store.books import Seal
from monitor.store.cipher import CannotDecrypt, Cipher
from monitor.store.frame_table import BODY_S
from monitor.store.frames import arrival
from monitor.store.hour_keys import HOUR_S, hour_of, name_of
from monitor.store.repair import repair
from monitor.store.spool import Spool
from tests.reading import KEY, Stall, ids, reading, sale
from tests.store.test_frames import sabotaged
from tests.store.test_salvage import overwrite, pages_of
from tests.test_reading import quarantined
from tests.thief import nonce_of, stolen

RAW = bytes(range(32))
NEED = Need("order.detail", "7", "店")
DAY_S = BODY_S


class Shop:
    """A spool in which deliveries were kept at given instants."""

    def __init__(self, folder: Path, module: ModuleType = renewal) -> None:
        self.folder, self.module = folder, module
        self.spool = Spool(folder / "spool")
        self.hours = self.spool.unlock(KEY)
        self.said: dict[int, bytes] = {}
        self.nonces: set[bytes] = set()

    def keep(self, at: float, count: int = 1, size: int = 0) -> list[int]:
        frames = [sale(f"{at}:{number}", padding="x" * size) for number in range(count)]
        when = datetime.fromtimestamp(at, UTC)
        arrivals = [arrival(self.hours, "stall", frame, when, when) for frame in frames]
        seqs = self.spool.frames.append(arrivals)
        self.said |= dict(zip(seqs, frames, strict=True))
        self.nonces |= {nonce_of(it.body) for it in arrivals}
        return seqs

    def forget(self, now: float) -> int:
        self.spool.prune(now)
        rounds = 1
        while self.module.forget(self.spool, now):
            rounds += 1
        return rounds

    def readable(self) -> dict[int, bytes]:
        """Through the product: what is not finished, and can be opened."""
        return {kept.seq: self.hours.open(kept.body) for kept in self.spool.frames.load(self.said)}

    def stolen(self) -> set[bytes]:
        return stolen(self.folder, [RAW])

    def pend(self, seqs: list[int]) -> None:
        self.spool.commit(Seal(frames_pending=[(seq, (NEED,)) for seq in seqs]))


# --- what a thief has, and what the product still reads ---------------------------------------------------------------


def done_is_gone(folder: Path, module: ModuleType = renewal) -> None:
    """A day after the hour of their use no thief reads anything of them, wherever SQLite has left it."""
    shop, now = Shop(folder, module), time.time()
    seqs = shop.keep(now, 300)
    shop.spool.commit(Seal(frames=seqs))
    shop.forget(now + DAY_S - 60)
    assert shop.stolen() == shop.nonces  # a day is a day, and he finds what is there to be found
    shutil.copytree(folder, folder / "an old copy", ignore=shutil.ignore_patterns("keys", "ballast", "an old copy"))
    shop.forget(now + DAY_S + HOUR_S)
    assert shop.stolen() == set()
    shop.spool.close()
    assert shop.stolen() == set()


def waiting_is_readable(folder: Path, module: ModuleType = renewal) -> None:
    """What is still needed is sealed anew, however much it is, and the key that it had is gone."""
    shop, now = Shop(folder, module), time.time()
    many, some = shop.keep(now, 2 * renewal.RENEWED_MAX + 7), shop.keep(now + 60, 3, size=2_200_000)
    shop.pend(many + some[:2])
    assert shop.forget(now + DAY_S + 2 * HOUR_S) > 4  # others go between
    assert shop.hours.keys.hours()[0] == hour_of(now + DAY_S + 2 * HOUR_S)
    assert shop.readable() == shop.said
    for days in range(2, 7):
        shop.forget(now + days * (DAY_S + 2 * HOUR_S))
    assert shop.readable() == shop.said
    assert not shop.stolen() & shop.nonces  # as they were first kept
    assert shop.spool.standing().books["frame"].difference == 0
    shop.spool.close()


def late_is_gone_in_time(folder: Path, module: ModuleType = renewal) -> None:
    """What was understood long after it came is not kept longer for having been sealed anew meanwhile."""
    shop, now = Shop(folder, module), time.time()
    seqs = shop.keep(now - 20 * HOUR_S, 9)
    shop.spool.commit(Seal(frames=seqs))
    shop.forget(now + 10 * HOUR_S)  # the key of the hour they came in is gone
    [(done_at,)] = shop.spool.rows("SELECT min(done_at) FROM frame JOIN frame_body USING (seq) HAVING count(*) = 9")
    assert shop.hours.keys.hours()[0] == hour_of(done_at)
    shop.forget(now + DAY_S + 60)
    shop.forget(now + DAY_S + 2 * HOUR_S)
    assert shop.stolen() == set()
    shop.spool.close()


def quarantined_batch_is_gone(folder: Path, module: ModuleType = renewal) -> None:
    """A delivery on its way to quarantine is in the spool as long as PostgreSQL may need it from there, and a day."""
    shop, now = Shop(folder, module), time.time()
    [seq] = shop.keep(now)
    at = datetime.fromtimestamp(now, UTC)
    bad = Quarantined("stall", "frame", "no JSON", at, "delivery 1", KEY.encrypt(shop.said[seq]))
    [batch] = facts_batches([bad], at, secret=True)
    [ref] = shop.spool.commit(Seal(batches=[batch], frames_quarantined=[seq]))
    assert nonce_of(bad.payload) in shop.stolen()
    for days in (1, 2, 3):  # PostgreSQL is away
        shop.forget(now + days * (DAY_S + 2 * HOUR_S))
    assert facts_of(shop.spool.load(ref.seq)) == [bad]
    shop.spool.commit(Seal(released=[(ref.seq, {})]))
    shop.forget(now + 4 * DAY_S + 8 * HOUR_S)
    assert shop.spool.rows("SELECT count(*) FROM payload") == [(0,)]
    shop.forget(now + 5 * DAY_S + 10 * HOUR_S)
    assert shop.stolen() == set()
    shop.spool.close()


GUARANTEES = [done_is_gone, waiting_is_readable, late_is_gone_in_time, quarantined_batch_is_gone]


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.__name__)
def test_a_guarantee(tmp_path: Path, guarantee: Callable[[Path], None]) -> None:
    guarantee(tmp_path)


BUGS = {
    "a key is never thrown": ("            hours.keys.throw(hour)\n", "            pass\n", done_is_gone),
    "a key is thrown while something uses it": (
        "_renewed(spool, hours, hour, now):\n            return True",
        "_renewed(spool, hours, hour, now):\n            pass",
        waiting_is_readable,
    ),
    "sealing anew is forgotten": ("if opens and _renewed(", "if False and _renewed(", waiting_is_readable),
    "sealed anew for another day": ("hour_of(now if until is None else min(until, now))", "hour_of(now)",
                                    late_is_gone_in_time),
    "batches are forgotten": ("((FRAMES, _frame), (BATCHES, _batch))", "((FRAMES, _frame),)",
                              quarantined_batch_is_gone),
    "its checksum is left as it was": ('"UPDATE payload SET payload = ?, crc = ? WHERE seq = ?"',
                                       '"UPDATE payload SET payload = ?, crc = crc + 0 * ? WHERE seq = ?"',
                                       quarantined_batch_is_gone),
}  # fmt: skip


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(tmp_path: Path, name: str) -> None:
    right, wrong, guarantee = BUGS[name]
    module = sabotaged(tmp_path, right, wrong, renewal)
    with pytest.raises((AssertionError, CannotDecrypt, BatchDamaged)):
        guarantee(tmp_path / "shop", module)


# --- what can go wrong ------------------------------------------------------------------------------------------------


def test_killed_before_any_step_nothing_that_is_needed_is_lost(tmp_path: Path) -> None:
    """Between sealing anew, overwriting and removing: the next run takes it up, and comes to the same end."""
    now, deaths, point = time.time(), 0, 0
    while True:
        point += 1
        shop = Shop(tmp_path / str(point))
        shop.pend(shop.keep(now, 3))
        shop.spool.commit(Seal(frames=shop.keep(now, 3)))
        shop.spool.close()
        died = _dies(shop.folder, now + DAY_S + 2 * HOUR_S, point)
        deaths += died
        shop.spool = Spool(shop.folder / "spool")
        shop.hours = shop.spool.unlock(KEY)
        assert [shop.readable()[seq] for seq in (1, 2, 3)] == [shop.said[seq] for seq in (1, 2, 3)], point
        shop.forget(now + DAY_S + 2 * HOUR_S)
        assert shop.hours.keys.hours()[0] == hour_of(now + DAY_S + 2 * HOUR_S)
        assert {seq: shop.said[seq] for seq in (1, 2, 3)} == shop.readable()
        assert not shop.stolen() & shop.nonces
        shop.spool.close()
        if not died:
            break
    assert deaths > 20


def _dies(folder: Path, now: float, point: int) -> bool:
    """In a process that dies before its so-many-th statement, or touch of a key's file."""
    child = os.fork()
    if not child:
        spool, left = Spool(folder / "spool"), point
        spool.unlock(KEY)

        def step(*_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        def heard(event: str, _: object) -> None:
            if event in ("open", "os.link", "os.remove", "os.rename", "os.mkdir"):
                step()

        spool.sql.set_trace_callback(step)
        sys.addaudithook(heard)
        try:
            while renewal.forget(spool, now):
                pass
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-5])])
async def test_the_file_of_an_hour_that_is_lost_costs_the_deliveries_of_that_hour(tmp_path, damage, caplog):
    async with reading(tmp_path / "spool", ahead_s=-7_200) as made:
        await made.keep(sale("early"), feed="new")
        early = hour_of(made.now().timestamp())
        made.ahead_s = 0
        await made.keep(sale("late"), feed="new")
        await made.settled()
        path = made.lane.hours.keys.folder / name_of(early)
    damage(path)
    async with reading(tmp_path / "spool") as made:
        assert not await made.facts()
        made.configure([Stall(name="new")])
        made.reader.configured([feed.row for feed in made.watch.feeds.values()])
        async with asyncio.timeout(10):
            while made.store.sealer.standing.frames_spooled:
                await made.settled()
        [bad] = await quarantined(made)
        assert bad.reason.startswith("its bytes cannot be read")
        assert bad.payload.startswith(b"LMF\2")  # as it is: a copy of the file would still open it
        assert ids(await made.facts()) == {"late": 1}
        assert "delivery 1 cannot be read" in caplog.text
        assert await made.keep(sale("and on"), feed="new")


def test_a_key_that_does_not_open_stays_while_something_waits_for_it(tmp_path: Path) -> None:
    """A person may put a copy of it back."""
    shop, now = Shop(tmp_path), time.time()
    shop.pend(shop.keep(now, 3))
    path = tmp_path / "spool" / "keys" / name_of(hour_of(now))
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    shop.spool.close()
    again = Shop(tmp_path)
    again.said = shop.said
    assert again.forget(now + 2 * DAY_S) == 1
    assert path.exists()
    path.write_bytes(good)
    again.forget(now + 2 * DAY_S)
    assert again.readable() == shop.said
    assert not path.exists()
    again.spool.close()


def test_a_rotten_delivery_holds_no_key_back(tmp_path: Path) -> None:
    shop, now = Shop(tmp_path), time.time()
    shop.pend(shop.keep(now, renewal.RENEWED_MAX + 3))
    rotten = range(1, renewal.RENEWED_MAX + 2)
    for seq in rotten:
        [(body,)] = shop.spool.rows("SELECT body FROM frame_body WHERE seq = ?", (seq,))
        shop.spool.sql.execute("UPDATE frame_body SET body = ? WHERE seq = ?", (body[:-1] + bytes([body[-1] ^ 1]), seq))
    shop.forget(now + 2 * DAY_S)
    assert shop.hours.keys.hours()[0] == hour_of(now + 2 * DAY_S)
    whole = [seq for seq in shop.said if seq not in rotten]
    assert [shop.hours.open(kept.body) for kept in shop.spool.frames.load(whole)] == [shop.said[seq] for seq in whole]
    shop.spool.close()


def test_a_clock_that_was_wrong_costs_nothing(tmp_path: Path) -> None:
    shop, now = Shop(tmp_path), time.time()
    ahead = shop.keep(now + 30 * DAY_S, 2)  # a clock that was a month ahead
    back = shop.keep(now, 2)
    shop.pend(ahead + back)
    shop.forget(now + 60)
    assert hour_of(now) <= shop.hours.keys.hours()[0] <= shop.hours.keys.hours()[-1] <= hour_of(now) + 1
    assert shop.readable() == shop.said
    shop.forget(now + 2 * DAY_S)
    again = shop.keep(now, 2)  # and one that went back, to an hour whose key was thrown away
    shop.pend(again)
    assert shop.readable() == shop.said
    assert not shop.stolen() & {nonce for nonce in shop.nonces if nonce not in _nonces(shop.spool)}
    shop.forget(now + 2 * DAY_S)
    assert shop.readable() == shop.said
    shop.spool.close()


def _nonces(spool: Spool) -> set[bytes]:
    return {nonce_of(body) for (body,) in spool.rows("SELECT body FROM frame_body")}


def test_another_spool_key_is_noticed_and_a_lost_or_unused_hour_is_not_taken_for_one(tmp_path: Path) -> None:
    shop, now, other = Shop(tmp_path), time.time(), Cipher([b"x" * 32])
    shop.hours.seal(b"nobody keeps this", now - 5 * HOUR_S)
    renewal.check_key(shop.spool, shop.spool.unlock(other))  # nothing is here that it would open
    shop.hours = shop.spool.unlock(KEY)
    shop.keep(now - 2 * HOUR_S)
    shop.keep(now)
    (tmp_path / "spool" / "keys" / name_of(hour_of(now))).write_bytes(b"")
    renewal.check_key(shop.spool, shop.spool.unlock(KEY))
    renewal.check_key(shop.spool, shop.spool.unlock(Cipher([b"x" * 32, RAW])))
    with pytest.raises(CannotDecrypt, match="another spool key"):
        renewal.check_key(shop.spool, shop.spool.unlock(other))
    shop.spool.close()


def test_an_old_spool_key_can_go_when_the_hours_that_it_wrapped_are_gone(tmp_path: Path) -> None:
    shop, now, new = Shop(tmp_path), time.time(), Cipher([b"n" * 32])
    shop.pend(shop.keep(now, 2))
    shop.hours = shop.spool.unlock(Cipher([b"n" * 32, RAW]))
    shop.forget(now + 60)
    with pytest.raises(CannotDecrypt):
        renewal.check_key(shop.spool, shop.spool.unlock(new))
    shop.hours = shop.spool.unlock(Cipher([b"n" * 32, RAW]))
    shop.forget(now + DAY_S + HOUR_S)
    shop.hours = shop.spool.unlock(new)
    renewal.check_key(shop.spool, shop.hours)
    assert shop.readable() == shop.said
    shop.spool.close()


def test_a_repair_keeps_the_keys_and_what_they_open(tmp_path: Path) -> None:
    shop, now = Shop(tmp_path), time.time()
    shop.keep(now, 40)
    bad = Quarantined("stall", "frame", "no JSON", datetime.now(UTC), "delivery 9", KEY.encrypt(b"whole"))
    [batch] = facts_batches([bad], datetime.now(UTC), secret=True)
    shop.spool.commit(Seal(batches=[batch]))
    shop.spool.close()
    overwrite(tmp_path / "spool", pages_of(tmp_path / "spool", "frame"))
    repair(tmp_path / "spool", datetime.now(UTC))
    again = Shop(tmp_path)
    again.said = shop.said
    assert again.readable() == shop.said
    [ref] = again.spool.pending()
    assert facts_of(again.spool.load(ref.seq)) == [bad]
    again.forget(now + 2 * DAY_S)
    assert again.readable() == shop.said
    again.spool.close()
    assert not shop.stolen() & shop.nonces  # nor in the old file, which is kept beside it

"""Accounts and cursors in the spool: whole or not at all, overwritten when replaced, and there after a repair."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.facts import Heard, PollCursor
from monitor.store.account_table import SealedAccount
from monitor.store.books import Seal
from monitor.store.cipher import MARK
from monitor.store.disk import SpoolFull
from monitor.store.pages import Row
from monitor.store.repair import repair
from monitor.store.salvage import Collected
from monitor.store.spool import Spool
from tests.store.test_salvage import NOW, leaves_of, overwrite
from tests.store.way import connecting, running


def piece(mark: int) -> bytes:
    """As long as a real one; each byte tells whose it is."""
    return MARK + bytes([mark]) * 600


def row(number: int, mark: int = 1) -> SealedAccount:
    return SealedAccount("doudian-main", f"店铺{number}", "", piece(mark))


@pytest.fixture
def spool(tmp_path: Path):
    spool = Spool(tmp_path / "spool")
    yield spool
    spool.close()


def at(seconds: float) -> datetime:
    return datetime(2026, 11, 19, tzinfo=UTC) + timedelta(seconds=seconds)


def test_what_was_kept_is_there_for_the_next_start(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.accounts.keep([row(1), row(2), row(3)])
    spool.accounts.keep([row(2, 7)], [("doudian-main", "店铺3", "")])
    spool.close()
    spool = Spool(tmp_path / "spool")
    assert spool.accounts.load() == [row(1), row(2, 7)]
    spool.close()


def test_all_of_a_keeping_or_nothing(spool):
    spool.accounts.keep([row(1)])
    spool.sql.execute("PRAGMA max_page_count = 1")  # of what SQLite has already it takes nothing away
    with pytest.raises(SpoolFull):
        spool.accounts.keep([row(number, 2) for number in range(1, 500)], [])
    assert spool.accounts.load() == [row(1)]


def test_what_is_replaced_or_gone_is_overwritten(tmp_path):
    spool = Spool(tmp_path / "spool")
    for first in range(0, 300, 100):  # deep enough for pages above pages
        spool.accounts.keep([row(number, 0xAB) for number in range(first, first + 100)])
    spool.accounts.keep([row(number, 0xCD) for number in range(200)], [row_id(n) for n in range(200, 300)])
    spool.close()  # the log becomes part of the file, and goes
    assert piece(0xAB)[4:] not in (tmp_path / "spool" / "spool.db").read_bytes()
    assert piece(0xCD) in (tmp_path / "spool" / "spool.db").read_bytes()


def row_id(number: int) -> tuple[str, str, str]:
    return "doudian-main", f"店铺{number}", ""


def test_what_is_put_aside_stays(spool):
    spool.accounts.keep([row(1), row(2)])
    spool.accounts.keep([row(1, 2)], [row_id(2)], aside=[row_id(1), row_id(2)])
    assert spool.accounts.load() == [row(1, 2)]
    assert spool.rows("SELECT app, shop, sealed FROM account_aside ORDER BY shop") == [
        ("doudian-main", "店铺1", piece(1)),
        ("doudian-main", "店铺2", piece(1)),
    ]


def test_cursors_move_in_the_sealing_of_what_was_polled_before_them(spool):
    first, other = PollCursor("feed", "shop", "orders", at(1.5)), PollCursor("feed", "shop", "refunds", at(2))
    spool.commit(Seal(cursors=[first, other, PollCursor("another", "shop", "orders", at(3))]))
    moved = PollCursor("feed", "shop", "orders", at(9))
    spool.commit(Seal(cursors=[moved]))
    assert spool.accounts.cursors("feed") == [moved, other]
    with pytest.raises(sqlite3.IntegrityError):
        spool.commit(Seal(cursors=[PollCursor("feed", "shop", "orders", at(99))], room_states={("p", "r"): None}))
    assert spool.accounts.cursors("feed") == [moved, other]


async def test_a_step_that_was_put_takes_its_cursor_along(database, tmp_path):
    cursor = PollCursor("feed", "shop", "orders", at(5))
    async with running(tmp_path / "spool", connecting(database)) as store:
        await store.put_on_disk(Heard(cursors=[cursor]))
        assert await store.sealer.call(store.spool.accounts.cursors, "feed") == [cursor]


def test_accounts_and_cursors_survive_a_repair(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.accounts.keep([row(number) for number in range(1_000)])
    spool.accounts.keep([row(0, 9)], aside=[row_id(0)])
    spool.commit(Seal(cursors=[PollCursor("feed", f"shop {n}", "orders", at(n)) for n in range(100)]))
    before = (spool.accounts.load(), spool.accounts.cursors("feed"), spool.rows("SELECT * FROM account_aside"))
    spool.close()
    told, _ = repair(tmp_path / "spool", NOW)
    spool = Spool(tmp_path / "spool")
    assert told.accounts == 1_000
    assert (spool.accounts.load(), spool.accounts.cursors("feed"), spool.rows("SELECT * FROM account_aside")) == before
    spool.close()


def test_a_broken_page_costs_its_own_accounts_alone(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.accounts.keep([row(number, number % 250) for number in range(1_000)])
    before = {kept.shop: kept for kept in spool.accounts.load()}
    spool.close()
    overwrite(tmp_path / "spool", leaves_of(tmp_path / "spool", "account")[3:4])
    told, _ = repair(tmp_path / "spool", NOW)
    spool = Spool(tmp_path / "spool")
    kept = spool.accounts.load()
    spool.close()
    assert 980 <= told.accounts == len(kept) < 1_000
    assert all(before[found.shop] == found for found in kept)


def test_of_two_that_a_spool_without_a_header_tells_the_newest_counts(tmp_path):
    """A page that was freed long ago may tell the same account once more, and an earlier cursor."""
    spool = Spool(tmp_path / "spool")
    collected = Collected(spool.sql)
    for mark, kept_at in ((1, 10), (2, 30.5), (3, 20)):
        assert collected.take(Row(None, ("app", "shop", "", piece(mark), kept_at)))
    for until in (50, 40.5, 60):
        assert collected.take(Row(None, ("feed", "shop", "orders", until, 7)))
    assert not collected.take(Row(None, ("order.detail", "key", "shop", 7)))  # what a frame needs is no cursor
    assert not collected.take(Row(None, ("app", "shop", "", b"not sealed" * 9, 10)))
    assert spool.accounts.load() == [SealedAccount("app", "shop", "", piece(2))]
    assert spool.rows("SELECT until FROM poll_cursor") == [(40.5,)]
    spool.close()

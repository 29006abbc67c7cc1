"""Accounts at rest: nobody reads them without the key, none is taken for another, and none is lost by a wrong key."""

import logging
import os
import random
import select
import sqlite3
import subprocess
import sys
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.open_api import Tokens
from monitor.accounts.account import Account
from monitor.accounts.book import Book
from monitor.accounts.vault import PIECE, UNREADABLE, Sealing, Unreadable, Vault
from monitor.keys import Key
from monitor.store.account_table import SealedAccount
from monitor.store.disk import SpoolFull
from monitor.store.spool import Spool
from tests.accounts.refreshing import pair

AT = datetime(2026, 11, 19, 12, tzinfo=UTC)
OLD, NEW = Key(b"old " * 8), Key(b"new " * 8)
CANARY = "canary-token-7f3a"


def account(shop: str, token: str = CANARY) -> Account:
    tokens = Tokens(f"a-{token}", AT, AT + timedelta(days=7), f"r-{token}", AT + timedelta(days=14), {"cipher": token})
    return Account(
        "doudian-main", "doudian", shop, name="小店", contact="王", tokens=tokens, key="k",
        secret=f"s-{token}".encode(), ticket=f"t-{token}", refreshed_at=AT,
    )  # fmt: skip


async def call(work, *args, **kwargs):
    return work(*args, **kwargs)


@pytest.fixture
def spool(tmp_path: Path):
    spool = Spool(tmp_path / "spool")
    yield spool
    spool.close()


def vault(spool: Spool, *keys: Key) -> Vault:
    return Vault(call, spool.accounts, keys or (NEW,), {"doudian-main": "doudian"}.get)


async def test_an_account_comes_back_as_it_was_to_the_last_field(spool):
    accounts = [account("1"), Account("doudian-main", "doudian", "", ticket="x"), Account("a", "b", "", "主播")]
    await vault(spool).keep(accounts)
    assert sorted(await vault(spool).load(), key=lambda a: a.id) == sorted(accounts, key=lambda a: a.id)
    await vault(spool).keep((), [account("1").id])
    assert account("1").id not in {kept.id for kept in await vault(spool).load()}


async def test_a_row_in_the_place_of_another_means_nothing(spool):
    await vault(spool).keep([account("1"), account("2")])
    spool.sql.execute("UPDATE account SET sealed = (SELECT sealed FROM account WHERE shop = '1') WHERE shop = '2'")
    assert {kept.shop: kept.refused for kept in await vault(spool).load()} == {"1": "", "2": UNREADABLE}


@pytest.mark.parametrize("other", [("doudian-mai", "n1", ""), ("doudian-main", "", "1"), ("doudian-main", "1", "1")])
def test_no_other_three_ids_open_it(other):
    sealed = Sealing([NEW]).seal(account("1")).sealed
    with pytest.raises(Unreadable):
        Sealing([NEW]).open(SealedAccount(*other, sealed))


async def test_two_that_are_alike_look_unlike(spool):
    await vault(spool).keep([account("1")])
    [before] = spool.accounts.load()
    await vault(spool).keep([account("1")])
    assert spool.accounts.load() != [before]


async def test_a_key_is_rotated_without_losing_one_and_the_old_one_opens_nothing_then(spool, caplog):
    accounts = [account(f"{number:04}", f"t{number}") for number in range(PIECE + 20)]
    await vault(spool, OLD).keep(accounts)
    sizes = []

    async def watched(work, *args):
        if work == spool.accounts.keep:
            sizes.append(len(args[0]))
        return work(*args)

    with caplog.at_level(logging.WARNING):
        loaded = await Vault(watched, spool.accounts, [NEW, OLD], {}.get).load()
    assert sorted(loaded, key=lambda a: a.id) == accounts
    assert sizes == [PIECE, 20]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert await vault(spool, NEW).load() == accounts
    assert all(kept.refused == UNREADABLE for kept in await vault(spool, OLD).load())


async def test_a_full_disk_puts_off_the_rotation_and_nothing_else(spool, caplog):
    await vault(spool, OLD).keep([account("1")])

    async def full(work, *args):
        if work == spool.accounts.keep:
            raise SpoolFull("no room left")
        return work(*args)

    assert await Vault(full, spool.accounts, [NEW, OLD], {}.get).load() == [account("1")]
    assert "stay under the earlier account key until the next start: no room left" in caplog.text


async def test_under_another_key_all_are_listed_none_is_lost_and_it_is_said_once(spool, caplog):
    await vault(spool, OLD).keep([account(f"店{number}") for number in range(12)])
    rows = spool.accounts.load()
    told = await vault(spool, NEW).load()
    assert {(it.app, it.platform, it.shop, it.refused, it.tokens) for it in told} == {
        ("doudian-main", "doudian", f"店{number}", UNREADABLE, None) for number in range(12)
    }
    [record] = caplog.records
    assert record.getMessage().startswith("the tokens of 12 accounts cannot be read, is this another account key?")
    assert "doudian-main 店0, doudian-main 店1" in record.getMessage()
    assert record.getMessage().endswith(" and 2 more")
    assert spool.accounts.load() == rows
    assert {kept.refused for kept in await vault(spool, OLD).load()} == {""}


async def test_what_could_not_be_read_is_kept_aside_when_the_shop_is_linked_anew(spool):
    await vault(spool, OLD).keep([account("1"), account("2"), account("3")])
    [first, second, _] = spool.accounts.load()
    present = vault(spool, NEW)
    await present.load()
    await present.keep([account("1", "anew")], [account("2").id])
    await present.keep([account("1", "again")])
    assert [row[0] for row in spool.rows("SELECT sealed FROM account_aside ORDER BY shop")] == [
        first.sealed,
        second.sealed,
    ]
    assert Sealing([OLD]).open(first) == (account("1"), False)
    assert await vault(spool, NEW, OLD).load() == [account("1", "again"), account("3")]


async def test_bytes_that_are_damaged_cost_one_account(spool):
    await vault(spool).keep([account("1"), account("2")])
    spool.sql.execute("UPDATE account SET sealed = substr(sealed, 1, 40) WHERE shop = '1'")
    assert {kept.shop: kept.refused for kept in await vault(spool).load()} == {"1": UNREADABLE, "2": ""}


async def test_a_failed_keeping_is_raised_and_what_is_in_use_stays_what_is_on_disk(spool):
    told = []
    book = Book(vault(spool), told.append, lambda: AT)
    await book.open()
    await book.keep(account("1", "first"))

    async def full(work, *args):
        raise SpoolFull("no room left")

    book._vault._call = full
    with pytest.raises(SpoolFull):
        await book.keep(account("1", "second"))
    assert book.get("doudian-main", "1").tokens == account("1", "first").tokens
    assert len(told) == 1


async def test_each_word_of_an_account_is_later_than_the_one_before_though_the_clock_is_set_back(spool):
    told, times = [], iter([AT, AT - timedelta(hours=1), AT - timedelta(hours=2), AT, AT - timedelta(days=1)])
    book = Book(vault(spool), told.append, lambda: next(times))
    await book.open()
    await book.keep(account("1"))
    await book.keep(account("1", "second"))
    book = Book(vault(spool), told.append, lambda: next(times))
    await book.open()
    await book.forget(account("1"))
    facts = [fact for heard in told for fact in heard.accounts]
    tick = timedelta(microseconds=1)
    assert [(fact.at, fact.gone) for fact in facts] == [
        (AT, False), (AT + tick, False), (AT + 2 * tick, False), (AT + 3 * tick, True),
    ]  # fmt: skip


# --- secrets ---------------------------------------------------------------------------------------------------------


async def test_no_token_lies_in_clear_in_any_file_of_the_data_folder_whatever_becomes_of_it(tmp_path):
    spool = Spool(tmp_path / "spool")
    book = Book(vault(spool), lambda heard: None, lambda: AT)
    for number in range(50):
        await book.keep(account(str(number)))
    await book.keep(*(account(str(number), f"{CANARY}-2") for number in range(50)))
    await book.forget(account("7"))
    scan(tmp_path)
    spool.close()
    scan(tmp_path)
    spool = Spool(tmp_path / "spool")
    await vault(spool, OLD, NEW).load()  # rotated back
    scan(tmp_path)
    spool.close()


def scan(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    content = {path.name: path.read_bytes() for path in files}
    assert content["spool.db"]
    assert [name for name, raw in content.items() if b"canary" in raw.lower()] == []
    # the ids are in clear, so the scan sees what there is to see
    assert any(b"doudian-main" in raw for raw in content.values())


async def test_neither_a_repr_nor_a_traceback_nor_a_fact_shows_a_token(spool, caplog):
    caplog.set_level(logging.DEBUG)
    told = []
    book = Book(vault(spool), told.append, lambda: AT)
    await book.open()
    await book.keep(account("1"))
    shown = [repr(it) for it in (account("1"), [account("1").tokens], book.all(), book._vault, Sealing([NEW]), NEW)]
    shown += [repr(told), str(told)]
    spool.sql.execute("DROP TABLE account")
    with pytest.raises(sqlite3.OperationalError) as caught:
        await book.keep(account("1"))
    shown += traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    assert len(shown) > 10
    assert not [text for text in shown if "canary" in text]
    assert "canary" not in caplog.text


# --- kill -9 ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_after_kill_9_the_pair_on_disk_is_the_newest_that_was_used(tmp_path):
    """20 kills of a program that keeps a new pair and only then says that it uses it (tests/accounts/refreshing.py)."""
    luck, used, moments = random.Random(20), 0, set()
    for _ in range(20):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.accounts.refreshing", str(tmp_path)], stdout=subprocess.PIPE
        )
        pipe = process.stdout.fileno()
        heard = os.read(pipe, 65_536)
        time.sleep(luck.uniform(0, 0.05))
        process.kill()
        process.wait()
        while select.select([pipe], [], [], 0)[0] and (more := os.read(pipe, 65_536)):
            heard += more
        process.stdout.close()
        said = [int(line) for line in heard.split(b"\n")[:-1]]
        assert said[0] == used  # what the earlier kill left is what this start found
        spool = Spool(tmp_path / "spool")
        [row] = spool.accounts.load()
        spool.close()
        kept, _ = Sealing([NEW]).open(row)
        used = int(kept.tokens.access)
        assert kept.tokens == pair(used)
        assert said[-1] <= used <= said[-1] + 1  # kept, and killed before it could be used
        moments.add(used - said[-1])
    assert used > 20

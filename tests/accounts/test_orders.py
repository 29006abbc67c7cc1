"""Orders about accounts: carried out once in effect, however often they are found; what is no order is set aside."""

import asyncio
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from collectors.open_api import Tokens
from monitor.accounts.account import Account
from monitor.accounts.book import Book
from monitor.accounts.order_file import ACCOUNTS_MAX, BadOrder, Done, Import, Order, Revoke, give, read_done, read_order
from monitor.accounts.orders import DONE_S, DRAFT_S, PIECE, AccountOrders
from monitor.accounts.vault import UNREADABLE, Vault
from monitor.keys import Key
from monitor.store.cipher import Cipher
from monitor.store.disk import SpoolFull
from monitor.store.spool import Spool

AT = datetime(2026, 11, 19, 12, tzinfo=UTC)
KEY, OLD = Key(b"key " * 8), Key(b"old " * 8)
CIPHER = Cipher([KEY.reveal()])
PLATFORMS = {"dd": "doudian", "own": "doudian", "k": "kwaixiaodian"}


def account(shop: str, access: str = "canary", app: str = "dd", **more: object) -> Account:
    tokens = Tokens(access, AT, AT + timedelta(days=7), f"r{access}", AT + timedelta(days=14)) if access else None
    return Account(app, PLATFORMS.get(app, "?"), shop, tokens=tokens, **more)


def order(what: Import | Revoke, after_s: float = 0) -> Order:
    return Order(what, "zhang", AT + timedelta(seconds=after_s))


class Place:
    """A folder for orders, a book, and the orders at work between them."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder, self.now = tmp_path / "accounts", AT
        self.spool = Spool(tmp_path / "spool")
        self.start()

    def start(self) -> None:
        async def call(work, *args):
            return work(*args)

        self.book = Book(Vault(call, self.spool.accounts, [KEY, OLD], str), lambda heard: None, lambda: self.now)
        self.orders = AccountOrders(
            self.folder, [KEY, OLD], self.book, lambda a: PLATFORMS.get(a, ""), lambda: self.now
        )

    async def carry_out(self, what: Import | Revoke, after_s: float = 0) -> Done | None:
        name = give(self.folder, CIPHER, order(what, after_s))
        await self.orders.tend()
        assert sorted(path.suffix for path in self.folder.glob("*.*")) == [".done"]
        return read_done(self.folder, name)

    def tokens(self, shop: str, app: str = "dd") -> Tokens | None:
        found = self.book.get(app, shop)
        assert found is not None
        return found.tokens


@pytest.fixture
async def place(tmp_path: Path):
    built = Place(tmp_path)
    await built.book.open()
    yield built
    built.spool.close()


async def test_an_import_is_on_disk_in_use_and_answered(place):
    done = await place.carry_out(Import([account("1", name="小店"), account("2", "", contact="王")]))
    assert done == Done(2)
    assert place.tokens("1").access == "canary"
    assert place.book.get("dd", "1").refreshed_at == AT
    assert place.tokens("2") is None
    place.start()
    await place.book.open()
    assert place.tokens("1").access == "canary"
    assert list(place.folder.iterdir()) == []


async def test_what_is_empty_in_a_file_stays_as_it_is_known(place):
    known = account("1", "first", name="小店", contact="王", ticket="t", link="n", refused="revoked", permitted=True)
    await place.book.keep(known)
    await place.carry_out(Import([account("1", "", contact="李")]))
    found = place.book.get("dd", "1")
    assert msgspec.structs.replace(found, changed_at=None) == msgspec.structs.replace(known, contact="李")
    await place.carry_out(Import([account("1", "second")]), 5)
    found = place.book.get("dd", "1")
    assert (found.tokens.access, found.refused, found.contact) == ("second", "", "李")
    assert (found.name, found.link) == ("小店", "n")
    assert not found.permitted  # its pushes may have to be asked for anew


async def test_an_order_that_is_found_again_never_brings_old_tokens_back(place):
    """A crash between the keeping and the end of the order's file; or a copy of the folder that was put back."""
    name = give(place.folder, CIPHER, order(Import([account("1", "old")])))
    copy = (place.folder / f"{name}.order").read_bytes()
    await place.orders.tend()
    assert read_done(place.folder, name) == Done(1)
    (place.folder / f"{name}.order").write_bytes(copy)
    await place.orders.tend()  # at once: the same again
    assert read_done(place.folder, name) == Done(1)
    refreshed = msgspec.structs.replace(account("1", "new"), refreshed_at=AT + timedelta(hours=1))
    await place.book.keep(refreshed)
    (place.folder / f"{name}.order").write_bytes(copy)
    await place.orders.tend()
    assert place.tokens("1").access == "new"
    assert read_done(place.folder, name) == Done(
        0, ["doudian 1 (dd): its tokens came after this order was given, and stay"]
    )


async def test_revoked_tokens_are_forgotten_and_the_shop_may_come_back(place):
    await place.carry_out(Import([account("1"), account("1", app="own", key="k", secret=b"s"), account("2")]))
    assert await place.carry_out(Revoke("doudian", "1"), 5) == Done(2)
    for app in ("dd", "own"):
        found = place.book.get(app, "1")
        assert (found.tokens, found.key, found.secret, found.refused) == (None, "", b"", "revoked by zhang")
    assert place.tokens("2") is not None
    name = give(place.folder, CIPHER, order(Revoke("doudian", "1", "dd"), 6))
    copy = (place.folder / f"{name}.order").read_bytes()
    await place.orders.tend()
    await place.book.keep(msgspec.structs.replace(account("1", "linked anew"), refreshed_at=AT + timedelta(hours=1)))
    (place.folder / f"{name}.order").write_bytes(copy)
    await place.orders.tend()
    assert place.tokens("1").access == "linked anew"


async def test_only_the_one_with_this_app_or_of_this_anchor_is_revoked(place):
    anchored = Account("k", "kwaixiaodian", "", "9", tokens=Tokens("t", AT))
    await place.carry_out(Import([account("1"), account("1", app="own"), anchored]))
    assert await place.carry_out(Revoke("doudian", "1", "own")) == Done(1)
    assert (place.tokens("1") is None, place.tokens("1", "own")) == (False, None)
    assert await place.carry_out(Revoke("kwaixiaodian", "9")) == Done(1)
    assert await place.carry_out(Revoke("doudian", "7")) == Done(0, ["doudian 7: there is no such account"])


async def test_an_app_that_the_running_config_does_not_have_takes_nobody(place):
    wrong = [account("1", app="gone"), msgspec.structs.replace(account("2"), platform="wechat"), account("")]
    done = await place.carry_out(Import([*wrong, account("3")]))
    assert done.taken == 1
    assert len(done.left) == 3
    assert [it.shop for it in place.book.all()] == ["3"]


async def test_of_one_that_cannot_be_read_a_new_contact_does_not_take_the_place(place):
    await place.carry_out(Import([account("1")]))
    place.spool.sql.execute("UPDATE account SET sealed = x'4C4D4601' || zeroblob(99)")
    [row] = place.spool.accounts.load()
    place.start()
    await place.book.open()
    done = await place.carry_out(Import([account("1", "", contact="李")]), 5)
    assert done == Done(0, [f"doudian 1 (dd): {UNREADABLE} It stays as it is until tokens come"])
    assert place.spool.accounts.load() == [row]
    assert await place.carry_out(Import([account("1", "new")]), 6) == Done(1)
    assert place.tokens("1").access == "new"


async def test_many_are_kept_a_piece_at_a_time_and_no_more_than_so_many(place):
    keep, sizes = place.book.keep_made, []

    async def counted(make):
        sizes.append(await keep(make))
        return sizes[-1]

    async def unkept(make):
        return len(make())

    place.book.keep_made = counted
    await place.carry_out(Import([account(str(number)) for number in range(PIECE + 7)]))
    assert sizes == [PIECE, 7]
    place.book.keep_made = unkept
    done = await place.carry_out(Import([account(str(number), "") for number in range(ACCOUNTS_MAX + 2)]))
    assert done == Done(ACCOUNTS_MAX, ["2 rows beyond 20,000: import them apart"])


async def test_orders_are_carried_out_as_they_were_given(place):
    names = [give(place.folder, CIPHER, order(Import([account("1", f"t{n}")]), n)) for n in (3, 1, 2)]
    await place.orders.tend()
    assert place.tokens("1").access == "t3"
    assert [read_done(place.folder, name).taken for name in names] == [1, 1, 1]


async def test_a_full_disk_makes_orders_wait_and_is_said_once(place, caplog):
    name = give(place.folder, CIPHER, order(Import([account("1")])))
    keep = place.book.keep_made

    async def full(make):
        raise SpoolFull("no room left")

    place.book.keep_made = full
    await place.orders.tend()
    await place.orders.tend()
    assert len(caplog.records) == 1
    assert (place.folder / f"{name}.order").exists()
    place.book.keep_made = keep
    await place.orders.tend()
    assert read_done(place.folder, name) == Done(1)


async def test_an_order_under_the_earlier_account_key_is_read(place):
    name = give(place.folder, Cipher([OLD.reveal()]), order(Import([account("1")])))
    await place.orders.tend()
    assert read_done(place.folder, name) == Done(1)


async def test_no_token_of_an_order_lies_in_clear_in_the_data_folder(place, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    for step in range(3):
        name = give(
            place.folder, CIPHER, order(Import([account("1", f"canary{step}"), account("2", app="gone")]), step)
        )
        scan(tmp_path)
        (place.folder / "copy.order").write_bytes((place.folder / f"{name}.order").read_bytes())  # it goes aside
        await place.orders.tend()
        scan(tmp_path)
    give(place.folder, CIPHER, order(Revoke("doudian", "1"), 9))
    await place.orders.tend()
    scan(tmp_path)
    assert place.tokens("1") is None
    assert "canary" not in caplog.text
    assert len(list((place.folder / "aside").iterdir())) == 3


def scan(folder: Path) -> None:
    content = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(content) > 2
    assert [path for path, raw in content.items() if b"canary" in raw] == []


# --- the folder ------------------------------------------------------------------------------------------------------


async def test_what_is_no_order_of_ours_is_set_aside_counted_and_said(place, tmp_path, caplog):
    name = give(place.folder, CIPHER, order(Import([account("1")])))
    foreign = give(place.folder, Cipher([bytes(32)]), order(Import([account("2")])))
    (place.folder / f"{name}.order").rename(place.folder / "20000101-another-name.order")  # an order has its own name
    linked = give(place.folder, CIPHER, order(Import([account("3")])))
    (place.folder / f"{linked}.order").rename(tmp_path / "real.order")  # a true one, but through a link
    (place.folder / f"{linked}.order").symlink_to(tmp_path / "real.order")
    (place.folder / "notes.txt").write_text("canary")
    (place.folder / "flipped.order").write_bytes(b"LMF\1" + bytes(99))
    (place.folder / "empty.order").touch()
    (tmp_path / "secret").write_text("s")
    (place.folder / "link.order").symlink_to(tmp_path / "secret")
    (place.folder / "folder.order").mkdir()
    (place.folder / "link.order.new").symlink_to(tmp_path / "secret")
    os.mkfifo(place.folder / "pipe.order")
    with caplog.at_level(logging.ERROR):
        await place.orders.tend()
        await place.orders.tend()
    assert place.orders.refused == 10 == len(caplog.records)
    assert "canary" not in caplog.text
    assert f"{foreign}.order was set aside" in caplog.text
    assert [path.name for path in place.folder.iterdir()] == ["aside"]
    assert len(list((place.folder / "aside").iterdir())) == 10
    assert (tmp_path / "secret").read_text() == "s"
    assert place.book.all() == []


async def test_too_large_a_file_is_not_read(place):
    place.folder.mkdir()
    with (place.folder / "large.order").open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    await place.orders.tend()
    assert [path.name[-11:] for path in (place.folder / "aside").iterdir()] == ["large.order"]


async def test_what_a_dead_command_left_goes_after_a_while_and_a_living_one_is_left_alone(place):
    place.folder.mkdir()
    old = datetime.now(UTC).timestamp()
    for name, age_s in (
        ("a.order.new", DRAFT_S + 60), ("b.order.new", 5), ("c.done", DONE_S + 60), ("d.done", 60),
    ):  # fmt: skip
        (place.folder / name).write_bytes(b"x")
        os.utime(place.folder / name, (old - age_s, old - age_s))
    await place.orders.tend()
    assert sorted(path.name for path in place.folder.iterdir()) == ["b.order.new", "d.done"]
    assert place.orders.refused == 0


async def test_no_folder_no_orders(place):
    await place.orders.tend()
    assert not place.folder.exists()


def test_an_order_lies_encrypted_for_its_owner_alone(tmp_path):
    name = give(tmp_path / "accounts", CIPHER, order(Import([account("1")])))
    [path] = (tmp_path / "accounts").iterdir()
    assert path.name == f"{name}.order"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "accounts").stat().st_mode & 0o777 == 0o700
    assert b"canary" not in path.read_bytes()
    assert read_order(path, CIPHER) == order(Import([account("1")]))
    assert "canary" not in repr(read_order(path, CIPHER))


def test_an_answer_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "x.done").write_text("[]")
    with pytest.raises(BadOrder):
        read_done(tmp_path, "x")
    assert read_done(tmp_path, "y") is None


async def test_a_pair_that_is_being_kept_meanwhile_is_not_overwritten_by_a_file_without_tokens(place):
    await place.book.keep(account("1", "first", contact="王"))
    keep, may_go = place.book._vault.keep, asyncio.Event()

    async def slow(accounts, gone=()):
        await may_go.wait()
        await keep(accounts, gone)

    place.book._vault.keep = slow
    refreshed = asyncio.create_task(place.book.keep(account("1", "second", contact="王")))
    await asyncio.sleep(0)
    importing = asyncio.create_task(place.carry_out(Import([account("1", "", contact="李")])))
    await asyncio.sleep(0.2)  # the order is read in another thread
    may_go.set()
    assert await importing == Done(1)
    await refreshed
    assert place.tokens("1").access == "second"
    assert place.book.get("dd", "1").contact == "李"

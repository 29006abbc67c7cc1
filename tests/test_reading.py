"""Kept frames become sales, each once; what cannot be read or written is kept apart; what needs an answer waits."""

import asyncio
import hashlib
import hmac
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from collectors.hook import App, Need
from collectors.tick import Sale
from monitor.facts import Quarantined
from monitor.reading import DETAIL_S_MAX
from monitor.sale_rules import SaleRules, Unfit
from monitor.store.cipher import Cipher
from monitor.store.keeping import CannotRevive
from tests.faults.sabotage import Bug, plant
from tests.reading import KEY, RATES, Reading, Stall, at_work, delivery, ids, reading, sale, sealed_ticks

CANARY = "王小明13800138000沈阳市和平区"
NEED = Need("order.detail", "7", "店")


def book(made: Reading) -> tuple[int, ...]:
    found = made.store.sealer.standing.books["frame"]
    assert found.difference == 0
    return found.received, found.written, found.quarantined, found.spooled


async def quarantined(made: Reading) -> list[Quarantined]:
    return [fact for fact in await made.facts() if isinstance(fact, Quarantined)]


async def test_a_delivery_becomes_a_sale_without_its_buyers_name(tmp_path):
    async with reading(tmp_path / "spool") as made:
        items = [{"item_id": "9", "title": "东港草莓\0", "units": 2, "amount_minor": 100}]
        await made.keep(sale("店:1:paid", buyer=CANARY, shop="店", items=items), delivery(ticks=["room 1"]))
        await made.settled()
        [sold] = [fact for fact in await made.facts() if isinstance(fact, Sale)]
        assert sold.buyer == hmac.digest(b"b" * 32, f"stall\n{CANARY}".encode(), hashlib.sha256)
        assert (sold.event_id, sold.amount_minor, sold.currency, sold.shop) == ("店:1:paid", 100, "CNY", "店")
        assert sold.items[0].title == "东港草莓\ufffd"
        assert book(made) == (2, 2, 0, 0)
        assert made.watch.rooms[0].session.opened_at is not None  # its ticks took the usual way
        assert await made.store.sealer.call(sealed_ticks, made.store.spool) == 1


async def test_frames_are_read_in_their_order_also_those_of_before_the_start(tmp_path):
    made = Reading(tmp_path / "spool")
    running = asyncio.create_task(made.lane.run())
    await made.keep(*(sale(f"e{n}") for n in range(300)))
    async with at_work(made):
        await made.keep(*(sale(f"e{n}") for n in range(300, 600)))
        await made.settled()
        sold = [fact.event_id for fact in await made.facts() if isinstance(fact, Sale)]
    assert sold == [f"e{n}" for n in range(600)]
    running.cancel()


async def test_a_backlog_does_not_hold_up_who_delivers_now(tmp_path):
    made = Reading(tmp_path / "spool")
    running = asyncio.create_task(made.lane.run())
    for start in range(0, 3_000, 500):
        await made.keep(*(sale(f"e{n}") for n in range(start, start + 500)))
    async with at_work(made):
        loop, laggard = asyncio.get_running_loop(), 0.0
        for n in range(20):
            began = loop.time()
            await made.keep(sale(f"new{n}"))
            laggard = max(laggard, loop.time() - began)
        waiting = await made.store.sealer.call(made.store.spool.frames.waiting, 0, 10_000, 1 << 30)
        assert len(waiting) > 500  # it was in the middle of it
        assert laggard < 0.5
        await made.settled()
        assert len(ids(await made.facts())) == 3_020
    running.cancel()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"event_id": ""}, "event id out of shape"),
        ({"event_id": "x" * 129}, "event id out of shape"),
        ({"event_id": "'; DROP TABLE sale"}, "event id out of shape"),
        ({"kind": "stolen"}, "unknown kind"),
        ({"amount_minor": -1}, "negative amount"),
        ({"amount_minor": 10**15 + 1}, "amount out of range"),
        ({"amount_minor": 1.5}, "amount out of range"),
        ({"amount_minor": True}, "amount out of range"),
        ({"currency": ""}, "unknown currency"),
        ({"currency": "XXX"}, "unknown currency"),
        ({"coin": "抖币", "kind": "gift"}, "coins that are no gift"),
        ({"coin": "豆", "kind": "gift", "currency": ""}, "no rate for coin"),
        ({"coin": "抖币", "kind": "gift", "currency": "", "at": "2025-12-31T00:00:00+00:00"}, "time out of range"),
        ({"at": "1970-01-01T00:00:00+00:00"}, "time out of range"),
        ({"at": "2026-11-19T20:00:00"}, "time without a zone"),
        ({"units": -1}, "units out of range"),
        ({"units": 2**31}, "units out of range"),
        ({"shop": "店" * 129}, "an id too long"),
        ({"items": [{"item_id": ""}]}, "an item without an id"),
        ({"items": [{"item_id": "1", "amount_minor": 10**16}]}, "amount out of range"),
    ],
)
async def test_a_sale_that_cannot_be_written_is_kept_apart_and_its_neighbours_count(tmp_path, fields, reason):
    async with reading(tmp_path / "spool") as made:
        good = [{"event_id": f"good{n}", "amount_minor": 1} for n in range(2)]
        frame = delivery(sales=[good[0], {"event_id": "bad", "amount_minor": 5} | fields, good[1]])
        await made.keep(frame)
        await made.settled()
        assert ids(await made.facts()) == {"good0": 1, "good1": 1}
        [bad] = await quarantined(made)
        assert (bad.kind, bad.reason) == ("sale", reason)
        assert bad.sample == fields.get("event_id", "bad")[:128]
        assert KEY.decrypt(bad.payload) == frame
        assert book(made) == (1, 1, 0, 0)
        sales = made.store.sealer.standing.books["sale"]
        assert (sales.received, sales.quarantined, sales.difference) == (3, 1, 0)


async def test_coins_become_money_by_the_rate_in_force_and_times_have_a_window(tmp_path):
    now = datetime.now(UTC)
    async with reading(tmp_path / "spool") as made:
        gift = {"kind": "gift", "currency": ""}
        for number, (coin, coins) in enumerate((("抖币", 7), ("gold", 25), ("gold", 35), ("gold", 26))):
            await made.keep(sale(f"g{number}", coin=coin, amount_minor=coins, **gift))
        await made.keep(
            sale("old", at=(now - timedelta(days=7) + timedelta(minutes=1)).isoformat()),
            sale("filed", via="file", at=(now - timedelta(days=200)).isoformat()),
            sale("soon", at=(now + timedelta(minutes=9)).isoformat()),
        )
        await made.settled()
        sold = {fact.event_id: fact for fact in await made.facts() if isinstance(fact, Sale)}
    assert [sold[f"g{n}"].amount_minor for n in range(4)] == [70, 2, 4, 3]  # half to even
    assert {fact.currency for fact in sold.values()} == {"CNY"}
    assert all(fact.coin is None for fact in sold.values())
    assert {"old", "filed", "soon"} <= set(sold)


def test_what_was_filed_may_be_as_old_as_thirty_days_before_the_event(tmp_path):
    starts_at = datetime(2026, 11, 19, tzinfo=UTC)
    rules, received_at = SaleRules(b"b" * 32, RATES, starts_at), datetime(2026, 11, 24, tzinfo=UTC)
    told = Stall(name="stall")._sale({"event_id": "e", "via": "file", "amount_minor": 1}, received_at, 0)
    old = msgspec.structs.replace(told, at=starts_at - timedelta(days=29))
    assert rules.fit(old, received_at).at == old.at
    with pytest.raises(Unfit, match="time out of range"):
        rules.fit(msgspec.structs.replace(told, at=starts_at - timedelta(days=31)), received_at)


async def test_a_frame_that_nobody_can_read_is_quarantined_once_and_its_secret_kept(tmp_path, caplog):
    frames = [delivery(**{"not ours": CANARY}), delivery(**{"falls over": CANARY}), b"\xff" + CANARY.encode()]
    async with reading(tmp_path / "spool") as made:
        await made.keep(*frames, sale("good"))
        await made.settled()
        bad = await quarantined(made)
        assert [KEY.decrypt(row.payload) for row in bad] == frames
        assert bad[0].reason.startswith("not_ours: *#*")
        assert bad[1].reason.startswith("KeyError at reading.py:")
        assert book(made) == (4, 1, 3, 0)
        assert CANARY[:3] not in repr(bad) + caplog.text
        assert caplog.text.count("cannot be read") == 1  # not one line for each
    for path in (path for path in (tmp_path / "spool").rglob("*") if path.is_file()):
        assert CANARY[:3].encode() not in path.read_bytes()
    async with reading(tmp_path / "spool") as made:  # it never comes again
        await made.settled()
        assert (len(await quarantined(made)), ids(await made.facts())) == (3, {"good": 1})


async def test_bad_items_of_a_delivery_come_back_one_by_one_and_no_other_twice_in_the_quarantine(tmp_path):
    frame = delivery(sales=[{"event_id": "good", "amount_minor": 1}], bad=[CANARY, "b"])
    async with reading(tmp_path / "spool") as made:
        await made.keep(frame)
        await made.settled()
        bad = await quarantined(made)
        assert [(row.sample, row.reason) for row in bad] == [("bad 0", "amount: none *#*"), ("bad 1", "amount: none b")]
        with pytest.raises(CannotRevive, match="amount: none"):  # as bad as before: it stays, and adds no rows
            await made.reader.bring_back("sale", "stall", made.now(), bad[0].payload, bad[0].sample)
        heard = await made.reader.bring_back("sale", "stall", made.now(), bad[0].payload, "mended meanwhile")
        assert [sold.event_id for sold in heard.sales] == ["good"]
        assert heard.quarantine == []


async def test_a_bad_tick_is_no_bad_sale_and_is_never_called_tried_again_while_it_was_not(tmp_path):
    frame = delivery(sales=[{"event_id": "good", "amount_minor": 1}], **{"bad ticks": ["room 7"]})
    async with reading(tmp_path / "spool") as made:
        await made.keep(frame)
        await made.settled()
        [bad] = await quarantined(made)
        assert (bad.kind, bad.sample) == ("tick", "room 7")
        books = made.store.sealer.standing.books
        assert (books["sale"].quarantined, books["tick"].quarantined) == (0, 1)
        with pytest.raises(CannotRevive, match="no tick"):
            await made.reader.bring_back("tick", "stall", made.now(), bad.payload, bad.sample)
        with pytest.raises(CannotRevive, match="let it be sent again"):
            await made.reader.bring_back("tick", "stall", made.now(), bad.payload, "mended meanwhile")


async def test_a_great_delivery_of_bad_items_is_not_kept_as_often_as_it_has_items(tmp_path):
    frame = delivery(bad=["x" * 200_000] * 30)
    async with reading(tmp_path / "spool") as made:
        await made.keep(frame)
        await made.settled()
        bad = await quarantined(made)
        assert len(bad) == 30
        assert sum(len(row.payload) for row in bad) < 16_000_000
        with pytest.raises(CannotRevive, match="retry those"):
            await made.reader.bring_back("sale", "stall", made.now(), bad[-1].payload, bad[-1].sample)


async def test_a_quarantined_frame_tried_again_is_a_new_receipt(tmp_path):
    async with reading(tmp_path / "spool", rows=(Stall(name="stall", app="shop"),)) as made:
        made.apps["shop"] = App("shop", "stall")
        await made.keep(delivery(**{"not ours": 1}))
        await made.settled()
        [bad] = await quarantined(made)
        heard = await made.reader.bring_back("frame", "stall", bad.received_at, KEY.encrypt(sale("e")), bad.sample)
        assert not heard.facts
        await made.settled()
        assert ids(await made.facts()) == {"e": 1}
        assert book(made) == (2, 1, 1, 0)
        with pytest.raises(CannotRevive, match="another spool key"):
            await made.reader.bring_back("frame", "stall", bad.received_at, Cipher([b"x" * 32]).encrypt(b""), "")


async def test_a_frame_that_needs_an_answer_waits_for_the_right_one(tmp_path):
    async with reading(tmp_path / "spool") as made:
        await made.keep(delivery(sales=[{"event_id": "e"}], needs=["7"], ticks=["room 1"]), sale("other"))
        await made.settled()
        assert ids(await made.facts()) == {"other": 1}
        assert book(made) == (2, 1, 0, 1)
        count = made.store.sealer.standing.frames["stall"]
        assert (count.waiting, count.pending) == (0, 1)
        assert made.store.spool.frames.needs("order.detail", None, 9) == [NEED]
        await made.reader.answered("stall", NEED, b"no such order")
        await made.reader.answered("stall", Need("order.detail", "8", "店"), b"1")
        await asyncio.sleep(0.1)
        await made.settled()
        assert ids(await made.facts()) == {"other": 1}
    async with reading(tmp_path / "spool") as made:  # a start in between
        await made.reader.answered("stall", NEED, b"4200")
        async with asyncio.timeout(5):
            while book(made)[3]:
                await made.settled()
        sold = {fact.event_id: fact.amount_minor for fact in await made.facts() if isinstance(fact, Sale)}
        assert sold == {"other": 100, "e": 4200}
        assert book(made) == (2, 2, 0, 0)
        assert made.store.spool.frames.needs("order.detail", None, 9) == []


async def an_answer_that_comes_before_the_mark_is_on_disk_is_not_lost(folder: Path) -> None:
    """One order, two deliveries: the answer asked for by the first comes while the second is on its way."""
    made = Reading(folder)
    made.store.inbox.facts_age_s = 0.3
    async with at_work(made):
        await made.keep(delivery(sales=[{"event_id": "e"}], needs=["7"]))
        async with asyncio.timeout(5):
            while not made.store.inbox.facts:
                await asyncio.sleep(0)
        await made.reader.answered("stall", NEED, b"1")
        async with asyncio.timeout(5):
            while not ids(await made.facts()):
                await asyncio.sleep(0.05)
        await made.settled()
        assert ids(await made.facts()) == {"e": 1}
        assert book(made) == (1, 1, 0, 0)


async def an_answer_that_comes_twice_counts_once(folder: Path) -> None:
    made = Reading(folder)
    async with at_work(made):
        await made.keep(delivery(sales=[{"event_id": "e"}], needs=["7"]))
        await made.settled()
        made.store.inbox.facts_age_s = 0.3
        await made.reader.answered("stall", NEED, b"1")
        await made.reader.answered("stall", NEED, b"1")
        async with asyncio.timeout(5):
            while not ids(await made.facts()):
                await asyncio.sleep(0.05)
        assert ids(await made.facts()) == {"e": 1}


@pytest.mark.parametrize(
    "guarantee", [an_answer_that_comes_before_the_mark_is_on_disk_is_not_lost, an_answer_that_comes_twice_counts_once]
)
async def test_an_answer_while_marks_are_on_their_way_to_the_disk(tmp_path, guarantee):
    await guarantee(tmp_path / "spool")


BUGS = {
    "what is not sealed is not looked for": Bug(
        "monitor/reading.py", "sorted(seq for seq, needs in self._unsealed.items() if need in needs)", "[]",
        "an_answer_that_comes_before_the_mark_is_on_disk_is_not_lost", "TimeoutError"),
    "what is finished and not sealed is read again": Bug(
        "monitor/reading.py", "return [seq for seq in seqs if self._unsealed.get(seq) != ()]", "return list(seqs)",
        "an_answer_that_comes_twice_counts_once", "AssertionError"),
}  # fmt: skip


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(tmp_path, name):
    bug = BUGS[name]
    copy = plant(bug, tmp_path / "copy")
    work = f"import asyncio, pathlib, tests.test_reading as t; asyncio.run(t.{bug.test}(pathlib.Path('spool')))"
    child = subprocess.run(
        [sys.executable, "-c", work], cwd=copy, capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"PYTHONPATH": str(copy)},
    )  # fmt: skip
    assert child.returncode == 1
    assert bug.fails in child.stderr


async def test_what_waits_too_long_is_quarantined_never_guessed_and_can_be_tried_again(tmp_path):
    async with reading(tmp_path / "spool") as made:
        await made.keep(delivery(sales=[{"event_id": "e"}], needs=["7"]))
        await made.settled()
    async with reading(tmp_path / "spool", ahead_s=DETAIL_S_MAX - 60) as made:
        await asyncio.sleep(0.1)
        assert book(made) == (1, 0, 0, 1)
    async with reading(tmp_path / "spool", ahead_s=DETAIL_S_MAX + 60) as made:
        async with asyncio.timeout(5):
            while book(made)[3]:
                await made.settled()
        [bad] = await quarantined(made)
        assert bad.reason == "no answer of the platform came in time"
        assert KEY.decrypt(bad.payload)  # no longer under the key of an hour, which goes
        assert book(made) == (1, 0, 1, 0)
    async with reading(tmp_path / "spool") as made:
        await made.reader.bring_back("frame", "stall", bad.received_at - timedelta(days=8), bad.payload, bad.sample)
        await made.settled()
        await asyncio.sleep(0.1)
        assert book(made) == (2, 0, 1, 1)  # it waits anew, though it was received long ago


async def test_frames_of_a_feed_that_is_not_configured_wait_for_it(tmp_path):
    async with reading(tmp_path / "spool") as made:
        await made.keep(sale("early"), feed="new")
        await made.settled()
        assert book(made) == (1, 0, 0, 1)
        made.configure([Stall(name="stall"), Stall(name="new", app="shop")])
        made.reader.configured([feed.row for feed in made.watch.feeds.values()])
        await asyncio.sleep(0.1)
        await made.settled()
        assert book(made) == (1, 0, 0, 1)  # now it lacks the application
        made.apps["shop"] = App("shop", "stall")
        made.reader.configured([feed.row for feed in made.watch.feeds.values()])
        async with asyncio.timeout(5):
            while not ids(await made.facts()):
                await made.settled()
        assert book(made) == (1, 1, 0, 0)


async def test_bytes_that_rotted_or_are_under_another_key_do_not_stop_the_others(tmp_path):
    made = Reading(tmp_path / "spool")
    running = asyncio.create_task(made.lane.run())
    await made.keep(sale("rotten"), sale("good"))
    made.store.spool.sql.execute("UPDATE frame_body SET body = zeroblob(50) WHERE seq = 1")
    async with at_work(made):
        await made.settled()
        [bad] = await quarantined(made)
        assert bad.reason.startswith("its bytes cannot be read")
        assert ids(await made.facts()) == {"good": 1}
        assert book(made) == (2, 1, 1, 0)
    running.cancel()

"""Deliveries that wait for an answer get it: asked in fair turns, again while it does not come, seen meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from collectors.hook import Need
from collectors.tick import Sale
from monitor.accounts.details import AT_ONCE, Details, Wanted
from monitor.accounts.spooled import Spooled
from monitor.accounts.witnesses import Witnesses
from tests.accounts.tiny import START, Tiny, TinyApi, account
from tests.reading import STALL, Reading, Stall, at_work, delivery, ids

SHOP = "店"
ROWS = (Stall(name="stall", app="a"),)


class Asked:
    """A reader at work, and what asks for the details it needs, on a clock that a test moves."""

    def __init__(self, folder: Path, rows: tuple[Stall, ...] = ROWS) -> None:
        self.made = Reading(folder, rows=rows)
        self.made.apps["a"] = STALL
        self.tiny = Tiny(SHOP)
        self.ahead = self.made
        standing = self.made.store.sealer
        self.details = Details(
            self.tiny, Spooled(self.made.store, self.made.reader),
            lambda: any(count.pending for count in standing.standing.frames.values()),
            lambda: {name: sight.row for name, sight in self.made.watch.feeds.items()},
            lambda row: row.app in self.made.apps and bool(row.app), {"stall": TinyApi()}, self.tiny.account,
            self.made.now, lambda seconds: asyncio.sleep(0.005),
        )  # fmt: skip

    async def until(self, what: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not what():
                await asyncio.sleep(0.01)
                await self.made.store.sealer.take_stock()

    @property
    def pending(self) -> int:
        return sum(count.pending for count in self.made.store.sealer.standing.frames.values())

    def obstacles(self) -> dict[str, tuple[int, list[str]]]:
        return {wait.obstacle: (wait.needs, wait.shops) for wait in self.details.waits().get("stall", ())}


@asynccontextmanager
async def asking(folder: Path, rows: tuple[Stall, ...] = ROWS) -> AsyncIterator[Asked]:
    asked = Asked(folder, rows)
    async with at_work(asked.made):
        task = asyncio.create_task(asked.details.run())
        try:
            yield asked
        finally:
            task.cancel()
            await asyncio.wait([task])
    if not task.cancelled():
        raise AssertionError("it ended") from task.exception()


def needing(*orders: str) -> list[bytes]:
    return [delivery(sales=[{"event_id": f"e{order}"}], needs=[order]) for order in orders]


async def test_what_is_needed_is_asked_for_once_and_the_delivery_counts(tmp_path):
    async with asking(tmp_path / "spool") as asked:
        asked.tiny.answers |= {"7": b"4200", "8": b"1"}
        await asked.made.keep(*needing("7", "8", "7"))
        await asked.until(lambda: asked.pending == 0 and asked.tiny.calls["detail"] == 2)
        await asked.made.settled()
        sold = {fact.event_id: fact.amount_minor for fact in await asked.made.facts() if isinstance(fact, Sale)}
        assert sold == {"e7": 4200, "e8": 1}
        asked.made.ahead_s += 7_200
        await asyncio.sleep(0.1)
        assert asked.tiny.calls["detail"] == 2
        assert asked.obstacles() == {}


async def test_what_does_not_come_is_asked_again_ever_more_seldom_until_it_does(tmp_path):
    async with asking(tmp_path / "spool") as asked:
        await asked.made.keep(*needing("7"))
        await asked.until(lambda: asked.tiny.calls["detail"] == 1)  # missing
        for times, (early, due) in enumerate([(0.5, 0.7), (4, 1.5), (28, 3), (118, 3), (590, 11), (1_790, 11)], 1):
            asked.made.ahead_s += early
            await asyncio.sleep(0.05)
            assert asked.tiny.calls["detail"] == times
            if times == 3:
                asked.tiny.answers["7"] = b"not paid yet"
            asked.made.ahead_s += due
            await asked.until(lambda: asked.tiny.calls["detail"] == times + 1)  # noqa: B023  asked at once
        assert asked.obstacles() == {"asked": (1, [SHOP])}
        asked.tiny.answers["7"] = b"4200"
        asked.made.ahead_s += 1_801
        await asked.until(lambda: asked.pending == 0)
        await asked.made.settled()
        assert ids(await asked.made.facts()) == {"e7": 1}


async def test_too_fast_and_a_refused_app_wear_out_no_patience(tmp_path):
    async with asking(tmp_path / "spool") as asked:
        asked.tiny.fails["detail"] = ("rate", "", 3.0)
        await asked.made.keep(*needing("7"))
        await asked.until(lambda: asked.tiny.calls["detail"] == 1)
        for times in range(2, 6):
            asked.made.ahead_s += 2.0
            await asyncio.sleep(0.05)
            assert asked.tiny.calls["detail"] == times - 1
            asked.made.ahead_s += 1.1
            await asked.until(lambda: asked.tiny.calls["detail"] == times)  # noqa: B023  asked at once
        assert asked.obstacles() == {"to_ask": (1, [SHOP])}


async def test_without_an_account_nothing_is_called_and_it_is_said_whose_it_is(tmp_path):
    async with asking(tmp_path / "spool") as asked:
        del asked.tiny.accounts[SHOP]
        await asked.made.keep(*needing("7", "8"))
        await asked.until(lambda: asked.obstacles() == {"no_account": (2, [SHOP])})
        asked.tiny.accounts[SHOP] = account(SHOP, refused="revoked")
        await asked.until(lambda: asked.obstacles() == {"refused": (2, [SHOP])})
        assert asked.tiny.calls["detail"] == 0
        asked.tiny.answers |= {"7": b"1", "8": b"2"}
        asked.tiny.accounts[SHOP] = account(SHOP)  # linked again
        await asked.until(lambda: asked.pending == 0)


async def test_an_account_that_refuses_is_left_alone_until_it_changes(tmp_path):
    async with asking(tmp_path / "spool") as asked:
        taken = asked.tiny.accounts.pop(SHOP)
        asked.details._account = lambda app, shop: taken
        await asked.made.keep(*needing("7"))
        await asked.until(lambda: "refused" in asked.obstacles())
        asked.tiny.accounts[SHOP] = taken
        asked.tiny.answers["7"] = b"1"
        asked.made.ahead_s += 7_200
        await asyncio.sleep(0.1)
        assert asked.tiny.calls["detail"] == 0
        taken = msgspec.structs.replace(taken, changed_at=START)
        await asked.until(lambda: asked.pending == 0)


async def test_a_platform_that_cannot_be_asked_and_an_app_that_is_gone_are_said(tmp_path):
    async with asking(tmp_path / "spool") as asked:
        await asked.made.keep(*needing("7"))
        await asked.until(lambda: asked.tiny.calls["detail"] >= 1)
        asked.details._apis = {}
        await asked.until(lambda: asked.obstacles() == {"no_api": (1, [SHOP])})
        del asked.made.apps["a"]
        await asked.until(lambda: asked.obstacles() == {"no_app": (1, [SHOP])})


async def test_a_slip_in_the_rules_of_a_platform_ends_nobody(tmp_path, caplog):
    async with asking(tmp_path / "spool") as asked:
        asked.tiny.fails["detail", "7"] = KeyError("李四")
        asked.tiny.answers["8"] = b"1"
        await asked.made.keep(*needing("7", "8"))
        await asked.until(lambda: asked.pending == 1)
    assert "KeyError" in caplog.text
    assert "李四" not in caplog.text


async def test_a_shop_with_a_thousand_questions_holds_no_other_up(tmp_path):
    rows = (Stall(name="stall", app="a"),)
    async with asking(tmp_path / "spool", rows) as asked:
        gate, out = asyncio.Event(), list[str]()

        async def ask(app, shop, make, anchor="", urgency=None):
            out.append(shop)
            await gate.wait()
            return b"1"

        asked.tiny.ask = ask
        await asked.made.keep(*needing(*map(str, range(200))))
        await asked.until(lambda: out)
        await asyncio.sleep(0.1)
        assert out == [SHOP]  # one at a time of one shop, whoever waits
        gate.set()
        await asked.until(lambda: asked.pending == 0)
        assert len(out) == 200
    assert AT_ONCE > 1


async def test_a_fact_whose_delivery_waits_for_details_was_not_missed(tmp_path):
    """The push came in time; only what it means is not known yet, on disk or on its way there."""
    made = Reading(tmp_path / "spool", rows=ROWS)
    made.apps["a"] = STALL
    made.store.inbox.facts_age_s = 0.3
    missed: list[tuple[str, int]] = []
    inbox = made.store.inbox
    witnesses = Witnesses(
        made.watch, made.reader, inbox.room, inbox.put, made.now, lambda feed, facts: missed.append((feed, facts))
    )
    made.reader.pushed = witnesses.pushed
    async with at_work(made):
        witnesses.are_of(ROWS)
        task = asyncio.create_task(witnesses.run())
        since = made.now()
        made.ahead_s += 1
        await made.keep(*needing("7"))

        def polled(order: str) -> Sale:
            at = made.now()
            return Sale(
                feed="stall", platform="stall", event_id=f"{SHOP}:{order}:paid", at=since, received_at=at, kind="paid",
                amount_minor=1, currency="CNY", shop=SHOP, order_id=order, via="poll",
            )  # fmt: skip

        made.ahead_s += 300
        witnesses._of["stall"].since = since
        witnesses.committed([polled("7")])  # its mark is not on disk yet
        await made.settled()
        witnesses.committed([polled("7")])  # now it is
        witnesses.committed([polled("8")])  # which is judged after both of them
        async with asyncio.timeout(10):
            while f"{SHOP}:8:paid" not in witnesses._of["stall"]._missed:
                await asyncio.sleep(0.01)
        assert missed == [("stall", 1)]
        assert made.watch.feeds["stall"].state == "blind"
        task.cancel()
        await asyncio.wait([task])


async def test_what_is_open_is_read_newest_first_page_by_page_with_its_feed(tmp_path):
    made = Reading(tmp_path / "spool", rows=(Stall(name="stall"), Stall(name="other")))
    async with at_work(made):
        await made.keep(*needing("1", "2"))
        await made.keep(delivery(needs=["3", "4"]), feed="other")
        await made.settled()
        frames = made.store.spool.frames
        first = frames.open_needs(1 << 62, 1)
        assert [(it.feed, it.need.key) for it in first] == [("other", "3"), ("other", "4")]
        rest = frames.open_needs(first[-1].frame, 5)
        assert sorted(((it.feed, it.need) for it in rest), key=str) == [
            ("stall", Need("order.detail", key, SHOP)) for key in ("1", "2")
        ]
        assert frames.open_needs(rest[-1].frame, 5) == []


async def test_what_nobody_needs_any_more_is_not_asked_again(tmp_path):
    async with asking(tmp_path / "spool") as asked:
        gone = Wanted("a", TinyApi(), Need("order.detail", "7", SHOP), "stall", 1, 0, times=1)
        assert await asked.details._answer(gone) is None
        assert asked.tiny.calls["detail"] == 0


async def test_two_platforms_may_number_their_orders_alike(tmp_path):
    async with asking(tmp_path / "spool") as asked:
        await asked.made.keep(*needing("7"))
        await asked.until(lambda: asked.pending == 1)
        await asked.made.reader.answered("another", Need("order.detail", "7", SHOP), b"1")
        await asyncio.sleep(0.1)
        assert asked.pending == 1
        await asked.made.reader.answered("stall", Need("order.detail", "7", SHOP), b"2")
        await asked.until(lambda: asked.pending == 0)
        await asked.made.settled()
        assert [fact.amount_minor for fact in await asked.made.facts() if isinstance(fact, Sale)] == [2]

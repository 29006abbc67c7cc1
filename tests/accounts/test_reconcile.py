"""Polls of whole feeds: what failed of one shop, of the app, and how a feed that is only polled shows that it lives."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from collectors.collector import FeedRefused
from collectors.hook import OrderPollRow
from monitor.accounts.failed import CallFailed
from monitor.accounts.feed_poll import FeedPoll, Polls
from monitor.accounts.reconcile import Reconcile
from monitor.accounts.witness import Witness
from monitor.accounts.witnesses import Witnesses
from monitor.facts import PollCursor
from monitor.live.supervise import Outlets, Supervisor
from monitor.live.watch import Watch
from tests.accounts.tiny import APP, START, Tiny, TinyApi
from tests.reading import Stall


class Polled(OrderPollRow, tag="stall_orders", frozen=True, kw_only=True):
    PLATFORM = "stall"


class Orders:
    """One feed with its polls, without tasks: a test makes each turn."""

    def __init__(self, *shops: str, row: Any = None, cursors: tuple[PollCursor, ...] = ()) -> None:
        self.tiny, self.row = Tiny(*shops), row or Stall(name="stall", app="a")
        self.failed: Counter[str] = Counter()
        self.asked_all: list[str] = []

        async def known(feed: str) -> list[PollCursor]:
            return [cursor for cursor in cursors if cursor.feed == feed]

        self.poll = FeedPoll(
            self.row, "a", TinyApi(), self.tiny.means(), Witness(timedelta(seconds=120), START),
            lambda: list(self.tiny.accounts.values()), known,
            lambda feed, shop, polled, at: self.asked_all.append(shop),
            lambda feed, reason: self.failed.update([reason]),
        )  # fmt: skip

    async def turns(self) -> list[bool]:
        """All that are due now."""
        told = []
        while (good := await self.poll.turn()) is not None:
            told.append(good)
        return told


async def test_a_shop_that_fails_holds_no_other_up_and_is_counted():
    orders = Orders("1", "2", "3")
    await orders.turns()
    for shop in ("1", "2", "3"):
        orders.tiny.sell(shop, f"o{shop}")
    orders.tiny.wait(200)
    orders.tiny.fails["list", "2"] = "broken"
    assert sorted(await orders.turns()) == [False, True, True]
    assert sorted(orders.tiny.sales()) == ["o1", "o3"]
    assert orders.poll.standing == Polls(3, 1)
    assert orders.failed == {"http_status": 1}
    orders.tiny.fails.clear()
    orders.tiny.wait(60)
    await orders.turns()
    assert sorted(orders.tiny.sales()) == ["o1", "o2", "o3"]
    assert orders.poll.standing == Polls(3, 0)


async def test_an_account_that_is_refused_is_asked_no_more_until_it_is_linked():
    orders = Orders("1", "2")
    await orders.turns()
    taken = orders.tiny.accounts["2"]
    orders.tiny.accounts["2"] = msgspec.structs.replace(taken, refused="revoked")
    for _ in range(10):
        orders.tiny.wait(60)
        await orders.turns()
    assert set(orders.asked_all[2:]) == {"1"}
    assert orders.poll.standing == Polls(1, 0)
    orders.tiny.sell("2", "while_away")
    orders.tiny.accounts["2"] = taken
    orders.tiny.wait(600)
    await orders.turns()
    assert orders.tiny.sales() == ["while_away"]


@pytest.mark.parametrize("verdict", ["app", "address", "clock"])
async def test_what_is_about_the_app_is_no_fault_of_a_shop(verdict):
    orders = Orders("1")
    await orders.turns()
    orders.tiny.sell("1", "a", detail=True)
    orders.tiny.wait(200)
    orders.tiny.fails["list"] = verdict
    for _ in range(5):
        with pytest.raises(CallFailed):
            await orders.poll.turn()
        orders.tiny.wait(3_600)
    orders.tiny.fails.clear()
    assert await orders.turns() == [False]  # its detail is missing: that is tried again, and nothing was set aside
    assert orders.tiny.aside() == []


async def test_an_entry_without_its_detail_is_set_aside_after_three_turns_and_one_that_is_broken_much_later():
    for verdict, turns in (("missing", 3), ("broken", 12)):
        orders = Orders("1")
        await orders.turns()
        orders.tiny.sell("1", "a", detail=True)
        orders.tiny.fails["detail"] = verdict
        orders.tiny.wait(200)
        for _ in range(turns):
            assert await orders.turns() == [False]
            assert orders.tiny.aside() == []
            orders.tiny.wait(3_600)
        assert all(await orders.turns())
        assert orders.tiny.aside() == [("its detail did not come", "order.detail a")]
        assert orders.poll.standing == Polls(1, 0)
        orders.tiny.sell("1", "b", detail=True)  # and the next one is as good as the first
        orders.tiny.wait(200)
        await orders.turns()
        assert len(orders.tiny.aside()) == 1


async def test_a_slip_of_the_rules_in_one_shop_ends_nobody(caplog):
    orders = Orders("1", "2")
    orders.tiny.fails["list", "1"] = KeyError("李四")
    await orders.turns()
    orders.tiny.wait(200)
    assert sorted(await orders.turns()) == [False, True]
    assert orders.failed == {"unknown": 1}
    assert "李四" not in caplog.text


async def test_a_start_goes_on_from_the_cursors_and_asks_the_most_overdue_first():
    cursors = tuple(
        PollCursor("stall", shop, "orders", START - timedelta(seconds=ago)) for shop, ago in (("1", 10), ("2", 999))
    )
    orders = Orders("1", "2", cursors=cursors)
    orders.tiny.now_at = START - timedelta(seconds=500)
    orders.tiny.sell("2", "while_down")
    orders.tiny.now_at = START + timedelta(seconds=1)
    await orders.poll.open()
    await orders.turns()
    assert orders.asked_all == ["2", "1"]
    assert orders.tiny.sales() == ["while_down"]


# --- a feed that is only polled --------------------------------------------------------------------------------------


class Alone:
    """Such a feed under supervision."""

    def __init__(self, *shops: str, known: bool = True) -> None:
        self.tiny = Tiny(*shops)
        self.row = Polled(name="jd", app="a")
        self.watch = Watch()
        self.watch.load([], (), [self.row], self.tiny.now())
        self.reasons: list[str] = []
        self.pulses = 0
        witnesses: Any = Witnesses(self.watch, None, None, self.tiny.heard.append, self.tiny.now, None)  # type: ignore[arg-type]

        async def none(feed: str) -> list[PollCursor]:
            return []

        self.reconcile = Reconcile(
            self.tiny.means(), {"stall": TinyApi()}, lambda row: APP if known else None,
            lambda app: list(self.tiny.accounts.values()), none, witnesses, lambda feed, reason: None, self.rest,
        )  # fmt: skip
        self.supervisor = Supervisor(
            self.reconcile.line(self.row), self.watch, self.tiny.now, self._outlets(), self.stay_away,
            lambda low, high: high, 180.0,
        )  # fmt: skip

    async def rest(self, seconds: float) -> None:
        self.tiny.wait(1.0)
        await asyncio.sleep(0)

    async def stay_away(self, seconds: float) -> None:
        self.tiny.wait(seconds)
        await asyncio.sleep(0)

    def _outlets(self) -> Outlets:
        def heard(feed: str) -> None:
            self.pulses += 1

        async def room(ticks: int, facts: int) -> None:
            pass

        return Outlets(
            room=room, put=self.tiny.heard.append, quarantine=lambda *_: None,
            failed=lambda feed, reason: self.reasons.append(reason), heard=heard, polled=lambda *_: None,
        )  # fmt: skip

    async def run(self, until: Callable[[], object]) -> None:
        task = asyncio.create_task(self.supervisor.run(None))  # type: ignore[arg-type]
        async with asyncio.timeout(10):
            while not until():
                await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    @property
    def state(self) -> str:
        return self.watch.feeds["jd"].state


async def test_a_feed_that_is_only_polled_brings_its_orders_and_each_good_turn_shows_that_it_lives():
    alone = Alone("1", "2")
    await alone.run(lambda: alone.pulses >= 2)
    alone.tiny.sell("1", "a", room="r")
    alone.tiny.wait(10)
    await alone.run(lambda: "a" in alone.tiny.sales())
    began, pulses = alone.tiny.now(), alone.pulses
    await alone.run(lambda: alone.tiny.now() > began + timedelta(hours=1))  # nobody buys anything
    assert alone.pulses - pulses >= 60
    assert alone.state == "ok"
    assert alone.reasons == []
    assert alone.tiny.sales() == ["a"]  # though it is looked back a little each time
    assert all(span.cause != "push_late" for heard in alone.tiny.heard for span in heard.spans)


@pytest.mark.parametrize(
    ("fails", "state"), [("app", "refused"), ("address", "refused"), ("clock", "blind"), ("broken", "blind")]
)
async def test_it_goes_blind_when_no_shop_can_be_asked_and_is_back_when_one_can(fails, state):
    alone = Alone("1", "2")
    alone.tiny.wait(10)
    await alone.run(lambda: alone.pulses >= 2)
    alone.tiny.fails["list"] = fails
    await alone.run(lambda: alone.state != "ok")
    assert alone.state == state
    alone.tiny.fails.clear()
    await alone.run(lambda: alone.state == "ok")


async def test_who_waits_for_the_call_that_tries_again_does_not_end_it():
    alone = Alone("1", "2")
    await alone.run(lambda: alone.pulses >= 2)
    alone.tiny.fails["list", "1"] = CallFailed("app", "breaker_open", 0.5)
    began = alone.tiny.now()
    await alone.run(lambda: alone.tiny.now() > began + timedelta(hours=1))
    assert alone.reasons == []
    assert alone.state == "ok"


async def test_one_shop_of_many_that_fails_does_not_blind_it():
    alone = Alone(*map(str, range(12)))
    alone.tiny.fails["list", "3"] = "broken"
    await alone.run(lambda: alone.pulses >= 3_000)
    assert alone.state == "ok"
    assert alone.reasons == []


@pytest.mark.parametrize(("row", "least"), [(Polled(name="jd", app="a"), 1), (None, 0)])
async def test_of_many_quiet_shops_a_feed_that_must_show_that_it_lives_asks_one_each_interval(row, least):
    orders = Orders(*map(str, range(600)), row=row)
    assert len(await orders.turns()) == 600
    for _ in range(9):
        orders.tiny.wait(60)
        assert len(await orders.turns()) == least
    orders.tiny.wait(60)
    assert len(await orders.turns()) == 600 - 9 * least


async def test_an_open_breaker_and_an_app_that_is_not_there_are_said():
    alone = Alone("1")
    alone.tiny.app_wait_s = 30.0
    await alone.run(lambda: alone.state == "blind")
    assert alone.tiny.calls["list"] == 0
    gone = Alone("1", known=False)
    await gone.run(lambda: gone.state == "refused")
    with pytest.raises(FeedRefused, match="no \\[\\[app\\]\\]"):
        await gone.reconcile.line(gone.row).collect(None, None, datetime.now)  # type: ignore[arg-type]

"""Polling one shop: nothing between two windows, nothing twice, and no bad entry that holds up the others."""

import dataclasses
import random
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.open_api import Listing
from collectors.tick import Sale
from monitor.accounts.budget import Urgency
from monitor.accounts.failed import CallFailed
from monitor.accounts.shop_poll import PAGES_MAX, WINDOWS_MAX, ShopPoll, Unfinished, Unreadable
from monitor.accounts.witness import Witness
from monitor.store.cipher import is_encrypted
from tests.accounts.tiny import PAGE, START, Tiny, TinyApi
from tests.reading import Stall

LAG, OVERLAP = timedelta(seconds=120), timedelta(seconds=5)


def poll_of(tiny: Tiny) -> ShopPoll:
    witness = Witness(LAG, START)
    return ShopPoll(Stall(name="stall", app="a"), "a", TinyApi(), tiny.means(), witness, {}, LAG, OVERLAP)


async def begun(tiny: Tiny) -> ShopPoll:
    poll = poll_of(tiny)
    await poll.poll("1")
    tiny.wait(1)
    return poll


async def test_the_first_time_it_begins_at_now_and_says_so_on_disk():
    tiny = Tiny("1")
    tiny.sell("1", "old")
    tiny.wait(500)
    poll = await begun(tiny)
    assert [(it.shop, it.listing, it.until) for it in tiny.cursors()] == [
        ("1", "orders", START + timedelta(seconds=500))
    ]
    tiny.wait(1_000)
    await poll.poll("1")
    assert tiny.sales() == []


class ListedLate(TinyApi):
    LISTINGS = (Listing("orders", 1_800.0, late_s=180.0),)


async def test_what_a_platform_lists_only_after_minutes_is_not_passed_by():
    tiny = Tiny("1")
    tiny.listed_s = 180.0
    witness = Witness(LAG, START)
    poll = ShopPoll(Stall(name="stall", app="a"), "a", ListedLate(), tiny.means(), witness, {}, LAG, OVERLAP)
    await poll.poll("1")
    tiny.wait(10)
    tiny.sell("1", "slow")
    for _ in range(20):
        tiny.wait(20)
        await poll.poll("1")
    assert tiny.sales() == ["slow"]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
async def test_every_order_is_put_once_whatever_the_windows_and_pages(seed):
    dice = random.Random(seed)
    tiny = Tiny("1")
    tiny.too_many = dice.choice([4, 1_000])
    poll = await begun(tiny)
    for number in range(dice.randrange(30)):
        tiny.sell("1", str(number))
        tiny.wait(dice.choice([0, 0.5, 7, 40, 3_000]))
        if dice.random() < 0.3:
            try:
                await poll.poll("1")
            except CallFailed:
                tiny.wait(1)
    tiny.wait(121)
    caught_up = False
    for _ in range(100):  # windows that hold too much are halved until they do not, and stay so for a while
        with suppress(CallFailed):
            caught_up = caught_up or not (await poll.poll("1")).more
    if max_in_a_minute(tiny) > tiny.too_many:
        return  # there is no window that it would list
    assert sorted(tiny.sales(), key=int) == [entry.order for entry in tiny.entries["1"]]
    assert all(sale.via == "poll" and sale.buyer != b"somebody" for heard in tiny.heard for sale in heard.sales)
    cursors = [it.until for it in tiny.cursors()]
    assert cursors == sorted(cursors)


def max_in_a_minute(tiny: Tiny) -> int:
    times = [entry.at.timestamp() for entry in tiny.entries["1"]]
    return max(sum(at <= other < at + 66 for other in times) for at in times) if times else 0


async def test_windows_join_end_where_pushes_may_still_come_and_are_split_as_wide_as_allowed():
    tiny = Tiny("1")
    poll = await begun(tiny)
    tiny.wait(4_000 + 120)
    assert not (await poll.poll("1")).more
    assert tiny.windows == [(-5, 1_795), (1_790, 3_590), (3_585, 4_001)]
    assert {urgency for _, _, urgency in tiny.asked} == {Urgency.RECONCILE}


async def test_a_long_absence_is_caught_up_in_turns():
    tiny = Tiny("1")
    poll = await begun(tiny)
    tiny.wait(86_400)
    assert (await poll.poll("1")).more
    assert len(tiny.windows) == WINDOWS_MAX
    while (await poll.poll("1")).more:
        pass
    assert tiny.windows[-1][1] == 86_401 - 120


async def test_the_cursor_is_sealed_with_the_last_page_and_never_before():
    tiny = Tiny("1")
    poll = await begun(tiny)
    for number in range(2 * PAGE + 1):
        tiny.sell("1", str(number))
    tiny.wait(200)
    await poll.poll("1")
    told = [(len(heard.sales), len(heard.cursors)) for heard in tiny.heard[1:]]
    assert told == [(PAGE, 0), (PAGE, 0), (1, 1)]


async def test_a_poll_that_fails_goes_on_where_it_was_and_puts_nothing_twice():
    tiny = Tiny("1")
    poll = await begun(tiny)
    tiny.sell("1", "a")
    tiny.wait(2_000)
    tiny.sell("1", "b")
    tiny.wait(200)
    tiny.fails["list"] = "broken"
    with pytest.raises(CallFailed):
        await poll.poll("1")
    assert tiny.sales() == []
    assert len(tiny.cursors()) == 1
    tiny.fails.clear()
    await poll.poll("1")
    await poll.poll("1")
    assert tiny.sales() == ["a", "b"]
    assert poll.halvings == {}


async def test_more_pages_than_a_window_may_have_make_it_narrower_at_once():
    tiny = Tiny("1")
    poll = await begun(tiny)
    for number in range(PAGE * PAGES_MAX + 1):
        tiny.sell("1", str(number))
        tiny.wait(1_000 / (PAGE * PAGES_MAX))
    tiny.wait(300)
    await poll.poll("1")
    assert sorted(map(int, tiny.sales())) == list(range(PAGE * PAGES_MAX + 1))


async def test_one_bad_entry_is_set_aside_encrypted_and_the_rest_goes_on():
    tiny = Tiny("1")
    poll = await begun(tiny)
    tiny.sell("1", "a")
    tiny.sell("1", "b", bad=True)
    tiny.sell("1", "c", amount=-1)
    tiny.sell("1", "d")
    tiny.wait(200)
    await poll.poll("1")
    assert tiny.sales() == ["a", "d"]
    assert tiny.aside() == [("bad_item: no amount", "b"), ("negative amount", "1:c:paid")]
    assert all(is_encrypted(bad.payload) for heard in tiny.heard for bad in heard.quarantine)


async def test_an_entry_that_needs_a_detail_gets_it():
    tiny = Tiny("1")
    poll = await begun(tiny)
    tiny.sell("1", "a", detail=True)
    tiny.sell("1", "b")
    tiny.answers["a"] = b"4200"
    tiny.wait(200)
    await poll.poll("1")
    assert {sale.order_id: sale.amount_minor for heard in tiny.heard for sale in heard.sales} == {"a": 4200, "b": 100}


@pytest.mark.parametrize("answer", [None, b"not yet", "broken"])
async def test_a_detail_that_does_not_come_holds_the_cursor_then_is_set_aside_alone(answer):
    tiny = Tiny("1")
    poll = await begun(tiny)
    tiny.sell("1", "a", detail=True)
    tiny.sell("1", "b")
    if answer == "broken":
        tiny.fails["detail", "a"] = "broken"
    elif answer is not None:
        tiny.answers["a"] = answer
    tiny.wait(200)
    for _ in range(2):
        with pytest.raises(Unfinished) as raised:
            await poll.poll("1")
        assert raised.value.broken == (answer == "broken")
    assert tiny.sales() == ["b"]
    assert len(tiny.cursors()) == 1
    await poll.poll("1", resigned=True)
    assert tiny.aside() == [("its detail did not come", "order.detail a")]
    assert len(tiny.cursors()) == 2


async def test_too_fast_is_no_reason_to_give_an_entry_up():
    tiny = Tiny("1")
    poll = await begun(tiny)
    tiny.sell("1", "a", detail=True)
    tiny.wait(200)
    tiny.fails["detail"] = ("rate", "", 5.0)
    with pytest.raises(CallFailed):
        await poll.poll("1", resigned=True)
    assert tiny.aside() == []


async def test_a_page_that_cannot_be_read_is_narrowed_down_and_set_aside_in_the_end():
    tiny = Tiny("1")
    poll = await begun(tiny)
    tiny.sell("1", "a")
    tiny.wait(60)
    whole = tiny._page
    tiny._page = lambda asked: whole(asked).replace(b'"entries"', b"{") if b'"a"' in whole(asked) else whole(asked)
    tiny.wait(3_000)
    tiny.sell("1", "b")
    tiny.wait(200)
    for _ in range(8):
        with pytest.raises(Unreadable):
            await poll.poll("1")
    assert tiny.aside() == []
    await poll.poll("1", resigned=True)
    assert tiny.aside() == [("bad_json: none", "orders")]
    while (await poll.poll("1")).more:
        pass
    assert tiny.sales() == ["b"]


async def test_what_a_push_told_is_not_put_again():
    tiny = Tiny("1")
    poll = await begun(tiny)
    entry = tiny.sell("1", "a")
    tiny.sell("1", "b")
    pushed = Sale(
        feed="stall", platform="stall", event_id="1:a:paid", at=entry.at, received_at=entry.at, kind="paid",
        amount_minor=100, currency="CNY",
    )  # fmt: skip
    poll.witness.pushed([pushed], tiny.now())
    tiny.wait(200)
    polled = await poll.poll("1")
    assert tiny.sales() == ["b"]
    assert (polled.sifted.pushed, polled.sifted.strange) == (1, 1)


async def test_pushes_that_are_on_disk_are_read_before_a_page_is_put():
    tiny = Tiny("1")
    poll = await begun(tiny)
    entry = tiny.sell("1", "a")
    pushed = Sale(
        feed="stall", platform="stall", event_id="1:a:paid", at=entry.at, received_at=entry.at, kind="paid",
        amount_minor=100, currency="CNY",
    )  # fmt: skip

    async def read() -> None:
        poll.witness.pushed([pushed], tiny.now())

    poll.means = dataclasses.replace(poll.means, understood=read)
    tiny.wait(200)
    await poll.poll("1")
    assert tiny.sales() == []

"""What holds of all played platforms whose shops livemon asks: rows say what the truth says, whatever goes wrong."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest
from websockets.asyncio.server import ServerConnection

from monitor.rehearsal.event.cast import Part
from monitor.rehearsal.event.order import Happened, Happening, Order
from monitor.rehearsal.platforms.jd import Jd
from monitor.rehearsal.platforms.pinduoduo import Pinduoduo
from monitor.rehearsal.platforms.taobao import Taobao
from monitor.rehearsal.platforms.tiktok_shop import TiktokShop
from monitor.rehearsal.platforms.xiaohongshu import Xiaohongshu
from monitor.rehearsal.scene import How, Platform, Scene

from .asked import Listener, listened, told
from .staged import part, sold, until

KINDS: dict[str, Callable[[Scene], Platform]] = {
    "tiktok_shop": TiktokShop, "taobao": Taobao, "pinduoduo": Pinduoduo, "xiaohongshu": Xiaohongshu, "jd": Jd,
}  # fmt: skip
PUSHING, SOCKETS, TELL_REFUNDS = (
    ("tiktok_shop", "taobao", "pinduoduo", "xiaohongshu"), ("taobao", "pinduoduo"),
    ("taobao", "pinduoduo", "xiaohongshu"),
)  # fmt: skip
PAID, GIVEN_BACK = ("created", "paid"), ("created", "paid", "refunded")
COURSES: tuple[tuple[Happening, ...], ...] = (
    PAID, ("created",), ("created", "cancelled"), GIVEN_BACK, GIVEN_BACK, PAID,
)  # fmt: skip

each = pytest.mark.parametrize("name", KINDS)
pushing = pytest.mark.parametrize("name", PUSHING)


def parts_of(name: str) -> list[Part]:
    return [part(number, name, sells_on=name, shop=f"446000{number % 2 + 1}") for number in range(3)]


def evening(name: str) -> tuple[list[Happened], list[Happened]]:
    """Orders in all courses, in several rooms and two shops; first all but the refunds, of a part and of the whole."""
    first, refunds = list[Happened](), list[Happened]()
    for room in parts_of(name):
        for number, course in enumerate(COURSES):
            changed = {"refund_minor": 12_991 + number} if number == 3 else {}
            events = sold(room, number, course, **changed)
            first += events[:2]
            refunds += events[2:]
    return first, refunds


def connections(platform: Platform) -> list[ServerConnection]:
    assert isinstance(platform, Taobao | Pinduoduo)
    return platform.tmc.connections if isinstance(platform, Taobao) else platform.pmc.connections


def at_hand(order: Order) -> Order:
    return msgspec.structs.replace(order, created_s=order.created_s - 7_200)


async def told_to(heard: Listener[Platform], events: Iterable[Happened]) -> None:
    for event in events:
        heard.platform.happened(event)
    await heard.settled()


@each
async def test_rows_say_what_the_truth_says(tmp_path: Path, name: str) -> None:
    first, refunds = evening(name)
    async with listened(tmp_path, KINDS[name], parts_of(name)) as heard:
        await told_to(heard, first)
        await told_to(heard, refunds)
        facts = heard.facts()
        assert told(await heard.sales()) == facts
    assert sum(fact.kind == "paid" for fact in facts) == 12
    assert sum(fact.kind == "refunded" for fact in facts) == (6 if name in TELL_REFUNDS else 0)
    assert {fact.shop for fact in facts} == {"4460001", "4460002"}
    assert {fact.room for fact in facts} == {None}


@pushing
async def test_polls_tell_what_the_push_tells(tmp_path: Path, name: str) -> None:
    """But for payments of Taobao of which something came back: their trade does not say any more what was paid."""
    first, refunds = evening(name)
    async with listened(tmp_path, KINDS[name], parts_of(name)) as heard:
        await told_to(heard, first)
        assert told(await heard.polled()) == heard.facts()
        await told_to(heard, refunds)
        polled, facts = told(await heard.polled()), heard.facts()
    back = {fact.order_id for fact in facts if fact.kind == "refunded"} if name == "taobao" else set[str]()
    assert polled == [fact for fact in facts if fact.kind == "refunded" or fact.order_id not in back]


@pushing
async def test_what_is_told_twice_is_one_fact(tmp_path: Path, name: str) -> None:
    async with listened(tmp_path, KINDS[name], parts_of(name)) as heard:
        heard.platform.trouble.twice = True
        events = [event for event in evening(name)[0] if event.what == "paid"]
        await told_to(heard, events)
        if name != "tiktok_shop":  # it gives its pushes a name, and what comes again under one is not kept
            await until(lambda: len(heard.kept) == 2 * len(events))
        assert told(await heard.sales()) == heard.facts()


@pushing
async def test_pushes_are_held_while_the_api_goes_on(tmp_path: Path, name: str) -> None:
    first, _ = evening(name)
    async with listened(tmp_path, KINDS[name], parts_of(name)) as heard:
        heard.platform.trouble.pushing = False
        for event in first:
            heard.platform.happened(event)
        pulses = heard.pulses
        await asyncio.sleep(0.3)
        assert heard.kept == []
        assert heard.pulses > pulses or name not in SOCKETS  # the channel itself is well
        assert heard.platform.waiting() >= len(heard.facts()) > 0
        assert told(await heard.polled()) == heard.facts()
        heard.platform.trouble.pushing = True
        assert told(await heard.settled()) == heard.facts()


@each
@pytest.mark.parametrize("how", ["refuse", "error", "garbage", "hang"])
async def test_an_interface_in_trouble_answers_nothing_of_use(tmp_path: Path, name: str, how: How) -> None:
    async with listened(tmp_path, KINDS[name], parts_of(name)) as heard:
        await heard.polled()
        heard.platform.trouble.feed = how
        try:
            async with asyncio.timeout(0.3 if how == "hang" else 20):
                assert await heard.verdict("4460001") == "broken"
        except (aiohttp.ClientError, TimeoutError):
            assert how in ("refuse", "hang")
        else:
            assert how in ("error", "garbage")
        heard.platform.trouble.feed = None
        assert await heard.verdict("4460001") == "ok"


@pytest.mark.parametrize("name", SOCKETS)
@pytest.mark.parametrize("how", ["refuse", "error", "garbage"])
async def test_a_socket_cut_inside_a_message_loses_nothing(tmp_path: Path, name: str, how: How) -> None:
    first, refunds = evening(name)
    async with listened(tmp_path, KINDS[name], parts_of(name)) as heard:
        await told_to(heard, first)
        before = len(heard.kept)
        heard.platform.trouble.pushing = False  # so that there is a message to be cut in
        for event in refunds:
            heard.platform.happened(event)
        heard.platform.trouble.feed = how
        await until(lambda: len(heard.ended) >= 3)  # cut, and turned away again and again
        assert len(heard.kept) == before
        heard.platform.trouble.feed, heard.platform.trouble.pushing = None, True
        assert told(await heard.settled()) == heard.facts()
    assert heard.ended[0] == "ConnectionClosedError"


@pytest.mark.parametrize("name", SOCKETS)
async def test_a_socket_that_hangs_answers_no_ping_and_goes_on_where_it_was(tmp_path: Path, name: str) -> None:
    first, _ = evening(name)
    async with listened(tmp_path, KINDS[name], parts_of(name)) as heard:
        await until(lambda: heard.pulses)
        [connection] = connections(heard.platform)
        heard.platform.trouble.feed = "hang"
        await until(lambda: not connection.transport.is_reading())
        await asyncio.sleep(0.1)  # what was on its way by then
        pulses = heard.pulses
        for event in first:
            heard.platform.happened(event)
        await asyncio.sleep(0.3)
        assert (heard.pulses, heard.kept) == (pulses, [])
        heard.platform.trouble.feed = None
        assert told(await heard.settled()) == heard.facts()
        assert heard.ended == []


@each
async def test_what_is_told_hours_late_has_its_own_time_and_is_polled(tmp_path: Path, name: str) -> None:
    events = [
        msgspec.structs.replace(event, at_s=event.at_s - 7_200, order=at_hand(event.order))
        for event in sold(parts_of(name)[0], 1, PAID)
    ]
    async with listened(tmp_path, KINDS[name], parts_of(name)) as heard:
        await told_to(heard, events)
        [fact] = heard.facts()
        assert told(await heard.sales()) == told(await heard.polled()) == [fact]
        assert abs(fact.at - heard.scene.tempo.at(events[1].at_s)) < timedelta(seconds=1)


@each
async def test_nothing_waits_when_all_is_known(tmp_path: Path, name: str) -> None:
    """And what livemon has, but has not asked the amount of, is waited for: a play must not end before."""
    events = sold(parts_of(name)[0], 1, PAID)
    async with listened(tmp_path, KINDS[name], parts_of(name)) as heard:
        assert heard.platform.waiting() == 0
        for event in events:
            heard.platform.happened(event)
        if name != "jd":
            await until(lambda: heard.platform.waiting() == 1)
        assert heard.platform.waiting() == 1
        await heard.settled()
        assert heard.platform.waiting() == 0


@each
async def test_an_owner_lets_in_only_for_the_own_shop(tmp_path: Path, name: str) -> None:
    """Accounts are those of the shops that sell here, and each sees its own orders alone."""
    strangers = [part(9, "wechat", sells_on="wechat", shop="4460009")]
    async with listened(tmp_path, KINDS[name], parts_of(name) + strangers) as heard:
        assert set(heard.tokens) == {"4460001", "4460002"}
        await told_to(heard, sold(parts_of(name)[0], 1, PAID))
        heard.tokens.pop("4460001")
        assert await heard.polled() == []

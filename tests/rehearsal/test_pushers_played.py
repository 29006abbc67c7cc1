"""Doudian, Kwaixiaodian and WeChat as a play has them: pushes and polls tell livemon the truth, also in trouble."""

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from collectors.details import ORDER
from collectors.hook import Need
from collectors.tick import Sale
from monitor.account_file import read_account_file
from monitor.commands import check
from monitor.rehearsal.event.cast import Part
from monitor.rehearsal.event.order import Happened
from monitor.rehearsal.platforms.doudian import Doudian
from monitor.rehearsal.platforms.kwaixiaodian import Kwaixiaodian
from monitor.rehearsal.platforms.wechat import Wechat
from monitor.rehearsal.scene import How
from monitor.rehearsal.stage import accounts_csv
from monitor.rehearsal.truth import Fact

from .asked import Listener, listened, told
from .staged import loaded, part, running, sold, staged, until

type Pusher = Doudian | Kwaixiaodian | Wechat
KINDS: tuple[type[Pusher], ...] = (Doudian, Kwaixiaodian, Wechat)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.SELLS_ON)
ROOMS = {
    "doudian": ("7000000000000000007", "7000000000000000008"),
    "kwaixiaodian": ("10000007", "10000008"),
    "wechat": ("sphLN00007", "sphLN00008"),
}


def parts_of(kind: type[Pusher]) -> list[Part]:
    """Two rooms, each with a shop of its own."""
    return [
        part(7 + n, kind.SELLS_ON, room=room, sells_on=kind.SELLS_ON, shop=f"446000{n + 1}")
        for n, room in enumerate(ROOMS[kind.SELLS_ON])
    ]


def evening(parts: Sequence[Part]) -> list[Happened]:
    """Five orders with all that can become of them."""
    one, other = parts
    return [
        *sold(one, 1, ("created", "paid", "refunded")),
        *sold(one, 2, ("created", "paid")),
        *sold(one, 3, ("created", "cancelled")),
        *sold(other, 4, ("created", "paid", "refunded"), refund_minor=12_995, units=1),
        *sold(other, 5, ("created",)),
    ]


async def heard_of(heard: Listener[Pusher], events: Sequence[Happened]) -> list[Sale]:
    for event in events:
        heard.platform.happened(event)
    return await heard.settled()


async def placed(heard: Listener[Pusher], sales: Sequence[Sale]) -> list[Fact]:
    """What these sales say once the room of each payment was asked for, where its push names none."""
    more = list(sales)
    if heard.api.ROOM_BY_ORDER:
        for n, sale in enumerate(sales):
            if sale.kind == "paid" and sale.room is None:
                assert sale.shop
                assert sale.order_id
                need = Need(ORDER, sale.order_id, sale.shop)
                body = (await heard.answers([need]))[ORDER, sale.order_id]
                [more[n]] = heard.api.read_order(heard.row, sale.shop, sale.order_id, body, heard.scene.now())
                same = "event_id", "kind", "at", "amount_minor", "currency", "platform"
                assert all(getattr(more[n], name) == getattr(sale, name) for name in same)
    return told(more)


@each_kind
async def test_what_livemon_understands_is_the_truth_by_push_and_by_poll(tmp_path: Path, kind: type[Pusher]) -> None:
    parts = parts_of(kind)
    async with listened(tmp_path, kind, parts) as heard:
        sales = await heard_of(heard, evening(parts))
        assert Counter(sale.kind for sale in sales) == {"created": 5, "paid": 3, "cancelled": 1, "refunded": 2}
        facts = heard.facts()
        assert await placed(heard, sales) == facts
        assert told(await heard.polled()) == facts
        # The truth itself, against the script.
        at, order_id = heard.scene.tempo.at, heard.scene.order_id
        paid = {fact.order_id: fact for fact in facts if fact.kind == "paid"}
        assert set(paid) == {order_id(it.order) for it in evening(parts) if it.what == "paid"}
        for it in evening(parts):
            if it.what == "paid":
                fact = paid[order_id(it.order)]
                assert (fact.amount_minor, fact.currency, fact.platform) == (
                    it.order.amount_minor,
                    "CNY",
                    kind.SELLS_ON,
                )
                assert timedelta() <= at(it.at_s) - fact.at < timedelta(seconds=1)
                assert fact.shop.removeprefix("gh_00000") == it.order.part.shop
                assert fact.room == (None if kind is Kwaixiaodian else it.order.part.room)
        assert [(fact.amount_minor, fact.room) for fact in facts if fact.kind == "refunded"] == [
            (5_003, None), (12_995, None),
        ]  # fmt: skip


@each_kind
async def test_what_is_told_late_keeps_its_stamp_and_is_found_by_who_polls_now(
    tmp_path: Path, kind: type[Pusher]
) -> None:
    parts = parts_of(kind)
    *before, refunded = sold(parts[0], 1, ("created", "paid", "refunded"), created_s=-6_000.0)
    late = Happened("refunded", refunded.order, refunded.at_s, refunded.at_s + 1_000.0)
    async with listened(tmp_path, kind, parts) as heard:
        sales = await heard_of(heard, [*before, late])
        facts = heard.facts()
        assert await placed(heard, sales) == facts == told(await heard.polled())
        happened_at, told_at = heard.scene.tempo.at(late.at_s), heard.scene.now()
        # Kwaixiaodian has one stamp for both, when it touched the refund; the others say when the money went back.
        near = told_at if kind is Kwaixiaodian else happened_at
        assert abs(facts[1].at - near) < timedelta(seconds=10)
        assert told_at - happened_at > timedelta(minutes=10), "longer than the window of the poll"


@each_kind
async def test_what_is_delivered_twice_is_the_same_facts(tmp_path: Path, kind: type[Pusher]) -> None:
    parts = parts_of(kind)
    events = evening(parts)
    async with listened(tmp_path, kind, parts) as heard:
        deliveries = heard.platform.deliveries
        await until(lambda: not heard.platform.waiting())
        tries, kept = deliveries.tries, len(heard.kept)
        heard.platform.trouble.twice = True
        await heard_of(heard, events)
        await until(lambda: len(heard.kept) - kept >= 2 * (deliveries.tries - tries))
        sales = await heard.sales()
        assert await placed(heard, sales) == heard.facts()
        assert len(sales) == 11
        assert len(heard.kept) - kept == 2 * (deliveries.tries - tries) > 0


@each_kind
async def test_while_nothing_is_pushed_polls_find_it_and_the_pushes_come_later(
    tmp_path: Path, kind: type[Pusher]
) -> None:
    parts = parts_of(kind)
    async with listened(tmp_path, kind, parts) as heard:
        await until(lambda: not heard.platform.waiting())
        heard.platform.trouble.pushing = False
        before = len(heard.kept)
        for event in evening(parts):
            heard.platform.happened(event)
        assert told(await heard.polled()) == heard.facts()
        assert len(heard.kept) == before
        assert heard.platform.waiting() > 0
        heard.platform.trouble.pushing = True
        assert await placed(heard, await heard.settled()) == heard.facts()
        assert heard.platform.waiting() == 0


@pytest.mark.parametrize("how", ["refuse", "error", "garbage"])
@each_kind
async def test_an_interface_in_trouble_says_nothing_that_livemon_takes_and_all_of_it_afterwards(
    tmp_path: Path, kind: type[Pusher], how: How
) -> None:
    parts = parts_of(kind)
    async with listened(tmp_path, kind, parts) as heard:
        heard.platform.trouble.feed = how
        heard.platform.happened(evening(parts)[0])
        shop = next(iter(heard.tokens))
        if how == "refuse":
            with pytest.raises(aiohttp.ClientConnectionError):
                await heard.verdict(shop)
        else:
            assert await heard.verdict(shop) == "broken"
        heard.platform.trouble.feed = None
        assert await heard.verdict(shop) == "ok"
        assert await placed(heard, await heard_of(heard, evening(parts)[1:])) == heard.facts()


async def test_an_interface_that_hangs_answers_nobody_until_it_is_over(tmp_path: Path) -> None:
    async with listened(tmp_path, Wechat, parts_of(Wechat)) as heard:
        shop, calls = next(iter(heard.tokens)), heard.platform.fake.book.by_name
        asked = sum(calls.values())
        for _ in range(4):  # at any instant between two looks at who is still there
            heard.platform.trouble.feed = "hang"
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.25):
                    await heard.verdict(shop)
            await asyncio.sleep(0.02)
            heard.platform.trouble.feed = None
            await asyncio.sleep(0.25)
        heard.platform.trouble.feed = "hang"
        waits = asyncio.ensure_future(heard.verdict(shop))
        await asyncio.sleep(0.5)
        assert not waits.done()
        assert sum(calls.values()) == asked, "who left before it was over has asked nothing"
        heard.platform.trouble.feed = None
        assert await waits == "ok"
        assert sum(calls.values()) == asked + 1


async def test_an_interface_closes_while_it_hangs(tmp_path: Path) -> None:
    async with staged(tmp_path, parts_of(Doudian)) as scene:
        platform = Doudian(scene)
        await platform.open()
        platform.trouble.feed = "hang"
        waits = asyncio.ensure_future(scene.http.get(platform.url))
        await asyncio.sleep(0.05)
        async with asyncio.timeout(10):
            await platform.close()
        with pytest.raises(aiohttp.ClientError):
            await waits


async def test_a_broken_off_night_of_all_three_loads_checks_and_brings_its_accounts(tmp_path: Path) -> None:
    parts = [one for kind in KINDS for one in parts_of(kind)]
    async with staged(tmp_path, parts) as scene:
        platforms = [kind(scene) for kind in KINDS]
        for platform in platforms:
            await platform.open()
        try:
            settings = [platform.settings() for platform in platforms]
        finally:
            for platform in platforms:
                await platform.close()
        config = loaded(tmp_path, *settings)
        rows = accounts_csv([row for each in settings for row in each.accounts])
        assert check.run(argparse.Namespace(config=tmp_path / "livemon.toml")) == 0
    apps = {table.name: table for table in config.apps}
    file = read_account_file(rows, "accounts.csv", apps, ZoneInfo("Asia/Shanghai"), scene.now())
    assert file.problems == ()
    shops = [row.account for row in file.listed if row.account.shop]
    anchors = [row.account.anchor for row in file.listed if not row.account.shop]
    assert len(shops) == len(parts) == 6
    assert anchors == [one.room for one in parts if one.platform == "wechat"], "the video accounts that are asked"
    spans = dict[str, tuple[float, float]]()
    for row in file.listed:
        tokens = row.account.tokens
        if tokens is not None and tokens.access_until is not None and tokens.refresh_until is not None:
            until_s = [(it - scene.now()).total_seconds() / 3600 for it in (tokens.access_until, tokens.refresh_until)]
            spans[row.account.platform] = round(until_s[0]), round(until_s[1])
    assert spans == {"doudian": (7 * 24, 14 * 24), "kwaixiaodian": (48, 180 * 24)}, "as long as the platforms' own"
    assert {row.account.app for row in file.listed} == set(apps)


@each_kind
async def test_only_shops_of_the_platform_have_accounts_each_once(tmp_path: Path, kind: type[Pusher]) -> None:
    rooms = parts_of(kind)
    parts = [*rooms, rooms[0], part(1, "nginx_rtmp", shop="9")]
    async with listened(tmp_path, kind, parts) as heard:
        shops = [row["shop"] for row in heard.platform.accounts if row.get("shop")]
        assert [shop.removeprefix("gh_00000") for shop in shops] == ["4460001", "4460002"]
        assert {await heard.verdict(shop) for shop in heard.tokens} == {"ok"}


@each_kind
async def test_nobody_takes_it_and_nothing_is_lost(tmp_path: Path, kind: type[Pusher]) -> None:
    parts = parts_of(kind)
    async with staged(tmp_path, parts, hooks_url="http://127.0.0.1:9") as scene:
        platform = kind(scene)
        await platform.open()
        try:
            async with running(platform):
                platform.happened(evening(parts)[0])
                assert platform.waiting() == 1
                await until(lambda: platform.deliveries.failures >= 1)
                assert platform.waiting() >= 1
        finally:
            await platform.close()

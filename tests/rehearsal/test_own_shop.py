"""The own shops bring their sales to livemon some at a time; what it understands is what the truth says was sold."""

from datetime import timedelta
from pathlib import Path

import msgspec

from collectors.orders.push_json import PushJson
from collectors.tick import SaleItem
from monitor.rehearsal.platforms.own_shop import SALES_MAX, OwnShop
from monitor.rehearsal.truth import facts_of
from tests.rehearsal.staged import as_fact, delivered, listening, loaded, part, running, sold, staged, until

ROOM = part()
ROW = PushJson(name="own-shops", app="own-shops", platform="nginx_rtmp", tells=["sales"])
PLAYED = [
    *sold(ROOM, 1, ("created", "paid", "refunded")), *sold(ROOM, 2, ("created", "cancelled")),
    *sold(ROOM, 3, ("created", "paid"), currency="USD"), *sold(part(8, shop="4460002"), 4, ("created", "paid")),
]  # fmt: skip


async def test_livemon_understands_what_the_truth_says_was_sold(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, [ROOM], hooks_url=heard.url) as scene:
        shop = OwnShop(scene)
        before = scene.now()
        await delivered(shop, PLAYED)
        scene.truth.flush()
        told = list(facts_of(scene.truth.path))
        [meaning] = heard.meanings()
        assert not meaning.bad
        facts = [fact for fact, _ in told]
        assert facts == sorted(as_fact(meaning), key=lambda fact: (fact.platform, fact.order_id, fact.kind))
        assert [(fact.kind, fact.amount_minor, fact.currency) for fact in facts] == [
            ("paid", 12_992, "CNY"), ("refunded", 5_003, "CNY"), ("paid", 12_994, "USD"), ("paid", 12_995, "CNY"),
        ]  # fmt: skip
        assert {(fact.platform, fact.room) for fact in facts} == {
            ("nginx_rtmp", "live/dl00007"), ("nginx_rtmp", "live/dl00008"),
        }  # fmt: skip
        assert facts[0].at == scene.tempo.at(107.0 + 1.35)
        assert all(before <= told_at <= scene.now() for _, told_at in told)


async def test_every_event_is_a_row_with_what_the_shop_knows(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, [ROOM], hooks_url=heard.url) as scene:
        await delivered(OwnShop(scene), PLAYED)
        [meaning] = heard.meanings()
        order_id = scene.order_id(PLAYED[0].order)
        assert [(sale.kind, sale.amount_minor) for sale in meaning.sales] == [
            ("created", 12_992), ("paid", 12_992), ("refunded", 5_003), ("created", 12_993), ("cancelled", 12_993),
            ("created", 12_994), ("paid", 12_994), ("created", 12_995), ("paid", 12_995),
        ]  # fmt: skip
        assert len({sale.event_id for sale in meaning.sales}) == 9
        paid = meaning.sales[1]
        assert (paid.event_id, paid.shop, paid.order_id) == (f"4460001:{order_id}:paid", "4460001", order_id)
        assert (paid.units, paid.buyer) == (3, b"1@#00000001")
        assert paid.items == (SaleItem("3700000000000000001", '大连"淡干"海参，500g 🎁', 3, 12_992),)


async def test_what_is_sold_is_gathered_and_a_rush_is_cut(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, [ROOM], hooks_url=heard.url) as scene:
        shop = OwnShop(scene)
        rush = [sold(ROOM, number, ("paid",))[0] for number in range(SALES_MAX + 30)]
        for event in rush[:5]:
            shop.happened(event)
        assert shop.waiting() == 1  # gathered, and not yet on its way
        async with running(shop):
            await until(lambda: not shop.waiting())
            for event in rush[5:]:
                shop.happened(event)
            await until(lambda: not shop.waiting())
        meanings = heard.meanings()
        assert sorted(len(meaning.sales) for meaning in meanings) == [5, 25, SALES_MAX]
        assert len({sale.event_id for meaning in meanings for sale in meaning.sales}) == len(rush)
        names = {delivery.headers["x-livemon-id"] for _, delivery, _ in heard.disk.kept}
        assert len(names) == 3


async def test_what_livemon_refuses_or_hears_twice_counts_once(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, [ROOM], hooks_url=heard.url) as scene:
        shop = OwnShop(scene)
        shop.deliveries.retries_s = (0.02,)
        shop.trouble.twice, heard.disk.broken = True, True
        async with running(shop):
            for event in PLAYED:
                shop.happened(event)
            await until(lambda: shop.deliveries.failures >= 2)
            heard.disk.broken = False
            await until(lambda: not shop.waiting())
        assert [len(meaning.sales) for meaning in heard.meanings()] == [9]


async def test_what_is_told_late_keeps_its_own_instant(tmp_path: Path) -> None:
    late = msgspec.structs.replace(PLAYED[1], told_s=PLAYED[1].at_s + 9_000)
    async with listening(ROW) as heard, staged(tmp_path, [ROOM], hooks_url=heard.url) as scene:
        await delivered(OwnShop(scene), [late])
        scene.truth.flush()
        [(fact, _)] = facts_of(scene.truth.path)
        at = scene.tempo.at(late.at_s)
        assert fact.at == heard.meanings()[0].sales[0].at
        assert timedelta() <= at - fact.at < timedelta(milliseconds=1)


async def test_its_settings_are_a_feed_of_livemon(tmp_path: Path) -> None:
    async with staged(tmp_path, [ROOM]) as scene:
        config = loaded(tmp_path, OwnShop(scene).settings())
    [feed] = config.feeds
    assert feed == msgspec.structs.replace(ROW, rooms=feed.rooms)

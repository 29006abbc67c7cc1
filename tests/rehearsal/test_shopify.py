"""Shops on the played Shopify: what livemon understands of its documents is what the truth says was sold."""

import json
from pathlib import Path

import msgspec
import pytest

from collectors.orders.shopify import Shopify as ShopifyRow
from collectors.tick import SaleItem
from monitor.rehearsal.platforms.shopify import Shopify, in_major
from monitor.rehearsal.truth import facts_of
from tests.orders.signed import SHOPIFY_BODY, SHOPIFY_HEADERS
from tests.rehearsal.staged import as_fact, delivered, listening, loaded, part, running, sold, staged, until

ROOM = part(sells_on="shopify", shop="ln-4460001.myshopify.com")
ROW = ShopifyRow(name="shopify", app="shopify-main")
PLAYED = [
    *sold(ROOM, 1, ("created", "paid", "refunded")), *sold(ROOM, 2, ("created", "cancelled")),
    *sold(ROOM, 3, ("created", "paid", "refunded"), currency="JPY", amount_minor=398, refund_minor=398),
    *sold(ROOM, 4, ("created", "paid"), currency="USD", amount_minor=5, units=1),
]  # fmt: skip


async def test_livemon_understands_what_the_truth_says_was_sold(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, [ROOM], hooks_url=heard.url) as scene:
        before = scene.now()
        await delivered(Shopify(scene), PLAYED)
        scene.truth.flush()
        told = list(facts_of(scene.truth.path))
        facts = [fact for fact, _ in told]
        understood = [fact for meaning in heard.meanings() for fact in as_fact(meaning)]
        assert facts == sorted(understood, key=lambda fact: (fact.platform, fact.order_id, fact.kind))
        assert [(fact.kind, fact.amount_minor, fact.currency) for fact in facts] == [
            ("paid", 12_992, "CNY"), ("refunded", 5_003, "CNY"), ("paid", 398, "JPY"), ("refunded", 398, "JPY"),
            ("paid", 5, "USD"),
        ]  # fmt: skip
        assert {(fact.shop, fact.room) for fact in facts} == {("ln-4460001.myshopify.com", None)}
        assert facts[0].at == scene.tempo.at(PLAYED[1].at_s).replace(microsecond=0)
        assert all(before <= told_at <= scene.now() for _, told_at in told)


async def test_every_event_is_a_row_with_what_the_shop_knows(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, [ROOM], hooks_url=heard.url) as scene:
        await delivered(Shopify(scene), PLAYED[:5])
        sales = {sale.event_id: sale for meaning in heard.meanings() for sale in meaning.sales}
        order_id, other = scene.order_id(PLAYED[0].order), scene.order_id(PLAYED[3].order)
        shop = "ln-4460001.myshopify.com"
        assert set(sales) == {
            f"{shop}:{order_id}:created", f"{shop}:{order_id}:paid", f"{shop}:{order_id}:refunded:{int(order_id) + 2}",
            f"{shop}:{other}:created", f"{shop}:{other}:cancelled",
        }  # fmt: skip
        paid = sales[f"{shop}:{order_id}:paid"]
        assert paid.items == (SaleItem("3700000000000000001", '大连"淡干"海参，500g 🎁', 3, 4331 * 3),)
        assert (paid.units, paid.buyer is not None and paid.buyer.isdigit()) == (3, True)
        assert "小贝" not in repr(sales)


async def test_a_try_again_is_the_same_delivery(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, [ROOM], hooks_url=heard.url) as scene:
        shop = Shopify(scene)
        assert (len(shop.deliveries.retries_s), sum(shop.deliveries.retries_s) <= 4 * 3600) == (8, True)
        shop.deliveries.retries_s = (0.02,)
        shop.trouble.twice, heard.disk.broken = True, True
        async with running(shop):
            for event in PLAYED[:5]:
                shop.happened(event)
            await until(lambda: shop.deliveries.failures >= 8)
            heard.disk.broken = False
            await until(lambda: not shop.waiting())
        assert len(heard.disk.kept) == 5
        assert len({delivery.headers["x-shopify-webhook-id"] for _, delivery, _ in heard.disk.kept}) == 5


async def test_its_documents_and_headers_have_what_the_published_ones_have(tmp_path: Path) -> None:
    async with staged(tmp_path, [ROOM]) as scene:
        shop = Shopify(scene)
        shop.happened(PLAYED[0])
        headers, body, *_ = shop.deliveries._queue[0][2].make()
    assert {name.lower() for name in headers} > set(SHOPIFY_HEADERS)
    vector, document = json.loads(SHOPIFY_BODY), json.loads(body)
    assert set(vector) <= set(document)
    for name, value in vector.items():
        assert type(document[name]) is type(value), name
    assert set(vector["line_items"][0]) <= set(document["line_items"][0])


@pytest.mark.parametrize(
    ("minor", "currency", "told"),
    [(12_990, "CNY", "129.90"), (5, "USD", "0.05"), (398, "JPY", "398"), (12_990, "KWD", "12.990"), (0, "CNY", "0.00")],
)
def test_money_is_written_by_the_decimals_of_its_currency(minor: int, currency: str, told: str) -> None:
    assert in_major(minor, currency) == told


async def test_its_settings_are_a_feed_of_livemon(tmp_path: Path) -> None:
    async with staged(tmp_path, [ROOM]) as scene:
        config = loaded(tmp_path, Shopify(scene).settings())
    [feed] = config.feeds
    assert feed == msgspec.structs.replace(ROW, rooms=feed.rooms)

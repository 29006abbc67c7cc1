"""TikTok Shop in a play: what its pushes carry, what is tried again, and what means nothing to livemon."""

import json
from pathlib import Path

import msgspec

from collectors.hook import Delivery
from monitor.rehearsal.platforms.tiktok_shop import TiktokShop

from .asked import listened, told
from .staged import part, sold, until

ROOM = part(1, "tiktok_shop", sells_on="tiktok_shop")


def bodies(kept: list[tuple[bytes, object]]) -> list[dict[str, object]]:
    return [json.loads(msgspec.msgpack.decode(frame, type=Delivery).body) for frame, _ in kept]


async def test_new_and_cancelled_orders_are_rows_without_money(tmp_path: Path) -> None:
    async with listened(tmp_path, TiktokShop, [ROOM]) as heard:
        for event in sold(ROOM, 1, ("created", "cancelled")):
            heard.platform.happened(event)
        sales = await heard.settled()
        assert {(sale.kind, sale.amount_minor) for sale in sales} == {("created", 0), ("cancelled", 0)}
        assert {(it.event_id, it.at) for it in sales} == {(it.event_id, it.at) for it in await heard.polled()}
        assert heard.facts() == []


async def test_the_currency_is_that_of_the_order(tmp_path: Path) -> None:
    async with listened(tmp_path, TiktokShop, [ROOM]) as heard:
        for event in sold(ROOM, 1, ("created", "paid"), currency="EUR"):
            heard.platform.happened(event)
        [fact] = told(await heard.settled())
        assert (fact.currency, fact.amount_minor) == ("EUR", 12_992)
        assert [fact] == heard.facts()


async def test_a_refund_is_announced_by_a_type_that_means_nothing(tmp_path: Path) -> None:
    async with listened(tmp_path, TiktokShop, [ROOM]) as heard:
        for event in sold(ROOM, 1, ("created", "paid", "refunded")):
            heard.platform.happened(event)
        sales = await heard.settled()
        assert {sale.kind for sale in sales} == {"created", "paid"}
        assert [fact.kind for fact in heard.facts()] == ["paid"]
        assert sorted(str(body["type"]) for body in bodies(heard.kept)) == ["1", "1", "12"]


async def test_what_was_not_taken_comes_again_as_it_was(tmp_path: Path) -> None:
    async with listened(tmp_path, TiktokShop, [ROOM]) as heard:
        heard.platform.pushes.retries_s = (0.01,)
        heard.full += [1, 1]
        heard.platform.happened(sold(ROOM, 1, ("created",))[0])
        await until(lambda: heard.kept)
        await until(lambda: not heard.platform.waiting())
        assert (heard.platform.pushes.failures, len(heard.kept), heard.full) == (2, 1, [])


async def test_each_push_has_a_name_of_its_own(tmp_path: Path) -> None:
    async with listened(tmp_path, TiktokShop, [ROOM]) as heard:
        for number in range(5):
            heard.platform.happened(sold(ROOM, number, ("created",))[0])
        await heard.settled()
        names = [str(body["tts_notification_id"]) for body in bodies(heard.kept)]
    assert len(set(names)) == 5
    assert {len(name) for name in names} == {19}

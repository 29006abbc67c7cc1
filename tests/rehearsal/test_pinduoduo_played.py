"""Pinduoduo in a play: what its channel says of an order, under which names, and that nobody's is not told of."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from monitor.rehearsal.platforms.pinduoduo import Pinduoduo

from .asked import listened, told
from .staged import part, sold, until

ROOM = part(1, "pinduoduo", sells_on="pinduoduo")


async def test_an_order_that_nobody_paid_is_told_to_nobody(tmp_path: Path) -> None:
    async with listened(tmp_path, Pinduoduo, [ROOM]) as heard:
        for event in sold(ROOM, 1, ("created", "cancelled")):
            heard.platform.happened(event)
        assert heard.platform.waiting() == 0
        for event in sold(ROOM, 2, ("created", "paid")):
            heard.platform.happened(event)
        assert [sale.kind for sale in await heard.settled()] == ["paid"]
        assert [sale.order_id for sale in await heard.polled()] == [fact.order_id for fact in heard.facts()]


async def test_a_refund_is_one_fact_at_one_second_in_message_and_list(tmp_path: Path) -> None:
    async with listened(tmp_path, Pinduoduo, [ROOM]) as heard:
        for event in sold(ROOM, 1, ("created", "paid", "refunded")):
            heard.platform.happened(event)
        sales = await heard.settled()
        assert [(sale.kind, sale.amount_minor) for sale in sales] == [("paid", 12_992), ("refunded", 5_003)]
        assert sales[1].at.microsecond == 0
        assert told(sales) == told(await heard.polled()) == heard.facts()


async def test_what_comes_again_has_another_number(tmp_path: Path) -> None:
    async with listened(tmp_path, Pinduoduo, [ROOM]) as heard:
        heard.platform.trouble.twice = True
        for event in sold(ROOM, 1, ("created", "paid")):
            heard.platform.happened(event)
        await until(lambda: len(heard.kept) == 2)
        first, second = (json.loads(frame) for frame, _ in heard.kept)
        assert first["id"] != second["id"]
        assert first["message"] == second["message"]
        assert len(await heard.settled()) == 1
        assert len(heard.platform.pmc.acknowledged) == 1


async def test_the_next_connection_is_sent_what_the_last_one_did_not_acknowledge(tmp_path: Path) -> None:
    async with listened(tmp_path, Pinduoduo, [ROOM]) as heard:
        await until(lambda: heard.pulses)
        heard.platform.trouble.pushing = False
        for number in range(20):
            heard.platform.happened(sold(ROOM, number, ("created", "paid"))[1])
        heard.platform.pmc.cut()
        await until(lambda: heard.ended)
        heard.platform.trouble.pushing = True
        assert len(await heard.settled()) == 20
        assert [json.loads(frame)["message"]["content"] for frame, _ in heard.kept] == [
            json.dumps({"mall_id": 4460001, "tid": fact.order_id}) for fact in heard.facts()
        ]


async def test_the_newest_are_listed_first(tmp_path: Path) -> None:
    """Pages are read from the last one back, because what is updated meanwhile moves to the front."""
    async with listened(tmp_path, Pinduoduo, [ROOM]) as heard:
        orders, now = heard.platform.fake.orders, heard.scene.now()
        for number, age_s in enumerate((30, 10, 20)):
            heard.platform.happened(sold(ROOM, number, ("created", "paid"))[1])
            last = next(reversed(list(orders.values())))
            orders[last.order_id] = replace(last, updated_at=now - timedelta(seconds=age_s))
        from_at = now - timedelta(minutes=20)
        body = await heard.asked(
            "4460001", lambda it: heard.api.list_page(it, heard.api.LISTINGS[0], from_at, now, "", now)
        )
        listed = json.loads(body)["order_sn_increment_get_response"]["order_sn_list"]
        assert [order["order_sn"][-1] for order in listed] == ["1", "2", "0"]

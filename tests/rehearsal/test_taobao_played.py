"""Taobao in a play: what its channel says of a trade, and what it keeps silent."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import ANY

from collectors import tmc_frames
from collectors.tick import Sale
from monitor.rehearsal.platforms.taobao import Taobao

from .asked import Frame, Listener, listened, told
from .staged import part, sold, until

ROOM = part(1, "taobao", sells_on="taobao")


def said(kept: list[Frame]) -> list[tuple[object, dict[str, object]]]:
    fields = [tmc_frames.decode(frame).fields for frame, _ in kept]
    return [(it["topic"], json.loads(str(it["content"]))) for it in fields]


async def hear(heard: Listener[Taobao], number: int, *courses: str, **changed: object) -> list[Sale]:
    for event in sold(ROOM, number, courses, **changed):  # type: ignore[arg-type]
        heard.platform.happened(event)
        await heard.settled()
    return await heard.sales()


async def test_orders_are_told_of_from_their_making_to_their_refund(tmp_path: Path) -> None:
    async with listened(tmp_path, Taobao, [ROOM]) as heard:
        sales = await hear(heard, 1, "created", "paid", "refunded")
        assert [(it.kind, it.amount_minor, it.units) for it in sales] == [
            ("created", 12_992, None), ("paid", 12_992, 3), ("refunded", 5_003, None),
        ]  # fmt: skip
        assert [topic for topic, _ in said(heard.kept)] == [
            "taobao_trade_TradeCreate", "taobao_trade_TradeBuyerPay", "taobao_refund_RefundSuccess",
        ]  # fmt: skip
        assert told(sales) == heard.facts()


async def test_a_trade_that_came_back_whole_is_closed_and_not_cancelled(tmp_path: Path) -> None:
    async with listened(tmp_path, Taobao, [ROOM]) as heard:
        sales = await hear(heard, 1, "created", "paid", "refunded", refund_minor=12_992)
        assert {it.kind for it in sales} == {"created", "paid", "refunded"}
        assert said(heard.kept)[-1] == ("taobao_trade_TradeClose", ANY)
        sales = await hear(heard, 2, "created", "cancelled")
        assert [it.kind for it in sales][-2:] == ["created", "cancelled"]


async def test_of_rooms_it_says_nothing(tmp_path: Path) -> None:
    async with listened(tmp_path, Taobao, [ROOM]) as heard:
        await hear(heard, 1, "created", "paid", "refunded")
        assert not any("live" in str(topic) for topic, _ in said(heard.kept))
        assert {sale.room for sale in await heard.sales()} == {None}


async def test_what_was_not_confirmed_comes_again_with_a_higher_count(tmp_path: Path) -> None:
    async with listened(tmp_path, Taobao, [ROOM]) as heard:
        heard.platform.trouble.twice = True
        await hear(heard, 1, "created")
        await until(lambda: len(heard.kept) == 2)
        first, second = (tmc_frames.decode(frame).fields for frame, _ in heard.kept)
        assert (first["id"], first["retried"], second["retried"]) == (second["id"], 0, 1)


async def test_the_newest_are_listed_first(tmp_path: Path) -> None:
    """Pages are read from the last one back, because what is updated meanwhile moves to the front."""
    async with listened(tmp_path, Taobao, [ROOM]) as heard:
        orders, now = heard.platform.fake.orders, heard.scene.now()
        for number, age_s in enumerate((30, 10, 20)):
            heard.platform.happened(sold(ROOM, number, ("created",))[0])
            last = next(reversed(list(orders.values())))
            orders[last.order_id] = replace(last, updated_at=now - timedelta(seconds=age_s))
        body = await heard.asked(
            "4460001", lambda it: heard.api.list_page(it, heard.api.LISTINGS[0], now - timedelta(hours=1), now, "", now)
        )
        trades = json.loads(body)["trades_sold_increment_get_response"]["trades"]["trade"]
        assert [str(trade["tid"])[-1] for trade in trades] == ["1", "2", "0"]

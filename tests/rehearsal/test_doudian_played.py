"""What a played Doudian alone does: arrays of messages, ids as large numbers, a refund that is asked for and done."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec

from collectors.hook import Delivery
from monitor.rehearsal.platforms.doudian import MESSAGES_MAX, Doudian, taken

from .asked import listened
from .staged import part, sold

ROOM = part(7, "doudian", room="7000000000000000007", sells_on="doudian")


async def test_what_happens_in_a_moment_comes_in_one_array_and_much_of_it_in_several(tmp_path: Path) -> None:
    async with listened(tmp_path, Doudian, [ROOM]) as heard:
        for number in range(30):
            heard.platform.happened(sold(ROOM, number, ("created",))[0])
        assert len(await heard.settled()) == 30
        sizes = [len(json.loads(msgspec.msgpack.decode(frame, type=Delivery).body)) for frame, _ in heard.kept]
        assert sorted(sizes) == [30 - MESSAGES_MAX, MESSAGES_MAX]


async def test_a_refund_is_asked_for_and_done_and_ids_are_numbers_that_no_float_holds(tmp_path: Path) -> None:
    async with listened(tmp_path, Doudian, [ROOM]) as heard:
        for event in sold(ROOM, 1, ("created", "paid", "refunded")):
            heard.platform.happened(event)
        assert [sale.kind for sale in await heard.settled()] == ["created", "paid", "refunded"]
        told = [
            message
            for frame, _ in heard.kept
            for message in json.loads(msgspec.msgpack.decode(frame, type=Delivery).body)
        ]
        assert [message["tag"] for message in told] == ["100", "101", "200", "206"]
        assert len({message["msg_id"] for message in told}) == 4
        for message in told:
            assert message["data"]["p_id"] == int(heard.scene.order_id(sold(ROOM, 1, ("created",))[0].order))
            assert 2**53 < message["data"]["p_id"] < 2**63
        assert 2**53 < told[-1]["data"]["aftersale_id"] < 2**63


async def test_a_broadcast_has_a_room_id_of_its_own_each_day_and_the_author_stays(tmp_path: Path) -> None:
    async with listened(tmp_path, Doudian, [ROOM]) as heard:
        for number, created_s in ((1, 100.0), (2, 200.0), (3, 90_000.0)):
            heard.platform.happened(sold(ROOM, number, ("created",), created_s=created_s)[0])
        orders = list(heard.platform.fake.orders.values())
        assert len({order.room for order in orders}) == 2
        assert {order.author for order in orders} == {ROOM.room}


async def test_a_window_holds_the_whole_of_its_last_second(tmp_path: Path) -> None:
    async with listened(tmp_path, Doudian, [ROOM]) as heard:
        heard.platform.happened(sold(ROOM, 1, ("created",))[0])
        [order] = heard.platform.fake.orders.values()
        heard.platform.fake.orders[order.order_id] = replace(
            order, updated_at=order.updated_at.replace(microsecond=700_000)
        )
        second = order.updated_at.replace(microsecond=0)
        for to_at, found in ((second, 1), (second - timedelta(seconds=1), 0)):
            window = second - timedelta(seconds=9), to_at
            body = await heard.asked(
                ROOM.shop,
                lambda caller, window=window: heard.api.list_page(  # type: ignore[misc]
                    caller, heard.api.LISTINGS[0], *window, "", heard.scene.now()
                ),
            )
            assert len(json.loads(body)["data"]["shop_order_list"]) == found


def test_only_the_platforms_own_word_is_an_answer() -> None:
    assert taken(200, b'{"code":0,"msg":"success"}')
    for status, body in ((500, b'{"code":0,"msg":"success"}'), (200, b""), (200, b'{"code":1}'), (404, b"404\n")):
        assert not taken(status, body)

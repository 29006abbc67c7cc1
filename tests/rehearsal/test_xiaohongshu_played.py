"""Xiaohongshu in a play: arrays of states, stamps of each try, refunds whose amount comes with the detail alone."""

import json
from pathlib import Path

import msgspec
import pytest

from collectors.hook import Delivery
from monitor.rehearsal.platforms.xiaohongshu import Xiaohongshu, taken

from .asked import listened, told
from .staged import part, sold, until

ROOM = part(1, "xiaohongshu", sells_on="xiaohongshu")


async def test_paid_is_told_with_to_be_sent_in_one_array_and_is_one_fact(tmp_path: Path) -> None:
    async with listened(tmp_path, Xiaohongshu, [ROOM]) as heard:
        heard.platform.happened(sold(ROOM, 1, ("created", "paid"))[1])
        [sale] = await heard.settled()
        [(frame, _)] = heard.kept
        delivery = msgspec.msgpack.decode(frame, type=Delivery)
        states = [json.loads(item["data"])["orderStatus"] for item in json.loads(delivery.body)]
        assert states == [2, 4]
        assert (sale.kind, sale.units, sale.room) == ("paid", 3, None)
        assert told([sale]) == heard.facts()
        assert sale.at.microsecond % 1000 == 0


async def test_a_refund_says_what_came_back_and_when(tmp_path: Path) -> None:
    first, second, third = sold(ROOM, 1, ("created", "paid", "refunded"))
    async with listened(tmp_path, Xiaohongshu, [ROOM]) as heard:
        for event in (first, second, third):
            heard.platform.happened(event)
        await heard.settled()
        _, fact = heard.facts()
        assert (fact.kind, fact.amount_minor) == ("refunded", 5_003)
        assert abs((fact.at - heard.scene.tempo.at(third.at_s)).total_seconds()) < 0.002
        assert told(await heard.polled()) == heard.facts()


async def test_instants_are_true_to_the_millisecond_that_is_told(tmp_path: Path) -> None:
    async with listened(tmp_path, Xiaohongshu, [ROOM]) as heard:
        for event in sold(ROOM, 1, ("created", "paid", "refunded"), created_s=100.05172):
            heard.platform.happened(event)
        assert told(await heard.settled()) == heard.facts()


async def test_a_refund_is_waited_for_until_its_amount_was_asked_for(tmp_path: Path) -> None:
    async with listened(tmp_path, Xiaohongshu, [ROOM]) as heard:
        for event in sold(ROOM, 1, ("created", "paid")):
            heard.platform.happened(event)
        await heard.settled()
        heard.platform.happened(sold(ROOM, 1, ("created", "paid", "refunded"))[2])
        await until(lambda: len(heard.kept) == 3 and not heard.platform.pushes.waiting())
        assert heard.platform.waiting() == 1
        await heard.settled()


async def test_cancelled_orders_are_rows_without_money(tmp_path: Path) -> None:
    async with listened(tmp_path, Xiaohongshu, [ROOM]) as heard:
        for event in sold(ROOM, 1, ("created", "cancelled")):
            heard.platform.happened(event)
        sales = await heard.settled()
        assert {(sale.kind, sale.amount_minor) for sale in sales} == {("created", 0), ("cancelled", 0)}
        assert heard.facts() == []


async def test_each_try_is_stamped_when_it_goes_out(tmp_path: Path) -> None:
    """A stamp of five minutes ago is refused: what livemon was not there for must not stay refused."""
    async with listened(tmp_path, Xiaohongshu, [ROOM]) as heard:
        heard.platform.pushes.retries_s = (1.1,)
        heard.full += [1]
        heard.platform.happened(sold(ROOM, 1, ("created",))[0])
        stamp = int(heard.scene.now().timestamp())
        await until(lambda: heard.kept)
        [(frame, _)] = heard.kept
        assert int(msgspec.msgpack.decode(frame, type=Delivery).headers["timestamp"]) > stamp


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b'{"success":false}', b'{"success":"true"}', b"<html>"])
def test_only_the_answer_that_it_wants_ends_its_tries(body: bytes) -> None:
    assert taken(200, b'{"success":true,"error_code":0,"error_msg":""}')
    assert not taken(401, b'{"success":true}')
    assert not taken(200, body)

"""Xiaohongshu by push: off by default, since its signature covers no body."""

import msgspec
import pytest

from collectors.collector import BadFrame
from collectors.hook import Accepted, Need
from collectors.orders.xiaohongshu_push import XiaohongshuPush

from .chinese import NEW, NOW, SECOND, XIAOHONGSHU, as_json, meaning, verdict, xiaohongshu

HOOK = XiaohongshuPush(name="xhs", app="xhs-main", enabled=True, amounts_in="fen")
SELLER = "5f1b2c3d4e5f6a7b8c9d0e1f"


def state(status: object, order: object = "P712345678901234567", **more: object) -> dict[str, object]:
    data = {"orderId": order, "packageId": "P1", "orderStatus": status, "updateTime": SECOND * 1000} | more
    return {"msgTag": "msg_fulfillment_status_change", "sellerId": SELLER, "data": as_json(data).decode()}


def after_sale(tag: str = "update") -> dict[str, object]:
    data = {"returnsId": "R1", "orderId": "P712345678901234567", "refundFee": 99.0, "updateTime": SECOND * 1000}
    return {"msgTag": f"msg_after_sale_{tag}", "sellerId": SELLER, "data": as_json(data).decode()}


def detail(**told: object) -> dict[tuple[str, str], bytes]:
    data = {"orderId": "P712345678901234567", "totalPayAmount": 9900, "paidTime": (SECOND - 6) * 1000,
            "skuList": [{"skuId": "s1", "skuName": "面霜", "skuQuantity": 2}], "receiverName": "赵六"}  # fmt: skip
    return {("order.detail", "P712345678901234567"): as_json({"success": True, "data": data | told})}


def refund_detail(**told: object) -> dict[tuple[str, str], bytes]:
    data = {"returnsId": "R1", "refundAmountYuan": "49.50", "expectedRefundAmountYuan": "99.00", "refundStatus": 2,
            "refundTime": SECOND * 1000} | told  # fmt: skip
    return {("refund.detail", "R1"): as_json({"success": True, "data": data})}


def test_it_is_off_until_it_is_switched_on() -> None:
    assert verdict(XiaohongshuPush(name="xhs"), xiaohongshu([state(4)]), XIAOHONGSHU) == "disabled"
    with pytest.raises(ValueError, match="amounts_in"):
        XiaohongshuPush(name="xhs", enabled=True)
    with pytest.raises(msgspec.ValidationError, match="amounts_in"):
        msgspec.toml.decode(b'kind = "xiaohongshu_push"\nname = "xhs"\nenabled = true', type=XiaohongshuPush)


def test_the_answer_is_exact() -> None:
    found = HOOK.verify(xiaohongshu([state(4)]), XIAOHONGSHU, NOW)
    assert isinstance(found, Accepted)
    assert found.reply.body == b'{"success":true,"error_code":0,"error_msg":""}'
    assert found.delivery_id == "", "two true deliveries of one second have the same signature"


def test_both_live_secrets_open_and_no_other() -> None:
    assert verdict(HOOK, xiaohongshu([], NEW), XIAOHONGSHU) == "kept"
    assert verdict(HOOK, xiaohongshu([], b"another"), XIAOHONGSHU) == "bad_signature"


def test_path_and_query_are_signed_and_the_body_is_not() -> None:
    delivery = xiaohongshu([state(4)])
    assert verdict(HOOK, msgspec.structs.replace(delivery, path="/hooks/other"), XIAOHONGSHU) == "bad_signature"
    assert verdict(HOOK, msgspec.structs.replace(delivery, query="shop=2"), XIAOHONGSHU) == "bad_signature"
    assert verdict(HOOK, msgspec.structs.replace(delivery, query="shop=1&sign=1"), XIAOHONGSHU) == "malformed"
    assert verdict(HOOK, msgspec.structs.replace(delivery, body=b"[]"), XIAOHONGSHU) == "kept", "this is why it is off"


@pytest.mark.parametrize(("later_s", "outcome"), [(300, "kept"), (301, "stale"), (-301, "stale")])
def test_a_stamp_is_good_for_five_minutes(later_s: float, outcome: str) -> None:
    assert verdict(HOOK, xiaohongshu([]), XIAOHONGSHU, later_s) == outcome
    assert verdict(HOOK, xiaohongshu([], stamp=SECOND * 1000), XIAOHONGSHU, later_s) == outcome


def test_a_missing_or_broken_header_is_refused() -> None:
    delivery = xiaohongshu([])
    for name, told in (("timestamp", "abc"), ("timestamp", ""), ("sign", ""), ("app-key", "other"), ("sign", "签名")):
        turned = msgspec.structs.replace(delivery, headers=delivery.headers | {name: told})
        assert verdict(HOOK, turned, XIAOHONGSHU) in ("malformed", "bad_signature")


def test_paid_and_to_ship_are_one_payment_that_waits_for_its_detail() -> None:
    need = Need("order.detail", "P712345678901234567", SELLER)
    assert list(meaning(HOOK, xiaohongshu([state(4)]), XIAOHONGSHU).needs) == [need]
    found = meaning(HOOK, xiaohongshu([state(2), state(4), state(4)]), XIAOHONGSHU, detail())
    assert len({msgspec.msgpack.encode(sale) for sale in found.sales}) == 1
    sale = found.sales[0]
    assert (sale.event_id, sale.amount_minor) == (f"{SELLER}:P712345678901234567:paid", 9900)
    assert (sale.at.timestamp(), sale.units, sale.items[0].title) == (SECOND - 6, 2, "面霜")
    assert "赵六".encode() not in msgspec.msgpack.encode(sale)


def test_the_unit_of_the_detail_is_as_the_row_says() -> None:
    hook = XiaohongshuPush(name="xhs", enabled=True, amounts_in="yuan")
    found = meaning(hook, xiaohongshu([state(4)]), XIAOHONGSHU, detail(totalPayAmount="99.00"))
    assert found.sales[0].amount_minor == 9900
    assert meaning(HOOK, xiaohongshu([state(4)]), XIAOHONGSHU, detail(totalPayAmount="99.50")).needs


@pytest.mark.parametrize("told", [{"paidTime": 0}, {"orderId": "P2"}, {"totalPayAmount": None}])
def test_while_the_detail_is_wrong_or_too_old_it_goes_on_waiting(told: dict[str, object]) -> None:
    assert meaning(HOOK, xiaohongshu([state(4)]), XIAOHONGSHU, detail(**told)).needs


def test_new_and_closed_orders_count_without_a_detail() -> None:
    found = meaning(HOOK, xiaohongshu([state(1), state(8), state(9), state(6), state(10)]), XIAOHONGSHU)
    assert [(sale.kind, sale.amount_minor) for sale in found.sales] == [
        ("created", 0),
        ("cancelled", 0),
        ("cancelled", 0),
    ]


def test_a_refund_counts_by_what_came_back() -> None:
    assert list(meaning(HOOK, xiaohongshu([after_sale()]), XIAOHONGSHU).needs) == [Need("refund.detail", "R1", SELLER)]
    (sale,) = meaning(HOOK, xiaohongshu([after_sale()]), XIAOHONGSHU, refund_detail()).sales
    assert (sale.event_id, sale.amount_minor) == (f"{SELLER}:P712345678901234567:refunded:R1", 4950)
    assert meaning(HOOK, xiaohongshu([after_sale()]), XIAOHONGSHU, refund_detail(refundStatus=1)).needs
    closed = meaning(HOOK, xiaohongshu([after_sale()]), XIAOHONGSHU, refund_detail(refundStatus=1, status=9))
    assert (list(closed.needs), list(closed.sales)) == ([], [])


@pytest.mark.parametrize("tag", ["create", "closed"])
def test_what_moves_no_money_means_nothing(tag: str) -> None:
    found = meaning(HOOK, xiaohongshu([after_sale(tag), {"msgTag": "msg_other", "sellerId": SELLER}]), XIAOHONGSHU)
    assert (list(found.sales), list(found.needs), list(found.bad)) == ([], [], [])


@pytest.mark.parametrize(
    "spoiled", [state(1, order=None), state(1, order="a b"), state(1, updateTime=None), state("x"), {"msgTag": 1}, 7]
)
def test_one_bad_item_is_set_aside_and_the_others_count(spoiled: object) -> None:
    found = meaning(HOOK, xiaohongshu([spoiled, state(9)]), XIAOHONGSHU)
    assert [bad.raw for bad in found.bad] == [as_json(spoiled)]
    assert len(found.sales) == 1


def test_what_is_no_array_is_unreadable() -> None:
    with pytest.raises(BadFrame):
        meaning(HOOK, xiaohongshu(b"{}"), XIAOHONGSHU)

"""Kwaixiaodian: encrypted events of one order each, whose amount comes with the detail."""

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import cipher
from collectors.collector import BadFrame
from collectors.hook import Accepted, App, Delivery, Need
from collectors.orders.kwaixiaodian import Kwaixiaodian

from .chinese import (
    KUAISHOU_KEY,
    KUAISHOU_NEXT,
    KWAIXIAODIAN,
    NOW,
    SECOND,
    as_json,
    changed,
    kwaixiaodian,
    meaning,
    verdict,
)

HOOK = Kwaixiaodian(name="ks", app="kuaishou-main")
OID = 9007199254740993001
VECTOR = b"NDyh7Jj8WuRFJxFbufAX4dgAiwr9MqiaOvORZsnvyOoN1MfK/aowJEMB0UG37UDv4ZgZBPS4afCFHTX1N3EbWiDggp2WCcjwopV4EfkoFUE="
VECTOR_TEXT = b'{"eventId":"e1","event":"kwaishop_order_paySuccess","test":false}'
ORDER = {"oid": OID, "sellerId": 2277777, "status": 30, "updateTime": SECOND * 1000}
PAID = kwaixiaodian("kwaishop_order_paySuccess", ORDER)
REFUND = {
    "orderId": OID, "refundId": 2401150000001, "sellerId": 2277777, "handlingWay": 10, "status": 60,
    "updateTime": SECOND * 1000,
}  # fmt: skip


def detail(oid: object = OID, result: int = 1, **head: object) -> dict[tuple[str, str], bytes]:
    base = {"oid": oid, "totalFee": 1200, "expressFee": 0, "payTime": (SECOND - 3) * 1000, "status": 30,
            "buyerOpenId": "f1buyer", "buyerNick": "李四"} | head  # fmt: skip
    data = {"orderBaseInfo": base, "orderItemInfo": {"itemId": 21000000000000001, "itemTitle": "耳机", "num": 2},
            "orderAddress": {"mobile": "13800000000"}}  # fmt: skip
    return {("order.detail", str(OID)): as_json({"result": result, "data": data})}


def refund_detail(**data: object) -> dict[tuple[str, str], bytes]:
    base = {"refundId": 2401150000001, "refundFee": 600, "status": 60} | data
    return {("refund.detail", "2401150000001"): as_json({"result": 1, "data": base})}


def test_the_published_vector_opens_and_closes() -> None:
    assert cipher.kwaixiaodian_open(VECTOR, KUAISHOU_KEY) == VECTOR_TEXT
    assert cipher.kwaixiaodian_close(VECTOR_TEXT, KUAISHOU_KEY) == VECTOR
    found = HOOK.verify(Delivery("POST", "/", "", {}, VECTOR), KWAIXIAODIAN, NOW)
    assert isinstance(found, Accepted)
    assert (found.reply.body, found.reply.status, found.probe) == (b'{"result":1}', 200, False)


def test_both_live_secrets_open_and_no_other() -> None:
    assert verdict(HOOK, kwaixiaodian("x", {}, KUAISHOU_NEXT), KWAIXIAODIAN) == "kept"
    other = base64.b64encode(b"another key of 1")
    assert verdict(HOOK, kwaixiaodian("x", {}, other), KWAIXIAODIAN) == "bad_signature"
    for secrets in ((), (b"not base64!",), (b"c2hvcnQ=",)):
        assert verdict(HOOK, PAID, msgspec.structs.replace(KWAIXIAODIAN, secrets=secrets)) == "bad_signature"


@given(st.integers(0), st.integers(0))
def test_any_changed_byte_is_refused(at: int, to: int) -> None:
    assert verdict(HOOK, changed(PAID, at, to), KWAIXIAODIAN) == "bad_signature"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"AAAA", PAID.body[:-1], PAID.body[:-24], PAID.body + PAID.body, VECTOR_TEXT]
)
def test_what_does_not_open_is_refused(body: bytes) -> None:
    assert verdict(HOOK, msgspec.structs.replace(PAID, body=body), KWAIXIAODIAN) == "bad_signature"


def test_a_delivery_for_another_app_is_refused() -> None:
    assert verdict(HOOK, kwaixiaodian("x", {}, appKey="ks1"), KWAIXIAODIAN) == "wrong_app"


def test_a_test_message_is_answered_and_not_counted() -> None:
    probe = kwaixiaodian("kwaishop_order_paySuccess", ORDER, test=True)
    assert verdict(HOOK, probe, KWAIXIAODIAN) == "probe"
    assert not meaning(HOOK, probe, KWAIXIAODIAN).needs


def test_a_payment_waits_for_its_detail() -> None:
    found = meaning(HOOK, PAID, KWAIXIAODIAN)
    assert (list(found.needs), found.sales) == ([Need("order.detail", str(OID), "2277777")], ())


def test_with_the_detail_it_has_amount_pay_time_buyer_and_item() -> None:
    (sale,) = meaning(HOOK, PAID, KWAIXIAODIAN, detail()).sales
    assert (sale.event_id, sale.kind, sale.amount_minor) == (f"2277777:{OID}:paid", "paid", 1200)
    assert (sale.at.timestamp(), sale.order_id, sale.shop, sale.units) == (SECOND - 3, str(OID), "2277777", 2)
    assert (sale.room, sale.buyer, sale.platform) == (None, b"f1buyer", "kwaixiaodian")
    assert [(item.item_id, item.units, item.amount_minor) for item in sale.items] == [("21000000000000001", 2, 1200)]
    told = msgspec.msgpack.encode(sale)
    assert not any(private.encode() in told for private in ("李四", "13800000000"))


@pytest.mark.parametrize(
    "details",
    [
        detail(oid=1), detail(result=24), detail(payTime=0), detail(totalFee=None), detail(totalFee=-1),
        {("order.detail", str(OID)): b"<html>"},
    ],
)  # fmt: skip
def test_while_the_detail_is_wrong_or_older_than_the_payment_it_goes_on_waiting(
    details: dict[tuple[str, str], bytes],
) -> None:
    assert meaning(HOOK, PAID, KWAIXIAODIAN, details).needs


def test_new_and_failed_orders_count_without_a_detail() -> None:
    new = {"oid": str(OID), "sellerId": "2277777", "openId": "seller", "buyerOpenId": "f1buyer", "createTime": SECOND}
    (created,) = meaning(HOOK, kwaixiaodian("kwaishop_order_addOrder", new), KWAIXIAODIAN).sales
    (failed,) = meaning(HOOK, kwaixiaodian("kwaishop_order_orderFail", ORDER | {"status": 80}), KWAIXIAODIAN).sales
    assert (created.event_id, created.amount_minor, created.buyer) == (f"2277777:{OID}:created", 0, b"f1buyer")
    assert (failed.event_id, failed.amount_minor, failed.at) == (f"2277777:{OID}:cancelled", 0, NOW)


def test_a_refund_counts_when_the_money_is_back_by_its_own_amount() -> None:
    delivery = kwaixiaodian("kwaishop_aftersales_updateRefund", REFUND)
    assert list(meaning(HOOK, delivery, KWAIXIAODIAN).needs) == [Need("refund.detail", "2401150000001", "2277777")]
    assert meaning(HOOK, delivery, KWAIXIAODIAN, refund_detail(status=50)).needs, "asked before the money was back"
    (sale,) = meaning(HOOK, delivery, KWAIXIAODIAN, refund_detail()).sales
    assert (sale.event_id, sale.amount_minor) == (f"2277777:{OID}:refunded:2401150000001", 600)


@pytest.mark.parametrize(
    ("event", "info"),
    [
        ("kwaishop_aftersales_addRefund", REFUND), ("kwaishop_aftersales_updateRefund", REFUND | {"status": 50}),
        ("kwaishop_aftersales_updateRefund", REFUND | {"handlingWay": 3}), ("kwaishop_order_delivering", ORDER),
        ("kwaishop_order_totalFeeChange", {"totalFee": 1}), ("kwaishop_something_new", {}),
    ],
)  # fmt: skip
def test_what_moves_no_money_means_nothing(event: str, info: dict[str, object]) -> None:
    found = meaning(HOOK, kwaixiaodian(event, info), KWAIXIAODIAN)
    assert (list(found.sales), list(found.needs), list(found.bad)) == ([], [], [])


@pytest.mark.parametrize(
    "info",
    [{}, ORDER | {"oid": None}, ORDER | {"oid": 1.5}, ORDER | {"oid": "a/b"}, ORDER | {"sellerId": True}],
)
def test_an_order_without_its_ids_is_unreadable(info: dict[str, object]) -> None:
    with pytest.raises(BadFrame):
        meaning(HOOK, kwaixiaodian("kwaishop_order_paySuccess", info), KWAIXIAODIAN)


def test_an_app_without_a_key_takes_any_app_that_its_secret_opens() -> None:
    nameless = App("a", "kwaixiaodian", "", (KUAISHOU_KEY,))
    assert verdict(HOOK, Delivery("POST", "/", "", {}, VECTOR), nameless) == "kept"

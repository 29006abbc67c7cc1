"""TikTok Shop: the published vector, what waits for its detail, and what the detail makes of it."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import BadFrame
from collectors.hook import Accepted, Meaning, Need, Refused, Reply
from collectors.orders.tiktok_shop import TiktokShop
from collectors.tick import Sale, SaleItem, SaleKind
from tests.orders.signed import NEXT, NOW, SECRET, TIKTOK_BODY, TIKTOK_HEADER, app, as_body, post, tiktok, understood

HOOK = TiktokShop(name="tts", app="mcn")
ID, SHOP = "576486316948490001", "7494049642642441621"
VECTOR = post(TIKTOK_BODY, {"authorization": TIKTOK_HEADER})
NEED = Need("order.detail", ID, SHOP)
LINES: list[dict[str, Any]] = [
    {"id": "1", "product_id": "p1", "product_name": "大米 5kg", "sale_price": "10.00", "currency": "USD"},
    {"id": "2", "product_id": "p1", "product_name": "大米 5kg", "sale_price": "10.00", "currency": "USD"},
    {"id": "3", "product_id": "p2", "product_name": "Tea", "sale_price": "0.99", "currency": "USD"},
]
ORDER: dict[str, Any] = {
    "id": ID, "status": "AWAITING_SHIPMENT", "create_time": 1795520000, "paid_time": 1795520060,
    "cancel_time": 1795520120, "user_id": "7494560109732334093", "line_items": LINES,
    "payment": {"currency": "USD", "total_amount": "22.49", "shipping_fee": "1.50"},
    "recipient_address": {"name": "张三", "phone_number": "(+1)213-***-1234"},
}  # fmt: skip


def push(status: str, **more: object) -> dict[str, object]:
    data = {"order_id": ID, "order_status": status, "update_time": 1795520001}
    return {"type": 1, "tts_notification_id": "7", "shop_id": SHOP, "timestamp": 1795520002, "data": data} | more


def answer(order: object = ORDER, **more: object) -> bytes:
    return as_body({"code": 0, "message": "Success", "data": {"orders": [order]}} | more)


def meaning(status: str, detail: bytes | None = None) -> Meaning:
    details = {} if detail is None else {(NEED.what, NEED.key): detail}
    return understood(HOOK, tiktok(push(status)), details=details)


def test_the_published_vector_is_a_new_order_at_once() -> None:
    assert HOOK.verify(VECTOR, app(b"sec", key="key"), NOW) == Accepted(Reply(), "7327112393057371910")
    told = HOOK.parse(msgspec.msgpack.encode(VECTOR), NOW, app(b"sec", key="key"))
    assert told == Meaning([without_amount("created", 1795520000)])


def test_a_payment_waits_for_its_detail_which_makes_a_sale_of_it() -> None:
    assert meaning("AWAITING_SHIPMENT") == Meaning(needs=[NEED])
    (sale,) = meaning("AWAITING_SHIPMENT", answer()).sales
    assert sale == Sale(
        feed="tts", platform="tiktok_shop", event_id=f"{SHOP}:{ID}:paid", at=datetime.fromtimestamp(1795520060, UTC),
        received_at=NOW, kind="paid", amount_minor=2249, currency="USD", shop=SHOP, order_id=ID, units=3,
        buyer=b"7494560109732334093", items=(SaleItem("p1", "大米 5kg", 2, 2000), SaleItem("p2", "Tea", 1, 99)),
    )  # fmt: skip
    assert "张三" not in repr(sale)


def without_amount(kind: SaleKind, at: int) -> Sale:
    return Sale(
        feed="tts", platform="tiktok_shop", event_id=f"{SHOP}:{ID}:{kind}", at=datetime.fromtimestamp(at, UTC),
        received_at=NOW, kind=kind, amount_minor=0, currency="USD", shop=SHOP, order_id=ID,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "kind"), [("UNPAID", "created"), ("CANCEL", "cancelled"), ("CANCELLED", "cancelled")]
)
def test_what_has_no_amount_waits_for_nothing(status: str, kind: SaleKind) -> None:
    assert meaning(status) == meaning(status, answer()) == Meaning([without_amount(kind, 1795520001)])


def test_a_state_without_an_instant_of_its_own_is_of_the_push() -> None:
    told = understood(HOOK, tiktok(push("UNPAID", data={"order_id": ID, "order_status": "UNPAID"})))
    assert told == Meaning([without_amount("created", 1795520002)])


@pytest.mark.parametrize("status", ["ON_HOLD", "AWAITING_SHIPMENT"])
def test_both_states_of_a_paid_order_are_one_fact_at_its_pay_time(status: str) -> None:
    (sale,) = meaning(status, answer()).sales
    assert (sale.event_id, sale.kind, sale.at.timestamp()) == (f"{SHOP}:{ID}:paid", "paid", 1795520060)


@pytest.mark.parametrize("status", ["AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "COMPLETED", "SOMETHING_NEW"])
def test_states_of_the_parcel_are_no_sale(status: str) -> None:
    assert meaning(status) == Meaning()


@pytest.mark.parametrize("type_", [4, 5, 11, 36, 99])
def test_other_notifications_are_no_sale(type_: int) -> None:
    assert understood(HOOK, tiktok(push("UNPAID", type=type_, data={"package_id": "1"}))) == Meaning()


@pytest.mark.parametrize(
    "detail",
    [
        answer(code=36009004, message="busy", data=None), answer(code=1), answer(ORDER | {"id": "576486316948490002"}),
        answer(data={"orders": []}), answer(ORDER | {"paid_time": None}), b"", b"<html>login</html>", b"NaN",
    ],
)  # fmt: skip
def test_a_detail_that_does_not_help_is_asked_for_again(detail: bytes) -> None:
    assert meaning("AWAITING_SHIPMENT", detail) == Meaning(needs=[NEED])


@pytest.mark.parametrize(
    ("payment", "reason"),
    [
        ({"currency": "XXX", "total_amount": "1.00"}, "currency"),
        ({"currency": "USD", "total_amount": "NaN"}, "amount"),
        ({"currency": "USD", "total_amount": "-1"}, "amount"),
        ({"currency": "USD", "total_amount": "9" * 30}, "amount"),
    ],
)
def test_money_that_is_none_is_refused_by_the_reader(payment: dict[str, str], reason: str) -> None:
    with pytest.raises(BadFrame, match=f"^{reason}: "):
        meaning("AWAITING_SHIPMENT", answer(ORDER | {"payment": payment}))


@pytest.mark.parametrize(
    "document",
    [
        b"", b"[]", b"{}", b'{"type": NaN}', b'{"type": 1, "type": 4}', push("UNPAID", data=None),
        push("UNPAID", data={"order_id": "../x", "order_status": "UNPAID"}), push("UNPAID", shop_id=""),
        push("UNPAID", data={"order_id": 1.5, "order_status": "UNPAID"}),
        push("UNPAID", data={"order_id": "", "order_status": "UNPAID"}), push("UNPAID", type="1"),
        push("UNPAID", timestamp=None, data={"order_id": ID, "order_status": "UNPAID"}),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_by_the_reader(document: object) -> None:
    with pytest.raises(BadFrame):
        understood(HOOK, tiktok(document))


def test_ids_keep_their_nineteen_digits_also_as_numbers() -> None:
    data = {"order_id": 5764863169484900019, "order_status": "ON_HOLD"}
    told = understood(HOOK, tiktok(push("UNPAID", data=data, shop_id=7494049642642441621)))
    assert told.needs == [Need("order.detail", "5764863169484900019", "7494049642642441621")]


def test_both_secrets_count_while_one_is_rotated_out() -> None:
    for secret in (SECRET, NEXT):
        delivery = tiktok(push("UNPAID"), secret=secret)
        assert isinstance(HOOK.verify(delivery, app(SECRET, NEXT, key="key"), NOW), Accepted)
    assert HOOK.verify(tiktok(push("UNPAID")), app(NEXT, key="key"), NOW) == Refused("bad_signature")


def test_the_key_of_another_app_is_refused() -> None:
    assert HOOK.verify(VECTOR, app(b"sec", key="kez"), NOW) == Refused("bad_signature")
    assert HOOK.verify(post(TIKTOK_BODY, {}), app(b"sec", key="key"), NOW) == Refused("bad_signature")


def test_the_same_document_written_otherwise_is_refused() -> None:
    again = TIKTOK_BODY.replace(b":1,", b": 1,", 1)
    headers = {"authorization": TIKTOK_HEADER}
    assert HOOK.verify(post(again, headers), app(b"sec", key="key"), NOW) == Refused("bad_signature")


@given(st.integers(0, len(TIKTOK_BODY) + 63), st.integers(1, 255))
def test_one_changed_byte_is_refused(place: int, bits: int) -> None:
    raw = bytearray(TIKTOK_BODY + TIKTOK_HEADER.encode())
    raw[place] ^= bits
    body, told = bytes(raw[:-64]), raw[-64:].decode("latin-1")
    assert HOOK.verify(post(body, {"authorization": told}), app(b"sec", key="key"), NOW) == Refused("bad_signature")

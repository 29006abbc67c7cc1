"""Shopify: the published vector, what each topic means, and what is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import BadFrame
from collectors.hook import Accepted, Refused, Reply
from collectors.orders.shopify import Shopify
from collectors.tick import Sale, SaleItem
from tests.orders.signed import (
    NEXT,
    NOW,
    SECRET,
    SHOPIFY_BODY,
    SHOPIFY_HEADERS,
    app,
    as_body,
    post,
    shopify,
    understood,
)

HOOK = Shopify(name="global-shop", app="mcn")
VECTOR = post(SHOPIFY_BODY, SHOPIFY_HEADERS)
SHOP = "x.myshopify.com"
ORDER: dict[str, Any] = {
    "id": 820982911946154508, "created_at": "2026-11-24T12:00:00-05:00", "updated_at": "2026-11-24T12:00:07-05:00",
    "currency": "USD", "total_price": "398.00", "financial_status": "paid", "customer": {"id": 115310627314723954},
    "contact_email": "jon@example.com",
    "line_items": [
        {"id": 1, "product_id": 788032119674292922, "title": "Rice 大米", "quantity": 2, "price": "149.50"},
        {"id": 2, "product_id": 788032119674292922, "title": "Rice 大米", "quantity": 1, "price": "99.00"},
    ],
}  # fmt: skip
REFUND: dict[str, Any] = {
    "id": 890088186047892319, "order_id": 820982911946154508, "created_at": "2026-11-25T09:00:00+08:00",
    "transactions": [
        {"kind": "refund", "status": "success", "amount": "9.50", "currency": "USD"},
        {"kind": "refund", "status": "success", "amount": "0.50", "currency": "USD"},
        {"kind": "refund", "status": "failure", "amount": "70.00", "currency": "USD"},
    ],
}  # fmt: skip


def test_the_published_vector_is_an_order_created() -> None:
    assert HOOK.verify(VECTOR, app(b"hush"), NOW) == Accepted(Reply(), "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043")
    (sale,) = understood(HOOK, VECTOR, app(b"hush")).sales
    assert sale == Sale(
        feed="global-shop", platform="shopify", event_id=f"{SHOP}:820982911946154508:created",
        at=datetime(2026, 11, 24, 17, 0, tzinfo=UTC), received_at=NOW, kind="created", amount_minor=39800,
        currency="USD", shop=SHOP, order_id="820982911946154508", units=1,
        items=(SaleItem("866550311766439020", None, 1, 19900),),
    )  # fmt: skip


def test_a_paid_order_is_one_row_with_its_products_summed() -> None:
    (sale,) = understood(HOOK, shopify("orders/paid", ORDER)).sales
    assert (sale.event_id, sale.kind) == (f"{SHOP}:820982911946154508:paid", "paid")
    assert sale.at == datetime(2026, 11, 24, 17, 0, 7, tzinfo=UTC)
    assert (sale.buyer, sale.units) == (b"115310627314723954", 3)
    assert sale.items == (SaleItem("788032119674292922", "Rice 大米", 3, 39800),)


def test_a_refund_is_a_row_of_its_own_with_what_went_back() -> None:
    (sale,) = understood(HOOK, shopify("refunds/create", REFUND)).sales
    assert sale.event_id == f"{SHOP}:820982911946154508:refunded:890088186047892319"
    assert (sale.kind, sale.amount_minor, sale.currency) == ("refunded", 1000, "USD")
    assert sale.at == datetime(2026, 11, 25, 1, 0, tzinfo=UTC)


def test_a_cancelled_order_is_a_row_of_its_own() -> None:
    told = ORDER | {"cancelled_at": "2026-11-25T01:02:03Z", "financial_status": "refunded"}
    (sale,) = understood(HOOK, shopify("orders/cancelled", told)).sales
    assert (sale.kind, sale.at) == ("cancelled", datetime(2026, 11, 25, 1, 2, 3, tzinfo=UTC))


@pytest.mark.parametrize(
    ("topic", "document"),
    [
        ("app/uninstalled", {"id": 1}), ("refunds/create", REFUND | {"transactions": []}),
        ("refunds/create", REFUND | {"transactions": REFUND["transactions"][2:]}),
        ("orders/paid", ORDER | {"test": True}),
    ],
)  # fmt: skip
def test_what_is_no_sale_is_none(topic: str, document: object) -> None:
    meaning = understood(HOOK, shopify(topic, document))
    assert (meaning.sales, meaning.needs, meaning.bad) == ((), (), ())


def test_test_orders_count_where_the_row_says_so() -> None:
    hook = Shopify(name="s", app="mcn", test_orders=True)
    assert len(understood(hook, shopify("orders/paid", ORDER | {"test": True})).sales) == 1


@pytest.mark.parametrize(
    ("topic", "document", "reason"),
    [
        ("orders/paid", ORDER | {"financial_status": "pending"}, "bad_topic"),
        ("orders/cancelled", ORDER, "bad_topic"),
        ("orders/create", ORDER | {"currency": "XXX"}, "currency"),
        ("orders/create", ORDER | {"currency": None}, "bad_json"),
        ("orders/create", ORDER | {"total_price": "NaN"}, "amount"),
        ("orders/create", ORDER | {"total_price": "1e400"}, "amount"),
        ("orders/create", ORDER | {"total_price": "-1.00"}, "amount"),
        ("orders/create", ORDER | {"total_price": "9" * 30}, "amount"),
        ("orders/create", ORDER | {"created_at": "2026-11-24T12:00:00"}, "bad_time"),
        ("orders/create", ORDER | {"id": "820982911946154508"}, "bad_json"),
        ("orders/create", ORDER | {"line_items": [{"id": 1, "quantity": -1, "price": "1.00"}]}, "bad_json"),
        ("orders/create", b'{"id":1,"id":2}', "bad_json"),
        ("orders/create", b"", "bad_json"),
        ("refunds/create", REFUND | {"transactions": [REFUND["transactions"][0] | {"status": "pending"}]}, "not_final"),
        (
            "refunds/create",
            REFUND | {"transactions": [*REFUND["transactions"], REFUND["transactions"][0] | {"currency": "EUR"}]},
            "bad_money",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_by_the_reader(topic: str, document: object, reason: str) -> None:
    with pytest.raises(BadFrame, match=f"^{reason}: "):
        understood(HOOK, shopify(topic, document))


def test_yen_have_no_decimals_and_dinars_three() -> None:
    for currency, price, minor in [("JPY", "398", 398), ("JPY", "398.00", 398), ("KWD", "0.398", 398)]:
        told = ORDER | {"currency": currency, "total_price": price, "line_items": []}
        (sale,) = understood(HOOK, shopify("orders/create", told)).sales
        assert sale.amount_minor == minor


def test_both_secrets_count_while_one_is_rotated_out() -> None:
    for secret in (SECRET, NEXT):
        assert isinstance(HOOK.verify(shopify("orders/paid", ORDER, secret=secret), app(SECRET, NEXT), NOW), Accepted)
    assert HOOK.verify(VECTOR, app(SECRET, NEXT), NOW) == Refused("bad_signature")
    assert HOOK.verify(VECTOR, app(b""), NOW) == Refused("bad_signature")


@pytest.mark.parametrize("shop", ["", "x.example.com", "x.myshopify.com.example.com", "X.myshopify.com\n", "a:b"])
def test_a_shop_that_is_none_is_refused(shop: str) -> None:
    assert HOOK.verify(shopify("orders/paid", ORDER, shop), app(), NOW) == Refused("malformed")


def test_a_delivery_without_headers_is_refused() -> None:
    assert HOOK.verify(post(SHOPIFY_BODY, {}), app(b"hush"), NOW) == Refused("bad_signature")


def test_the_same_document_written_otherwise_is_refused() -> None:
    again = SHOPIFY_BODY.replace(b'"id":8', b'"id": 8', 1)
    assert HOOK.verify(post(again, SHOPIFY_HEADERS), app(b"hush"), NOW) == Refused("bad_signature")


@given(st.integers(0, len(SHOPIFY_BODY) - 1), st.integers(1, 255))
def test_one_changed_byte_of_the_body_is_refused(place: int, bits: int) -> None:
    raw = bytearray(SHOPIFY_BODY)
    raw[place] ^= bits
    assert HOOK.verify(post(bytes(raw), SHOPIFY_HEADERS), app(b"hush"), NOW) == Refused("bad_signature")


@given(st.integers(0, 43), st.integers(1, 255))
def test_one_changed_byte_of_the_signature_is_refused(place: int, bits: int) -> None:
    """Also of its last characters, some bits of which stand for nothing in base64."""
    raw = bytearray(SHOPIFY_HEADERS["x-shopify-hmac-sha256"].encode())
    raw[place] ^= bits
    headers = SHOPIFY_HEADERS | {"x-shopify-hmac-sha256": raw.decode("latin-1")}
    assert HOOK.verify(post(SHOPIFY_BODY, headers), app(b"hush"), NOW) == Refused("bad_signature")


def test_no_name_no_address_gets_into_a_sale() -> None:
    told = ORDER | {"shipping_address": {"name": "张三", "phone": "13800138000", "address1": "沈阳市和平区"}}
    meaning = understood(HOOK, shopify("orders/paid", told))
    shown = as_body(repr(meaning)).decode()
    assert not any(secret in shown for secret in ("张三", "13800138000", "和平区", "jon@example.com"))

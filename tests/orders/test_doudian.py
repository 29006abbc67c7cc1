"""Doudian: arrays of order events, of which each counts by itself."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import BadFrame
from collectors.hook import Accepted, Refused
from collectors.orders.doudian import Doudian
from collectors.signing import doudian_push_hmac

from .chinese import (
    DOUDIAN,
    NEW,
    NOW,
    OLD,
    ORDER,
    SECOND,
    SHOP,
    as_json,
    changed,
    doudian,
    doudian_message,
    doudian_paid,
    meaning,
    verdict,
)

HOOK = Doudian(name="dd", app="doudian-main")
PAID = doudian([doudian_paid()])
LINES = [
    {"author_id": 58841646784, "room_id": 7312345678901234567, "product_id": 3456789012345678901,
     "product_name": "短袖 白", "item_num": 2, "pay_amount": 15900, "post_receiver": "张三"},
    {"author_id": "58841646784", "room_id": 0, "product_id": "3456789012345678902", "product_name": "袜子",
     "item_num": 1, "pay_amount": 4000},
]  # fmt: skip


def detail(order_id: object = ORDER, lines: object = LINES, **more: object) -> dict[tuple[str, str], bytes]:
    order = {"order_id": str(order_id), "doudian_open_id": "1@#buyer", "sku_order_list": lines}
    answer = {"code": 10000, "msg": "success", "data": {"shop_order_detail": order}} | more
    return {("order.detail", str(ORDER)): as_json(answer)}


def test_the_answer_is_exact_also_for_a_redelivery() -> None:
    for _ in range(2):
        found = HOOK.verify(PAID, DOUDIAN, NOW)
        assert isinstance(found, Accepted)
        assert (found.reply.status, found.reply.body, found.probe) == (200, b'{"code":0,"msg":"success"}', False)


def test_both_live_secrets_open_and_no_other() -> None:
    assert verdict(HOOK, doudian([doudian_paid()], NEW), DOUDIAN) == "kept"
    assert verdict(HOOK, doudian([doudian_paid()], b"another"), DOUDIAN) == "bad_signature"
    one = msgspec.structs.replace(DOUDIAN, secrets=(NEW,))
    assert verdict(HOOK, PAID, one) == "bad_signature"
    assert verdict(HOOK, PAID, msgspec.structs.replace(DOUDIAN, secrets=())) == "bad_signature"


def test_the_other_method_of_signing_is_named_by_a_header() -> None:
    told = doudian_push_hmac(DOUDIAN.key, PAID.body, OLD)
    headers = {"app-id": DOUDIAN.key, "event-sign": told, "sign-method": "hmac-sha256"}
    signed = msgspec.structs.replace(PAID, headers=headers)
    assert verdict(HOOK, signed, DOUDIAN) == "kept"
    assert verdict(HOOK, msgspec.structs.replace(PAID, headers=headers | {"sign-method": "md5"}), DOUDIAN) != "kept"
    assert (
        verdict(HOOK, msgspec.structs.replace(PAID, headers=PAID.headers | {"sign-method": "MD5"}), DOUDIAN) == "kept"
    )


@pytest.mark.parametrize("told", ["", "0" * 32, "签名", "A" * 10_000])
def test_what_is_no_signature_is_refused(told: str) -> None:
    turned = msgspec.structs.replace(PAID, headers={"app-id": DOUDIAN.key, "event-sign": told})
    assert HOOK.verify(turned, DOUDIAN, NOW) == Refused("bad_signature")
    assert HOOK.verify(msgspec.structs.replace(PAID, headers={}), DOUDIAN, NOW) == Refused("bad_signature")


def test_the_same_json_written_anew_is_refused() -> None:
    again = msgspec.structs.replace(PAID, body=json.dumps(json.loads(PAID.body)).encode())
    assert verdict(HOOK, again, DOUDIAN) == "bad_signature"


def test_what_another_app_signed_is_refused() -> None:
    assert verdict(HOOK, doudian([doudian_paid()], key="another"), DOUDIAN) == "bad_signature"
    named = msgspec.structs.replace(PAID, headers=PAID.headers | {"app-id": "another"})
    assert verdict(HOOK, named, DOUDIAN) == "wrong_app"


@given(st.integers(0), st.integers(0))
def test_any_changed_byte_is_refused(at: int, to: int) -> None:
    assert verdict(HOOK, changed(PAID, at, to), DOUDIAN) == "bad_signature"


@pytest.mark.parametrize("tag", ["0", 0])
def test_the_probe_is_answered_and_not_kept(tag: object) -> None:
    probe = doudian([{"tag": tag, "msg_id": "0", "data": "2026-11-24T20:00:00+08:00"}])
    assert verdict(HOOK, probe, DOUDIAN) == "probe"
    assert verdict(HOOK, doudian([{"tag": tag, "msg_id": "0"}, doudian_paid()]), DOUDIAN) == "kept"
    assert verdict(HOOK, doudian(b"[]"), DOUDIAN) == "kept"
    assert not meaning(HOOK, doudian([{"tag": tag, "msg_id": "0"}, doudian_paid()]), DOUDIAN).bad


def test_nobody_checks_the_url_with_a_get() -> None:
    assert HOOK.answer_check(PAID, DOUDIAN) is None


def test_a_payment_counts_at_once_with_its_amount_from_the_push() -> None:
    found = meaning(HOOK, PAID, DOUDIAN)
    (sale,) = found.sales
    assert not found.needs
    assert (sale.event_id, sale.order_id, sale.shop) == (f"{SHOP}:{ORDER}:paid", str(ORDER), str(SHOP))
    assert (sale.kind, sale.amount_minor, sale.currency, sale.platform, sale.feed) == (
        "paid",
        19900,
        "CNY",
        "doudian",
        "dd",
    )
    assert (sale.at.timestamp(), sale.received_at) == (SECOND - 5, NOW)
    assert (sale.room, sale.units, sale.buyer, sale.items) == (None, None, None, ())


@pytest.mark.parametrize(
    "spelled",
    [
        {"tag": 101}, {"data": as_json(doudian_paid()["data"]).decode()},
        {"data": {"p_id": str(ORDER), "shop_id": str(SHOP), "pay_time": (SECOND - 5) * 1000, "pay_amount": "19900"}},
    ],
)  # fmt: skip
def test_ids_and_numbers_may_be_text_and_data_may_be_json_within_json(spelled: dict[str, object]) -> None:
    assert meaning(HOOK, doudian([doudian_paid() | spelled]), DOUDIAN).sales == meaning(HOOK, PAID, DOUDIAN).sales


def test_every_event_has_a_row_of_its_own_and_requests_have_none() -> None:
    refund = {"aftersale_id": 140000000000000001, "refund_amount": 4000, "refund_post_amount": 0, "s_id": ORDER + 1}
    found = meaning(
        HOOK,
        doudian([
            doudian_message("100", create_time=SECOND - 9, order_status=1),
            doudian_paid(),
            doudian_message("110", order_status=2),
            doudian_message("200", apply_time=SECOND - 4, **refund),
            doudian_message("201", agree_time=SECOND - 3, pay_time=1, pay_amount=1, **refund),
            doudian_message("206", success_time=SECOND - 2, **refund),
            doudian_message("207", close_time=SECOND - 1, **refund),
            doudian_message("106", cancel_time=SECOND, cancel_reason="不想要了"),
            doudian_message("999", anything={"张三": "13800000000"}),
        ]),
        DOUDIAN,
    )  # fmt: skip
    assert not found.bad
    assert [(s.event_id.removeprefix(f"{SHOP}:{ORDER}:"), s.amount_minor) for s in found.sales] == [
        ("created", 0),
        ("paid", 19900),
        ("refunded:140000000000000001", 4000),
        ("cancelled", 0),
    ]


def test_what_names_a_payment_is_one_whatever_its_tag() -> None:
    swapped = meaning(HOOK, doudian([doudian_paid() | {"tag": "110"}]), DOUDIAN)
    assert swapped.sales == meaning(HOOK, PAID, DOUDIAN).sales
    assert not meaning(HOOK, doudian([doudian_paid(pay_time=0) | {"tag": "110"}]), DOUDIAN).sales


@pytest.mark.parametrize(
    "spoiled",
    [
        doudian_paid(pay_amount=None), doudian_paid(pay_amount=-1), doudian_paid(pay_amount=1.5),
        doudian_paid(pay_amount=10**18), doudian_paid(pay_amount="1万"), doudian_paid(pay_time=0),
        doudian_paid(p_id="../../etc"), doudian_paid(p_id=None), doudian_paid(shop_id=True), doudian_paid(p_id=1.5),
        doudian_paid() | {"tag": "x"}, doudian_paid() | {"data": "{"}, doudian_paid() | {"data": None},
        doudian_message("206", success_time=SECOND, refund_amount=1), 5, None, [],
    ],
    ids=str,
)  # fmt: skip
def test_one_bad_item_is_set_aside_and_the_others_count(spoiled: object) -> None:
    other = doudian_paid(p_id=ORDER + 1)
    found = meaning(HOOK, doudian([other, spoiled, doudian_paid(p_id=ORDER + 2)]), DOUDIAN)
    assert [sale.order_id for sale in found.sales] == [str(ORDER + 1), str(ORDER + 2)]
    (bad,) = found.bad
    assert bad.raw == as_json(spoiled)
    assert bad.sample in ("m101", "m206", "item 2")
    assert not any(sign in bad.reason for sign in ("张", "万", "etc"))


def test_a_number_that_is_none_spoils_its_item_alone() -> None:
    body = b'[{"tag":"101","msg_id":"a","data":{"p_id":1,"shop_id":2,"pay_time":1795521600,"pay_amount":NaN}},'
    twice = b'{"tag":"101","msg_id":"b","data":{"p_id":1,"p_id":2}},'
    found = meaning(HOOK, doudian(body + twice + as_json(doudian_paid()) + b"]"), DOUDIAN)
    assert [bad.sample for bad in found.bad] == ["item 1", "item 2"]
    assert len(found.sales) == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[", b'"x"', b"\xff", b"[" * 50_000])
def test_what_is_no_array_is_unreadable_as_a_whole(body: bytes) -> None:
    delivery = doudian(body)
    assert verdict(HOOK, delivery, DOUDIAN) == "kept"
    with pytest.raises(BadFrame):
        meaning(HOOK, delivery, DOUDIAN)


def test_the_detail_adds_room_buyer_and_items_and_changes_no_amount() -> None:
    (sale,) = meaning(HOOK, PAID, DOUDIAN, detail()).sales
    (without,) = meaning(HOOK, PAID, DOUDIAN).sales
    assert (sale.event_id, sale.at, sale.amount_minor) == (without.event_id, without.at, without.amount_minor)
    assert (sale.room, sale.units, sale.buyer) == ("58841646784", 3, b"1@#buyer")
    assert [(item.item_id, item.title, item.units, item.amount_minor) for item in sale.items] == [
        ("3456789012345678901", "短袖 白", 2, 15900),
        ("3456789012345678902", "袜子", 1, 4000),
    ]
    assert "张三".encode() not in msgspec.msgpack.encode(sale)


def test_the_room_may_be_the_broadcast_where_the_roster_lists_those() -> None:
    hook = Doudian(name="dd", room_is="room")
    assert meaning(hook, PAID, DOUDIAN, detail(lines=LINES[:1])).sales[0].room == "7312345678901234567"
    assert meaning(hook, PAID, DOUDIAN, detail()).sales[0].room is None, "one line was bought outside a broadcast"


def test_lines_of_two_broadcasters_have_no_room() -> None:
    other = LINES[1] | {"author_id": 2}
    assert meaning(HOOK, PAID, DOUDIAN, detail(lines=[LINES[0], other])).sales[0].room is None


@pytest.mark.parametrize(
    "details",
    [
        detail(order_id=1), detail(code=40003), detail(err_no=7), detail(lines=[{"product_id": None}]),
        {("order.detail", str(ORDER)): b"<html>"}, {("order.detail", str(ORDER)): b""},
    ],
)  # fmt: skip
def test_a_wrong_detail_is_as_good_as_none(details: dict[tuple[str, str], bytes]) -> None:
    assert meaning(HOOK, PAID, DOUDIAN, details) == meaning(HOOK, PAID, DOUDIAN)


def test_no_name_phone_or_address_leaves_the_parser() -> None:
    private = {"post_receiver": "张三", "post_tel": "13800000000", "post_addr": {"detail": "和平区 1 号"}}
    found = meaning(HOOK, doudian([doudian_paid(**private)]), DOUDIAN, detail(lines=[LINES[0] | private], **private))
    told = msgspec.msgpack.encode(found.sales)
    assert not any(secret.encode() in told for secret in ("张三", "13800000000", "和平区"))

"""WeChat Shop: encrypted and signed events, whose amount comes with the detail."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import cipher, signing
from collectors.collector import BadFrame
from collectors.hook import Accepted, App, Delivery, Need, Reply
from collectors.orders.wechat_shop import WechatShop
from tests.test_signing import WECHAT_ENCRYPT, WECHAT_REPLY

from .chinese import (
    NOW,
    SECOND,
    WECHAT,
    WECHAT_KEY,
    WECHAT_NEXT,
    as_json,
    changed,
    meaning,
    verdict,
    wechat,
    wechat_sealed,
)

HOOK = WechatShop(name="wx", app="wechat-main")
ORDER_ID = 3705115058471208928
PAY = {"order_info": {"order_id": ORDER_ID, "pay_time": SECOND - 4}}
PAID = wechat("channels_ec_order_pay", PAY)
AFTER_SALE = {"status": "MERCHANT_REFUND_SUCCESS", "after_sale_order_id": 2000000012345678901, "order_id": ORDER_ID}
REFUNDED = wechat("channels_ec_aftersale_update", {"finder_shop_aftersale_status_update": AFTER_SALE})


def detail(errcode: int = 0, order_id: object = str(ORDER_ID), **inside: object) -> dict[tuple[str, str], bytes]:
    order = {
        "price_info": {"order_price": 25900, "product_price": 26900, "freight": 0},
        "pay_info": {"pay_time": SECOND - 4, "payment_method": 1},
        "product_infos": [{"product_id": "10000000001", "title": "大衣", "sku_cnt": 1, "real_price": 25900}],
        "commission_infos": [{"finder_id": "sphA", "nickname": "王五"}, {"finder_id": "sphA"}],
        "delivery_info": {"address_info": {"user_name": "王五", "tel_number": "13800000000"}},
    } | inside
    answer = {"errcode": errcode, "order": {"order_id": order_id, "openid": "oBuyer", "order_detail": order}}
    return {("order.detail", str(ORDER_ID)): as_json(answer)}


def refund_detail(**told: object) -> dict[tuple[str, str], bytes]:
    order = AFTER_SALE | {"refund_info": {"amount": 5900}, "complete_time": SECOND - 1} | told
    return {("refund.detail", "2000000012345678901"): as_json({"errcode": 0, "after_sale_order": order})}


def test_the_published_message_opens() -> None:
    text = cipher.wechat_open(WECHAT_ENCRYPT, WECHAT_KEY, WECHAT.key)
    assert (len(text), b'"Event":"debug_demo"' in text) == (167, True)
    assert cipher.wechat_close(text, WECHAT_KEY, WECHAT.key, b"a8eedb185eb2fecf") == WECHAT_ENCRYPT


def test_the_published_reply_closes() -> None:
    text = b'{"demo_resp":"good luck"}'
    assert cipher.wechat_close(text, WECHAT_KEY, WECHAT.key, b"707722b803182950") == WECHAT_REPLY


def test_the_published_delivery_is_kept_and_means_no_sale() -> None:
    delivery = wechat_sealed(WECHAT_ENCRYPT, "1714112445")
    assert "msg_signature=046e02f8204d34f8ba5fa3b1db94908f3df2e9b3" in delivery.query
    old = WechatShop(name="wx", age_s_max=1e10)
    assert verdict(old, delivery, WECHAT) == "kept"
    assert not meaning(old, delivery, WECHAT).sales


def test_a_padding_of_aes_alone_would_not_do() -> None:
    """PKCS#7 of 32: a pad of 19 is one, of 33 or 0 none."""
    assert cipher.unpadded(b"x" * 13 + bytes([19]) * 19, 32) == b"x" * 13
    for wrong in (b"x" * 31 + b"\0", bytes([33]) * 64, b"", b"x" * 31 + b"\2"):
        with pytest.raises(cipher.BadCipher):
            cipher.unpadded(wrong, 32)


@pytest.mark.parametrize(("at", "echo"), [("1714036504", "4375120948345356249"), ("1714036504", "a_b-C")])
def test_the_url_check_is_answered_with_its_echo(at: str, echo: str) -> None:
    told = signing.wechat(b"AAAAA", at.encode(), b"1514711492")
    assert told == "f464b24fc39322e44b38aa78f5edd27bd1441696"
    query = f"signature={told}&timestamp={at}&nonce=1514711492&echostr={echo}"
    check = Delivery("GET", "/hooks/wx", query, {}, b"")
    assert HOOK.answer_check(check, WECHAT) == Reply(echo.encode(), "text/plain")


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ("signature=f4", "signature=f5"), ("nonce=1514711492", "nonce=1514711493"), ("&echostr=437", "&echostr="),
        ("&echostr=437", "&echostr=%3Cscript%3E"), ("&echostr=437", "&echostr=" + "a" * 65), ("&echostr=437", ""),
        ("&echostr=437", "&echostr=1&echostr=2"), ("signature=f464b24fc39322e44b38aa78f5edd27bd1441696&", ""),
    ],
)  # fmt: skip
def test_a_false_url_check_gets_nothing_back(change: str, to: str) -> None:
    query = "signature=f464b24fc39322e44b38aa78f5edd27bd1441696&timestamp=1714036504&nonce=1514711492&echostr=437"
    assert change in query
    check = Delivery("GET", "/hooks/wx", query.replace(change, to), {}, b"")
    assert HOOK.answer_check(check, WECHAT) == Reply(b"", "text/plain", 401)


def test_a_bare_look_at_the_url_is_no_check() -> None:
    assert HOOK.answer_check(Delivery("GET", "/hooks/wx", "", {}, b""), WECHAT) is None


def test_the_answer_is_exact_also_for_a_redelivery() -> None:
    first, again = (HOOK.verify(PAID, WECHAT, NOW) for _ in range(2))
    assert isinstance(first, Accepted)
    assert first == again
    assert (first.reply, first.probe) == (Reply(b"success", "text/plain"), False)


def test_both_live_keys_open_and_no_other() -> None:
    assert verdict(HOOK, wechat("x", {}, WECHAT_NEXT), WECHAT) == "kept"
    assert verdict(HOOK, wechat("x", {}, b"B" * 43), WECHAT) == "wrong_app"
    for secrets in ((), (b"short",), (b"!" * 43,)):
        assert verdict(HOOK, PAID, msgspec.structs.replace(WECHAT, secrets=secrets)) == "wrong_app"
    assert verdict(HOOK, PAID, msgspec.structs.replace(WECHAT, token=b"")) == "bad_signature"
    assert verdict(HOOK, wechat("x", {}, token=b""), msgspec.structs.replace(WECHAT, token=b"")) == "bad_signature"


def test_a_message_for_another_app_is_refused() -> None:
    assert verdict(HOOK, wechat("x", {}, app_id="wx0000000000000000"), WECHAT) == "wrong_app"


def test_the_plain_signature_does_not_do() -> None:
    """`signature` covers stamp and nonce alone: with it any body would pass."""
    told = signing.wechat(b"AAAAA", str(SECOND).encode(), b"415670741")
    query = f"signature={told}&timestamp={SECOND}&nonce=415670741&msg_signature={told}"
    assert verdict(HOOK, msgspec.structs.replace(PAID, query=query), WECHAT) == "bad_signature"


@pytest.mark.parametrize(
    ("later_s", "outcome"),
    [(0, "kept"), (3.6 * 3600, "kept"), (-299, "kept"), (-301, "stale"), (14_401, "stale")],
)
def test_the_last_retry_is_in_time_and_no_later_one(later_s: float, outcome: str) -> None:
    assert verdict(HOOK, PAID, WECHAT, later_s) == outcome


@pytest.mark.parametrize("stamp", ["", "abc", "-1", "1" * 30, "１７９５５２１６００"])
def test_a_stamp_that_is_none_is_refused(stamp: str) -> None:
    assert verdict(HOOK, wechat_sealed(WECHAT_ENCRYPT, stamp), WECHAT) == "malformed"


@pytest.mark.parametrize("body", [b"", b"{}", b"<xml/>", b'{"Encrypt":1}', b"[]", b"null"])
def test_a_body_without_a_message_is_refused(body: bytes) -> None:
    assert verdict(HOOK, msgspec.structs.replace(PAID, body=body), WECHAT) == "malformed"


def test_a_name_that_stands_twice_is_refused() -> None:
    assert verdict(HOOK, msgspec.structs.replace(PAID, query=PAID.query + "&nonce=1"), WECHAT) == "malformed"


@given(st.integers(0), st.integers(0))
def test_any_changed_byte_of_what_is_signed_is_refused(at: int, to: int) -> None:
    start = PAID.body.index(b'"Encrypt":"') + 11
    place = start + at % (len(PAID.body) - start - 2)
    assert verdict(HOOK, changed(PAID, place, to), WECHAT) in ("bad_signature", "malformed")


@given(st.integers(0, 39), st.sampled_from("0123456789abcdef"))
def test_any_other_signature_is_refused(at: int, sign: str) -> None:
    start = PAID.query.index("msg_signature=") + 14 + at
    query = PAID.query[:start] + sign + PAID.query[start + 1 :]
    assert (verdict(HOOK, msgspec.structs.replace(PAID, query=query), WECHAT) == "kept") == (query == PAID.query)


def test_a_body_written_anew_around_the_same_message_is_the_same_delivery() -> None:
    again = msgspec.structs.replace(PAID, body=json.dumps(json.loads(PAID.body), indent=1).encode())
    assert verdict(HOOK, again, WECHAT) == "kept", "what is signed is Encrypt, not the body"


def test_a_payment_waits_for_its_detail() -> None:
    found = meaning(HOOK, PAID, WECHAT)
    assert (list(found.needs), found.sales) == ([Need("order.detail", str(ORDER_ID), "gh_1234567890ab")], ())


def test_with_the_detail_it_has_amount_room_buyer_and_items() -> None:
    (sale,) = meaning(HOOK, PAID, WECHAT, detail()).sales
    assert (sale.event_id, sale.amount_minor) == (f"gh_1234567890ab:{ORDER_ID}:paid", 25900)
    assert (sale.at.timestamp(), sale.room, sale.buyer, sale.units) == (SECOND - 4, "sphA", b"oBuyer", 1)
    assert [(item.item_id, item.title, item.amount_minor) for item in sale.items] == [("10000000001", "大衣", 25900)]
    assert sale.platform == "wechat"
    told = msgspec.msgpack.encode(sale)
    assert not any(private.encode() in told for private in ("王五", "13800000000"))


def test_the_pay_time_may_be_text() -> None:
    text = {"order_info": {"order_id": str(ORDER_ID), "pay_time": str(SECOND - 4)}}
    written = wechat("channels_ec_order_pay", text)
    assert meaning(HOOK, written, WECHAT, detail()).sales == meaning(HOOK, PAID, WECHAT, detail()).sales


def test_two_broadcasters_of_one_order_are_no_room() -> None:
    two = [{"finder_id": "sphA"}, {"finder_id": "sphB"}]
    assert meaning(HOOK, PAID, WECHAT, detail(commission_infos=two)).sales[0].room is None
    named = detail(commission_infos=two, ext_info={"finder_id": "sphB"})
    assert meaning(HOOK, PAID, WECHAT, named).sales[0].room == "sphB"


@pytest.mark.parametrize(
    "details",
    [
        detail(errcode=40001), detail(order_id="1"), detail(price_info={}), detail(price_info={"order_price": "1.5"}),
        {("order.detail", str(ORDER_ID)): b"{}"},
    ],
)  # fmt: skip
def test_while_the_detail_is_wrong_it_goes_on_waiting(details: dict[tuple[str, str], bytes]) -> None:
    assert meaning(HOOK, PAID, WECHAT, details).needs


def test_new_and_cancelled_orders_count_without_a_detail() -> None:
    info = {"order_info": {"order_id": ORDER_ID, "cancel_type": 2}}
    for event, kind in (("channels_ec_order_new", "created"), ("channels_ec_order_cancel", "cancelled")):
        (sale,) = meaning(HOOK, wechat(event, info), WECHAT).sales
        assert (sale.event_id, sale.amount_minor, sale.at) == (f"gh_1234567890ab:{ORDER_ID}:{kind}", 0, NOW)


def test_a_refund_counts_when_the_money_is_back_by_its_own_amount() -> None:
    assert list(meaning(HOOK, REFUNDED, WECHAT).needs) == [
        Need("refund.detail", "2000000012345678901", "gh_1234567890ab")
    ]
    assert meaning(HOOK, REFUNDED, WECHAT, refund_detail(status="PLATFORM_REFUNDING")).needs
    (sale,) = meaning(HOOK, REFUNDED, WECHAT, refund_detail()).sales
    assert sale.event_id == f"gh_1234567890ab:{ORDER_ID}:refunded:2000000012345678901"
    assert (sale.kind, sale.amount_minor, sale.at.timestamp()) == ("refunded", 5900, SECOND - 1)


@pytest.mark.parametrize(
    ("event", "document"),
    [
        ("channels_ec_order_settle", PAY), ("debug_demo", {}), ("channels_ec_order_pay", {}),
        ("channels_ec_aftersale_update", {"finder_shop_aftersale_status_update": AFTER_SALE | {"status": "USER_WAIT"}}),
    ],
)  # fmt: skip
def test_what_moves_no_money_means_nothing(event: str, document: dict[str, object]) -> None:
    found = meaning(HOOK, wechat(event, document), WECHAT)
    assert (list(found.sales), list(found.needs), list(found.bad)) == ([], [], [])


@pytest.mark.parametrize("order", [{}, {"order_id": None}, {"order_id": 1}, {"order_id": "a b", "pay_time": 1}])
def test_a_payment_without_id_or_time_is_unreadable(order: dict[str, object]) -> None:
    with pytest.raises(BadFrame):
        meaning(HOOK, wechat("channels_ec_order_pay", {"order_info": order}), WECHAT)


def test_an_app_that_is_not_ours_reads_nothing() -> None:
    frame = msgspec.msgpack.encode(PAID)
    with pytest.raises(BadFrame):
        HOOK.parse(frame, NOW, App("other", "wechat", "wx1", (WECHAT_KEY,), b"AAAAA"))

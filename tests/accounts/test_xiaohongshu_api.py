"""Xiaohongshu's open API against its fake: pairs that stay until their last half hour, pages from the back."""

import hashlib
import json
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import BadFrame
from collectors.details import ORDER, REFUND
from collectors.hook import Need
from collectors.open_api import Answer, Call, Caller, Listing, Tokens, Verdict
from collectors.order_details.xiaohongshu import refund_detail
from collectors.orders.xiaohongshu_push import XiaohongshuPush
from collectors.tick import Sale
from monitor.rehearsal.platforms.token_office import CallBook, PlayedOrder
from monitor.rehearsal.platforms.xiaohongshu_api import FakeXiaohongshu
from tests.orders.chinese import as_json, xiaohongshu

from .platforms import XIAOHONGSHU_SHOP
from .polls import START, Clock, agree, ask, ms, ok, order_need, play, polled, pushes, sets_one_aside, verdict, window

API, APP, ROW, SHOP = XIAOHONGSHU_SHOP.api, XIAOHONGSHU_SHOP.app, XIAOHONGSHU_SHOP.row, XIAOHONGSHU_SHOP.shop
KEY, SECRET, PRIVATE = XIAOHONGSHU_SHOP.key, XIAOHONGSHU_SHOP.secret, XIAOHONGSHU_SHOP.private
ORDERS, REFUNDS = API.LISTINGS
caller, linked = XIAOHONGSHU_SHOP.caller, XIAOHONGSHU_SHOP.linked
order, refunded = XIAOHONGSHU_SHOP.order, XIAOHONGSHU_SHOP.refunded


@pytest.fixture
def fake(clock: Clock) -> FakeXiaohongshu:
    return XIAOHONGSHU_SHOP.fake(clock)


def message(tag: str, **data: object) -> dict[str, object]:
    return {"msgTag": tag, "sellerId": SHOP, "data": as_json(data).decode()}


def pushed(fake: FakeXiaohongshu, shop: Caller, one: PlayedOrder) -> list[Sale]:
    """What the platform pushes of this order, understood with the answers of its fake."""
    states = [(1, one.created_at)] + [(4, one.updated_at)] * bool(one.paid_at)
    states += [(9, one.cancelled_at)] if one.cancelled_at else []
    messages = [
        message("msg_fulfillment_status_change", orderId=one.order_id, orderStatus=status, updateTime=ms(at))
        for status, at in states
    ]
    messages += [
        message("msg_after_sale_update", returnsId=r.refund_id, orderId=one.order_id, updateTime=ms(r.updated_at))
        for r in one.refunds
    ]
    return pushes(API, fake, shop, ROW, APP, [xiaohongshu([each], SECRET) for each in messages], START)


# --- authorisation ---


def test_a_code_becomes_tokens_whose_ends_are_told(fake: FakeXiaohongshu) -> None:
    call = API.exchange(caller(), fake.office.code(SHOP), "", START)
    grant = API.granted(ok(API, fake, call), None, START)
    assert (grant.shop, grant.name) == (SHOP, "店铺5f1b")
    assert grant.tokens.access_until == START + timedelta(days=7)
    assert grant.tokens.refresh_until == START + timedelta(days=14)
    assert verdict(API, fake, call) == "broken", "a code is good once; its fault says nothing of a pair"
    assert grant.tokens.access not in repr(grant.tokens) + repr(call)


def test_a_pair_stays_as_it_is_until_its_last_half_hour(fake: FakeXiaohongshu, clock: Clock) -> None:
    old = linked(fake).tokens
    assert old is not None
    assert API.REFRESH_WINDOW_S == 1800
    now = clock.later(days=6, hours=23, minutes=29)
    assert API.granted(ok(API, fake, API.refresh(caller(old), now)), old, now).tokens == old
    now = clock.later(minutes=2)
    new = API.granted(ok(API, fake, API.refresh(caller(old), now)), old, now).tokens
    assert new.access != old.access
    assert (new.granted_at, new.access_until, new.refresh_until) == (
        now,
        now + timedelta(days=7),
        now + timedelta(days=14),
    )
    play(fake, order(1))
    ok(API, fake, API.detail(caller(old), order_need(order(1).order_id, SHOP), now))
    now = clock.later(minutes=6)
    assert verdict(API, fake, API.detail(caller(old), order_need(order(1).order_id, SHOP), now)) == "token"
    ok(API, fake, API.detail(caller(new), order_need(order(1).order_id, SHOP), now))


def test_an_access_token_that_ended_can_be_refreshed_and_a_pair_that_ended_cannot(
    fake: FakeXiaohongshu, clock: Clock
) -> None:
    old = linked(fake).tokens
    now = clock.later(days=13)
    assert verdict(API, fake, API.list_page(caller(old), ORDERS, START, START, "", now)) == "token"
    new = API.granted(ok(API, fake, API.refresh(caller(old), now)), old, now).tokens
    now = clock.later(days=14)
    assert verdict(API, fake, API.refresh(caller(new), now)) == "revoked"


LATER = ms(START + timedelta(days=1))


@pytest.mark.parametrize(
    "told",
    [
        {"success": True, "data": {}}, {"success": True, "data": {"accessToken": "", "accessTokenExpiresAt": LATER}},
        {"success": True, "data": {"accessToken": "a"}}, {"success": True}, {}, [], None,
        {"success": True, "data": {"accessToken": "a", "accessTokenExpiresAt": ms(START)}},
        {"success": True, "data": {"accessToken": "a", "accessTokenExpiresAt": "soon"}},
        {"success": False, "data": {"accessToken": "a", "accessTokenExpiresAt": LATER}},
    ],
)  # fmt: skip
def test_what_holds_no_tokens_is_no_grant(told: object) -> None:
    with pytest.raises(BadFrame):
        API.granted(as_json(told), None, START)


# --- what answers say ---


def test_a_call_is_signed_as_the_recipe_of_the_catalogue_says() -> None:
    """china.md 7: lower-case MD5 of method, appId, timestamp and version, then the secret; nothing else is signed."""
    call = API.detail(caller(Tokens("token", START)), order_need("P1", SHOP), START)
    assert call is not None
    assert call.url == "https://ark.xiaohongshu.com/ark/open_api/v3/common_controller"
    text = b"order.getOrderDetail?appId=appid&timestamp=1795521600&version=2.0" + SECRET
    assert json.loads(call.body or b"") == {
        "appId": "appid", "method": "order.getOrderDetail", "timestamp": "1795521600", "version": "2.0",
        "accessToken": "token", "orderId": "P1", "sign": hashlib.md5(text, usedforsecurity=False).hexdigest(),
    }  # fmt: skip


def test_what_it_does_not_know_is_not_asked_for() -> None:
    assert API.detail(caller(), Need("live.data", "1", SHOP), START) is None


def test_the_fake_takes_the_vector_of_the_catalogue() -> None:
    fake = FakeXiaohongshu("appid", b"secret", Clock())
    assert fake.sign("order.getOrderDetail", "1700000000") == "97ce300835a1950e87bdd9ec86ab955d"


def test_every_turned_part_of_what_is_signed_is_refused(fake: FakeXiaohongshu) -> None:
    play(fake, order(1))
    call = API.detail(linked(fake), order_need(order(1).order_id, SHOP), START)
    assert call is not None
    assert call.body is not None
    assert verdict(API, fake, call) == "ok"
    for was, turned in ((b"getOrderDetail", b"getOrderList"), (b'"17955', b'"17956'), (b"appid", b"apqid")):
        assert was in call.body
        judged = API.judge(ask(fake, Call(call.name, call.url, call.body.replace(was, turned), call.headers)))
        assert (judged.verdict, judged.detail) == ("broken", "-1004")


def test_the_platform_refuses_our_address_our_clock_and_our_haste(clock: Clock) -> None:
    fake = FakeXiaohongshu(KEY, SECRET, clock, CallBook(per_s=1, addresses=frozenset({"192.0.2.1"}), skew_s=600))
    call = API.exchange(caller(), "c", "", clock.at)
    assert verdict(API, fake, call, "198.51.100.1") == "broken", "how it says so is not known"
    late = API.exchange(caller(), "c", "", START - timedelta(minutes=11))
    assert verdict(API, fake, late, "192.0.2.1") == "broken", "nor this"
    assert [verdict(API, fake, call, "192.0.2.1") for _ in range(2)] == ["broken", "rate"]


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"success":true,"error_code":0,"data":{}}', "ok"),
        (b'{"success":true,"code":0,"data":{}}', "ok"),
        (b'{"success":true,"error_code":0,"data":{"success":true,"code":0,"data":{}}}', "ok"),
        (b'{"success":true,"error_code":0,"data":{"success":false,"code":-1,"data":null}}', "broken"),
        (b'{"success":true,"error_code":0,"data":{"success":5,"data":null}}', "broken"),
        (b'{"success":true,"error_code":-5}', "broken"),
        (b'{"success":false,"error_code":0}', "broken"),
        (b'{"error_code":0}', "broken"),
        ('{"success":false,"error_msg":"accessToken已过期"}'.encode(), "token"),
        ('{"success":false,"error_msg":"refreshToken无效"}'.encode(), "revoked"),
        ('{"success":false,"error_msg":"调用过于频繁"}'.encode(), "rate"),
        ('{"success":false,"error_msg":"签名校验失败"}'.encode(), "broken"),
        (b'{"success":"true"}', "broken"),
    ],
)  # fmt: skip
def test_every_answer_has_a_verdict(body: bytes, verdict: str) -> None:
    assert API.judge(Answer(200, {}, body)).verdict == verdict


@given(
    st.binary(max_size=200)
    | st.text(max_size=80).map(lambda text: as_json({"success": False, "error_code": text, "error_msg": text}))
    | st.dictionaries(st.sampled_from(["success", "code", "data"]), st.none() | st.booleans() | st.text()).map(
        lambda inner: as_json({"success": True, "error_code": 0, "data": inner})
    )
)
def test_no_answer_makes_the_judge_fall_and_no_sentence_is_a_detail(body: bytes) -> None:
    judged = API.judge(Answer(200, {}, body))
    assert judged.verdict in get_args(Verdict)
    assert judged.verdict != "ok" or json.loads(body)["success"] is True
    assert judged.detail.isascii()


# --- orders ---


def test_what_is_polled_is_what_was_pushed(fake: FakeXiaohongshu, clock: Clock) -> None:
    cancelled = order(6, paid_at=None, cancelled_at=START - timedelta(seconds=61))
    play(fake, order(1), order(2, paid_at=None), refunded(3), refunded(4, done=False), order(5, amount_minor=1))
    play(fake, cancelled)
    shop = linked(fake)
    found = polled(API, fake, shop, ROW, window(clock), clock.at)
    expected = [sale for one in fake.orders.values() for sale in pushed(fake, shop, one)]
    agree(found, expected)
    assert sum(sale.amount_minor for sale in found if sale.kind == "refunded") == 4950
    assert sum(sale.kind == "paid" for sale in found) == 4
    assert sum(sale.kind == "cancelled" for sale in found) == 1


def test_a_payment_is_asked_for_and_of_its_order_nothing_is_told_before(fake: FakeXiaohongshu, clock: Clock) -> None:
    play(fake, order(1), order(2, paid_at=None))
    body = ok(API, fake, API.list_page(linked(fake), ORDERS, *window(clock), "", clock.at))
    page = API.read_page(ROW, ORDERS, SHOP, body, START)
    assert list(page.needs) == [order_need(order(1).order_id, SHOP)]
    assert [sale.order_id for sale in page.sales] == [order(2).order_id]
    for answer in (b"<html>", as_json({"success": True, "data": {"orderId": order(1).order_id, "totalPayAmount": 1}})):
        again = API.read_page(ROW, ORDERS, SHOP, body, START, {(ORDER, order(1).order_id): answer})
        assert len(again.needs) == 1, "an answer of no use is none"


def test_the_unit_of_amounts_is_as_the_row_says(fake: FakeXiaohongshu, clock: Clock) -> None:
    row = XiaohongshuPush(name="xhs", app="xhs-main", enabled=True, amounts_in="yuan")
    play(fake, order(1))
    found = polled(API, fake, linked(fake), row, window(clock), clock.at)
    assert [sale.amount_minor for sale in found if sale.kind == "paid"] == [990_000]


def test_a_cancelled_order_whose_time_is_not_told_is_left_to_the_push() -> None:
    entries = [entry(orderStatus=9), entry(orderId="P2", orderStatus=9, cancelTime=ms(START))]
    body = as_json({"success": True, "data": {"total": 2, "orderList": entries}})
    page = API.read_page(ROW, ORDERS, SHOP, body, START)
    assert [(sale.order_id, sale.kind) for sale in page.sales] == [
        ("P1", "created"), ("P2", "created"), ("P2", "cancelled"),
    ]  # fmt: skip
    assert list(page.bad) == []


def test_a_refund_that_is_not_done_is_asked_about_once_and_an_exchange_never(
    fake: FakeXiaohongshu, clock: Clock
) -> None:
    entries = [
        {"returnsId": "R1", "orderId": "P1", "status": 4, "returnType": 4, "updatedAt": ms(START)},
        {"returnsId": "R2", "orderId": "P2", "status": 4, "returnType": 2, "updatedAt": ms(START)},
        {"returnsId": "R3", "orderId": "P3", "status": 1, "returnType": 4, "updatedAt": ms(START)},
    ]
    body = as_json({"success": True, "data": {"totalCount": 3, "afterSaleBasicInfos": entries}})
    assert list(API.read_page(ROW, REFUNDS, SHOP, body, START).needs) == [Need(REFUND, "R1", SHOP)]
    waiting = as_json({"success": True, "data": {"afterSaleInfo": {"returnsId": "R1", "refundStatus": 1, "status": 4}}})
    page = API.read_page(ROW, REFUNDS, SHOP, body, START, {(REFUND, "R1"): waiting})
    assert (list(page.needs), list(page.sales)) == ([], [])


def test_an_answer_about_a_refund_is_read_in_all_its_envelopes() -> None:
    info = {"returnsId": "R1", "refundAmountYuan": 49.5, "refundStatus": 2, "refundTime": ms(START)}
    for data in (info, {"afterSaleInfo": info}, {"success": True, "code": 0, "data": {"afterSaleInfo": info}}):
        found = refund_detail(as_json({"success": True, "data": data}), "R1")
        assert (found.done, found.amount_minor, found.refunded_at) == (True, 4950, START)
    for data in (None, [], {"success": False, "code": -1, "data": info}, {"afterSaleInfo": 5}):
        with pytest.raises(BadFrame):
            refund_detail(as_json({"success": True, "data": data}), "R1")


def test_many_orders_and_refunds_are_read_to_the_first_page(fake: FakeXiaohongshu, clock: Clock) -> None:
    play(fake, *(refunded(n) for n in range(230)))
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    assert {sale.order_id for sale in found} == set(fake.orders)
    assert len({sale.event_id for sale in found if sale.kind == "refunded"}) == 230


def test_an_order_that_is_updated_while_the_pages_are_read_hides_no_other(fake: FakeXiaohongshu, clock: Clock) -> None:
    play(fake, *(order(n, updated_at=START - timedelta(seconds=500 - n)) for n in range(350)))
    still = set(fake.orders)

    def touched(pages: int) -> None:
        for number in range(40 * (pages - 1), 40 * pages):
            fake.orders[order(number).order_id].updated_at = clock.at + timedelta(hours=1)
            still.discard(order(number).order_id)

    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at, touched)
    assert still <= {sale.order_id for sale in found}
    assert 0 < len(still) < 350


def entry(**told: object) -> dict[str, object]:
    return {"orderId": "P1", "createdTime": ms(START), "paidTime": 0, "customerRemark": "送给王五"} | told


@pytest.mark.parametrize(
    "spoiled",
    [entry(orderId="P 1"), entry(orderId=None), entry(createdTime="soon"), entry(orderStatus="x"), {}, 7, None, []],
)
def test_one_bad_entry_is_set_aside_without_what_it_says_of_people(spoiled: object) -> None:
    body = as_json({"success": True, "data": {"total": 2, "orderList": [spoiled, entry()]}})
    page = API.read_page(ROW, ORDERS, SHOP, body, START)
    sets_one_aside(page, ["created"], PRIVATE)


@pytest.mark.parametrize(
    "data", [None, [], {}, {"total": "x", "totalCount": "x"}, {"total": -1, "totalCount": -1},
             {"total": 50_001, "totalCount": 50_001}]
)  # fmt: skip
@pytest.mark.parametrize("listing", API.LISTINGS)
def test_what_is_no_page_is_refused(data: object, listing: Listing) -> None:
    with pytest.raises(BadFrame):
        API.read_page(ROW, listing, SHOP, as_json({"success": True, "data": data}), START)
    with pytest.raises(BadFrame):
        API.read_page(ROW, listing, SHOP, as_json({"success": False, "data": {"total": 0, "totalCount": 0}}), START)

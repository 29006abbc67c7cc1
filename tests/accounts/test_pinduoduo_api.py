"""Pinduoduo's open API against its fake: what is authorised, refused, polled, and that it says what the push says."""

import json
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import BadFrame
from collectors.details import ORDER, REFUND
from collectors.hook import Need
from collectors.open_api import Answer, Tokens
from collectors.tick import Sale
from monitor.rehearsal.platforms.pinduoduo_api import FakePinduoduo
from monitor.rehearsal.platforms.token_office import CallBook, PlayedOrder
from tests.orders.chinese import as_json

from .platforms import PINDUODUO
from .polls import START, Clock, ask, ok, play, polled, sets_one_aside, told, verdict, window

API, ROW, MALL, PRIVATE = PINDUODUO.api, PINDUODUO.row, PINDUODUO.shop, PINDUODUO.private
APP, KEY, SECRET = PINDUODUO.app, PINDUODUO.key, PINDUODUO.secret
ORDERS, REFUNDS = API.LISTINGS
caller, linked, order, refunded = PINDUODUO.caller, PINDUODUO.linked, PINDUODUO.order, PINDUODUO.refunded


@pytest.fixture
def fake(clock: Clock) -> FakePinduoduo:
    return PINDUODUO.fake(clock)


def pushed(fake: FakePinduoduo, one: PlayedOrder) -> list[Sale]:
    """What the platform pushes of this order, understood."""
    head = {"mall_id": int(one.shop), "tid": one.order_id}
    messages: list[tuple[str, dict[str, object]]] = []
    if one.paid_at:
        messages.append(("pdd_trade_TradeConfirmed", head))
    for refund in one.refunds:
        if refund.done:
            back = {"refund_id": int(refund.refund_id), "refund_fee": refund.amount_minor, "modified": 1795521570000}
            messages.append(("pdd_refund_RefundAgreeAgreement", head | back))
    detail = ok(API, fake, API.detail(linked(fake, one.shop), Need(ORDER, one.order_id, one.shop), START))
    sales: list[Sale] = []
    for type_, content in messages:
        message = {"type": type_, "mallID": int(one.shop), "content": json.dumps(content)}
        command = {"id": 1, "commandType": "Common", "sendTime": 1795521570000, "message": message}
        sales += ROW.parse(as_json(command), START, APP, {(ORDER, one.order_id): detail}).sales
    return sales


# --- authorisation ---


def test_an_app_of_the_service_market_is_linked_there() -> None:
    market = caller(auth_base="https://fuwu.pinduoduo.com/service-market")
    assert API.link(market, "s", "r", b"").startswith("https://fuwu.pinduoduo.com/service-market/auth?response_type=")


def test_a_pair_that_ended_is_known_by_its_code(fake: FakePinduoduo, clock: Clock) -> None:
    old, now = linked(fake), clock.later(days=31)
    assert API.judge(ask(fake, API.permit(old, now))).detail == "10019"


def test_without_a_refresh_token_there_is_nothing_to_refresh() -> None:
    token = {"access_token": "a", "expires_in": 5, "owner_id": 7}
    for more in ({}, {"refresh_token": "r"}, {"refresh_token_expires_in": 5}):
        grant = API.granted(as_json({"pop_auth_token_create_response": token | more}), None, START)
        assert (grant.shop, grant.tokens.refresh, grant.tokens.refresh_until) == ("7", "", None)
        assert API.refresh(caller(grant.tokens), START) is None
    assert API.refresh(caller(), START) is None


@pytest.mark.parametrize(
    "result",
    [
        None, [], {}, {"access_token": "", "expires_in": 5, "owner_id": "1"},
        {"access_token": "a", "expires_in": 0, "owner_id": "1"}, {"access_token": "a", "expires_in": 5},
        {"access_token": "a", "expires_in": 10**18, "owner_id": "1"},
        {"access_token": "a", "expires_in": 5, "refresh_token_expires_in": -1, "owner_id": "1"},
        {"access_token": "a", "expires_in": 5, "owner_id": "1 2"},
    ],
)  # fmt: skip
def test_what_are_no_tokens_is_refused(result: object) -> None:
    with pytest.raises(BadFrame):
        API.granted(as_json({"pop_auth_token_create_response": result}), None, START)


def test_a_mall_that_may_not_be_heard_is_not_permitted_its_messages(fake: FakePinduoduo) -> None:
    call = API.permit(linked(fake), START)
    ok(API, fake, call)
    fake.deaf.add(MALL)
    assert verdict(API, fake, call) == "forbidden"


# --- calls ---


def test_a_call_is_signed_as_the_platform_says(fake: FakePinduoduo) -> None:
    """The fake computes it by itself; that it does so rightly is the published vector."""
    vector = {
        "access_token": "asd78172s8ds9a921j9qqwda12312w1w21211", "client_id": "1", "data_type": "XML",
        "order_status": "1", "page": "1", "page_size": "10", "timestamp": "1480411125",
        "type": "pdd.order.number.list.get",
    }  # fmt: skip
    assert fake.sign(vector) == "E4DE3ED21002510DED352819E7AE6775"
    call = API.detail(caller(Tokens("token", START)), Need(ORDER, "261124-1", MALL), START)
    assert call is not None
    body = json.loads(call.body or b"")
    assert (call.name, urlsplit(call.url).path) == ("pdd.order.information.get", "/api/router")
    assert (body["order_sn"], body["access_token"], body["timestamp"]) == ("261124-1", "token", "1795521600")
    assert body["sign"] == fake.sign(body)
    assert {type(value) for value in body.values()} == {str}


def test_a_spent_quota_is_a_matter_of_pace(clock: Clock) -> None:
    fake = PINDUODUO.fake(clock, CallBook(quota={"pdd.pop.auth.token.create": 0}))
    judged = API.judge(ask(fake, API.exchange(caller(), "c", "", START)))
    assert (judged.verdict, judged.detail) == ("rate", "70036")


def test_an_order_that_is_none_is_missing(fake: FakePinduoduo) -> None:
    assert verdict(API, fake, API.detail(linked(fake), Need(ORDER, "261124-1", MALL), START)) == "missing"
    assert API.detail(caller(), Need(REFUND, "1", MALL), START) is None


def fault(code: object, **more: object) -> bytes:
    return as_json({"error_response": {"error_code": code, "error_msg": "m", "sub_code": None} | more})


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"pmc_user_permit_response":{}}', "ok"),
        (b'{"pmc_user_permit_response":{"is_success":false}}', "forbidden"),
        (b'{"order_info_get_response":{}}', "ok"),
        (b"{}", "broken"),
        (b'{"other_response":{}}', "broken"),
        (fault(10001, error_msg="公共参数错误:type"), "broken"),
        (fault(10010), "app"),
        (fault(10014), "revoked"),
        (fault(10016), "app"),
        (fault(10019), "token"),
        (fault(10035), "token"),
        (fault(20004), "app"),
        (fault(20005), "address"),
        (fault(20031), "forbidden"),
        (fault(20032), "token"),
        (fault(30000), "forbidden"),
        (fault(50001), "broken"),
        (fault(50001, sub_msg="refresh_token已过期"), "revoked"),
        (fault(52101), "rate"),
        (fault(52102), "broken"),
        (fault(70031), "rate"),
        (fault(70033), "broken"),
        (fault(70034), "forbidden"),
        (fault("x"), "broken"),
        (b'{"error_response":[]}', "broken"),
    ],
)
def test_every_answer_has_a_verdict(body: bytes, verdict: str) -> None:
    assert API.judge(Answer(200, {}, body)).verdict == verdict
    assert API.judge(Answer(502, {}, b'{"order_info_get_response":{}}')).verdict == "broken"


@given(
    st.binary(max_size=200).filter(lambda body: b"_response" not in body)
    | st.text(max_size=80).map(lambda text: fault(50001, sub_code=text, sub_msg=text))
)
def test_no_answer_makes_the_judge_fall_and_no_sentence_is_a_detail(body: bytes) -> None:
    judged = API.judge(Answer(200, {}, body))
    assert judged.verdict != "ok"
    assert judged.detail.isascii()
    assert " " not in judged.detail.removeprefix("50001 ").removeprefix("HTTP ")


# --- polls ---


def test_what_is_polled_is_what_was_pushed(fake: FakePinduoduo, clock: Clock) -> None:
    play(fake, order(1), order(2, paid_at=None), refunded(3), refunded(4, done=False), order(5, amount_minor=1))
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    assert told(found) == told([sale for one in fake.orders.values() for sale in pushed(fake, one)])
    assert {sale.via for sale in found} == {"poll"}
    assert sorted(sale.kind for sale in found) == ["paid", "paid", "paid", "paid", "refunded"]
    assert sum(sale.amount_minor for sale in found if sale.kind == "refunded") == 1000
    paid = next(sale for sale in found if sale.kind == "paid")
    assert (paid.units, paid.at) == (1, START - timedelta(seconds=80))
    assert [(item.item_id, item.amount_minor) for item in paid.items] == [("9007199254740993", None)]


@pytest.mark.parametrize(
    "more", [{"confirm_status": 0}, {"confirm_status": 2}, {"confirm_status": None}, {"risk_control_status": 1}]
)
def test_an_order_that_may_still_be_given_up_is_no_payment(more: dict[str, object]) -> None:
    found = API.read_page(ROW, ORDERS, MALL, page([entry(**more)]), START)
    assert (list(found.sales), list(found.bad)) == ([], [])


def test_a_refund_that_is_agreed_has_moved_no_money_yet() -> None:
    for status in (2, 4, 5, 9, 11):
        refund = {"id": 1, "order_sn": "261124-1", "after_sales_status": status, "refund_amount": "1.00"}
        entries = [refund | {"updated_time": "2026-11-24 19:59:00"}]
        body = as_json({"refund_increment_get_response": {"refund_list": entries, "total_count": 1}})
        assert list(API.read_page(ROW, REFUNDS, MALL, body, START).sales) == []


def test_a_window_is_asked_for_in_whole_seconds_that_hold_it() -> None:
    from_at, to_at = START + timedelta(seconds=0.9), START + timedelta(seconds=60.1)
    for listing in API.LISTINGS:
        body = json.loads(API.list_page(caller(), listing, from_at, to_at, "", START).body or b"")
        assert (body["start_updated_at"], body["end_updated_at"]) == ("1795521600", "1795521661")


def entry(**told: object) -> dict[str, object]:
    return {
        "order_sn": "261124-42", "pay_amount": "5.00", "pay_time": "2026-11-24 19:58:40", "confirm_status": 1,
        "risk_control_status": 0, "receiver_name": "王小贝", "receiver_phone": "13312343069",
        "item_list": [{"goods_id": 1, "goods_name": "苹果", "goods_count": 1, "goods_price": "5"}],
    } | told  # fmt: skip


def page(entries: list[object], **more: object) -> bytes:
    told = {"order_sn_list": entries, "total_count": len(entries)} | more
    return as_json({"order_sn_increment_get_response": told})


@pytest.mark.parametrize(
    "spoiled",
    [
        entry(order_sn="4 7"), entry(order_sn=None), entry(pay_amount=None), entry(pay_amount="1e3"),
        entry(pay_amount="-1"), entry(pay_time="soon"), entry(item_list=[{}]), entry(item_list={}), 7, None, [],
        entry(confirm_status="yes"), entry(pay_time="2026-02-30 00:00:00"),
    ],
)  # fmt: skip
def test_one_bad_entry_is_set_aside_without_what_it_says_of_people(spoiled: object) -> None:
    found = API.read_page(ROW, ORDERS, MALL, page([spoiled, entry()]), START)
    sets_one_aside(found, ["paid"], PRIVATE)


@pytest.mark.parametrize("told", [None, [], {"order_sn_list": {}, "refund_list": {}}, {"total_count": -1}, {}])
def test_what_is_no_page_is_refused(told: object) -> None:
    for listing, name in ((ORDERS, "order_sn_increment_get_response"), (REFUNDS, "refund_increment_get_response")):
        with pytest.raises(BadFrame):
            API.read_page(ROW, listing, MALL, as_json({name: told}), START)

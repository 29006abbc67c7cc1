"""Taobao's open API against its fake: what is authorised, refused, polled, and that it says what the push says."""

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import BadFrame
from collectors.details import ORDER, REFUND
from collectors.hook import Need
from collectors.open_api import Answer, Tokens
from collectors.tick import Sale
from monitor.rehearsal.platforms import taobao_tmc as tmc
from monitor.rehearsal.platforms.taobao_api import FakeTaobao, yuan
from monitor.rehearsal.platforms.token_office import CallBook, PlayedOrder
from tests.orders.chinese import as_json

from .platforms import TAOBAO
from .polls import START, Clock, ask, ok, play, polled, sets_one_aside, told, verdict, window

API, ROW, SHOP, PRIVATE = TAOBAO.api, TAOBAO.row, TAOBAO.shop, TAOBAO.private
APP, KEY, SECRET = TAOBAO.app, TAOBAO.key, TAOBAO.secret
ORDERS, REFUNDS = API.LISTINGS
caller, linked, order, refunded = TAOBAO.caller, TAOBAO.linked, TAOBAO.order, TAOBAO.refunded


@pytest.fixture
def fake(clock: Clock) -> FakeTaobao:
    return TAOBAO.fake(clock)


def new(number: int, **more: object) -> PlayedOrder:
    """Made, and touched by nobody since."""
    return order(number, paid_at=None, updated_at=START - timedelta(seconds=90), **more)


def pushed(fake: FakeTaobao, one: PlayedOrder) -> list[Sale]:
    """What the platform pushes of this order, understood: each message at its time, the detail as it was then."""
    head = {"tid": int(one.order_id), "payment": yuan(one.amount_minor), "buyer_open_uid": one.buyer}
    messages: list[tuple[str, dict[str, object]]] = [("taobao_trade_TradeCreate", head)]
    if one.paid_at:
        messages.append(("taobao_trade_TradeBuyerPay", head))
    if one.cancelled_at:
        messages.append(("taobao_trade_TradeClose", head | {"status": "TRADE_CLOSED_BY_TAOBAO"}))
    for refund in one.refunds:
        if refund.done:
            back = {"refund_id": int(refund.refund_id), "refund_fee": yuan(refund.amount_minor)}
            messages.append(("taobao_refund_RefundSuccess", head | back | {"modified": "2026-11-24 19:59:30"}))
    before = FakeTaobao(KEY, SECRET, fake.now)
    play(before, before_refunds(one))
    detail = ok(API, before, API.detail(linked(before, one.shop), Need(ORDER, one.order_id, one.shop), START))
    sales: list[Sale] = []
    for topic, content in messages:
        frame = tmc.pushed(tmc.Published(1, topic, json.dumps(content), int(one.shop), 1795521540000), "tk")
        sales += ROW.parse(frame, START, APP, {(ORDER, one.order_id): detail}).sales
    return sales


def before_refunds(one: PlayedOrder) -> PlayedOrder:
    """As it was before anything came back."""
    return replace(one, refunds=[])


# --- authorisation ---


def test_most_apps_get_tokens_that_nothing_extends(clock: Clock) -> None:
    fake = FakeTaobao(KEY, SECRET, clock, fixed=True)
    shop = linked(fake)
    assert shop.tokens
    assert (shop.tokens.refresh, shop.tokens.refresh_until) == ("", None)
    assert API.refresh(shop, START) is None
    assert API.refresh(caller(), START) is None
    forced = msgspec.structs.replace(shop, tokens=msgspec.structs.replace(shop.tokens, refresh="x"))
    assert verdict(API, fake, API.refresh(forced, START)) == "forbidden"


@pytest.mark.parametrize(
    "result",
    [
        "", "[]", "{}", '{"access_token":"","expires_in":5,"taobao_user_id":"1"}',
        '{"access_token":"a","expires_in":0,"taobao_user_id":"1"}', '{"access_token":"a","expires_in":5}',
        '{"access_token":"a","expires_in":1e18,"taobao_user_id":"1"}',
        '{"access_token":"a","expires_in":5,"re_expires_in":-1,"taobao_user_id":"1"}',
        '{"access_token":"a","expires_in":5,"taobao_user_id":"1 2"}',
    ],
)  # fmt: skip
def test_what_are_no_tokens_is_refused(result: str) -> None:
    with pytest.raises(BadFrame):
        API.granted(as_json({"top_auth_token_create_response": {"token_result": result}}), None, START)
    with pytest.raises(BadFrame):
        API.granted(as_json({"tmc_user_permit_response": {"is_success": True}}), None, START)


# --- calls ---


def test_a_call_is_signed_as_the_platform_says(fake: FakeTaobao) -> None:
    """The fake computes it by itself; that it does so rightly is the published vector."""
    vector = {
        "app_key": "12345678", "fields": "num_iid,title,nick,price,num", "format": "json",
        "method": "taobao.item.seller.get", "num_iid": "11223344", "session": "test", "sign_method": "md5",
        "timestamp": "2016-01-01 12:00:00", "v": "2.0",
    }  # fmt: skip
    assert fake.sign(vector) == "66987CB115214E59E6EC978214934FB8"
    call = API.detail(caller(Tokens("token", START)), Need(ORDER, "42", SHOP), START)
    assert call is not None
    form = dict(parse_qsl((call.body or b"").decode()))
    assert (call.name, urlsplit(call.url).path) == ("taobao.trade.fullinfo.get", "/router/rest")
    assert (form["tid"], form["session"], form["timestamp"]) == ("42", "token", "2026-11-24 20:00:00")
    assert form["sign"] == fake.sign(form)
    assert not any(private in form["fields"] for private in ("receiver", "nick", "mobile", "message"))


def test_haste_and_a_spent_quota_say_how_long(clock: Clock) -> None:
    call = API.exchange(caller(), "c", "", START)
    fast = TAOBAO.fake(clock, CallBook(per_s=2))
    assert [API.judge(ask(fast, call)).wait_s for _ in range(3)] == [0, 0, 1]
    fake = TAOBAO.fake(clock, CallBook(quota={"taobao.top.auth.token.create": 0}))
    judged = API.judge(ask(fake, call))
    assert (judged.verdict, judged.detail) == ("rate", "7 accesscontrol.limited-by-app-access-count")
    assert judged.wait_s == 3600


def test_a_trade_that_is_none_is_missing(fake: FakeTaobao) -> None:
    assert verdict(API, fake, API.detail(linked(fake), Need(ORDER, "1", SHOP), START)) == "missing"
    assert API.detail(caller(), Need(REFUND, "1", SHOP), START) is None


def fault(code: object, sub_code: object = None, **more: object) -> bytes:
    return as_json({"error_response": {"code": code, "msg": "m", "sub_code": sub_code} | more})


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"tmc_user_permit_response":{}}', "ok"),
        (b"{}", "broken"),
        (b'{"other_response":{}}', "broken"),
        (b'{"tmc_user_permit_response":{"is_success":false}}', "forbidden"),
        (b'{"tmc_user_permit_response":null}', "broken"),
        (fault(4), "rate"),
        (fault(10), "broken"),
        (fault(11, "isv.permission-api-package-empty"), "forbidden"),
        (fault(11, "isv.permission-ip-whitelist-limit"), "address"),
        (fault(12), "forbidden"),
        (fault(15, "isp.remote-service-timeout"), "broken"),
        (fault(15, "isv.trade-not-exist"), "missing"),
        (fault(15, "isv.refresh-token-expired"), "revoked"),
        (fault(24), "app"),
        (fault(25), "app"),
        (fault(26), "token"),
        (fault(27, "invalid-sessionkey"), "token"),
        (fault(29), "app"),
        (fault(30), "clock"),
        (fault(31), "clock"),
        (fault("x"), "broken"),
        (b'{"error_response":[]}', "broken"),
    ],
)
def test_every_answer_has_a_verdict(body: bytes, verdict: str) -> None:
    assert API.judge(Answer(200, {}, body)).verdict == verdict
    assert API.judge(Answer(502, {}, b'{"tmc_user_permit_response":{}}')).verdict == "broken"


@given(
    st.binary(max_size=200).filter(lambda body: b"_response" not in body)
    | st.text(max_size=80).map(lambda text: fault(15, text, sub_msg=text))
)
def test_no_answer_makes_the_judge_fall_and_no_sentence_is_a_detail(body: bytes) -> None:
    judged = API.judge(Answer(200, {}, body))
    assert judged.verdict != "ok"
    assert judged.detail.isascii()
    assert " " not in judged.detail.removeprefix("15 ").removeprefix("HTTP ")


def test_a_sentence_in_the_place_of_a_code_is_not_passed_on() -> None:
    judged = API.judge(Answer(200, {}, fault(15, "收件人 张三 13800000000")))
    assert (judged.verdict, judged.detail) == ("broken", "15")


# --- polls ---


def test_what_is_polled_is_what_was_pushed(fake: FakeTaobao, clock: Clock) -> None:
    gone = new(3, cancelled_at=START - timedelta(seconds=40))
    gone.updated_at = START - timedelta(seconds=40)
    play(fake, order(1), new(2), gone, order(4, amount_minor=1), refunded(5, done=False))
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    all_pushed = told([sale for one in fake.orders.values() for sale in pushed(fake, one)])
    assert told(found).items() <= all_pushed.items()
    assert {sale.via for sale in found} == {"poll"}
    assert sorted((int(sale.order_id or 0) - 3512345678901234567) // 10 for sale in found if sale.kind == "paid") == [
        1, 4, 5,
    ]  # fmt: skip
    assert [sale.kind for sale in found if sale.kind not in ("paid",)].count("created") == 1
    assert [sale.kind for sale in found].count("cancelled") == 1
    paid = next(sale for sale in found if sale.kind == "paid")
    assert (paid.units, paid.buyer, paid.at) == (1, b"AAExyz", START - timedelta(seconds=80))
    assert [(item.item_id, item.amount_minor) for item in paid.items] == [("678901234567", paid.amount_minor)]


def test_a_refund_is_polled_and_the_payment_it_was_taken_out_of_is_left_to_the_push(
    fake: FakeTaobao, clock: Clock
) -> None:
    play(fake, refunded(1), refunded(2, amount_minor=13550))
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    all_pushed = told([sale for one in fake.orders.values() for sale in pushed(fake, one)])
    assert told(found) == {id: fact for id, fact in all_pushed.items() if fact[0] == "refunded"}
    assert sorted(sale.amount_minor for sale in found) == [4000, 13550]


def test_a_price_that_was_changed_before_it_was_paid_is_no_other_creation(fake: FakeTaobao, clock: Clock) -> None:
    """The push told the price at first; the listing tells the present one."""
    one = new(1)
    play(fake, one)
    one.amount_minor, one.updated_at = 9900, START - timedelta(seconds=50)
    assert polled(API, fake, linked(fake), ROW, window(clock), clock.at) == []


@pytest.mark.parametrize("status", ["TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO", "A_NEW_ONE", ""])
def test_a_trade_that_was_closed_or_stands_in_no_way_that_we_know_tells_no_payment(status: str) -> None:
    found = API.read_page(ROW, ORDERS, SHOP, page([entry(status=status)]), START)
    assert (list(found.sales), list(found.bad)) == ([], [])


def test_a_refund_that_went_through_is_asked_for_and_no_other_is_taken() -> None:
    form = dict(parse_qsl((API.list_page(caller(), REFUNDS, START, START, "", START).body or b"").decode()))
    assert form["status"] == "SUCCESS"
    refund = {"refund_id": 1, "tid": 42, "status": "WAIT_SELLER_AGREE", "refund_fee": "1.00"}
    told = {"refunds": {"refund": [refund | {"modified": "2026-11-24 19:59:00"}]}, "total_results": 1}
    body = as_json({"refunds_receive_get_response": told})
    assert list(API.read_page(ROW, REFUNDS, SHOP, body, START).sales) == []


def test_a_deposit_is_no_payment() -> None:
    body = page([entry(status="WAIT_BUYER_PAY", pay_time="2026-11-24 19:58:40", step_trade_status="FRONT_PAID")])
    assert list(API.read_page(ROW, ORDERS, SHOP, body, START).sales) == []


def test_a_window_is_asked_for_in_whole_seconds_that_hold_it() -> None:
    from_at, to_at = START + timedelta(seconds=0.9), START + timedelta(seconds=60.1)
    for listing in API.LISTINGS:
        form = dict(parse_qsl((API.list_page(caller(), listing, from_at, to_at, "", START).body or b"").decode()))
        assert (form["start_modified"], form["end_modified"]) == ("2026-11-24 20:00:00", "2026-11-24 20:01:01")


def entry(**told: object) -> dict[str, object]:
    return {
        "tid": 42, "status": "WAIT_SELLER_SEND_GOODS", "payment": "5.00", "created": "2026-11-24 19:58:30",
        "pay_time": "2026-11-24 19:58:40", "modified": "2026-11-24 19:59:00", "buyer_open_uid": "AAE",
        "receiver_name": "王小贝", "orders": {"order": [{"num_iid": 1, "num": 1, "divide_order_fee": "5.00"}]},
    } | told  # fmt: skip


def page(entries: list[object], **more: object) -> bytes:
    told = {"trades": {"trade": entries}, "total_results": len(entries)} | more
    return as_json({"trades_sold_increment_get_response": told})


@pytest.mark.parametrize(
    "spoiled",
    [
        entry(tid="4 7"), entry(tid=None), entry(payment=None), entry(payment="1e3"), entry(payment="-1"),
        entry(pay_time="soon"), entry(orders={"order": [{}]}), entry(orders=[]), 7, None, [], entry(tid=True),
        entry(modified="x", created="x"), entry(pay_time="2026-02-30 00:00:00"),
    ],
)  # fmt: skip
def test_one_bad_entry_is_set_aside_without_what_it_says_of_people(spoiled: object) -> None:
    found = API.read_page(ROW, ORDERS, SHOP, page([spoiled, entry()]), START)
    sets_one_aside(found, ["paid"], PRIVATE)


@pytest.mark.parametrize("told", [None, [], {"trades": []}, {"trades": {"trade": {}}}, {"total_results": -1}, {}])
def test_what_is_no_page_is_refused(told: object) -> None:
    for listing, name in ((ORDERS, "trades_sold_increment_get_response"), (REFUNDS, "refunds_receive_get_response")):
        with pytest.raises(BadFrame):
            API.read_page(ROW, listing, SHOP, as_json({name: told}), START)


def test_nothing_of_a_person_is_asked_for(fake: FakeTaobao, clock: Clock) -> None:
    play(fake, order(1), refunded(2))
    shop = linked(fake)
    calls = [API.list_page(shop, listing, *window(clock), "", clock.at) for listing in API.LISTINGS]
    for call in (*calls, API.detail(shop, Need(ORDER, order(1).order_id, SHOP), clock.at)):
        body = ok(API, fake, call).decode()
        assert order(1).order_id in body or order(2).order_id in body
        assert not any(private in body for private in PRIVATE)
    kept = msgspec.msgpack.encode(polled(API, fake, shop, ROW, window(clock), clock.at))
    assert not any(private.encode() in kept for private in PRIVATE)

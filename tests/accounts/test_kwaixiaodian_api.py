"""Kwaixiaodian's open API against its fake: three secrets, refresh tokens that inherit their end, cursors, windows."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import get_args
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import BadFrame
from collectors.details import ORDER, REFUND
from collectors.hook import Need
from collectors.open_api import Answer, Call, Caller, Listing, Tokens, Verdict
from collectors.tick import Sale
from monitor.rehearsal.platforms.kwaixiaodian_api import FakeKwaixiaodian
from monitor.rehearsal.platforms.token_office import CallBook, PlayedOrder
from tests.orders.chinese import as_json, kwaixiaodian

from .platforms import KWAIXIAODIAN, SIGN_SECRET, over_socket
from .polls import START, Clock, agree, ask, ms, ok, order_need, play, polled, pushes, sets_one_aside, verdict, window

API, APP, ROW, SHOP = KWAIXIAODIAN.api, KWAIXIAODIAN.app, KWAIXIAODIAN.row, KWAIXIAODIAN.shop
KEY, APP_SECRET, PRIVATE = KWAIXIAODIAN.key, KWAIXIAODIAN.secret, KWAIXIAODIAN.private
ORDERS, REFUNDS = API.LISTINGS
caller, linked, order, refunded = KWAIXIAODIAN.caller, KWAIXIAODIAN.linked, KWAIXIAODIAN.order, KWAIXIAODIAN.refunded


@pytest.fixture
def fake(clock: Clock) -> FakeKwaixiaodian:
    return KWAIXIAODIAN.fake(clock)


def pushed(fake: FakeKwaixiaodian, shop: Caller, one: PlayedOrder) -> list[Sale]:
    """What the platform pushes of this order, understood with the answers of its fake."""
    ids = {"oid": int(one.order_id), "sellerId": int(one.shop)}
    events: list[tuple[str, dict[str, object]]] = [
        ("kwaishop_order_addOrder", ids | {"createTime": ms(one.created_at), "buyerOpenId": one.buyer})
    ]
    if one.paid_at:
        events.append(("kwaishop_order_paySuccess", ids | {"status": 30, "updateTime": ms(one.updated_at)}))
    for refund in one.refunds:
        info = {"orderId": ids["oid"], "refundId": int(refund.refund_id), "sellerId": ids["sellerId"]}
        state = {"handlingWay": 10, "status": 60 if refund.done else 10, "updateTime": ms(refund.updated_at)}
        events.append(("kwaishop_aftersales_updateRefund", info | state))
    deliveries = [kwaixiaodian(event, info, appKey=KEY) for event, info in events]
    return pushes(API, fake, shop, ROW, APP, deliveries, START)


# --- authorisation ---


def test_a_code_becomes_tokens_once_and_then_the_seller_is_asked_for(fake: FakeKwaixiaodian) -> None:
    call = API.exchange(caller(), fake.office.code(SHOP), "", START)
    pair = API.granted(ok(API, fake, call), None, START)
    assert pair.shop == "", "the answer does not say whose they are"
    assert pair.tokens.access_until == START + timedelta(hours=48)
    assert pair.tokens.refresh_until == START + timedelta(days=180)
    assert verdict(API, fake, call) == "revoked", "a code is good once"
    grant = API.completed(caller(pair.tokens), ok(API, fake, API.complete(caller(pair.tokens), START)))
    assert (grant.shop, grant.name, grant.tokens.access) == (SHOP, f"店铺{SHOP}", pair.tokens.access)
    assert API.complete(caller(grant.tokens), START) is None, "it is asked for once"
    assert API.complete(caller(), START) is None


def test_neither_secret_nor_token_is_shown_with_a_call() -> None:
    for call in (
        API.exchange(caller(), "the-code", "", START), API.refresh(caller(Tokens("a", START, refresh="r-1")), START),
        API.detail(caller(Tokens("a-1", START)), order_need("1", SHOP), START),
    ):  # fmt: skip
        assert not any(secret in repr(call) for secret in ("secret", "the-code", "r-1", "a-1", KEY))


def test_a_refresh_voids_the_old_refresh_token_at_once_and_the_new_one_inherits_its_end(
    fake: FakeKwaixiaodian, clock: Clock
) -> None:
    old = linked(fake).tokens
    assert old is not None
    now = clock.later(hours=40)
    new = API.granted(ok(API, fake, API.refresh(caller(old), now)), old, now).tokens
    assert new.refresh != old.refresh
    assert (new.access_until, new.refresh_until) == (now + timedelta(hours=48), old.refresh_until)
    assert new.extra == old.extra, "whose it is does not change"
    judged = API.judge(ask(fake, API.refresh(caller(old), now)))
    assert (judged.verdict, judged.detail) == ("revoked", "100200102")
    play(fake, order(1))
    for tokens in (old, new):
        ok(API, fake, API.detail(caller(tokens), order_need(order(1).order_id, SHOP), now))


def test_where_the_end_of_a_refresh_token_is_not_told_it_is_that_of_the_one_before() -> None:
    body = as_json({"result": 1, "access_token": "a", "refresh_token": "r", "expires_in": 172800})
    before = Tokens("x", START, START, "y", START + timedelta(days=3))
    assert API.granted(body, before, START).tokens.refresh_until == START + timedelta(days=3)
    assert API.granted(body, None, START).tokens.refresh_until == START + timedelta(days=180)


def test_access_tokens_end_after_two_days_and_refresh_tokens_after_180(fake: FakeKwaixiaodian, clock: Clock) -> None:
    tokens = linked(fake).tokens
    now = clock.later(hours=49)
    assert verdict(API, fake, API.detail(caller(tokens), order_need("1", SHOP), now)) == "token"
    new = API.granted(ok(API, fake, API.refresh(caller(tokens), now)), tokens, now).tokens
    now = clock.later(days=178)
    assert verdict(API, fake, API.refresh(caller(new), now)) == "token"


@pytest.mark.parametrize(
    "told",
    [
        {}, {"access_token": "", "expires_in": 5}, {"access_token": "a"}, {"access_token": "a", "expires_in": 0},
        {"access_token": 5, "expires_in": 5}, [], None,
    ],
)  # fmt: skip
def test_what_holds_no_tokens_is_no_grant(told: object) -> None:
    with pytest.raises(BadFrame):
        API.granted(as_json(told), None, START)


@pytest.mark.parametrize("told", [{}, {"data": None}, {"data": {"sellerId": "2 2"}}, {"data": {"openId": "f1"}}, []])
def test_what_names_no_seller_completes_nothing(told: object) -> None:
    with pytest.raises(BadFrame):
        API.completed(caller(Tokens("a", START)), as_json(told))
    with pytest.raises(BadFrame):
        API.completed(caller(), as_json({"data": {"sellerId": 1}}))


# --- what answers say ---


def test_a_call_is_signed_with_the_third_secret_over_all_of_its_parameters() -> None:
    """The page on calls (document 401853): sorted, joined by &, the signSecret behind, HMAC-SHA256 in base64."""
    call = API.detail(caller(Tokens("token", START)), order_need("9007199254740993001", SHOP), START)
    assert call is not None
    query = dict(parse_qsl(urlsplit(call.url).query))
    assert (call.name, urlsplit(call.url).path, call.body) == ("open.order.detail", "/open/order/detail", None)
    text = (
        f"access_token=token&appkey={KEY}&method=open.order.detail"
        '&param={"oid":9007199254740993001}&signMethod=HMAC_SHA256&timestamp=1795521600000&version=1'
    ).encode() + b"&signSecret=the signSecret"
    assert query["sign"] == base64.b64encode(hmac.new(SIGN_SECRET, text, hashlib.sha256).digest()).decode()
    assert "signSecret" not in call.url


def test_the_fake_takes_the_vectors_of_the_catalogue() -> None:
    """china.md 4.1: the official demo's inputs."""
    fake = FakeKwaixiaodian("ks123", b"", Clock(), sign_secret=b"sign-secret")
    query = {
        "appkey": "ks123", "method": "open.seller.order.list", "version": "1", "param": '{"title":"短袖"}',
        "access_token": "token", "timestamp": "1583271919000",
    }  # fmt: skip
    assert fake.sign(query | {"signMethod": "MD5"}) == "6005da269b372ff10945e565ef37a4c6"
    assert fake.sign(query | {"signMethod": "HMAC_SHA256"}) == "ZpPrG0oB1g/T93FyyVD+VCzRey41yqxZoCqcGg7upYM="


def test_every_turned_part_of_a_true_call_is_refused(fake: FakeKwaixiaodian) -> None:
    play(fake, order(1))
    call = API.detail(linked(fake), order_need(order(1).order_id, SHOP), START)
    assert call is not None
    assert verdict(API, fake, call) == "ok"
    for was, turned in (
        ("90071", "90072"),
        ("timestamp=17", "timestamp=18"),
        ("/detail", "/cursor/list"),
        (KEY, "ks1"),
    ):
        assert was in call.url
        judged = API.judge(ask(fake, Call(call.name, call.url.replace(was, turned))))
        assert (judged.verdict, judged.detail) == ("broken", "0 999002")


def test_an_app_without_its_other_secrets_is_refused_and_not_at_a_loss(fake: FakeKwaixiaodian) -> None:
    bare = msgspec.structs.replace(APP, app_secrets=(), sign_secrets=())
    assert verdict(API, fake, API.exchange(caller(app=bare), fake.office.code(SHOP), "", START)) == "app"
    assert (
        verdict(API, fake, API.detail(caller(linked(fake).tokens, app=bare), order_need("1", SHOP), START)) == "broken"
    )


def test_the_platform_refuses_our_address_our_clock_and_our_haste(clock: Clock) -> None:
    book = CallBook(quota={"open.order.detail": 2}, addresses=frozenset({"192.0.2.1"}), skew_s=600)
    fake = KWAIXIAODIAN.fake(clock, book)
    shop = caller(Tokens(fake.office.issue(SHOP, START).access, START))
    late, call = (API.detail(shop, order_need("1", SHOP), at) for at in (START - timedelta(minutes=11), START))
    assert verdict(API, fake, call, "198.51.100.1") == "broken", "its number is not known"
    assert verdict(API, fake, late, "192.0.2.1") == "broken", "nor is this one"
    assert [verdict(API, fake, call, "192.0.2.1") for _ in range(2)] == ["broken", "rate"]


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"result":1}', "ok"),
        (b'{"result":100200100,"error":"invalid_request"}', "broken"),
        (b'{"result":100200101,"error":"unauthorized_client"}', "app"),
        (b'{"result":100200102,"error_msg":"invalid refresh_token"}', "token"),
        (b'{"result":100200102,"error_msg":"refreshToken.revokedAuthorization"}', "revoked"),
        (b'{"result":100200102}', "token"),
        (b'{"result":100200106,"error":"invalid_scope"}', "forbidden"),
        (b'{"result":100200500}', "broken"),
        (b'{"result":2001,"code":"807000","subCode":"2001","success":false}', "broken"),
        (b'{"result":0,"code":"802000","sub_code":"802006"}', "rate"),
        (b'{"result":0,"code":"802006"}', "rate"),
        (b'{"result":"1"}', "broken"), (b"{}", "broken"),
    ],
)  # fmt: skip
def test_every_answer_has_a_verdict(body: bytes, verdict: str) -> None:
    assert API.judge(Answer(200, {}, body)).verdict == verdict


@given(st.binary(max_size=200) | st.text(max_size=80).map(lambda text: as_json({"result": 0, "code": text})))
def test_no_answer_makes_the_judge_fall_and_no_sentence_is_a_detail(body: bytes) -> None:
    judged = API.judge(Answer(200, {}, body))
    assert judged.verdict in get_args(Verdict)
    assert judged.verdict != "ok" or json.loads(body)["result"] == 1
    assert judged.detail.isascii()


# --- orders ---


def test_what_is_polled_is_what_was_pushed(fake: FakeKwaixiaodian, clock: Clock) -> None:
    play(fake, order(1), order(2, paid_at=None), refunded(3), refunded(4, done=False), order(5, amount_minor=1))
    shop = linked(fake)
    found = polled(API, fake, shop, ROW, window(clock), clock.at)
    expected = [sale for one in fake.orders.values() for sale in pushed(fake, shop, one)]
    agree(found, expected)
    assert sum(sale.amount_minor for sale in found if sale.kind == "refunded") == 600
    assert sum(sale.kind == "paid" for sale in found) == 4


def test_an_exchange_moves_no_money() -> None:
    exchange = {"refundId": 1, "oid": 2, "updateTime": ms(START), "refundFee": 5, "status": 60, "handlingWay": 3}
    body = as_json({"result": 1, "data": {"pcursor": "nomore", "refundOrderInfoList": [exchange]}})
    assert list(API.read_page(ROW, REFUNDS, SHOP, body, START).sales) == []


def test_many_orders_and_refunds_are_read_to_the_last_page(fake: FakeKwaixiaodian, clock: Clock) -> None:
    play(fake, *(order(n, updated_at=START - timedelta(seconds=400 - n // 2)) for n in range(130)))
    play(fake, *(refunded(n) for n in range(130, 380)))
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    assert {sale.order_id for sale in found} == set(fake.orders)
    assert sum(sale.kind == "refunded" for sale in found) == 250


def test_an_order_that_is_updated_while_the_pages_are_read_hides_no_other(fake: FakeKwaixiaodian, clock: Clock) -> None:
    play(fake, *(order(n, updated_at=START - timedelta(seconds=500 - n)) for n in range(200)))
    everything = set(fake.orders)

    def touched(pages: int) -> None:
        for number in range(200 - 20 * pages, 220 - 20 * pages):
            fake.orders[order(number).order_id].updated_at = clock.at + timedelta(hours=1)

    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at, touched)
    assert {sale.order_id for sale in found} == everything


def entry(**told: object) -> dict[str, object]:
    base = {
        "oid": 9007199254740993001, "createTime": ms(START), "payTime": ms(START), "totalFee": 500, "buyerNick": "李四",
    } | told  # fmt: skip
    return {"orderBaseInfo": base, "orderItemInfo": {"itemId": 1, "num": 1}, "orderAddress": {"name": "张三"}}


@pytest.mark.parametrize(
    "spoiled",
    [
        entry(oid="9 0"), entry(oid=None), entry(totalFee=None), entry(totalFee=1.5), entry(totalFee=-1),
        entry(payTime="soon"), entry(oid=True), {"orderBaseInfo": 1}, {}, 7, None, [],
    ],
)  # fmt: skip
def test_one_bad_entry_is_set_aside_without_what_it_says_of_people(spoiled: object) -> None:
    body = as_json({"result": 1, "data": {"cursor": "nomore", "orderList": [spoiled, entry()]}})
    page = API.read_page(ROW, ORDERS, SHOP, body, START)
    sets_one_aside(page, ["created", "paid"], PRIVATE)


def test_a_refund_of_another_shop_is_set_aside() -> None:
    refund = {"refundId": 1, "oid": 2, "updateTime": ms(START), "refundFee": 5, "status": 60, "sellerId": 1}
    body = as_json({"result": 1, "data": {"pcursor": "nomore", "refundOrderInfoList": [refund]}})
    page = API.read_page(ROW, REFUNDS, SHOP, body, START)
    assert (list(page.sales), [bad.sample for bad in page.bad]) == ([], ["1"])


@pytest.mark.parametrize("data", [None, [], {}, {"cursor": None, "pcursor": None}, {"cursor": 5, "pcursor": 5}])
@pytest.mark.parametrize("listing", API.LISTINGS)
def test_what_is_no_page_is_refused(data: object, listing: Listing) -> None:
    with pytest.raises(BadFrame):
        API.read_page(ROW, listing, SHOP, as_json({"result": 1, "data": data}), START)


@pytest.mark.parametrize("listing", API.LISTINGS)
def test_a_cursor_that_leads_to_itself_does_not_lead_us_round(listing: Listing) -> None:
    body = as_json({"result": 1, "data": {"cursor": "c1", "pcursor": "c1"}})
    assert API.read_page(ROW, listing, SHOP, body, START).next == "2 c1"
    with pytest.raises(BadFrame):
        API.read_page(ROW, listing, SHOP, body, START, mark="2 c1")


def test_the_details_that_the_push_wants_have_questions(fake: FakeKwaixiaodian) -> None:
    play(fake, refunded(1))
    shop = linked(fake)
    for need in (Need(ORDER, refunded(1).order_id, SHOP), Need(REFUND, "2401150000002", SHOP)):
        ok(API, fake, API.detail(shop, need, START))
    assert API.detail(caller(), Need("live.data", "1", SHOP), START) is None


async def test_a_pair_is_refreshed_on_a_socket_as_well(fake: FakeKwaixiaodian) -> None:
    shop = linked(fake)
    body = await over_socket(fake, shop, lambda here: API.refresh(here, START))
    assert API.granted(body, shop.tokens, START).tokens.access

"""Kwaixiaodian's open API against its fake: three secrets, refresh tokens that inherit their end, cursors, windows."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import get_args
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.apis import APIS
from collectors.apis.kwaixiaodian import KwaixiaodianApi
from collectors.collector import BadFrame
from collectors.details import ORDER, REFUND
from collectors.hook import App, Need
from collectors.open_api import Answer, Call, Caller, Completing, Listing, Tokens, Verdict
from collectors.orders.kwaixiaodian import Kwaixiaodian
from collectors.tick import Sale
from monitor.rehearsal.platforms.kwaixiaodian_api import FakeKwaixiaodian
from monitor.rehearsal.platforms.token_office import CallBook, PlayedOrder, PlayedRefund
from tests.orders.chinese import KUAISHOU_KEY, as_json, kwaixiaodian, meaning

from .polls import START, Clock, ask, ok, order_need, polled, told, verdict

API = KwaixiaodianApi()
KEY, APP_SECRET, SIGN_SECRET = "ks7055555555", b"the app secret", b"the signSecret"
APP = App("kuaishou-main", "kwaixiaodian", KEY, (KUAISHOU_KEY,), app_secrets=(APP_SECRET,), sign_secrets=(SIGN_SECRET,))
ROW = Kwaixiaodian(name="ks", app="kuaishou-main")
SHOP = "2277777"
ORDERS, REFUNDS = API.LISTINGS
PRIVATE = ("张", "李四", "王五", "辽宁", "##enc")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock) -> FakeKwaixiaodian:
    return FakeKwaixiaodian(KEY, APP_SECRET, clock, sign_secret=SIGN_SECRET)


def caller(tokens: Tokens | None = None, shop: str = SHOP, app: App = APP) -> Caller:
    return Caller(app, API.BASE, API.AUTH_BASE, shop, tokens)


def linked(fake: FakeKwaixiaodian, shop: str = SHOP) -> Caller:
    """Linked as it is: a code for a pair, then whose it is."""
    now = fake.now()
    pair = API.granted(ok(API, fake, API.exchange(caller(), fake.office.code(shop), "", now)), None, now)
    half = caller(pair.tokens, shop)
    grant = API.completed(half, ok(API, fake, API.complete(half, now)))
    return caller(grant.tokens, shop)


def order(number: int, **more: object) -> PlayedOrder:
    base = {
        "order_id": str(9007199254740993001 + number), "shop": SHOP, "created_at": START - timedelta(seconds=90),
        "updated_at": START - timedelta(seconds=60), "amount_minor": 1200, "paid_at": START - timedelta(seconds=80),
        "product": "21000000000000001", "buyer": "f1buyer", "units": 2,
    }  # fmt: skip
    return PlayedOrder(**(base | more))  # type: ignore[arg-type]


def refunded(number: int, done: bool = True) -> PlayedOrder:
    refund = PlayedRefund(str(2401150000001 + number), 600, START - timedelta(seconds=30), done)
    return order(number, refunds=[refund])


def play(fake: FakeKwaixiaodian, *orders: PlayedOrder) -> None:
    fake.orders |= {one.order_id: one for one in orders}


def window(clock: Clock) -> tuple[datetime, datetime]:
    return clock.at - timedelta(minutes=10), clock.at


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


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
    sales: list[Sale] = []
    for event, info in events:
        delivery = kwaixiaodian(event, info, appKey=KEY)
        needs = meaning(ROW, delivery, APP).needs
        answers = {(need.what, need.key): ok(API, fake, API.detail(shop, need, START)) for need in needs}
        sales += meaning(ROW, delivery, APP, answers).sales
    return sales


# --- authorisation ---


def test_it_is_known_by_its_platform_and_is_of_no_use_before_it_knows_whose_a_pair_is() -> None:
    assert isinstance(APIS["kwaixiaodian"], KwaixiaodianApi)
    assert isinstance(API, Completing)


def test_the_link_names_app_callback_scopes_and_our_state() -> None:
    assert API.before_link(caller(), START) is None
    parts = urlsplit(API.link(caller(), "a.b/c=", "https://hooks.example.cn/oauth/x", b""))
    assert (parts.netloc, parts.path) == ("open.kwaixiaodian.com", "/oauth/authorize")
    assert parse_qs(parts.query) == {
        "app_id": [KEY], "redirect_uri": ["https://hooks.example.cn/oauth/x"], "state": ["a.b/c="],
        "scope": ["merchant_order,merchant_refund,user_info"], "response_type": ["code"],
    }  # fmt: skip


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


def test_nothing_but_a_link_brings_tokens() -> None:
    assert API.refresh(caller(), START) is None
    assert API.refresh(caller(Tokens("a", START)), START) is None
    assert API.own(caller(), START) is None
    assert API.app_grant(caller(), "", START) is None
    assert API.permit(caller(), START) is None


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
    fake = FakeKwaixiaodian(KEY, APP_SECRET, clock, book, SIGN_SECRET)
    shop = caller(Tokens(fake.office.issue(SHOP, START).access, START))
    late, call = (API.detail(shop, order_need("1", SHOP), at) for at in (START - timedelta(minutes=11), START))
    assert verdict(API, fake, call, "198.51.100.1") == "broken", "its number is not known"
    assert verdict(API, fake, late, "192.0.2.1") == "broken", "nor is this one"
    assert [verdict(API, fake, call, "192.0.2.1") for _ in range(2)] == ["broken", "rate"]


def test_a_shop_that_wants_us_no_more_is_revoked_until_it_links_again(fake: FakeKwaixiaodian) -> None:
    shop = linked(fake)
    fake.office.revoke(SHOP)
    assert verdict(API, fake, API.detail(shop, order_need("1", SHOP), START)) == "revoked"
    assert verdict(API, fake, API.refresh(shop, START)) == "revoked"
    play(fake, order(1))
    assert verdict(API, fake, API.detail(linked(fake), order_need(order(1).order_id, SHOP), START)) == "ok"


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
        (b"<html>", "broken"), (b"", "broken"), (b"[]", "broken"), (b'{"result":"1"}', "broken"), (b"{}", "broken"),
    ],
)  # fmt: skip
def test_every_answer_has_a_verdict(body: bytes, verdict: str) -> None:
    assert API.judge(Answer(200, {}, body)).verdict == verdict
    assert API.judge(Answer(429, {}, b"slow")).verdict == "rate"


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
    assert told(found) == told(expected)
    assert {sale.via for sale in found} == {"poll"}
    by_id = {sale.event_id: sale for sale in expected}
    for sale in found:
        theirs = by_id[sale.event_id]
        assert (sale.at, sale.units, sale.items, sale.room) == (theirs.at, theirs.units, theirs.items, theirs.room)
        assert sale.buyer == theirs.buyer
    assert sum(sale.amount_minor for sale in found if sale.kind == "refunded") == 600
    assert sum(sale.kind == "paid" for sale in found) == 4


def test_a_failed_order_is_left_to_the_push_and_an_exchange_moves_no_money(
    fake: FakeKwaixiaodian, clock: Clock
) -> None:
    play(fake, order(1, paid_at=None, cancelled_at=START - timedelta(seconds=61)))
    assert [sale.kind for sale in polled(API, fake, linked(fake), ROW, window(clock), clock.at)] == ["created"]
    exchange = {"refundId": 1, "oid": 2, "updateTime": ms(START), "refundFee": 5, "status": 60, "handlingWay": 3}
    body = as_json({"result": 1, "data": {"pcursor": "nomore", "refundOrderInfoList": [exchange]}})
    assert list(API.read_page(ROW, REFUNDS, SHOP, body, START).sales) == []


def test_only_what_was_updated_in_the_window_is_listed(fake: FakeKwaixiaodian, clock: Clock) -> None:
    from_at, to_at = window(clock)
    tick = timedelta(milliseconds=1)
    play(
        fake, order(1, updated_at=from_at - tick), order(2, updated_at=from_at), order(3, updated_at=to_at),
        order(4, updated_at=to_at + tick),
    )  # fmt: skip
    found = {sale.order_id for sale in polled(API, fake, linked(fake), ROW, (from_at, to_at), clock.at)}
    assert found == {order(2).order_id, order(3).order_id}


def test_another_shop_of_the_app_is_not_seen(fake: FakeKwaixiaodian, clock: Clock) -> None:
    play(fake, order(1), order(2, shop="999"))
    assert {sale.shop for sale in polled(API, fake, linked(fake), ROW, window(clock), clock.at)} == {SHOP}


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


@pytest.mark.parametrize("listing", API.LISTINGS)
def test_the_widest_window_that_we_name_is_taken_and_a_wider_one_is_not(
    fake: FakeKwaixiaodian, listing: Listing
) -> None:
    shop, to_at = linked(fake), START + timedelta(microseconds=700)
    for more_s, expected in ((0.0, "ok"), (2.0, "broken")):
        from_at = to_at - timedelta(seconds=listing.window_s_max + more_s)
        assert verdict(API, fake, API.list_page(shop, listing, from_at, to_at, "", START)) == expected


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
    assert [sale.kind for sale in page.sales] == ["created", "paid"]
    assert len(page.bad) == 1
    assert not any(private.encode() in page.bad[0].raw + page.bad[0].sample.encode() for private in PRIVATE)


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


def test_nothing_that_is_polled_says_who_bought(fake: FakeKwaixiaodian, clock: Clock) -> None:
    play(fake, order(1), refunded(2))
    shop = linked(fake)
    body = ok(API, fake, API.list_page(shop, ORDERS, *window(clock), "", clock.at))
    assert any(private.encode() in body for private in PRIVATE), "the answer has it"
    kept = msgspec.msgpack.encode(polled(API, fake, shop, ROW, window(clock), clock.at))
    assert not any(private.encode() in kept for private in PRIVATE)


def test_what_is_not_asked_here() -> None:
    assert API.detail(caller(), Need("live.data", "1", SHOP), START) is None
    assert not API.ROOM_BY_ORDER
    assert list(API.read_order(ROW, SHOP, "1", b"", START)) == []
    assert API.quota(caller(), "x", START) is None
    with pytest.raises(BadFrame):
        API.read_quota(b"{}", START)


def test_the_details_that_the_push_wants_have_questions(fake: FakeKwaixiaodian) -> None:
    play(fake, refunded(1))
    shop = linked(fake)
    for need in (Need(ORDER, refunded(1).order_id, SHOP), Need(REFUND, "2401150000002", SHOP)):
        ok(API, fake, API.detail(shop, need, START))


async def test_it_answers_on_a_socket_as_well(fake: FakeKwaixiaodian) -> None:
    play(fake, order(1))
    shop, base = linked(fake), await fake.serve()
    try:
        async with aiohttp.ClientSession() as http:
            here = msgspec.structs.replace(shop, base=base)
            call = API.list_page(here, ORDERS, START - timedelta(hours=1), START, "", START)
            async with http.get(call.url) as reply:
                assert len(API.read_page(ROW, ORDERS, SHOP, await reply.read(), START).sales) == 2
            again = API.refresh(here, START)
            assert again is not None
            async with http.post(again.url, data=again.body, headers=again.headers) as reply:
                assert API.granted(await reply.read(), shop.tokens, START).tokens.access
    finally:
        await fake.close()

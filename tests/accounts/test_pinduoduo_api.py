"""Pinduoduo's open API against its fake: what is authorised, refused, polled, and that it says what the push says."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.apis.pinduoduo import PinduoduoApi
from collectors.collector import BadFrame
from collectors.details import ORDER, REFUND
from collectors.hook import App, Need
from collectors.open_api import Answer, Caller, Listing, Tokens
from collectors.orders.pinduoduo_pmc import PinduoduoPmc
from collectors.tick import Sale
from monitor.rehearsal.platforms.pinduoduo_api import FakePinduoduo
from monitor.rehearsal.platforms.token_office import CallBook, PlayedOrder, PlayedRefund
from tests.orders.chinese import as_json

from .polls import ask, ok, polled, told, verdict

API = PinduoduoApi()
KEY, SECRET = "1", b"testSecret"
APP = App("pdd-main", "pinduoduo", KEY, (SECRET,))
ROW = PinduoduoPmc(name="pdd", app="pdd-main")
START = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
MALL = "9007199254740993"
ORDERS, REFUNDS = API.LISTINGS
PRIVATE = ("王小贝", "1331234", "解放路", "王五")


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def later(self, **span: float) -> datetime:
        self.at += timedelta(**span)
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock) -> FakePinduoduo:
    return FakePinduoduo(KEY, SECRET, clock)


def caller(tokens: Tokens | None = None, mall: str = MALL, auth_base: str = API.AUTH_BASE) -> Caller:
    return Caller(APP, API.BASE, auth_base, mall, tokens)


def linked(fake: FakePinduoduo, mall: str = MALL) -> Caller:
    now = fake.now()
    grant = API.granted(ok(API, fake, API.exchange(caller(), fake.office.code(mall), "", now)), None, now)
    assert grant.shop == mall
    return caller(grant.tokens, mall)


def order(number: int, **more: object) -> PlayedOrder:
    base = {
        "order_id": f"261124-{123456789012345 + number}", "shop": MALL, "created_at": START - timedelta(seconds=90),
        "updated_at": START - timedelta(seconds=60), "amount_minor": 2479, "paid_at": START - timedelta(seconds=80),
        "product": "9007199254740993",
    }  # fmt: skip
    return PlayedOrder(**(base | more))  # type: ignore[arg-type]


def refunded(number: int, amount_minor: int = 1000, done: bool = True) -> PlayedOrder:
    refund = PlayedRefund(str(5000000000 + number), amount_minor, START - timedelta(seconds=30), done)
    return order(number, refunds=[refund])


def play(fake: FakePinduoduo, *orders: PlayedOrder) -> None:
    fake.orders |= {one.order_id: one for one in orders}


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


def window(clock: Clock) -> tuple[datetime, datetime]:
    return clock.at - timedelta(minutes=10), clock.at


# --- authorisation ---


def test_the_link_names_the_app_the_state_and_where_to_call_back() -> None:
    parts = urlsplit(API.link(caller(), "s/1=", "https://hooks.example/oauth/pdd", b""))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://mms.pinduoduo.com/open.html"
    assert parse_qs(parts.query) == {
        "response_type": ["code"], "client_id": [KEY], "redirect_uri": ["https://hooks.example/oauth/pdd"],
        "state": ["s/1="],
    }  # fmt: skip
    market = caller(auth_base="https://fuwu.pinduoduo.com/service-market")
    assert API.link(market, "s", "r", b"").startswith("https://fuwu.pinduoduo.com/service-market/auth?response_type=")
    assert API.before_link(caller(), START) is None
    assert (API.own(caller(), START), API.app_grant(caller(), "", START)) == (None, None)


def test_a_code_brings_a_pair_and_whose_it_is(fake: FakePinduoduo) -> None:
    grant = API.granted(ok(API, fake, API.exchange(caller(), fake.office.code(MALL), "", START)), None, START)
    assert (grant.shop, grant.name) == (MALL, f"店铺{MALL}")
    assert grant.tokens.access_until == START + timedelta(days=1)
    assert grant.tokens.refresh_until == START + timedelta(days=30)
    assert verdict(API, fake, API.exchange(caller(), "other", "", START)) == "broken"


def test_a_refresh_voids_the_pair_before(fake: FakePinduoduo, clock: Clock) -> None:
    old = linked(fake)
    assert old.tokens
    now = clock.later(hours=20)
    grant = API.granted(ok(API, fake, API.refresh(old, now)), old.tokens, now)
    assert grant.tokens.access_until == now + timedelta(days=1)
    assert verdict(API, fake, API.refresh(old, now)) == "revoked"
    assert verdict(API, fake, API.permit(old, now)) == "token"
    assert verdict(API, fake, API.permit(caller(grant.tokens), now)) == "ok"


def test_a_pair_that_ended_is_not_refreshed(fake: FakePinduoduo, clock: Clock) -> None:
    old, now = linked(fake), clock.later(days=31)
    assert API.judge(ask(fake, API.permit(old, now))).detail == "10019"
    assert verdict(API, fake, API.permit(old, now)) == "token"
    assert verdict(API, fake, API.refresh(old, now)) == "revoked"


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


def test_a_linked_mall_is_permitted_its_messages_on_all_topics(fake: FakePinduoduo) -> None:
    call = API.permit(linked(fake), START)
    ok(API, fake, call)
    assert fake.permitted == {MALL}
    assert call is not None
    assert b"topics" not in (call.body or b"")
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


@pytest.mark.parametrize("secret", [b"another", b""])
def test_a_wrong_secret_is_the_apps_fault(secret: bytes, clock: Clock) -> None:
    assert verdict(API, FakePinduoduo(KEY, secret, clock), API.exchange(caller(), "c", "", START)) == "app"
    assert verdict(API, FakePinduoduo("2", SECRET, clock), API.exchange(caller(), "c", "", START)) == "app"


def test_the_platform_refuses_our_address_our_clock_and_our_haste(clock: Clock) -> None:
    fake = FakePinduoduo(KEY, SECRET, clock, CallBook(per_s=2, addresses=frozenset({"192.0.2.1"}), skew_s=600))
    call = API.exchange(caller(), "c", "", START)
    assert verdict(API, fake, call, "198.51.100.1") == "address"
    assert verdict(API, fake, API.exchange(caller(), "c", "", START - timedelta(minutes=11)), "192.0.2.1") == "clock"
    assert [verdict(API, fake, call, "192.0.2.1") for _ in range(3)] == ["broken", "broken", "rate"]


def test_a_spent_quota_is_a_matter_of_pace(clock: Clock) -> None:
    fake = FakePinduoduo(KEY, SECRET, clock, CallBook(quota={"pdd.pop.auth.token.create": 0}))
    judged = API.judge(ask(fake, API.exchange(caller(), "c", "", START)))
    assert (judged.verdict, judged.detail) == ("rate", "70036")


def test_a_mall_that_wants_us_no_more_is_revoked_until_it_links_again(fake: FakePinduoduo) -> None:
    mall = linked(fake)
    fake.office.revoke(MALL)
    assert verdict(API, fake, API.permit(mall, START)) == "revoked"
    assert verdict(API, fake, API.refresh(mall, START)) == "revoked"
    assert verdict(API, fake, API.permit(linked(fake), START)) == "ok"


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
        (b"<html>", "broken"),
        (b"", "broken"),
        (b"[]", "broken"),
    ],
)
def test_every_answer_has_a_verdict(body: bytes, verdict: str) -> None:
    assert API.judge(Answer(200, {}, body)).verdict == verdict
    assert API.judge(Answer(429, {}, b"slow")).verdict == "rate"
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


def test_only_what_was_updated_in_the_window_is_listed(fake: FakePinduoduo, clock: Clock) -> None:
    from_at, to_at = window(clock)
    second = timedelta(seconds=1)
    play(
        fake, order(1, updated_at=from_at - second), order(2, updated_at=from_at), order(3, updated_at=to_at),
        order(4, updated_at=to_at + second),
    )  # fmt: skip
    found = {sale.order_id for sale in polled(API, fake, linked(fake), ROW, (from_at, to_at), clock.at)}
    assert found == {order(2).order_id, order(3).order_id}


def test_a_window_is_asked_for_in_whole_seconds_that_hold_it() -> None:
    from_at, to_at = START + timedelta(seconds=0.9), START + timedelta(seconds=60.1)
    for listing in API.LISTINGS:
        body = json.loads(API.list_page(caller(), listing, from_at, to_at, "", START).body or b"")
        assert (body["start_updated_at"], body["end_updated_at"]) == ("1795521600", "1795521661")


def test_the_widest_window_is_taken_and_a_wider_one_is_not(fake: FakePinduoduo) -> None:
    mall = linked(fake)
    for listing in API.LISTINGS:
        widest, part = timedelta(seconds=listing.window_s_max), timedelta(seconds=0.4)
        assert verdict(API, fake, API.list_page(mall, listing, START + part - widest, START + part, "", START)) == "ok"
        wider = widest + timedelta(seconds=2)
        assert verdict(API, fake, API.list_page(mall, listing, START - wider, START, "", START)) == "broken"


def test_another_mall_of_the_app_is_not_seen(fake: FakePinduoduo, clock: Clock) -> None:
    play(fake, order(1), order(2, shop="999"))
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    assert {sale.shop for sale in found} == {MALL}


@pytest.mark.parametrize("number", [1, 99, 100, 101, 200, 235])
def test_many_orders_are_read_from_the_last_page_to_the_first(fake: FakePinduoduo, clock: Clock, number: int) -> None:
    play(fake, *(order(n) for n in range(number)), *(refunded(n) for n in range(number, 2 * number)))
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    assert {sale.order_id for sale in found if sale.kind == "paid"} == set(fake.orders)
    assert len({sale.event_id for sale in found if sale.kind == "refunded"}) == number


def test_an_order_that_is_updated_while_the_pages_are_read_hides_no_other(fake: FakePinduoduo, clock: Clock) -> None:
    play(fake, *(order(n, updated_at=START - timedelta(seconds=500 - n)) for n in range(300)))
    later = clock.at + timedelta(hours=1)

    def touched(pages: int) -> None:
        for number in (*range(10 * (pages - 1), 10 * pages), *range(300 - 10 * pages, 310 - 10 * pages)):
            fake.orders[order(number).order_id].updated_at = later

    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at, touched)
    left = {one.order_id for one in fake.orders.values() if one.updated_at != later}
    assert left <= {sale.order_id for sale in found}


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
    assert [sale.kind for sale in found.sales] == ["paid"]
    assert len(found.bad) == 1
    assert not any(private.encode() in found.bad[0].raw + found.bad[0].sample.encode() for private in PRIVATE)


@pytest.mark.parametrize("told", [None, [], {"order_sn_list": {}, "refund_list": {}}, {"total_count": -1}, {}])
def test_what_is_no_page_is_refused(told: object) -> None:
    for listing, name in ((ORDERS, "order_sn_increment_get_response"), (REFUNDS, "refund_increment_get_response")):
        with pytest.raises(BadFrame):
            API.read_page(ROW, listing, MALL, as_json({name: told}), START)


@pytest.mark.parametrize("listing", API.LISTINGS)
def test_an_empty_page_is_the_last_one(fake: FakePinduoduo, clock: Clock, listing: Listing) -> None:
    body = ok(API, fake, API.list_page(linked(fake), listing, *window(clock), "", clock.at))
    found = API.read_page(ROW, listing, MALL, body, START)
    assert (list(found.sales), found.next) == ([], "")


def test_nothing_that_is_polled_says_who_bought(fake: FakePinduoduo, clock: Clock) -> None:
    play(fake, order(1), refunded(2))
    mall = linked(fake)
    body = ok(API, fake, API.list_page(mall, ORDERS, *window(clock), "", clock.at)).decode()
    assert any(private in body for private in PRIVATE), "the answer has it"
    kept = msgspec.msgpack.encode(polled(API, fake, mall, ROW, window(clock), clock.at))
    assert not any(private.encode() in kept for private in PRIVATE)


def test_what_there_is_not() -> None:
    assert API.quota(caller(), "pdd.order.information.get", START) is None
    assert not API.ROOM_BY_ORDER
    assert list(API.read_order(ROW, MALL, "1", b"", START)) == []
    with pytest.raises(BadFrame):
        API.read_quota(b"{}", START)


async def test_it_answers_on_a_socket_as_well(fake: FakePinduoduo) -> None:
    play(fake, order(1))
    mall = linked(fake)
    base = await fake.serve()
    try:
        there = msgspec.structs.replace(mall, base=base)
        call = API.list_page(there, ORDERS, START - timedelta(minutes=20), START, "", START)
        async with (
            aiohttp.ClientSession() as http,
            http.post(call.url, data=call.body, headers=call.headers) as reply,
        ):
            body = await reply.read()
        assert [sale.kind for sale in API.read_page(ROW, ORDERS, MALL, body, START).sales] == ["paid"]
    finally:
        await fake.close()

"""JD's open API against its fake: what is authorised, refused and polled."""

import re
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.collector import BadFrame
from collectors.hook import Need
from collectors.open_api import Answer, Call, Caller, Tokens
from collectors.tick import Sale
from monitor.rehearsal.platforms.jd_api import FakeJd, written
from monitor.rehearsal.platforms.token_office import CallBook
from tests.orders.signed import as_body

from .platforms import JD
from .polls import START, Clock, ok, order_need, play, polled, verdict, window

API, APP, ROW, SHOP, PRIVATE = JD.api, JD.app, JD.row, JD.shop, JD.private
KEY, SECRET = JD.key, JD.secret
(ORDERS,) = API.LISTINGS
caller, linked, order = JD.caller, JD.linked, JD.order


@pytest.fixture
def fake(clock: Clock) -> FakeJd:
    return JD.fake(clock)


def asked(asking: Caller, now: datetime = START) -> Call:
    return API.list_page(asking, ORDERS, now - timedelta(minutes=10), now, "", now)


def facts(sales: list[Sale]) -> dict[str, tuple[int, datetime]]:
    return {sale.event_id: (sale.amount_minor, sale.at) for sale in sales}


# --- authorisation ---


def test_a_code_becomes_tokens_once(fake: FakeJd) -> None:
    call = API.exchange(caller(), fake.office.code(SHOP), "", START)
    grant = API.granted(ok(API, fake, call), None, START)
    assert (grant.shop, grant.anchor, grant.name) == ("", "", ""), "the platform names none"
    assert (grant.tokens.access_until, grant.tokens.refresh_until) == (START + timedelta(days=30), None)
    assert verdict(API, fake, call) == "token", "a code is good once"
    other = Caller(msgspec.structs.replace(APP, secrets=(b"another",)), API.BASE, API.AUTH_BASE, SHOP)
    assert verdict(API, fake, API.exchange(other, "c", "", START)) == "app"
    assert next(iter(fake.office.by_access)) not in repr(grant.tokens) + repr(call)


def test_a_pair_is_refreshed_within_its_last_day_and_neither_before_nor_after(fake: FakeJd, clock: Clock) -> None:
    assert API.REFRESH_WINDOW_S == 86_400
    old = linked(fake).tokens
    now = clock.later(days=28, hours=23)
    assert verdict(API, fake, API.refresh(caller(old), now)) == "token", "too early"
    now = clock.later(hours=2)
    new = API.granted(ok(API, fake, API.refresh(caller(old), now)), old, now).tokens
    assert new.access_until == now + timedelta(days=30)
    assert verdict(API, fake, asked(caller(new), now)) == "ok"
    assert verdict(API, fake, asked(caller(old), now)) == "token", "the old one is void"
    now = clock.later(days=30)
    assert verdict(API, fake, asked(caller(new), now)) == "token"
    assert verdict(API, fake, API.refresh(caller(new), now)) == "token", "its end is the end of both"


def test_a_refresh_that_names_no_refresh_token_keeps_the_one_before() -> None:
    before = Tokens("a", START, START, "r")
    assert API.granted(b'{"access_token":"b","expires_in":60}', before, START).tokens.refresh == "r"
    assert API.granted(b'{"access_token":"b","expires_in":60}', None, START).tokens.refresh == ""


@pytest.mark.parametrize(
    "told",
    [
        {}, {"access_token": "", "expires_in": 5}, {"access_token": "a"}, {"access_token": "a", "expires_in": 0},
        {"access_token": "a", "expires_in": -5}, {"access_token": 5, "expires_in": 5}, [], None,
        {"access_token": "a", "expires_in": 1795521600}, {"access_token": "a", "expires_in": "soon"},
        {"code": 402, "msg": "expired"},
    ],
)  # fmt: skip
def test_what_holds_no_tokens_is_no_grant(told: object) -> None:
    with pytest.raises(BadFrame):
        API.granted(as_body(told), None, START)


# --- what answers say ---


def test_a_true_call_is_taken_and_every_turned_part_of_it_is_not(fake: FakeJd) -> None:
    call = asked(linked(fake))
    assert verdict(API, fake, call) == "ok"
    body = call.body or b""
    for one, other in (
        (b"timestamp=2026-11-24+20%3A00%3A00", b"timestamp=2026-11-24+20%3A00%3A01"), (b"v=2.0", b"v=1.0"),
        (b"pop.order.search", b"pop.order.get"), (b"%22ALL%22", b"%22ANY%22"),
    ):  # fmt: skip
        assert one in body
        assert verdict(API, fake, msgspec.structs.replace(call, body=body.replace(one, other))) == "app"
    other_app = msgspec.structs.replace(APP, secrets=(b"another",))
    tokens = linked(fake).tokens
    assert verdict(API, fake, asked(caller(tokens, app=other_app))) == "app"
    assert verdict(API, fake, asked(caller(tokens, app=msgspec.structs.replace(APP, key="other")))) == "app"
    assert verdict(API, fake, asked(caller(Tokens("none", START)))) == "token"


def test_a_call_is_signed_as_the_recipe_of_the_catalogue_says() -> None:
    """china.md 8: upper MD5 of secret + sorted name and value + secret. The fake computes it anew, its vector too."""
    call = asked(caller(Tokens("token", START)))
    form = dict(parse_qsl((call.body or b"").decode()))
    assert (call.name, call.url) == ("jingdong.pop.order.search", "https://api.jd.com/routerjson")
    assert form["sign"] == FakeJd(KEY, SECRET, Clock()).sign(form)
    vector = {
        "360buy_param_json": '{"end_date":null,"optional_fields":null,"order_state":"WAIT_SELLER_STOCK_OUT","page":"1",'
        '"page_size":"200","start_date":null}',
        "access_token": "yourtoken", "app_key": "yourappkey", "method": "jingdong.pop.order.search",
        "timestamp": "2021-05-07 09:20:39.683+0800", "v": "2.0",
    }  # fmt: skip
    assert FakeJd("", b"yourappSecret", Clock()).sign(vector) == "D70825340F4084360B9362B60DFD7930"


def test_an_order_is_asked_for_without_the_person_behind_it() -> None:
    form = dict(parse_qsl((asked(caller()).body or b"").decode()))
    params = msgspec.json.decode(form["360buy_param_json"])
    fields = set(params["optional_fields"].split(","))
    assert not fields & {"pin", "consigneeInfo", "orderRemark", "invoiceInfo", "vatInfo", "realPin"}
    assert (params["page"], params["page_size"], params["dateType"], params["order_state"]) == ("1", "100", 0, "ALL")
    assert (params["start_date"], params["end_date"]) == ("2026-11-24 19:50:00", "2026-11-24 20:00:00"), "of Shanghai"


def test_the_platform_refuses_our_clock_and_our_haste(clock: Clock) -> None:
    fake = JD.fake(clock, CallBook(per_s=3))
    asking = linked(fake)
    for minutes, said in ((-11, "clock"), (-10, "ok"), (10, "ok"), (11, "clock")):
        assert verdict(API, fake, asked(asking, START + timedelta(minutes=minutes))) == said
    assert [verdict(API, fake, asked(asking)) for _ in range(2)] == ["ok", "rate"]


def test_a_quota_that_is_used_up_is_haste_too(clock: Clock) -> None:
    fake = JD.fake(clock, CallBook(quota={"jingdong.pop.order.search": 1}))
    assert [verdict(API, fake, asked(linked(fake))) for _ in range(2)] == ["ok", "rate"]


SEARCHED = b'{"jingdong_pop_order_search_responce":{"code":"0","searchorderinfo_result":{"apiResult":%s}}}'


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"error_response":{"code":"2"}}', "rate"),
        (b'{"error_response":{"code":8}}', "clock"),
        (b'{"error_response":{"code":"12"}}', "app"),
        (b'{"error_response":{"code":"19"}}', "token"),
        (b'{"error_response":{"code":"22"}}', "revoked"),
        (b'{"error_response":{"code":"24"}}', "forbidden"),
        (b'{"error_response":{"code":"65"}}', "broken"),
        (b'{"error_response":{}}', "broken"),
        (SEARCHED % b'{"success":true}', "ok"),
        (SEARCHED % b'{"success":"true"}', "ok"),
        (SEARCHED % b'{"success":false,"numberCode":"10400004"}', "broken"),
        (SEARCHED % b'{"success":"false"}', "broken"),
        (SEARCHED % b"null", "broken"),
        (b'{"jingdong_pop_order_search_responce":{"code":"19"}}', "token"),
        (b'{"jingdong_pop_order_search_responce":{"code":"0"}}', "broken"),
        (b'{"access_token":"a","expires_in":5}', "ok"),
        (b'{"access_token":"a","code":0}', "ok"),
        (b'{"access_token":"a","code":5}', "broken"),
        (b'{"code":402,"msg":"expired"}', "broken"),
        (b'{"code":402,"msg":"Refresh_Token expired"}', "token"),
        ('{"code":"5","msg":"授权已取消"}'.encode(), "token"),
        ('{"code":5,"msg":"调用频繁"}'.encode(), "rate"),
        (b'{"code":5,"msg":"invalid app_secret for this token"}', "app"),
        (b'{"code":0,"msg":"token"}', "broken"),
        (b'{"msg":"token"}', "broken"),
        (b"{}", "broken"),
    ],
)
def test_every_answer_has_a_verdict(body: bytes, verdict: str) -> None:
    assert API.judge(Answer(200, {}, body)).verdict == verdict
    assert API.judge(Answer(429, {}, b'{"code":402}')).verdict == "rate"
    assert API.judge(Answer(503, {}, b'{"code":402,"msg":"token service is down"}')).verdict == "broken"


@given(
    st.binary(max_size=200)
    | st.text(max_size=80).map(lambda text: as_body({"error_response": {"code": text}, "msg": text}))
)
@settings(deadline=None)
def test_no_answer_makes_the_judge_fall_and_no_sentence_is_a_detail(body: bytes) -> None:
    assert re.fullmatch(r"HTTP 200|[\w.:-]{0,80}", API.judge(Answer(200, {}, body)).detail, re.ASCII)


# --- polls ---


def test_a_page_tells_when_it_was_ordered_paid_and_cancelled_and_what_is_to_be_paid(fake: FakeJd, clock: Clock) -> None:
    at = START - timedelta(seconds=61)
    play(
        fake, order(1), order(2, paid_at=None), order(3, cancelled_at=at, amount_minor=1),
        order(4, paid_at=None, cancelled_at=at),
    )  # fmt: skip
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    made, paid = START - timedelta(seconds=90), START - timedelta(seconds=80)
    first, second, third, fourth = (f"{SHOP}:{order(n).order_id}" for n in range(1, 5))
    assert facts(found) == {
        f"{first}:created": (0, made), f"{first}:paid": (19900, paid), f"{second}:created": (0, made),
        f"{third}:created": (0, made), f"{third}:paid": (1, paid), f"{third}:cancelled": (0, at),
        f"{fourth}:created": (0, made), f"{fourth}:cancelled": (0, at),
    }  # fmt: skip
    sale = next(sale for sale in found if sale.kind == "paid")
    assert (sale.feed, sale.platform, sale.shop, sale.currency, sale.via) == ("jd", "jd", SHOP, "CNY", "poll")
    assert (sale.units, sale.buyer, sale.room) == (2, b"oBuyer1", None)
    assert [(item.item_id, item.title, item.units, item.amount_minor) for item in sale.items] == [
        ("10054887745652", "沐浴手套", 2, None)
    ]


def test_an_order_that_is_not_paid_is_no_payment_whatever_else_it_says() -> None:
    entry = written(order(1)) | {"orderState": "NOT_PAY"}
    assert [sale.kind for sale in read([entry]).sales] == ["created"]
    entry = written(order(1)) | {"paymentConfirmTime": "1970-01-01 00:00:00", "orderEndTime": None}
    assert [sale.kind for sale in read([entry]).sales] == ["created"]


def test_an_order_that_came_to_its_end_as_it_should_is_not_cancelled() -> None:
    entry = written(order(1)) | {"orderState": "FINISHED_L", "orderEndTime": "2026-11-24 19:59:00"}
    assert [sale.kind for sale in read([entry]).sales] == ["created", "paid"]


def test_no_page_needs_a_detail() -> None:
    assert API.detail(caller(), order_need("1", SHOP), START) is None
    assert API.detail(caller(), Need("refund.detail", "1", SHOP), START) is None


def test_a_window_is_asked_for_in_whole_seconds_that_hold_it() -> None:
    from_at, to_at = START + timedelta(seconds=0.9), START + timedelta(seconds=60.1)
    form = dict(parse_qsl((API.list_page(caller(), ORDERS, from_at, to_at, "", START).body or b"").decode()))
    params = msgspec.json.decode(form["360buy_param_json"])
    assert (params["start_date"], params["end_date"]) == ("2026-11-24 20:00:00", "2026-11-24 20:01:01")


def page_body(entries: object, total: int = 1) -> bytes:
    result = {"apiResult": {"success": True}, "orderTotal": total, "orderInfoList": entries}
    return as_body({"jingdong_pop_order_search_responce": {"code": "0", "searchorderinfo_result": result}})


def read(entries: object, total: int = 1, shop: str = SHOP):  # type: ignore[no-untyped-def]
    return API.read_page(ROW, ORDERS, shop, page_body(entries, total), START)


def test_one_bad_order_costs_one_and_keeps_nothing_of_a_person() -> None:
    bad = written(order(2)) | {"orderPayment": "1.2.3"}
    page = read([bad, written(order(1)), {"orderId": "../x"}, "x"])
    assert [sale.kind for sale in page.sales] == ["created", "paid"]
    assert [one.sample for one in page.bad] == [order(2).order_id, "entry 3", "entry 4"]
    assert not any(name in one.raw.decode() for one in page.bad for name in PRIVATE)


def test_orders_of_another_shop_are_refused_as_a_whole_so_that_the_poll_does_not_go_past_them() -> None:
    assert read([written(order(1)) | {"venderId": int(SHOP)}]).sales
    with pytest.raises(BadFrame, match="another shop"):
        read([written(order(1)), written(order(2)) | {"venderId": "1"}])


@pytest.mark.parametrize(
    ("entries", "total"),
    [
        (None, 0), ({}, 0), ([], 1), ([{}], 2), ([written(order(1))], -1), ([written(order(1))], 10**12),
        ([written(order(1)), written(order(2, updated_at=START - timedelta(days=1)))], 3),
        ([written(order(1)) | {"modified": "yesterday"}], 2),
    ],
)  # fmt: skip
def test_a_page_that_cannot_be_read_or_gone_on_from_is_refused_as_a_whole(entries: object, total: int) -> None:
    with pytest.raises(BadFrame):
        read(entries, total)


def test_a_form_is_written_as_browsers_write_it() -> None:
    call = asked(caller(Tokens("a+b", START)))
    assert call.body == urlencode(dict(parse_qsl((call.body or b"").decode()))).encode()
    assert b"access_token=a%2Bb" in (call.body or b"")

"""JD's open API against its fake: what is authorised, refused and polled."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import aiohttp
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.apis import APIS
from collectors.apis.jd import JdApi
from collectors.collector import BadFrame
from collectors.hook import App, Need
from collectors.open_api import Answer, Call, Caller, Tokens
from collectors.orders.jd_orders import JdOrders
from collectors.tick import Sale
from monitor.rehearsal.platforms.jd_api import FakeJd, written
from monitor.rehearsal.platforms.token_office import CallBook, PlayedOrder
from tests.orders.signed import as_body

from .polls import ask, ok, order_need, polled, verdict

API = JdApi()
KEY, SECRET = "A2B5AF66DEF5176F5F39239584E3DA27", b"an old secret of 32 bytes or more"
APP = App("jd-main", "jd", KEY, (SECRET,))
ROW = JdOrders(name="jd", app="jd-main")
START = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
SHOP = "10622317"
(ORDERS,) = API.LISTINGS
PRIVATE = ("张", "zhangsan", "王五", "1380000", "辽宁")


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
def fake(clock: Clock) -> FakeJd:
    return FakeJd(KEY, SECRET, clock)


def caller(tokens: Tokens | None = None, shop: str = SHOP, app: App = APP) -> Caller:
    return Caller(app, API.BASE, API.AUTH_BASE, shop, tokens)


def linked(fake: FakeJd, shop: str = SHOP) -> Caller:
    now = fake.now()
    grant = API.granted(ok(API, fake, API.exchange(caller(), fake.office.code(shop), "", now)), None, now)
    return caller(grant.tokens, shop)


def order(number: int, **more: object) -> PlayedOrder:
    base = {
        "order_id": str(249786309000 + number), "shop": SHOP, "created_at": START - timedelta(seconds=90),
        "updated_at": START - timedelta(seconds=60), "amount_minor": 19900, "paid_at": START - timedelta(seconds=80),
        "product": "10054887745652", "title": "沐浴手套", "units": 2, "buyer": "oBuyer1",
    }  # fmt: skip
    return PlayedOrder(**(base | more))  # type: ignore[arg-type]


def play(fake: FakeJd, *orders: PlayedOrder) -> None:
    fake.orders |= {one.order_id: one for one in orders}


def window(clock: Clock) -> tuple[datetime, datetime]:
    return clock.at - timedelta(minutes=10), clock.at


def asked(asking: Caller, now: datetime = START) -> Call:
    return API.list_page(asking, ORDERS, now - timedelta(minutes=10), now, "", now)


def facts(sales: list[Sale]) -> dict[str, tuple[int, datetime]]:
    return {sale.event_id: (sale.amount_minor, sale.at) for sale in sales}


# --- authorisation ---


def test_it_is_known_by_its_platform() -> None:
    assert isinstance(APIS["jd"], JdApi)


def test_the_link_names_the_app_where_to_come_back_and_our_state() -> None:
    assert API.before_link(caller(), START) is None
    parts = urlsplit(API.link(caller(), "a.b/c=", "https://hooks.example.cn/oauth/jd-main", b""))
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "open-oauth.jd.com", "/oauth2/to_login")
    assert parse_qs(parts.query) == {
        "app_key": [KEY], "response_type": ["code"], "state": ["a.b/c="], "scope": ["snsapi_base"],
        "redirect_uri": ["https://hooks.example.cn/oauth/jd-main"],
    }  # fmt: skip


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


def test_nothing_can_be_refreshed_without_a_refresh_token_and_no_key_brings_tokens() -> None:
    assert API.refresh(caller(), START) is None
    assert API.refresh(caller(Tokens("a", START)), START) is None
    assert API.own(caller(), START) is API.app_grant(caller(), "", START) is API.permit(caller(), START) is None


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
    fake = FakeJd(KEY, SECRET, clock, CallBook(per_s=3))
    asking = linked(fake)
    for minutes, said in ((-11, "clock"), (-10, "ok"), (10, "ok"), (11, "clock")):
        assert verdict(API, fake, asked(asking, START + timedelta(minutes=minutes))) == said
    assert [verdict(API, fake, asked(asking)) for _ in range(2)] == ["ok", "rate"]


def test_a_quota_that_is_used_up_is_haste_too(clock: Clock) -> None:
    fake = FakeJd(KEY, SECRET, clock, CallBook(quota={"jingdong.pop.order.search": 1}))
    assert [verdict(API, fake, asked(linked(fake))) for _ in range(2)] == ["ok", "rate"]


def test_a_shop_that_wants_us_no_more_has_tokens_that_are_not_good_and_works_after_a_new_link(fake: FakeJd) -> None:
    asking = linked(fake)
    fake.office.revoke(SHOP)
    assert verdict(API, fake, asked(asking)) == "token"
    assert verdict(API, fake, API.refresh(asking, START)) == "token"
    assert verdict(API, fake, asked(linked(fake))) == "ok"


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
        (b"<html>", "broken"),
        (b"", "broken"),
        (b"[]", "broken"),
    ],
)
def test_every_answer_has_a_verdict(body: bytes, verdict: str) -> None:
    assert API.judge(Answer(200, {}, body)).verdict == verdict
    assert API.judge(Answer(429, {}, b"slow")).verdict == "rate"
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
    assert API.read_order(ROW, SHOP, "1", b"", START) == ()


def test_only_what_was_updated_in_the_window_is_listed(fake: FakeJd, clock: Clock) -> None:
    from_at, to_at = window(clock)
    second = timedelta(seconds=1)
    play(
        fake, order(1, updated_at=from_at - second), order(2, updated_at=from_at), order(3, updated_at=to_at),
        order(4, updated_at=to_at + second),
    )  # fmt: skip
    found = {sale.order_id for sale in polled(API, fake, linked(fake), ROW, (from_at, to_at), clock.at)}
    assert found == {order(2).order_id, order(3).order_id}


def test_a_window_is_asked_for_in_whole_seconds_that_hold_it_and_one_of_a_month_is_taken(
    fake: FakeJd, clock: Clock
) -> None:
    from_at, to_at = START + timedelta(seconds=0.9), START + timedelta(seconds=60.1)
    form = dict(parse_qsl((API.list_page(caller(), ORDERS, from_at, to_at, "", START).body or b"").decode()))
    params = msgspec.json.decode(form["360buy_param_json"])
    assert (params["start_date"], params["end_date"]) == ("2026-11-24 20:00:00", "2026-11-24 20:01:01")
    asking = linked(fake)
    for over_s, said in ((0, "ok"), (4 * 86_400, "broken")):
        since = START - timedelta(seconds=ORDERS.window_s_max + over_s)
        assert verdict(API, fake, API.list_page(asking, ORDERS, since, START, "", START)) == said


def test_many_orders_are_read_to_the_last_page(fake: FakeJd, clock: Clock) -> None:
    play(fake, *(order(n, updated_at=START - timedelta(seconds=400 - n // 2)) for n in range(520)))
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    assert {sale.order_id for sale in found} == set(fake.orders)


@pytest.mark.parametrize("before", [[], [order(999, updated_at=START - timedelta(seconds=61))]])
def test_many_orders_of_one_second_are_read_to_the_last_page(
    fake: FakeJd, clock: Clock, before: list[PlayedOrder]
) -> None:
    play(fake, *before, *(order(n) for n in range(450)))
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    assert {sale.order_id for sale in found} == set(fake.orders)


def test_an_order_that_is_updated_while_the_pages_are_read_hides_no_other(fake: FakeJd, clock: Clock) -> None:
    play(fake, *(order(n, updated_at=START - timedelta(seconds=500 - n)) for n in range(300)))
    to_at = clock.at

    def touched(pages: int) -> None:
        for number in range(30 * (pages - 1), 30 * pages):
            fake.orders[order(number).order_id].updated_at = to_at + timedelta(hours=1)

    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at, touched)
    assert {sale.order_id for sale in found} == set(fake.orders)


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


@given(st.binary(max_size=300).filter(lambda noise: b"access_token" not in noise))
@settings(deadline=None)
def test_noise_is_never_a_page_nor_tokens(noise: bytes) -> None:
    with pytest.raises(BadFrame):
        API.read_page(ROW, ORDERS, SHOP, noise, START)
    with pytest.raises(BadFrame):
        API.granted(noise, None, START)


@given(
    amount=st.integers(0, 10**9), units=st.integers(1, 5), paid=st.booleans(), cancelled=st.booleans(),
    title=st.text(max_size=40).filter(lambda text: not any(name in text for name in PRIVATE)),
)  # fmt: skip
@settings(deadline=None)
def test_no_sale_holds_a_name_a_phone_or_an_address(
    amount: int, units: int, paid: bool, cancelled: bool, title: str
) -> None:
    at = START - timedelta(seconds=70)
    one = order(
        1, amount_minor=amount, units=units, title=title, paid_at=at if paid else None,
        cancelled_at=at if cancelled else None,
    )  # fmt: skip
    page = read([written(one)])
    assert sum(sale.amount_minor for sale in page.sales) == (amount if paid else 0)
    assert not any(name in repr(page.sales) for name in PRIVATE)


def test_there_is_no_quota_to_ask_for() -> None:
    assert API.quota(caller(), "jingdong.pop.order.search", START) is None
    with pytest.raises(BadFrame, match="no_quota"):
        API.read_quota(b"{}", START)


async def test_the_fake_says_the_same_over_a_socket(fake: FakeJd) -> None:
    play(fake, order(1))
    base = await fake.serve()
    try:
        call = asked(Caller(APP, base, base, SHOP, linked(fake).tokens))
        async with aiohttp.ClientSession() as http, http.post(call.url, data=call.body, headers=call.headers) as answer:
            body = await answer.read()
    finally:
        await fake.close()
    assert body == ask(fake, call).body
    assert [sale.kind for sale in API.read_page(ROW, ORDERS, SHOP, body, START).sales] == ["created", "paid"]


def test_a_form_is_written_as_browsers_write_it() -> None:
    call = asked(caller(Tokens("a+b", START)))
    assert call.body == urlencode(dict(parse_qsl((call.body or b"").decode()))).encode()
    assert b"access_token=a%2Bb" in (call.body or b"")

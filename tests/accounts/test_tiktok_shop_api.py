"""TikTok Shop's open API against its fake: what is authorised, refused, polled, and that it says what the push says."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.apis.tiktok_shop import CIPHER
from collectors.collector import BadFrame
from collectors.details import ORDER, REFUND
from collectors.hook import App, Need
from collectors.open_api import Answer, Call, Caller, Tokens
from collectors.tick import Sale
from monitor.rehearsal.platforms.tiktok_shop_api import FakeTiktokShop, written
from monitor.rehearsal.platforms.token_office import CallBook, PlayedOrder
from tests.orders.signed import as_body, tiktok, understood

from .platforms import TIKTOK_SHOP, over_socket
from .polls import START, Clock, ask, details, ok, order_need, play, polled, told, verdict, window

API, APP, ROW, PRIVATE = TIKTOK_SHOP.api, TIKTOK_SHOP.app, TIKTOK_SHOP.row, TIKTOK_SHOP.private
KEY, SECRET, SHOP, OTHER = TIKTOK_SHOP.key, TIKTOK_SHOP.secret, TIKTOK_SHOP.shop, TIKTOK_SHOP.stranger
(ORDERS,) = API.LISTINGS
caller, linked, order = TIKTOK_SHOP.caller, TIKTOK_SHOP.linked, TIKTOK_SHOP.order


@pytest.fixture
def fake(clock: Clock) -> FakeTiktokShop:
    return TIKTOK_SHOP.fake(clock)


def exchanged(fake: FakeTiktokShop, seller: str = SHOP) -> Tokens:
    now = fake.now()
    return API.granted(ok(API, fake, API.exchange(caller(), fake.office.code(seller), "", now)), None, now).tokens


def pushed(fake: FakeTiktokShop, one: PlayedOrder, asking: Caller) -> list[Sale]:
    """What the platform pushes of this order, understood, with the details that it wants."""
    states = {"UNPAID": one.created_at, "AWAITING_SHIPMENT": one.paid_at, "CANCELLED": one.cancelled_at}
    sales: list[Sale] = []
    for status, at in states.items():
        if at is not None:
            data = {"order_id": one.order_id, "order_status": status, "update_time": int(at.timestamp())}
            push = tiktok({"type": 1, "tts_notification_id": "7", "shop_id": one.shop, "data": data}, KEY, SECRET)
            needs = understood(ROW, push, APP).needs
            sales += understood(ROW, push, APP, details=details(API, fake, asking, needs, fake.now())).sales
    return sales


def asked_orders(tokens: Tokens | None, now: datetime) -> Call:
    return API.list_page(caller(tokens), ORDERS, START, now, "", now)


# --- authorisation ---


def test_a_link_leads_to_the_page_of_its_region_and_tokens_come_from_one_host() -> None:
    played = Caller(APP, "http://127.0.0.1:1", "http://127.0.0.1:2", SHOP)
    assert API.link(played, "s", "", b"").startswith("http://127.0.0.1:2/open/authorize?")
    american = Caller(APP, API.BASE, "https://services.us.tiktokshop.com", SHOP, Tokens("a", START, refresh="r"))
    assert API.link(american, "s", "", b"").startswith("https://services.us.tiktokshop.com/open/authorize?")
    for call in (API.exchange(american, "c", "", START), API.refresh(american, START)):
        assert call is not None
        assert urlsplit(call.url).netloc == "auth.tiktok-shops.com", "tokens come from one host everywhere"


def test_a_code_becomes_tokens_once_and_their_ends_are_instants(fake: FakeTiktokShop) -> None:
    call = API.exchange(caller(), fake.office.code(SHOP), "", START)
    assert call.body is None, "the platform takes no POST here"
    grant = API.granted(ok(API, fake, call), None, START)
    assert (grant.shop, grant.anchor, grant.name) == ("", "", f"Seller {SHOP}")
    assert grant.tokens.access_until == START + timedelta(days=7)
    assert grant.tokens.refresh_until == START + timedelta(days=365)
    assert verdict(API, fake, call) == "revoked", "a code is good once"
    assert next(iter(fake.office.by_access)) not in repr(grant.tokens) + repr(call)


def test_the_shop_and_its_cipher_are_asked_for_after_the_code(fake: FakeTiktokShop) -> None:
    asking = caller(exchanged(fake))
    play(fake, order(1))
    assert verdict(API, fake, API.detail(asking, order_need(order(1).order_id, SHOP), START)) == "forbidden"
    grant = API.completed(asking, ok(API, fake, API.complete(asking, START)))
    assert (grant.shop, grant.name) == (SHOP, f"Shop {SHOP}")
    assert grant.tokens.extra == {CIPHER: f"GBP_{SHOP}_cipher=="}
    assert grant.tokens.access == asking.access
    assert API.complete(caller(grant.tokens), START) is API.complete(caller(), START) is None
    ok(API, fake, API.detail(caller(grant.tokens), order_need(order(1).order_id, SHOP), START))


def test_of_a_seller_with_several_shops_the_linked_one_is_taken_and_another_is_told_as_it_is(
    fake: FakeTiktokShop,
) -> None:
    fake.shops_of["seller"] = [OTHER, SHOP]
    tokens = exchanged(fake, "seller")
    body = ok(API, fake, API.complete(caller(tokens), START))
    assert API.completed(caller(tokens), body).shop == SHOP
    assert API.completed(caller(tokens, "1"), body).shop == OTHER, "so that whoever links sees that it is another"
    play(fake, order(1), order(2, shop=OTHER))
    for shop in (SHOP, OTHER):
        asking = caller(API.completed(caller(tokens, shop), body).tokens, shop)
        assert {sale.shop for sale in polled(API, fake, asking, ROW, (START - timedelta(hours=1), START), START)} == {
            shop
        }


@pytest.mark.parametrize(
    "data",
    [{"shops": []}, {}, {"shops": [{"id": "1"}]}, {"shops": [{"id": "../x", "cipher": "c"}]}, None],
)
def test_what_names_no_shop_completes_nothing(data: object) -> None:
    with pytest.raises(BadFrame):
        API.completed(caller(Tokens("a", START)), as_body({"code": 0, "data": data}))
    with pytest.raises(BadFrame):
        API.completed(caller(), as_body({"code": 0, "data": {"shops": [{"id": "1", "cipher": "c"}]}}))


def test_a_refreshed_pair_keeps_the_cipher_and_makes_the_old_one_void(fake: FakeTiktokShop, clock: Clock) -> None:
    old = linked(fake).tokens
    assert old is not None
    now = clock.later(days=6)
    new = API.granted(ok(API, fake, API.refresh(caller(old), now)), old, now).tokens
    assert (new.extra, new.access_until) == (old.extra, now + timedelta(days=7))
    assert verdict(API, fake, asked_orders(new, now)) == "ok"
    assert verdict(API, fake, asked_orders(old, now)) == "token"
    assert verdict(API, fake, API.refresh(caller(old), now)) == "revoked"


def test_a_pair_can_be_refreshed_after_its_access_token_but_not_after_its_own_end(
    fake: FakeTiktokShop, clock: Clock
) -> None:
    old = linked(fake).tokens
    now = clock.later(days=8)
    assert verdict(API, fake, asked_orders(old, now)) == "token"
    new = API.granted(ok(API, fake, API.refresh(caller(old), now)), old, now).tokens
    assert verdict(API, fake, asked_orders(new, now)) == "ok"
    now = clock.later(days=365)
    assert verdict(API, fake, API.refresh(caller(new), now)) == "revoked"


TOKENS = {
    "access_token": "a", "access_token_expire_in": int(START.timestamp()) + 60, "refresh_token": "r",
    "refresh_token_expire_in": int(START.timestamp()) + 120,
}  # fmt: skip


@pytest.mark.parametrize(
    "turned",
    [
        {"access_token": ""}, {"access_token": None}, {"access_token_expire_in": int(START.timestamp())},
        {"access_token_expire_in": 604_800}, {"refresh_token_expire_in": 604_800}, {"refresh_token": 5},
        {"access_token_expire_in": "soon"},
    ],
)  # fmt: skip
def test_what_holds_no_tokens_or_tells_spans_for_instants_is_no_grant(turned: dict[str, object]) -> None:
    assert API.granted(as_body({"code": 0, "data": TOKENS}), None, START).tokens.access == "a"
    with pytest.raises(BadFrame):
        API.granted(as_body({"code": 0, "data": TOKENS | turned}), None, START)


async def test_the_shop_is_told_on_a_socket_as_well(fake: FakeTiktokShop) -> None:
    asking = caller(exchanged(fake))
    body = await over_socket(fake, asking, lambda here: API.complete(here, START))
    assert body == ask(fake, API.complete(asking, START)).body
    assert API.completed(asking, body).shop == SHOP


# --- what answers say ---


def test_a_true_call_is_taken_and_every_turned_part_of_it_is_not(fake: FakeTiktokShop) -> None:
    asking = linked(fake)
    call = API.list_page(asking, ORDERS, START, START, "", START)
    assert verdict(API, fake, call) == "ok"
    for turned in (
        msgspec.structs.replace(call, body=(call.body or b"").replace(b"update_time_ge", b"create_time_ge")),
        msgspec.structs.replace(call, url=call.url.replace("timestamp=1795521600", "timestamp=1795521601")),
        msgspec.structs.replace(call, url=call.url.replace("/search?", "?")),
        msgspec.structs.replace(call, url=call.url.replace("page_size=100", "page_size=10")),
        msgspec.structs.replace(call, url=call.url.replace(KEY, "68xu9ks5p4i9")),
    ):
        assert turned != call
        assert verdict(API, fake, turned) == "app"
    other = Caller(msgspec.structs.replace(APP, secrets=(b"another",)), API.BASE, API.AUTH_BASE, SHOP)
    assert verdict(API, fake, API.exchange(other, "c", "", START)) == "app"


def test_a_call_is_signed_over_the_documented_path_alone() -> None:
    """ "Sign your API request": its vector, by way of a call; the base before the path is no part of it."""
    app = App("tts", "tiktok_shop", "29a39d", (b"e59af819cc",))
    at = datetime.fromtimestamp(1623812664, UTC)
    call = API.complete(Caller(app, "http://127.0.0.1:1/played", "", SHOP, Tokens("token", START)), at)
    assert call is not None
    query = dict(parse_qsl(urlsplit(call.url).query))
    assert query["sign"] == "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8"
    assert (call.name, call.headers["x-tts-access-token"]) == ("/authorization/202309/shops", "token")
    assert "token" not in call.url


def test_the_platform_refuses_our_address_our_clock_and_our_haste(clock: Clock) -> None:
    fake = TIKTOK_SHOP.fake(clock, CallBook(per_s=4, addresses=frozenset({"192.0.2.1"})))
    tokens = exchanged(fake)
    assert verdict(API, fake, API.complete(caller(tokens), START), "198.51.100.1") == "address"
    for at, said in (
        (START - timedelta(seconds=301), "clock"), (START - timedelta(seconds=300), "ok"),
        (START + timedelta(seconds=30), "ok"), (START + timedelta(seconds=31), "clock"),
    ):  # fmt: skip
        assert verdict(API, fake, API.complete(caller(tokens), at), "192.0.2.1") == said
    fast = API.complete(caller(tokens), START)
    assert [verdict(API, fake, fast, "192.0.2.1") for _ in range(3)] == ["ok", "ok", "rate"]


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"code":0,"data":{}}', "ok"),
        (b'{"code":101000,"message":"Invalid query or header"}', "token"),
        (b'{"code":105005,"message":"Access denied"}', "forbidden"),
        (b'{"code":36004001,"message":"rt has expired"}', "revoked"),
        (b'{"code":36009002,"message":"Too many requests"}', "rate"),
        (b'{"code":36009003,"message":"Internal error"}', "broken"),
        (b'{"code":36009004,"message":"Invalid timestamp"}', "clock"),
        (b'{"code":36009004,"message":"Missing credentials, signature"}', "app"),
        (b'{"code":36009004,"message":"Invalid `x-tts-access-token` header"}', "token"),
        (b'{"code":36009004,"message":"invalid param error"}', "broken"),
        (b'{"code":36009004}', "broken"),
        (b'{"code":99}', "broken"),
        (b'{"code":"0"}', "broken"),
    ],
)
def test_every_answer_has_a_verdict(body: bytes, verdict: str) -> None:
    assert API.judge(Answer(200, {}, body)).verdict == verdict
    assert API.judge(Answer(429, {}, b'{"code":99}')).verdict == "rate"


@given(st.binary(max_size=200) | st.text(max_size=80).map(lambda text: as_body({"code": 36009004, "message": text})))
@settings(deadline=None)
def test_no_answer_makes_the_judge_fall_and_no_sentence_is_a_detail(body: bytes) -> None:
    assert re.fullmatch(r"HTTP 200|-?[0-9]{1,20}", API.judge(Answer(200, {}, body)).detail)


# --- orders ---


def test_the_detail_that_the_push_wants_is_the_one_that_it_gets(fake: FakeTiktokShop) -> None:
    asking, one = linked(fake), order(1)
    play(fake, one)
    paid = next(sale for sale in pushed(fake, one, asking) if sale.kind == "paid")
    assert (paid.amount_minor, paid.currency, paid.units, paid.at) == (2249, "GBP", 3, START - timedelta(seconds=80))
    assert [(item.units, item.amount_minor) for item in paid.items] == [(3, 2249)]
    assert API.detail(asking, Need(REFUND, "1", SHOP), START) is None
    assert API.read_order(ROW, SHOP, one.order_id, b"", START) == ()


def test_an_order_that_is_not_paid_yet_or_not_there_leaves_the_push_waiting(fake: FakeTiktokShop) -> None:
    asking = linked(fake)
    play(fake, order(1, paid_at=None))
    for number in (1, 2):
        need = order_need(order(number).order_id, SHOP)
        data = {"order_id": need.key, "order_status": "AWAITING_SHIPMENT", "update_time": 1795521520}
        push = tiktok({"type": 1, "shop_id": SHOP, "data": data}, KEY, SECRET)
        found = details(API, fake, asking, [need], START)
        assert understood(ROW, push, APP, details=found).needs == [Need(ORDER, need.key, SHOP)]


# --- polls ---


def test_what_is_polled_is_what_was_pushed(fake: FakeTiktokShop, clock: Clock) -> None:
    asking = linked(fake)
    play(
        fake, order(1), order(2, paid_at=None), order(3, cancelled_at=START - timedelta(seconds=61)),
        order(4, paid_at=None, cancelled_at=START - timedelta(seconds=61)), order(5, amount_minor=1, units=1),
    )  # fmt: skip
    found = polled(API, fake, asking, ROW, window(clock), clock.at)
    assert told(found) == told([sale for one in fake.orders.values() for sale in pushed(fake, one, asking)])
    assert len(found) == 5 + 3 + 2
    assert {sale.via for sale in found} == {"poll"}
    assert sum(sale.amount_minor for sale in found) == 2249 + 2249 + 1
    assert {sale.at for sale in found if sale.kind == "cancelled"} == {START - timedelta(seconds=61)}


def test_a_window_is_asked_for_in_whole_seconds_that_hold_it() -> None:
    call = API.list_page(caller(), ORDERS, START + timedelta(seconds=0.9), START + timedelta(seconds=60.1), "", START)
    told_s = int(START.timestamp())
    assert msgspec.json.decode(call.body or b"") == {"update_time_ge": told_s, "update_time_lt": told_s + 61}


def test_one_bad_order_costs_one_and_keeps_nothing_of_a_person() -> None:
    good, bad = written(order(1)), written(order(2)) | {"payment": {"currency": "XXX", "total_amount": "1"}}
    body = as_body({"code": 0, "data": {"orders": [bad, good, {"id": "../x"}]}})
    page = API.read_page(ROW, ORDERS, SHOP, body, START)
    assert [sale.kind for sale in page.sales] == ["created", "paid"]
    assert [one.sample for one in page.bad] == [order(2).order_id, "entry 3"]
    assert not any(name in one.raw.decode() for one in page.bad for name in PRIVATE)


@pytest.mark.parametrize(
    "data",
    [
        None, [], {"orders": {}}, {"orders": [], "next_page_token": "x"}, {"orders": [{}], "next_page_token": "x"},
        {"orders": [{"update_time": 2}, {"update_time": 1}], "next_page_token": "x"},
    ],
)  # fmt: skip
def test_a_page_that_cannot_be_read_or_gone_on_from_is_refused_as_a_whole(data: object) -> None:
    with pytest.raises(BadFrame):
        API.read_page(ROW, ORDERS, SHOP, as_body({"code": 0, "data": data}), START)

"""Doudian's open API against its fake: what is authorised, refused, polled, and that it says what the push says."""

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
from collectors.open_api import Answer, Caller, Listing, Tokens, Verdict
from collectors.orders.doudian import Doudian
from collectors.tick import Sale
from monitor.rehearsal.platforms.doudian_api import FakeDoudian
from monitor.rehearsal.platforms.token_office import PlayedOrder
from tests.orders.chinese import as_json, doudian, doudian_message, meaning

from .platforms import DOUDIAN
from .polls import START, Clock, ask, ok, order_need, play, polled, sets_one_aside, told, verdict, window

API, APP, ROW, SHOP, PRIVATE = DOUDIAN.api, DOUDIAN.app, DOUDIAN.row, DOUDIAN.shop, DOUDIAN.private
KEY, SECRET = DOUDIAN.key, DOUDIAN.secret
ORDERS, REFUNDS = API.LISTINGS
caller, linked, order, refunded = DOUDIAN.caller, DOUDIAN.linked, DOUDIAN.order, DOUDIAN.refunded


@pytest.fixture
def fake(clock: Clock) -> FakeDoudian:
    return DOUDIAN.fake(clock)


def pushed(one: PlayedOrder) -> list[Sale]:
    """What the platform pushes of this order, understood."""
    ids = {"p_id": int(one.order_id), "shop_id": int(one.shop)}
    messages = [doudian_message("100", **ids, create_time=int(one.created_at.timestamp()))]
    if one.paid_at:
        pay = {"pay_time": int(one.paid_at.timestamp()), "pay_amount": one.amount_minor}
        messages.append(doudian_message("101", **ids, **pay))
    messages += [
        doudian_message(
            "206", **ids, aftersale_id=int(refund.refund_id), refund_amount=refund.amount_minor,
            success_time=int(refund.updated_at.timestamp()),
        )
        for refund in one.refunds
        if refund.done
    ]  # fmt: skip
    return list(meaning(ROW, doudian(messages, SECRET, KEY), APP).sales)


# --- authorisation ---


def test_a_code_becomes_tokens_once(fake: FakeDoudian) -> None:
    call = API.exchange(caller(), fake.office.code(SHOP), "", START)
    grant = API.granted(ok(API, fake, call), None, START)
    assert (grant.shop, grant.name, grant.anchor) == (SHOP, f"店铺{SHOP}", "")
    assert grant.tokens.access_until == START + timedelta(days=7)
    assert grant.tokens.refresh_until == START + timedelta(days=14)
    assert verdict(API, fake, call) == "revoked", "a code is good once"
    secret = next(iter(fake.office.by_access))
    assert secret not in repr(grant.tokens) + repr(call)


def test_an_earlier_refresh_brings_the_same_pair_with_the_same_ends(fake: FakeDoudian, clock: Clock) -> None:
    tokens = linked(fake).tokens
    assert tokens is not None
    now = clock.later(days=6, hours=22)
    again = API.granted(ok(API, fake, API.refresh(caller(tokens), now)), tokens, now).tokens
    assert again == tokens, "its refresh token does not live longer because we asked"


def test_within_the_last_hour_there_is_a_new_pair_and_the_old_one_lives_on_for_an_hour(
    fake: FakeDoudian, clock: Clock
) -> None:
    old = linked(fake).tokens
    assert old is not None
    assert old.access_until is not None
    assert API.REFRESH_WINDOW_S == 3600
    now = clock.later(days=6, hours=23, minutes=1)
    new = API.granted(ok(API, fake, API.refresh(caller(old), now)), old, now).tokens
    assert new.access != old.access
    assert (new.access_until, new.refresh_until) == (now + timedelta(days=7), now + timedelta(days=14))
    play(fake, order(1))
    for tokens in (old, new):
        ok(API, fake, API.detail(caller(tokens), order_need(order(1).order_id, SHOP), now))
    later = clock.later(hours=1, minutes=1)
    assert verdict(API, fake, API.detail(caller(old), order_need("1", SHOP), later)) == "token"


def test_a_pair_can_be_refreshed_after_its_access_token_but_not_after_its_own_end(
    fake: FakeDoudian, clock: Clock
) -> None:
    old = linked(fake).tokens
    now = clock.later(days=13)
    assert verdict(API, fake, API.list_page(caller(old), ORDERS, START, now, "", now)) == "token"
    new = API.granted(ok(API, fake, API.refresh(caller(old), now)), old, now).tokens
    assert verdict(API, fake, API.refresh(caller(old), now)) == "revoked", "the old pair is void at once then"
    now = clock.later(days=14)
    assert verdict(API, fake, API.refresh(caller(new), now)) == "revoked"


def test_a_self_use_app_has_tokens_by_its_key_alone(fake: FakeDoudian) -> None:
    fake.own_shops.add(SHOP)
    grant = API.granted(ok(API, fake, API.own(caller(), START)), None, START)
    assert grant.shop == SHOP
    play(fake, order(1))
    ok(API, fake, API.detail(caller(grant.tokens), order_need(order(1).order_id, SHOP), START))
    assert verdict(API, fake, API.own(caller(shop="1"), START)) == "revoked"
    assert API.app_grant(caller(), "", START) is None


@pytest.mark.parametrize(
    "told",
    [
        {}, {"access_token": "", "expires_in": 5}, {"access_token": "a"}, {"access_token": "a", "expires_in": 0},
        {"access_token": "a", "expires_in": -5}, {"access_token": 5, "expires_in": 5}, [], None,
        {"access_token": "a", "expires_in": 5, "shop_id": "4 4"},
    ],
)  # fmt: skip
def test_what_holds_no_tokens_is_no_grant(told: object) -> None:
    with pytest.raises(BadFrame):
        API.granted(as_json({"code": 10000, "data": told}), None, START)


def test_the_end_may_be_told_as_an_instant() -> None:
    until = START + timedelta(days=7)
    body = as_json({"data": {"access_token": "a", "expires_in": int(until.timestamp())}})
    assert API.granted(body, None, START).tokens.access_until == until


# --- what answers say ---


def test_a_true_call_is_taken_and_every_turned_part_of_it_is_not(fake: FakeDoudian) -> None:
    call = API.detail(linked(fake), order_need("1", SHOP), START)
    assert call is not None
    assert verdict(API, fake, call) == "missing", "there is no such order, and no fault in the call"
    for turned in (
        msgspec.structs.replace(call, body=(call.body or b"").replace(b'"1"', b'"2"')),
        msgspec.structs.replace(call, url=call.url.replace("timestamp=17", "timestamp=18")),
        msgspec.structs.replace(call, url=call.url.replace("orderDetail?", "searchList?")),
        msgspec.structs.replace(call, url=call.url.replace(KEY, "7055555555555555556")),
    ):
        assert turned != call
        assert verdict(API, fake, turned) == "app"
    other = Caller(msgspec.structs.replace(APP, secrets=(b"another",)), API.BASE, API.AUTH_BASE, SHOP)
    assert verdict(API, fake, API.exchange(other, "c", "", START)) == "app"


def test_a_call_is_signed_as_the_recipe_of_the_catalogue_says() -> None:
    """china.md 3.2: secret + app_key, method, param_json, timestamp, v as they stand in the alphabet + secret."""
    call = API.detail(caller(Tokens("token", START)), order_need("4781", SHOP), START)
    assert call is not None
    query = dict(parse_qsl(urlsplit(call.url).query))
    assert (call.name, urlsplit(call.url).path, call.body) == (
        "order.orderDetail",
        "/order/orderDetail",
        b'{"shop_order_id":"4781"}',
    )
    text = (
        SECRET + b"app_key7055555555555555555methodorder.orderDetailparam_json"
        b'{"shop_order_id":"4781"}timestamp1795521600v2' + SECRET
    )
    assert query["sign"] == hmac.new(SECRET, text, hashlib.sha256).hexdigest()
    assert query["access_token"] == "token"


def test_a_shop_that_wants_us_no_more_is_known_by_its_code(fake: FakeDoudian) -> None:
    shop = linked(fake)
    fake.office.revoke(SHOP)
    judged = API.judge(ask(fake, API.list_page(shop, ORDERS, START, START, "", START)))
    assert (judged.verdict, judged.detail) == ("revoked", "30001 dop.authorization-no-existed")


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"code":10000,"data":{}}', "ok"),
        (b'{"code":10001,"msg":"part"}', "broken"),
        (b'{"code":20000,"sub_code":"dop.service-error"}', "broken"),
        (b'{"code":30001,"sub_code":"isv.app-permissions-insufficient"}', "forbidden"),
        (b'{"code":30001,"sub_code":"dop.authorization-closed"}', "revoked"),
        (b'{"code":30001,"sub_code":"dop.app-forbidden"}', "app"),
        (b'{"code":40003,"sub_code":"isv.access-token-invalid"}', "token"),
        (b'{"code":50001,"sub_code":"dop.token-generate-failed: code-expired"}', "revoked"),
        (b'{"code":50001,"sub_code":"dop.token-generate-failed:app-secret-invalid"}', "app"),
        ('{"code":50002,"sub_code":"isv.business-failed:31009","sub_msg":"生成token失败"}'.encode(), "revoked"),
        (b'{"code":50002,"sub_code":"isv.business-failed:31009","sub_msg":"another"}', "broken"),
        (b'{"code":70000}', "broken"),
        (b'{"code":"x"}', "broken"),
    ],
)
def test_every_answer_has_a_verdict(body: bytes, verdict: str) -> None:
    assert API.judge(Answer(200, {}, body)).verdict == verdict


@given(st.binary(max_size=200) | st.text(max_size=80).map(lambda text: as_json({"code": text, "sub_code": text})))
def test_no_answer_makes_the_judge_fall_and_no_sentence_is_a_detail(body: bytes) -> None:
    judged = API.judge(Answer(200, {}, body))
    assert judged.verdict in get_args(Verdict)
    assert judged.verdict != "ok" or json.loads(body)["code"] == 10000
    assert judged.detail.isascii()


def test_a_sentence_in_the_place_of_a_code_is_not_passed_on() -> None:
    judged = API.judge(Answer(200, {}, as_json({"code": 40004, "sub_code": "收件人 张三 13800000000"})))
    assert (judged.verdict, judged.detail) == ("broken", "40004")


# --- orders ---


def test_the_detail_that_the_push_wants_is_the_one_that_it_gets(fake: FakeDoudian) -> None:
    one = order(1)
    play(fake, one)
    body = ok(API, fake, API.detail(linked(fake), Need(ORDER, one.order_id, SHOP), START))
    ids = {"p_id": int(one.order_id), "shop_id": int(SHOP)}
    message = doudian_message("101", **ids, pay_time=1795521520, pay_amount=19900)
    found = meaning(ROW, doudian([message], SECRET, KEY), APP, {(ORDER, one.order_id): body})
    assert [(sale.room, sale.units, sale.buyer) for sale in found.sales] == [("58841646784", 1, b"1@#b")]
    assert API.detail(caller(), Need(REFUND, "1", SHOP), START) is None


@pytest.mark.parametrize(("room_is", "room"), [("author", "58841646784"), ("room", "7312345678901234567")])
def test_the_order_tells_the_room_of_a_payment(fake: FakeDoudian, room_is: str, room: str) -> None:
    one, row = order(1), Doudian(name="dd", app="doudian-main", room_is=room_is)  # type: ignore[arg-type]
    play(fake, one)
    body = ok(API, fake, API.detail(linked(fake), order_need(one.order_id, SHOP), START))
    (sale,) = API.read_order(row, SHOP, one.order_id, body, START)
    assert API.ROOM_BY_ORDER
    assert (sale.room, sale.kind, sale.via, sale.units) == (room, "paid", "push", 1)
    assert told([sale]) == {id: fact for id, fact in told(pushed(one)).items() if id.endswith(":paid")}
    assert [item.amount_minor for item in sale.items] == [19900]


def test_an_order_that_is_not_paid_yet_tells_no_payment_and_another_order_is_none(fake: FakeDoudian) -> None:
    one = order(1, paid_at=None)
    play(fake, one)
    body = ok(API, fake, API.detail(linked(fake), order_need(one.order_id, SHOP), START))
    assert list(API.read_order(ROW, SHOP, one.order_id, body, START)) == []
    with pytest.raises(BadFrame, match="another order"):
        API.read_order(ROW, SHOP, "1", body, START)
    with pytest.raises(BadFrame, match="another shop"):
        API.read_order(ROW, "1", one.order_id, body, START)


# --- polls ---


def test_what_is_polled_is_what_was_pushed(fake: FakeDoudian, clock: Clock) -> None:
    play(fake, order(1), order(2, paid_at=None), refunded(3), refunded(4, done=False), order(5, amount_minor=1))
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    assert told(found) == told([sale for one in fake.orders.values() for sale in pushed(one)])
    assert {sale.via for sale in found} == {"poll"}
    assert sum(sale.kind == "paid" for sale in found) == 4
    assert sum(sale.amount_minor for sale in found if sale.kind == "refunded") == 4000
    paid = next(sale for sale in found if sale.kind == "paid")
    assert (paid.room, paid.units, paid.at) == ("58841646784", 1, START - timedelta(seconds=80))


def test_a_window_is_asked_for_in_whole_seconds_that_hold_it() -> None:
    from_at, to_at = START + timedelta(seconds=0.9), START + timedelta(seconds=60.1)
    for listing, names in (
        (ORDERS, ("update_time_start", "update_time_end")),
        (REFUNDS, ("update_start_time", "update_end_time")),
    ):
        body = json.loads(API.list_page(caller(), listing, from_at, to_at, "", START).body or b"")
        assert [body[name] - int(START.timestamp()) for name in names] == [0, 61]


def test_many_orders_are_read_to_the_last_page(fake: FakeDoudian, clock: Clock) -> None:
    play(fake, *(order(n, updated_at=START - timedelta(seconds=400 - n // 2)) for n in range(520)))
    play(fake, *(refunded(n) for n in range(520, 735)))
    for number, one in enumerate(list(fake.orders.values())[520:]):
        one.refunds[0].updated_at += timedelta(seconds=number % 30)
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    assert sum(sale.kind == "refunded" for sale in {sale.event_id: sale for sale in found}.values()) == 215
    assert {sale.order_id for sale in found} == set(fake.orders)


def entry(**told: object) -> dict[str, object]:
    return {
        "order_id": "4781", "shop_id": 4463798, "create_time": 1795521500, "update_time": 1795521540,
        "pay_time": 1795521520, "pay_amount": 500, "mask_post_receiver": "张*",
        "sku_order_list": [{"product_id": 1, "item_num": 1, "pay_amount": 500, "author_id": 5}],
    } | told  # fmt: skip


@pytest.mark.parametrize(
    "spoiled",
    [
        entry(order_id="4 7"), entry(order_id=None), entry(pay_amount=None), entry(pay_amount=1.5),
        entry(pay_amount=-1), entry(pay_time="soon"), entry(shop_id=1), entry(sku_order_list=[{}]), 7, None, [],
        entry(order_id=True), entry(update_time="never", order_id=[]),
    ],
)  # fmt: skip
def test_one_bad_entry_is_set_aside_without_what_it_says_of_people(spoiled: object) -> None:
    body = as_json({"code": 10000, "data": {"total": 2, "page": 0, "shop_order_list": [spoiled, entry()]}})
    page = API.read_page(ROW, ORDERS, SHOP, body, START)
    sets_one_aside(page, ["created", "paid"], PRIVATE)


@pytest.mark.parametrize(
    "data",
    [
        None, [], {}, {"total": 1}, {"total": "x", "page": 0}, {"total": 101, "page": 0, "shop_order_list": []},
        {"total": 500, "page": 0, "shop_order_list": [entry(), entry(update_time=1795521539)]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("listing", API.LISTINGS)
def test_what_is_no_page_is_refused(data: object, listing: Listing) -> None:
    if isinstance(data, dict):
        data = data | {"items": [{"aftersale_info": one} for one in data.get("shop_order_list", [])]}
    with pytest.raises(BadFrame):
        API.read_page(ROW, listing, SHOP, as_json({"code": 10000, "data": data}), START)


def test_an_empty_page_is_the_last_one() -> None:
    for listing in API.LISTINGS:
        page = API.read_page(ROW, listing, SHOP, as_json({"data": {"total": 0, "page": 0}}), START)
        assert (list(page.sales), page.next) == ([], "")

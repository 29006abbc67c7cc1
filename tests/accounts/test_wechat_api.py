"""WeChat's open API against its fake: both ways in, what is refused, and that polls say what pushes say."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.apis.wechat import SHOP_CALLS
from collectors.collector import BadFrame
from collectors.details import ORDER, REFUND
from collectors.hook import Need
from collectors.open_api import Answer, Caller, Completing, Grant, Listing, Tokens
from collectors.tick import Sale
from monitor.accounts.account import Account
from monitor.accounts.terms import terms_of
from monitor.rehearsal.platforms.token_office import CallBook, PlayedOrder
from monitor.rehearsal.platforms.wechat_api import FakeWechat
from tests.orders.chinese import WECHAT, WECHAT_KEY, as_json, meaning, wechat

from .platforms import WECHAT_SHOP
from .polls import START, Clock, ask, details, ok, play, polled, told, verdict, window

API, APP, ROW, SHOP = WECHAT_SHOP.api, WECHAT_SHOP.app, WECHAT_SHOP.row, WECHAT_SHOP.shop
KEY, SECRET, APPID = WECHAT_SHOP.key, WECHAT_SHOP.secret, "wx1234567890ab"
OWN_SHOP, OWN_APPID, OWN_SECRET = "gh_own", "wxown", "the shop's AppSecret"
ORDERS, REFUNDS = API.LISTINGS
BACK = "https://hooks.example/oauth/wechat-main"
caller, linked, order, refunded = WECHAT_SHOP.caller, WECHAT_SHOP.linked, WECHAT_SHOP.order, WECHAT_SHOP.refunded


@pytest.fixture
def fake(clock: Clock) -> FakeWechat:
    return played(clock)


def granted(fake: FakeWechat) -> Tokens:
    tokens = WECHAT_SHOP.app_granted(fake)
    assert tokens is not None
    return tokens


def played(clock: Clock, book: CallBook | None = None) -> FakeWechat:
    fake = WECHAT_SHOP.fake(clock, book)
    fake.own_shops[OWN_APPID] = (OWN_SECRET, OWN_SHOP)
    return fake


def exchanged(fake: FakeWechat, shop: str = SHOP) -> tuple[Grant, Tokens]:
    now, app_tokens = fake.now(), granted(fake)
    call = API.exchange(caller(app_tokens=app_tokens), fake.office.code(shop), BACK, now)
    return API.granted(ok(API, fake, call), None, now), app_tokens


def own(fake: FakeWechat, secret: str = OWN_SECRET, appid: str = OWN_APPID) -> Caller:
    """In the name of a shop with its own key, as the accounts put it together."""
    account = Account("wechat-main", "wechat", OWN_SHOP, key=appid, secret=secret.encode())
    return terms_of(APP, API).caller(account, granted(fake))


def pushed(fake: FakeWechat, one: PlayedOrder) -> list[Sale]:
    """What the platform pushes of this order, understood with the details that it answers."""
    shop = linked(fake, one.shop)
    order_id = int(one.order_id)
    messages: list[tuple[str, dict[str, object]]] = [("channels_ec_order_new", {"order_info": {"order_id": order_id}})]
    if one.paid_at:
        pay = {"order_id": order_id, "pay_time": str(int(one.paid_at.timestamp()))}
        messages.append(("channels_ec_order_pay", {"order_info": pay}))
    for refund in one.refunds:
        status = "MERCHANT_REFUND_SUCCESS" if refund.done else "MERCHANT_PROCESSING"
        update = {"status": status, "after_sale_order_id": refund.refund_id, "order_id": order_id}
        messages.append(("channels_ec_aftersale_update", {"finder_shop_aftersale_status_update": update}))
    needs = [Need(ORDER, one.order_id, one.shop), *(Need(REFUND, it.refund_id, one.shop) for it in one.refunds)]
    found = details(API, fake, shop, needs, START)
    return [sale for event, told in messages for sale in meaning(ROW, wechat(event, told), WECHAT, found).sales]


# --- the third-party platform ---


def test_the_app_itself_is_granted_tokens_for_its_ticket(fake: FakeWechat) -> None:
    tokens = granted(fake)
    assert (tokens.access_until, tokens.refresh) == (START + timedelta(hours=2), "")
    assert API.APP_HAS_TOKENS
    assert verdict(API, fake, API.app_grant(caller(), "an old ticket", START)) == "token"
    assert API.app_grant(caller(), "", START) is None


def test_what_opens_pushes_never_goes_out_and_without_an_app_secret_nothing_does(fake: FakeWechat) -> None:
    call = API.app_grant(caller(), fake.ticket, START)
    assert call is not None
    assert WECHAT_KEY not in (call.body or b"")
    bare = msgspec.structs.replace(caller(), app=msgspec.structs.replace(APP, app_secrets=()))
    assert API.app_grant(bare, fake.ticket, START) is None


def test_a_shop_lets_us_in_from_the_link_to_the_callback_with_its_state(fake: FakeWechat) -> None:
    app = caller(app_tokens=granted(fake))
    before = ok(API, fake, API.before_link(app, START))
    page = API.link(app, "s/1=", BACK, before)
    assert page.startswith("https://mp.weixin.qq.com/cgi-bin/componentloginpage?component_appid=" + KEY)
    parts = urlsplit(fake.let_in(page, SHOP))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == BACK
    params = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert params["state"] == "s/1="
    grant = API.granted(ok(API, fake, API.exchange(app, params[API.CODE_IS], BACK, START)), None, START)
    assert (grant.shop, grant.tokens.extra) == ("", {"appid": APPID})
    assert verdict(API, fake, API.exchange(app, params[API.CODE_IS], BACK, START)) == "broken"


def test_a_phone_is_sent_to_its_own_page(fake: FakeWechat) -> None:
    app = caller(app_tokens=granted(fake), auth_base="https://open.weixin.qq.com/wxaopen")
    page = API.link(app, "s", BACK, ok(API, fake, API.before_link(app, START)))
    assert page.startswith("https://open.weixin.qq.com/wxaopen/safe/bindcomponent?action=bindcomponent&no_scan=1&")
    assert page.endswith("#wechat_redirect")
    assert "state=s" in fake.let_in(page, SHOP)


@pytest.mark.parametrize("before", [b"", b"{}", b"[]", b'{"pre_auth_code":1}'])
def test_without_a_code_there_is_no_page(before: bytes) -> None:
    with pytest.raises(BadFrame):
        API.link(caller(), "s", BACK, before)


def test_a_fresh_pair_is_whole_when_we_know_by_which_id_pushes_name_the_shop(fake: FakeWechat) -> None:
    assert isinstance(API, Completing)
    grant, app_tokens = exchanged(fake)
    fresh = caller(grant.tokens, app_tokens=app_tokens)
    whole = API.completed(fresh, ok(API, fake, API.complete(fresh, START)))
    assert (whole.shop, whole.name) == (SHOP, f"店铺{SHOP}")
    assert whole.tokens == msgspec.structs.replace(grant.tokens, extra={"appid": APPID, "user_name": SHOP})
    assert API.complete(caller(whole.tokens, app_tokens=app_tokens), START) is None
    assert API.complete(caller(), START) is None
    for body in (b"{}", b'{"authorizer_info":{}}', b'{"authorizer_info":{"user_name":"a b"}}'):
        with pytest.raises(BadFrame):
            API.completed(fresh, body)
    with pytest.raises(BadFrame):
        API.completed(caller(), b'{"authorizer_info":{"user_name":"gh_1"}}')


def test_a_refresh_keeps_the_refresh_token_and_whose_the_pair_is(fake: FakeWechat, clock: Clock) -> None:
    old = linked(fake)
    assert old.tokens
    assert (old.tokens.refresh_until, old.tokens.access_until) == (None, START + timedelta(hours=2))
    now = clock.later(hours=300)
    app_tokens = granted(fake)
    late = msgspec.structs.replace(old, app_tokens=app_tokens)
    new = API.granted(ok(API, fake, API.refresh(late, now)), old.tokens, now).tokens
    assert (new.refresh, new.extra, new.granted_at) == (old.tokens.refresh, old.tokens.extra, now)
    assert (new.access != old.tokens.access, new.access_until) == (True, now + timedelta(hours=2))
    assert verdict(API, fake, API.list_page(caller(new), ORDERS, *window(clock), "", now)) == "ok"


def test_a_refresh_needs_the_apps_own_tokens_in_force(fake: FakeWechat, clock: Clock) -> None:
    old, now = linked(fake), clock.later(hours=3)
    assert verdict(API, fake, API.refresh(old, now)) == "token"
    assert verdict(API, fake, API.refresh(msgspec.structs.replace(old, app_tokens=None), now)) == "token"


def test_there_is_nothing_to_refresh_where_nothing_says_whose_it_is(fake: FakeWechat) -> None:
    tokens = Tokens("a", START, refresh="r")
    assert API.refresh(caller(tokens), START) is None
    assert API.refresh(caller(), START) is None
    wrong = caller(msgspec.structs.replace(tokens, extra={"appid": APPID}), app_tokens=granted(fake))
    assert verdict(API, fake, API.refresh(wrong, START)) == "revoked"


# --- a shop with its own key ---


def test_a_shop_with_its_own_key_needs_no_link(fake: FakeWechat, clock: Clock) -> None:
    play(fake, order(1, shop=OWN_SHOP))
    shop = own(fake)
    tokens = API.granted(ok(API, fake, API.own(shop, START)), None, START).tokens
    assert (tokens.access_until, tokens.refresh, tokens.extra) == (START + timedelta(hours=2), "", {})
    shop = msgspec.structs.replace(shop, tokens=tokens)
    assert API.complete(shop, START) is None
    assert {sale.shop for sale in polled(API, fake, shop, ROW, window(clock), clock.at)} == {OWN_SHOP}


def test_asking_again_gives_the_same_token_until_it_is_nearly_over(fake: FakeWechat, clock: Clock) -> None:
    shop = own(fake)
    first = API.granted(ok(API, fake, API.own(shop, clock.at)), None, clock.at).tokens
    now = clock.later(hours=1)
    again = API.granted(ok(API, fake, API.own(shop, now)), first, now).tokens
    assert (again.access, again.access_until, again.granted_at) == (first.access, first.access_until, now)
    now = clock.later(minutes=56)
    last = API.granted(ok(API, fake, API.own(shop, now)), again, now).tokens
    assert (last.access != first.access, last.access_until) == (True, now + timedelta(hours=2))
    old = msgspec.structs.replace(shop, tokens=first)
    assert verdict(API, fake, API.list_page(old, ORDERS, *window(clock), "", now)) == "ok"


def test_a_wrong_key_or_secret_of_a_shop_is_its_own_fault(fake: FakeWechat) -> None:
    assert verdict(API, fake, API.own(own(fake, secret="another"), START)) == "app"
    assert verdict(API, fake, API.own(own(fake, appid="wxother"), START)) == "app"
    bare = Caller(msgspec.structs.replace(APP, key=OWN_APPID, secrets=(OWN_SECRET.encode(),)), API.BASE, API.AUTH_BASE)
    assert verdict(API, fake, API.own(bare, START)) == "ok", "the platform's AppSecret is another one"
    strange = msgspec.structs.replace(own(fake), app=msgspec.structs.replace(APP, key=OWN_APPID, secrets=(b"\xff",)))
    assert verdict(API, fake, API.own(strange, START)) == "app"


@pytest.mark.parametrize(
    "told",
    [
        {}, {"expires_in": 7200}, {"access_token": "a"}, {"access_token": "a", "expires_in": 0},
        {"access_token": "a", "expires_in": 10**12}, {"access_token": 5, "expires_in": 7200},
        {"authorization_info": {"authorizer_appid": APPID}}, {"authorization_info": []},
        {"authorization_info": {"authorizer_appid": "w x", "authorizer_access_token": "a", "expires_in": 1,
                                "authorizer_refresh_token": "r"}},
    ],
)  # fmt: skip
def test_what_are_no_tokens_is_refused(told: object) -> None:
    with pytest.raises(BadFrame):
        API.granted(as_json(told), None, START)


# --- calls ---


def test_the_platform_refuses_our_address_and_our_haste(clock: Clock) -> None:
    fake = played(clock, CallBook(per_s=2, addresses=frozenset({"192.0.2.1"})))
    grant = API.app_grant(caller(), fake.ticket, START)
    shop = Caller(msgspec.structs.replace(APP, key=OWN_APPID, secrets=(OWN_SECRET.encode(),)), API.BASE, API.AUTH_BASE)
    assert API.judge(ask(fake, grant, "198.51.100.1")).detail == "61004"
    assert API.judge(ask(fake, API.own(shop, START), "198.51.100.1")).detail == "40164"
    assert verdict(API, fake, grant, "198.51.100.1") == verdict(API, fake, API.own(shop, START), "::1") == "address"
    assert [verdict(API, fake, grant, "192.0.2.1") for _ in range(3)] == ["ok", "ok", "rate"]


def test_a_wrong_secret_of_the_app_is_the_apps_fault(clock: Clock) -> None:
    for other in (FakeWechat(KEY, b"another", clock), FakeWechat("wx0", SECRET, clock)):
        assert verdict(API, other, API.app_grant(caller(), other.ticket, START)) == "app"


def test_a_shop_with_its_own_key_asks_what_is_left_of_the_day(clock: Clock) -> None:
    fake = played(clock, CallBook(quota={"/channels/ec/order/get": 3}))
    play(fake, order(1, shop=OWN_SHOP))
    shop = own(fake)
    shop = msgspec.structs.replace(shop, tokens=API.granted(ok(API, fake, API.own(shop, START)), None, START).tokens)
    detail = API.detail(shop, Need(ORDER, order(1).order_id, OWN_SHOP), START)
    assert detail is not None
    assert [verdict(API, fake, detail) for _ in range(4)] == ["ok", "ok", "ok", "rate"]
    quota = API.read_quota(ok(API, fake, API.quota(shop, detail.name, START)), START)
    assert (quota.left, quota.until) == (0, datetime(2026, 11, 24, 16, 0, tzinfo=UTC)), "midnight in Shanghai"
    assert quota.until.tzinfo is UTC
    later = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
    assert API.read_quota(b'{"quota":{"remain":7}}', later).until == later + timedelta(days=1)
    assert API.quota(shop, "/cgi-bin/openapi/quota/get", START) is None
    with pytest.raises(BadFrame):
        API.read_quota(b'{"quota":{}}', START)


def test_the_quota_of_one_linked_shop_says_nothing_of_the_pace_of_all(fake: FakeWechat) -> None:
    assert [API.quota(linked(fake), name, START) for name in SHOP_CALLS] == [None] * 4
    assert API.quota(caller(), "/channels/ec/order/get", START) is None


def test_what_is_not_there_is_missing(fake: FakeWechat) -> None:
    shop = linked(fake)
    for what in (ORDER, REFUND):
        assert verdict(API, fake, API.detail(shop, Need(what, "1", SHOP), START)) == "missing"
    assert API.detail(shop, Need("other", "1", SHOP), START) is None


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"errcode":0}', "ok"),
        (b'{"access_token":"a"}', "ok"),
        (b'{"pre_auth_code":"a"}', "ok"),
        (b"{}", "broken"),
        (b'{"errcode":-1,"errmsg":"system error"}', "broken"),
        (b'{"errcode":31042}', "broken"),
        (b'{"errcode":40001}', "token"),
        (b'{"errcode":40014}', "token"),
        (b'{"errcode":42001}', "token"),
        (b'{"errcode":61006}', "token"),
        (b'{"errcode":61003}', "revoked"),
        (b'{"errcode":61023}', "revoked"),
        (b'{"errcode":45009}', "rate"),
        (b'{"errcode":45011}', "rate"),
        (b'{"errcode":40164}', "address"),
        (b'{"errcode":61004}', "address"),
        (b'{"errcode":40125}', "app"),
        (b'{"errcode":48001}', "forbidden"),
        (b'{"errcode":61007}', "forbidden"),
        (b'{"errcode":40001,"access_token":"a"}', "token"),
        (b'{"errcode":"x"}', "broken"),
    ],
)
def test_every_answer_has_a_verdict(body: bytes, verdict: str) -> None:
    assert API.judge(Answer(200, {}, body)).verdict == verdict
    assert API.judge(Answer(502, {}, b'{"errcode":0}')).verdict == "broken"


@given(
    st.binary(max_size=200).filter(lambda body: b'"' not in body)
    | st.text(max_size=80).map(lambda text: as_json({"errcode": 40097, "errmsg": text}))
)
def test_no_answer_makes_the_judge_fall_and_no_sentence_is_a_detail(body: bytes) -> None:
    judged = API.judge(Answer(200, {}, body))
    assert (judged.verdict, judged.detail) in (("broken", "40097"), ("broken", "HTTP 200"))


def test_calls_are_named_by_their_paths_and_hold_no_token_in_their_names(fake: FakeWechat, clock: Clock) -> None:
    shop = linked(fake)
    assert shop.tokens
    calls = [
        API.before_link(shop, START), API.exchange(shop, "code", BACK, START), API.refresh(shop, START),
        API.app_grant(shop, fake.ticket, START), API.own(shop, START), API.detail(shop, Need(ORDER, "1", SHOP), START),
        API.list_page(shop, ORDERS, *window(clock), "mark", START),
    ]  # fmt: skip
    for call in calls:
        assert call is not None
        assert call.name == urlsplit(call.url).path
        assert not any(it in repr(call) for it in (shop.tokens.access, shop.tokens.refresh, fake.ticket, "mark"))


# --- polls ---


def test_what_is_polled_is_what_was_pushed(fake: FakeWechat, clock: Clock) -> None:
    play(fake, order(1), order(2, paid_at=None), refunded(3), refunded(4, done=False), order(5, amount_minor=1))
    found = polled(API, fake, linked(fake), ROW, window(clock), clock.at)
    assert told(found) == told([sale for one in fake.orders.values() for sale in pushed(fake, one)])
    assert {sale.via for sale in found} == {"poll"}
    kinds = [sale.kind for sale in found]
    assert (kinds.count("created"), kinds.count("paid"), kinds.count("refunded")) == (5, 4, 1)
    paid = next(sale for sale in found if sale.kind == "paid")
    assert (paid.room, paid.units, paid.buyer, paid.at) == ("sphA", 1, b"oBuyer", START - timedelta(seconds=80))
    assert [(item.item_id, item.amount_minor) for item in paid.items] == [("10000000001", 25900)]
    back = next(sale for sale in found if sale.kind == "refunded")
    assert (back.amount_minor, back.at) == (5900, START - timedelta(seconds=30))


@pytest.mark.parametrize("status", [10, 250, None])
def test_pay_info_of_an_order_that_is_not_paid_is_no_payment(status: int | None) -> None:
    assert [sale.kind for sale in read_order(status=status).sales] == ["created"]
    assert [sale.kind for sale in read_order(status=20).sales] == ["created", "paid"]


def read_order(**more: object):  # type: ignore[no-untyped-def]
    inside = {"price_info": {"order_price": 100}, "pay_info": {"pay_time": 1795521540}, "product_infos": []}
    told = {"order_id": "42", "create_time": 1795521500, "order_detail": inside} | more
    body = as_json({"errcode": 0, "order_id_list": ["42"], "has_more": False})
    return API.read_page(ROW, ORDERS, SHOP, body, START, {(ORDER, "42"): as_json({"errcode": 0, "order": told})})


def test_each_id_is_asked_for_and_one_whose_answer_is_no_use_is_asked_for_again() -> None:
    body = as_json({"errcode": 0, "order_id_list": ["1", 2, "3"], "has_more": False})
    page = API.read_page(ROW, ORDERS, SHOP, body, START)
    assert list(page.needs) == [Need(ORDER, "1", SHOP), Need(ORDER, "2", SHOP), Need(ORDER, "3", SHOP)]
    useless = {
        (ORDER, "1"): b"{}", (ORDER, "2"): as_json({"errcode": 0, "order": {"order_id": "1", "order_detail": {}}}),
    }  # fmt: skip
    assert len(API.read_page(ROW, ORDERS, SHOP, body, START, useless).needs) == 3
    refunds = as_json({"errcode": 0, "after_sale_order_id_list": ["7"], "has_more": False})
    assert list(API.read_page(ROW, REFUNDS, SHOP, refunds, START).needs) == [Need(REFUND, "7", SHOP)]


@pytest.mark.parametrize("spoiled", ["4 7", "", None, {}, [], True, 1.5])
def test_an_id_that_is_none_is_set_aside(spoiled: object) -> None:
    for listing, name in ((ORDERS, "order_id_list"), (REFUNDS, "after_sale_order_id_list")):
        page = API.read_page(ROW, listing, SHOP, as_json({name: [spoiled, "1"]}), START)
        assert [need.key for need in page.needs] == ["1"]
        assert [bad.sample for bad in page.bad] == ["entry 1"]


def test_a_window_is_asked_for_in_whole_seconds_that_hold_it() -> None:
    from_at, to_at = START + timedelta(seconds=0.9), START + timedelta(seconds=60.1)
    orders, refunds = (
        json.loads(API.list_page(caller(), listing, from_at, to_at, "", START).body or b"") for listing in API.LISTINGS
    )
    assert orders["update_time_range"] == {"start_time": 1795521600, "end_time": 1795521661}
    assert (refunds["begin_update_time"], refunds["end_update_time"]) == (1795521600, 1795521661)


def test_orders_may_be_asked_for_over_a_week_and_refunds_over_a_day() -> None:
    assert [round(listing.window_s_max / 3600) for listing in API.LISTINGS] == [168, 24]


def test_a_mark_is_asked_for_with_the_very_question_that_it_came_with(fake: FakeWechat, clock: Clock) -> None:
    play(fake, *(order(n) for n in range(101)))
    shop, (from_at, to_at) = linked(fake), window(clock)
    body = ok(API, fake, API.list_page(shop, ORDERS, from_at, to_at, "", clock.at))
    mark = API.read_page(ROW, ORDERS, SHOP, body, clock.at).next
    assert (
        verdict(API, fake, API.list_page(shop, ORDERS, from_at, to_at, mark, clock.at + timedelta(minutes=1))) == "ok"
    )
    assert verdict(API, fake, API.list_page(shop, ORDERS, from_at, to_at + timedelta(seconds=1), mark, START)) != "ok"


@pytest.mark.parametrize(
    "told", [None, [], {"order_id_list": {}, "after_sale_order_id_list": {}}, {"has_more": True}, {"next_key": 5}]
)
@pytest.mark.parametrize("listing", API.LISTINGS)
def test_what_is_no_page_is_refused(told: object, listing: Listing) -> None:
    with pytest.raises(BadFrame):
        API.read_page(ROW, listing, SHOP, as_json(told), START)

"""What holds of every platform's open API, or of several of them in the same words, against their fakes."""

import json
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.apis import APIS
from collectors.collector import BadFrame
from collectors.open_api import Answer, Completing, Listing, Tokens
from monitor.rehearsal.platforms.token_office import CallBook

from .platforms import (
    DOUDIAN,
    EVERY,
    JD,
    KWAIXIAODIAN,
    PINDUODUO,
    TAOBAO,
    TIKTOK_SHOP,
    WECHAT_SHOP,
    XIAOHONGSHU_SHOP,
    Platform,
    over_socket,
)
from .polls import START, Clock, Played, ok, order_need, orders_of, play, verdict, window

every = pytest.mark.parametrize("platform", EVERY, ids=str)
BACK = "https://hooks.example.cn/oauth/x"


def each(*platforms: Platform) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("platform", platforms, ids=str)


def table(names: str, *rows: tuple[object, ...]) -> pytest.MarkDecorator:
    """Rows of which the first tells the platform."""
    return pytest.mark.parametrize(("platform", *names.split()), [pytest.param(*row, id=str(row[0])) for row in rows])


listings = pytest.mark.parametrize(
    ("platform", "listing"),
    [pytest.param(one, listing, id=f"{one}-{listing.name}") for one in EVERY for listing in one.api.LISTINGS],
)


@pytest.fixture
def fake(platform: Platform, clock: Clock) -> Played:
    return platform.fake(clock)


# --- authorisation ---


@every
def test_it_is_known_by_its_platform(platform: Platform) -> None:
    assert type(APIS[platform.app.platform]) is type(platform.api)
    assert platform.api.PLATFORM == platform.app.platform


@every
def test_a_pair_is_of_no_use_before_it_is_known_whose_it_is_where_its_code_does_not_say_it(platform: Platform) -> None:
    assert isinstance(platform.api, Completing) == (platform in (KWAIXIAODIAN, WECHAT_SHOP, TIKTOK_SHOP))


@table(
    "page asked",
    (DOUDIAN, "https://fuwu.jinritemai.com/authorize", {"service_id": "4242"}),
    (
        KWAIXIAODIAN, "https://open.kwaixiaodian.com/oauth/authorize",
        {
            "app_id": KWAIXIAODIAN.key, "redirect_uri": BACK, "scope": "merchant_order,merchant_refund,user_info",
            "response_type": "code",
        },
    ),
    (
        XIAOHONGSHU_SHOP, "https://ark.xiaohongshu.com/ark/authorization",
        {"appId": XIAOHONGSHU_SHOP.key, "redirectUri": BACK},
    ),
    (
        TAOBAO, "https://oauth.taobao.com/authorize",
        {"response_type": "code", "client_id": TAOBAO.key, "redirect_uri": BACK, "view": "web"},
    ),
    (
        PINDUODUO, "https://mms.pinduoduo.com/open.html",
        {"response_type": "code", "client_id": PINDUODUO.key, "redirect_uri": BACK},
    ),
    (TIKTOK_SHOP, "https://services.tiktokshop.com/open/authorize", {"service_id": "7201"}),
    (
        JD, "https://open-oauth.jd.com/oauth2/to_login",
        {"app_key": JD.key, "response_type": "code", "scope": "snsapi_base", "redirect_uri": BACK},
    ),
)  # fmt: skip
def test_the_link_names_us_and_our_state(platform: Platform, page: str, asked: dict[str, str]) -> None:
    api, caller = platform.api, platform.caller()
    assert api.before_link(caller, START) is None
    parts = urlsplit(api.link(caller, "a.b/c=", BACK, b""))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == page
    assert parse_qs(parts.query) == {name: [value] for name, value in (asked | {"state": "a.b/c="}).items()}


@each(DOUDIAN, TIKTOK_SHOP)
def test_an_app_that_does_not_say_which_service_it_is_has_no_link(platform: Platform) -> None:
    nameless = platform.caller(app=msgspec.structs.replace(platform.app, service_id=""))
    with pytest.raises(BadFrame, match="no_service_id"):
        platform.api.link(nameless, "s", "", b"")


@table(
    "access refresh",
    (TAOBAO, timedelta(days=30), timedelta(days=60)),
    (PINDUODUO, timedelta(days=1), timedelta(days=30)),
)
def test_a_code_brings_a_pair_and_whose_it_is(
    platform: Platform, fake: Played, access: timedelta, refresh: timedelta
) -> None:
    api, caller = platform.api, platform.caller()
    grant = api.granted(ok(api, fake, api.exchange(caller, fake.office.code(platform.shop), "", START)), None, START)
    assert (grant.shop, grant.name) == (platform.shop, f"店铺{platform.shop}")
    assert grant.tokens.access_until == START + access
    assert grant.tokens.refresh_until == START + refresh
    assert verdict(api, fake, api.exchange(caller, "other", "", START)) == "broken"


@table(
    "after access",
    (TAOBAO, timedelta(days=29), timedelta(days=30)),
    (PINDUODUO, timedelta(hours=20), timedelta(days=1)),
)
def test_a_refresh_voids_the_pair_before(
    platform: Platform, fake: Played, clock: Clock, after: timedelta, access: timedelta
) -> None:
    api, old = platform.api, platform.linked(fake)
    now = clock.later(seconds=after.total_seconds())
    grant = api.granted(ok(api, fake, api.refresh(old, now)), old.tokens, now)
    assert grant.tokens.access_until == now + access
    assert verdict(api, fake, api.refresh(old, now)) == "revoked"
    assert verdict(api, fake, api.permit(old, now)) == "token"
    assert verdict(api, fake, api.permit(platform.caller(grant.tokens), now)) == "ok"


@table("days", (TAOBAO, 61), (PINDUODUO, 31))
def test_a_pair_that_ended_is_not_refreshed(platform: Platform, fake: Played, clock: Clock, days: int) -> None:
    api, old, now = platform.api, platform.linked(fake), clock.later(days=days)
    assert verdict(api, fake, api.permit(old, now)) == "token"
    assert verdict(api, fake, api.refresh(old, now)) == "revoked"


@every
def test_nothing_can_be_refreshed_without_a_refresh_token(platform: Platform) -> None:
    assert platform.api.refresh(platform.caller(), START) is None
    assert platform.api.refresh(platform.caller(Tokens("a", START)), START) is None


@every
def test_tokens_come_by_a_key_alone_and_a_shop_is_permitted_only_where_the_platform_has_it(platform: Platform) -> None:
    api, caller = platform.api, platform.caller()
    assert (api.own(caller, START) is not None) == (platform in (DOUDIAN, WECHAT_SHOP))
    assert (api.permit(platform.caller(Tokens("a", START)), START) is not None) == (platform in (TAOBAO, PINDUODUO))
    assert (api.permit(caller, START) is not None) == (platform in (TAOBAO, PINDUODUO))
    assert api.app_grant(caller, "", START) is None


@each(TAOBAO, PINDUODUO)
def test_a_linked_shop_is_permitted_its_messages_on_all_topics(platform: Platform, fake: Played) -> None:
    call = platform.api.permit(platform.linked(fake), START)
    ok(platform.api, fake, call)
    assert fake.permitted == {platform.shop}  # type: ignore[attr-defined]
    assert call is not None
    assert b"topics" not in (call.body or b"")


# --- what answers say ---


@every
@pytest.mark.parametrize("noise", [b"<html>", b"", b"[]"])
def test_what_is_no_answer_of_the_platform_is_broken_and_haste_is_known_by_its_status(
    platform: Platform, noise: bytes
) -> None:
    assert platform.api.judge(Answer(200, {}, noise)).verdict == "broken"
    assert platform.api.judge(Answer(429, {}, noise)).verdict == "rate"
    assert platform.api.judge(Answer(429, {}, b"slow")).verdict == "rate"


@each(TAOBAO, PINDUODUO)
@pytest.mark.parametrize("secret", [b"another", b""])
def test_a_wrong_secret_is_the_apps_fault(platform: Platform, secret: bytes, clock: Clock) -> None:
    api = platform.api
    call = api.exchange(platform.caller(), "c", "", START)
    assert verdict(api, platform.fake(clock, secret=secret), call) == "app"
    assert verdict(api, platform.fake(clock, key="2"), call) == "app"


@table("taken", (DOUDIAN, "revoked"), (TAOBAO, "broken"), (PINDUODUO, "broken"))
def test_the_platform_refuses_our_address_our_clock_and_our_haste(platform: Platform, clock: Clock, taken: str) -> None:
    """`taken`: what it says of a code that is none, when it has nothing against the call."""
    fake = platform.fake(clock, CallBook(per_s=2, addresses=frozenset({"192.0.2.1"}), skew_s=600))
    api = platform.api
    call, late = (api.exchange(platform.caller(), "c", "", START - timedelta(minutes=before)) for before in (0, 11))
    assert verdict(api, fake, call, "198.51.100.1") == "address"
    assert verdict(api, fake, late, "192.0.2.1") == "clock"
    assert [verdict(api, fake, call, "192.0.2.1") for _ in range(3)] == [taken, taken, "rate"]


@table(
    "called refreshed",
    (DOUDIAN, "revoked", "revoked"), (KWAIXIAODIAN, "revoked", "revoked"), (XIAOHONGSHU_SHOP, "token", "revoked"),
    (WECHAT_SHOP, "revoked", "revoked"), (TAOBAO, "token", "revoked"), (PINDUODUO, "revoked", "revoked"),
    (TIKTOK_SHOP, "token", "revoked"), (JD, "token", "token"),
)  # fmt: skip
def test_a_shop_that_wants_us_no_more_is_lost_until_it_links_again(
    platform: Platform, fake: Played, called: str, refreshed: str
) -> None:
    """Where calls only say that a token is not good, the refresh is what says the rest, if anything does."""
    api, shop, one = platform.api, platform.linked(fake), platform.order(1)
    play(fake, one)

    def said() -> set[str]:
        since = START - timedelta(minutes=10)
        pages = [api.list_page(shop, listing, since, START, "", START) for listing in api.LISTINGS]
        calls = [*pages, api.permit(shop, START), api.detail(shop, order_need(one.order_id, platform.shop), START)]
        return {verdict(api, fake, call) for call in calls if call is not None}

    fake.office.revoke(platform.shop)
    assert said() == {called}
    assert verdict(api, fake, api.refresh(shop, START)) == refreshed
    shop = platform.linked(fake)
    assert said() == {"ok"}


# --- polls ---


@each(DOUDIAN, KWAIXIAODIAN, WECHAT_SHOP)
def test_a_cancelled_order_is_left_to_the_push(platform: Platform, fake: Played, clock: Clock) -> None:
    play(fake, platform.order(1, paid_at=None, cancelled_at=START - timedelta(seconds=61)))
    assert [sale.kind for sale in platform.heard(fake, clock)] == ["created"]


@every
def test_only_what_was_updated_in_the_window_is_listed(platform: Platform, fake: Played, clock: Clock) -> None:
    from_at, to_at = window(clock)
    times = [from_at - platform.step, from_at, to_at, to_at + platform.step]
    play(fake, *(platform.order(number, updated_at=at) for number, at in enumerate(times, 1)))
    assert orders_of(platform.heard(fake, clock)) == {platform.order_id(2), platform.order_id(3)}


@table(
    "wider",
    (KWAIXIAODIAN, timedelta(seconds=2)), (XIAOHONGSHU_SHOP, timedelta(seconds=3)),
    (WECHAT_SHOP, timedelta(seconds=2)), (TAOBAO, timedelta(seconds=2)), (PINDUODUO, timedelta(seconds=2)),
    (JD, timedelta(days=4)),
)  # fmt: skip
@pytest.mark.parametrize(
    "part", [timedelta(), timedelta(microseconds=700), timedelta(seconds=0.4), timedelta(seconds=0.7)]
)
def test_the_widest_window_that_we_name_is_taken_and_a_wider_one_is_not(
    platform: Platform, fake: Played, wider: timedelta, part: timedelta
) -> None:
    api, shop = platform.api, platform.linked(fake)
    for listing in api.LISTINGS:
        widest = timedelta(seconds=listing.window_s_max)
        assert verdict(api, fake, api.list_page(shop, listing, START + part - widest, START + part, "", START)) == "ok"
        from_at = START + part - widest - wider
        assert verdict(api, fake, api.list_page(shop, listing, from_at, START + part, "", START)) == "broken"


@each(DOUDIAN, KWAIXIAODIAN, XIAOHONGSHU_SHOP, WECHAT_SHOP, TAOBAO, PINDUODUO)
def test_another_shop_of_the_app_is_not_seen(platform: Platform, fake: Played, clock: Clock) -> None:
    play(fake, platform.order(1), platform.order(2, shop=platform.stranger))
    assert {sale.shop for sale in platform.heard(fake, clock)} == {platform.shop}


@each(WECHAT_SHOP, TAOBAO, PINDUODUO)
@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 200, 235])
def test_as_many_orders_as_fill_pages_are_all_read(platform: Platform, fake: Played, clock: Clock, number: int) -> None:
    plain = [platform.order(n) for n in range(number)]
    play(fake, *plain, *(platform.refunded(n) for n in range(number, 2 * number)))
    found = platform.heard(fake, clock)
    assert orders_of(found) == set(fake.orders)
    # Of a payment that a refund was taken out of, Taobao's listing tells nothing: the push told it.
    paid = {one.order_id for one in plain} if platform is TAOBAO else set(fake.orders)
    assert {sale.order_id for sale in found if sale.kind == "paid"} == paid
    assert len({sale.event_id for sale in found if sale.kind == "refunded"}) == number


@each(TIKTOK_SHOP, JD)
def test_many_orders_are_read_to_the_last_page(platform: Platform, fake: Played, clock: Clock) -> None:
    play(fake, *(platform.order(n, updated_at=START - timedelta(seconds=400 - n // 2)) for n in range(520)))
    assert orders_of(platform.heard(fake, clock)) == set(fake.orders)


@each(DOUDIAN, TIKTOK_SHOP, JD)
@pytest.mark.parametrize("before", [0, 1])
def test_many_orders_of_one_second_are_read_to_the_last_page(
    platform: Platform, fake: Played, clock: Clock, before: int
) -> None:
    play(fake, *[platform.order(999, updated_at=START - timedelta(seconds=61))] * before)
    play(fake, *(platform.order(n) for n in range(450)))
    assert orders_of(platform.heard(fake, clock)) == set(fake.orders)


@each(DOUDIAN, TIKTOK_SHOP, JD)
def test_an_order_that_is_updated_while_the_pages_are_read_hides_no_other(
    platform: Platform, fake: Played, clock: Clock
) -> None:
    """These go on from the last order of a page: nothing is lost, not even what moved."""
    play(fake, *(platform.order(n, updated_at=START - timedelta(seconds=500 - n)) for n in range(300)))

    def touched(pages: int) -> None:
        for number in range(30 * (pages - 1), 30 * pages):
            fake.orders[platform.order_id(number)].updated_at = clock.at + timedelta(hours=1)

    assert orders_of(platform.heard(fake, clock, touched)) == set(fake.orders)


@each(TAOBAO, PINDUODUO)
def test_an_order_that_leaves_the_window_while_the_pages_are_read_hides_no_other(
    platform: Platform, fake: Played, clock: Clock
) -> None:
    """These count their pages from the back: what moved may be missed, and comes with the next window."""
    play(fake, *(platform.order(n, updated_at=START - timedelta(seconds=500 - n)) for n in range(300)))
    later = clock.at + timedelta(hours=1)

    def touched(pages: int) -> None:
        for number in (*range(10 * (pages - 1), 10 * pages), *range(300 - 10 * pages, 310 - 10 * pages)):
            fake.orders[platform.order_id(number)].updated_at = later

    found = orders_of(platform.heard(fake, clock, touched))
    assert {one.order_id for one in fake.orders.values() if one.updated_at != later} <= found


@listings
def test_an_empty_page_is_the_last_one(platform: Platform, fake: Played, clock: Clock, listing: Listing) -> None:
    api, shop = platform.api, platform.linked(fake)
    body = ok(api, fake, api.list_page(shop, listing, *window(clock), "", clock.at))
    page = api.read_page(platform.row, listing, platform.shop, body, START)
    assert (list(page.sales), list(page.needs), list(page.bad), page.next) == ([], [], [], "")


@each(DOUDIAN, KWAIXIAODIAN, XIAOHONGSHU_SHOP, WECHAT_SHOP, PINDUODUO)
def test_nothing_that_is_polled_says_who_bought(platform: Platform, fake: Played, clock: Clock) -> None:
    one, api, shop = platform.order(1), platform.api, platform.linked(fake)
    play(fake, one, platform.refunded(2))
    if platform in (XIAOHONGSHU_SHOP, WECHAT_SHOP):  # their listings name orders, and say the rest when asked
        body = ok(api, fake, api.detail(shop, order_need(one.order_id, platform.shop), START))
    else:
        body = ok(api, fake, api.list_page(shop, api.LISTINGS[0], *window(clock), "", clock.at))
    answered = json.dumps(json.loads(body), ensure_ascii=False)
    assert any(private in answered for private in platform.private), "the answer has it"
    kept = msgspec.msgpack.encode(platform.heard(fake, clock))
    assert not any(private.encode() in kept for private in platform.private)


@each(TIKTOK_SHOP, JD)
@given(noise=st.binary(max_size=300).filter(lambda noise: b"data" not in noise and b"access_token" not in noise))
@settings(deadline=None)
def test_noise_is_never_a_page_nor_tokens(platform: Platform, noise: bytes) -> None:
    with pytest.raises(BadFrame):
        platform.api.read_page(platform.row, platform.api.LISTINGS[0], platform.shop, noise, START)
    with pytest.raises(BadFrame):
        platform.api.granted(noise, None, START)


WORDS = st.text(max_size=40).filter(lambda text: not any(name in text for name in JD.private + TIKTOK_SHOP.private))


@each(TIKTOK_SHOP, JD)
@given(amount=st.integers(0, 10**9), units=st.integers(1, 5), paid=st.booleans(), cancelled=st.booleans(), title=WORDS)
@settings(deadline=None)
def test_no_sale_holds_a_name_a_phone_or_an_address(
    platform: Platform, amount: int, units: int, paid: bool, cancelled: bool, title: str
) -> None:
    clock = Clock()
    fake = platform.fake(clock)
    play(
        fake,
        platform.order(
            1, amount_minor=amount, units=units, title=title,
            paid_at=START - timedelta(seconds=70) if paid else None,
            cancelled_at=START - timedelta(seconds=70) if cancelled else None,
        ),
    )  # fmt: skip
    found = platform.heard(fake, clock)
    assert sum(sale.amount_minor for sale in found) == (amount if paid else 0)
    assert not any(name in repr(found) for name in platform.private)


@each(DOUDIAN, KWAIXIAODIAN, XIAOHONGSHU_SHOP, TAOBAO, PINDUODUO, TIKTOK_SHOP, JD)
def test_there_is_no_quota_to_ask_for(platform: Platform) -> None:
    api, caller = platform.api, platform.caller()
    calls = [
        api.list_page(caller, api.LISTINGS[0], START, START, "", START),
        api.detail(caller, order_need("1", platform.shop), START),
    ]
    assert {api.quota(caller, call.name, START) for call in calls if call is not None} == {None}
    with pytest.raises(BadFrame, match="no_quota"):
        api.read_quota(b"{}", START)


@each(KWAIXIAODIAN, XIAOHONGSHU_SHOP, WECHAT_SHOP, TAOBAO, PINDUODUO, TIKTOK_SHOP, JD)
def test_no_order_is_asked_for_its_room(platform: Platform) -> None:
    assert not platform.api.ROOM_BY_ORDER
    assert list(platform.api.read_order(platform.row, platform.shop, "1", b"", START)) == []


@table(
    "paid kinds",
    (DOUDIAN, True, ["created", "paid"]), (KWAIXIAODIAN, True, ["created", "paid"]),
    (XIAOHONGSHU_SHOP, False, ["created"]), (WECHAT_SHOP, True, []), (TAOBAO, True, ["paid"]),
    (PINDUODUO, True, ["paid"]),
    (TIKTOK_SHOP, True, ["created", "paid"]), (JD, True, ["created", "paid"]),
)  # fmt: skip
async def test_its_fake_answers_on_a_socket_as_well(
    platform: Platform, fake: Played, paid: bool, kinds: list[str]
) -> None:
    """`kinds`: what its page tells before any detail."""
    one = platform.order(1) if paid else platform.order(1, paid_at=None)
    play(fake, one)
    api, orders = platform.api, platform.api.LISTINGS[0]
    shop, since = platform.linked(fake), START - timedelta(minutes=20)
    body = await over_socket(fake, shop, lambda here: api.list_page(here, orders, since, START, "", START))
    page = api.read_page(platform.row, orders, platform.shop, body, START)
    assert [sale.kind for sale in page.sales] == kinds
    assert [need.key for need in page.needs] == ([] if kinds else [one.order_id])
    assert body == ok(api, fake, api.list_page(shop, orders, since, START, "", START))


@each(*(one for one in EVERY if one is not WECHAT_SHOP))  # its codes are exchanged in the app's name: its own tests
@pytest.mark.parametrize("absurd", [10**11, 10**20, 10**400, -1, 0], ids=["far", "long", "endless", "before", "none"])
def test_a_pair_with_an_absurd_end_is_no_pair_and_trips_nothing(platform: Platform, fake: Played, absurd: int) -> None:
    """Each number that a true answer with tokens holds is made absurd in turn."""
    api, shop = platform.api, platform.caller()
    true = ok(api, fake, api.exchange(shop, fake.office.code(platform.shop), "", START)).decode()
    numbers = [found.span() for found in re.finditer(r"(?<=[:\s])\d{3,}(?=[,}\\])", true)]
    assert numbers
    for start, end in numbers:
        try:
            grant = api.granted((true[:start] + str(absurd) + true[end:]).encode(), None, START)
        except BadFrame:
            continue
        for until in (grant.tokens.access_until, grant.tokens.refresh_until):
            assert until is None or until - START < timedelta(days=366 * 40)

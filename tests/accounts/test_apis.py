"""The rules of every platform: each is played, documented, declared whole, and never shows what it asks."""

import importlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import collectors
from collectors import KINDS, Feed
from collectors.api_feed import ApiRow
from collectors.apis import APIS, KNOWN
from collectors.collector import BadFrame, FeedRow
from collectors.details import ORDER, REFUND
from collectors.hook import App, HookRow, Need, OrderPollRow, OrderSocketRow
from collectors.open_api import Answer, Call, Caller, Completing, Grant, OpenApi, Tokens, Verdict
from monitor.rehearsal.platforms.token_office import TokenOffice

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
README = Path(collectors.__file__).with_name("README.md").read_text(encoding="utf-8")
TAGS = {str(kind.__struct_config__.tag): kind for kind in KINDS}
WITHOUT_SHOPS = {"bilibili", "twitch", "youtube"}  # accounts there are of rooms, or none: no orders are listed
WITHOUT_ACCOUNTS = {"youtube"}  # what is asked is public: a key is enough
WITHOUT_WITNESS = {
    "push_json",
    "shopify",
    "stripe",
    "bilibili_open",
}  # nothing can be asked that would say what their pushes left out
NEEDED_BESIDE: dict[str, dict[str, object]] = {
    "xiaohongshu_orders": {"amounts_in": "fen"},
    "bilibili_open": {"app_id": 1},
}
PLATFORMS = sorted(APIS)


def app(turn: int) -> App:
    secret = f"SECRET{turn}".encode() * 6
    return App(f"app-{turn}", "any", f"KEY{turn}", (secret,), b"TOKEN%d" % turn, (secret,), (secret,), f"SERVICE{turn}")


def caller(turn: int) -> Caller:
    tokens = Tokens(f"ACCESS{turn}", NOW, NOW + timedelta(days=1), f"REFRESH{turn}", extra={"shop_cipher": f"X{turn}"})
    return Caller(
        app(turn), f"https://{turn}.example", f"https://{turn}.example", str(turn) * 9, tokens,
        msgspec.structs.replace(tokens, access=f"COMPONENT{turn}"),
    )  # fmt: skip


def calls(api: OpenApi, asking: Caller, turn: int) -> Iterator[tuple[str, Call | None]]:
    """Everything that these rules can ask, in the name of one of two callers that have nothing in common."""
    code, window = f"CODE{turn}", (NOW - timedelta(minutes=turn), NOW)
    yield "before_link", api.before_link(asking, NOW)
    if api.PLATFORM not in WITHOUT_ACCOUNTS:
        yield "exchange", api.exchange(asking, code, f"https://{turn}.example/oauth", NOW)
    yield "refresh", api.refresh(asking, NOW)
    yield "own", api.own(asking, NOW)
    yield "app_grant", api.app_grant(asking, f"TICKET{turn}", NOW)
    yield "permit", api.permit(asking, NOW)
    for what in (ORDER, REFUND):
        yield what, api.detail(asking, Need(what, str(turn) * 8, asking.shop), NOW)
    for listing in api.LISTINGS:
        call = api.list_page(asking, listing, *window, "", NOW)
        yield f"list {listing.name}", call
        yield f"quota {listing.name}", api.quota(asking, call.name, NOW)
    if isinstance(api, Completing):
        bare = msgspec.structs.replace(asking.tokens, extra={})
        yield "complete", api.complete(msgspec.structs.replace(asking, tokens=bare), NOW)


def row_of(platform: str) -> FeedRow:
    """A feed of this platform, one whose orders are listed where there is such a one."""
    listed = (HookRow, OrderSocketRow, OrderPollRow, ApiRow)
    tag = next(tag for tag, kind in TAGS.items() if kind.PLATFORM == platform and issubclass(kind, listed))
    row: FeedRow = msgspec.convert({"kind": tag, "name": "f", "app": "a"} | NEEDED_BESIDE.get(tag, {}), Feed)
    return row


def fakes_of(platform: str) -> list[type]:
    module = importlib.import_module(f"monitor.rehearsal.platforms.{platform}_api")
    return [found for name, found in vars(module).items() if name.startswith("Fake") and isinstance(found, type)]


def test_each_platform_is_known_once() -> None:
    assert len(APIS) == len(KNOWN)
    assert {kind.PLATFORM for kind in KINDS} >= APIS.keys(), "each has a feed"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_is_played(platform: str) -> None:
    (fake,) = fakes_of(platform)
    played = fake("KEY", b"SECRET", lambda: NOW)
    assert isinstance(played.office, TokenOffice)
    assert played.orders == {}
    assert played.book.by_name == {}
    assert all(callable(getattr(played, name)) for name in ("answer", "serve", "close"))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_tells_operators_how_shops_let_us_in(platform: str) -> None:
    stanzas = [stanza for stanza in README.split("\n## ") if stanza.partition("\n")[0] in TAGS]
    ours = [stanza for stanza in stanzas if TAGS[stanza.partition("\n")[0]].PLATFORM == platform]
    told = [stanza for stanza in ours if "\nAccounts: " in stanza]
    assert len(told) == len(ours) > 0, "a stanza has no paragraph that begins with Accounts:"
    accounts = " ".join(stanza.partition("\nAccounts: ")[2].partition("\nLimits:")[0] for stanza in told)
    for word in ("calls_per_s", "refresh", "poll"):
        assert word in accounts.lower(), f"nothing is said of {word}"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_says_where_its_rules_come_from(platform: str) -> None:
    module = importlib.import_module(type(APIS[platform]).__module__)
    assert re.search(r"^Sources: .*china\.md|^Sources: .*global\.md", module.__doc__ or "", re.MULTILINE)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_declares_all_that_the_client_goes_by(platform: str) -> None:
    api = APIS[platform]
    assert platform == api.PLATFORM
    for base in (api.BASE, api.AUTH_BASE):
        assert re.fullmatch(r"https://[a-z0-9.-]+[a-z](/[a-z0-9/_-]*[a-z0-9])?", base)
    assert 0 < api.CALLS_PER_S <= 1000
    assert all(0 < per_s <= 1000 for per_s in api.NAME_CALLS_PER_S.values())
    assert api.REFRESH_WINDOW_S is None or 0 < api.REFRESH_WINDOW_S <= 86_400
    assert re.fullmatch(r"[a-z_]+", api.CODE_IS)
    assert (type(api.APP_HAS_TOKENS), type(api.ROOM_BY_ORDER)) == (bool, bool)
    names = [listing.name for listing in api.LISTINGS]
    assert len(set(names)) == len(names)
    assert ("orders" in names) == (platform not in WITHOUT_SHOPS)
    assert set(names) <= {"orders", "refunds"}
    assert all(60 <= listing.window_s_max <= 31 * 86_400 for listing in api.LISTINGS)


def test_each_feed_that_is_pushed_has_a_witness_or_is_known_to_have_none() -> None:
    pushed = {tag: kind.PLATFORM for tag, kind in TAGS.items() if issubclass(kind, HookRow | OrderSocketRow)}
    alone = {tag for tag, platform in pushed.items() if platform not in APIS or not APIS[platform].LISTINGS}
    assert alone == WITHOUT_WITNESS


def test_each_feed_that_only_polls_can() -> None:
    polls = {tag: kind.PLATFORM for tag, kind in TAGS.items() if issubclass(kind, OrderPollRow)}
    assert set(polls) == {"jd_orders", "xiaohongshu_orders"}
    assert all(APIS[platform].LISTINGS for platform in polls.values())


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_name_of_a_call_is_a_fixed_text_and_nothing_else_of_it_is_shown(platform: str) -> None:
    api = APIS[platform]
    one, other = (list(calls(api, caller(turn), turn)) for turn in (1, 2))
    assert sum(call is not None for _, call in one) >= (
        0 if platform in WITHOUT_ACCOUNTS else 2 if platform in WITHOUT_SHOPS else 3
    )
    for (what, call), (_, again) in zip(one, other, strict=True):
        if call is not None and again is not None:
            assert re.fullmatch(r"[A-Za-z][\w./-]{2,79}|/[\w./-]{2,79}", call.name), what
            assert (call.name, call.url == again.url and call.body == again.body) == (again.name, False), what
            assert repr(call) == f"Call({call.name!r})"
            assert call.url.startswith("https://1.example/"), "every call goes where the config says"
        else:
            assert call is again is None, what


@pytest.mark.parametrize("platform", sorted(APIS.keys() - WITHOUT_ACCOUNTS))
def test_the_address_of_a_link_holds_our_state_and_no_secret(platform: str) -> None:
    api, asking = APIS[platform], caller(1)
    before = b'{"pre_auth_code":"PRE1","expires_in":1800}' if api.before_link(asking, NOW) is not None else b""
    address = api.link(asking, "STATE1", "https://hooks.example.cn/oauth/app-1", before)
    assert re.match(r"https://[a-z0-9.]+/", address)
    assert "STATE1" in address
    assert not re.search("SECRET|ACCESS|REFRESH|TOKEN1|COMPONENT", address)


def test_what_is_granted_shows_no_token() -> None:
    tokens = caller(1).tokens
    assert tokens is not None
    assert not re.search("ACCESS|REFRESH|X1", repr(Grant(tokens, "1")) + repr(caller(1)))
    assert "SECRET" not in repr(caller(1))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_nothing_is_refreshed_that_was_never_granted(platform: str) -> None:
    bare = msgspec.structs.replace(caller(1), tokens=None)
    assert APIS[platform].refresh(bare, NOW) is None


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"5", b"<html>", b"\xff", b'{"a":' * 2000])
def test_what_is_no_answer_is_broken_and_neither_tokens_nor_a_page(platform: str, body: bytes) -> None:
    api = APIS[platform]
    for status in (200, 404, 500, 502):
        assert api.judge(Answer(status, {}, body)).verdict == "broken"
    assert api.judge(Answer(429, {}, body)).verdict == "rate"
    with pytest.raises(BadFrame):
        api.granted(body, None, NOW)
    for listing in api.LISTINGS:
        with pytest.raises(BadFrame):
            api.read_page(row_of(platform), listing, "1", body, NOW)
    if api.ROOM_BY_ORDER:
        with pytest.raises(BadFrame):
            api.read_order(row_of(platform), "1", "1", body, NOW)
    else:
        assert not api.read_order(row_of(platform), "1", "1", body, NOW)


FIELDS = "code errcode error_code sub_code message msg error_msg error_response data success result".split()
SENTENCE = "收件人 张三 13800000000"
WORDS = st.sampled_from(FIELDS)
TOLD = st.one_of(st.none(), st.booleans(), st.integers(-(10**12), 10**12), st.text(max_size=30))


@given(
    platform=st.sampled_from(PLATFORMS),
    told=st.dictionaries(WORDS, TOLD | st.dictionaries(WORDS, TOLD, max_size=3), max_size=4),
    status=st.sampled_from([200, 400, 401, 429, 500]),
)
@settings(deadline=None)
def test_no_answer_makes_a_judge_fall_and_no_sentence_is_passed_on(
    platform: str, told: dict[str, Any], status: int
) -> None:
    judged = APIS[platform].judge(Answer(status, {}, msgspec.json.encode(told)))
    assert judged.verdict in get_args(Verdict)
    assert re.fullmatch(r"[\w.: -]{0,170}", judged.detail, re.ASCII)
    assert 0 <= judged.wait_s < float("inf")


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("field", FIELDS)
def test_a_sentence_in_the_place_of_a_code_is_not_passed_on(platform: str, field: str) -> None:
    for told in ({field: SENTENCE}, {"code": 1, field: SENTENCE}, *({outer: {field: SENTENCE}} for outer in FIELDS)):
        judged = APIS[platform].judge(Answer(200, {}, msgspec.json.encode(told)))
        assert not re.search("张三|138", judged.detail)

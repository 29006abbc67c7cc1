"""A shop comes in by our link and the platform's word, that shop alone, and is on disk before its owner reads so."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from collectors.collector import BadFrame
from collectors.hook import App
from collectors.open_api import Answer, Call, Caller, Grant, Judged, Tokens
from monitor.accounts.account import Account
from monitor.accounts.book import Book
from monitor.accounts.client import Client
from monitor.accounts.door import Linked, NotLinked
from monitor.accounts.link_text import link_key, sign_link
from monitor.accounts.linking import Linking
from monitor.accounts.terms import terms_of
from monitor.facts import Heard

NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)
KEY = link_key(bytes(range(32)))
HOOKS = "https://hooks.example.cn"


class Rules:
    """A platform whose every answer is what the test says."""

    PLATFORM = "tiny"
    BASE = AUTH_BASE = "https://open.tiny.example"
    CALLS_PER_S = 1_000.0
    NAME_CALLS_PER_S: ClassVar[dict[str, float]] = {}
    REFRESH_WINDOW_S = None
    CODE_IS = "auth_code"
    APP_HAS_TOKENS = False
    LISTINGS = ()
    ROOM_BY_ORDER = False
    asks_first = False

    def before_link(self, caller: Caller, now: datetime) -> Call | None:
        return Call("before", f"{caller.base}/before") if self.asks_first else None

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        return f"{caller.auth_base}/authorize?state={state}&to={redirect}&pre={before.decode()}"

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        return Call("token", f"{caller.base}/token?code={code}")

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        try:
            told = json.loads(body)
            tokens = Tokens(told["access"], now, now + timedelta(days=7), "r")
            return Grant(tokens, told["shop"], told["anchor"], told["name"])
        except (ValueError, KeyError) as error:
            raise BadFrame("bad_grant") from error

    def judge(self, answer: Answer) -> Judged:
        return Judged("ok") if answer.status == 200 else Judged("broken" if answer.status == 503 else "app", "4001")


class Vault:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], Account] = {}

    async def load(self) -> list[Account]:
        return list(self.kept.values())

    async def keep(self, accounts: list[Account], gone: object = ()) -> None:
        self.kept |= {account.id: account for account in accounts}


class House:
    """What a link is made against; `say` is what the platform answers to each call."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules, self.vault, self.told = rules or Rules(), Vault(), list[Heard]()
        self.now = NOW
        self.sent: list[Call] = []
        self.say: Callable[[Call], Answer] = lambda call: granted("4463798")
        self.book = Book(self.vault, self.told.append, lambda: self.now)  # type: ignore[arg-type]
        terms = {"tiny-main": terms_of(App("tiny-main", "tiny", "key", (b"secret",)), self.rules)}  # type: ignore[arg-type]
        self.client = Client(terms, self.book, self._send, lambda: self.now, lambda *_: None)
        self.linking = Linking(KEY, HOOKS, self.book, self.client, lambda: self.now)

    async def _send(self, call: Call) -> Answer:
        self.sent.append(call)
        return self.say(call)

    def link(self, app: str = "tiny-main", shop: str = "4463798", anchor: str = "") -> str:
        return sign_link(KEY, app, shop, anchor, NOW + timedelta(days=7))

    def finish(self, text: str, code: str = "c1") -> Awaitable[Linked]:
        return self.linking.finish("tiny-main", {"state": text, "auth_code": code})


def granted(shop: str, access: str = "at-1", anchor: str = "") -> Answer:
    told = {"access": access, "shop": shop, "anchor": anchor, "name": "辽宁苹果店"}
    return Answer(200, {}, json.dumps(told).encode())


async def why(awaited: Awaitable[object]) -> tuple[str, str]:
    with pytest.raises(NotLinked) as caught:
        await awaited
    return caught.value.why, caught.value.detail


async def test_a_link_leads_to_the_platform_with_our_state_and_callback() -> None:
    house = House()
    text = house.link()
    query = parse_qs(urlsplit((await house.linking.begin("tiny-main", text)).url).query)
    assert query["state"] == [text]
    assert query["to"] == [f"{HOOKS}/oauth/tiny-main"]


async def test_where_the_platform_wants_it_it_is_asked_before() -> None:
    house = House()
    house.rules.asks_first = True
    house.say = lambda call: Answer(200, {}, b"pre-1")
    assert (await house.linking.begin("tiny-main", house.link())).url.endswith("pre=pre-1")
    assert [call.name for call in house.sent] == ["before"]


async def test_a_shop_that_came_back_is_on_disk_told_and_named() -> None:
    house = House()
    assert await house.finish(house.link()) == Linked("tiny", "4463798", "辽宁苹果店")
    kept = house.vault.kept["tiny-main", "4463798", ""]
    assert kept.tokens is not None
    assert (kept.tokens.access, kept.refused, kept.refreshed_at) == ("at-1", "", NOW)
    assert [fact.shop for heard in house.told for fact in heard.accounts] == ["4463798"]


async def test_a_refused_account_works_again_with_its_contact_kept() -> None:
    house = House()
    await house.book.keep(Account("tiny-main", "tiny", "4463798", contact="zhang", refused="revoked by its owner"))
    await house.finish(house.link())
    found = house.book.get("tiny-main", "4463798")
    assert found is not None
    assert (found.state(NOW), found.contact) == ("ok", "zhang")


async def test_another_shop_than_the_links_is_not_taken() -> None:
    house = House()
    house.say = lambda call: granted("999")
    assert await why(house.finish(house.link())) == ("other_shop", "辽宁苹果店")
    assert house.vault.kept == {}


async def test_another_anchor_than_the_links_is_not_taken() -> None:
    house = House()
    house.say = lambda call: granted("", anchor="主播二")
    assert await why(house.finish(house.link(shop="", anchor="主播一"))) == ("other_shop", "辽宁苹果店")
    assert house.vault.kept == {}
    house.say = lambda call: granted("", anchor="主播一")
    assert (await house.finish(house.link(shop="", anchor="主播一"))).shop == "主播一"


async def test_a_link_is_used_once_while_it_holds() -> None:
    house = House()
    text = house.link()
    await house.finish(text)
    assert (await why(house.finish(text)))[0] == "used_link"
    refused = house.book.get("tiny-main", "4463798")
    assert refused is not None
    await house.book.keep(msgspec.structs.replace(refused, refused="revoked by its owner"))
    await house.finish(text)  # it is not linked any more: the same link will do


async def test_what_is_not_signed_never_reaches_the_platform() -> None:
    house = House()
    other = sign_link(link_key(bytes(32)), "tiny-main", "4463798", "", NOW + timedelta(days=7))
    for text in ("", "x", other, house.link()[:-2]):
        assert (await why(house.finish(text)))[0] == "bad_link"
        assert (await why(house.linking.begin("tiny-main", text)))[0] == "bad_link"
    assert house.sent == []


async def test_a_link_of_another_app_is_none() -> None:
    house = House()
    assert (await why(house.finish(house.link(app="other"))))[0] == "bad_link"
    assert (await why(house.linking.begin("nobody", house.link())))[0] == "unknown_app"


async def test_a_link_ends() -> None:
    house = House()
    text = house.link()
    house.now = NOW + timedelta(days=7)
    assert (await why(house.finish(text)))[0] == "expired_link"


async def test_no_code_is_a_no() -> None:
    house = House()
    assert (await why(house.linking.finish("tiny-main", {"state": house.link(), "error": "access_denied"})))[0] == (
        "declined"
    )


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(400, {}, b"no"), ("platform", "4001")),
        (Answer(503, {}, b""), ("busy", "4001")),
        (Answer(200, {}, b"{}"), ("platform", "bad_grant")),
        (Answer(200, {}, b'["at-1"]'), ("platform", "TypeError")),
    ],
)
async def test_a_platform_that_does_not_give_tokens_links_nothing(answer: Answer, told: tuple[str, str]) -> None:
    house = House()
    house.say = lambda call: answer
    assert await why(house.finish(house.link())) == told
    assert house.vault.kept == {}

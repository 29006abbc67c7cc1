"""A WeChat shop from its link to its account: through the true rules, against the played platform."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from collectors.apis.wechat import WechatApi
from collectors.hook import App, Notice
from collectors.open_api import Answer, Call
from monitor.accounts.account import Account
from monitor.accounts.book import Book
from monitor.accounts.client import Client
from monitor.accounts.door import NotLinked
from monitor.accounts.link_text import link_key, sign_link
from monitor.accounts.linking import Linking
from monitor.accounts.notices import Notices
from monitor.accounts.terms import terms_of
from monitor.rehearsal.platforms.wechat_api import FakeWechat

from .played import Memory
from .polls import ask, ok

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
API, APP, SECRET = WechatApi(), "wechat-main", b"the component's AppSecret"
KEY, HOOKS, SHOP = link_key(bytes(range(32))), "https://hooks.example.cn", "gh_1234567890ab"


class Town:
    """Who links shops, with an app that has its own tokens, and WeChat on the other side."""

    def __init__(self) -> None:
        self.fake = FakeWechat("wx1", SECRET, lambda: NOW)
        app = App(APP, "wechat", "wx1", (b"A" * 43,), b"AAAAA", app_secrets=(SECRET,))
        terms = {APP: terms_of(app, API)}
        granted = API.app_grant(terms[APP].caller(None, None), self.fake.ticket, NOW)
        tokens = API.granted(ok(API, self.fake, granted), None, NOW).tokens
        self.book = Book(
            Memory([Account(APP, "wechat", "", ticket=self.fake.ticket, tokens=tokens)]), lambda _: None, lambda: NOW
        )
        self.client = Client(terms, self.book, self._send, lambda: NOW, lambda *_: None)
        self.linking = Linking(KEY, HOOKS, self.book, self.client, lambda: NOW)

    async def _send(self, call: Call) -> Answer:
        return ask(self.fake, call)

    async def let_in(self, asked_for: str, by: str) -> Account | None:
        """The owner of one shop opens the link that was made for another, or for this one."""
        await self.book.open()
        lead = await self.linking.begin(APP, sign_link(KEY, APP, asked_for, "", NOW + timedelta(days=7)))
        callback = urlsplit(self.fake.let_in(lead.url, by))
        assert f"{callback.scheme}://{callback.netloc}{callback.path}" == f"{HOOKS}/oauth/{APP}"
        await self.linking.finish(APP, dict(parse_qsl(callback.query)))
        return self.book.get(APP, asked_for)


async def test_a_shop_is_linked_by_the_id_that_its_pushes_name() -> None:
    account = await Town().let_in(SHOP, SHOP)
    assert account is not None
    assert account.tokens is not None
    assert (account.name, account.tokens.extra) == (f"店铺{SHOP}", {"appid": "wx1234567890ab", "user_name": SHOP})


async def test_the_link_of_one_shop_does_not_let_another_one_in() -> None:
    town = Town()
    with pytest.raises(NotLinked, match="other_shop"):
        await town.let_in(SHOP, "gh_another")
    assert town.book.of(APP) == []


async def test_a_shop_that_takes_its_word_back_is_found_by_its_appid() -> None:
    town = Town()
    await town.let_in(SHOP, SHOP)
    await Notices(town.book, town.client.terms).take(APP, [Notice("revoked", "wx1234567890ab")])
    account = town.book.get(APP, SHOP)
    assert account is not None
    assert (bool(account.refused), account.tokens) == (True, None)

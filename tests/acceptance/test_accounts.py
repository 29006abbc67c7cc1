"""Accounts as a user meets them: a link, a shop that comes in, is asked, leaves and comes back; no restart between."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import unescape
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from collectors.hook import Delivery
from monitor.rehearsal.monitored import LIVEMON, Livemon
from monitor.rehearsal.platforms.doudian_api import FakeDoudian
from monitor.rehearsal.platforms.token_office import PlayedOrder
from monitor.rehearsal.platforms.wechat_api import FakeWechat, appid_of
from monitor.rehearsal.rtmp_hall import free_ports
from tests.orders.chinese import DOUDIAN, WECHAT, doudian, doudian_message, wechat, wechat_xml

pytestmark = [pytest.mark.real, pytest.mark.slow]
SHOP, AUTHOR, CONTACT = "4463798", "8800", "zhang"
CONFIG = """\
data_dir = "data"
listen = "127.0.0.1:{port}"
hooks_listen = "127.0.0.1:{hooks}"
hooks_url = "http://127.0.0.1:{hooks}"
roster = "roster.csv"
dsn = "postgresql://livemon_writer@/{database}?host={socket}"
dsn_password_file = "pg"
reader_dsn = "postgresql://livemon_reader@/{database}?host={socket}"
reader_dsn_password_file = "reader"
"""
DOUDIAN_TABLES = """
[[app]]
name = "dd"
platform = "doudian"
key = "{key}"
secret_file = "dd.secret"
service_id = "23"
api_url = "{api}"

[[feed]]
kind = "doudian"
name = "doudian"
app = "dd"
reconcile_s = 5.0
push_late_s_max = 10.0
"""


class House:
    """The monitor as a process, what a person types, and what a platform pushes."""

    def __init__(self, folder: Path, database: Any, platform: str, room: str, shop: str, tables: str) -> None:
        self.folder, self.database, self.platform, self.shop = folder, database, platform, shop
        self.port, self.hooks = free_ports(2)
        self.secret("pg", database.server.password("livemon_writer"))
        self.secret("reader", database.server.password("livemon_reader"))
        roster = f"platform,room,anchor,shop,contact\n{platform},{room},苹果姐,{shop},{CONTACT}\n"
        (folder / "roster.csv").write_text(roster, encoding="utf-8")
        self.config = folder / "livemon.toml"
        self.config.write_text(
            CONFIG.format(
                port=self.port, hooks=self.hooks, database=database.name, socket=database.server.socket
            ) + tables,
            encoding="utf-8",
        )  # fmt: skip

    def secret(self, name: str, text: str) -> None:
        (self.folder / name).touch(mode=0o600)
        (self.folder / name).write_text(text)

    async def type(self, *words: str) -> str:
        """What a command says; it must end well."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, *LIVEMON[1:], *words, "--config", str(self.config),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await child.communicate()
        assert child.returncode == 0, out.decode()
        return out.decode()

    async def link(self, come_in: Callable[[str], str]) -> str:
        """Type `account link`, open what it prints, press the button, come back from where `come_in` says; the page
        that the owner reads."""
        told = await self.type("account", "link", self.platform, self.shop)
        ours = re.search(r"http://\S+/oauth/\S+\?link=\S+", told)
        assert ours is not None, told
        async with aiohttp.ClientSession() as http:
            async with http.get(ours[0]) as leads:
                assert leads.status == 200, await leads.text()
                button = re.search(r'href="([^"]+)"', await leads.text())
            assert button is not None
            async with http.get(come_in(unescape(button[1]))) as page:
                return await page.text()

    async def push(self, path: str, delivery: Delivery) -> None:
        async with aiohttp.ClientSession() as http:
            url = f"http://127.0.0.1:{self.hooks}{path}" + (f"?{delivery.query}" if delivery.query else "")
            headers = delivery.headers | {"Content-Type": "application/json"}
            async with http.post(url, data=delivery.body, headers=headers) as answer:
                assert answer.status == 200, await answer.text()

    async def until(self, question: str, *answer: Any, within_s: float = 60.0) -> None:
        found: Any = None
        conn = await self.database.connect("owner")
        try:
            async with asyncio.timeout(within_s):
                while found != answer:
                    row = await conn.fetchrow(question)
                    found = None if row is None else tuple(row)
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"{question}: {found}, not {answer}") from None
        finally:
            await conn.close()


@asynccontextmanager
async def running(house: House) -> AsyncIterator[Livemon]:
    async with Livemon(house.config, f"http://127.0.0.1:{house.port}") as livemon:
        await livemon.ready(1)
        yield livemon


def order(fake: FakeDoudian | FakeWechat, number: int, shop: str, amount_minor: int, room: str) -> PlayedOrder:
    now = datetime.now(UTC)
    made = PlayedOrder(f"48{number:017}", shop, now, now, amount_minor, paid_at=now, room=room, author=room)
    fake.orders[made.order_id] = made
    return made


@asynccontextmanager
async def unpushed_orders(fake: FakeDoudian, number: int) -> AsyncIterator[None]:
    """More and more that no push tells: a round that finds none would end the late span before anybody has seen it."""

    async def more() -> None:
        for each in count(number):
            order(fake, each, SHOP, 100, AUTHOR)
            await asyncio.sleep(0.5)

    task = asyncio.create_task(more())
    try:
        yield
    finally:
        task.cancel()


async def true_within(seconds: float, holds: Callable[[], Awaitable[bool]]) -> bool:
    for _ in range(int(seconds / 0.2)):
        if await holds():
            return True
        await asyncio.sleep(0.2)
    return False


def no_token_anywhere(folder: Path, tokens: list[str], pages: list[str]) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert tokens
    assert not [token for token in tokens for page in pages if token in page]
    assert not [(path, token) for path in files for token in tokens if token.encode() in path.read_bytes()]


async def pages_of(livemon: Livemon) -> list[str]:
    return [await livemon.text(page) for page in ("/metrics", "/metrics/rooms", "/", "/api/status")]


async def test_a_shop_comes_in_is_asked_leaves_and_comes_back(tmp_path: Path, database: Any) -> None:
    fake = FakeDoudian(DOUDIAN.key, DOUDIAN.secrets[0], lambda: datetime.now(UTC))
    tables = DOUDIAN_TABLES.format(key=DOUDIAN.key, api=await fake.serve())
    it = House(tmp_path, database, "doudian", AUTHOR, SHOP, tables)
    it.secret("dd.secret", DOUDIAN.secrets[0].decode())
    state = f"SELECT state, contact FROM account WHERE shop = '{SHOP}'"

    def come_in(page: str) -> str:
        back = {"code": fake.office.code(SHOP), "state": parse_qs(urlsplit(page).query)["state"][0]}
        return f"http://127.0.0.1:{it.hooks}/oauth/dd?{urlencode(back)}"

    async with running(it) as livemon:
        # Nobody has linked it: it is missing, and it is known whom to call.
        await it.until(state, "missing", CONTACT)
        assert 'livemon_accounts{platform="doudian",state="missing"} 1.0' in await livemon.text("/metrics")
        assert "授权成功" in await it.link(come_in)
        await it.until(state, "ok", CONTACT)

        # Its push names no room: the order does.
        first = order(fake, 1, SHOP, 12_300, AUTHOR)
        assert first.paid_at is not None
        paid: dict[str, object] = {
            "p_id": int(first.order_id), "shop_id": int(SHOP), "order_status": 2, "pay_type": 1,
            "pay_time": int(first.paid_at.timestamp()), "pay_amount": first.amount_minor,
        }  # fmt: skip
        await it.push("/hooks/doudian", doudian([doudian_message("101", **paid)]))
        await it.until("SELECT room, amount_minor, via FROM sale WHERE kind = 'paid'", AUTHOR, 12_300, "push")

        # What no push tells is found, counted, and its feed is late.
        order(fake, 2, SHOP, 45_600, AUTHOR)
        async with unpushed_orders(fake, 3):
            await it.until("SELECT via FROM sale WHERE kind = 'paid' AND amount_minor = 45_600", "poll")
            await it.until("SELECT cause, to_at FROM blind WHERE feed = 'doudian'", "push_late", None)
        metrics = await livemon.text("/metrics")
        missed = re.search(r'^livemon_push_missed_total{feed="doudian"} (.*)$', metrics, re.MULTILINE)
        assert missed is not None
        assert float(missed[1]) >= 1
        assert 'livemon_accounts{platform="doudian",state="ok"} 1.0' in metrics

        # Two never refresh one token: a second monitor on the same data does not start.
        refreshes = fake.office.refreshes
        second = await asyncio.create_subprocess_exec(
            sys.executable, *LIVEMON[1:], "run", "--config", str(it.config), stderr=asyncio.subprocess.DEVNULL
        )
        assert await second.wait() == 3
        assert fake.office.refreshes == refreshes

        # It leaves: called no more, listed with whom to call.
        fake.office.revoke(SHOP)
        await it.until(state, "refused", CONTACT)
        assert CONTACT in await it.type("account", "list", "--refused")
        await asyncio.sleep(1.0)
        calls = sum(fake.book.by_name.values())
        await asyncio.sleep(7.0)
        assert sum(fake.book.by_name.values()) == calls

        # And comes back by a new link, without a restart.
        assert "授权成功" in await it.link(come_in)
        await it.until(state, "ok", CONTACT)

        async def called_again() -> bool:
            return sum(fake.book.by_name.values()) > calls + 3

        assert await true_within(30.0, called_again)
        pages = await pages_of(livemon)
    no_token_anywhere(tmp_path, [*fake.office.by_access, *fake.office.by_refresh], pages)
    await fake.close()


WECHAT_TABLES = """
[[app]]
name = "wx"
platform = "wechat"
key = "{key}"
secret_file = "wx.aes"
token_file = "wx.token"
app_secret_file = "wx.secret"
api_url = "{api}"

[[feed]]
kind = "wechat_shop"
name = "wechat"
app = "wx"
reconcile_s = 5.0
push_late_s_max = 10.0
"""


async def test_a_third_party_platform_of_wechat_from_its_ticket_to_gmv(tmp_path: Path, database: Any) -> None:
    """Ticket, page with its pre_auth_code, code, the id that pushes name; a payment without an amount; a revocation."""
    app_secret, shop = b"the AppSecret of the platform", "gh_1234567890ab"
    fake = FakeWechat(WECHAT.key, app_secret, lambda: datetime.now(UTC))
    it = House(
        tmp_path, database, "wechat", "finder1", shop, WECHAT_TABLES.format(key=WECHAT.key, api=await fake.serve())
    )
    it.secret("wx.aes", WECHAT.secrets[0].decode())
    it.secret("wx.token", WECHAT.token.decode())
    it.secret("wx.secret", app_secret.decode())
    state = f"SELECT state, contact FROM account WHERE shop = '{shop}'"

    def now_s() -> int:
        return int(datetime.now(UTC).timestamp())

    async with running(it) as livemon:
        await it.until(state, "missing", CONTACT)
        ticket = f"<ComponentVerifyTicket>{fake.ticket}</ComponentVerifyTicket>"
        await it.push("/hooks/wechat", wechat_xml(f"<InfoType>component_verify_ticket</InfoType>{ticket}", now_s()))
        assert await true_within(20.0, lambda: _is(fake.app_office.by_access))
        assert "授权成功" in await it.link(lambda page: fake.let_in(page, shop))
        await it.until(state, "ok", CONTACT)

        # The push tells no amount: it waits for the order, and counts once that is there.
        bought = order(fake, 1, shop, 25_900, "finder1")
        info = {"order_info": {"order_id": int(bought.order_id), "pay_time": now_s()}}
        await it.push("/hooks/wechat", wechat("channels_ec_order_pay", info, stamp=now_s()))
        await it.until("SELECT via, amount_minor FROM sale WHERE kind = 'paid'", "push", 25_900)

        # Its owner takes it back, and the platform says so.
        fake.office.revoke(shop)
        gone = f"<InfoType>unauthorized</InfoType><AuthorizerAppid>{appid_of(shop)}</AuthorizerAppid>"
        await it.push("/hooks/wechat", wechat_xml(gone, now_s() + 1))
        await it.until(state, "refused", CONTACT)
        pages = await pages_of(livemon)
    secret = [*fake.office.by_access, *fake.office.by_refresh, *fake.app_office.by_access, fake.ticket]
    no_token_anywhere(tmp_path, secret, pages)
    await fake.close()


async def _is(found: object) -> bool:
    return bool(found)

"""Accounts as a user meets them: a link, a shop that comes in, is asked, leaves and comes back; no restart between."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from monitor.rehearsal.monitored import LIVEMON, Livemon
from monitor.rehearsal.platforms.doudian_api import FakeDoudian
from monitor.rehearsal.platforms.token_office import PlayedOrder
from monitor.rehearsal.rtmp_hall import free_ports
from tests.orders.chinese import DOUDIAN, doudian, doudian_message

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
    """The monitor as a process, a played Doudian, and what a person types."""

    def __init__(self, folder: Path, database: Any, fake: FakeDoudian, api: str) -> None:
        self.folder, self.database, self.fake = folder, database, fake
        self.port, self.hooks = free_ports(2)
        self.secret("pg", database.server.password("livemon_writer"))
        self.secret("reader", database.server.password("livemon_reader"))
        self.secret("dd.secret", DOUDIAN.secrets[0].decode())
        roster = f"platform,room,anchor,shop,contact\ndoudian,{AUTHOR},苹果姐,{SHOP},{CONTACT}\n"
        (folder / "roster.csv").write_text(roster, encoding="utf-8")
        self.config = folder / "livemon.toml"
        self.config.write_text(
            CONFIG.format(
                port=self.port, hooks=self.hooks, database=database.name, socket=database.server.socket,
                key=DOUDIAN.key, api=api,
            ),
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

    async def link(self) -> str:
        """Type `account link`, open what it prints, let the platform call back; the page that the owner reads."""
        told = await self.type("account", "link", "doudian", SHOP)
        ours = re.search(r"http://\S+/oauth/dd\?link=\S+", told)
        assert ours is not None, told
        async with aiohttp.ClientSession() as http:
            async with http.get(ours[0]) as leads:
                assert leads.status == 200
                button = re.search(r'href="([^"]+)"', await leads.text())
            assert button is not None
            query = parse_qs(urlsplit(unescape(button[1])).query)
            back = {"code": self.fake.office.code(SHOP), "state": query["state"][0]}
            async with http.get(f"http://127.0.0.1:{self.hooks}/oauth/dd", params=back) as page:
                return await page.text()

    async def push(self, order: PlayedOrder) -> None:
        assert order.paid_at is not None
        facts: dict[str, object] = {
            "p_id": int(order.order_id), "shop_id": int(SHOP), "order_status": 2, "pay_type": 1,
            "pay_time": int(order.paid_at.timestamp()), "pay_amount": order.amount_minor,
        }  # fmt: skip
        delivery = doudian([doudian_message("101", **facts)])
        async with aiohttp.ClientSession() as http:
            url = f"http://127.0.0.1:{self.hooks}/hooks/doudian"
            headers = delivery.headers | {"Content-Type": "application/json"}
            async with http.post(url, data=delivery.body, headers=headers) as answer:
                assert answer.status == 200

    def order(self, number: int, amount_minor: int) -> PlayedOrder:
        now = datetime.now(UTC)
        order = PlayedOrder(
            f"48{number:017}", SHOP, now, now, amount_minor, paid_at=now, room="7311", author=AUTHOR
        )  # fmt: skip
        self.fake.orders[order.order_id] = order
        return order

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
async def house(folder: Path, database: Any) -> AsyncIterator[tuple[House, Livemon]]:
    fake = FakeDoudian(DOUDIAN.key, DOUDIAN.secrets[0], lambda: datetime.now(UTC))
    api = await fake.serve()
    made = House(folder, database, fake, api)
    try:
        async with Livemon(made.config, f"http://127.0.0.1:{made.port}") as livemon:
            await livemon.ready(1)
            yield made, livemon
    finally:
        await fake.close()


async def true_within(seconds: float, holds: Callable[[], Awaitable[bool]]) -> bool:
    for _ in range(int(seconds / 0.2)):
        if await holds():
            return True
        await asyncio.sleep(0.2)
    return False


STATE = f"SELECT state, contact FROM account WHERE shop = '{SHOP}'"


async def test_a_shop_comes_in_is_asked_leaves_and_comes_back(tmp_path: Path, database: Any) -> None:
    async with house(tmp_path, database) as (it, livemon):
        # Nobody has linked it: it is missing, and it is known whom to call.
        await it.until(STATE, "missing", CONTACT)
        assert "授权成功" in await it.link()
        await it.until(STATE, "ok", CONTACT)

        # Its push names no room: the order does.
        await it.push(it.order(1, 12_300))
        await it.until("SELECT room, amount_minor, via FROM sale WHERE kind = 'paid'", AUTHOR, 12_300, "push")

        # What no push tells is found, counted, and its feed is late.
        it.order(2, 45_600)
        await it.until("SELECT via, amount_minor FROM sale WHERE via = 'poll' AND kind = 'paid'", "poll", 45_600)
        await it.until("SELECT cause, to_at FROM blind WHERE feed = 'doudian'", "push_late", None)
        metrics = await livemon.text("/metrics")
        missed = re.search(r'^livemon_push_missed_total{feed="doudian"} (.*)$', metrics, re.MULTILINE)
        assert missed is not None
        assert float(missed[1]) >= 1
        assert 'livemon_accounts{platform="doudian",state="ok"} 1.0' in metrics

        # It leaves: called no more, listed with whom to call.
        it.fake.office.revoke(SHOP)
        await it.until(STATE, "refused", CONTACT)
        assert CONTACT in await it.type("account", "list", "--refused")
        await asyncio.sleep(1.0)
        calls = sum(it.fake.book.by_name.values())
        await asyncio.sleep(7.0)
        assert sum(it.fake.book.by_name.values()) == calls

        # And comes back by a new link, without a restart.
        assert "授权成功" in await it.link()
        await it.until(STATE, "ok", CONTACT)

        async def called_again() -> bool:
            return sum(it.fake.book.by_name.values()) > calls + 3

        assert await true_within(30.0, called_again)

        tokens = [*it.fake.office.by_access, *it.fake.office.by_refresh]
        told = [await livemon.text(page) for page in ("/metrics", "/metrics/rooms", "/", "/api/status")]
        assert not [token for token in tokens for page in told if token in page]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [(path, token) for path in files for token in tokens if token.encode() in path.read_bytes()]

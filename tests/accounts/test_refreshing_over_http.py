"""Some hundred Doudian shops over real HTTP, by that platform's own rules: all are refreshed once, within the rate."""

import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from collectors.apis import APIS
from collectors.details import ORDER
from collectors.hook import App, Need
from collectors.open_api import Verdict
from monitor.accounts.book import Book
from monitor.accounts.client import Client
from monitor.accounts.failed import AccountRefused
from monitor.accounts.guarded_http import GuardedHttp
from monitor.accounts.refresher import Refresher
from monitor.accounts.terms import terms_of
from monitor.rehearsal.platforms.doudian_api import FakeDoudian
from monitor.rehearsal.platforms.token_office import CallBook, PlayedOrder
from tests.accounts.played import APP, Memory, account_of

SHOPS, PER_S = 300, 60.0
SECRET = b"s3cret-of-the-app"


def wall() -> datetime:
    return datetime.now(UTC)


@pytest.mark.slow
async def test_all_are_refreshed_once_and_no_second_is_above_the_rate(caplog):
    caplog.set_level(logging.DEBUG)
    fake = FakeDoudian("app-key", SECRET, wall, CallBook(per_s=PER_S, skew_s=300))
    base = await fake.serve()
    called = Counter[tuple[str, Verdict]]()
    terms = terms_of(App(APP, "doudian", "app-key", (SECRET,)), APIS["doudian"], api_url=base, calls_per_s=PER_S)
    pairs = [fake.office.issue(f"10{n}", wall(), wall() + timedelta(minutes=12, seconds=n / 4)) for n in range(SHOPS)]
    for pair in pairs:
        pair.granted_at = pair.access_until - timedelta(days=7)
        at = wall()
        fake.orders[f"69{pair.shop}"] = PlayedOrder(f"69{pair.shop}", pair.shop, at, at, 100, paid_at=at)
    memory = Memory([account_of(pair) for pair in pairs])
    async with GuardedHttp(lambda: terms.origins) as http:
        book = Book(memory, lambda heard: None, wall)
        await book.open()
        client = Client({APP: terms}, book, http, wall, lambda _, name, verdict: called.update([(name, verdict)]))
        refresher, until = Refresher(client, wall, lambda app, outcome: None), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(refresher.work(until))

            async def detail(shop: str) -> bytes:
                need = Need(ORDER, f"69{shop}", shop)
                return await client.ask(APP, shop, lambda caller: terms.api.detail(caller, need, wall()))

            asking = [group.create_task(detail(pair.shop)) for pair in pairs]
            while any(it.tokens.access_until < wall() + timedelta(days=1) for it in book.of(APP)):
                assert not any(it.refused for it in book.of(APP))
                await asyncio.sleep(0.05)
            bodies = await asyncio.gather(*asking)
            fake.office.revoke("100")
            with pytest.raises(AccountRefused):
                await detail("100")
            until.set()
    await fake.close()
    assert all(pair.shop.encode() in body for pair, body in zip(pairs, bodies, strict=True))
    assert fake.office.refreshes == SHOPS
    assert max(fake.book.by_second.values()) <= PER_S
    assert called == {
        ("token.refresh", "ok"): SHOPS, ("order.orderDetail", "ok"): SHOPS, ("order.orderDetail", "revoked"): 1
    }  # fmt: skip
    told = caplog.text
    assert not any(token in told for token in (*fake.office.by_access, *fake.office.by_refresh, SECRET.decode()))

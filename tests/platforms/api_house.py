"""An app with its accounts for a kind that asks through them: the real client over real sockets, accounts in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import cast

from collectors.api_feed import ApiRow
from collectors.hook import App
from collectors.open_api import OpenApi
from monitor.accounts.account import Account, AccountKey
from monitor.accounts.api_line import ApiLine, Asking, Means
from monitor.accounts.book import Book
from monitor.accounts.client import Client
from monitor.accounts.guarded_http import GuardedHttp
from monitor.accounts.refresher import Refresher
from monitor.accounts.terms import terms_of
from monitor.live.sight import platform_of

from .stage import House, now

CALLS_PER_S = 1_000.0


class Kept:
    """A Keeping that forgets at the end of the test."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self.accounts = list(accounts)

    async def load(self) -> list[Account]:
        return self.accounts

    async def keep(self, accounts: Iterable[Account], gone: Iterable[AccountKey] = ()) -> None: ...


@asynccontextmanager
async def asking(
    row: ApiRow, api: OpenApi, app: App, url: str, accounts: Sequence[Account], house: House
) -> AsyncIterator[ApiLine]:
    """The feed's line while its client lives; `url` is where the fake platform listens."""
    book = Book(Kept(accounts), lambda heard: None, now)
    await book.open()
    terms = {app.name: terms_of(app, api, url, calls_per_s=CALLS_PER_S)}
    http = GuardedHttp(lambda: terms[app.name].origins, total_s_max=2.0)
    client = Client(terms, book, http, now, lambda app, name, verdict: None)
    refresher, over = Refresher(client, now, lambda app, outcome: None), asyncio.Event()
    platform = platform_of(row)
    means = Means(client, lambda room: house.watch.muster.row(platform, room), book.belonging, house.unseen)
    async with http, asyncio.TaskGroup() as group:
        group.create_task(refresher.work(over))
        await asyncio.sleep(0)  # it is at work before the first call
        try:
            yield ApiLine(cast(Asking, row), means)
        finally:
            over.set()

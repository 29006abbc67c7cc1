"""An ApiRow's line to a fake without a socket: the real client and its real budgets, on whatever loop there is."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol, cast
from urllib.parse import parse_qsl, urlsplit

from collectors.api_feed import ApiRow
from collectors.hook import App
from collectors.open_api import Answer, Call, OpenApi
from monitor.accounts.api_line import ApiLine, Asking, Means
from monitor.accounts.book import Book
from monitor.accounts.client import Client
from monitor.accounts.refresher import Refresher
from monitor.accounts.terms import terms_of
from monitor.live.failure import Reason
from monitor.rehearsal.platforms.api_server import Asked, Told

from .api_house import Kept

BASE = "http://127.0.0.1:1"
ROUND_TRIP_S = 0.08


class Fake(Protocol):
    def answer(self, asked: Asked) -> Told: ...


def question(call: Call) -> Asked:
    parts = urlsplit(call.url)
    return Asked(
        "GET" if call.body is None else "POST", parts.path, dict(parse_qsl(parts.query)), call.headers,
        call.body or b"", query_string=parts.query,
    )  # fmt: skip


def answered(fake: Fake, call: Call) -> Answer:
    told = fake.answer(question(call))
    return Answer(told.status, {name.lower(): value for name, value in told.headers.items()}, told.body)


@asynccontextmanager
async def straight(
    row: ApiRow, api: OpenApi, app: App, fake: Fake, now: Callable[[], datetime],
    unseen: Callable[[str, Sequence[str], Reason], None] = lambda feed, rooms, reason: None,
) -> AsyncIterator[tuple[ApiLine, Counter[str]]]:  # fmt: skip
    """The line, and how often each verdict was heard."""
    verdicts = Counter[str]()

    async def transport(call: Call) -> Answer:
        await asyncio.sleep(ROUND_TRIP_S / 2)
        answer = answered(fake, call)
        await asyncio.sleep(ROUND_TRIP_S / 2)
        return answer

    def called(_app: str, _name: str, verdict: str) -> None:
        verdicts[verdict] += 1

    book = Book(Kept(()), lambda heard: None, now)
    await book.open()
    client = Client({app.name: terms_of(app, api, BASE)}, book, transport, now, called)
    refresher, over = Refresher(client, now, lambda app, outcome: None), asyncio.Event()
    means = Means(client, lambda room: None, book.belonging, unseen)
    async with asyncio.TaskGroup() as group:
        group.create_task(refresher.work(over))
        await asyncio.sleep(0)
        try:
            yield ApiLine(cast(Asking, row), means), verdicts
        finally:
            over.set()

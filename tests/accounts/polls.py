"""Calls of a platform's rules to its fake, with no socket between, and all pages of a listing."""

from collections.abc import Callable, MutableMapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from collectors.collector import FeedRow
from collectors.details import ORDER
from collectors.hook import App, Delivery, Details, Need
from collectors.open_api import Answer, Call, Caller, OpenApi, Page
from collectors.tick import Sale
from monitor.rehearsal.platforms.api_server import Asked, Told
from monitor.rehearsal.platforms.token_office import PlayedOrder, TokenOffice
from tests.orders.chinese import meaning

PAGES_MAX = 200
START = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


class Clock:
    """The one of a test: it stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def later(self, **span: float) -> datetime:
        self.at += timedelta(**span)
        return self.at


class Fake(Protocol):
    def answer(self, asked: Asked) -> Told: ...


class Played(Fake, Protocol):
    """A fake, as far as all of them are alike."""

    office: TokenOffice
    now: Callable[[], datetime]

    @property
    def orders(self) -> MutableMapping[str, PlayedOrder]: ...

    async def serve(self) -> str: ...

    async def close(self) -> None: ...


def play(fake: Played, *orders: PlayedOrder) -> None:
    fake.orders.update({one.order_id: one for one in orders})


def window(clock: Clock) -> tuple[datetime, datetime]:
    """The one that a test polls: the last ten minutes."""
    return clock.at - timedelta(minutes=10), clock.at


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def ask(fake: Fake, call: Call | None, remote: str = "127.0.0.1") -> Answer:
    """What the fake answers to this call, as a client would have read it."""
    assert call is not None
    parts = urlsplit(call.url)
    told = fake.answer(
        Asked(
            "GET" if call.body is None else "POST", parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)),
            dict(call.headers), call.body or b"", remote,
        )
    )  # fmt: skip
    return Answer(told.status, {name.lower(): value for name, value in told.headers.items()}, told.body)


def ok(api: OpenApi, fake: Fake, call: Call | None) -> bytes:
    """The body of an answer that holds what was asked for."""
    answer = ask(fake, call)
    judged = api.judge(answer)
    assert judged.verdict == "ok", (judged, answer.body)
    return answer.body


def verdict(api: OpenApi, fake: Fake, call: Call | None, remote: str = "127.0.0.1") -> str:
    return api.judge(ask(fake, call, remote)).verdict


def polled(
    api: OpenApi, fake: Fake, caller: Caller, row: FeedRow, window: tuple[datetime, datetime], now: datetime,
    between: Callable[[int], None] = lambda pages: None,
) -> list[Sale]:  # fmt: skip
    """The facts of all listings in a window, read to the last page, details asked for where a page needs them."""
    sales: list[Sale] = []
    for listing in api.LISTINGS:
        mark, pages = "", 0
        while True:
            body = ok(api, fake, api.list_page(caller, listing, *window, mark, now))
            page = api.read_page(row, listing, caller.shop, body, now, mark=mark)
            if page.needs:
                answers = details(api, fake, caller, page.needs, now)
                page = api.read_page(row, listing, caller.shop, body, now, answers, mark)
            assert not page.needs
            assert not page.bad
            sales += page.sales
            mark, pages = page.next, pages + 1
            between(pages)
            if not mark:
                break
            assert pages < PAGES_MAX
    return sales


def details(api: OpenApi, fake: Fake, caller: Caller, needs: Sequence[Need], now: datetime) -> Details:
    return {(need.what, need.key): ok(api, fake, api.detail(caller, need, now)) for need in needs}


def pushes(
    api: OpenApi, fake: Fake, caller: Caller, row: FeedRow, app: App, deliveries: Sequence[Delivery], now: datetime
) -> list[Sale]:
    """The facts of what was pushed, with the details that the fake answers."""
    sales: list[Sale] = []
    for delivery in deliveries:
        found = details(api, fake, caller, meaning(row, delivery, app).needs, now)
        sales += meaning(row, delivery, app, found).sales
    return sales


def order_need(order_id: str, shop: str) -> Need:
    return Need(ORDER, order_id, shop)


def told(sales: Sequence[Sale]) -> dict[str, tuple[str, int, str, str | None, str | None]]:
    """What two ways of hearing one fact must agree on."""
    return {s.event_id: (s.kind, s.amount_minor, s.currency, s.shop, s.order_id) for s in sales}


def agree(polled: Sequence[Sale], pushed: Sequence[Sale]) -> None:
    """Asserts that polls told what the pushes told, to the items and the room, and not a fact more or less."""
    assert told(polled) == told(pushed)
    assert {sale.via for sale in polled} == {"poll"}
    by_id = {sale.event_id: sale for sale in pushed}
    for sale in polled:
        theirs = by_id[sale.event_id]
        assert (sale.at, sale.units, sale.items, sale.room) == (theirs.at, theirs.units, theirs.items, theirs.room)
        assert sale.buyer == theirs.buyer


def orders_of(sales: Sequence[Sale]) -> set[str | None]:
    return {sale.order_id for sale in sales}


def sets_one_aside(page: Page, kinds: Sequence[str], private: Sequence[str]) -> None:
    """Asserts that one entry is bad and the rest tell facts of these kinds, and that what is kept names nobody."""
    assert [sale.kind for sale in page.sales] == list(kinds)
    assert len(page.bad) == 1
    assert not any(name.encode() in page.bad[0].raw + page.bad[0].sample.encode() for name in private)

"""A platform that is nothing but lists of entries, asked without a socket: windows, pages, details, failures."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from collectors.collector import BadFrame, FeedRow
from collectors.details import ORDER
from collectors.hook import NO_DETAILS, App, Bad, Details, Need
from collectors.open_api import Call, Caller, Listing, Page, Tokens
from collectors.tick import Sale
from monitor.accounts.account import Account
from monitor.accounts.asking import Make
from monitor.accounts.budget import Urgency
from monitor.accounts.failed import AccountRefused, CallFailed
from monitor.accounts.shop_poll import Means
from monitor.facts import Heard, PollCursor
from tests.reading import KEY, RULES, STALL

START = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
PAGE = 3


class Entry(msgspec.Struct):
    """An order that was paid. `detail`: its amount comes with an answer of its own."""

    order: str
    at: datetime
    amount: int = 100
    detail: bool = False
    bad: bool = False
    room: str | None = None


class TinyApi:
    PLATFORM: ClassVar[str] = "stall"
    LISTINGS: ClassVar[tuple[Listing, ...]] = (Listing("orders", 1_800.0),)
    ROOM_BY_ORDER: ClassVar[bool] = True

    def detail(self, caller: Caller, need: Need, now: datetime) -> Call | None:
        return call("detail", shop=caller.shop, key=need.key) if need.what == ORDER else None

    def list_page(
        self, caller: Caller, listing: Listing, from_at: datetime, to_at: datetime, mark: str, now: datetime
    ) -> Call:
        assert (to_at - from_at).total_seconds() <= listing.window_s_max
        return call("list", shop=caller.shop, from_at=from_at.timestamp(), to_at=to_at.timestamp(), mark=mark)

    def read_page(
        self, row: FeedRow, listing: Listing, shop: str, body: bytes, received_at: datetime,
        details: Details = NO_DETAILS, mark: str = "",
    ) -> Page:  # fmt: skip
        told = as_object(body)
        page = Page([], [], [], told["next"])
        for raw in told["entries"]:
            entry = msgspec.convert(raw, Entry)
            if entry.bad:
                page.bad.append(Bad("bad_item: no amount", entry.order, json.dumps(raw).encode()))
            elif entry.detail and not details.get((ORDER, entry.order), b"").isdigit():
                page.needs.append(Need(ORDER, entry.order, shop))
            else:
                amount = int(details[ORDER, entry.order]) if entry.detail else entry.amount
                page.sales.append(sold(row, shop, entry, amount, received_at))
        return page

    def read_order(self, row: FeedRow, shop: str, order_id: str, body: bytes, received_at: datetime) -> list[Sale]:
        entry = msgspec.convert(as_object(body), Entry)
        return [sold(row, shop, entry, entry.amount, received_at)]


def sold(row: FeedRow, shop: str, entry: Entry, amount: int, received_at: datetime) -> Sale:
    return Sale(
        feed=row.name, platform="stall", event_id=f"{shop}:{entry.order}:paid", at=entry.at, received_at=received_at,
        kind="paid", amount_minor=amount, currency="CNY", shop=shop, order_id=entry.order, room=entry.room,
        buyer=b"somebody",
    )  # fmt: skip


def call(name: str, **asked: Any) -> Call:
    return Call(name, json.dumps(asked))


def as_object(body: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(body))
    except ValueError as error:
        raise BadFrame("bad_json: none") from error


class Tiny:
    """The platform and the client in one. `fails` are verdicts of the next calls by name or (name, key), for ever
    where there is one; `too_many` is how many entries of a window it lists before it says that it is broken."""

    def __init__(self, *shops: str) -> None:
        self.now_at = START
        self.entries: dict[str, list[Entry]] = {shop: [] for shop in shops}
        self.answers: dict[str, bytes] = {}
        self.fails: dict[object, Any] = {}
        self.too_many = 1_000_000
        self.listed_s = 0.0  # so long it takes until an entry is listed
        self.calls: Counter[str] = Counter()
        self.asked: list[tuple[str, str, Urgency]] = []
        self.windows: list[tuple[float, float]] = []
        self.heard: list[Heard] = []
        self.accounts = {shop: account(shop) for shop in shops}
        self.app_wait_s = 0.0

    def now(self) -> datetime:
        return self.now_at

    def wait(self, seconds: float) -> None:
        self.now_at += timedelta(seconds=seconds)

    def sell(self, shop: str, order: str, **more: Any) -> Entry:
        entry = Entry(order, self.now_at, **more)
        self.entries[shop].append(entry)
        return entry

    def wait_s(self, app: str) -> float:
        return self.app_wait_s

    def account(self, app: str, shop: str) -> Account | None:
        return self.accounts.get(shop)

    async def ask(self, app: str, shop: str, make: Make, anchor: str = "", urgency: Urgency = Urgency.DETAIL) -> bytes:
        if shop not in self.accounts or self.accounts[shop].refused:
            raise AccountRefused("never linked")
        made = make(Caller(App("a", "stall"), "https://stall", "https://stall", shop))
        asked = json.loads(made.url)
        self.calls[made.name] += 1
        self.asked.append((made.name, asked.get("key", shop), urgency))
        fails = self.fails.get((made.name, asked.get("key", shop)), self.fails.get(made.name))
        if isinstance(fails, Exception):
            raise fails
        if fails is not None:
            raise CallFailed(*fails) if isinstance(fails, tuple) else CallFailed(fails)
        return self._page(asked) if made.name == "list" else self._detail(asked)

    def _page(self, asked: dict[str, Any]) -> bytes:
        self.windows.append((asked["from_at"] - START.timestamp(), asked["to_at"] - START.timestamp()))
        found = [
            entry
            for entry in self.entries[asked["shop"]]
            if asked["from_at"] <= entry.at.timestamp() < asked["to_at"]
            and self.now_at >= entry.at + timedelta(seconds=self.listed_s)
        ]
        if len(found) > self.too_many:
            raise CallFailed("broken", "too_many")
        first = int(asked["mark"] or 0)
        more = first + PAGE < len(found)
        entries = [msgspec.to_builtins(entry) for entry in found[first : first + PAGE]]
        return json.dumps({"entries": entries, "next": str(first + PAGE) if more else ""}).encode()

    def _detail(self, asked: dict[str, Any]) -> bytes:
        if asked["key"] in self.answers:
            return self.answers[asked["key"]]
        raise CallFailed("missing", "none")

    # --- what polls work with ----------------------------------------------------------------------------------------

    def means(self) -> Means:
        return Means(
            client=self, now=self.now, rules=lambda: RULES, cipher=KEY, room=at_once, put=self.heard.append,
            understood=at_once,
        )  # fmt: skip

    def sales(self) -> list[str]:
        return [sale.order_id or "" for heard in self.heard for sale in heard.sales]

    def aside(self) -> list[tuple[str, str]]:
        return [(bad.reason, bad.sample) for heard in self.heard for bad in heard.quarantine]

    def cursors(self) -> list[PollCursor]:
        return [cursor for heard in self.heard for cursor in heard.cursors]


def account(shop: str, **more: Any) -> Account:
    tokens = Tokens("t", START, START + timedelta(days=300), "r", START + timedelta(days=300))
    return Account("a", "stall", shop, tokens=tokens, **more)


async def at_once(*_: object) -> None:
    pass


APP = msgspec.structs.replace(STALL, name="a")

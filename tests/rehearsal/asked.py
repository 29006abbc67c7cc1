"""A played platform as livemon knows it: settings loaded, hooks or sockets heard, the rest asked for by its rules."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from collectors.api_feed import ApiRow
from collectors.apis import APIS
from collectors.collector import FeedRefused, FeedRow
from collectors.hook import NO_DETAILS, App, Details, HookRow, Meaning, Need, OrderPollRow, OrderSocketRow
from collectors.open_api import Answer, Call, Caller, Completing, Listing, OpenApi, Page, Tokens, Verdict
from collectors.orders.pinduoduo_pmc import PinduoduoPmc
from collectors.orders.taobao_tmc import TaobaoTmc
from collectors.tick import Sale
from monitor.account_file import read_account_file
from monitor.accounts.account import Account
from monitor.accounts.terms import terms_of
from monitor.apps import read_apps
from monitor.http import hooks, listener
from monitor.http.guard import Guard
from monitor.http.hooks import Hooks, Outlets
from monitor.rehearsal.event.cast import Part
from monitor.rehearsal.scene import Platform, Scene
from monitor.rehearsal.stage import accounts_csv
from monitor.rehearsal.truth import Fact, facts_of
from tests.http.hook_site import Disk
from tests.orders.socket_stage import NO_HTTP

from .staged import as_fact, loaded, running, staged

PAGES_MAX = 50
Frame = tuple[bytes, datetime]


@dataclass
class Listener[P: Platform]:
    """livemon in front of one platform. `kept` is what it would have on disk; `sales` what it has understood."""

    scene: Scene
    platform: P
    row: FeedRow
    app: App
    api: OpenApi
    tokens: dict[str, Tokens]
    truth: Path
    url: str  # of the platform's interface
    keyed: list[Account] = field(default_factory=list)  # accounts with a key of their own, which have no pair
    kept: list[Frame] = field(default_factory=list)
    full: list[int] = field(default_factory=list)  # one entry for each push that the disk shall not take
    ended: list[str] = field(default_factory=list)  # why connections ended
    pulses: int = 0
    _understood: int = 0
    _sales: dict[str, Sale] = field(default_factory=dict)

    # --- what is asked ---

    def caller(self, shop: str) -> Caller:
        return Caller(self.app, self.url, self.url, shop, self.tokens[shop])

    async def exchanged(self, call: Call) -> Answer:
        method = "GET" if call.body is None else "POST"
        async with self.scene.http.request(method, call.url, data=call.body, headers=call.headers) as reply:
            headers = {name.lower(): value for name, value in reply.headers.items()}
            return Answer(reply.status, headers, await reply.read())

    async def asked(self, shop: str, make: Callable[[Caller], Call | None]) -> bytes:
        """The body of an answer that holds what was asked for, in the name of a complete account."""
        await self._complete(shop)
        call = make(self.caller(shop))
        assert call is not None
        answer = await self.exchanged(call)
        judged = self.api.judge(answer)
        assert judged.verdict == "ok", (judged, answer.body)
        return answer.body

    async def _complete(self, shop: str) -> None:
        """As it is settled after an import: what a fresh pair lacks is asked for."""
        caller, now = self.caller(shop), self.scene.now()
        if isinstance(self.api, Completing) and (call := self.api.complete(caller, now)) is not None:
            answer = await self.exchanged(call)
            assert self.api.judge(answer).verdict == "ok"
            grant = self.api.completed(caller, answer.body)
            assert grant.shop == shop
            self.tokens[shop] = grant.tokens

    async def granted(self, account: Account) -> None:
        """An account with a key of its own has tokens by that alone."""
        caller, now = terms_of(self.app, self.api, self.url).caller(account, None), self.scene.now()
        call = self.api.own(caller, now)
        assert call is not None
        answer = await self.exchanged(call)
        assert self.api.judge(answer).verdict == "ok", answer.body
        self.tokens[account.shop] = self.api.granted(answer.body, None, now).tokens

    async def answers(self, needs: Iterable[Need]) -> Details:
        return {(need.what, need.key): await self._detail(need) for need in needs}

    async def _detail(self, need: Need) -> bytes:
        return await self.asked(need.shop, lambda caller: self.api.detail(caller, need, self.scene.now()))

    async def verdict(self, shop: str) -> Verdict:
        """Of any question in the name of this shop, whose account is complete."""
        call = self.api.list_page(self.caller(shop), self.api.LISTINGS[0], *self._window(), "", self.scene.now())
        return self.api.judge(await self.exchanged(call)).verdict

    # --- what is understood ---

    async def sales(self) -> list[Sale]:
        """What was kept until now says, each fact once; of a feed that is only polled, what polls say."""
        if isinstance(self.row, OrderPollRow):
            return await self.polled()
        while self._understood < len(self.kept):
            frame, at = self.kept[self._understood]
            told = await self._meant(frame, at)
            self._understood += 1
            for sale in told.sales:
                self._know(sale)
        return list(self._sales.values())

    def _know(self, sale: Sale) -> None:
        before = self._sales.setdefault(sale.event_id, sale)
        assert msgspec.structs.replace(sale, received_at=before.received_at) == before, "one fact, told in two ways"

    async def _meant(self, frame: bytes, at: datetime) -> Meaning:
        told: Meaning = self.row.parse(frame, at, self.app)  # type: ignore[attr-defined]
        if told.needs:
            told = self.row.parse(frame, at, self.app, await self.answers(told.needs))  # type: ignore[attr-defined]
        assert not told.needs
        assert not told.bad
        return told

    async def settled(self) -> list[Sale]:
        """All that was told, once nothing waits any more."""
        async with asyncio.timeout(20):
            while True:
                sales = await self.sales()
                if not self.platform.waiting():
                    return sales
                await asyncio.sleep(0.01)

    # --- what is polled ---

    def _window(self) -> tuple[datetime, datetime]:
        return self.scene.now() - timedelta(minutes=5), self.scene.now() + timedelta(seconds=2)

    async def polled(self) -> list[Sale]:
        """What polls of all shops tell of the last minutes."""
        found: dict[str, Sale] = {}
        for shop in self.tokens:
            for listing in self.api.LISTINGS:
                mark, window = "", self._window()
                for _ in range(PAGES_MAX):
                    page = await self._page(shop, listing, window, mark)
                    assert not page.needs
                    assert not page.bad
                    found |= {sale.event_id: sale for sale in page.sales}
                    if not (mark := page.next):
                        break
                assert not mark
        return list(found.values())

    async def _page(self, shop: str, listing: Listing, window: tuple[datetime, datetime], mark: str) -> Page:
        now = self.scene.now()
        body = await self.asked(shop, lambda caller: self.api.list_page(caller, listing, *window, mark, now))
        page = self.api.read_page(self.row, listing, shop, body, now, NO_DETAILS, mark)
        if not page.needs:
            return page
        return self.api.read_page(self.row, listing, shop, body, now, await self.answers(page.needs), mark)

    def facts(self) -> list[Fact]:
        """The truth, as it is on disk."""
        self.scene.truth.flush()
        return ordered(fact for fact, _ in facts_of(self.truth))

    # --- what is heard of a socket ---

    async def emit(self, frame: bytes, at: datetime) -> None:
        self.pulses += 1
        if frame:
            self.kept.append((frame, at))

    async def hear(self) -> None:
        """Connected, and again whenever the connection ends, as `supervise` keeps it. A refusal for good ends it."""
        assert isinstance(self.row, TaobaoTmc | PinduoduoPmc)
        quick = msgspec.structs.replace(self.row, interval_s=0.1)
        while True:
            try:
                await quick.collect(NO_HTTP, self.emit, self.scene.now, self.app)
            except FeedRefused:
                raise
            except Exception as error:  # noqa: BLE001 - whatever ends a connection, the next one is tried
                self.ended.append(type(error).__name__)
                await asyncio.sleep(0.05)


@asynccontextmanager
async def listened[P: Platform](
    folder: Path, kind: Callable[[Scene], P], parts: Sequence[Part]
) -> AsyncIterator[Listener[P]]:
    """`kind` on a small stage, open and running, its settings loaded as livemon loads them, livemon hearing it."""
    kept: list[Frame] = []
    full: list[int] = []

    async def keep(feed: str, frame: bytes, received_at: datetime, once: str = "") -> None:
        if full:
            full.pop()
            raise Disk.Full("no room")
        kept.append((frame, received_at))

    site = Hooks(Outlets(keep=keep, full=(Disk.Full,), now=lambda: datetime.now(UTC)), Guard())
    served = await hooks.start(site, "127.0.0.1", 0)
    try:
        async with staged(folder, parts, hooks_url=f"http://127.0.0.1:{served.port}") as scene:
            platform = kind(scene)
            await platform.open()
            try:
                heard = livemon(folder, scene, platform)
                heard.kept, heard.full = kept, full
                for account in heard.keyed:
                    await heard.granted(account)
                if isinstance(heard.row, HookRow):
                    site.serve_feeds([heard.row], {heard.app.name: heard.app})
                async with running(platform), hearing(heard):
                    yield heard
            finally:
                await platform.close()
    finally:
        await listener.stop(served)


@asynccontextmanager
async def hearing[P: Platform](heard: Listener[P]) -> AsyncIterator[None]:
    if not isinstance(heard.row, OrderSocketRow):
        yield
        return
    task = asyncio.ensure_future(heard.hear())
    try:
        yield
    finally:
        task.cancel()
        [ended] = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended


def livemon[P: Platform](folder: Path, scene: Scene, platform: P) -> Listener[P]:
    """By the platform's settings alone, read as livemon reads them."""
    settings = platform.settings()
    config = loaded(folder, settings)
    [row] = [feed for feed in config.feeds if not isinstance(feed, ApiRow)]
    [table] = config.apps
    file = read_account_file(
        accounts_csv(settings.accounts), "accounts.csv", {table.name: table}, ZoneInfo("Asia/Shanghai"), scene.now()
    )
    assert file.problems == ()
    tokens = {it.account.shop: it.account.tokens for it in file.listed if it.account.tokens is not None}
    assert len(tokens) + sum(bool(it.account.key) for it in file.listed) == len(settings.accounts)
    keyed = [it.account for it in file.listed if it.account.key and it.account.shop]  # others are of rooms, not shops
    app, api = read_apps(config.apps)[table.name], APIS[table.platform]
    return Listener(scene, platform, row, app, api, tokens, folder / "truth.sqlite", table.api_url, keyed)


def told(sales: Iterable[Sale]) -> list[Fact]:
    """What rows say of money, as the truth would put it."""
    return ordered(as_fact(Meaning(list(sales))))


def ordered(facts: Iterable[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (fact.order_id, fact.kind))

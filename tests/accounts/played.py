"""A played platform without a socket, its rules, and accounts of it in a book that rests in memory."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from collectors.collector import BadFrame
from collectors.hook import App
from collectors.open_api import Answer, Call, Caller, Grant, Judged, Quota, Tokens, Verdict
from monitor.accounts.account import Account, AccountKey
from monitor.accounts.book import Book
from monitor.accounts.client import Client
from monitor.accounts.failed import NotAnswered
from monitor.accounts.refresher import Refresher
from monitor.accounts.terms import Terms, terms_of
from monitor.rehearsal.platforms.token_office import CallBook, Denied, Pair, TokenOffice, TokenRules

APP = "shop-app"
ADDRESS = "203.0.113.7"


class PlayedApi:
    """Rules as a platform's, of which a test says the numbers. Tokens of the app itself where `component`."""

    PLATFORM, CODE_IS, LISTINGS, ROOM_BY_ORDER = "played", "code", (), False
    BASE = AUTH_BASE = "https://open.played.example"

    def __init__(
        self, per_s: float = 10.0, window_s: float | None = None, component: bool = False, quotas: bool = False
    ) -> None:
        self.CALLS_PER_S, self.REFRESH_WINDOW_S, self.APP_HAS_TOKENS = per_s, window_s, component
        self.NAME_CALLS_PER_S = dict[str, float]()
        self.quotas = quotas

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        app_token = caller.app_tokens.access if caller.app_tokens else ""
        return call(caller, "refresh", refresh=caller.tokens.refresh, app_token=app_token)

    def own(self, caller: Caller, now: datetime) -> Call | None:
        return call(caller, "own", shop=caller.shop, key=caller.app.key)

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        return call(caller, "app_grant", ticket=ticket) if ticket else None

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        told = json.loads(body)
        if "access" not in told:
            raise BadFrame(f"bad_tokens: {body!r}")
        ends = [datetime.fromisoformat(it) if it else None for it in (told["access_until"], told["refresh_until"])]
        return Grant(Tokens(told["access"], now, ends[0], told["refresh"], ends[1]))

    def judge(self, answer: Answer) -> Judged:
        told = json.loads(answer.body)
        return Judged(told["verdict"], told.get("detail", ""), told.get("wait_s", 0.0))

    def quota(self, caller: Caller, name: str, now: datetime) -> Call | None:
        return call(caller, "quota", of=name) if self.quotas else None

    def read_quota(self, body: bytes, now: datetime) -> Quota:
        told = json.loads(body)
        return Quota(told["left"], datetime.fromisoformat(told["until"]))


def call(caller: Caller, name: str, **query: str) -> Call:
    return Call(name, f"{caller.base}/{name}?" + "&".join(f"{key}={value}" for key, value in query.items()))


def order(caller: Caller) -> Call:
    """Any question in the name of a shop."""
    return call(caller, "order", access=caller.access)


def answer(verdict: Verdict, status: int = 200, headers: dict[str, str] | None = None, **told: object) -> Answer:
    return Answer(status, headers or {}, json.dumps({"verdict": verdict, **told}).encode())


class PlayedPlatform:
    """A Transport. `delay()` is how long a call takes to arrive, and its answer to come back.

    `plan`: what is said instead, by the call's name, as long as there is something.
    """

    def __init__(self, rules: TokenRules, now: Callable[[], datetime], book: CallBook | None = None) -> None:
        self.office, self.book, self.now = TokenOffice(rules), book or CallBook(), now
        self.delay: Callable[[], float] = lambda: 0.05
        self.plan: dict[str, list[Answer | NotAnswered]] = {}
        self.app_office = TokenOffice(TokenRules(access_s=7200, refresh_s=None))
        self.component = False
        self.from_address = ADDRESS
        self.asked: Counter[str] = Counter()  # by what was refreshed
        self.names: Counter[str] = Counter()

    async def __call__(self, call: Call) -> Answer:
        await asyncio.sleep(self.delay())
        told = self.hear(call)
        await asyncio.sleep(self.delay())
        if isinstance(told, NotAnswered):
            raise told
        return told

    def hear(self, call: Call) -> Answer | NotAnswered:
        self.names[call.name] += 1
        query = {key: values[0] for key, values in parse_qs(urlsplit(call.url).query).items()}
        taken = self.book.take(call.name, self.now())
        if planned := self.plan.get(call.name):
            return planned.pop(0)
        if not self.book.address_ok(self.from_address):
            return answer("address")
        if taken != "ok":
            return answer("rate", detail=taken)
        try:
            return self.told(call.name, query)
        except Denied as denied:
            return answer("revoked" if denied.why == "revoked" else "token", detail=denied.why)

    def told(self, name: str, query: dict[str, str]) -> Answer:
        now = self.now()
        match name:
            case "refresh":
                self.asked[query["refresh"]] += 1
                if self.component:
                    self.app_office.shop_of(query.get("app_token", ""), now)
                return granted(self.office.refresh(query["refresh"], now))
            case "own":
                return granted(self.office.issue(query["shop"], now)) if query["key"] == "good" else answer("app")
            case "app_grant":
                return granted(self.app_office.issue("app", now))
            case "quota":
                midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
                left = self.book.quota[query["of"]] - self.book.by_name[query["of"]]
                return answer("ok", left=max(left, 0), until=midnight.isoformat())
        return answer("ok", shop=self.office.shop_of(query.get("access", ""), now))


def granted(pair: Pair) -> Answer:
    until = "" if pair.refresh_until is None else pair.refresh_until.isoformat()
    return answer(
        "ok", access=pair.access, refresh=pair.refresh, access_until=pair.access_until.isoformat(), refresh_until=until
    )


class Memory:
    """A Keeping that takes its time, so that what forgets to wait for it is found out."""

    def __init__(self, accounts: Iterable[Account] = (), takes_s: float = 0.002) -> None:
        self.rows = {account.id: account for account in accounts}
        self.takes_s = takes_s
        self.ever = {account.tokens.access for account in self.rows.values() if account.tokens}  # tokens that were kept
        self.full: list[Exception] = []

    async def load(self) -> list[Account]:
        return list(self.rows.values())

    async def keep(self, accounts: Iterable[Account], gone: Iterable[AccountKey] = ()) -> None:
        await asyncio.sleep(self.takes_s)
        if self.full:
            raise self.full.pop(0)
        kept = {account.id: account for account in accounts}
        self.rows |= kept
        self.ever |= {account.tokens.access for account in kept.values() if account.tokens}
        for key in gone:
            self.rows.pop(key, None)


class Desk:
    """The client and the refresher over a played platform."""

    def __init__(
        self, platform: PlayedPlatform, api: PlayedApi, accounts: Iterable[Account], seed: int = 7,
        memory: Memory | None = None,
    ) -> None:  # fmt: skip
        self.platform, self.api = platform, api
        self.memory = memory or Memory(accounts)
        self.book = Book(self.memory, lambda heard: None, platform.now)
        self.called: Counter[tuple[str, Verdict]] = Counter()
        self.terms: dict[str, Terms] = {APP: terms_of(App(APP, "played", "key", (b"secret",)), api)}
        self.client = Client(self.terms, self.book, platform, platform.now, self._count)
        self.refreshed: Counter[str] = Counter()
        self.refresher = Refresher(
            self.client, platform.now, lambda _, how: self.refreshed.update([how]), random.Random(seed).uniform
        )

    def _count(self, app: str, name: str, verdict: Verdict) -> None:
        self.called[name, verdict] += 1

    async def at_work(self, work: Callable[[], object]) -> None:
        """`work` is awaited while the refresher works."""
        await self.book.open()
        until = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.refresher.work(until))
            await asyncio.sleep(0)
            try:
                await work()
            finally:
                until.set()


def account_of(pair: Pair, **more: object) -> Account:
    tokens = Tokens(pair.access, pair.granted_at, pair.access_until, pair.refresh, pair.refresh_until)
    return Account(APP, "played", pair.shop, tokens=tokens, **more)


def account(platform: PlayedPlatform, shop: str, access_until: datetime | None = None, **more: object) -> Account:
    """One whose pair was issued at the office."""
    return account_of(platform.office.issue(shop, platform.now(), access_until), **more)

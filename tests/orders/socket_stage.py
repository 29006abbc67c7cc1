"""Both order sockets against their fakes, with a disk that takes as long as the test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

import aiohttp

from collectors.hook import App
from collectors.orders.pinduoduo_pmc import PinduoduoPmc
from collectors.orders.taobao_tmc import TaobaoTmc
from monitor.rehearsal.platforms.pinduoduo_pmc import FakePmc
from monitor.rehearsal.platforms.taobao_tmc import FakeTmc

BIG = 9_007_199_254_740_993
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
NOW_MS = 1_795_521_600_000
DEADLINE_S = 5.0
NO_HTTP = cast(aiohttp.ClientSession, None)  # order sockets have their own connections

OUR_TMC = App("taobao-main", "taobao", "12345", (b"secret",))
OUR_PMC = App("pdd-main", "pinduoduo", "app", (b"secret",))


class Disk:
    """What `emit` leads to: `kept` has what was fsynced, `pulses` counts the empty frames."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.asked: list[bytes] = []
        self.pulses = 0
        self.turns = asyncio.Event()
        self.turns.set()

    async def emit(self, frame: bytes, at: datetime) -> None:
        assert at.tzinfo is not None
        if not frame:
            self.pulses += 1
            return
        self.asked.append(frame)
        await self.turns.wait()
        self.kept.append(frame)


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not so():
            await asyncio.sleep(0.002)


class Stage:
    """One fake platform and one collector that hears it."""

    def __init__(self, fake: FakeTmc | FakePmc, app: App, url: str) -> None:
        self.fake, self.app, self.url, self.disk = fake, app, url, Disk()

    @property
    def feed(self) -> TaobaoTmc | PinduoduoPmc:
        if isinstance(self.fake, FakeTmc):
            return TaobaoTmc(name="taobao", app="taobao-main", url=self.url, interval_s=0.1)
        return PinduoduoPmc(name="pdd", app="pdd-main", url=self.url, interval_s=0.1)

    async def hear(self) -> None:
        await self.feed.collect(NO_HTTP, self.disk.emit, lambda: NOW, self.app)

    @asynccontextmanager
    async def hearing(self) -> AsyncIterator[asyncio.Task[None]]:
        """A connection that is there and, where it introduces itself, was heard; cancelled at the end, as the crew
        does it."""
        already = len(self.fake.heard)
        task = asyncio.ensure_future(self.hear())
        try:
            await until(lambda: task.done() or self._introduced(already))
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])

    def _introduced(self, already: int) -> bool:
        """TMC hears who we are before anything else: what is said before would come in place of its answer."""
        return len(self.fake.heard) > already if isinstance(self.fake, FakeTmc) else bool(self.fake.connections)

    def sell(self, tid: str = "3512345678901234567") -> None:
        """One paid order."""
        if isinstance(self.fake, FakeTmc):
            content: dict[str, Any] = {"tid": int(tid), "oid": int(tid), "payment": "12.30", "type": "guarantee_trade"}
            self.fake.publish("taobao_trade_TradeBuyerPay", content, 2_200_000_000_001, NOW_MS)
        else:
            self.fake.publish("pdd_trade_TradeConfirmed", 777, {"mall_id": 777, "tid": tid}, NOW_MS)

    async def say(self, words: str) -> None:
        """Something that is not of this platform's language, in its kind of message."""
        if isinstance(self.fake, FakeTmc):
            await self.fake.say(words.encode())
        else:
            await self.fake.say(words)

    @property
    def confirmed(self) -> int:
        return len(self.fake.confirmed if isinstance(self.fake, FakeTmc) else self.fake.acknowledged)

    @property
    def confirmations(self) -> list[dict[str, Any]]:
        """All that a client said that could count as one, true or not."""
        return [said for said in self.fake.heard if said.get("__kind") == 2 or said.get("commandType") == "Ack"]


@asynccontextmanager
async def taobao() -> AsyncIterator[Stage]:
    fake = FakeTmc("12345", "secret")
    async with await fake.serve() as server:
        yield Stage(fake, OUR_TMC, f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/")


@asynccontextmanager
async def pinduoduo() -> AsyncIterator[Stage]:
    fake = FakePmc("app", "secret", lambda: NOW_MS)
    async with await fake.serve() as server:
        yield Stage(fake, OUR_PMC, f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")

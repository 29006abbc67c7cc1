"""Both order sockets with the real spool behind them: confirmed is on disk, cut at any moment, each fact once."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from collectors.hook import Need
from collectors.tick import Sale
from monitor.live.supervise import Outlets, Supervisor
from monitor.order_line import OrderLine
from tests.orders.socket_stage import NO_HTTP, Stage, pinduoduo, taobao, until
from tests.reading import Reading, ids, reading

ORDERS = 120


@pytest.fixture(params=[taobao, pinduoduo], ids=lambda platform: platform.__name__)
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with request.param() as stage:
        yield stage


async def hear(stage: Stage, made: Reading) -> None:
    """The feed as the crew keeps it: supervised, with the frame lane behind it, tried again whenever it fails."""
    line = OrderLine(stage.feed, stage.feed, lambda row: stage.app, made.lane.keep, made.now)
    await Supervisor(line, made.watch, made.now, outlets(), sleep=lambda _: asyncio.sleep(0.01)).run(NO_HTTP)


def outlets() -> Outlets:
    async def room(ticks: int, facts: int) -> None: ...

    def quarantine(feed: str, frame: bytes, at: datetime, reason: str) -> None:
        raise AssertionError(reason)

    return Outlets(
        room=room,
        put=lambda heard: None,
        quarantine=quarantine,
        failed=lambda feed, reason: None,
        heard=lambda feed: None,
        polled=lambda feed, seconds: None,
    )


def answer(stage: Stage, tid: str, paid_at: str) -> bytes:
    if stage.feed.name == "taobao":
        trade = {"tid": int(tid), "payment": "12.30", "pay_time": paid_at}
        return json.dumps({"trade_fullinfo_get_response": {"trade": trade}}).encode()
    order = {"order_sn": tid, "pay_amount": 12.3, "pay_time": paid_at}
    return json.dumps({"order_info_get_response": {"order_info": order}}).encode()


@pytest.mark.parametrize("seed", [1, 2])
async def test_cut_at_any_moment_each_order_is_one_fact(stage: Stage, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    tids = [str(3_512_345_678_901_234_567 + number) for number in range(ORDERS)]
    async with reading(tmp_path / "spool", rows=[stage.feed]) as made:
        made.apps = {stage.app.name: stage.app}
        hearing = asyncio.ensure_future(hear(stage, made))
        for place, tid in enumerate(tids):
            stage.sell(tid)
            if dice.random() < 0.08:
                await asyncio.sleep(dice.uniform(0, 0.03))
                if stage.fake.waiting and stage.fake.connections:
                    stage.fake.cut()
            if place == ORDERS // 2:  # the crew begins the feed anew, as after a reload
                hearing.cancel()
                await asyncio.wait([hearing])
                hearing = asyncio.ensure_future(hear(stage, made))
        await until(lambda: stage.confirmed == ORDERS)
        hearing.cancel()
        await asyncio.wait([hearing])
        await made.settled()
        paid_at = (made.now() + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
        for tid in tids:
            shop = "2200000000001" if stage.feed.name == "taobao" else "777"
            await made.reader.answered(
                stage.feed.PLATFORM, Need("order.detail", tid, shop), answer(stage, tid, paid_at)
            )
        async with asyncio.timeout(20):
            while len(ids(await made.facts())) < ORDERS:
                await asyncio.sleep(0.05)
        await made.settled()
        sold = [fact for fact in await made.facts() if isinstance(fact, Sale)]
        assert {fact.order_id for fact in sold} == set(tids)
        assert len({fact.event_id for fact in sold}) == ORDERS  # what came twice has the same name
        assert {(fact.amount_minor, fact.currency, fact.kind) for fact in sold} == {(1_230, "CNY", "paid")}
        book = made.store.sealer.standing.books["frame"]
        assert book.difference == 0
        assert book.received >= ORDERS
        assert (book.spooled, book.quarantined) == (0, 0)


async def test_a_backlog_of_an_outage_comes_at_the_pace_of_the_disk(stage: Stage, tmp_path: Path) -> None:
    """Groups of messages share an fsync: one by one this would take many seconds."""
    for number in range(2_000):
        stage.sell(str(1_000_000 + number))
    async with reading(tmp_path / "spool", rows=[stage.feed]) as made:
        made.apps = {stage.app.name: stage.app}
        began = time.perf_counter()
        hearing = asyncio.ensure_future(hear(stage, made))
        async with asyncio.timeout(60):
            while stage.confirmed < 2_000:
                await asyncio.sleep(0.01)
        took_s = time.perf_counter() - began
        hearing.cancel()
        await asyncio.wait([hearing])
    print(f"{stage.feed.name}: {2_000 / took_s:.0f} messages a second")
    assert took_s < 20

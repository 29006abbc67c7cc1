"""What is left of a day's quota lasts until it is renewed, and is asked for no oftener than it must be."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from monitor.accounts.failed import CallFailed
from monitor.accounts.quotas import Quotas
from monitor.rehearsal.platforms.token_office import CallBook, TokenRules
from tests.accounts.played import APP, Desk, PlayedApi, PlayedPlatform, account, answer, order
from tests.accounts.simulated import now, simulate

RULES = TokenRules(access_s=7 * 86_400, refresh_s=14 * 86_400)
DAY_S = 86_400.0


def played(work: Callable[[Desk], Awaitable[None]], quota: int, quotas: bool = True) -> Desk:
    async def at_work() -> Desk:
        platform = PlayedPlatform(RULES, now, CallBook(quota={"order": quota}))
        desk = Desk(platform, PlayedApi(10.0, quotas=quotas), [account(platform, "shop1")])
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(Quotas(desk.client.exchange, now).work())
            await desk.at_work(lambda: work(desk))
            asking.cancel()
        return desk

    return simulate(at_work())


async def hungry(desk: Desk, seconds: float) -> None:
    """Ask as fast as the client lets us."""
    end = now() + timedelta(seconds=seconds)
    while now() < end:
        try:
            await desk.client.ask(APP, "shop1", order)
        except CallFailed:
            await asyncio.sleep(1.0)


def test_it_lasts_until_the_day_is_over():
    async def work(desk: Desk) -> None:
        per_hour = []
        for _ in range(23):
            before = desk.called["order", "ok"]
            await hungry(desk, 3_600)
            per_hour.append(desk.called["order", "ok"] - before)
        assert all(300 < hour < 1_000 for hour in per_hour[1:]), per_hour

    desk = played(work, 12_000)
    assert desk.called["order", "rate"] == 0
    assert desk.called["order", "ok"] > 10_000
    assert desk.platform.names["quota"] <= 24 * 6 + 2


def test_found_too_fast_it_asks_at_once_but_not_oftener_than_each_minute():
    async def work(desk: Desk) -> None:
        await hungry(desk, 30)
        assert desk.platform.names["quota"] == 1
        desk.platform.plan["order"] = [answer("rate") for _ in range(1_000)]
        await hungry(desk, 45)
        assert desk.platform.names["quota"] == 2
        await hungry(desk, 300)
        assert 5 <= desk.platform.names["quota"] <= 7

    played(work, 100_000)


def test_with_nothing_left_it_is_asked_for_again_and_goes_on_when_the_day_is_new():
    async def work(desk: Desk) -> None:
        await hungry(desk, 3_600)
        assert desk.platform.names["order"] <= 100 + 20
        desk.platform.book.by_name["order"] = 0  # a person cleared it on the platform's page
        await asyncio.sleep(700)
        before = desk.called["order", "ok"]
        await hungry(desk, 3_600)
        assert desk.called["order", "ok"] > before

    played(work, 100)


def test_where_there_is_none_to_ask_nothing_is_asked():
    async def work(desk: Desk) -> None:
        await hungry(desk, 60)

    assert played(work, 1 << 40, quotas=False).platform.names["quota"] == 0


def test_of_what_has_none_nothing_is_remembered():
    """There are tens of thousands of names and keys."""

    async def at_work() -> None:
        platform = PlayedPlatform(RULES, now, CallBook())
        desk = Desk(platform, PlayedApi(10.0), [account(platform, "shop1")])
        quotas = Quotas(desk.client.exchange, now)

        async def work() -> None:
            await desk.client.ask(APP, "shop1", order)
            await quotas.round()
            assert (quotas._asked_s, quotas._due, desk.client.exchange.stirred) == ({}, [], {})

        await desk.at_work(work)

    simulate(at_work())


def test_an_answer_that_cannot_be_read_leaves_the_pace_as_it_is():
    async def work(desk: Desk) -> None:
        desk.platform.plan["quota"] = [answer("ok", lift="?"), answer("broken")]
        await hungry(desk, 700)
        assert desk.called["order", "ok"] > 5_000

    played(work, 1 << 40)

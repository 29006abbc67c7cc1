"""12,000 accounts whose tokens end in the same hour: none lapses, no app is called faster than its rate."""

import asyncio
import os
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context

import pytest

from monitor.accounts.account import Account
from monitor.rehearsal.platforms.token_office import CallBook, TokenRules
from tests.accounts.played import ADDRESS, APP, Desk, PlayedApi, PlayedPlatform, account_of
from tests.accounts.simulated import now, simulate

ACCOUNTS = 12_000
HOUR_S, DAY_S = 3600.0, 86_400.0


@dataclass
class Case:
    """`per_s`: what the platform answers of one app in a second. `before_s`: how long before the hour it begins."""

    rules: TokenRules
    per_s: float
    before_s: float
    component: bool = False


CASES = {
    "doudian": Case(TokenRules(7 * DAY_S, 14 * DAY_S, HOUR_S, same_early=True, old_s=HOUR_S), 10.0, 1.5 * HOUR_S),
    "kwaixiaodian": Case(TokenRules(2 * DAY_S, 180 * DAY_S, inherits=True), 5.0, HOUR_S),
    "xiaohongshu": Case(TokenRules(7 * DAY_S, 14 * DAY_S, HOUR_S / 2), 10.0, HOUR_S),
    "jd": Case(TokenRules(30 * DAY_S, 30 * DAY_S, DAY_S), 4.0, HOUR_S),
    "wechat": Case(TokenRules(2 * HOUR_S, None, keeps_refresh=True), 20.0, 1.5 * HOUR_S, component=True),
}


async def the_hour(case: Case, accounts: int = ACCOUNTS) -> tuple[Desk, list[str]]:
    luck = random.Random(4)
    book = CallBook(per_s=case.per_s, addresses=frozenset({ADDRESS}))
    platform = PlayedPlatform(case.rules, now, book)
    platform.delay = lambda: luck.expovariate(1 / 0.04)
    platform.component = case.component
    made = []
    for number in range(accounts):
        until = now() + timedelta(seconds=case.before_s + luck.uniform(0.0, HOUR_S))
        pair = platform.office.issue(f"shop{number}", now(), until)
        pair.granted_at = until - timedelta(seconds=case.rules.access_s)
        made.append(account_of(pair))
    ends = {account.id: account.tokens.access_until for account in made}
    if case.component:
        made.append(Account(APP, "played", "", ticket="ticket"))
    desk = Desk(platform, PlayedApi(case.per_s, case.rules.window_s, case.component), made)
    lapsed: list[str] = []

    async def look() -> None:
        """At each minute: whose token has ended?"""
        for _ in range(int((case.before_s + HOUR_S) / 60) + 5):
            await asyncio.sleep(60)
            lapsed.extend(
                account.shop for account in desk.book.of(APP)
                if account.refused or account.tokens.access_until <= now()
            )  # fmt: skip

    await desk.at_work(look)
    renewed = [it for it in desk.book.of(APP) if it.tokens.access_until > ends[it.id]]
    assert len(renewed) == accounts
    return desk, lapsed


@dataclass
class Outcome:
    """`fastest`: calls in the busiest second; `asked_of_one`: refreshes of one pair, at the most."""

    lapsed: list[str]
    fastest: int
    asked_of_one: int
    verdicts: set[str]
    troubled: int


def outcome(name: str) -> Outcome:
    """One platform's hour, in a process of its own: they are long, and nothing of one is the business of another."""
    desk, lapsed = simulate(the_hour(CASES[name]))
    return Outcome(
        lapsed, max(desk.platform.book.by_second.values()), max(desk.platform.asked.values()),
        {verdict for _, verdict in desk.called}, desk.refreshed["failed"] + desk.refreshed["refused"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    # Minutes of a processor, on a clock of their own: other tests go first.
    with ProcessPoolExecutor(2, get_context("spawn"), os.nice, (10,)) as pool:
        return dict(zip(CASES, pool.map(outcome, CASES), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_none_of_12_000_that_end_in_one_hour_lapses_and_the_rate_holds(name: str, outcomes: dict[str, Outcome]):
    case, found = CASES[name], outcomes[name]
    assert found.lapsed == []
    assert found.fastest <= case.per_s
    assert found.asked_of_one == 1 or case.rules.keeps_refresh, "a pair was refreshed twice"
    assert found.verdicts == {"ok"}
    assert found.troubled == 0

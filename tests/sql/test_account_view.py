"""The view `account`: how each stands by the rules of the monitor, who is missing, and whom to call."""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.open_api import Tokens
from monitor import config
from monitor.accounts.account import EXPIRING, OVERDUE, Account
from monitor.chores import Chores
from monitor.live.watch import Watch
from monitor.store.put import Tally, put_facts
from monitor.store.statements import statement
from tests.sql.stage import Sql, Stage

pytestmark = pytest.mark.real

NEAR = timedelta(minutes=2)  # the test may take so long


def account(shop: str, tokens: Tokens | None = None, **more: object) -> Account:
    return Account("doudian-main", "doudian", shop, tokens=tokens, **more)


def tokens(access: timedelta | None, refresh: timedelta | None = None) -> Tokens:
    """From now on, as the test runs: the database has a clock of its own."""
    now = datetime.now(UTC)
    ends = [None if span is None else now + span for span in (access, refresh)]
    return Tokens("a", now, ends[0], "" if refresh is None else "r", ends[1])


DAY = timedelta(days=1)


def of_each_state() -> dict[str, Account]:
    return {
        "ok": account("1", tokens(7 * DAY, 14 * DAY)),
        "no end": account("2", tokens(None)),
        "just ok": account("3", tokens(DAY, EXPIRING + NEAR)),
        "lapsing": account("4", tokens(DAY, EXPIRING - NEAR)),
        "lapsed": account("5", tokens(-DAY, -DAY)),
        "never refreshed": account("6", tokens(2 * DAY)),
        "overdue": account("7", tokens(OVERDUE - NEAR, 14 * DAY)),
        "not overdue": account("8", tokens(OVERDUE + NEAR, 14 * DAY)),
        "refused": account("9", tokens(7 * DAY, 14 * DAY), refused="revoked"),
        "nothing granted": account("10"),
        "own key": account("11", tokens(timedelta(hours=1), -DAY), key="k", secret=b"s"),
        "own key overdue": account("12", tokens(timedelta(), -DAY), key="k", secret=b"s"),
    }


async def put(sql: Sql, accounts: Sequence[Account]) -> None:
    await put_facts(sql, uuid.uuid4(), list(enumerate(a.fact(datetime.now(UTC)) for a in accounts)), Tally())


async def put_apps(sql: Sql, **platforms: str) -> None:
    await sql.execute(statement("chores/put_apps"), list(platforms), list(platforms.values()))


async def add_room(stage: Stage, name: str, platform: str, shop: str = "", account: str = "", **more: str) -> None:
    await stage.sql.execute(
        "INSERT INTO room (platform, external_id, shop, account, contact, active) VALUES ($1, $2, $3, $4, $5, $6)",
        *(platform, name, shop, account, more.get("contact", ""), "active" not in more),
    )


async def test_each_state_is_that_of_the_monitor(stage: Stage, reader: Sql):
    accounts = of_each_state()
    await put(stage.sql, list(accounts.values()))
    rows = {row["shop"]: row for row in await reader.fetch("SELECT * FROM account")}
    assert {name: rows[a.shop]["state"] for name, a in accounts.items()} == {
        name: a.state(datetime.now(UTC)) for name, a in accounts.items()
    }
    assert {row["state"] for row in rows.values()} == {"ok", "expiring", "refused", "missing"}
    for one in accounts.values():
        row = rows[one.shop]
        assert (row["platform"], row["anchor"], row["app"]) == ("doudian", "", "doudian-main")
        assert row["expires_at"] == one.lapses_at
        assert row["access_until"] == (None if one.tokens is None else one.tokens.access_until)
    assert {row["reason"] for row in rows.values()} == {"", "revoked", "not linked yet"}


async def test_shops_of_the_roster_that_nobody_linked_are_missing_with_whom_to_call(stage: Stage, reader: Sql):
    await put(stage.sql, [account("1", contact="王"), account("2"), Account("kuai", "kwaixiaodian", "", "主播9")])
    await add_room(stage, "a", "doudian", shop="1", contact="李")
    await add_room(stage, "b", "doudian", shop="2", contact="李")
    await add_room(stage, "c", "doudian", shop="3", contact="张")
    await add_room(stage, "d", "doudian", shop="3", contact="赵")  # a shop is missing once
    await add_room(stage, "e", "doudian", shop="x", account="2")  # its account has another id than its shop
    await add_room(stage, "f", "doudian", shop="4", active="no")
    await add_room(stage, "g", "doudian")
    await add_room(stage, "h", "kwaixiaodian", account="主播9", contact="钱")
    await add_room(stage, "i", "shopify", shop="5")  # no account is known of this platform
    rows = await reader.fetch(
        "SELECT platform, shop, anchor, state, app, contact, reason FROM account ORDER BY 1, 2, 3"
    )
    told = "not linked yet"
    assert [tuple(row) for row in rows] == [
        ("doudian", "1", "", "missing", "doudian-main", "王", told),
        ("doudian", "2", "", "missing", "doudian-main", "李", told),
        ("doudian", "3", "", "missing", "", min("张", "赵"), "in the roster, and never linked"),
        ("kwaixiaodian", "", "主播9", "missing", "kuai", "钱", told),
    ]


async def test_an_app_alone_makes_the_shops_of_its_platform_missing(stage: Stage, reader: Sql):
    question = "SELECT platform, shop, app FROM account ORDER BY 1, 2"
    await add_room(stage, "a", "wechat", shop="1")
    await add_room(stage, "b", "taobao", shop="2")
    assert await reader.fetch(question) == []
    await put_apps(stage.sql, one="wechat")
    assert [tuple(row) for row in await reader.fetch(question)] == [("wechat", "1", "one")]
    await put_apps(stage.sql, one="wechat", two="wechat", taobao="taobao")
    assert [tuple(row) for row in await reader.fetch(question)] == [("taobao", "2", "taobao"), ("wechat", "1", "")]
    await put_apps(stage.sql, two="wechat")
    assert [tuple(row) for row in await reader.fetch(question)] == [("wechat", "1", "two")]
    await put_apps(stage.sql)
    assert await reader.fetch(question) == []


async def test_the_monitor_tells_which_apps_have_accounts(stage: Stage, tmp_path: Path):
    """Those of platforms without an interface that we know (an ERP, a shop that is never asked) have none."""
    table = '[[app]]\nname = "{}"\nplatform = "{}"\nself_use = true\n'
    path = tmp_path / "livemon.toml"
    path.write_text(table.format("a", "doudian") + table.format("b", "erp"))
    told = []

    async def put(heard: object) -> None:
        told.append(heard)

    chores = Chores(config.load(path), path, Watch(), lambda *_: None, None, put, 0)
    await chores.tend(stage.sql)
    question = "SELECT app, platform, configured FROM app ORDER BY 1"
    assert [tuple(row) for row in await stage.sql.fetch(question)] == [("a", "doudian", True)]
    path.write_text(table.format("c", "doudian"))
    chores.config = config.load(path)
    await chores.tend(stage.sql)
    assert [tuple(row) for row in await stage.sql.fetch(question)] == [("a", "doudian", False), ("c", "doudian", True)]


def looked_at(node: dict[str, Any]) -> float:
    """The rows that this node of a plan and those below it took in their hands."""
    rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    return rows * node["Actual Loops"] + sum(looked_at(below) for below in node.get("Plans", ()))


async def test_twelve_thousand_shops_are_listed_in_a_moment(stage: Stage, reader: Sql):
    await put(stage.sql, [account(str(number), tokens(DAY, 14 * DAY)) for number in range(12_000)])
    await stage.sql.execute(
        "INSERT INTO room (platform, external_id, shop) SELECT 'doudian', 'r' || n, n::text"
        " FROM generate_series(6000, 17999) AS n"
    )
    await stage.sql.execute("ANALYZE room")
    # By what it looks at, not by the clock: a few rows for each account, not all rows of another table.
    [plan] = await reader.fetch("EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM account")
    assert looked_at(json.loads(plan[0])[0]["Plan"]) < 500_000
    counts = await reader.fetch("SELECT state, count(*) FROM account GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in counts] == [("missing", 6_000), ("ok", 12_000)]

"""The doctor's word on accounts: what is wrong, how many it concerns, whom to call first."""

from datetime import UTC, datetime

import pytest
from aiohttp import web

from collectors.apis import APIS
from collectors.hook import App
from monitor.accounts.terms import terms_of
from monitor.apps import AppTable
from monitor.doctor.accounts import check_apis, judge_accounts, judge_link

NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)
HOOKS = "https://hooks.example.cn"


def test_each_state_that_needs_somebody_is_a_line_with_numbers_and_names() -> None:
    found = judge_accounts(
        [("doudian", "missing", 3, ["zhang", "李"]), ("doudian", "ok", 97, []), ("wechat", "ok", 5, [])]
    )
    assert [(it.name, it.state) for it in found] == [("accounts doudian", "wrong"), ("accounts wechat", "fine")]
    assert found[0].what == "3 of 100 are missing (first of all zhang, 李)"
    assert "account link" in found[0].todo


def test_refused_and_expiring_are_told_apart() -> None:
    found = judge_accounts([("jd", "expiring", 1, []), ("jd", "refused", 2, [])])
    assert [it.what for it in found] == ["2 of 3 are refused", "1 of 3 are expiring"]


def test_without_accounts_there_is_nothing_to_say() -> None:
    assert judge_accounts([]) == []


def test_a_shop_of_doudian_cannot_be_linked_without_the_service() -> None:
    bare = terms_of(App("dd", "doudian", "1", (b"secret",)), APIS["doudian"])
    found = judge_link(bare, HOOKS, NOW)
    assert found is not None
    assert (found.state, "no_service_id" in found.what) == ("wrong", True)
    whole = terms_of(App("dd", "doudian", "1", (b"secret",), service_id="23"), APIS["doudian"])
    assert judge_link(whole, HOOKS, NOW) is None


def test_without_our_public_address_nobody_comes_in() -> None:
    found = judge_link(terms_of(App("dd", "doudian", "1", (b"secret",)), APIS["doudian"]), None, NOW)
    assert found is not None
    assert (found.state, "hooks_url" in found.what) == ("note", True)


@pytest.mark.parametrize("hooks_url", [HOOKS, None])
def test_where_nobody_need_let_us_in_nothing_is_missing(hooks_url: str | None) -> None:
    youtube = terms_of(App("yt", "youtube", "", (b"key",)), APIS["youtube"])
    assert judge_link(youtube, hooks_url, NOW) is None


async def test_an_interface_that_answers_and_one_that_does_not() -> None:
    async def says(_: web.BaseRequest) -> web.Response:
        return web.Response(status=404)

    runner = web.ServerRunner(web.Server(says))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    tables = [
        AppTable(name="up", platform="jd", key="1", api_url=url),
        AppTable(name="down", platform="jd", key="1", api_url="http://127.0.0.1:9"),
        AppTable(name="erp", platform="push_json"),
    ]
    apps = {table.name: App(table.name, table.platform, "1", (b"s",)) for table in tables}
    found = {it.name: it for it in await check_apis(tables, apps, HOOKS, NOW) if "answer" in it.what}
    await runner.cleanup()
    assert {name: it.state for name, it in found.items()} == {"api up": "fine", "api down": "wrong"}
    assert "404" in found["api up"].what

"""An app that is authorised itself (WeChat's third-party platform): its own bad token is nobody else's fault."""

import asyncio
from datetime import timedelta

from monitor.accounts.account import Account
from monitor.rehearsal.platforms.token_office import TokenRules
from tests.accounts.played import APP, Desk, PlayedApi, PlayedPlatform, account, answer, order
from tests.accounts.simulated import now, simulate

RULES = TokenRules(access_s=7200, refresh_s=None, keeps_refresh=True)


def desk_of(platform: PlayedPlatform) -> Desk:
    platform.component = True
    shops = [account(platform, f"shop{number}", now() + timedelta(hours=1)) for number in range(5)]
    return Desk(platform, PlayedApi(component=True), [Account(APP, "played", "", ticket="ticket"), *shops])


def test_while_the_apps_own_token_is_bad_no_shop_is_refused_and_all_are_refreshed_with_the_next_one():
    async def at_work() -> None:
        desk = desk_of(PlayedPlatform(RULES, now))

        async def work() -> None:
            await asyncio.sleep(10)
            assert desk.platform.names["app_grant"] == 1
            desk.platform.app_office.by_access.clear()  # somebody else asked for the next one
            await asyncio.sleep(7200)
            shops = desk.book.of(APP)
            assert [it.refused for it in shops] == [""] * 5
            assert all(it.tokens.access_until > now() for it in shops)
            assert all(it.asked_at is None for it in shops)
            assert desk.called["refresh", "token"] >= 1, "it was bad for at least one of them"

        await desk.at_work(work)
        assert desk.refreshed["refused"] == 0

    simulate(at_work())


def test_a_call_in_the_name_of_the_app_is_made_again_with_a_new_token_and_only_once():
    async def at_work() -> None:
        desk = desk_of(PlayedPlatform(RULES, now))

        async def work() -> None:
            desk.platform.plan["order"] = [answer("token"), answer("ok", body=1)]
            assert b'"body": 1' in await desk.client.send(APP, order)
            assert desk.platform.names == {"app_grant": 2, "order": 2}

        await desk.at_work(work)

    simulate(at_work())

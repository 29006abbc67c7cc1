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


def under_way(desk: Desk) -> set[tuple[str, str, str]]:
    return set(desk.refresher._flights)


def test_while_the_apps_own_token_is_bad_no_shop_is_refused_and_all_are_refreshed_with_the_next_one():
    async def at_work() -> None:
        desk = desk_of(PlayedPlatform(RULES, now))

        async def work() -> None:
            begun = now()
            await asyncio.sleep(10)
            assert desk.platform.names["app_grant"] == 1
            desk.platform.app_office.by_access.clear()  # somebody else asked for the next one
            desk.platform.plan["app_grant"] = [answer("broken")] * 3
            while desk.called["app_grant", "broken"] < 3:
                await asyncio.sleep(0.1)
                assert desk.called["refresh", "ok"] == 0
                waiting = [it.asked_at for it in desk.book.of(APP) if (APP, it.shop, "") not in under_way(desk)]
                assert set(waiting) <= {None}, "nothing of any pair is in flight"
            await asyncio.sleep(3500 - (now() - begun).total_seconds())  # the app's own turn comes after an hour
            shops = desk.book.of(APP)
            assert [it.refused for it in shops] == [""] * 5
            assert all(it.tokens.granted_at > begun for it in shops)
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

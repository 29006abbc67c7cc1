"""One account's tokens: asked for once, on disk before they are used, and named when they are lost."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from collectors.open_api import Call, Tokens
from monitor.accounts.account import Account
from monitor.accounts.failed import AccountRefused, CallFailed, NotAnswered
from monitor.rehearsal.platforms.token_office import TokenRules
from monitor.store.disk import SpoolFull
from tests.accounts.played import APP, Desk, PlayedApi, PlayedPlatform, account, account_of, answer, order
from tests.accounts.simulated import EPOCH, now, simulate

HOUR_S, DAY_S = 3600.0, 86_400.0
VOIDING = TokenRules(access_s=2 * DAY_S, refresh_s=180 * DAY_S, inherits=True)
KEY = (APP, "shop1", "")


def played(
    work: Callable[[Desk], Awaitable[None]], rules: TokenRules = VOIDING, api: PlayedApi | None = None, **more: object
) -> Desk:
    """`work` with a desk that has shop1, whose access token ends in half an hour."""

    async def at_work() -> Desk:
        platform = PlayedPlatform(rules, now)
        pair = platform.office.issue("shop1", now(), now() + timedelta(minutes=30))
        pair.granted_at = now() - timedelta(days=1)
        desk = Desk(platform, api or PlayedApi(), [account_of(pair, **more)])
        await desk.at_work(lambda: work(desk))
        return desk

    return simulate(at_work())


def kept(desk: Desk) -> Account:
    return desk.memory.rows[KEY]


async def hours(number: float) -> None:
    await asyncio.sleep(number * HOUR_S)


def test_it_is_refreshed_in_time_and_then_not_again_for_half_its_life():
    async def work(desk: Desk) -> None:
        await hours(0.5)
        assert kept(desk).tokens.access_until > now() + timedelta(days=1)
        assert kept(desk).asked_at is None
        assert kept(desk).refreshed_at is not None
        await hours(23)

    assert played(work).platform.names == {"refresh": 1}


def test_that_it_is_asked_for_is_on_disk_before_the_call_leaves_and_what_came_before_it_is_used():
    """Planted bugs: send, then keep; use what came, then keep it."""
    seen = []

    async def work(desk: Desk) -> None:
        hear = desk.platform.hear

        def look(call: Call) -> object:
            if call.name == "refresh":
                seen.append(("asked", desk.memory.rows[KEY].asked_at is not None))
            else:
                seen.append(("used", call.url.partition("access=")[2] in desk.memory.ever))
            return hear(call)

        desk.platform.hear = look
        desk.platform.office.by_access.clear()
        desk.memory.takes_s = 0.5  # so long that others come while it is being kept
        async with asyncio.TaskGroup() as asking:
            for _ in range(15):
                asking.create_task(desk.client.ask(APP, "shop1", order))
                await asyncio.sleep(0.1)

    played(work)
    assert ("asked", True) in seen
    assert all(held for _, held in seen)


def test_whoever_wants_it_renewed_at_one_time_shares_one_call():
    async def work(desk: Desk) -> None:
        tokens = desk.book.get(*KEY).tokens
        renewing = [desk.refresher.renew(KEY, tokens) for _ in range(20)]
        renewed = await asyncio.gather(*renewing, return_exceptions=True)  # a call too many is what matters here
        assert set(desk.platform.asked.values()) == {1}
        assert len({it.tokens.access for it in renewed}) == 1
        assert (await desk.refresher.renew(KEY, tokens)).tokens == renewed[0].tokens  # it has just been done

    assert set(played(work).platform.asked.values()) == {1}


def test_who_gives_up_waiting_does_not_take_the_answer_with_it():
    async def work(desk: Desk) -> None:
        desk.platform.delay = lambda: 1.0
        waiting = asyncio.create_task(desk.refresher.renew(KEY, desk.book.get(*KEY).tokens))
        await asyncio.sleep(1.5)  # the platform has voided the old pair
        waiting.cancel()
        await asyncio.sleep(1.5)
        assert desk.platform.office.by_access[kept(desk).tokens.access].void_from is None
        await desk.client.ask(APP, "shop1", order)

    assert played(work).called == {("refresh", "ok"): 1, ("order", "ok"): 1}


def test_stopping_waits_for_the_answer_that_is_on_its_way():
    async def work(desk: Desk) -> None:
        desk.platform.delay = lambda: 1.0
        waiting = asyncio.create_task(desk.refresher.renew(KEY, desk.book.get(*KEY).tokens))
        await asyncio.sleep(1.5)
        waiting.cancel()

    desk = played(work)
    assert desk.platform.office.by_access[kept(desk).tokens.access].void_from is None
    assert kept(desk).asked_at is None


def test_stopping_does_not_wait_for_ever():
    async def work(desk: Desk) -> None:
        desk.platform.delay = lambda: 9_999.0
        waiting = asyncio.create_task(desk.refresher.renew(KEY, desk.book.get(*KEY).tokens))
        await asyncio.sleep(1.0)
        desk.waiting = waiting

    async def at_work() -> None:
        platform = PlayedPlatform(VOIDING, now)
        desk = Desk(platform, PlayedApi(), [account(platform, "shop1")])
        await desk.at_work(lambda: work(desk))
        assert asyncio.get_running_loop().time() < 10.0
        with pytest.raises(CallFailed, match="stopping"):
            await desk.waiting
        with pytest.raises(CallFailed, match="no_refresher"):
            await desk.refresher.renew(KEY, desk.book.get(*KEY).tokens)

    simulate(at_work())


def test_a_pair_that_was_asked_for_before_a_crash_is_refreshed_first_and_named_if_it_is_lost():
    async def work(desk: Desk) -> None:
        await asyncio.sleep(2.0)
        assert kept(desk).refused == "its pair was lost in flight by a crash at 2026-11-18T23:59:50Z: link again"
        with pytest.raises(AccountRefused, match="lost in flight by a crash"):
            await desk.client.ask(APP, "shop1", order)

    async def at_work() -> None:
        platform = PlayedPlatform(VOIDING, now)
        made = account(platform, "shop1", asked_at=now() - timedelta(seconds=10))
        platform.office.refresh(made.tokens.refresh, now())  # whose answer died with us
        desk = Desk(platform, PlayedApi(), [made])
        await desk.at_work(lambda: work(desk))

    simulate(at_work())


def test_a_pair_that_was_asked_for_before_a_crash_and_never_reached_the_platform_lives_on():
    async def work(desk: Desk) -> None:
        await asyncio.sleep(2.0)
        assert (kept(desk).refused, kept(desk).asked_at) == ("", None)
        assert kept(desk).tokens.access_until > now() + timedelta(days=1)

    played(work, asked_at=EPOCH - timedelta(seconds=10))


def test_a_pair_whose_answer_never_came_is_named_so():
    async def work(desk: Desk) -> None:
        hear = desk.platform.hear

        def lose(call: Call) -> object:
            told = hear(call)
            return NotAnswered("timeout") if len(desk.platform.office.by_refresh) == 2 and told_ok(told) else told

        desk.platform.hear = lose
        await hours(0.5)
        assert kept(desk).refused.startswith("its pair was lost in flight for want of an answer at 2026-11-19T")

    played(work)


def told_ok(told: object) -> bool:
    return not isinstance(told, Exception) and b'"ok"' in told.body


@pytest.mark.parametrize(("verdict", "why"), [("revoked", "revoked on the platform"), ("token", "its tokens are void")])
def test_what_the_platform_will_not_refresh_is_refused_at_once(verdict: str, why: str):
    async def work(desk: Desk) -> None:
        desk.platform.plan["refresh"] = [answer(verdict)]
        with pytest.raises(AccountRefused, match=why):
            await desk.refresher.renew(KEY, desk.book.get(*KEY).tokens)
        assert kept(desk).refused.startswith(why)
        await hours(1)

    desk = played(work)
    assert desk.platform.names["refresh"] == 1
    assert desk.refreshed == {"refused": 1}


@pytest.mark.parametrize(
    "failure", [answer("broken"), NotAnswered("timeout"), answer("rate"), NotAnswered("dns", False)]
)
def test_what_fails_is_tried_again_until_it_works_and_nobody_is_refused_for_it(failure):
    async def work(desk: Desk) -> None:
        desk.platform.plan["refresh"] = [failure] * 12
        await hours(1)
        assert (kept(desk).refused, kept(desk).asked_at) == ("", None)
        assert kept(desk).tokens.access_until > now()

    desk = played(work)
    assert desk.refreshed["ok"] == 1
    assert desk.platform.names["refresh"] == 13


@pytest.mark.parametrize(
    ("failure", "in_flight"),
    [(answer("broken"), True), (NotAnswered("timeout"), True), (answer("rate"), False), (answer("clock"), False),
     (NotAnswered("connect", sent=False), False)],
)  # fmt: skip
def test_only_what_may_have_been_done_there_stays_in_flight(failure, in_flight: bool):
    async def work(desk: Desk) -> None:
        desk.platform.plan["refresh"] = [failure] * 1_000
        with pytest.raises(CallFailed):
            await desk.refresher.renew(KEY, desk.book.get(*KEY).tokens)
        assert (kept(desk).asked_at is not None) == in_flight

    played(work)


def test_when_both_tokens_have_ended_it_has_expired():
    rules = TokenRules(access_s=2 * DAY_S, refresh_s=HOUR_S)

    async def work(desk: Desk) -> None:
        desk.platform.plan["refresh"] = [answer("broken")] * 100_000
        await hours(0.95)
        assert kept(desk).refused == ""  # its access token has ended, its refresh token has not
        await hours(0.2)
        assert kept(desk).refused.startswith("expired")

    played(work, rules)


def test_what_no_rule_can_extend_is_refused_when_it_ends():
    async def at_work() -> None:
        platform = PlayedPlatform(VOIDING, now)
        fixed = Account(APP, "played", "shop1", tokens=Tokens("a", now(), now() + timedelta(hours=1)))
        desk = Desk(platform, PlayedApi(), [fixed])

        async def work() -> None:
            await hours(0.99)
            assert kept(desk).refused == ""
            await hours(0.02)
            assert kept(desk).refused.startswith("expired")

        await desk.at_work(work)
        assert platform.names == {}

    simulate(at_work())


def test_an_answer_that_came_after_the_shop_was_linked_anew_is_thrown_away():
    async def work(desk: Desk) -> None:
        desk.platform.delay = lambda: 1.0
        waiting = asyncio.create_task(desk.refresher.renew(KEY, desk.book.get(*KEY).tokens))
        await asyncio.sleep(1.5)
        linked = account(desk.platform, "shop1")
        await desk.book.keep(linked)
        assert (await waiting).tokens == linked.tokens == kept(desk).tokens
        assert kept(desk).asked_at is None

    played(work)


def test_a_full_disk_holds_up_a_refresh_before_it_leaves_and_loses_nothing_of_what_came():
    async def work(desk: Desk) -> None:
        desk.memory.full = [SpoolFull("full")]
        with pytest.raises(CallFailed, match="spool_full"):
            await desk.refresher.renew(KEY, desk.book.get(*KEY).tokens)
        assert desk.platform.names["refresh"] == 0
        await asyncio.sleep(6.0)
        desk.platform.delay = lambda: 1.0
        waiting = asyncio.create_task(desk.refresher.renew(KEY, desk.book.get(*KEY).tokens))
        await asyncio.sleep(1.5)
        desk.memory.full = [SpoolFull("full")] * 7
        assert (await waiting).tokens == kept(desk).tokens
        assert desk.platform.office.by_access[kept(desk).tokens.access].void_from is None

    played(work, api=PlayedApi(window_s=60))


def test_pairs_that_come_in_words_we_do_not_understand_are_not_spent_one_after_the_other(caplog):
    async def at_work() -> None:
        platform = PlayedPlatform(VOIDING, now)
        made = [account(platform, f"shop{number}", now() + timedelta(minutes=20)) for number in range(200)]
        desk = Desk(platform, PlayedApi(1.0), made)
        platform.plan["refresh"] = [answer("ok", new_name="t0ken")] * 200

        async def work() -> None:
            await asyncio.sleep(1100)

        await desk.at_work(work)
        assert platform.names["refresh"] <= 20

    simulate(at_work())
    assert "cannot be understood: bad_tokens" in caplog.text
    assert "t0ken" not in caplog.text


def test_a_denial_at_the_beginning_of_the_window_may_mean_that_we_are_early():
    """Their clock is 40 s behind ours: a mass of refusals would be the end of all accounts at once."""
    rules = TokenRules(access_s=7 * DAY_S, refresh_s=14 * DAY_S, window_s=1800)

    async def at_work() -> None:
        platform = PlayedPlatform(rules, now)
        platform.now = lambda: now() - timedelta(seconds=40)
        pairs = [platform.office.issue(f"shop{n}", now(), now() + timedelta(seconds=1900)) for n in range(300)]
        for pair in pairs:
            pair.granted_at = now() - timedelta(days=7)
        desk = Desk(platform, PlayedApi(window_s=1800), [account_of(pair) for pair in pairs])
        desk.refresher._now = desk.client._now = now

        async def work() -> None:
            await asyncio.sleep(1850)

        await desk.at_work(work)
        assert desk.called["refresh", "token"] > 0, "none was early"
        assert all(not it.refused and it.tokens.access_until > now() for it in desk.book.all())

    simulate(at_work())


def test_a_pair_that_was_only_denied_for_being_early_is_not_in_flight():
    async def work(desk: Desk) -> None:
        desk.platform.plan["refresh"] = [answer("token")]
        with pytest.raises(CallFailed, match="token"):
            await desk.refresher.renew(KEY, desk.book.get(*KEY).tokens)
        assert (kept(desk).asked_at, kept(desk).refused) == (None, "")

    played(work, api=PlayedApi(window_s=60))


def test_the_app_itself_and_shops_with_their_own_key_are_kept_alive_too():
    async def at_work() -> None:
        platform = PlayedPlatform(TokenRules(access_s=7200, refresh_s=None, keeps_refresh=True), now)
        platform.component = True
        desk = Desk(platform, PlayedApi(component=True), [
            Account(APP, "played", "", ticket="ticket"), account(platform, "linked"),
            Account(APP, "played", "own", key="good", secret=b"s"), Account(APP, "played", "never"),
        ])  # fmt: skip

        async def work() -> None:
            for _ in range(24):
                await hours(1)
                for it in desk.book.all():
                    assert it.shop == "never" or it.tokens.access_until > now(), it

        await desk.at_work(work)
        assert desk.refreshed["failed"] == desk.refreshed["refused"] == 0

    simulate(at_work())


def test_without_a_ticket_the_shops_of_a_component_wait_and_are_not_refused():
    async def at_work() -> None:
        platform = PlayedPlatform(TokenRules(access_s=7200, refresh_s=None, keeps_refresh=True), now)
        platform.component = True
        desk = Desk(platform, PlayedApi(component=True), [account(platform, "linked", now())])

        async def work() -> None:
            await hours(1)
            assert platform.names == {}
            await desk.book.keep(Account(APP, "played", "", ticket="ticket"))
            await asyncio.sleep(130)
            assert desk.book.get(APP, "linked").tokens.access_until > now()

        await desk.at_work(work)

    simulate(at_work())


@pytest.mark.parametrize("lacking", ["its rules trip", "its app is gone"])
def test_an_app_that_lacks_what_a_call_needs_ends_nobody_else_and_is_tried_again(lacking: str):
    async def work(desk: Desk) -> None:
        its, refresh, own = desk.terms[APP], desk.api.refresh, desk.api.own
        await desk.book.keep(Account(APP, "played", "own", key="good", secret=b"s"))
        if lacking == "its app is gone":
            del desk.terms[APP]
        else:
            desk.api.refresh = desk.api.own = lambda caller, now: ()[0]
        for shop in ("shop1", "own"):
            with pytest.raises(CallFailed, match=r"app: (no_call|unknown_app)"):
                await desk.refresher.renew((APP, shop, ""), desk.book.get(APP, shop).tokens)
        await asyncio.sleep(300)
        desk.terms[APP], desk.api.refresh, desk.api.own = its, refresh, own
        await asyncio.sleep(130)
        assert desk.book.get(APP, "own").tokens.access_until > now()
        assert kept(desk).tokens.access_until > now() + timedelta(days=1)

    played(work)


def test_two_thousand_whose_platform_is_down_do_not_storm_it_and_are_there_when_it_is_back():
    async def at_work() -> None:
        platform = PlayedPlatform(VOIDING, now)
        made = [account(platform, f"shop{number}", now() + timedelta(minutes=20)) for number in range(2_000)]
        desk = Desk(platform, PlayedApi(20.0), made)

        async def work() -> None:
            platform.plan["refresh"] = [NotAnswered("connect", sent=False)] * 100_000
            await hours(1)
            assert platform.names["refresh"] < 400
            assert desk.refreshed["failed"] < 20_000, "each of them goes on trying by itself"
            platform.plan.clear()
            await hours(0.25)

        await desk.at_work(work)
        assert all(not it.refused and it.tokens.access_until > now() for it in desk.book.all())

    simulate(at_work())

"""The client: in whose name it asks, what an answer does to an account, and whom it never calls."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec
import pytest

from collectors.open_api import Answer, Call, Caller
from monitor.accounts.account import Account
from monitor.accounts.budget import Urgency
from monitor.accounts.failed import AccountRefused, CallFailed, NotAnswered
from monitor.accounts.terms import terms_of
from monitor.rehearsal.platforms.token_office import CallBook, TokenRules
from tests.accounts.played import APP, Desk, PlayedApi, PlayedPlatform, account, account_of, answer, order
from tests.accounts.simulated import now, simulate

RULES = TokenRules(access_s=7200, refresh_s=86_400)


def played(
    work: Callable[[Desk], Awaitable[None]], shops: int = 1, api: PlayedApi | None = None, book: CallBook | None = None
) -> Desk:
    """`work` with a desk whose accounts are in order: shop1, shop2 ..."""

    async def at_work() -> Desk:
        platform = PlayedPlatform(RULES, now, book)
        made = [account(platform, f"shop{number}") for number in range(1, shops + 1)]
        desk = Desk(platform, api or PlayedApi(100.0), made)
        await desk.at_work(lambda: work(desk))
        return desk

    return simulate(at_work())


def test_it_asks_in_the_name_of_the_shop():
    async def work(desk: Desk) -> None:
        for shop in ("shop1", "shop2"):
            assert json.loads(await desk.client.ask(APP, shop, order))["shop"] == shop

    desk = played(work, shops=2)
    assert desk.called == {("order", "ok"): 2}


@pytest.mark.parametrize("refused", ["revoked on the platform", ""])
def test_who_is_refused_or_was_never_linked_is_never_called(refused: str):
    async def work(desk: Desk) -> None:
        await desk.book.keep(Account(APP, "played", "shop1", refused=refused))
        for shop in ("shop1", "nobody"):
            with pytest.raises(AccountRefused):
                await desk.client.ask(APP, shop, order)

    assert played(work).platform.names == {}


def test_a_token_that_is_not_good_any_more_is_refreshed_once_and_asked_with_once_more():
    async def work(desk: Desk) -> None:
        desk.platform.office.by_access.clear()
        bodies = await asyncio.gather(*(desk.client.ask(APP, "shop1", order) for _ in range(50)))
        assert {json.loads(body)["shop"] for body in bodies} == {"shop1"}

    assert played(work).platform.names["refresh"] == 1


def test_a_token_that_has_ended_is_refreshed_before_anything_is_asked_with_it():
    async def work(desk: Desk) -> None:
        platform = desk.platform
        pair = platform.office.issue("shop1", now(), now() - timedelta(seconds=1))
        await desk.book.keep(account_of(pair))
        await desk.client.ask(APP, "shop1", order)
        assert desk.called[("order", "token")] == 0

    assert played(work).platform.names == {"refresh": 1, "order": 1}


def test_a_token_that_stays_bad_however_new_does_not_make_us_refresh_for_ever():
    async def work(desk: Desk) -> None:
        desk.platform.plan["order"] = [answer("token") for _ in range(10_000)]
        for _ in range(600):
            with pytest.raises(CallFailed, match="token"):
                await desk.client.ask(APP, "shop1", order)
            await asyncio.sleep(1.0)

    assert 2 <= played(work).platform.names["refresh"] <= 10


def test_a_shop_that_was_revoked_is_refused_and_works_again_when_it_is_linked_anew_without_a_restart():
    async def work(desk: Desk) -> None:
        desk.platform.office.revoke("shop1")
        with pytest.raises(AccountRefused, match="revoked"):
            await desk.client.ask(APP, "shop1", order)
        calls = desk.platform.names.total()
        for _ in range(5):
            with pytest.raises(AccountRefused, match="revoked"):
                await desk.client.ask(APP, "shop1", order)
        await desk.client.ask(APP, "shop2", order)
        assert desk.platform.names.total() == calls + 1
        kept = desk.memory.rows[APP, "shop1", ""]
        assert (kept.refused, kept.state(now())) == ("revoked on the platform", "refused")
        pair = desk.platform.office.exchange(desk.platform.office.code("shop1"), now())
        await desk.book.keep(account_of(pair))
        assert json.loads(await desk.client.ask(APP, "shop1", order))["shop"] == "shop1"

    played(work, shops=2)


def test_revoked_said_of_tokens_that_were_replaced_meanwhile_refuses_nobody():
    async def work(desk: Desk) -> None:
        desk.platform.plan["order"] = [answer("revoked")]
        asking = asyncio.create_task(desk.client.ask(APP, "shop1", order))
        await asyncio.sleep(0.06)  # it is on its way
        await desk.book.keep(account(desk.platform, "shop1"))
        with pytest.raises(AccountRefused):
            await asking
        assert desk.book.get(APP, "shop1").refused == ""

    played(work)


@pytest.mark.parametrize("verdict", ["app", "address", "clock"])
def test_what_concerns_the_whole_app_stops_its_calls_and_refuses_no_account(verdict: str, caplog):
    caplog.set_level(logging.INFO)

    async def work(desk: Desk) -> None:
        desk.platform.plan["order"] = [answer(verdict)]
        for _ in range(20):
            with pytest.raises(CallFailed, match=verdict):
                await desk.client.ask(APP, "shop1", order)
        assert desk.platform.names["order"] == 1
        assert desk.client.breaker_states()[APP, "open"] == 1
        await asyncio.sleep(300)
        await desk.client.ask(APP, "shop1", order)
        assert desk.client.breaker_states() == {(APP, "closed"): 2}
        assert desk.book.get(APP, "shop1").refused == ""

    played(work)
    assert len([it for it in caplog.records if it.name.endswith("exchange")]) == 2  # when it was lost, and when back


@pytest.mark.parametrize("broken", [NotAnswered("timeout"), answer("broken"), Answer(502, {}, b"<html>")])
def test_a_host_that_is_down_is_called_a_few_times_and_then_left_alone(broken):
    async def work(desk: Desk) -> None:
        desk.platform.plan["order"] = [broken] * 1_000
        for _ in range(3_600):
            with pytest.raises(CallFailed, match="broken"):
                await desk.client.ask(APP, "shop1", order)
            await asyncio.sleep(1.0)
        assert 3_600 / 60 < desk.platform.names["order"] < 400
        desk.platform.plan.clear()
        await asyncio.sleep(61)
        await desk.client.ask(APP, "shop1", order)

    played(work)


@pytest.mark.parametrize(
    ("told", "wait_s"),
    [
        (answer("rate", headers={"retry-after": "120"}), 120.0),
        (answer("rate", wait_s=7.5), 7.5),
        (answer("rate", headers={"retry-after": "99999999"}), 600.0),
        (answer("rate", headers={"retry-after": "-5"}), 1.0),
        (answer("rate", headers={"retry-after": "Wed, 21 Oct 1990 07:28:00 GMT"}), 1.0),
        (answer("rate", wait_s=1e9), 600.0),
    ],
)
def test_too_fast_is_told_with_how_long_to_stay_away_and_nothing_of_that_name_goes_before(told, wait_s: float):
    async def work(desk: Desk) -> None:
        desk.platform.plan["order"] = [told]
        with pytest.raises(CallFailed) as failed:
            await desk.client.ask(APP, "shop1", order)
        assert (failed.value.verdict, failed.value.wait_s) == ("rate", wait_s)
        began = now()
        await desk.client.ask(APP, "shop1", order)
        assert (now() - began).total_seconds() >= wait_s

    played(work)


@pytest.mark.parametrize(
    "said", [{"verdict": "broken", "headers": {"retry-after": "99999999"}}, {"verdict": "missing", "wait_s": 1e9}]
)
def test_nobody_stays_away_for_ever_because_an_answer_says_so(said):
    async def work(desk: Desk) -> None:
        desk.platform.plan["order"] = [answer(**said)]
        with pytest.raises(CallFailed) as failed:
            await desk.client.ask(APP, "shop1", order)
        assert failed.value.wait_s == 600.0

    played(work)


def test_details_refreshes_and_polls_together_stay_within_the_rate_over_hours():
    async def work(desk: Desk) -> None:
        async def poll() -> None:
            while now() < end:
                await desk.client.ask(APP, "shop1", order, urgency=Urgency.RECONCILE)

        end = now() + timedelta(hours=2)
        await asyncio.gather(*(poll() for _ in range(40)))

    desk = played(work, shops=40, api=PlayedApi(5.0), book=CallBook(per_s=5))
    assert max(desk.platform.book.by_second.values()) <= 5
    assert desk.platform.names["refresh"] >= 40
    assert desk.called["order", "ok"] > 0.8 * 5 * 7200
    assert desk.called["order", "rate"] == 0


def test_a_call_is_made_of_the_instant_at_which_it_leaves_and_once_where_that_is_at_once():
    async def work(desk: Desk) -> None:
        made = list[datetime]()

        def stamped(caller: Caller) -> Call:
            made.append(now())
            return order(caller)

        await desk.client.ask(APP, "shop1", stamped)
        assert len(made) == 1
        before = now()
        await desk.client.ask(APP, "shop1", stamped)  # one a second may go
        assert len(made) == 3
        assert made[1] == before
        assert made[2] - before > timedelta(seconds=0.5)

    played(work, api=PlayedApi(1.0))


def test_what_the_rules_trip_over_is_no_answer_and_nothing_of_it_is_logged(caplog):
    async def work(desk: Desk) -> None:
        desk.platform.plan["order"] = [Answer(200, {}, b'{"verdict": 1, "secret": "tok3n-in-body"}'[:-1])] * 3
        for _ in range(3):
            with pytest.raises(CallFailed, match="broken: bad_frame"):
                await desk.client.ask(APP, "shop1", order)

    desk = played(work)
    assert "tok3n" not in caplog.text
    assert desk.called == {("order", "broken"): 3}


def test_a_call_that_the_rules_cannot_make_is_named_so(caplog):
    async def work(desk: Desk) -> None:
        with pytest.raises(CallFailed, match="app: no_call"):
            await desk.client.ask(APP, "shop1", lambda caller: {}[caller.access])

    desk = played(work)
    assert desk.platform.names == {}
    assert "cannot be made: KeyError" in caplog.text
    assert not any(token in caplog.text for token in desk.platform.office.by_access)


def test_an_app_that_is_not_ours_is_named_so():
    async def work(desk: Desk) -> None:
        desk.terms.clear()
        with pytest.raises(CallFailed, match="unknown_app"):
            await desk.client.ask(APP, "shop1", order)

    played(work)


def test_a_call_without_an_account_goes_out_in_the_name_of_the_app():
    async def work(desk: Desk) -> None:
        desk.platform.plan["order"] = [answer("ok", code="tokens"), answer("forbidden", detail="40013")]
        assert json.loads(await desk.client.send(APP, order))["code"] == "tokens"
        with pytest.raises(CallFailed, match="forbidden: 40013"):
            await desk.client.send(APP, order)

    played(work)


def test_where_the_app_must_be_authorised_itself_that_comes_first():
    async def work(desk: Desk) -> None:
        with pytest.raises(CallFailed, match="no_ticket"):
            await desk.client.send(APP, order)
        await desk.book.keep(Account(APP, "played", "", ticket="ticket"))
        desk.platform.plan["order"] = [answer("ok")]
        await desk.client.send(APP, order)

    assert played(work, api=PlayedApi(component=True)).platform.names == {"app_grant": 1, "order": 1}


class KeyIsEnough(PlayedApi):
    """The app's key alone brings its tokens (client credentials): no ticket is pushed."""

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        return super().app_grant(caller, "ticket", now)


def test_where_the_apps_key_is_enough_its_account_begins_by_itself_and_is_kept():
    async def work(desk: Desk) -> None:
        desk.platform.plan["order"] = [answer("ok"), answer("token"), answer("ok")]
        await desk.client.send(APP, order)
        kept = desk.book.get(APP, "")
        assert kept is not None
        assert kept.tokens is not None
        assert not kept.ticket
        await desk.client.send(APP, order)
        assert desk.book.get(APP, "").tokens != kept.tokens

    assert played(work, api=KeyIsEnough(component=True)).platform.names == {"app_grant": 2, "order": 3}


def test_each_shop_of_a_self_use_app_has_its_own_key_its_own_pace_and_its_own_breaker():
    async def work(desk: Desk) -> None:
        await desk.book.keep(
            Account(APP, "played", "bad", key="bad", secret=b"s"),
            Account(APP, "played", "good", key="good", secret=b"s"),
        )
        with pytest.raises(AccountRefused, match="key or secret"):
            await desk.client.ask(APP, "bad", order)
        assert json.loads(await desk.client.ask(APP, "good", order))["shop"] == "good"
        assert desk.client.exchange.turns_of(
            desk.terms[APP], desk.client.caller_of(APP, desk.book.get(APP, "good"))
        ) is not desk.client.exchange.turns_of(desk.terms[APP], desk.client.caller_of(APP, desk.book.get(APP, "shop1")))
        await desk.client.ask(APP, "shop1", order)

    played(work)


def test_nothing_that_is_shown_holds_a_token():
    platform = PlayedPlatform(RULES, lambda: now_at)
    now_at = __import__("tests.accounts.simulated", fromlist=["EPOCH"]).EPOCH
    made = account(platform, "shop1", key="k", secret=b"s3cret")
    terms = terms_of(msgspec.structs.replace(Desk(platform, PlayedApi(), []).terms[APP].app), PlayedApi())
    caller = terms.caller(made, None)
    for shown in (repr(made), repr(terms), repr(order(caller)), repr(made.tokens), f"{CallFailed('ok', 'x')!r}"):
        assert made.tokens.access not in shown
        assert "s3cret" not in shown

"""What is asked once after a link: until it is answered it is asked again, and one app's slip is its own."""

import json
from datetime import timedelta

from collectors.open_api import Answer, Call, Caller, Grant, Tokens
from monitor.accounts.account import Account
from monitor.accounts.settling import AGAIN_S, Settling

from .test_linking import NOW, House, Rules

WHOLE = {"cipher": "c1"}


class Whole(Rules):
    """A platform that says more of a pair when it is asked, and wants to be told whose pushes shall come."""

    def complete(self, caller: Caller, now: object) -> Call | None:
        known = caller.tokens is None or "cipher" in caller.tokens.extra
        return None if known else Call("complete", f"{caller.base}/complete")

    def completed(self, caller: Caller, body: bytes) -> Grant:
        told = json.loads(body)
        assert caller.tokens is not None
        tokens = Tokens(caller.tokens.access, caller.tokens.granted_at, extra={"cipher": told["cipher"]})
        return Grant(tokens, told["shop"], name="小店")

    def permit(self, caller: Caller, now: object) -> Call | None:
        return Call("permit", f"{caller.base}/permit")


async def house(*shops: str) -> tuple[House, Settling]:
    made = House(Whole())
    made.say = lambda call: Answer(200, {}, b'{"cipher": "c1", "shop": "1"}')
    tokens = Tokens("at", NOW, NOW + timedelta(days=7))
    await made.book.keep(*(Account("tiny-main", "tiny", shop, tokens=tokens) for shop in shops))
    return made, Settling(made.client, lambda: NOW)


async def test_a_new_pair_is_made_whole_and_its_pushes_permitted_once():
    it, settling = await house("1")
    for at_s in (0.0, 10.0, 1_000.0):
        await settling.round(at_s)
    assert [call.name for call in it.sent] == ["complete", "permit"]
    kept = it.vault.kept["tiny-main", "1", ""]
    assert (kept.tokens.extra, kept.name, kept.permitted) == (WHOLE, "小店", True)


async def test_tokens_of_another_shop_are_not_taken_and_it_is_asked_again_later(caplog):
    it, settling = await house("2")
    for at_s in (0.0, AGAIN_S - 1, AGAIN_S, AGAIN_S + 1):
        await settling.round(at_s)
    assert [call.name for call in it.sent] == ["complete", "complete"]
    assert it.vault.kept["tiny-main", "2", ""].tokens.extra == {}
    assert len(caplog.records) == 1
    assert "other_shop" in caplog.text


async def test_an_answer_that_trips_the_rules_holds_up_no_other_account(caplog):
    it, settling = await house("1", "2")
    answers = iter([b'{"sealed": "a secret"}', b'{"cipher": "c1", "shop": "2"}'])
    it.say = lambda call: Answer(200, {}, next(answers) if call.name == "complete" else b"{}")
    await settling.round(0.0)
    assert {account.shop: account.permitted for account in it.book.all()} == {"1": False, "2": True}
    assert "KeyError" in caplog.text
    assert "a secret" not in caplog.text


async def test_who_is_refused_or_was_never_linked_is_left_alone():
    it, settling = await house()
    await it.book.keep(Account("tiny-main", "tiny", "3"))
    await it.book.keep(Account("tiny-main", "tiny", "4", tokens=Tokens("at", NOW), refused="revoked"))
    await it.book.keep(Account("gone-app", "tiny", "5", tokens=Tokens("at", NOW)))
    await settling.round(0.0)
    assert it.sent == []

"""What is asked once after a link: until it is answered it is asked again, and one app's slip is its own."""

import asyncio
import json
from collections.abc import Iterable
from datetime import timedelta

import msgspec

from collectors.open_api import Answer, Call, Caller, Grant, Tokens
from monitor.accounts.account import Account, AccountKey
from monitor.accounts.settling import AGAIN_S, WHOLE_AT_ONCE, Settling
from monitor.store.disk import SpoolFull

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

    permits = True

    def permit(self, caller: Caller, now: object) -> Call | None:
        return Call("permit", f"{caller.base}/permit") if self.permits else None


class Calm(Rules):
    """A platform that is asked nothing."""

    def permit(self, caller: Caller, now: object) -> Call | None:
        return None


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


async def test_who_is_settled_is_not_looked_at_again_until_it_is_another_and_not_held_once_it_is_forgotten():
    it, settling = await house("1", "2")
    looked, complete = list[str](), it.client.terms["tiny-main"].api.complete

    def counted(caller: Caller, now: object) -> Call | None:
        looked.append(caller.shop)
        return complete(caller, now)

    it.client.terms["tiny-main"].api.complete = counted
    it.say = lambda call: Answer(200, {}, b'{"cipher": "c1", "shop": ""}')
    for at_s in (0.0, 10.0):
        await settling.round(at_s)
    looked.clear()
    await settling.round(20.0)
    assert looked == []
    anew = msgspec.structs.replace(it.book.get("tiny-main", "1"), tokens=Tokens("at2", NOW, NOW + timedelta(days=7)))
    await it.book.keep(anew)
    await settling.round(30.0)
    assert set(looked) == {"1"}
    assert it.vault.kept["tiny-main", "1", ""].tokens.extra == WHOLE
    await it.book.forget(it.book.get("tiny-main", "2"))
    await settling.round(40.0)
    assert settling._settled.keys() == {("tiny-main", "1", "")}


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


async def test_thousands_of_whom_nothing_is_asked_are_let_in_by_a_few_writes():
    it = House(Calm())
    tokens = Tokens("at", NOW, NOW + timedelta(days=7))
    await it.book.keep(*(Account("tiny-main", "tiny", f"店{number}", tokens=tokens) for number in range(1_100)))
    settling, writes, keep = Settling(it.client, lambda: NOW), list[int](), it.vault.keep

    async def counted(accounts: Iterable[Account], gone: Iterable[AccountKey] = ()) -> None:
        kept = list(accounts)
        writes.append(len(kept))
        await keep(kept, gone)

    it.vault.keep = counted
    for at_s in (0.0, 2.0, 4.0, 6.0):
        await settling.round(at_s)
    assert writes == [WHOLE_AT_ONCE, WHOLE_AT_ONCE, 100]
    assert all(account.permitted and account.tokens == tokens for account in it.vault.kept.values())
    assert it.sent == []


async def test_whose_pair_became_another_while_others_were_kept_is_asked_all_the_same():
    it, settling = await house()
    await it.book.keep(Account("tiny-main", "tiny", "1", tokens=Tokens("at", NOW, extra=WHOLE)))
    it.rules.permits = False
    fresh = Tokens("new", NOW)

    async def linked() -> None:
        await it.book.change(("tiny-main", "1", ""), lambda known: msgspec.structs.replace(known, tokens=fresh))

    async with it.book._keeping:
        linking = asyncio.create_task(linked())
        await asyncio.sleep(0)
        letting_in = asyncio.create_task(settling.round(0.0))
        await asyncio.sleep(0)
    await asyncio.gather(linking, letting_in)
    assert not it.vault.kept["tiny-main", "1", ""].permitted
    await settling.round(10.0)
    assert [call.name for call in it.sent] == ["complete"]
    assert it.vault.kept["tiny-main", "1", ""].permitted


async def test_an_app_that_is_taken_out_while_others_are_kept_ends_nothing():
    it = House(Calm())
    await it.book.keep(Account("tiny-main", "tiny", "1", tokens=Tokens("at", NOW)))
    settling = Settling(it.client, lambda: NOW)
    async with it.book._keeping:
        letting_in = asyncio.create_task(settling.round(0.0))
        await asyncio.sleep(0)
        it.client.terms.clear()
    await letting_in
    assert not it.vault.kept["tiny-main", "1", ""].permitted


async def test_a_disk_that_is_full_puts_them_off(caplog):
    it = House(Calm())
    await it.book.keep(Account("tiny-main", "tiny", "1", tokens=Tokens("at", NOW)))
    settling, keep = Settling(it.client, lambda: NOW), it.vault.keep

    async def full(accounts: Iterable[Account], gone: Iterable[AccountKey] = ()) -> None:
        raise SpoolFull("no space")

    it.vault.keep = full
    for at_s in (0.0, AGAIN_S - 1):
        await settling.round(at_s)
    assert len(caplog.records) == 1
    assert "no space" in caplog.text
    it.vault.keep = keep
    await settling.round(AGAIN_S)
    assert it.vault.kept["tiny-main", "1", ""].permitted

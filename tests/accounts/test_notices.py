"""What platforms push about our apps is on disk before its delivery is finished with."""

from collectors.hook import Notice
from collectors.open_api import Tokens
from monitor.accounts.account import Account
from monitor.accounts.notices import BY_OWNER, Notices

from .test_linking import NOW, House


def notices(house: House) -> Notices:
    return Notices(house.book, house.client.terms)


async def test_a_ticket_makes_the_apps_own_account() -> None:
    house = House()
    await notices(house).take("tiny-main", [Notice("ticket", value="t1")])
    assert house.vault.kept["tiny-main", "", ""].ticket == "t1"
    assert house.told == []  # nobody lists the app itself


async def test_a_newer_ticket_leaves_the_tokens_in_force() -> None:
    house = House()
    await house.book.keep(Account("tiny-main", "tiny", "", ticket="t1", tokens=Tokens("app-token", NOW)))
    await notices(house).take("tiny-main", [Notice("ticket", value="t2")])
    found = house.book.get("tiny-main", "")
    assert found is not None
    assert (found.ticket, found.tokens) == ("t2", Tokens("app-token", NOW))


async def test_a_shop_that_revokes_has_no_tokens_any_more_and_keeps_its_contact() -> None:
    house = House()
    await house.book.keep(Account("tiny-main", "tiny", "1", contact="zhang", tokens=Tokens("at", NOW)))
    await notices(house).take("tiny-main", [Notice("revoked", "1"), Notice("revoked", "1")])
    kept = house.vault.kept["tiny-main", "1", ""]
    assert (kept.tokens, kept.refused, kept.contact) == (None, BY_OWNER, "zhang")
    assert [fact.refused for heard in house.told for fact in heard.accounts] == ["", BY_OWNER]


async def test_what_is_of_nobody_we_know_is_nothing() -> None:
    house = House()
    await notices(house).take("tiny-main", [Notice("revoked", "404")])
    await notices(house).take("another-app", [Notice("ticket", value="t1")])
    assert house.vault.kept == {}


async def test_a_platform_may_name_a_shop_otherwise_than_its_pushes_do() -> None:
    house = House()
    tokens = Tokens("at", NOW, extra={"appid": "wxshop1"})
    await house.book.keep(Account("tiny-main", "tiny", "gh_1", tokens=tokens), Account("tiny-main", "tiny", "gh_2"))
    await notices(house).take("tiny-main", [Notice("revoked", "wxshop1")])
    found = {account.shop: account.refused for account in house.book.all()}
    assert found == {"gh_1": BY_OWNER, "gh_2": ""}

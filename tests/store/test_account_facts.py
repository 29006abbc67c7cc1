"""How accounts stand, in PostgreSQL: the newest word of each counts, in whatever order and however often it comes."""

import random
import uuid
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from monitor.facts import AccountFact, Heard
from monitor.store.batch import facts_batches, facts_of
from monitor.store.keeping import keep_fact, revive
from monitor.store.put import Tally, put_facts
from tests.store.way import connecting, running, settled

pytestmark = pytest.mark.real

AT = datetime(2026, 11, 19, 12, tzinfo=UTC)
ROWS = "SELECT * FROM account_state ORDER BY app, shop, anchor"


def fact(shop: str, at_s: float = 0, **more: object) -> AccountFact:
    return AccountFact("doudian-main", "doudian", shop, "", AT + timedelta(seconds=at_s), granted=True, **more)


def history(luck: random.Random) -> list[AccountFact]:
    """Of 20 shops, 12 words each, every one at an instant of its own."""
    told = []
    for number in range(240):
        until = AT + timedelta(days=luck.randrange(30)) if luck.random() < 0.8 else None
        refused = luck.choice(["", "", "revoked by 李"])
        told.append(
            fact(
                f"店{number % 20}", number, refused=refused, name=f"n{number}", contact=luck.choice("甲乙"),
                lapses_at=until, access_until=until, refreshed_at=until, gone=luck.random() < 0.1,
            )
        )  # fmt: skip
    return told


@pytest.fixture
async def sql(database):
    conn = await database.connect("writer")
    yield conn
    await conn.close()


async def put(conn, facts) -> None:
    tally = Tally()
    await put_facts(conn, uuid.uuid4(), list(enumerate(facts)), tally)
    assert tally.outcome == {}  # an account is no observation: no book moves


@pytest.mark.parametrize("seed", range(4))
async def test_in_any_order_cut_anywhere_and_told_again_the_newest_stays(sql, seed):
    luck = random.Random(seed)
    told = history(luck)
    newest = {one.shop: one for one in told}
    again = told + luck.sample(told, 100)
    luck.shuffle(again)
    while again:
        count = luck.randrange(1, 40)
        await put(sql, again[:count])
        again = again[count:]
    rows = {row["shop"]: dict(row) for row in await sql.fetch(ROWS)}
    assert rows == {shop: msgspec.structs.asdict(one) for shop, one in newest.items()}


async def test_one_that_is_gone_is_not_seen_and_older_news_does_not_bring_it_back(sql, database):
    await put(sql, [fact("1", 10), fact("2", 10)])
    await put(sql, [fact("1", 20, gone=True)])
    await put(sql, [fact("1", 15)])
    reader = await database.connect("reader")
    assert [row["shop"] for row in await reader.fetch("SELECT shop FROM account")] == ["2"]
    await put(sql, [fact("1", 30)])
    assert [row["shop"] for row in await reader.fetch("SELECT shop FROM account ORDER BY shop")] == ["1", "2"]
    await reader.close()


async def test_they_go_the_usual_way_and_the_books_do_not_move(database, tmp_path):
    bad = fact("s\0", name="ok")
    async with running(tmp_path / "spool", connecting(database)) as store:
        store.inbox.put(Heard(accounts=[fact("1", name="小\0店", contact="王"), bad, fact("2")]))
        store.inbox.put(Heard(accounts=[fact("\ud800")]))
        await settled(store)
        books = store.sealer.standing.books
    assert all(book.difference == 0 for book in books.values())
    conn = await database.connect("owner")
    assert [tuple(row) for row in await conn.fetch("SELECT shop, name, contact FROM account_state ORDER BY shop")] == [
        ("1", "小\ufffd店", "王"),
        ("2", "", ""),
    ]
    kept = await conn.fetch("SELECT reason, sample, payload FROM quarantine ORDER BY sample")
    assert [row["sample"] for row in kept] == ["doudian-main \\ud800", "doudian-main s\\0"]
    assert revive(kept[1]["payload"]) == Heard(accounts=[bad])
    await conn.close()


def test_a_kept_account_shows_its_ids_alone():
    kept = keep_fact(fact("1", name="小店", contact="王", refused="revoked"), "reason", AT)
    assert (kept.kind, kept.sample) == ("change", "doudian-main 1")
    assert revive(kept.payload) == Heard(accounts=[fact("1", name="小店", contact="王", refused="revoked")])


def test_a_fact_comes_back_as_it_was():
    facts = history(random.Random(1))
    [batch] = facts_batches(facts, AT)
    assert facts_of(batch) == facts
    assert batch.header.counts == {}

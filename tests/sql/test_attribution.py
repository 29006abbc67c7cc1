"""Sales find their room and session, whatever comes first: facts go in as the writer puts them, on a real server."""

import random
import time
import uuid
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.tick import Sale
from monitor import config
from monitor.attribution import Attribution
from monitor.chores import Chores
from monitor.facts import Change, ChangeName
from monitor.live.watch import Watch
from monitor.roster import adopt
from monitor.store.batch import Fact, session_id
from monitor.store.put import Tally, put_facts
from tests.postgres import FreshDatabase
from tests.sql.stage import Sql, Stage, evening

pytestmark = pytest.mark.real
OPENED, CLOSED = evening("20:00"), evening("22:00")


def sale(number: object, clock: str, room: str | None = "r1", **other: Any) -> Sale:
    row = Sale(
        feed="orders", platform="doudian", event_id=f"shop:{number}:paid", at=evening(clock), kind="paid", room=room,
        received_at=evening(clock) + timedelta(seconds=1), amount_minor=9_900, currency="CNY", shop="shop",
        order_id=str(number),
    )  # fmt: skip
    return msgspec.structs.replace(row, **other)


def change(number: int, name: ChangeName, clock: str, room: str = "r1", opened: str = "20:00") -> Change:
    cause = "ended" if name == "closed" else "status"
    return Change("doudian", room, evening(opened), number, name, evening(clock), cause)


async def put(sql: Sql, *facts: Fact) -> Tally:
    tally = Tally()
    async with sql.transaction():
        await put_facts(sql, uuid.uuid4(), list(enumerate(facts)), tally)
    return tally


async def caught_up(sql: Sql, attribution: Attribution | None = None, version: int = 0) -> None:
    attribution = attribution or Attribution()
    while not await attribution.catch_up(sql, version):
        pass


async def found(sql: Sql) -> dict[str, tuple[int | None, uuid.UUID | None]]:
    rows = await sql.fetch("SELECT order_id, room_id, session_id FROM sale")
    return {row["order_id"]: (row["room_id"], row["session_id"]) for row in rows}


async def test_a_sale_belongs_to_the_session_that_was_open_at_its_time(stage: Stage):
    room = await stage.room("r1", platform="doudian")
    await stage.room("r1", platform="kuaishou")
    session = session_id("doudian", "r1", OPENED)
    clocks = ("19:59:59", "20:00", "21:59:59", "22:00", "23:00")
    await put(stage.sql, change(1, "opened", "20:00"), change(2, "closed", "22:00"))
    await put(stage.sql, *(sale(clock, clock) for clock in clocks))
    await put(stage.sql, sale("roomless", "21:00", room=None), sale("stranger", "21:00", room="r9"))
    assert set((await found(stage.sql)).values()) == {(None, None)}  # nobody else does it
    await caught_up(stage.sql)
    assert await found(stage.sql) == {
        "19:59:59": (room, None), "20:00": (room, session), "21:59:59": (room, session), "22:00": (room, None),
        "23:00": (room, None), "roomless": (None, None), "stranger": (None, None),
    }  # fmt: skip


async def test_an_open_session_takes_all_until_another_opens(stage: Stage):
    room = await stage.room("r1", platform="doudian")
    await put(stage.sql, change(1, "opened", "20:00"), sale("a", "20:30"), sale("b", "21:30"))
    await caught_up(stage.sql)
    first = session_id("doudian", "r1", OPENED)
    assert await found(stage.sql) == {"a": (room, first), "b": (room, first)}
    await put(stage.sql, change(1, "opened", "21:00", opened="21:00"))  # the end of the first was never heard of
    await caught_up(stage.sql)
    second = session_id("doudian", "r1", evening("21:00"))
    assert await found(stage.sql) == {"a": (room, first), "b": (room, second)}
    await put(stage.sql, change(2, "closed", "21:15", opened="21:00"))
    await caught_up(stage.sql)
    assert await found(stage.sql) == {"a": (room, first), "b": (room, None)}


async def test_a_session_that_comes_later_and_one_that_turns_out_to_have_closed_earlier(stage: Stage):
    room = await stage.room("r1", platform="doudian")
    await put(stage.sql, sale("a", "20:30"), sale("b", "21:30"))
    attribution = Attribution()
    await caught_up(stage.sql, attribution)
    assert await found(stage.sql) == {"a": (room, None), "b": (room, None)}
    await put(stage.sql, change(1, "opened", "20:00"))
    await caught_up(stage.sql, attribution)
    session = session_id("doudian", "r1", OPENED)
    assert await found(stage.sql) == {"a": (room, session), "b": (room, session)}
    await put(stage.sql, change(2, "closed", "21:00"))  # blind since then: closed as of the span's start
    await caught_up(stage.sql, attribution)
    assert await found(stage.sql) == {"a": (room, session), "b": (room, None)}
    await stage.sql.execute("UPDATE session SET closed_at = $1", CLOSED)  # a person's correction, by hand
    await caught_up(stage.sql, attribution)
    assert await found(stage.sql) == {"a": (room, session), "b": (room, session)}


async def test_a_room_that_is_adopted_later_gets_its_sales_and_nobody_elses(stage: Stage):
    await put(stage.sql, *(sale(n, "21:00", room="新直播间") for n in range(30)), sale("other", "21:00", room="r9"))
    attribution = Attribution(sales_max=7)
    await caught_up(stage.sql, attribution, version=0)
    await stage.feed("hall-a", [], platform="doudian")
    await stage.sql.execute(
        "INSERT INTO room_unlisted VALUES ('hall-a', 'doudian', '新直播间', $1, $1)", evening("21:00")
    )
    outcome = await adopt(stage.sql, "hall-a", "新直播间", by_whom="test")
    await caught_up(stage.sql, attribution, version=0)  # nobody told it of the new version yet
    assert set((await found(stage.sql)).values()) == {(None, None)}
    await caught_up(stage.sql, attribution, outcome.version)
    room = await stage.sql.fetchval("SELECT room_id FROM room")
    assert await found(stage.sql) == {str(n): (room, None) for n in range(30)} | {"other": (None, None)}


async def test_a_new_connection_looks_for_rooms_even_under_the_same_version(stage: Stage, database: FreshDatabase):
    attribution = Attribution()
    await put(stage.sql, sale("a", "21:00"))
    await caught_up(stage.sql, attribution)
    room = await stage.room("r1", platform="doudian")  # as a restored database gets rooms back from the spool's mirror
    again = await database.connect("writer")
    await caught_up(again, attribution)
    await again.close()
    assert await found(stage.sql) == {"a": (room, None)}


async def test_the_same_fact_again_may_tell_the_room_that_the_first_did_not(stage: Stage):
    room = await stage.room("r1", platform="doudian")
    other = await stage.room("r2", platform="doudian")
    told = sale("a", "21:00", room=None)
    await put(stage.sql, told, sale("b", "21:00", room="r2"))
    await caught_up(stage.sql)
    tally = await put(
        stage.sql,
        told,
        msgspec.structs.replace(told, room="r1", via="poll"),
        msgspec.structs.replace(told, room="r2", via="poll"),  # contradicts: the first that told is kept
        sale("b", "21:00", room="r1"),
        sale("b", "21:00", room=None),
        sale("b", "21:00", room="r1", amount_minor=1),  # another fact under the same id tells nothing
    )
    assert tally.outcome["sale"] == (0, 5, 1)
    assert tally.sales == []
    await caught_up(stage.sql)
    assert await found(stage.sql) == {"a": (room, None), "b": (other, None)}


async def test_a_second_run_touches_no_row(stage: Stage):
    await stage.room("r1", platform="doudian")
    await put(stage.sql, change(1, "opened", "20:00"), sale("a", "20:30"), sale("b", "20:30", room="r9"))
    await caught_up(stage.sql)
    versions = "SELECT xmin::text FROM sale UNION ALL SELECT xmin::text FROM session"
    before = await stage.sql.fetch(versions)
    await caught_up(stage.sql)
    await put(stage.sql, change(1, "opened", "20:00"), sale("a", "20:30"))  # offered again
    await caught_up(stage.sql, version=1)
    assert await stage.sql.fetch(versions) == before


async def test_one_call_does_no_more_than_its_turn(stage: Stage):
    await stage.room("r1", platform="doudian")
    attribution = Attribution(sales_max=10, turn_s_max=0)
    assert await attribution.catch_up(stage.sql, 0)
    await put(stage.sql, change(1, "opened", "20:00"), *(sale(n, "20:30") for n in range(25)))
    done = [await attribution.catch_up(stage.sql, 0) for _ in range(2)]
    assert done == [False, False]
    assert await stage.sql.fetchval("SELECT count(*) FROM sale WHERE attributed_at IS NULL") == 5
    assert await attribution.catch_up(stage.sql, 0)


async def test_a_session_with_more_wrong_sales_than_a_turn_stays_due(stage: Stage):
    await stage.room("r1", platform="doudian")
    await put(stage.sql, *(sale(n, "20:30") for n in range(25)))
    await caught_up(stage.sql)
    await put(stage.sql, change(1, "opened", "20:00"))
    attribution = Attribution(sales_max=10, turn_s_max=0)
    assert [await attribution.catch_up(stage.sql, 0) for _ in range(3)] == [False, False, True]
    assert await stage.sql.fetchval("SELECT count(*) FROM sale WHERE session_id IS NULL") == 0
    assert await stage.sql.fetchval("SELECT count(*) FROM session WHERE sales_due") == 0


def expected(sales: Sequence[Sale], closes: dict[tuple[str, str], str | None]) -> dict[str, uuid.UUID | None]:
    """The rule in other words: of all sessions opened by then the last, unless it had closed."""
    answer: dict[str, uuid.UUID | None] = {}
    for row in sales:
        opened = max((at for room, at in closes if room == row.room and evening(at) <= row.at), default=None)
        closed = None if opened is None else closes[str(row.room), opened]
        live = opened is not None and (closed is None or row.at < evening(closed))
        answer[str(row.order_id)] = session_id("doudian", str(row.room), evening(opened)) if live and opened else None
    return answer


@pytest.mark.parametrize("seed", range(12))
async def test_any_order_of_facts_ends_in_the_same(stage: Stage, seed: int):
    chance = random.Random(seed)
    closes = {
        (room, f"{hour}:00"): chance.choice([None, f"{hour}:30", f"{hour}:45", f"{hour + 1}:00"])
        for room in ("r1", "r2")
        for hour in chance.sample(range(12, 22), 4)
    }
    sales = [
        sale(n, f"{chance.randrange(12, 23)}:{chance.choice([0, 15, 30, 44, 45, 59])}", chance.choice(["r1", "r2"]))
        for n in range(60)
    ]
    facts: list[Fact] = [*sales]
    for (room, opened), closed in closes.items():
        facts.append(change(1, "opened", opened, room, opened))
        if closed is not None:
            facts.append(change(2, "closed", closed, room, opened))
    chance.shuffle(facts)
    await stage.room("r1", platform="doudian")
    rooms_known_after = chance.randrange(len(facts))
    attribution, version = Attribution(sales_max=chance.choice([3, 1000]), turn_s_max=0), 0
    for place, fact in enumerate(facts):
        if place == rooms_known_after:
            await stage.room("r2", platform="doudian")
            version += 1
        if isinstance(fact, Change) and fact.room == "r2" and place < rooms_known_after:
            facts.append(fact)  # of a room not yet known: quarantined, and retried later
            continue
        await put(stage.sql, fact)
        if chance.random() < 0.3:
            await attribution.catch_up(stage.sql, version)
    await caught_up(stage.sql, attribution, version)
    assert {order: session for order, (_, session) in (await found(stage.sql)).items()} == expected(sales, closes)
    assert all(room is not None for room, _ in (await found(stage.sql)).values())


async def test_a_hundred_thousand_sales_take_seconds(stage: Stage):
    sql = stage.sql
    await sql.execute(
        "INSERT INTO room (platform, external_id) SELECT 'doudian', 'r' || n FROM generate_series(1, 2000) AS n"
    )
    await sql.execute(
        "INSERT INTO session (session_id, room_id, opened_at, closed_at)"
        " SELECT gen_random_uuid(), room_id, start, start + interval '2 hours'"
        " FROM room, generate_series($1::timestamptz, $1::timestamptz + interval '15 hours', '4 hours') AS start",
        evening("00:00"),
    )
    await sql.execute(
        "INSERT INTO sale (platform, event_id, at, received_at, feed, room, shop, kind, amount_minor, currency, via)"
        " SELECT 'doudian', 's:' || n || ':paid', $1::timestamptz + (n % 960) * interval '1 minute', now(), 'orders',"
        " 'r' || 1 + n % 2500, 'shop', 'paid', 100, 'CNY', 'push' FROM generate_series(1, 100000) AS n",
        evening("00:00"),
    )
    attribution = Attribution()
    started = time.monotonic()
    await caught_up(sql, attribution)
    took_s = time.monotonic() - started
    assert await sql.fetchval("SELECT count(*) FROM sale WHERE room_id IS NOT NULL") == 80_000
    on_air = [n for n in range(1, 100_001) if n % 2500 < 2000 and n % 960 % 240 < 120]
    assert await sql.fetchval("SELECT count(*) FROM sale WHERE session_id IS NOT NULL") == len(on_air)
    assert took_s < 30
    costs_s = []
    for _ in range(3):  # a busy machine may hold up one of them
        started = time.monotonic()
        assert await attribution.catch_up(sql, 0)
        costs_s.append(time.monotonic() - started)
    assert min(costs_s) < 0.2  # nothing new costs nothing
    print(f"100,000 sales in {took_s:.1f} s")


async def test_the_monitor_does_it_between_batches(stage: Stage, tmp_path: Path):
    (tmp_path / "livemon.toml").write_text('data_dir = "var"\n')
    configured = config.load(tmp_path / "livemon.toml")
    chores = Chores(configured, tmp_path / "livemon.toml", Watch(), lambda *_: None, None, nothing, 0)
    room = await stage.room("r1", platform="doudian")
    await put(stage.sql, change(1, "opened", "20:00"), sale("a", "20:30"))
    await chores.tend(stage.sql)
    assert await found(stage.sql) == {"a": (room, session_id("doudian", "r1", OPENED))}


async def test_on_a_machine_that_has_just_booted_the_days_stand_ready_at_the_first_connect(
    stage: Stage, tmp_path: Path
):
    (tmp_path / "livemon.toml").write_text('data_dir = "var"\n')
    configured = config.load(tmp_path / "livemon.toml")
    uptime_s = [3.0]
    chores = Chores(
        configured, tmp_path / "livemon.toml", Watch(), lambda *_: None, None, nothing, 0, monotonic=lambda: uptime_s[0]
    )
    await chores.tend(stage.sql)
    assert chores.ready_until is not None
    uptime_s[0] = 4.0
    chores.ready_until = None
    await chores.tend(stage.sql)
    assert chores.ready_until is None  # not at each turn
    uptime_s[0] = 604.0
    await chores.tend(stage.sql)
    assert chores.ready_until is not None


async def nothing(heard: object) -> None:
    """No row is brought back here."""

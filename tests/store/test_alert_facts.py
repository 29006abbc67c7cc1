"""Episodes of alerts and what people did, in PostgreSQL: once each, in whatever order and however often they come."""

import random
import uuid
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from monitor.facts import AlertAction, AlertEpisode, Heard
from monitor.store.batch import alert_id, facts_batches, facts_of
from monitor.store.keeping import keep_fact, revive
from monitor.store.put import Tally, put_facts
from tests.store.way import connecting, running, settled

pytestmark = pytest.mark.real

AT = datetime(2026, 11, 19, 12, tzinfo=UTC)
ROWS = "SELECT number, alertname, severity, labels, starts_at, ends_at, summary, outcome FROM alert ORDER BY number"


def begun(number: int, **more: object) -> AlertEpisode:
    labels = {"platform": "视频号", "room": str(number)}
    return AlertEpisode(
        f"f{number % 7}", AT + timedelta(seconds=number), number, "A", "warning", labels, "断流", **more
    )


def ended(number: int) -> AlertEpisode:
    return msgspec.structs.replace(begun(number), ends_at=AT + timedelta(minutes=number), outcome="recovered")


def acted(number: int, **more: object) -> AlertAction:
    one = begun(number)
    return AlertAction(AT, "acknowledged", "张三", one.fingerprint, one.starts_at, "去看了", **more)


@pytest.fixture
async def sql(database):
    conn = await database.connect("writer")
    yield conn
    await conn.close()


async def put(conn, facts) -> None:
    tally = Tally()
    await put_facts(conn, uuid.uuid4(), list(enumerate(facts)), tally)
    assert tally.outcome == {}  # an alert is no observation: no book moves


@pytest.mark.parametrize("seed", range(4))
async def test_in_any_order_cut_anywhere_and_told_again_each_is_there_once_with_its_end(sql, seed):
    luck = random.Random(seed)
    over = [number for number in range(50) if luck.random() < 0.5]
    told = [begun(number) for number in range(50)] + [ended(number) for number in over]
    told += [acted(number) for number in range(50)]
    told += luck.sample(told, 60)
    luck.shuffle(told)
    while told:
        size = luck.randrange(1, 40)
        await put(sql, told[:size])
        told = told[size:]
    rows = await sql.fetch(ROWS)
    assert [(row["number"], row["ends_at"], row["outcome"]) for row in rows] == [
        (number, ended(number).ends_at if number in over else None, "recovered" if number in over else "")
        for number in range(50)
    ]
    joined = await sql.fetch(
        "SELECT number, by_whom, reason FROM alert_action JOIN alert ON alert_id = alert ORDER BY number"
    )
    assert [tuple(row) for row in joined] == [(number, "张三", "去看了") for number in range(50)]


async def test_an_end_once_known_stays(sql):
    later = msgspec.structs.replace(ended(1), ends_at=AT + timedelta(hours=9), outcome="quiet")
    await put(sql, [ended(1)])
    await put(sql, [later, begun(1)])
    (row,) = await sql.fetch(ROWS)
    assert (row["ends_at"], row["outcome"]) == (ended(1).ends_at, "recovered")


async def test_an_action_about_no_alert_is_kept_once(sql):
    action = AlertAction(AT, "silenced", "李四", reason="搬机房", until=AT + timedelta(hours=2))
    await put(sql, [action, action])
    await put(sql, [action])
    (row,) = await sql.fetch("SELECT * FROM alert_action")
    assert (row["alert"], row["action"], row["until"]) == (None, "silenced", action.until)


async def test_what_postgresql_cannot_hold_hides_no_alert(sql):
    odd = msgspec.structs.replace(begun(1), labels={"a\0": "b\0", "c": '\\u0000"'}, summary="x\0")
    await put(sql, [odd, msgspec.structs.replace(acted(1), by_whom="\0", reason="\0")])
    (row,) = await sql.fetch("SELECT labels ->> 'c' AS c, summary FROM alert")
    assert (row["c"], row["summary"]) == ('\\u0000"', "x\ufffd")


async def test_they_go_the_way_of_all_facts_and_come_back_out_of_quarantine(database, tmp_path, sql):
    async with running(tmp_path / "spool", connecting(database)) as store:
        store.inbox.put(Heard(alerts=[begun(1)], actions=[acted(1)]))
        await settled(store)
    assert await sql.fetchval("SELECT alert_id FROM alert") == alert_id("f1", begun(1).starts_at)
    assert await sql.fetchval("SELECT count(*) FROM alert_action JOIN alert ON alert_id = alert") == 1
    for fact in (ended(2), acted(2)):
        heard = revive(keep_fact(fact, "why", AT).payload)
        assert [*heard.alerts, *heard.actions] == [fact]
        (batch,) = facts_batches([fact], AT)
        assert (batch.header.format, facts_of(batch)) == (3, [fact])


async def test_a_hall_sees_alerts_and_no_names(database, sql):
    await put(sql, [begun(1), acted(1)])
    reader = await database.connect("hall")
    try:
        assert await reader.fetchval("SELECT count(*) FROM alert") == 1
        assert await reader.fetchval("SELECT action FROM alert_action") == "acknowledged"
    finally:
        await reader.close()

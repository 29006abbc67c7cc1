"""What platforms say of their own money, and spans of single rooms, in PostgreSQL: once each, in whatever order."""

import itertools
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from monitor.facts import BlindSpan, PlatformTotal
from monitor.store.batch import FORMAT, facts_batches, facts_of, session_id
from monitor.store.keeping import keep_fact, revive
from monitor.store.put import Tally, put_facts

pytestmark = pytest.mark.real

AT = datetime(2026, 11, 19, 12, tzinfo=UTC)
ROOM = "视频号_沈阳一号"


def after(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def total(minutes: float, gmv_minor: int, room: str = ROOM) -> PlatformTotal:
    return PlatformTotal("wechat", room, after(minutes), AT, gmv_minor, "CNY")


@pytest.fixture
async def sql(database):
    conn = await database.connect("writer")
    await conn.execute(
        "INSERT INTO room (room_id, platform, external_id, active) VALUES (1, 'wechat', $1, true), "
        "(2, 'wechat', 'other', true)",
        ROOM,
    )
    yield conn
    await conn.close()


async def put(conn, facts) -> Tally:
    tally = Tally()
    await put_facts(conn, uuid.uuid4(), list(enumerate(facts)), tally)
    return tally


async def test_a_total_is_a_row_once_and_no_book_moves(sql):
    tally = await put(sql, [total(1, 100), total(2, 250), total(1, 100), total(3, 9, "nobody's")])
    await put(sql, [total(2, 250)])
    assert tally.outcome == {}
    rows = await sql.fetch("SELECT room_id, at, session_id, gmv_minor, currency FROM platform_total ORDER BY at")
    expected = session_id("wechat", ROOM, AT)
    assert [tuple(row) for row in rows] == [(1, after(1), expected, 100, "CNY"), (1, after(2), expected, 250, "CNY")]
    assert await sql.fetchval("SELECT count(*) FROM sale") == 0


def test_a_total_travels_and_comes_back_and_earlier_releases_do_not_take_it():
    (batch,) = facts_batches([total(1, 100)], AT)
    assert (facts_of(batch), batch.header.format) == ([total(1, 100)], FORMAT)
    kept = keep_fact(total(1, 100), "why", AT)
    assert (revive(kept.payload).totals, "100" in kept.sample) == ([total(1, 100)], False)


WHOLE = BlindSpan("live", "wechat", after(10), "restart")
DARK = BlindSpan("live", "wechat", after(5), "auth", ROOM)
LATER = BlindSpan("live", "wechat", after(12), "auth", "other")


@pytest.mark.parametrize("told", list(itertools.permutations([WHOLE, DARK, LATER])))
async def test_a_room_that_was_blind_when_we_were_killed_is_part_of_the_blindness_of_its_feed(sql, told):
    """Nobody told of the end of its span: it ends where the feed's begins. One that began after that goes on."""
    for span in told:
        await put(sql, [span])
    rows = await sql.fetch("SELECT room_id, from_at, to_at FROM blind ORDER BY from_at")
    assert [tuple(row) for row in rows] == [
        (1, after(5), after(10)), (None, after(10), None), (2, after(12), None),
    ]  # fmt: skip


async def test_a_span_of_another_feed_ends_nothing(sql):
    await put(sql, [DARK, BlindSpan("relay", "wechat", after(10), "restart")])
    assert await sql.fetchval("SELECT to_at FROM blind WHERE room_id = 1") is None

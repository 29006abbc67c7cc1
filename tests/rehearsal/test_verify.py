"""A database that agrees with the truth holds; each planted difference makes its own line of the verdict fail."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC
from pathlib import Path

import pytest

from monitor.rehearsal.compare.verdict import Verdict
from monitor.rehearsal.compare.verify import Rules, verify
from monitor.rehearsal.truth import Fact
from tests.rehearsal.small_evening import SmallEvening, facts
from tests.sql.stage import Stage

Plant = Callable[[SmallEvening], Awaitable[object]]


@pytest.fixture
async def made(database, tmp_path: Path) -> AsyncIterator[SmallEvening]:
    owner = await database.connect("owner")
    made = SmallEvening(tmp_path, Stage(owner))
    async with owner.transaction():
        await made.written()
    made.reader = await database.connect("reader")
    yield made
    await made.reader.close()
    await owner.close()


async def judged(made: SmallEvening) -> Verdict:
    return await verify(made.path, made.play, made.reader, made.until, Rules())


def line(verdict: Verdict, what: str):
    [check] = [check for check in verdict.checks if check.what.strip() == what]
    return check


async def test_what_agrees_holds(made: SmallEvening) -> None:
    verdict = await judged(made)
    assert verdict.holds, "\n".join(verdict.lines())
    assert [line(verdict, what).truth for what in ("frames of halls", "ticks of halls")] == ["707", "1,787"]
    assert [line(verdict, what).found for what in ("frames of relays", "ticks of relays")] == ["180", "208"]
    assert line(verdict, "drops").truth == "4"  # a drop, a freeze, one that broke off, one of the relay
    assert line(verdict, "sign-offs counted as drops").truth == "0 of 2"
    assert line(verdict, "stops that need not be found").truth == "2"  # between two polls; while its hall was dark
    assert line(verdict, "blind spans of halls").truth == "1"
    assert line(verdict, "sessions of broadcasts").truth == "7"
    assert line(verdict, "nginx_rtmp paid CNY").found == "2 = 17,990"
    assert line(verdict, "closed as ended").found == "1"


async def test_nothing_is_compared_that_was_told_after_the_end(made: SmallEvening) -> None:
    made.until = made.at(1000)
    verdict = await judged(made)
    assert verdict.holds, "\n".join(verdict.lines())
    assert line(verdict, "frames of relays").truth == "100"


# --- planted differences: what is done to the database, and the lines that fail ------------------------------------


def sql(statement: str, *arguments: object) -> Plant:
    """Its arguments: `room3` is a room by its number, others are seconds of the clock."""

    async def plant(made: SmallEvening) -> None:
        values = [made.rooms[int(value[4:])] if isinstance(value, str) else made.at(value) for value in arguments]
        done = await made.sql.execute(statement, *values)
        assert done.rsplit(" ", 1)[1] != "0", "nothing was planted"

    return plant


def sold(order: str, event_id: str | None = None, **fields: object) -> Plant:
    async def plant(made: SmallEvening) -> None:
        [fact] = [fact for fact, _ in facts(made) if (fact.order_id, fact.platform) == (order, "doudian")]
        told = {name: getattr(fact, name) for name in Fact.__struct_fields__} | fields
        await made.sale(Fact(**told), event_id)

    return plant


def dropped(number: int, from_s: float, to_s: float) -> Plant:
    async def plant(made: SmallEvening) -> None:
        session = await made.sql.fetchval(
            "SELECT session_id FROM session WHERE room_id = $1 ORDER BY opened_at DESC LIMIT 1", made.rooms[number]
        )
        await made.sql.executemany(
            "INSERT INTO session_change (session_id, number, room_id, change, at, cause)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            [
                (session, 90, made.rooms[number], "dropped", made.at(from_s), "status"),
                (session, 91, made.rooms[number], "resumed", made.at(to_s), "status"),
            ],
        )

    return plant


def moved(number: int, from_s: float, to_s: float) -> Plant:
    return sql("UPDATE session_change SET at = $3 WHERE room_id = $1 AND at = $2", f"room{number}", from_s, to_s)


HALL_SUMS = {"ticks of halls", "live rooms of halls", "viewers of halls", "rooms of halls"}
A_PAID = "UPDATE sale SET {} WHERE platform = 'nginx_rtmp' AND order_id = '101' AND kind = 'paid'"
PLANTED: dict[str, tuple[Plant, set[str]]] = {
    "a tick is missing": (sql("DELETE FROM tick_raw WHERE room_id = $1 AND at = $2", "room0", 50), HALL_SUMS),
    "a tick of a room off the air is missing": (
        sql("DELETE FROM tick_raw WHERE room_id = $1 AND at = $2", "room3", 50),
        {"ticks of halls", "rooms of halls"},
    ),
    "a tick is there twice": (
        sql("INSERT INTO tick_raw SELECT * FROM tick_raw WHERE room_id = $1 AND at = $2", "room0", 50),
        HALL_SUMS,
    ),
    "one viewer more": (
        sql("UPDATE tick_raw SET viewers = viewers + 1 WHERE room_id = $1 AND at = $2", "room0", 50),
        {"viewers of halls", "rooms of halls"},
    ),
    "viewers of two rooms change places": (
        sql(
            "UPDATE tick_raw SET viewers = 23 - viewers WHERE room_id IN ($1, $2) AND at = $3 AND viewers IN (11, 12)",
            "room0", "room1", 50,
        ),
        {"viewers of halls", "rooms of halls"},
    ),
    "a viewer moves from one frame to another": (
        sql("UPDATE tick_raw SET viewers = viewers + CASE at WHEN $2 THEN 1 ELSE -1 END"
            " WHERE room_id = $1 AND at IN ($2, $3)", "room0", 50, 55),
        {"viewers of halls"},
    ),
    "a room is told live and was not": (
        sql("UPDATE tick_raw SET live = true, viewers = 0 WHERE room_id = $1 AND at = $2", "room3", 50),
        {"live rooms of halls", "rooms of halls"},
    ),
    "a frame is lost": (
        sql("DELETE FROM tick_raw WHERE at = $1", 50), {"frames of halls"},
    ),
    "a frame is invented": (
        sql("INSERT INTO tick_raw SELECT $3::timestamptz, room_id FROM tick_raw WHERE room_id = $1 AND at = $2",
            "room0", 50, 52),
        {"frames of halls invented"},
    ),
    "a frame that was acknowledged is lost": (
        sql("DELETE FROM tick_raw WHERE at = $1", 53), {"frames of relays"},
    ),
    "a relay's tick is missing": (
        sql("DELETE FROM tick_raw WHERE room_id = $1 AND at = $2", "room5", 53),
        {"ticks of relays", "live rooms of relays", "viewers of relays", "rooms of relays"},
    ),
    "a relay's tick is stamped otherwise": (
        sql("UPDATE tick_raw SET at = $2 WHERE at = $1", 53, 54), {"frames of relays", "frames of relays invented"},
    ),
    "an order is missing": (
        sql("DELETE FROM sale WHERE order_id = '102' AND $1::timestamptz IS NOT NULL", 0), {"nginx_rtmp paid CNY"},
    ),
    "the very last order is missing": (
        sql("DELETE FROM sale WHERE platform = 'wechat' AND at > $1", 0), {"wechat paid CNY"},
    ),
    "a refund is missing": (
        sql("DELETE FROM sale WHERE kind = 'refunded' AND at = $1", 500), {"nginx_rtmp refunded CNY"},
    ),
    "one fen off": (
        sql(A_PAID.format("amount_minor = amount_minor + 1") + " AND at > $1", 0), {"nginx_rtmp paid CNY"},
    ),
    "another currency": (
        sql(A_PAID.format("currency = 'USD'") + " AND at > $1", 0), {"nginx_rtmp paid CNY"},
    ),
    "an order is there twice": (sold("103", "again"), {"doudian paid CNY"}),
    "an order that nobody told of": (sold("103", "new", order_id="999"), {"doudian paid CNY"}),
    "a refund that nobody told of": (sold("103", "new", kind="refunded"), {"doudian refunded CNY"}),
    "another room": (
        sql(A_PAID.format("room = 'live/1'") + " AND at > $1", 0), {"room, shop and instant of sales"},
    ),
    "another shop": (
        sql(A_PAID.format("shop = '1'") + " AND at > $1", 0), {"room, shop and instant of sales"},
    ),
    "no room": (
        sql(A_PAID.format("room = NULL") + " AND at > $1", 0), {"room, shop and instant of sales"},
    ),
    "a sale at another instant": (
        sql(A_PAID.format("at = $1"), 62), {"room, shop and instant of sales"},
    ),
    "a drop is missing": (
        sql("DELETE FROM session_change WHERE room_id = $1 AND at IN ($2, $3)", "room0", 100, 160), {"drops"},
    ),
    "a stall is missing": (
        sql("DELETE FROM session_change WHERE room_id = $1 AND at IN ($2, $3)", "room0", 300, 345), {"drops"},
    ),
    "a relay's drop is missing": (
        sql("DELETE FROM session_change WHERE room_id = $1 AND at IN ($2, $3)", "room5", 153, 203), {"drops"},
    ),
    "a lost one is missing": (
        sql("UPDATE session_change SET cause = 'unknown' WHERE room_id = $1 AND change = 'closed'", "room2"), {"drops"},
    ),
    "a drop began too late": (moved(0, 100, 107), {"instants of drops"}),
    "a drop ended too late": (moved(0, 160, 168), {"instants of drops"}),
    "a lost one was logged as resumed": (
        sql("UPDATE session_change SET change = 'resumed' WHERE room_id = $1 AND change = 'closed'", "room2"),
        {"resumed or lost"},
    ),
    "a drop is invented": (dropped(1, 900, 960), {"drops invented"}),
    "a drop is logged twice": (dropped(0, 101, 161), {"drops invented"}),
    "a freeze that a relay cannot see": (dropped(5, 603, 703), {"drops invented"}),
    "a sign-off is counted as a drop": (
        sql("UPDATE session_change SET cause = 'lost' WHERE room_id = $1 AND cause = 'scheduled'", "room1"),
        {"sign-offs counted as drops"},
    ),
    "a blind span is missing": (sql("DELETE FROM blind WHERE from_at > $1", 0), {"blind spans of halls"}),
    "a blind span began too late": (
        sql("UPDATE blind SET from_at = $1", 402), {"instants of blind spans"},
    ),
    "a blind span ended too late": (
        sql("UPDATE blind SET to_at = $1", 472), {"instants of blind spans"},
    ),
    "a blind span has not ended": (
        sql("UPDATE blind SET to_at = NULL WHERE from_at > $1", 0), {"instants of blind spans"},
    ),
    "a blind span is invented": (
        sql("INSERT INTO blind VALUES ('hall-a', NULL, $1, $2, 'timeout')", 900, 905), {"blind spans invented"},
    ),
    "one room alone is said to be blind": (
        sql("INSERT INTO blind VALUES ('hall-b', $1, $2, $3, 'timeout')", "room4", 395.7, 465.7),
        {"blind spans invented"},
    ),
    "a session is missing": (
        sql("DELETE FROM session WHERE room_id = $1 AND opened_at = $2", "room1", 705), {"sessions of broadcasts"},
    ),
    "a session was opened too late": (
        sql("UPDATE session SET opened_at = $3 WHERE room_id = $1 AND opened_at = $2", "room1", 705, 715),
        {"sessions of broadcasts"},
    ),
    "a session of a room that was not on air": (
        sql("INSERT INTO session (session_id, room_id, opened_at) VALUES (gen_random_uuid(), $1, $2)", "room3", 500),
        {"sessions invented"},
    ),
    "a row is set aside": (
        sql("INSERT INTO quarantine (received_at, feed, kind, reason, payload, origin, place)"
            " VALUES ($1, 'hall-a', 'frame', 'bad_frame', '', gen_random_uuid(), 0)", 100),
        {"quarantined rows"},
    ),
    "a frame of a hall is set aside that had answered": (
        sql("INSERT INTO quarantine (received_at, feed, kind, reason, payload, origin, place)"
            " VALUES ($1, 'hall-b', 'frame', 'bad_frame', '', gen_random_uuid(), 0)", 900.7),
        {"quarantined rows"},
    ),
    "a room is not in the roster": (
        sql("UPDATE room SET external_id = 'live/x' WHERE room_id = $1", "room3"),
        {"rooms of the roster", "ticks of halls", "rooms of halls"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("plant", "lines"), PLANTED.values(), ids=PLANTED)
async def test_a_planted_difference_fails_its_own_line_alone(made: SmallEvening, plant: Plant, lines: set[str]) -> None:
    await plant(made)
    verdict = await judged(made)
    assert set(verdict.failed) == lines, "\n".join(verdict.lines())
    assert not verdict.holds
    for check in verdict.checks:
        assert bool(check.examples) == (check.ok is False), check
    assert "DIFFERS" in "\n".join(verdict.lines())


# --- what is no difference -----------------------------------------------------------------------------------------


async def in_the_dark(made: SmallEvening) -> None:
    """An answer that livemon had, and had not written yet, when it was killed."""
    await made.sql.execute("DELETE FROM tick_raw WHERE at = $1", made.at(395.7))
    await made.sql.execute("UPDATE blind SET from_at = $1", made.at(390.7))


FINE: dict[str, Plant] = {
    "a frame is lost inside blind": in_the_dark,
    "the drop between two polls is not found": sql(
        "DELETE FROM session_change WHERE room_id = $1 AND at IN ($2, $3)", "room0", 500, 505
    ),
    "the drop in the dark is not found": sql("DELETE FROM session_change WHERE room_id = $1 AND number > 1", "room4"),
    "the drop in the dark is told when its hall is seen again": moved(4, 480.7, 470.7),
    "instants are off by a poll": moved(0, 100, 105),
    "a short blind span of our own restart": sql(
        "INSERT INTO blind VALUES ('hall-a', NULL, $1, $2, 'restart')", 900, 905
    ),
    "blind before the first answer": sql("INSERT INTO blind VALUES ('hall-a', NULL, $1, $2, 'restart')", -3000, 0),
    "a bad frame is set aside where the hall failed": sql(
        "INSERT INTO quarantine (received_at, feed, kind, reason, payload, origin, place)"
        " VALUES ($1, 'hall-b', 'frame', 'bad_frame', '', gen_random_uuid(), 0)", 405.7,
    ),
    "a sale was told early": sold("105"),
}  # fmt: skip


@pytest.mark.parametrize("plant", FINE.values(), ids=FINE)
async def test_what_nobody_can_know_is_no_difference(made: SmallEvening, plant: Plant) -> None:
    await plant(made)
    verdict = await judged(made)
    assert verdict.holds, "\n".join(verdict.lines())


async def test_the_report_says_where_to_look(made: SmallEvening) -> None:
    await PLANTED["a drop is missing"][0](made)
    await PLANTED["one fen off"][0](made)
    report = "\n".join((await judged(made)).lines())
    began = made.at(100).astimezone(UTC)
    assert f"drops: truth nginx_rtmp live/0 {began:%Y-%m-%d %H:%M:%S}.000+00:00 until" in report
    assert "12,991 CNY in the database instead of nginx_rtmp paid 101: 12,990 CNY" in report
    assert "truth and PostgreSQL differ in 2 respects" in report

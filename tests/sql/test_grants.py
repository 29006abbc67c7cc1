"""Who may read and change what: the whole matrix, asked of the server, so that a new relation must be decided on."""

import asyncpg
import pytest

from monitor.store.migrate import migrate
from tests.postgres import BIRTH, FreshDatabase
from tests.sql.stage import Sql

pytestmark = pytest.mark.real

VIEWS = {
    *("viewer_tick", "room_now", "session_summary", "drop_log", "feed_blind", "room_coverage", "expected_now"),
    *("room_minute", "event_minute", "event_minute_by", "room_day", "room_blind"),
}
MONEY_VIEWS = {
    "session_exact",
    "leaderboard_day",
    "shop_day",
    "item_day",
    "event_pace",
    "sale_counted",
    "shop_hours",
    "item_hours",
}
RECORDS = {
    "room",
    "schedule",
    "session",
    "session_change",
    "blind",
    "feed_room",
    "room_unlisted",
    "applied_batch",
    "setting",
    "day_pruned",
    "total_pruned",
}
SALES = {
    "sale",
    "sale_item",
    "sale_place",
    "sale_unattributed",
    "account",
    "day_cut",
    "platform_total",
    "alert",
    "alert_action",
}
READER = VIEWS | MONEY_VIEWS | RECORDS | SALES | {"roster_change"}
SOLD = {
    *("created_orders", "orders", "gmv_minor", "gmv", "refund_orders", "refunds_minor", "refunds", "net_minor", "net"),
    *("gifts_minor", "currency"),
}
MONEY = {
    "room_minute": SOLD | {"units"},
    "event_minute": SOLD,
    "event_minute_by": SOLD,
    "room_day": SOLD | {"units", "deposits_minor"},
    "room_now": {"orders", "gmv_minor", "gmv", "currency"},
    "session_summary": {
        *("orders", "orders_other_currency", "currency", "gpm_minor", "uv_value_minor"),
        *("gmv_minor", "refunds_minor", "net_minor", "gmv", "refunds", "net"),
        *("created_orders", "refund_orders", "gifts_minor", "deposits_minor"),
    },
}
HALL = VIEWS - MONEY.keys() | RECORDS  # of those, the columns without money
WRITES = {  # what the writer may change: i(nsert), u(pdate), d(elete)
    "tick_raw": "i", "room": "iu", "roster_version": "u", "roster_change": "i", "roster_change_room": "i",
    "schedule": "iud", "feed": "iu", "feed_room": "iu", "room_unlisted": "iud", "session": "iu", "session_change": "i",
    "blind": "iu", "sale": "iu", "sale_item": "i", "applied_batch": "iu", "quarantine": "iu",
    "app": "iu", "account_state": "iu", "alert": "iu", "alert_action": "i",
    "minute_touched": "id", "session_minute": "id", "session_hour": "iud", "minute_sum": "id", "day_cut": "i",
    "platform_total": "i",
    "shop_hour": "id", "item_hour": "id",
    "roll_state": "u",
}  # fmt: skip

RELATIONS = "SELECT relname FROM pg_class WHERE relnamespace = 'livemon'::regnamespace AND relkind IN ('r', 'v', 'p')"
MAY = "has_table_privilege($1, format('livemon.%I', relname), $2)"


@pytest.fixture
async def owner(database: FreshDatabase):
    sql = await database.connect("owner")
    await sql.execute("SELECT ensure_tick_day(event_date(now()))")  # a partition is a relation, too
    yield sql
    await sql.close()


async def may(owner: Sql, role: str, privilege: str) -> set[str]:
    return {row["relname"] for row in await owner.fetch(f"{RELATIONS} AND {MAY}", role, privilege)}


async def columns(owner: Sql, role: str, relation: str) -> set[str]:
    rows = await owner.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('livemon.' || $2) AND attnum > 0"
        " AND NOT attisdropped AND has_column_privilege($1, attrelid, attnum, 'SELECT')",
        role,
        relation,
    )
    return {row["attname"] for row in rows}


@pytest.mark.parametrize(("role", "relations"), [("livemon_reader", READER), ("livemon_hall", HALL)])
async def test_readers_see_exactly_what_is_named_and_change_nothing(owner: Sql, role: str, relations: set[str]):
    assert await may(owner, role, "SELECT") == relations
    for privilege in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
        assert await may(owner, role, privilege) == set()


async def test_the_writer_changes_exactly_what_the_service_changes(owner: Sql):
    for letter, privilege in {"i": "INSERT", "u": "UPDATE", "d": "DELETE"}.items():
        assert await may(owner, "livemon_writer", privilege) == {name for name, may in WRITES.items() if letter in may}
    for privilege in ("TRUNCATE", "REFERENCES", "TRIGGER"):
        assert await may(owner, "livemon_writer", privilege) == set()


async def test_partial_reading(owner: Sql):
    for relation, money in MONEY.items():
        everything = await columns(owner, "livemon_reader", relation)
        assert money < everything
        assert await columns(owner, "livemon_hall", relation) == everything - money
    assert "payload" not in await columns(owner, "livemon_reader", "quarantine")
    assert {"reason", "sample", "state"} <= await columns(owner, "livemon_reader", "quarantine")
    assert await columns(owner, "livemon_hall", "quarantine") == set()
    assert "labels" not in await columns(owner, "livemon_hall", "alert")
    assert await columns(owner, "livemon_hall", "alert_action") == {"at", "alert", "action", "until"}  # no names


async def test_nobody_else_has_anything_and_nobody_but_the_owner_may_create(owner: Sql):
    everybody = await owner.fetch(
        "SELECT relname FROM pg_class, aclexplode(relacl) AS acl"
        " WHERE relnamespace = 'livemon'::regnamespace AND acl.grantee = 0"
    )
    assert everybody == []
    for role in ("writer", "reader", "hall"):
        assert not await owner.fetchval("SELECT has_schema_privilege($1, 'livemon', 'CREATE')", f"livemon_{role}")
        assert not await owner.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", f"livemon_{role}")
    flags = await owner.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'livemon%'"
        " AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls)"
    )
    assert flags == []
    for role in ("reader", "hall"):
        for function in ("ensure_tick_day(date)", "ticks_ready_until()"):
            assert not await owner.fetchval(
                "SELECT has_function_privilege($1, $2, 'EXECUTE')", f"livemon_{role}", f"livemon.{function}"
            )


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("reader", "SELECT * FROM tick_raw"),
        ("reader", "SELECT payload FROM quarantine"),
        ("reader", "SELECT * FROM account_state"),
        ("hall", "SELECT state FROM account"),
        ("reader", "SELECT * FROM session_stop"),
        ("reader", "SELECT ensure_tick_day(current_date + 1)"),
        ("hall", "SELECT gmv FROM room_now"),
        ("hall", "SELECT net_minor FROM session_summary"),
        ("hall", "SELECT buyer FROM sale"),
        ("hall", "SELECT gmv FROM event_minute"),
        ("hall", "SELECT orders FROM room_day"),
        ("hall", "SELECT rank FROM leaderboard_day"),
        ("hall", "SELECT * FROM event_pace"),
        ("hall", "SELECT * FROM event_day(current_date)"),
        ("hall", "SELECT * FROM event_pace_at(now())"),
        ("reader", "SELECT * FROM session_hour"),
        ("writer", "DELETE FROM session"),
        ("writer", "UPDATE setting SET purpose = 'rehearsal'"),
    ],
)
async def test_refused_in_practice(database: FreshDatabase, role: str, statement: str):
    sql = await database.connect(role)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sql.execute(statement)
    await sql.close()


async def test_every_view_is_readable_in_practice(reader: Sql, hall: Sql):
    for view in VIEWS | MONEY_VIEWS | SALES:
        await reader.fetch(f"SELECT * FROM {view}")
    await reader.fetch("SELECT * FROM event_day(current_date)")
    await reader.fetch("SELECT * FROM event_pace_at(now())")
    await hall.fetch("SELECT state_zh, viewers FROM room_now")
    await hall.fetch("SELECT drops, average_viewers FROM session_summary")
    await hall.fetch("SELECT air_s, peak_at FROM room_day")
    await hall.fetch("SELECT viewers FROM event_minute")
    await hall.fetch("SELECT viewers FROM event_minute_by")
    await hall.fetch("SELECT average_viewers FROM room_minute")


async def test_every_view_says_what_it_means(owner: Sql):
    silent = await owner.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'livemon'::regnamespace AND relkind = 'v'"
        " AND obj_description(oid) IS NULL"
    )
    assert silent == []
    undocumented = await owner.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'livemon.session_summary'::regclass AND attnum > 9"
        " AND col_description(attrelid, attnum) IS NULL AND attname <> 'currency'"
    )
    assert undocumented == []


async def test_what_an_older_release_granted_is_taken_away(owner: Sql):
    await owner.execute(
        "GRANT SELECT ON livemon.tick_raw TO livemon_reader; GRANT DELETE ON livemon.sale TO livemon_writer"
    )
    await migrate(owner, BIRTH)
    assert "tick_raw" not in await may(owner, "livemon_reader", "SELECT")
    assert "sale" not in await may(owner, "livemon_writer", "DELETE")

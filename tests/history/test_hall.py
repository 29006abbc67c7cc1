"""A hall's login sees no money of a room and no buyer: every column it may read, by name, type and what it shows."""

import re
from decimal import Decimal

import asyncpg
import pytest

from monitor.store.migrate import version_needed
from tests.history.released import Sql, fill, noon_two_days_ago
from tests.postgres import FreshDatabase

pytestmark = pytest.mark.real

# Whatever smells of money or of a buyer in its name. Whole words between _: `minor` is in every amount of ours.
SMELLS = re.compile(
    r"(^|_)(minor|gmv|amount|price|cost|money|paid|pay|sales?|sold|orders?|refunds?|refunded|net|gross|revenue|aov|gpm|uv|units?|"
    r"items?|gifts?|deposits?|currency|buyers?|customers?|phone|mobile|address|payload|sample)(_|$)"
)  # fmt: skip
TYPES = {  # what cannot hide an amount under another name; counts and ids are judged by their names
    "bool", "int2", "int4", "int8", "text", "bpchar", "timestamptz", "date", "uuid", "float8", "numeric", "_text",
}  # fmt: skip
ALLOWED = {
    ("setting", "event_currency"): "of the event, no amount",
    ("applied_batch", "outcome"): "how many rows of each kind a batch brought, of all rooms at once",
    ("room_coverage", "sales_by"): "which feed would tell sales of the room, or why none does",
    ("session", "sales_due"): "whether attribution has still to look at it",
}
FRACTIONS = {  # numbers that are no integers: each is named here, because an amount in the major unit would be one
    "average_viewers", "watch_hours", "airtime_s", "down_s", "blind_s", "measured_s", "air_s", "lasted_s", "viewers",
    "live_blind_s", "late_s",
}  # fmt: skip


async def readable(sql: Sql) -> list[tuple[str, str, str]]:
    """Relation, column and type of all that livemon_hall may read."""
    rows = await sql.fetch(
        "SELECT relname, attname, typname FROM pg_attribute"
        " JOIN pg_class ON pg_class.oid = attrelid JOIN pg_type ON pg_type.oid = atttypid"
        " WHERE relnamespace = 'livemon'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') AND attnum > 0"
        " AND NOT attisdropped AND has_column_privilege('livemon_hall', pg_class.oid, attnum, 'SELECT')"
        " ORDER BY 1, attnum"
    )
    return [(row[0], row[1], row[2]) for row in rows]


def suspicious(columns: list[tuple[str, str, str]]) -> list[str]:
    return [
        f"{relation}.{column} ({kind})"
        for relation, column, kind in columns
        if (relation, column) not in ALLOWED
        and (
            SMELLS.search(column)
            or kind not in TYPES
            or (kind in ("numeric", "float8") and column not in FRACTIONS)
            or relation.startswith(("sale", "shop_", "item_", "account", "quarantine"))
        )
    ]


async def test_no_column_of_a_hall_is_money_or_a_buyer(owner: Sql) -> None:
    columns = await readable(owner)
    assert {"room_now", "session_summary", "drop_log", "viewer_tick"} <= {relation for relation, _, _ in columns}
    assert suspicious(columns) == []
    assert set(ALLOWED) <= {(relation, column) for relation, column, _ in columns}, "nothing needs this any more"


@pytest.mark.parametrize(
    ("grant", "found"),
    [
        ("SELECT (gmv) ON session_summary", "session_summary.gmv (numeric)"),
        ("SELECT (orders) ON room_now", "room_now.orders (int4)"),
        ("SELECT (buyer) ON sale", "sale.buyer (bytea)"),
        ("SELECT (sample) ON quarantine", "quarantine.sample (text)"),
        ("SELECT (shop) ON sale_place", "sale_place.shop (text)"),
    ],
)
async def test_a_slip_would_be_found(owner: Sql, grant: str, found: str) -> None:
    await owner.execute(f"GRANT {grant} TO livemon_hall")
    assert [said.partition(" ")[0] for said in suspicious(await readable(owner))] == [found.partition(" ")[0]]


def test_an_amount_under_another_name_would_be_found() -> None:
    assert suspicious([("room_day", "worth", "numeric"), ("room_day", "detail", "jsonb")]) != []
    assert suspicious([("room_day", "drops", "int8"), ("room_day", "watch_hours", "numeric")]) == []


async def test_nothing_that_a_hall_may_run_acts_for_the_owner(owner: Sql) -> None:
    """A function that runs as its owner would read for a hall what the hall may not."""
    assert await owner.fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'livemon'::regnamespace AND prosecdef"
        " AND has_function_privilege('livemon_hall', oid, 'EXECUTE')"
    ) == []  # fmt: skip


async def test_no_amount_and_no_buyer_comes_out_of_anything_a_hall_can_ask(database: FreshDatabase, owner: Sql) -> None:
    amounts, buyer = {918273645, 827364519}, b"\xfe\xed\xfa\xce"
    at = noon_two_days_ago()
    await fill(owner, version_needed(), at)
    first, second = sorted(amounts)
    await owner.execute("UPDATE sale SET amount_minor = $1, buyer = $2", first, buyer)
    await owner.execute("UPDATE platform_total SET gmv_minor = $1", second)
    sums = "60000000, 0, 60000000, 9, 9, {peak} NULL, NULL, 0, 1, 1, $1, 1, 1, $2, 1, $2, 0"
    session = "'wechat', 1, '00000000-0000-0000-0000-000000000001'"
    plain, hourly = sums.format(peak=""), sums.format(peak="$3::timestamptz,")
    await owner.execute(f"INSERT INTO session_minute VALUES ($3, {session}, {plain})", first, second, at)
    await owner.execute(f"INSERT INTO session_hour VALUES (event_date($3), $3, {session}, {hourly})", first, second, at)
    await owner.execute(
        "INSERT INTO minute_sum"
        " VALUES ($3, 'wechat', 'platform', '', 1, 60000000, 0, 1, 1, 0, 1, 1, $1, 1, 1, $2, 1, $2, 0)",
        first, second, at,
    )  # fmt: skip
    hall, reader = await database.connect("hall"), await database.connect("reader")
    shown: dict[str, list[str]] = {}
    for relation, column, _ in await readable(owner):
        shown.setdefault(relation, []).append(column)
    secrets = amounts | {Decimal(amount) / 100 for amount in amounts} | {buyer}
    for relation, columns in shown.items():
        for row in await hall.fetch(f"SELECT {', '.join(columns)} FROM livemon.{relation}"):
            assert secrets.isdisjoint(value for value in row.values() if isinstance(value, int | Decimal | bytes)), (
                relation
            )
            assert not any(str(amount) in str(value) for amount in amounts for value in row.values()), relation
    for view in ("session_summary", "room_minute", "room_day"):  # the same is there for those who may see it
        row = await reader.fetchrow(f"SELECT * FROM {view} WHERE room_id = 1 AND orders > 0")
        assert row is not None, view
        assert not secrets.isdisjoint(row.values()), view
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await hall.fetch("SELECT * FROM room_day")
    await hall.close()
    await reader.close()

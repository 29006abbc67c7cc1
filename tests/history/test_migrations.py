"""From each schema there ever was, with rows in it, to the newest: nothing is lost, and what people ask works."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.store.migrate import migrate, version_needed
from tests.history.released import Sql, fill, folder_of, noon_two_days_ago, rows_of
from tests.history.story import roll
from tests.postgres import BIRTH, FreshDatabase

pytestmark = pytest.mark.real

EARLIER = range(1, version_needed())
RELEASED_ALONE = range(1, 6)  # versions that were released by themselves: git has their views
MAY_CHANGE = {
    "quarantine": {"erase_at"},
    "sale": {"attributed_at"},
    "session": {"sales_due"},
}  # what a migration is about


@pytest.fixture(params=EARLIER)
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


async def test_rows_are_kept_and_views_work(empty_database: FreshDatabase, version: int, tmp_path: Path) -> None:
    await kept(empty_database, version, tmp_path)


@pytest.mark.parametrize("first_or_last", [EARLIER[0], EARLIER[-1]])
async def test_also_on_each_postgresql(each_empty_database: FreshDatabase, first_or_last: int, tmp_path: Path) -> None:
    await kept(each_empty_database, first_or_last, tmp_path)


async def kept(database: FreshDatabase, version: int, tmp_path: Path) -> None:
    folder, own = folder_of(version, tmp_path / "released")
    if not own and version in RELEASED_ALONE:
        print(f"NOT RUN with the views of release {version}: its history is not here", file=sys.stderr)
    owner = await database.connect("owner")
    at = noon_two_days_ago()
    before_migration = await migrate(owner, BIRTH, folder=folder)
    assert before_migration.version == version
    await fill(owner, version, at)
    before = await rows_of(owner)
    assert [name for name, rows in before.items() if not rows and name not in EMPTY] == [], "fill every table"
    assert (await migrate(owner, BIRTH)).version == version_needed()
    after = await rows_of(owner)
    for name, rows in before.items():
        assert same(name, rows, after[name]), name
    await roll(owner, at + timedelta(hours=1))  # not the two days since then
    await views_work(database, at)
    await owner.close()


EMPTY = {
    "session_minute",
    "session_hour",
    "minute_sum",
    "shop_hour",
    "item_hour",
    "day_pruned",
    "total_pruned",
}  # the roller's, and of days that went


def same(name: str, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> bool:
    """Whether all rows are as they were, in the columns that they had, but for what a migration was there to change."""
    columns = set(before[0]) - MAY_CHANGE.get(name, set()) if before else set()

    def told(rows: list[dict[str, Any]]) -> list[str]:
        return sorted(str({column: row[column] for column in sorted(columns)}) for row in rows)

    return not before or told(before) == told(after)


async def views_work(database: FreshDatabase, at: Any) -> None:
    reader: Sql = await database.connect("reader")
    views = await reader.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'livemon'::regnamespace AND relkind = 'v'"
        " AND has_table_privilege(oid, 'SELECT')"
    )
    assert len(views) > 6
    for (view,) in map(tuple, views):
        await reader.fetch(f"SELECT * FROM {view}")
    session = await reader.fetchrow(
        "SELECT * FROM session_summary WHERE room_id = 1 AND opened_at = $1", at
    )  # its sales were there before sums were kept
    assert (session["orders"], session["gmv_minor"], session["drops"]) == (1, 12300, 1)
    assert await reader.fetchval("SELECT count(*) FROM viewer_tick WHERE room_id = 1") == 60
    await reader.close()


async def test_what_was_there_before_history_is_summed_by_the_first_roller(
    each_empty_database: FreshDatabase, tmp_path: Path
) -> None:
    folder, _ = folder_of(5, tmp_path / "released")
    owner = await each_empty_database.connect("owner")
    at = noon_two_days_ago()
    await migrate(owner, BIRTH, folder=folder)
    await fill(owner, 5, at)
    await migrate(owner, BIRTH)
    marked = await owner.fetch("SELECT DISTINCT platform FROM minute_touched WHERE minute <= $1 AND until >= $1", at)
    assert {row["platform"] for row in marked} == {"wechat", "nginx_rtmp"}
    minutes = "SELECT count(DISTINCT (minute, platform)) FROM minute_touched WHERE until IS NULL AND minute > $1"
    assert await owner.fetchval(minutes, at) == 3
    await owner.close()


async def test_a_row_that_a_migration_lost_would_be_seen(database: FreshDatabase) -> None:
    owner = await database.connect("owner")
    await fill(owner, version_needed(), noon_two_days_ago())
    before = await rows_of(owner)
    await owner.execute("UPDATE session_change SET cause = 'other' WHERE number = 2")
    after = await rows_of(owner)
    assert [name for name in before if not same(name, before[name], after[name])] == ["session_change"]
    await owner.execute("DELETE FROM sale_item")
    assert not same("sale_item", before["sale_item"], (await rows_of(owner))["sale_item"])
    await owner.close()


def test_released_views_are_used_where_there_is_history(tmp_path: Path) -> None:
    used = [folder_of(version, tmp_path / str(version))[1] for version in RELEASED_ALONE]
    if not any(used):
        pytest.skip("NOT RUN with the views of releases: the history of the repository is not here")
    assert all(used)
    assert (tmp_path / "1" / "views" / "40_session_summary.sql").exists()

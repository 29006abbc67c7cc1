"""What goes and what stays: by policy, never before its minutes are summed, to the row, and after any break."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from monitor.cli import main
from monitor.config import ConfigError
from monitor.config import load as load_config
from monitor.config_retention import Retention
from monitor.history import retention
from monitor.history.retention import Day, StillHeld, Window, judge, old_batches, prune, survey
from tests.history.released import Sql
from tests.postgres import FreshDatabase

TEN_DAYS = Retention(ticks_days=10, minutes_days=20)
NOW = datetime(2026, 12, 30, 12, tzinfo=UTC)
NO_EVENT = Window(None, None, NOW)


def a_day(day: date, relation: str = "tick_raw", **more: object) -> Day:
    from_at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    plain: dict[str, object] = {
        "rows": 1, "bytes": 1, "attached": True, "pending": False, "has_ticks": True, "marks": 0, "unsummed": 0,
    }  # fmt: skip
    return Day(relation, day, from_at, from_at + timedelta(days=1), **(plain | more))  # type: ignore[arg-type]


def gone(days: list[Day], policy: Retention = TEN_DAYS, window: Window = NO_EVENT) -> list[tuple[str, date]]:
    return [(each.day.relation, each.day.day) for each in judge(days, policy, window) if not each.kept_because]


def test_a_day_goes_so_many_days_after_its_end() -> None:
    on_the_edge, younger = date(2026, 12, 19), date(2026, 12, 20)
    noon = [a_day(on_the_edge), a_day(younger)]
    assert gone(noon) == [("tick_raw", on_the_edge)]
    midnight = Window(None, None, datetime(2026, 12, 30, tzinfo=UTC))
    assert gone(noon, window=midnight) == [("tick_raw", on_the_edge)]
    before = Window(None, None, datetime(2026, 12, 29, 23, 59, 59, tzinfo=UTC))
    assert gone(noon, window=before) == []


def test_zero_keeps_for_ever() -> None:
    old = [a_day(date(2020, 1, 1)), a_day(date(2020, 1, 1), "session_minute", has_ticks=False)]
    assert gone(old, Retention()) == []
    assert gone(old, Retention(ticks_days=8)) == [("tick_raw", date(2020, 1, 1))]


def test_days_of_the_event_are_as_old_as_its_end_and_never_go_while_it_lasts() -> None:
    week = [a_day(date(2026, 12, 1) + timedelta(days=n)) for n in range(20)]
    starts, ends = datetime(2026, 12, 2, 16, tzinfo=UTC), datetime(2026, 12, 11, tzinfo=UTC)
    before = [("tick_raw", week[0].day)]
    with_event = [("tick_raw", day.day) for day in week[:10]]
    its_time = ends + timedelta(days=10)
    assert gone(week, window=Window(starts, ends, its_time - timedelta(seconds=1))) == before
    assert gone(week, window=Window(starts, ends, its_time)) == with_event
    assert gone(week, window=Window(None, ends, its_time)) == with_event
    assert gone(week, window=Window(starts, None, NOW)) == before
    assert gone(week, window=Window(None, NOW + timedelta(days=1), NOW)) == []


def test_what_is_not_summed_stays_and_minutes_outlive_their_ticks() -> None:
    day = date(2026, 11, 1)
    assert gone([a_day(day, marks=1)]) == []
    assert gone([a_day(day, unsummed=1)]) == []
    assert gone([a_day(day, marks=1), a_day(day, "session_minute")]) == []
    assert gone([a_day(day, "session_minute"), a_day(day)]) == [("tick_raw", day), ("session_minute", day)]
    assert gone([a_day(day, "session_minute", has_ticks=False, marks=3)]) == [("session_minute", day)]


def test_what_was_begun_is_finished_whatever_the_policy_says_now() -> None:
    today = date(2026, 12, 30)
    assert gone([a_day(today, attached=False, marks=4)], Retention()) == [("tick_raw", today)]
    assert gone([a_day(today, attached=False, pending=True)], Retention()) == [("tick_raw", today)]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("ticks_days = 7", "ticks_days"),
        ("batches_days = 30", "batches_days"),
        ("minutes_days = 30", "minutes_days"),
        ("ticks_days = 30\nminutes_days = 29", "minutes_days"),
    ],
)
def test_a_policy_that_would_hurt_is_refused(tmp_path: Path, table: str, key: str) -> None:
    (tmp_path / "livemon.toml").write_text(f"[retention]\n{table}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "livemon.toml")
    assert [key in problem.what for problem in caught.value.problems] == [True]
    (tmp_path / "livemon.toml").write_text("[retention]\nticks_days = 8\nminutes_days = 8\nbatches_days = 31\n")
    assert load_config(tmp_path / "livemon.toml").retention == Retention(ticks_days=8, minutes_days=8, batches_days=31)


# --- in PostgreSQL ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def owner(database: FreshDatabase) -> AsyncIterator[Sql]:
    sql = await database.connect("owner")
    await lived(sql, days_ago=30)
    yield sql
    await sql.close()


async def lived(sql: Sql, days_ago: int, rows: int = 500) -> date:
    """A day with a session, its ticks, and its sums as the roller leaves them; nothing marked."""
    day = await sql.fetchval("SELECT event_date(now()) - $1::int", days_ago)
    await sql.execute("SELECT ensure_tick_day($1), ensure_minute_day($1)", day)
    await sql.execute(
        "INSERT INTO room (room_id, platform, external_id) VALUES (1, 'wechat', 'w1') ON CONFLICT DO NOTHING"
    )
    at = await sql.fetchval("SELECT ($1::date + time '20:00') AT TIME ZONE timezone FROM setting", day)
    session_id = await sql.fetchval(
        "INSERT INTO session VALUES (gen_random_uuid(), 1, $1, $1::timestamptz + interval '1 hour', 'ended')"
        " RETURNING session_id",
        at,
    )
    await sql.execute(
        "INSERT INTO tick_raw (at, room_id, live, viewers)"
        " SELECT $1::timestamptz + n * interval '5 seconds', 1, true, 9 FROM generate_series(0, $2::int - 1) AS n",
        at, rows,
    )  # fmt: skip
    sums = "$1, 'wechat', 1, $2, 60000000, 0, 60000000, 9, 9, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0"
    await sql.execute(f"INSERT INTO session_minute VALUES ({sums})", at, session_id)
    await sql.execute(
        f"INSERT INTO session_hour VALUES ($3, {sums.replace('9, 9, NULL', '9, 9, $1, NULL')})", at, session_id, day
    )
    return day


async def told(sql: Sql) -> list[tuple[str, str]]:
    return [(each.day.relation, each.kept_because) for each in await survey(sql, TEN_DAYS)]


@pytest.mark.real
async def test_a_day_goes_to_the_row_and_is_written_down(each_database: FreshDatabase) -> None:
    sql = await each_database.connect("owner")
    day, kept = await lived(sql, 30), await lived(sql, 5)
    verdicts = await survey(sql, TEN_DAYS)
    assert [(each.day.relation, each.day.day, each.kept_because) for each in verdicts] == [
        ("tick_raw", day, ""), ("session_minute", day, ""),
    ]  # fmt: skip
    assert [(await prune(sql, each.day, "zhang"))[0] for each in verdicts] == [500, 1]
    left = await sql.fetch("SELECT event_date(at) AS day, count(*) FROM tick_raw GROUP BY 1")
    assert [tuple(row) for row in left] == [(kept, 500)]
    assert await sql.fetchval("SELECT count(*) FROM session_hour WHERE day = $1", day) == 1
    written = await sql.fetch(
        "SELECT relation, day, rows, by_whom, bytes > 8000, pruned_at IS NOT NULL FROM day_pruned"
    )
    assert {tuple(row) for row in written} == {
        ("tick_raw", day, 500, "zhang", True, True), ("session_minute", day, 1, "zhang", True, True),
    }  # fmt: skip
    assert await survey(sql, TEN_DAYS) == []
    reader = await each_database.connect("reader")
    assert await reader.fetchval("SELECT count(*) FROM day_pruned") == 2
    await reader.close()
    await sql.close()


@pytest.mark.real
async def test_a_day_with_marks_or_never_summed_stays(owner: Sql) -> None:
    assert await told(owner) == [("tick_raw", ""), ("session_minute", "")]
    edge = await owner.fetchval("SELECT (event_date(now()) - 29)::timestamp AT TIME ZONE timezone FROM setting")
    for minute, until, marked in (
        (edge, None, True),  # numbers of the day's last minute hold into this one
        (edge + timedelta(minutes=1), None, False),
        (edge - timedelta(days=1), None, True),
        (edge - timedelta(days=9), edge + timedelta(days=9), True),
        (edge - timedelta(days=9), edge - timedelta(days=8), False),
    ):
        await owner.execute("INSERT INTO minute_touched VALUES ($1, 'wechat', $2)", minute, until)
        kept = [("tick_raw", "1 minutes of it wait to be summed"), ("session_minute", "its ticks are still here")]
        assert await told(owner) == (kept if marked else [("tick_raw", ""), ("session_minute", "")]), (minute, until)
        await owner.execute("DELETE FROM minute_touched")
    await owner.execute("DELETE FROM session_hour")
    assert (await told(owner))[0] == ("tick_raw", "of 1 sessions nothing was ever summed")


@pytest.mark.real
async def test_a_mark_between_looking_and_taking_stops_it(owner: Sql) -> None:
    ticks = (await survey(owner, TEN_DAYS))[0].day
    await owner.execute("INSERT INTO minute_touched VALUES ($1, 'wechat')", ticks.from_at)
    with pytest.raises(StillHeld, match="touched just now"):
        await prune(owner, ticks, "zhang")
    assert await owner.fetchval("SELECT count(*) FROM tick_raw") == 500
    assert await owner.fetchval("SELECT count(*) FROM day_pruned") == 0


@pytest.mark.real
async def test_minutes_of_a_day_that_went_stand_as_they_are(owner: Sql, database: FreshDatabase) -> None:
    ticks = (await survey(owner, TEN_DAYS))[0].day
    await prune(owner, ticks, "zhang")
    writer = await database.connect("writer")
    for minute, until, taken in (
        (ticks.from_at, None, False),
        (ticks.to_at, None, False),
        (ticks.from_at - timedelta(minutes=1), None, True),
        (ticks.to_at + timedelta(minutes=1), None, True),
        (ticks.from_at, ticks.to_at + timedelta(hours=1), True),  # the roller makes minutes of it: they come by again
    ):
        status = await writer.execute("INSERT INTO minute_touched VALUES ($1, 'wechat', $2)", minute, until)
        assert status == f"INSERT 0 {int(taken)}", (minute, until)
    await writer.close()


@pytest.mark.real
async def test_late_ticks_of_a_day_that_went_go_again_and_are_added(owner: Sql) -> None:
    await prune(owner, (await survey(owner, TEN_DAYS))[0].day, "zhang")
    day = await owner.fetchval("SELECT day FROM day_pruned")
    await owner.execute("SELECT ensure_tick_day($1)", day)
    await owner.execute("INSERT INTO tick_raw (at, room_id) SELECT from_at, 1 FROM day_pruned")
    await prune(owner, (await survey(owner, TEN_DAYS))[0].day, "li")
    assert tuple(await owner.fetchrow("SELECT rows, by_whom FROM day_pruned")) == (501, "li")


@pytest.mark.real
async def test_neither_the_writer_nor_a_reader_waits_for_a_day_to_go(owner: Sql, database: FreshDatabase) -> None:
    """A reader in mid-table holds it up; who comes then is served, and it goes when the reader is done."""
    await lived(owner, 0)
    [ticks, _] = await survey(owner, TEN_DAYS)
    reader, writer = await database.connect("reader"), await database.connect("writer")
    transaction = reader.transaction()
    await transaction.start()
    assert await reader.fetchval("SELECT count(*) FROM viewer_tick") == 1000
    going = asyncio.create_task(prune(owner, ticks.day, "zhang"))
    pending = "SELECT EXISTS (SELECT FROM pg_inherits WHERE inhdetachpending)"
    admin = await database.connect("postgres")
    while not await admin.fetchval(pending):
        assert not going.done()
        await asyncio.sleep(0.01)
    await writer.execute("SET lock_timeout = '5s'; INSERT INTO tick_raw (at, room_id) VALUES (now(), 1)")
    assert await reader.fetchval("SELECT count(*) FROM viewer_tick WHERE at > now() - interval '1 day'") >= 500
    assert not going.done()
    await transaction.rollback()
    assert (await going)[0] == 500
    for sql in (reader, writer, admin):
        await sql.close()


@pytest.mark.real
async def test_a_reader_that_holds_on_leaves_it_half_done_and_the_next_run_ends_it(
    owner: Sql, database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "DETACH_S_MAX", 1)
    reader = await database.connect("reader")
    transaction = reader.transaction()
    await transaction.start()
    await reader.fetchval("SELECT count(*) FROM viewer_tick")
    with pytest.raises(StillHeld, match="still in use"):
        await prune(owner, (await survey(owner, TEN_DAYS))[0].day, "zhang")
    [half, *_] = await survey(owner, Retention())
    assert half.day.pending
    await transaction.rollback()
    assert (await prune(owner, half.day, "zhang"))[0] == 500
    assert await owner.fetchval("SELECT rows FROM day_pruned") == 500
    await reader.close()


@pytest.mark.real
async def test_a_crash_between_detaching_and_dropping_is_mended_by_the_next_run(owner: Sql) -> None:
    ticks = (await survey(owner, TEN_DAYS))[0].day
    await owner.execute(f"ALTER TABLE tick_raw DETACH PARTITION tick_raw_{ticks.day:%Y%m%d} CONCURRENTLY")
    [half, *_] = await survey(owner, Retention())
    assert not half.day.attached
    assert (await prune(owner, half.day, "zhang"))[0] == 500
    assert await survey(owner, Retention()) == []


@pytest.mark.real
async def test_only_batches_that_no_spool_asks_for_go(owner: Sql) -> None:
    spools = {"busy": [0, 20, 32, 40], "stood still": [100, 120, 132, 140], "new": [3]}
    for number, ages in enumerate(spools.values()):
        for seq, age in enumerate(reversed(ages)):
            await owner.execute(
                "INSERT INTO applied_batch (batch_id, kind, spool_id, seq, sealed_at, applied_at, rows, written) VALUES"
                " (gen_random_uuid(), 'ticks', $1, $2, now(), now() - $3::int * interval '1 day', 1, 1)",
                f"00000000-0000-0000-0000-00000000000{number}", seq, age,
            )  # fmt: skip
    policy = Retention(batches_days=31)
    assert await old_batches(owner, Retention(), delete=True) == 0
    assert await old_batches(owner, policy, delete=False) == 4
    assert await old_batches(owner, policy, delete=True) == 4
    ages = await owner.fetch("SELECT extract(day FROM now() - applied_at)::int AS age FROM applied_batch ORDER BY 1")
    assert [row["age"] for row in ages] == [0, 3, 20, 100, 120]


@pytest.mark.real
async def test_the_service_itself_can_do_none_of_it(owner: Sql, database: FreshDatabase) -> None:
    writer = await database.connect("writer")
    ticks = (await survey(owner, TEN_DAYS))[0].day
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await prune(writer, ticks, "service")
    for statement in (
        "DELETE FROM day_pruned",
        "DELETE FROM applied_batch",
        "INSERT INTO day_pruned SELECT * FROM day_pruned",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await writer.execute(statement)
    await writer.close()


def pruning(database: FreshDatabase, folder: Path, policy: str) -> list[str]:
    """The command, with a config of this policy in the folder."""
    where = f"@/{database.name}?host={database.server.socket}"
    for role in ("writer", "owner"):
        (folder / role).write_text(database.server.password(f"livemon_{role}"))
        (folder / role).chmod(0o600)
    (folder / "livemon.toml").write_text(
        f'dsn = "postgresql://livemon_writer{where}"\ndsn_password_file = "writer"\n'
        f'migrate_dsn = "postgresql://livemon_owner{where}"\nmigrate_dsn_password_file = "owner"\n'
        f"[retention]\n{policy}"
    )
    return ["prune", "--config", str(folder / "livemon.toml"), "--by", "zhang"]


@pytest.mark.real
async def test_the_command_shows_and_only_with_yes_takes_away(
    owner: Sql, database: FreshDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = pruning(database, tmp_path, "ticks_days = 10\nminutes_days = 20\n")
    assert await asyncio.to_thread(main, command) == 0
    shown = capsys.readouterr().out
    assert "would go" in shown
    assert "nothing was changed" in shown
    assert await owner.fetchval("SELECT count(*) FROM tick_raw") == 500
    assert await asyncio.to_thread(main, [*command, "--yes"]) == 0
    assert "500 rows" in capsys.readouterr().out
    assert await owner.fetchval("SELECT count(*) FROM tick_raw") == 0

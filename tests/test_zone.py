"""A zone as a fixed offset: the same midnight in Python, in PostgreSQL, in files and on the screen."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor import cli, config
from monitor.config import ConfigError
from monitor.schedule_file import local, read_schedule_file
from monitor.store.migrate import Birth, migrate
from monitor.zone import as_written, in_postgresql, offset_of, zone_of
from tests.postgres import FreshDatabase

EDGES = ["+03:25", "-07:10", "+00:00", "-00:30", "-12:00", "+14:00"]


def offset(written: str) -> timedelta:
    """Worked out once more, by hand."""
    size = timedelta(hours=int(written[1:3]), minutes=int(written[4:6]))
    return -size if written.startswith("-") else size


@pytest.mark.parametrize("written", EDGES)
def test_an_offset_is_what_it_says(written: str) -> None:
    assert zone_of(written) == timezone(offset(written))
    assert as_written(in_postgresql(written)) == written


def test_east_and_west_are_exchanged_in_the_words_of_posix_alone() -> None:
    assert in_postgresql("+03:25") == "<+03:25>-03:25"
    assert in_postgresql("-07:10") == "<-07:10>+07:10"
    assert in_postgresql("-00:00") == in_postgresql("+00:00")
    assert in_postgresql("Asia/Shanghai") == as_written("Asia/Shanghai") == "Asia/Shanghai"
    assert zone_of("Asia/Shanghai") == ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    "bad", ["+25:00", "+3", "+03:25:10", "+14:01", "-12:01", "03:25", "+03:60", "+0325", "+٠٣:25", "+"]
)
def test_what_is_no_offset_is_an_error_at_its_line(tmp_path: Path, bad: str) -> None:
    assert offset_of(bad) is None
    path = tmp_path / "livemon.toml"
    path.write_text(f'data_dir = "var"\ntimezone = "{bad}"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert ("'-12:00' to '+14:00'" in str(caught.value)) == bad.startswith(("+", "-"))


def test_a_schedule_is_read_and_shown_in_it() -> None:
    text = "platform,room,starts_at,ends_at\nwechat,1,2026-11-19 00:00,2026-11-19 02:00\n"
    [slot] = read_schedule_file(text.encode(), "s.csv", zone_of("+03:25")).slots
    assert slot.starts_at == datetime(2026, 11, 18, 20, 35, tzinfo=UTC)
    assert local(slot.starts_at, zone_of("+03:25")) == "2026-11-19 00:00"


@pytest.mark.real
async def test_days_begin_where_the_offset_says(each_empty_database: FreshDatabase) -> None:
    """On every PostgreSQL there is: partition, event_date and today agree with Python on both sides of midnight."""
    owner = await each_empty_database.connect("owner")
    await migrate(owner, Birth(in_postgresql("+03:25"), "CNY", "rehearsal"))
    zone = timezone(timedelta(hours=3, minutes=25))
    day: date = datetime.now(zone).date() + timedelta(days=1)
    midnight = datetime.combine(day, time(0), zone)
    assert midnight == datetime.combine(day - timedelta(days=1), time(20, 35), UTC)
    writer = await each_empty_database.connect("writer")
    assert await writer.fetchval("SELECT ensure_tick_day($1)", day)
    await writer.execute("SET timezone = 'UTC'")
    bounds = await writer.fetchval(
        "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = $1", f"tick_raw_{day:%Y%m%d}"
    )
    begins = f"{day - timedelta(days=1)} 20:35:00+00"
    assert bounds == f"FOR VALUES FROM ('{begins}') TO ('{day} 20:35:00+00')"
    for instant in (midnight - timedelta(microseconds=1), midnight, midnight + timedelta(hours=23, minutes=59)):
        assert await writer.fetchval("SELECT event_date($1)", instant) == instant.astimezone(zone).date()
        begun = await writer.fetchval("SELECT date_trunc('day', $1::timestamptz, timezone) FROM setting", instant)
        assert begun == datetime.combine(instant.astimezone(zone).date(), time(0), zone)
    assert await writer.fetch("SELECT * FROM room_now") == []
    await writer.close()
    assert (await migrate(owner, Birth(in_postgresql("+03:25"), "CNY", "rehearsal"))).applied == []
    await owner.close()


@pytest.mark.real
@pytest.mark.parametrize("written", EDGES)
async def test_postgresql_reads_every_offset_as_python_does(database: FreshDatabase, written: str) -> None:
    conn = await database.connect("writer")
    at = datetime(2026, 11, 19, 1, 2, 3, tzinfo=UTC)
    wall = await conn.fetchval("SELECT $1::timestamptz AT TIME ZONE $2::text", at, in_postgresql(written))
    assert wall == (at + offset(written)).replace(tzinfo=None)
    await conn.execute("SELECT set_config('timezone', $1, false)", in_postgresql(written))
    assert await conn.fetchval("SELECT $1::timestamptz::text::timestamptz", at) == at
    await conn.close()


@pytest.mark.real
def test_sql_prints_times_with_the_offset_and_another_offset_is_refused(
    empty_database: FreshDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = configured(tmp_path, empty_database, "+03:25")
    assert cli.main(["migrate", "--config", path]) == 0
    assert cli.main(["migrate", "--config", path]) == 0
    capsys.readouterr()
    query = "SELECT timestamptz '2026-11-18 20:35+00' AS at, timestamptz '2026-11-18 20:35+00'::text AS theirs"
    assert cli.main(["sql", "--config", path, query]) == 0
    row = capsys.readouterr().out.splitlines()[2]
    assert row.split() == ["2026-11-19", "00:00:00+03:25"] * 2
    assert cli.main(["migrate", "--config", configured(tmp_path, empty_database, "-03:25")]) == 2
    assert "born with timezone '+03:25', which never changes, and '-03:25' is asked for" in capsys.readouterr().err


def configured(folder: Path, database: FreshDatabase, timezone: str) -> str:
    lines = [f'timezone = "{timezone}"']
    for key, role in (("dsn", "writer"), ("migrate_dsn", "owner"), ("reader_dsn", "reader")):
        secret = folder / role
        secret.write_text(database.server.password(f"livemon_{role}"))
        secret.chmod(0o600)
        lines.append(f'{key} = "postgresql://livemon_{role}@/{database.name}?host={database.server.socket}"')
        lines.append(f'{key}_password_file = "{role}"')
    path = folder / "livemon.toml"
    path.write_text("\n".join(lines))
    return str(path)

"""`livemon export` asked: which rows it takes, what it refuses, what a failure leaves, and how much many rows need."""

import os
import pty
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pyarrow import parquet

from monitor.commands.export import rows_of_sheets
from monitor.history.export import SHORT, counted, question_of, relations, replacing
from monitor.history.export_columns import ExportError
from monitor.history.export_window import Window, window_of
from tests.history.exported import KINDS, ZONE, ask, export, read, write
from tests.postgres import FreshDatabase, elsewhere
from tests.sql.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
DAY = datetime(2026, 11, 19, tzinfo=ZONE)


# --- relations and windows --------------------------------------------------------------------------------------------


@pytest.fixture
def story(database: FreshDatabase) -> FreshDatabase:
    """A room with a session on each of three days, a drop and a sale in each, and observations at the edges of days."""

    async def tell() -> None:
        sql = await database.connect("writer")
        stage = Stage(sql)
        await sql.execute("SELECT ensure_tick_day(d::date) FROM generate_series($1::date, $2, '1 day') AS d",
                          date(2026, 11, 17), date(2026, 11, 22))  # fmt: skip
        room = await stage.room("直播/1")
        for number in range(3):
            at = DAY + timedelta(days=number, hours=20)
            minute = timedelta(minutes=1)
            changes = (
                ("opened", at, "status"),
                ("dropped", at + minute, "status"),
                ("resumed", at + 2 * minute, "status"),
            )
            session = await stage.session(room, *changes, ("closed", at + 9 * minute, "ended"))
            await stage.sale(room, session, at + 3 * minute, "paid", 1999 + number, f"o{number}")
            await stage.blind("feed", at, at + minute)
            await stage.slot(room, at, at + 9 * minute)
        us = timedelta(microseconds=1)
        edges = [DAY - us, DAY, DAY + timedelta(days=1) - us, DAY + timedelta(days=1)]
        await stage.ticks(room, *((at, True, number) for number, at in enumerate(edges)))
        await sql.execute("INSERT INTO sale_item (platform, event_id, item_id, title, units, amount_minor)"
                          " SELECT platform, event_id, '007', '大米', 1, amount_minor FROM sale")  # fmt: skip
        await sql.close()

    elsewhere(tell())
    return database


def test_every_relation_can_be_exported_by_the_reader(story: FreshDatabase, config: str, out: Path) -> None:
    assert set(SHORT.values()) <= set(relations())
    assert question_of("sale") == question_of("sales")
    for name, does in relations().items():
        assert re.fullmatch(r"[A-Z].+[.] [^ -~]+。", does), f"{name}: its first line says what it is, in both languages"
        assert export(config, name, "-o", out / f"{name}.csv") == 0, name
        assert "*" not in read(out / f"{name}.csv"), name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sessions", "drops", "sales"])
def test_the_window_of_a_relation(story: FreshDatabase, config: str, out: Path, name: str, kind: str) -> None:
    file = out / f"a.{kind}"
    relation = SHORT[name]
    column = {"sessions": "opened_at", "drops": "dropped_at", "sales": "at"}[name]
    for window, days in (
        (("--day", "2026-11-20"), [1]),
        (("--from", "2026-11-20"), [1, 2]),
        (("--to", "2026-11-20"), [0, 1]),
        (("--from", "2026-11-20", "--to", "2026-11-20"), [1]),
        ((), [0, 1, 2]),
    ):
        assert export(config, name, *window, "-o", file) == 0
        found = sorted(str(row[f"{column}_local"])[:10] for row in read(file))
        assert found == [f"2026-11-{19 + day}" for day in days], window
    true = ask(story, f"SELECT * FROM {relation} ORDER BY {column}")
    rows = sorted(read(file), key=lambda row: str(row[f"{column}_utc"]))
    assert [row["room_id"] for row in rows] == [str(row["room_id"]) for row in true]
    names = {"sessions": ("gmv_minor", "gmv", "airtime_s"), "drops": ("down_s",), "sales": ("amount_minor",)}[name]
    for row, expected in zip(rows, true, strict=True):
        assert [Decimal(str(row[name])) for name in names] == [expected[name] for name in names]
        assert row["anchor" if name != "sales" else "event_id"] == expected["anchor" if name != "sales" else "event_id"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_day_has_its_first_instant_and_not_that_of_the_next(
    story: FreshDatabase, config: str, out: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = out / f"ticks.{kind}"
    assert export(config, "ticks", "--day", "2026-11-19", "-o", file) == 0
    assert [row["viewers"] for row in read(file)] == [1, 2]
    told = f"2 rows in {file}, 2026-11-19 00:00:00+08:00 to 2026-11-20 00:00:00+08:00"
    assert capsys.readouterr().err.splitlines() == [told]


def test_what_lasts_is_in_each_window_that_it_touches(story: FreshDatabase, config: str, out: Path) -> None:
    for name in ("blind", "schedule"):
        for ends, rows in (
            (("2026-11-19T20:08:59", "2026-11-19T20:10"), 1 if name == "schedule" else 0),
            (("2026-11-19T19:00", "2026-11-19T20:00:01"), 1),
            (("2026-11-19T19:00", "2026-11-19T20:00"), 0),
            (("2026-11-19T20:01" if name == "blind" else "2026-11-19T20:09", "2026-11-19T21:00"), 0),
        ):
            assert export(config, name, "--from", ends[0], "--to", ends[1], "-o", out / "a.csv") == 0
            assert len(read(out / "a.csv")) == rows, (name, ends)


def test_the_window_is_the_events_unless_told_otherwise(story: FreshDatabase, config: str, out: Path) -> None:
    write(
        story,
        "UPDATE setting SET event_starts_at = $1, event_ends_at = $2",
        DAY + timedelta(days=1),
        DAY + timedelta(days=2),
    )
    file = out / "a.csv"
    for arguments, count in (
        (("sessions",), 1),
        (("sessions", "--from", "2026-11-19"), 2),
        (("sessions", "--to", "2026-11-22"), 2),
        (("sessions", "--day", "2026-11-19"), 1),
        (("-q", "SELECT session_id FROM session WHERE opened_at >= $1 AND opened_at < $2"), 1),
        (("-q", "SELECT session_id FROM session"), 3),
    ):
        assert export(config, *arguments, "-o", file) == 0
        assert len(read(file)) == count, arguments


def test_sales_are_exported_without_their_buyer(story: FreshDatabase, config: str, out: Path) -> None:
    for name in ("sales", "items"):
        assert export(config, name, "-o", out / "a.csv") == 0
        rows = read(out / "a.csv")
        assert len(rows) == 3
        assert "buyer" not in rows[0]
    assert [(row["item_id"], row["title"]) for row in rows] == [("007", "大米")] * 3


def test_windows_as_people_write_them() -> None:
    def at(*parts: int) -> datetime:
        return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]

    assert window_of(None, None, None, ZONE) == Window()
    assert window_of(None, None, "2026-11-19", ZONE) == Window(at(2026, 11, 18, 16), at(2026, 11, 19, 16), True)
    assert window_of("2026-11-19", "2026-11-20", None, ZONE) == Window(at(2026, 11, 18, 16), at(2026, 11, 20, 16), True)
    assert window_of("2026-11-19 20:00", None, None, ZONE) == Window(at(2026, 11, 19, 12), None, True)
    assert window_of(None, "2026-11-19T20:00Z", None, ZONE) == Window(None, at(2026, 11, 19, 20), True)
    berlin = window_of(None, None, "2026-10-25", ZoneInfo("Europe/Berlin"))
    assert berlin == Window(at(2026, 10, 24, 22), at(2026, 10, 25, 23), True)  # a day of 25 hours


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("2026-11-19", None, "2026-11-19"), "leave --from and --to out"),
        ((None, None, "yesterday"), "--day takes a day"),
        ((None, None, "2026-11-19T20:00"), "--day takes a day"),
        (("2026-02-30", None, None), "--from takes a day or an instant"),
        ((None, "20:00", None), "--to takes a day or an instant"),
        (("2026-11-19T20:00", "2026-11-19T20:00", None), "--from must be before --to"),
    ],
)
def test_windows_that_are_none(asked: tuple[str | None, str | None, str | None], why: str) -> None:
    with pytest.raises(ExportError, match=why):
        window_of(*asked, ZONE)


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_on_the_way_leaves_what_was_there(config: str, out: Path, kind: str) -> None:
    file = out / f"a.{kind}"
    file.write_bytes(b"yesterday's")
    query = "SELECT 1 / (n - 15000) AS n FROM generate_series(1, 20000) AS n"
    assert export(config, "-q", query, "-o", file) == 1
    assert list(out.iterdir()) == [file]
    assert file.read_bytes() == b"yesterday's"
    assert export(config, "-q", "SELECT 1 AS n", "-o", file) == 0
    assert [row["n"] for row in read(file)] == [1]
    assert list(out.iterdir()) == [file]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("-q", "TABLE tick_raw"), "permission denied"),
        (("-q", "SELECT buyer FROM sale; SELECT 1"), "cannot insert multiple commands"),
        (("-q", "DELETE FROM schedule"), "this asks nothing"),
        (("-q", "DELETE FROM schedule RETURNING *"), "read-only transaction"),
        (("-q", "DO 'BEGIN END'"), "this asks nothing"),
        (("-q", "SELECT nme FROM room"), 'column "nme" does not exist'),
        (("-q", "SELECT * FROM room WHERE room_id = $1"), "$1 and $2 of a question are the ends of the window"),
        (("-q", "SELECT 1 AS n", "--day", "2026-11-19"), "does not use the window"),
        (("-q", "SELECT 1 AS a, 2 AS a"), "the same name"),
        (("sesions",), "there is no relation 'sesions' to export; there are sessions, drops"),
        (("sessions", "-q", "SELECT 1"), "name a relation, or give -q"),
        ((), "name a relation, or give -q"),
        (("sessions", "--day", "x"), "--day takes a day"),
        (("sessions", "--seconds", "0"), "--seconds must be more than 0"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_line(
    config: str, out: Path, arguments: Sequence[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(config, *arguments, "-o", out / "a.csv") == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("livemon: ")
    assert why in told.err.splitlines()[0]
    assert list(out.iterdir()) == []


def test_a_file_that_cannot_be_written_is_refused(config: str, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (out / "folder.csv").mkdir()
    for file, why in (
        (out / "a.doc", "-o takes a file named .parquet, .csv, .xlsx"),
        (out / "nowhere" / "a.csv", f"there is no folder {out / 'nowhere'}"),
        (out / "folder.csv", "is a folder: name a file in it"),
    ):
        assert export(config, "sessions", "-o", file) == 1
        assert why in capsys.readouterr().err


def test_the_reader_asks_and_a_long_question_is_cut(config: str, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = "SELECT current_user AS who, current_setting('transaction_read_only') AS only"
    assert export(config, "-q", query, "-o", out / "a.csv") == 0
    assert read(out / "a.csv") == [{"who": "livemon_reader", "only": "on"}]
    assert export(config, "-q", "SELECT pg_sleep(600)", "--seconds", "0.2", "-o", out / "b.csv") == 1
    assert "statement timeout" in capsys.readouterr().err
    assert list(out.iterdir()) == [out / "a.csv"]


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with replacing(tmp_path / "a.csv") as inside:
            inside.write_text("half")
            (inside.parent / "beside").write_text("more")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


WITHOUT = (
    "import sys; sys.modules['pyarrow'] = None; from monitor.cli import main; raise SystemExit(main(sys.argv[1:]))"
)


def test_without_pyarrow_the_other_kinds_work_and_parquet_says_what_to_install(config: str, out: Path) -> None:
    def ended(kind: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-c",
            WITHOUT,
            "export",
            "--config",
            config,
            "sessions",
            "-o",
            str(out / f"a.{kind}"),
        ]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    refused = ended("parquet")
    assert (refused.returncode, list(out.iterdir())) == (1, [])
    assert "Install livemon[parquet]" in refused.stderr
    assert [ended(kind).returncode for kind in ("csv", "xlsx")] == [0, 0]


# --- much -------------------------------------------------------------------------------------------------------------


def test_too_many_rows_are_known_before_one_is_written(story: FreshDatabase) -> None:
    sessions, window = question_of("sessions"), Window(DAY, DAY + timedelta(days=2))
    assert sessions is not None

    async def count() -> None:
        connection = await story.connect("reader")
        try:
            assert [await counted(connection, sessions, window, rows_max) for rows_max in (0, 1, 9)] == [1, 2, 2]
            assert await rows_of_sheets(connection, sessions, window, 2) == 2
            with pytest.raises(ExportError, match="an xlsx holds at most"):
                await rows_of_sheets(connection, sessions, window, 1)
        finally:
            await connection.close()

    elsewhere(count())


MUCH = """
SELECT n AS room_id, timestamptz '2026-11-19 00:00+08' + n * interval '1 s' AS at, n AS viewers, n / 100.0 AS gmv,
    '直播间' || n AS anchor
FROM generate_series(1, {rows}) AS n
"""
# getrusage would begin with what the process that started it has.
CHILD = """
import re, sys
from pathlib import Path
from monitor.cli import main
code = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])
raise SystemExit(code)
"""
MEMORY_KB_MAX = {"csv": 110_000, "parquet": 200_000, "xlsx": 110_000}  # pyarrow by itself takes 45 MB


@pytest.mark.parametrize(("kind", "rows"), [("csv", 250_000), ("parquet", 250_000), ("xlsx", 40_000)])
def test_memory_does_not_grow_with_the_rows(config: str, out: Path, kind: str, rows: int) -> None:
    file = out / f"a.{kind}"
    command = [sys.executable, "-c", CHILD, "export", "--config", config, "-q", MUCH.format(rows=rows), "-o", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MEMORY_KB_MAX[kind]
    if kind == "csv":
        with file.open(encoding="utf-8-sig") as lines:
            assert sum(1 for _ in lines) == rows + 1
    elif kind == "parquet":
        read_back = parquet.ParquetFile(file)
        assert read_back.metadata.num_rows == rows
        assert 2 <= read_back.metadata.num_row_groups <= 10
        assert sum(read_back.read(["viewers"])["viewers"].to_pylist()) == rows * (rows + 1) // 2
    else:
        assert zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml").count(b"<row ") == rows + 1


def test_a_terminal_sees_how_far_it_is(config: str, out: Path) -> None:
    ours, its = pty.openpty()
    code = "import sys; from monitor.cli import main; raise SystemExit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "export", "--config", config, "-q", MUCH.format(rows=30_000)]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    child = subprocess.Popen([*command, "-o", str(out / "a.csv")], cwd=ROOT, env=environment, stderr=its)
    os.close(its)
    told = b""
    while True:
        try:
            told += os.read(ours, 4096)
        except OSError:  # the child has closed its end
            break
    os.close(ours)
    assert child.wait(60) == 0
    assert b"30,000 rows" in told
    assert b"answer" in told

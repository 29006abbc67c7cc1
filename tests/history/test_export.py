"""`livemon export`: each kind of file read back and compared with what PostgreSQL says, to the digit."""

import csv
import io
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
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import openpyxl
import pyarrow
import pytest
from pyarrow import parquet

from monitor import cli
from monitor.commands.export import rows_of_sheets
from monitor.history.export import SHORT, counted, question_of, relations, replacing
from monitor.history.export_columns import Columns, ExportError
from monitor.history.export_window import Window, window_of
from monitor.history.export_xlsx import CELL_UNITS_MAX, SHEETS_MAX, XlsxTable
from tests.postgres import FreshDatabase, elsewhere
from tests.sql.stage import Stage

ZONE = ZoneInfo("Asia/Shanghai")
KINDS = ("csv", "parquet", "xlsx")
ROOT = Path(__file__).resolve().parents[2]
DAY = datetime(2026, 11, 19, tzinfo=ZONE)
type Rows = list[dict[str, Any]]


@pytest.fixture
def config(database: FreshDatabase, tmp_path: Path) -> str:
    """The config file of an outside database."""
    settings = tmp_path / "settings"
    settings.mkdir()
    lines = []
    for name, user in (("dsn", "livemon_writer"), ("reader_dsn", "livemon_reader")):
        secret = settings / user
        secret.write_text(database.server.password(user))
        secret.chmod(0o600)
        lines.append(f'{name} = "postgresql://{user}@/{database.name}?host={database.server.socket}"')
        lines.append(f'{name}_password_file = "{user}"')
    file = settings / "livemon.toml"
    file.write_text("\n".join([*lines, ""]))
    return str(file)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def export(config: str, *arguments: str | Path) -> int:
    return cli.main(["export", "--config", config, *map(str, arguments)])


def ask(database: FreshDatabase, query: str, *arguments: object) -> list[asyncpg.Record]:
    async def fetch() -> list[asyncpg.Record]:
        connection = await database.connect("reader")
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    return elsewhere(fetch())


def write(database: FreshDatabase, query: str, *arguments: object) -> None:
    async def execute() -> None:
        connection = await database.connect("writer")
        try:
            await connection.execute(query, *arguments)
        finally:
            await connection.close()

    elsewhere(execute())


def read(file: Path) -> Rows:
    """The rows of a file, each value as its format has it."""
    if file.suffix == ".parquet":
        return [dict(row) for row in parquet.read_table(file).to_pylist()]
    if file.suffix == ".xlsx":
        rows = openpyxl.load_workbook(file).active.iter_rows(values_only=True)
        names = next(rows)
        return [dict(zip(names, map(unescaped, row), strict=True)) for row in rows]
    text = file.read_bytes().decode("utf-8")
    assert text.startswith("\ufeff")
    found = csv.reader(io.StringIO(text[1:], newline=""), quoting=csv.QUOTE_STRINGS)
    names = next(found)
    return [dict(zip(names, row, strict=True)) for row in found]


def unescaped(value: object) -> object:
    """ECMA-376 part 1, 22.4.2.4: what no XML can hold is written _xHHHH_. Spreadsheets decode it, openpyxl does not."""
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), value) if isinstance(value, str) else value


# --- values -----------------------------------------------------------------------------------------------------------

HOSTILE = [
    "=HYPERLINK(\"http://x\",\"直播\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "<r></r>",
    "<r></r></is></c><c r=\"A9\"><f>1+1</f></c><c t=\"inlineStr\"><is><r></r>", "_x0041_", "\ufffe\uffff",
    "zwei\r\nZeilen\n", " rand ", "\"quoted\", comma", "直播间🙂", "", "NULL", "12345678901234567890", "]]>&amp;</t>",
    "\u202eabc", "a\x01\x1f\x7fb", "1e5", "http://a.example/" + "b" * 3000, "0012",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_strangers_come_back_as_they_are(database: FreshDatabase, config: str, out: Path, kind: str) -> None:
    write(database, "INSERT INTO room (platform, external_id, anchor) SELECT 'p', n::text, t"
                    " FROM unnest($1::text[]) WITH ORDINALITY AS a (t, n)", HOSTILE)  # fmt: skip
    file = out / f"a.{kind}"
    assert export(config, "-q", "SELECT anchor FROM room ORDER BY room_id", "-o", file) == 0
    expected = [f"'{text}" if kind == "csv" and text[:1] in {*"=+-@\t\r"} and text else text for text in HOSTILE]
    assert [row["anchor"] for row in read(file)] == expected
    if kind == "xlsx":
        sheet = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "<hyperlink" not in sheet
        assert sheet.count("<c ") == len(HOSTILE) + 1


TYPES = """
SELECT n::int AS room_id, n * 1000000007::bigint AS order_id, n * 999::bigint AS gmv_minor,
    (n * 9.99)::numeric(18, 2) AS gmv, round(n / 7.0, 3) AS watch_hours, n / 3.0::float8 AS ratio, n % 2 = 0 AS live,
    date '2026-11-19' + n::int AS day, timestamptz '2026-11-19 00:00+08' + n * interval '1.001 s' AS at,
    timestamp '2026-11-19 12:00' AS clock, ('00000000-0000-0000-0000-00000000000' || n)::uuid AS session_id,
    ARRAY['a', NULL] AS tags, NULL::text AS nothing, NULL::timestamptz AS never, NULL::numeric AS no_money,
    '播' || n AS anchor
FROM generate_series(1, 9) AS n
"""
PLAIN = ("gmv_minor", "gmv", "watch_hours", "live", "nothing", "no_money", "anchor")


def given(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def test_csv_has_every_value(database: FreshDatabase, config: str, out: Path) -> None:
    assert export(config, "-q", TYPES, "-o", out / "a.csv") == 0
    rows, expected = read(out / "a.csv"), ask(database, TYPES)
    assert len(rows) == 9
    for row, true in zip(rows, expected, strict=True):
        assert list(row) == [
            "room_id", "order_id", "gmv_minor", "gmv", "watch_hours", "ratio", "live", "day", "at_utc", "at_local",
            "clock", "session_id", "tags", "nothing", "never_utc", "never_local", "no_money", "anchor",
        ]  # fmt: skip
        assert row["live"] == str(true["live"]).lower()
        assert row["at_utc"] == true["at"].isoformat()
        assert row["at_utc"].endswith("+00:00")
        assert row["at_local"] == true["at"].astimezone(ZONE).isoformat()
        assert row["ratio"] == true["ratio"]
        assert row["tags"] == "{a,∅}"
        assert row["day"] == true["day"].isoformat()
    lines = (out / "a.csv").read_text("utf-8-sig").splitlines()
    assert lines[1] == (
        '"1","1000000007",999,9.99,0.143,0.3333333333333333,"false","2026-11-20","2026-11-18T16:00:01.001000+00:00",'
        '"2026-11-19T00:00:01.001000+08:00","2026-11-19T12:00:00","00000000-0000-0000-0000-000000000001","{a,∅}",,,,,"播1"'
    )


def test_parquet_has_every_value(database: FreshDatabase, config: str, out: Path) -> None:
    assert export(config, "-q", TYPES, "-o", out / "a.parquet") == 0
    rows, expected = read(out / "a.parquet"), ask(database, TYPES)
    assert [given(row, *PLAIN) for row in rows] == [given(dict(true), *PLAIN) for true in expected]
    for row, true in zip(rows, expected, strict=True):
        assert (row["room_id"], row["order_id"]) == (str(true["room_id"]), str(true["order_id"]))
        assert (row["at_utc"], row["at_local"]) == (true["at"], true["at"].astimezone(ZONE).replace(tzinfo=None))
        assert (row["never_utc"], row["never_local"]) == (None, None)
        assert (row["day"], row["clock"], row["ratio"]) == (true["day"], true["clock"], true["ratio"])
        assert row["session_id"] == str(true["session_id"])
    schema = parquet.read_schema(out / "a.parquet")
    assert schema.field("at_utc").type == pyarrow.timestamp("us", "UTC")
    assert schema.field("at_local").type == pyarrow.timestamp("us")
    assert schema.field("gmv").type == pyarrow.decimal128(38, 9)
    assert schema.field("room_id").type == pyarrow.string()


def test_xlsx_has_every_value(database: FreshDatabase, config: str, out: Path) -> None:
    assert export(config, "-q", TYPES, "-o", out / "a.xlsx") == 0
    rows, expected = read(out / "a.xlsx"), ask(database, TYPES)
    for row, true in zip(rows, expected, strict=True):
        same = ("gmv_minor", "live", "nothing", "anchor", "clock")
        assert given(row, *same) == given(dict(true), *same)
        assert row["ratio"] == pytest.approx(true["ratio"], rel=1e-15)  # 16 digits; a spreadsheet shows 15
        assert [Decimal(str(row[name])) for name in ("gmv", "watch_hours")] == [true["gmv"], true["watch_hours"]]
        assert (row["room_id"], row["order_id"]) == (str(true["room_id"]), str(true["order_id"]))
        near = timedelta(milliseconds=1)  # openpyxl rounds to these
        assert abs(row["at_utc"] - true["at"].replace(tzinfo=None)) < near
        assert abs(row["at_local"] - true["at"].astimezone(ZONE).replace(tzinfo=None)) < near
        assert row["day"].date() == true["day"]
        assert (row["never_utc"], row["never_local"], row["no_money"]) == (None, None, None)
    sheet = openpyxl.load_workbook(out / "a.xlsx").active
    looks = {cell.value: sheet.cell(2, cell.column).number_format for cell in sheet[1]}
    assert (looks["gmv"], looks["gmv_minor"], looks["watch_hours"]) == ("0.00", "0", "0.000")
    assert looks["at_local"] == "yyyy-mm-dd hh:mm:ss"


EDGES = """
SELECT 999999999999999::bigint AS fits, 1000000000000000::bigint AS big, 9999999999999.99::numeric AS fits_money,
    12345678901234567.89::numeric AS big_money, 'NaN'::float8 AS nan, '-Infinity'::float8 AS less,
    timestamptz '1850-01-01 00:00+00' AS old, 'infinity'::timestamptz AS never, '-infinity'::timestamptz AS ever,
    date '1899-12-31' AS early, 0.00000012::numeric AS small, -5::smallint AS minus
"""


def test_xlsx_writes_as_text_what_a_spreadsheet_would_change(config: str, out: Path) -> None:
    assert export(config, "-q", EDGES, "-o", out / "a.xlsx") == 0
    (row,) = read(out / "a.xlsx")
    assert row["fits"] == 999_999_999_999_999
    assert row["fits_money"] == 9_999_999_999_999.99
    assert (row["big"], row["big_money"]) == ("1000000000000000", "12345678901234567.89")
    assert (row["nan"], row["less"]) == ("nan", "-inf")
    assert row["old_utc"] == "1850-01-01T00:00:00+00:00"
    assert (row["early"], row["small"], row["minus"]) == ("1899-12-31", 1.2e-07, -5)
    assert row["never_utc"].startswith("9999-12-31")
    assert row["ever_local"].startswith("0001-01-01")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_edges_of_the_other_kinds(database: FreshDatabase, config: str, out: Path, kind: str) -> None:
    assert export(config, "-q", EDGES, "-o", out / f"a.{kind}") == 0
    (row,), (true,) = read(out / f"a.{kind}"), ask(database, EDGES)
    for name in ("fits", "big", "minus"):
        assert int(row[name]) == true[name]
    if kind == "parquet":
        assert (row["big_money"], row["small"], row["early"]) == (true["big_money"], true["small"], true["early"])
    else:
        assert "12345678901234567.89" in (out / "a.csv").read_text("utf-8-sig")


def test_parquet_rounds_to_nine_places_and_says_so(config: str, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = "SELECT n, 1.2345678905::numeric / n AS long, 1.50000000000::numeric AS zeros FROM generate_series(1, 2) n"
    assert export(config, "-q", query, "-o", out / "a.parquet") == 0
    rows = read(out / "a.parquet")
    assert [row["long"] for row in rows] == [Decimal("1.234567890"), Decimal("0.617283945")]
    assert rows[0]["zeros"] == Decimal("1.5")
    assert "2 numbers were rounded to 9 decimal places" in capsys.readouterr().err


def test_parquet_refuses_a_number_that_it_cannot_hold(
    config: str, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(config, "-q", "SELECT 'NaN'::numeric AS n", "-o", out / "a.parquet") == 1
    assert 'a value of the column "n" is nothing that Parquet can hold' in capsys.readouterr().err
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("text", ["播" * 40_000, "🙂" * 20_000, "a" + "🙂" * 20_000, "<r>" + "x" * 40_000 + "</r>"])
def test_a_text_longer_than_a_cell_is_cut_and_that_is_said(
    config: str, out: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    query = f"SELECT '{text}' AS t, '{'播' * CELL_UNITS_MAX}' AS fits"
    assert export(config, "-q", query, "-o", out / "a.xlsx") == 0
    (row,) = read(out / "a.xlsx")
    assert row["fits"] == "播" * CELL_UNITS_MAX
    assert row["t"].endswith("…")
    assert text.startswith(row["t"][:-1])
    assert CELL_UNITS_MAX - 1 <= len(row["t"].encode("utf-16-le")) // 2 <= CELL_UNITS_MAX
    assert "one text was longer than the 32,767 characters" in capsys.readouterr().err
    assert export(config, "-q", query, "-o", out / "a.csv") == 0
    assert read(out / "a.csv")[0]["t"] == text


def test_no_rows_are_a_file_with_headings(config: str, out: Path) -> None:
    for kind in KINDS:
        assert export(config, "sessions", "-o", out / f"a.{kind}") == 0
        assert read(out / f"a.{kind}") == []
    assert "session_id" in parquet.read_schema(out / "a.parquet").names
    assert (out / "a.csv").read_text("utf-8-sig").startswith('"session_id"')


def attribute(name: str, kind: str) -> SimpleNamespace:
    return SimpleNamespace(name=name, type=SimpleNamespace(name=kind))


def test_money_is_money_in_our_own_relations_alone() -> None:
    asked = [attribute("gmv_minor", "int8"), attribute("gmv", "numeric"), attribute("watch_hours", "numeric")]
    kinds = [column.kind for column in Columns(asked, ZONE, money_beside_minor=True).out]
    assert kinds == ["integer", "money", "decimal"]
    assert [column.kind for column in Columns(asked, ZONE).out] == ["integer", "decimal", "decimal"]


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(ExportError, match="the same name"):
        Columns([attribute("at", "timestamptz"), attribute("at_utc", "text")], ZONE)


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


def filled(table: XlsxTable, rows: int) -> list[str]:
    columns = Columns([attribute("n", "int4")], ZONE)
    table.begin(columns.out)
    for number in range(rows):
        table.write(columns.values([(number,)]))
    return table.finish()


def test_what_one_sheet_does_not_hold_goes_on_in_the_next(out: Path) -> None:
    file = out / "a.xlsx"
    assert filled(XlsxTable(file, "drop_log", sheet_rows_max=4), 7) == []
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ["drop_log", "drop_log 2", "drop_log 3"]
    assert [[cell.value for cell in sheet["A"]] for sheet in book] == [["n", 0, 1, 2], ["n", 3, 4, 5], ["n", 6]]


def test_more_than_all_sheets_hold_is_an_error(out: Path) -> None:
    assert filled(XlsxTable(out / "a.xlsx", "n", sheet_rows_max=4), 3 * SHEETS_MAX) == []
    with pytest.raises(ExportError, match=r"at most .* rows .* write .parquet or .csv"):
        filled(XlsxTable(out / "b.xlsx", "n", sheet_rows_max=4), 3 * SHEETS_MAX + 1)


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

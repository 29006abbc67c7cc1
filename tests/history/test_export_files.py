"""The files of `livemon export`: each kind read back and compared with what PostgreSQL says, to the digit."""

import zipfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pyarrow
import pytest
from pyarrow import parquet

from monitor.history.export_columns import Columns, ExportError
from monitor.history.export_xlsx import CELL_UNITS_MAX, SHEETS_MAX, XlsxTable
from tests.history.exported import KINDS, ZONE, ask, export, read, write
from tests.postgres import FreshDatabase

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

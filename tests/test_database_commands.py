"""`livemon migrate`, `dsn` and `sql` as a person uses them, on the embedded server."""

import codecs
import csv
import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor import cli
from monitor.commands.answer import CELL_MAX, NULL, FileAnswer, TableAnswer, shown
from monitor.store import embedded
from tests.postgres import elsewhere

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def config() -> Iterator[str]:
    """A config file whose embedded server stays up for all tests of this module."""
    folder = Path(tempfile.mkdtemp(prefix="livemon-commands-"))
    (folder / "livemon.toml").write_text('data_dir = "var"\n')
    server = elsewhere(embedded.start(folder / "var"))
    assert cli.main(["migrate", "--config", str(folder / "livemon.toml")]) == 0
    yield str(folder / "livemon.toml")
    elsewhere(server.release())
    shutil.rmtree(folder)


def ask(config: str, query: str, *more: str) -> int:
    return cli.main(["sql", "--config", config, query, *more])


@pytest.mark.real
def test_migrate_twice_says_that_nothing_was_missing(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["migrate", "--config", config]) == 0
    assert "applied" not in capsys.readouterr().out


@pytest.mark.real
def test_another_timezone_is_a_configuration_error(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    other = Path(config).with_name("other.toml")
    other.write_text('data_dir = "var"\ntimezone = "Asia/Tokyo"\n')
    assert cli.main(["migrate", "--config", str(other)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{other}:1: ")
    assert "'Asia/Shanghai', which never changes, and 'Asia/Tokyo' is asked for" in error


@pytest.mark.real
def test_dsn_shows_the_password_only_when_asked(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    password = (Path(config).parent / "var/postgres/passwords/livemon_writer").read_text()
    assert cli.main(["dsn", "--config", config]) == 0
    masked = capsys.readouterr()
    assert masked.out.startswith("postgresql://livemon_writer:***@/livemon?host=/")
    assert password not in masked.out + masked.err
    assert cli.main(["dsn", "--config", config, "--show"]) == 0
    assert f":{password}@" in capsys.readouterr().out


@pytest.mark.real
def test_sql_reads_as_the_reader_and_in_the_events_zone(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    query = (
        "SELECT current_user AS who, timestamptz '2026-11-19 00:00+00' AS at, '直播间'::text AS 房间, NULL AS nothing"
    )
    assert ask(config, query) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["who", "at", "房间", "nothing"]
    assert lines[2].split() == ["livemon_reader", "2026-11-19", "08:00:00+08:00", "直播间", NULL]
    assert lines[3] == "(1 row)"


@pytest.mark.real
def test_a_mistake_is_shown_at_its_place(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(config, "SELECT 1,\n  '直播' || nme FROM room_now") == 1
    told = capsys.readouterr()
    assert told.out == ""
    first, line, mark = told.err.splitlines()[:3]
    assert first == 'livemon: 42703: column "nme" does not exist'
    assert line == "    '直播' || nme FROM room_now"
    assert mark == " " * 14 + "^ line 2"


@pytest.mark.real
@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1; SELECT 2",
        "DELETE FROM livemon.schedule",
        "TABLE livemon.tick_raw",
        "COPY livemon.setting TO STDOUT",
        "DO 'BEGIN END'",
        "",
    ],
)
def test_what_is_no_question_is_refused(config: str, query: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(config, query) == 1
    assert capsys.readouterr().err.startswith("livemon: ")


@pytest.mark.real
def test_a_csv_opens_in_a_spreadsheet(config: str, tmp_path: Path) -> None:
    file = tmp_path / "答.csv"
    query = (
        "SELECT '直播间' AS 房间, NULL AS n, '' AS empty, 12345678901234567 AS big, '=1+1' AS formula, 1.50 AS money"
    )
    assert ask(config, query, "-o", str(file)) == 0
    raw = file.read_bytes()
    assert raw.startswith(codecs.BOM_UTF8)
    assert raw.decode("utf-8-sig").splitlines()[1] == '"直播间",,"",12345678901234567,"\'=1+1",1.50'
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.real
def test_json_keeps_null_and_numbers_apart_from_texts(config: str, tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    query = (
        "SELECT n, 'a' AS a, NULL AS b, ARRAY[1, 2] AS c, 1.10 AS d, 'NaN'::float8 AS e FROM generate_series(1, 2500) n"
    )
    assert ask(config, query, "-o", str(file)) == 0
    rows = json.loads(file.read_text())
    assert [row["n"] for row in rows] == list(range(1, 2501))
    assert rows[0] == {"n": 1, "a": "a", "b": None, "c": [1, 2], "d": "1.10", "e": "nan"}


@pytest.mark.real
def test_a_failed_answer_leaves_no_file(config: str, tmp_path: Path) -> None:
    query = "SELECT 1 / (n - 1500) FROM generate_series(1, 3000) AS n"
    assert ask(config, query, "-o", str(tmp_path / "answer.csv")) == 1
    assert ask(config, "SELECT 1 AS a, 2 AS a", "-o", str(tmp_path / "answer.json")) == 1
    assert ask(config, "SELECT 1", "-o", str(tmp_path / "answer.doc")) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_aligned_by_what_characters_occupy() -> None:
    out = StringIO()
    table = TableAnswer(ZONE, out)
    table.columns(["房间", "n", "at"])
    table.row(("直播间甲", 7, datetime(2026, 11, 19, tzinfo=UTC)))
    table.row(("ab", 1234, None))
    table.finish()
    assert out.getvalue().splitlines() == [
        "房间      n     at",
        "────────  ────  ─────────────────────────",
        "直播间甲     7  2026-11-19 08:00:00+08:00",
        f"ab        1234  {NULL}",
        "(2 rows)",
    ]


def test_texts_of_strangers_cannot_act_on_the_terminal() -> None:
    assert shown("a\x1b[31m\n\u202eb") == "a\\x1b[31m\\n\\u202eb"
    assert len(shown("播" * 1000)) == CELL_MAX


def test_csv_quotes_texts_and_leaves_numbers_bare(tmp_path: Path) -> None:
    answer = FileAnswer(tmp_path / "a.csv", ZONE)
    answer.columns(["a"])
    for value in (True, Decimal("-1.50"), -2, "-3", b"\xff", 'a"b\nc'):
        answer.row((value,))
    answer.finish()
    text = (tmp_path / "a.csv").read_text("utf-8-sig")
    assert [row[0] for row in csv.reader(StringIO(text))] == ["a", "true", "-1.50", "-2", "'-3", "\\xff", 'a"b\nc']

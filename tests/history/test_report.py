"""`livemon report` asked: which days it is of, and its figures are those of the database."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from monitor import cli
from monitor.history.report.question import Asked, BadDays, days
from monitor.history.report.spoken import NOTHING
from monitor.history.report.words import WORDS, Language
from monitor.store import embedded
from tests.history.outside import configured
from tests.history.questions.market_evening import DAY as ONE_DAY
from tests.history.questions.market_evening import EVENING, at, play
from tests.history.report_tree import Element, read, tile
from tests.postgres import TEMPLATE, FreshDatabase, _fresh, elsewhere
from tests.sql.stage import Stage

# Which days


def test_days_are_those_asked_for():
    today, first, last = date(2026, 11, 21), date(2026, 11, 19), date(2026, 11, 25)
    assert days(Asked(), today, first, last) == (today, today)
    assert days(Asked(first, first), today, None, None) == (first, first)
    assert days(Asked(first, last), today, None, None) == (first, last)
    assert days(Asked(None, last), today, None, None) == (last, last)
    assert days(Asked(week=True), today, first, last) == (first, last)
    assert days(Asked(week=True), today, None, None) == (date(2026, 11, 15), today)
    with pytest.raises(BadDays, match="is before the first"):
        days(Asked(last, first), today, None, None)
    with pytest.raises(BadDays, match="more than 62 days"):
        days(Asked(first, first + timedelta(days=62)), today, None, None)
    assert days(Asked(first, first + timedelta(days=61)), today, None, None)[0] == first


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--day", "2026-11-19", "--week"], "give one of --day, --week"),
        (["--week", "--from", "2026-11-19"], "give one of --day, --week"),
        (["-o", "report.pdf"], "-o takes a file named .html or .htm"),
        (["--day", "19.11.2026"], "invalid fromisoformat value"),
        (["--lang", "fr"], "invalid choice"),
    ],
)
def test_a_wrong_command_line_is_said(more: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["report", "-o", "report.html", *more]) == 1
    assert said in capsys.readouterr().err


# Of a database: the evening of market_evening.py, worked out by hand


async def _played(database: FreshDatabase) -> None:
    sql = await database.connect("writer")
    await play(Stage(sql))
    await sql.close()


@pytest.fixture(scope="module")
def evening(postgres: embedded.Server) -> Iterator[FreshDatabase]:
    for database in _fresh(postgres, TEMPLATE):
        elsewhere(_played(database))
        yield database


@pytest.fixture
def copied(evening: FreshDatabase) -> Iterator[FreshDatabase]:
    """The same evening in a database of the test's own, to change."""
    yield from _fresh(evening.server, evening.name)


def report(database: FreshDatabase, folder: Path, *more: str, event: str = "") -> Element:
    """What `livemon report` writes of this database."""
    config = configured(database, folder, event)
    file = folder / "report.html"
    assert cli.main(["report", "--config", str(config), "-o", str(file), *more]) == 0
    assert [path.name for path in folder.iterdir() if "report" in path.name] == ["report.html"]
    return read(file.read_text(encoding="utf-8"))


def day_of(market_day: datetime = EVENING) -> list[str]:
    return ["--day", f"{market_day:%Y-%m-%d}"]


@pytest.mark.real
@pytest.mark.parametrize(("language", "h"), [("en", "h"), ("zh", "小时")])
def test_the_figures_are_those_of_the_evening(evening: FreshDatabase, tmp_path: Path, language: Language, h: str):
    root = report(evening, tmp_path, *day_of(), "--lang", language, event='[event]\nname = "A & B"\n' + WINDOW)
    assert {key: tile(root, key)[0] for key in ("gmv", "orders", "refunds", "net")} == {
        "gmv": "¥141.00",  # wechat 10+30+20+40+6, doudian 14+10+5+6
        "orders": "9",
        "refunds": "¥13.00",  # w1 10, w2 3; w4's is of the next day
        "net": "¥128.00",
    }
    assert "9.22%" in tile(root, "refunds")[1]
    assert tile(root, "gmv")[1].endswith(" 5")  # created: w3, w4, w6, w7, d5
    assert tile(root, "orders")[1].endswith("¥0.50")
    assert tile(root, "sessions") == ("3", f"{WORDS[language]['rooms']} 3")
    assert tile(root, "airtime")[0] == f"1.9 {h}"  # 58 + 25 + 30 minutes
    assert tile(root, "watch_hours") == (
        f"121.7 {h}",
        f"{WORDS[language]['average']} 70.9",
    )  # over 58 + 20 + 25 minutes
    assert tile(root, "peak") == ("170", f"{EVENING:%m-%d} 20:05")
    assert tile(root, "drops") == ("2", WORDS[language]["lost_of"].format(1))
    assert tile(root, "blind") == (f"0.2 {h}", WORDS[language]["blind_of"].format("8.85%"))  # 10 of 113 minutes
    assert "¥10.00" in root.by_id("roomless").text  # d3
    assert root.by_id("apart").text.endswith("USD 7.00 (1)")
    assert [row[2:] for row in root.by_id("cut").rows()] == [
        ["¥135.00", "+¥6.00", "¥141.00"],
        ["8", "+1", "9"],
        ["¥10.00", "+¥3.00", "¥13.00"],
    ]
    (heading,) = root.all("h1")
    assert heading.text.startswith("A & B ")


WINDOW = "starts_at = 2020-01-01T00:00:00+08:00\nends_at = 2099-01-01T00:00:00+08:00\n"


@pytest.mark.real
def test_the_tables_are_those_of_the_evening(evening: FreshDatabase, tmp_path: Path):
    root = report(evening, tmp_path, *day_of(), "--lang", "en")
    assert root.by_id("platforms").rows() == [
        ["WeChat", "¥106.00", "5", "¥13.00", "12.26%", "1", "1.0 h", "96.7 h", "100.0", "1", "0.0 h"],
        ["Douyin", "¥35.00", "4", "¥0.00", "0.00%", "2", "0.9 h", "25.0 h", "33.3", "1", "0.2 h"],
        ["All", "¥141.00", "9", "¥13.00", "9.22%", "3", "1.9 h", "121.7 h", "70.9", "2", "0.2 h"],
    ]
    lists = root.by_id("lists")
    assert lists.after("Rooms").rows() == [
        ["1", "阿丽", "WeChat", "一号馆", "¥106.00", "5", "100.0", "100", "96.7", "1"],
        ["2", "丽丽", "Douyin", "二号馆", "¥19.00", "2", "50.0", "50", "16.7", "0"],
        ["3", "老张", "Douyin", "二号馆", "¥6.00", "1", "20.0", "20", "8.3", "1"],
    ]
    assert lists.after("Broadcasters").rows() == [["1", "王丽", "2", "¥125.00", "7", "87.2", "100", "113.3"]]
    assert lists.after("Items").rows() == [
        ["1", "商品i1", "WeChat", "¥60.00", "3", "12"],
        ["2", "商品i2", "WeChat", "¥40.00", "1", "1"],
        ["3", "商品j1", "Douyin", "¥30.00", "3", "4"],
    ]
    assert [row[:4] for row in lists.after("Halls").rows()] == [
        ["1", "一号馆", "1", "¥106.00"], ["2", "二号馆", "2", "¥25.00"],
    ]  # fmt: skip
    assert root.by_id("drop-times").rows() == [
        ["阿丽", "WeChat", "一号馆", f"{EVENING:%m-%d} 20:20:00", "resumed", "stall", "2 min", "100"],
        ["老张", "Douyin", "二号馆", f"{EVENING:%m-%d} 20:35:00", "lost", "status", "30 min", "20"],
    ]
    today, tomorrow = f"{EVENING:%m-%d}", f"{EVENING + ONE_DAY:%m-%d}"
    assert root.by_id("blind-spans").rows() == [
        ["doudian-live", "Douyin", "", f"{today} 20:10:00", f"{today} 20:15:00", "timeout", "5 min"],
        ["doudian-live", "Douyin", "", f"{today} 00:00:00", f"{today} 00:03:00", "timeout", "3 min"],
        ["doudian-live", "Douyin", "", f"{today} 23:58:00", f"{tomorrow} 00:00:00", "timeout", "2 min"],
    ]
    cells = [part.text for part in root.by_id("heat").all("title")]
    assert f"WeChat {EVENING:%m-%d} 20:00: 97" in cells  # watch hours
    assert f"Douyin {EVENING:%m-%d} 20:00: 35" in cells  # yuan


@pytest.mark.real
def test_three_days_are_the_sum_and_each_has_its_cut(evening: FreshDatabase, tmp_path: Path):
    asked = ["--from", f"{EVENING - ONE_DAY:%Y-%m-%d}", "--to", f"{EVENING + ONE_DAY:%Y-%m-%d}", "--lang", "en"]
    root = report(evening, tmp_path, *asked)
    assert tile(root, "gmv")[0] == "¥161.00"  # with w0 of the evening before
    assert tile(root, "refunds")[0] == "¥33.00"  # with w4's of the next day
    assert tile(root, "sessions")[0] == "3"
    cuts = root.by_id("cut").rows()
    assert [row[0] for row in cuts[::3]] == [f"{EVENING + n * ONE_DAY:%Y-%m-%d}" for n in (-1, 0, 1)]
    assert [row[2:] for row in cuts[::3]] == [
        ["nothing by then", NOTHING, "¥20.00"], ["¥135.00", "+¥6.00", "¥141.00"], ["not cut yet", NOTHING, "¥0.00"],
    ]  # fmt: skip


@pytest.mark.real
def test_a_day_without_anything_and_a_day_outside_the_event(database: FreshDatabase, tmp_path: Path):
    root = report(database, tmp_path, "--day", "2020-02-02", "--lang", "zh")
    assert tile(root, "gmv")[0] == "¥0.00"
    elsewhere(_window(database, at("00:00"), at("24:00")))
    root = report(database, tmp_path, "--day", "2020-02-02", "--lang", "zh")
    assert WORDS["zh"]["outside"] in root.text


async def _window(database: FreshDatabase, starts: datetime, ends: datetime) -> None:
    sql = await database.connect("writer")
    await sql.execute("UPDATE setting SET event_starts_at = $1, event_ends_at = $2", starts, ends)
    await sql.close()


@pytest.mark.real
def test_only_what_lies_in_the_event_counts(copied: FreshDatabase, tmp_path: Path):
    elsewhere(_window(copied, at("20:20"), at("20:41")))
    root = report(copied, tmp_path, "--week", "--lang", "en")
    assert tile(root, "gmv")[0] == "¥61.00"  # w4 40, d3 10, d4 5, d1 6
    assert tile(root, "watch_hours")[0] == "40.8 h"  # 100 x 19 minutes, 50 x 5, 20 x 15: 31.67 + 4.17 + 5
    assert [row[3][-8:] for row in root.by_id("drop-times").rows()] == ["20:20:00", "20:35:00"]
    assert root.by_id("blind-spans").rows() == []
    assert root.by_id("platforms").rows()[-1][1] == "¥61.00"


@pytest.mark.real
def test_a_session_across_midnight_is_one(copied: FreshDatabase, tmp_path: Path):
    elsewhere(_night(copied))
    asked = ["--from", f"{EVENING:%Y-%m-%d}", "--to", f"{EVENING + ONE_DAY:%Y-%m-%d}", "--lang", "en"]
    assert tile(report(copied, tmp_path, *asked), "sessions")[0] == "4"
    assert tile(report(copied, tmp_path, *day_of(), "--lang", "en"), "sessions")[0] == "4"
    next_day = report(copied, tmp_path, *day_of(EVENING + ONE_DAY), "--lang", "en")
    assert tile(next_day, "sessions")[0] == "1"
    assert tile(next_day, "airtime")[0] == "0.5 h"


async def _night(database: FreshDatabase) -> None:
    """sph-2 from 23:30 to 00:30, summed by hours: 30 minutes of each day."""
    sql = await database.connect("writer")
    room = await sql.fetchval("SELECT room_id FROM room WHERE external_id = 'sph-2'")
    session = await Stage(sql).session(room, ("opened", at("23:30"), "status"), ("closed", at("24:30"), "ended"))
    await sql.executemany(
        "INSERT INTO session_hour (day, hour, platform, room_id, session_id, air_us, blind_us, measured_us, viewer_us,"
        " drops, created, orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor, orders_other_currency)"
        " VALUES (event_date($1), $1, 'wechat', $2, $3, 1800000000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
        [(at("23:00"), room, session), (at("24:00"), room, session)],
    )
    await sql.close()


@pytest.mark.real
def test_a_hostile_anchor_of_the_database_is_text(copied: FreshDatabase, tmp_path: Path):
    elsewhere(_hostile(copied))
    root = report(copied, tmp_path, *day_of(), "--lang", "zh")
    rows = root.by_id("lists").after("直播间榜").rows()
    assert rows[0][1] == "<script>alert('x')</script>"
    assert root.by_id("drop-times").rows()[0][0] == "<script>alert('x')</script>"
    assert root.by_id("lists").after("商品榜").rows()[0][1] == "</td><img src=x>"
    assert not [part for part in root.all() if part.name in ("script", "img")]


async def _hostile(database: FreshDatabase) -> None:
    owner = await database.connect("owner")
    await owner.execute("UPDATE room SET anchor = $1 WHERE external_id = 'sph-1'", "<script>alert('x')</script>")
    await owner.execute("UPDATE sale_item SET title = '</td><img src=x>' WHERE item_id = 'i1'")
    await owner.close()


@pytest.mark.real
def test_nothing_is_left_of_a_report_that_failed(
    evening: FreshDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    config = configured(evening, tmp_path)
    command = ["report", "--config", str(config), "-o", str(tmp_path / "report.html")]
    assert cli.main([*command, "--from", "2026-11-20", "--to", "2026-11-19"]) == 1
    assert "is before the first" in capsys.readouterr().err
    assert cli.main(["report", "--config", str(config), "-o", str(tmp_path / "none" / "report.html"), *day_of()]) == 1
    (tmp_path / "folder.html").mkdir()
    assert cli.main(["report", "--config", str(config), "-o", str(tmp_path / "folder.html"), *day_of()]) == 1
    assert not list(tmp_path.glob(".*"))
    config.write_text('purpose = "rehearsal"\n' + config.read_text())
    assert cli.main(command) == 2
    assert not [path for path in tmp_path.iterdir() if "report" in path.name]

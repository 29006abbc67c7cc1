"""`livemon report`: the page is whole and safe in both languages, and its figures are those of the database."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from monitor import cli
from monitor.history.report.content import Blind, Content, Drop, Period, Point
from monitor.history.report.curves import gmv, viewers
from monitor.history.report.definitions import DEFINITIONS
from monitor.history.report.drop_times import heaped
from monitor.history.report.heat import by_hour, shade
from monitor.history.report.markup import Markup, safe, tag
from monitor.history.report.page import page
from monitor.history.report.plots import ceiling, marks
from monitor.history.report.question import Asked, BadDays, days
from monitor.history.report.spoken import NOTHING, Speech
from monitor.history.report.words import WORDS, Language
from monitor.store import embedded
from tests.history.questions.market_evening import DAY as ONE_DAY
from tests.history.questions.market_evening import EVENING, at, play
from tests.history.report_rows import DAY, MINUTE, ZONE, empty, full, period, starts_at
from tests.postgres import TEMPLATE, FreshDatabase, _fresh, elsewhere
from tests.sql.stage import Stage

LANGUAGES: tuple[Language, ...] = ("en", "zh")
PARTS = ["key", "cut", "curves", "heat", "platforms", "lists", "drop-times", "blind-spans", "definitions"]
VOID = {"meta", "br"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></svg><iframe srcdoc=x>",
    "' style='position:fixed",
    "{} {0} %s & &lt;",
    "\u202eabc\x00\x1b[31m\u2028",
]


@dataclass
class Element:
    name: str
    attributes: dict[str, str | None]
    inside: list["Element | str"] = field(default_factory=list)

    def all(self, name: str | None = None) -> Iterator["Element"]:
        for part in self.inside:
            if isinstance(part, Element):
                if name in (None, part.name):
                    yield part
                yield from part.all(name)

    @property
    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.inside)

    def by_id(self, name: str) -> "Element":
        (found,) = [part for part in self.all() if part.attributes.get("id") == name]
        return found

    def rows(self) -> list[list[str]]:
        """The cells of the table rows in it."""
        return [[cell.text for cell in row.all("td")] for row in self.all("tr") if any(True for _ in row.all("td"))]

    def after(self, heading: str) -> "Element":
        """What comes after the h3 with this text."""
        parts = [part for part in self.inside if isinstance(part, Element)]
        (place,) = [n for n, part in enumerate(parts) if part.name == "h3" and part.text == heading]
        return parts[place + 1]


class Reader(HTMLParser):
    """Every element must be closed, by its own end and in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        assert len(element.attributes) == len(attrs), f"{tag} has an attribute twice"
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().name == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read(text: str) -> Element:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def tile(root: Element, key: str) -> tuple[str, str]:
    box = root.by_id(f"key-{key}")
    (value,), (below,) = box.all("b"), box.all("small")
    return value.text, below.text


def speech(language: Language = "en", currency: str = "CNY") -> Speech:
    return Speech(language, currency, ZONE)


# The page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "content",
    [full(), empty(), full(period(DAY, DAY + timedelta(days=6))), full(period(as_of=starts_at(DAY) + 500.5 * MINUTE))],
    ids=["day", "empty", "week", "part"],
)
def test_the_page_is_whole_and_asks_nothing_of_anybody(content: Content, language: Language):
    text = page(content, language)
    root = read(text)
    assert [section.attributes["id"] for section in root.all("section")] == PARTS
    assert len(list(root.all("h1"))) == 1
    told = list(root.all())
    assert not {"script", "img", "iframe", "link", "object", "embed", "form", "a", "base"} & {
        part.name for part in told
    }
    names = {name for part in told for name in part.attributes}
    assert not {name for name in names if name.startswith("on")} | ({"href", "src", "style", "xlink:href"} & names)
    assert not re.search(r"//|https?:|url\((?!#hatch\))|@import", text)
    ids = [part.attributes["id"] for part in told if "id" in part.attributes]
    assert len(ids) == len(set(ids))
    assert not re.search(r"\bnan\b|\binf\b|None|Decimal|\{\d?\}", text)
    (html,) = root.all("html")
    assert html.attributes["lang"] == {"en": "en", "zh": "zh-CN"}[language]


def test_the_policy_allows_this_style_sheet_and_nothing_else():
    root = read(page(full(), "en"))
    (style,) = root.all("style")
    (policy,) = [part for part in root.all("meta") if part.attributes.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert policy.attributes["content"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_of_strangers_are_text(hostile: str, language: Language):
    usual = read(page(msgspec.structs.replace(full(), points=full().points[:300]), language))
    content = msgspec.structs.replace(full(names=hostile.replace("{", "(").replace("}", ")") + " {}"), event=hostile)
    content = msgspec.structs.replace(
        content,
        zone_name=hostile,
        version=hostile,
        blind=[
            msgspec.structs.replace(span, feed=hostile, platform=hostile, hall=hostile, cause=hostile)
            for span in content.blind
        ],
        drops=[msgspec.structs.replace(drop, cause=hostile) for drop in content.drops],
        points=[msgspec.structs.replace(p, platform=hostile) for p in content.points[:300]],
    )  # fmt: skip
    text = page(content, language)
    root = read(text)
    assert sorted({part.name for part in root.all()}) == sorted({part.name for part in usual.all()})
    assert {name for part in root.all() for name in part.attributes} == {
        name for part in usual.all() for name in part.attributes
    }
    (heading,) = root.all("h1")
    shown = "".join(char if char.isprintable() else " " for char in hostile)
    assert heading.text.startswith(shown)
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2028]", text)


def test_an_average_is_over_the_time_with_a_known_number():
    row = msgspec.structs.replace(full().of("all")[0], watch_hours=Decimal(10), measured_s=Decimal(1_800))
    assert row.average_viewers == 20
    assert msgspec.structs.replace(row, measured_s=Decimal(0)).average_viewers is None


def test_totals_are_of_the_events_currency():
    assert tile(read(page(full(), "en")), "gmv")[0] == "¥18,518,518.35"  # 1,234,567.89 x (1 + 2 + 3 + 4 + 5)


def test_long_names_are_cut():
    for length in (80, 500):  # and the number of each
        text = page(full(names="长" * length + "{}"), "zh")
        assert "长" * 79 + "…" in text
        assert "长" * 80 not in text
    assert "长" * 79 in page(full(names="长" * 79 + "{}"), "zh")


def test_markup_is_escaped_once():
    assert tag("p", "<&>", Markup("<b>"), class_='"') == '<p class="&quot;">&lt;&amp;&gt;<b></p>'
    assert safe(safe("<")) == "&lt;"


# Its words


def test_both_languages_have_the_same_words():
    assert list(WORDS["en"]) == list(WORDS["zh"])
    for key, text in WORDS["en"].items():
        assert text.strip()
        assert WORDS["zh"][key].strip()
        assert len(re.findall(r"\{\d?\}", text)) == len(re.findall(r"\{\d?\}", WORDS["zh"][key])), key


def test_both_languages_define_the_same_figures_and_every_key_figure():
    for language in LANGUAGES:
        keys = [key for key, _, _ in DEFINITIONS[language]]
        assert keys == [key for key, _, _ in DEFINITIONS["en"]]
        assert set(keys) <= set(WORDS[language])
        tiles = [
            part.attributes["id"]
            for part in read(page(full(), language)).all()
            if part.attributes.get("class") == "tile"
        ]
        assert {str(name).removeprefix("key-") for name in tiles} <= set(keys)


def test_every_word_is_used():
    folder = Path(__file__).parents[2] / "monitor" / "history" / "report"
    code = "".join(path.read_text() for path in folder.glob("*.py") if path.name != "words.py")
    outcomes = {"resumed", "lost"}  # of drops, as the database names them
    assert [key for key in WORDS["en"] if not re.search(f"[\"']{key}[\"']", code) and key not in outcomes] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_day_tells_zero_of_what_was_counted_and_a_dash_of_what_nobody_knows(language: Language):
    root = read(page(empty(), language))
    assert tile(root, "gmv")[0] == "¥0.00"
    assert tile(root, "orders")[0] == "0"
    assert tile(root, "peak") == (NOTHING, "")
    assert NOTHING in tile(root, "refunds")[1]
    nothing = WORDS[language]["nothing"]
    for part in ("curves", "heat", "platforms", "lists", "drop-times", "blind-spans"):
        assert nothing in root.by_id(part).text
        assert not list(root.by_id(part).all("svg"))
    (row, *_) = root.by_id("cut").rows()
    assert row == ["2026-11-19", "GMV", WORDS[language]["nothing_cut"], NOTHING, "¥0.00"]


def test_a_day_that_goes_on_says_so_and_has_no_cut_yet():
    told = period(as_of=starts_at(DAY) + timedelta(hours=24, minutes=14))
    root = read(page(empty(told), "en"))
    assert root.by_id("cut").rows()[0][2] == "not cut yet"
    assert WORDS["en"]["not_over"] not in root.text
    root = read(page(empty(period(as_of=starts_at(DAY) + timedelta(hours=23))), "en"))
    assert WORDS["en"]["not_over"] in root.text


# Its numbers


def test_money_has_the_decimals_of_its_currency():
    assert speech().money(123_456_789) == "¥1,234,567.89"
    assert speech().money(-5) == "-¥0.05"
    assert speech(currency="JPY").money(1_234) == "JPY 1,234"
    assert speech(currency="KWD").money(1_234) == "KWD 1.234"
    assert speech().money(None) == NOTHING


def test_short_numbers_keep_three_digits():
    shown = [speech("zh").short(n) for n in (0, 7, 9_999, 10_000, 123_456, 1_234_567, 99_999_999, 123_456_789)]
    assert shown == ["0", "7", "9999", "1万", "12.3万", "123万", "10000万", "1.2亿"]
    assert [speech("en").short(n) for n in (999, 1_000, 12_345, 2_500_000)] == ["999", "1k", "12.3k", "2.5M"]
    assert speech("en").short(Decimal("0.04")) == "0"


def test_spans_have_their_two_largest_units():
    told = [speech().span(Decimal(s)) for s in ("0", "59.4", "60", "61", "3600", "3661", "7325")]
    assert told == ["0 s", "59 s", "1 min", "1 min 1 s", "1 h", "1 h 1 min", "2 h 2 min"]


def test_a_share_of_nothing_is_a_dash():
    assert speech().share(1, 0) == NOTHING
    assert speech().share(1_300, 14_100) == "9.22%"


# Its plots


def points(*told: tuple[datetime, str, int, int]) -> list[Point]:
    return [
        Point(at=when, platform=name, viewer_minutes=Decimal(people), rooms_live=1, orders=0, gmv_minor=fen)
        for when, name, people, fen in told
    ]


def test_a_curve_ends_where_the_last_closed_minute_does():
    begins = starts_at(DAY)
    told = period(as_of=begins + 3.7 * MINUTE)
    rows = points((begins, "a", 10, 600), (begins, "b", 5, 0), (begins + 2 * MINUTE, "a", 30, 100))
    assert [value for _, value in viewers(told, rows)] == [15, 0, 30]
    assert [value for _, value in gmv(told, rows, speech())] == [6, 0, 1]


def test_a_step_that_is_not_over_is_an_average_of_what_is():
    begins = starts_at(DAY)
    told = period(DAY, DAY + timedelta(days=6), as_of=begins + 13 * MINUTE)
    assert told.step == 10 * MINUTE
    rows = points((begins, "a", 1_000, 0), (begins + 10 * MINUTE, "a", 300, 0))
    assert [value for _, value in viewers(told, rows)] == [100, 100]


def test_a_window_that_cuts_a_day_cuts_its_curves():
    begins = starts_at(DAY)
    told = msgspec.structs.replace(period(), from_at=begins + 100 * MINUTE, to_at=begins + 103 * MINUTE)
    assert [at for at, _ in viewers(told, [])] == [begins + n * MINUTE for n in (100, 101, 102)]


def test_hours_are_counted_from_midnight_also_where_clocks_change():
    berlin = ZoneInfo("Europe/Berlin")
    begins, ends = (datetime(2026, 10, 25 + n, tzinfo=berlin).astimezone(UTC) for n in (0, 1))
    day = date(2026, 10, 25)
    told = Period(first=day, last=day, starts_at=begins, ends_at=ends, from_at=begins, to_at=ends, as_of=ends)
    assert len(told.instants(timedelta(hours=1))) == 25
    shown = [text for _, text in marks(Speech("en", "EUR", berlin), told)]
    assert shown == ["00:00", "02:00", "03:00", "05:00", "07:00", "09:00", "11:00", "13:00", "15:00", "17:00", "19:00",
                     "21:00", "23:00"]  # fmt: skip
    cells = by_hour(told, points((begins + 150 * MINUTE, "a", 60, 0), (begins + 179 * MINUTE, "a", 60, 0)))
    assert cells == {("a", begins + timedelta(hours=2)): 2}


def test_a_week_is_marked_by_its_days():
    told = period(DAY, DAY + timedelta(days=6))
    assert [text for _, text in marks(speech(), told)] == [f"11-{n}" for n in range(19, 26)]


def test_shades_grow_with_the_value():
    levels = [shade(Decimal(n), Decimal(100)) for n in range(101)]
    assert levels[0] == 0
    assert levels[1] == 1
    assert levels[-1] == 7
    assert levels == sorted(levels)
    assert shade(Decimal(0), Decimal(0)) == 0


def test_the_top_of_a_plot_is_round_and_near():
    assert [ceiling([Decimal(n)]) for n in ("0", "0.3", "1", "13", "41", "99", "100")] == [
        1, Decimal("0.3"), 1, 16, 50, 100, 100,
    ]  # fmt: skip
    assert ceiling([]) == 1


def test_drops_of_a_step_are_one_stroke():
    begins = starts_at(DAY)
    usual = Drop(
        platform="a",
        external_id="r",
        anchor="",
        hall="",
        at=begins,
        down_s=None,
        viewers_before=None,
        outcome="resumed",
        cause="",
    )
    drops = [
        msgspec.structs.replace(usual, at=begins + timedelta(seconds=s), viewers_before=v, outcome=o)
        for s, v, o in [(0, None, "resumed"), (59, 40, "lost"), (60, 7, "resumed")]
    ]
    heaps = heaped(period(), [*drops, msgspec.structs.replace(usual, platform="b")])
    assert {key: (heap.drops, heap.lost, heap.viewers) for key, heap in heaps.items()} == {
        ("a", begins): (2, 1, 40),
        ("a", begins + MINUTE): (1, 0, 7),
        ("b", begins): (1, 0, 0),
    }
    root = read(page(msgspec.structs.replace(full(), drops=drops), "en")).by_id("drop-times")
    assert [part.attributes["class"] for part in root.all("line") if part.attributes["class"] != "grid"] == [
        "lost",
        "drop",
    ]
    assert len(list(root.all("circle"))) == 1


def test_the_worst_drop_is_first_and_unknown_viewers_are_last():
    worst = read(page(full(), "en")).by_id("drop-times").rows()
    before = [row[-1] for row in worst]
    assert before == sorted(before, key=lambda text: -int(text.replace(",", "")))
    few = msgspec.structs.replace(full(), drops=full().drops[:14])
    assert [row[-1] for row in read(page(few, "en")).by_id("drop-times").rows()][-2:] == [NOTHING, NOTHING]


def test_blind_spans_that_overlap_are_one_bar():
    begins = starts_at(DAY)

    def span(feed: str, from_minute: int, to_minute: int) -> Blind:
        ends = begins + to_minute * MINUTE
        return Blind(
            feed=feed,
            platform="",
            hall="",
            from_at=begins + from_minute * MINUTE,
            to_at=ends,
            still_open=False,
            cause="",
        )

    content = msgspec.structs.replace(
        full(), blind=[span("a", 0, 100), span("b", 50, 80), span("c", 60, 200), span("d", 300, 310)]
    )
    (first, *_) = read(page(content, "en")).by_id("curves").all("svg")
    bars = [(part.attributes["x"], part.attributes["width"]) for part in first.all("rect")]
    wide = 922 / 1440
    assert [float(str(part)) for bar in bars for part in bar] == pytest.approx(
        [8, 100 * wide, 8 + 100 * wide, 100 * wide, 8 + 300 * wide, 10 * wide], abs=0.06
    )
    assert [row[0] for row in read(page(content, "en")).by_id("blind-spans").rows()] == ["c", "a", "b", "d"]


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


def configured(database: FreshDatabase, folder: Path, more: str = "") -> Path:
    """A config file for this database, with its passwords in files."""
    config, lines = folder / "livemon.toml", ['data_dir = "var"']
    for key, role in (("dsn", "writer"), ("reader_dsn", "reader")):
        login = f"livemon_{role}"
        (folder / key).write_text(database.server.password(login))
        (folder / key).chmod(0o600)
        lines += [f'{key} = "postgresql://{login}@/{database.name}?host={database.server.socket}"']
        lines += [f'{key}_password_file = "{key}"']
    config.write_text("\n".join([*lines, more]))
    return config


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

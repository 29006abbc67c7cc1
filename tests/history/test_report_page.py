"""The page of `livemon report`, of made-up rows: whole and safe in both languages, its words, numbers and plots."""

import base64
import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from monitor.history.report.content import Blind, Content, Drop, Period, Point
from monitor.history.report.curves import gmv, viewers
from monitor.history.report.definitions import DEFINITIONS
from monitor.history.report.drop_times import heaped
from monitor.history.report.heat import by_hour, shade
from monitor.history.report.markup import Markup, safe, tag
from monitor.history.report.page import page
from monitor.history.report.plots import ceiling, marks
from monitor.history.report.spoken import NOTHING, Speech
from monitor.history.report.words import WORDS, Language
from tests.history.report_rows import DAY, MINUTE, ZONE, empty, full, period, starts_at
from tests.history.report_tree import read, tile

LANGUAGES: tuple[Language, ...] = ("en", "zh")
PARTS = ["key", "cut", "curves", "heat", "platforms", "lists", "drop-times", "blind-spans", "definitions"]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></svg><iframe srcdoc=x>",
    "' style='position:fixed",
    "{} {0} %s & &lt;",
    "\u202eabc\x00\x1b[31m\u2028",
]


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

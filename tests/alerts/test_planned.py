"""Planned silences come from the file that people have; what would silence everything is refused at its line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from monitor.alerts.planned import WATCHDOG, Planned, Unsuitable, duration, matchers, read_planned, to_make
from monitor.alerts.silence import Matcher, Silence, Status

ZONE, NOW = ZoneInfo("Asia/Shanghai"), datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
HEADER = "platform,hall,room,alertname,starts_at,ends_at,by,reason\n"


def of(*rows: str) -> Planned:
    return read_planned((HEADER + "\n".join(rows)).encode(), "s.csv", ZONE, NOW)


def test_a_row_is_a_silence() -> None:
    (silence,) = of("wechat,3,,,2026-11-20 02:00,2026-11-20 03:00,张三,换电缆").silences
    assert silence == Silence(
        matchers=(Matcher("platform", "wechat"), Matcher("hall", "3")),
        starts_at=datetime(2026, 11, 19, 18, tzinfo=UTC),
        ends_at=datetime(2026, 11, 19, 19, tzinfo=UTC),
        created_by="张三",
        comment="换电缆",
    )


def test_what_is_over_is_left_out() -> None:
    assert of("wechat,3,,,2026-11-18 02:00,2026-11-18 03:00,张三,") == Planned()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",,,,2026-11-20 02:00,2026-11-20 03:00,张三,", "would silence everything"),
        (",,,LivemonWatchdog,2026-11-20 02:00,2026-11-20 03:00,张三,", "would silence LivemonWatchdog"),
        ("wechat,,,,2026-11-20 02:00,2026-11-20 01:00,张三,", "ends_at is not within 14 days after starts_at"),
        ("wechat,,,,2026-11-20 02:00,2026-12-20 01:00,张三,", "ends_at is not within 14 days after starts_at"),
        ("wechat,,,,tomorrow,2026-11-20 01:00,张三,", "starts_at 'tomorrow' is no date with a time"),
        ("wechat,,,,2026-11-20 02:00,2026-11-20 03:00,,", "a name has 1 to 64 characters"),
    ],
)
def test_what_is_wrong_is_said_at_its_line_and_nothing_is_made(row: str, said: str) -> None:
    found = of("wechat,3,,,2026-11-20 02:00,2026-11-20 03:00,张三,", row)
    (problem,) = found.problems
    assert (found.silences, problem.line) == ((), 3)
    assert problem.what.startswith(("this " + said, said))


def test_a_second_import_makes_nothing_twice() -> None:
    rows = of(
        "wechat,3,,,2026-11-20 02:00,2026-11-20 03:00,张三,", "wechat,4,,,2026-11-19 19:00,2026-11-19 21:00,张三,"
    )
    later, begun = rows.silences
    at = NOW - timedelta(seconds=3)  # Alertmanager lets none begin before it was made
    known = [
        Silence(id="1", matchers=later.matchers[::-1], starts_at=later.starts_at, ends_at=later.ends_at),
        Silence(id="2", matchers=begun.matchers, starts_at=at, ends_at=begun.ends_at),
    ]
    assert to_make(rows.silences, known, NOW) == []
    assert to_make(rows.silences, known[:1], NOW) == [begun]
    gone = [Silence(matchers=each.matchers, starts_at=each.starts_at, ends_at=each.ends_at, status=Status("expired"))
            for each in rows.silences]  # fmt: skip
    assert to_make(rows.silences, gone, NOW) == [later, begun]


@pytest.mark.parametrize(
    ("word", "matcher"),
    [
        ("platform=wechat", Matcher("platform", "wechat")),
        ("room=a=b", Matcher("room", "a=b")),
        ("hall!=3", Matcher("hall", "3", False, False)),
        ('room=~"1|2"', Matcher("room", "1|2", True)),
        ("room!~1.*", Matcher("room", "1.*", True, False)),
    ],
)
def test_conditions_as_people_write_them(word: str, matcher: Matcher) -> None:
    assert matchers(["alertname=x", word])[1] == matcher


@pytest.mark.parametrize(
    "words",
    [[], ["platform"], ["=x"], ["room=~.*"], ["hall!=3"], ["severity=info"], ["severity=~info|warning"], ["1=2"]],
)
def test_conditions_that_are_none_or_too_wide(words: list[str]) -> None:
    with pytest.raises(Unsuitable):
        matchers(words)


def test_the_watchdog_is_known_by_the_labels_of_its_rule() -> None:
    rules = yaml.safe_load((Path(__file__).parents[2] / "prometheus" / "rules" / "watch.yml").read_text())["groups"]
    (rule,) = (each for group in rules for each in group["rules"] if each.get("alert") == WATCHDOG["alertname"])
    assert WATCHDOG == {"alertname": rule["alert"]} | rule["labels"]


@pytest.mark.parametrize(("text", "hours"), [("2h", 2), ("90m", 1.5), ("1d12h", 36), ("3600s", 1)])
def test_lengths(text: str, hours: float) -> None:
    assert duration(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "2", "h", "0m", "15d", "-2h", "2h 3", "999999d"])
def test_lengths_that_are_none(text: str) -> None:
    with pytest.raises(Unsuitable):
        duration(text)

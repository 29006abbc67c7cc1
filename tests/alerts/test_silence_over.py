"""A silence that ended while what it hid still fires is one message, with its worst severity and the first of it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from monitor.alerts import silence_over
from monitor.alerts.silence import Matcher, Silence
from monitor.alerts.silences import Listed
from tests.alerts.duty_book import dropped

AT = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
OVER = Silence(id="s", matchers=(Matcher("hall", "3"),), starts_at=AT, ends_at=AT, created_by="张三", comment="换电缆")


def test_it_names_who_silenced_what_and_what_fires() -> None:
    heard = [Listed("f", dropped(str(number)) | {"anchor": "甲"}, AT) for number in range(25)]
    heard.append(Listed("g", {"alertname": "LivemonFeedBlind", "severity": "warning", "feed": "wx"}, AT))
    told = silence_over.notice(OVER, heard, ZoneInfo("Asia/Shanghai"), "zh")
    assert told.title == "【静默结束】张三 的静默已于 20:00 结束,仍有 26 条告警"
    assert told.lines[:2] == ('静默:hall="3" (换电缆)', "LivemonRoomDropped 甲 (wechat 3 0)")
    assert (told.lines[-1], len(told.lines), told.severity, told.kind) == ("另有 6 条", 22, "critical", "silence_over")


def test_each_end_has_a_key_of_its_own() -> None:
    assert silence_over.key(OVER) == "silence over s 2026-11-19T12:00:00+00:00"

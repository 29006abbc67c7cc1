"""Messages read word for word as a person on duty needs them, and what is not known is left out cleanly."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
import yaml
from msgspec.structs import replace

from monitor.alerts import wording
from monitor.alerts.alert import Alert, Episode
from monitor.alerts.alert_words import NAMES, hall_of, money_of, span_of
from monitor.alerts.boards import Boards
from monitor.alerts.contacts import Contact
from monitor.alerts.notice import Language, Notice
from monitor.alerts.robots import text
from monitor.alerts.saying import Wording
from monitor.alerts.sight import Counts, RoomSight

ROOT = Path(__file__).parents[2]
STOPPED_AT = datetime(2026, 11, 19, 12, 14, 5, tzinfo=UTC)
NOW = STOPPED_AT + timedelta(seconds=25)
ZHANG = Contact("zhang", "张三", "13800000000", "ding-zhang")
BOARDS = Boards(
    "https://g.cn/", "https://live.cn/", lambda number: f"token{number}", {"zhang": ZHANG}, ZoneInfo("Asia/Shanghai")
)
BARE = Boards(zone=ZoneInfo("Asia/Shanghai"))
KEY = ("wechat", "r1")
WANG = RoomSight(*KEY, "王姐海鲜", "大连", "3", 1, "zhang", 2, STOPPED_AT, "", 12_340, tells_end=True)
SALES = {KEY: (8_620_000, "CNY")}
ONE = Counts(told=1)


def episode(number: int = 4821, name: str = "LivemonRoomDropped", severity: str = "critical", **labels: str) -> Episode:
    texts = {"description": "多半是平台故障。", "description_en": "Most likely a fault.", "summary": "断流"}
    alert = Alert(f"f{number}", name, severity, labels, texts, STOPPED_AT + timedelta(seconds=8))
    return Episode(number, alert)


def of_room(number: int = 4821, room: str = "r1", name: str = "LivemonRoomDropped", **labels: str) -> Episode:
    return episode(number, name, platform="wechat", room=room, hall="3", **labels)


def read(notice: Notice, language: Language = "zh") -> str:
    return "\n".join(text.rows(notice, language, text.one_line, lambda link: link.text))


def test_a_drop_reads_as_the_issue_wants_it():
    notice = wording.firing([of_room()], {KEY: WANG}, ONE, BOARDS, "zh", NOW, SALES)
    assert read(notice) == (
        "【断流】#4821 大连·王姐海鲜(视频号)20:14:05 停,已 25 秒;停前在线 12,340,近 10 分钟成交 ¥86,200;"
        "3 号馆,联系人 张三;看板 · 我来处理"
    )
    assert (notice.kind, notice.severity, notice.episode, notice.mentions) == ("firing", "critical", 4821, (ZHANG,))


def test_a_star_that_stops_about_the_planned_end_has_most_likely_signed_off_and_nobody_is_called():
    wang = replace(WANG, tells_end=False)
    one, other = (
        replace(of_room(n, tier="1"), alert=replace(of_room(n, tier="1").alert, severity="warning")) for n in (1, 2)
    )
    notice = wording.firing([one], {KEY: wang}, ONE, BOARDS, "zh", NOW, SALES)
    assert read(notice).startswith("【疑似下播】#1 大连·王姐海鲜(视频号)20:14:05 停播,该来源不区分下播与断流,已 25 秒")
    assert (notice.severity, notice.mentions) == ("warning", ())
    many = wording.firing([one, other], {KEY: wang}, Counts(told=2), BOARDS, "zh", NOW, SALES)
    title, why, first, *_ = read(many).splitlines()
    assert title == "【疑似下播】2 个直播间(视频号,3 号馆)停播"
    assert why == "都在计划下播前后停播,没有收到下播通知,多半是正常下播"
    assert first.startswith("#1 大连·王姐海鲜")
    assert many.mentions == ()
    english = wording.firing([one, other], {KEY: wang}, Counts(told=2), BOARDS, "en", NOW, SALES)
    assert "Likely over" in read(english, "en")
    assert "most likely they were" in read(english, "en")


def test_a_drop_in_english():
    notice = wording.firing([of_room()], {KEY: WANG}, ONE, BOARDS, "en", NOW, SALES)
    assert read(notice, "en") == (
        "[Dropped] #4821 大连·王姐海鲜 (WeChat) stopped at 20:14:05, 25 s ago; 12,340 viewers before, "
        "¥86,200 sold in 10 min; hall 3, contact 张三; board · I take it"
    )


@pytest.mark.parametrize(
    ("picture", "language", "said"),
    [
        ("sound_only", "zh", "近 10 分钟成交 ¥86,200;拉流查看:只有声音,没有画面;3 号馆"),
        ("nothing", "zh", "拉流查看:收不到画面和声音;"),
        ("moving", "en", "¥86,200 sold in 10 min; a player still gets a moving picture; hall 3"),
        ("unreachable", "en", "no player can reach the server; "),
        ("unsure", "zh", "¥86,200;3 号馆"),  # what says nothing is not said
        ("timeout", "en", "in 10 min; hall 3"),
    ],
)
def test_what_a_player_found_is_said_beside_the_stop(picture: str, language: Language, said: str):
    room = replace(WANG, picture=picture)
    notice = wording.firing([of_room()], {KEY: room}, ONE, BOARDS, language, NOW, SALES)
    assert said in read(notice, language)


def test_the_links_lead_to_the_board_of_the_hall_with_its_span_and_to_the_page():
    board, act = wording.firing([of_room()], {KEY: WANG}, ONE, BOARDS, "zh", NOW).links
    assert act.url == "https://live.cn/a/token4821"
    parts = urlsplit(board.url)
    since_ms = int((STOPPED_AT + timedelta(seconds=8) - timedelta(minutes=15)).timestamp() * 1000)
    assert parts.path == "/d/livemon-hall"
    assert parse_qs(parts.query) == {"from": [str(since_ms)], "to": ["now"], "var-hall": ["3"]}
    [board] = wording.ended([of_room()], "recovered", {KEY: WANG}, BOARDS, "zh", NOW).links
    assert parse_qs(urlsplit(board.url).query)["to"] == [str(int((NOW + timedelta(minutes=5)).timestamp() * 1000))]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"viewers_before": None, "contact": ""}, "大连·王姐海鲜(视频号)20:14:05 停,已 25 秒;3 号馆"),
        ({"city": "", "hall": ""}, "王姐海鲜(视频号)20:14:05 停,已 25 秒;停前在线 12,340;联系人 张三"),
        ({"contact": "李四"}, "大连·王姐海鲜(视频号)20:14:05 停,已 25 秒;停前在线 12,340;3 号馆,联系人 李四"),
        ({"anchor": "", "city": "", "hall": "", "contact": ""}, "r1(视频号)20:14:05 停,已 25 秒;停前在线 12,340"),
        ({"city": "", "hall": "一号馆", "viewers_before": 0, "contact": ""},
         "王姐海鲜(视频号)20:14:05 停,已 25 秒;停前在线 0;一号馆"),
        ({"since": STOPPED_AT - timedelta(days=1), "viewers_before": None, "contact": ""},
         "大连·王姐海鲜(视频号)11-18 20:14:05 停,已 24 小时;3 号馆"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_left_out(changes: dict[str, object], says: str):
    people = BARE._replace(contacts=BOARDS.contacts)
    notice = wording.firing([of_room()], {KEY: replace(WANG, **changes)}, ONE, people, "zh", NOW)
    assert read(notice) == f"【断流】#4821 {says}"
    assert all(contact.id for contact in notice.mentions)


def test_of_a_room_that_is_not_known_any_more_the_alert_itself_speaks():
    notice = wording.firing([of_room(anchor="王姐海鲜", city="大连")], {}, ONE, BARE, "zh", NOW)
    assert read(notice) == "【断流】#4821 大连·王姐海鲜(视频号)20:14:13 停,已 17 秒;3 号馆"


def test_a_source_that_cannot_tell_a_sign_off_from_a_drop_is_said_to():
    notice = wording.firing([of_room()], {KEY: replace(WANG, tells_end=False)}, ONE, BARE, "zh", NOW)
    assert read(notice).startswith("【停播】#4821 大连·王姐海鲜(视频号)20:14:05 停播,该来源不区分下播与断流,已 25 秒;")
    assert "断流】" not in read(notice)


def test_many_are_a_count_and_the_ten_with_the_most_viewers():
    rooms = {
        ("wechat", f"r{n}"): replace(WANG, room=f"r{n}", anchor=f"主播{n}", viewers_before=n) for n in range(1, 38)
    }
    notice = wording.firing([of_room(n, f"r{n}") for n in range(1, 38)], rooms, Counts(told=37), BOARDS, "zh", NOW)
    rows = read(notice).split("\n")
    assert rows[0] == "【断流】37 个直播间(视频号,3 号馆)停播"
    assert rows[1] == "#37 大连·主播37(视频号)20:14:05 停,已 25 秒;停前在线 37;3 号馆,联系人 张三"
    assert [row.split()[0] for row in rows[1:11]] == [f"#{n}" for n in range(37, 27, -1)]
    assert rows[11] == "另有 27 个"
    assert rows[12].startswith("看板 · #37 我来处理 · #36 我来处理")
    assert notice.episode is None
    over = wording.ended([of_room(n, f"r{n}") for n in range(1, 38)], "recovered", rooms, BOARDS, "zh", NOW)
    assert read(over).startswith("【恢复】37 个直播间(视频号,3 号馆)\n#37 大连·主播37(视频号)20:14:30 恢复")


def test_an_outage_counts_its_rooms_and_names_the_largest():
    rooms = {("wechat", f"r{n}"): replace(WANG, room=f"r{n}", viewers_before=n) for n in range(1, 60)}
    counts = Counts("wechat", "", 1, live=7000, dropped=4990, lost=10)
    outage = episode(77, "LivemonPlatformOutage", platform="wechat")
    rows = read(wording.firing([outage], rooms, counts, BOARDS, "zh", NOW)).split("\n")
    assert rows[:3] == [
        "【平台断流】#77 视频号 平台大面积断流,20:14:13 起", "12,000 个在播直播间中 5,000 个停播", "多半是平台故障"
    ]  # fmt: skip
    assert "停前在线 59" in rows[3]
    assert rows[-2:] == ["另有 4,990 个", "看板 · 我来处理"]
    assert read(wording.ended([outage], "recovered", rooms, BARE, "zh", NOW + timedelta(minutes=5))) == (
        "【恢复】#77 视频号 平台大面积断流 20:19:30 恢复,历时 5 分 17 秒"
    )


def test_what_cannot_be_seen_is_no_drop():
    blind = episode(78, "LivemonFeedBlind", feed="hall-a", platform="nginx_rtmp", hall="A")
    said = read(wording.firing([blind], {}, Counts(), BARE, "zh", NOW))
    assert said == "【看不见】#78 hall-a 自建 nginx-rtmp A 馆 数据源失联,20:14:13 起;多半是平台故障"
    assert "断流" not in said


def test_the_rooms_of_a_platform_are_counted_only_where_they_are_what_it_is_about():
    refused = episode(79, "LivemonAccountsRefused", platform="wechat")
    counts = Counts("wechat", "", 1, live=7000, dropped=3)
    assert read(wording.firing([refused], {KEY: WANG}, counts, BARE, "zh", NOW)) == (
        "【授权】#79 视频号 授权被拒,20:14:13 起;多半是平台故障"
    )


def test_words_with_their_boards_are_what_the_book_asks_for():
    words: Wording = wording.Words(BOARDS, lambda: NOW, lambda: SALES)
    assert words.firing([of_room()], {KEY: WANG}, ONE, "zh") == (
        wording.firing([of_room()], {KEY: WANG}, ONE, BOARDS, "zh", NOW, SALES)
    )
    plain: Wording = wording.Words(BOARDS, lambda: NOW)
    assert plain.ended([of_room()], "recovered", {KEY: WANG}, "en").kind == "recovered"
    assert "成交" not in read(plain.firing([of_room()], {KEY: WANG}, ONE, "zh"))


def test_how_it_ended():
    live = {KEY: replace(WANG, state=1, since=NOW + timedelta(minutes=3))}
    later = NOW + timedelta(minutes=4)
    assert read(wording.ended([of_room()], "recovered", live, BARE, "zh", later)) == (
        "【恢复】#4821 大连·王姐海鲜(视频号)20:17:30 恢复,历时 3 分 17 秒"
    )
    lost = wording.ended([of_room()], "not_recovered", {KEY: WANG}, BOARDS, "zh", later)
    assert read(lost) == "【未恢复】#4821 大连·王姐海鲜(视频号)20:14:13 停,宽限期已过仍未恢复;看板"
    assert (lost.kind, lost.mentions) == ("not_recovered", ())
    assert read(wording.ended([of_room()], "recovered", live, BARE, "en", later), "en") == (
        "[Recovered] #4821 大连·王姐海鲜 (WeChat) recovered at 20:17:30, after 3 min 17 s"
    )


def test_a_note_of_the_rule_is_passed_on():
    noted = of_room()
    alert = replace(noted.alert, annotations={"note": "临近计划下播,多半是正常下播。"})
    notice = wording.firing([replace(noted, alert=alert)], {KEY: WANG}, ONE, BARE, "zh", NOW)
    assert read(notice).endswith(";停前在线 12,340;临近计划下播,多半是正常下播;3 号馆,联系人 zhang")


def test_every_alert_there_is_has_its_words_in_both_languages():
    rules = [
        rule["alert"]
        for file in (ROOT / "prometheus" / "rules").glob("*.yml")
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert rules
    assert set(rules) <= set(NAMES)
    for name, words in NAMES.items():
        assert set(words) == {"zh", "en"}
        for language in ("zh", "en"):
            said = read(wording.firing([episode(1, name)], {}, ONE, BARE, language, NOW), language)
            assert said.startswith("【" if language == "zh" else "[")
            assert not re.search(r"  |,,|;;|\(\)|None", said), said


def test_an_alert_that_is_not_ours_is_told_by_its_name():
    assert read(wording.firing([episode(5, "DiskFull", job="node")], {}, ONE, BARE, "zh", NOW)) == (
        "【告警】#5 node DiskFull,20:14:13 起;多半是平台故障"
    )


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0, "0 秒", "0 s"), (25, "25 秒", "25 s"), (60, "1 分", "1 min"), (200, "3 分 20 秒", "3 min 20 s"),
        (3600, "1 小时", "1 h"), (3905, "1 小时 5 分", "1 h 5 min"), (-5, "0 秒", "0 s"),
    ],
)  # fmt: skip
def test_spans(seconds: int, zh: str, en: str):
    assert (span_of(timedelta(seconds=seconds), "zh"), span_of(timedelta(seconds=seconds), "en")) == (zh, en)


def test_money_and_halls():
    assert money_of(8_620_049, "CNY") == "¥86,200"
    assert money_of(8_620_050, "CNY") == "¥86,201"
    assert money_of(500, "JPY") == "JPY 500"
    assert money_of(100_000, "XXX") == "XXX 1,000"
    assert [hall_of(hall, "zh") for hall in ("3", "A", "一号馆")] == ["3 号馆", "A 馆", "一号馆"]
    assert hall_of("3", "en") == "hall 3"

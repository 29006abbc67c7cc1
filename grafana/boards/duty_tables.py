"""The tables of Duty: what stopped, what is told, the halls, what is late, blind, unwatched, silenced."""

from .columns import STATES, Column, count, hall, instant, platform, room, room_id, seconds, state
from .panels import GREY, HOT, WARM, AnyPanel, rows
from .queries import Query, sql, statement
from .words import Say

FEED_LINK = "/d/livemon-feeds/feeds?var-feed=${__data.fields.feed:percentencode}&${__url_time_range}"


def asked(name: str, say: Say) -> Query:
    return sql(statement(name, say))


def contact(say: Say) -> Column:
    return Column("contact", say("联系人", "Contact"), width=90)


def external(say: Say) -> Column:
    return Column("external_id", say("直播间", "Room"))


def feed(say: Say) -> Column:
    return Column("feed", say("数据源", "Feed"), link=(say("数据源看板", "Board of feeds"), FEED_LINK))


def pattern() -> Column:
    return Column("hall_pattern", "hall_pattern", hidden=True)


def stops(say: Say) -> AnyPanel:
    return rows(
        say("现在断流", "Stopped now"),
        say(
            "断流与断流未恢复的直播间，应播的在前，其次按级别，新近的在前，最多 200 行。时长：自停播起至今。"
            "断流前人数：停播前五分钟内最后一次报数。"
            "接手：接手本直播间告警的人，否则为接手其场馆或平台告警的人；是否仍在处理以告警页面为准。来源：room_now、"
            "session_change、"
            "alert_action，比上方数字晚几秒。",
            "Rooms that are dropped or lost; expected ones first, then by tier, the latest first; at most 200. Down: "
            "since the stop. "
            "Viewers before: the last number of the five minutes before it. Held by: who took the alert of the room, "
            "else that of "
            "its hall or platform; whether he still does, the alert's page says. Sources: room_now, session_change, "
            "alert_action: "
            "a few seconds behind the numbers above.",
        ),
        asked("duty_stops", say),
        [
            state(say), instant("stopped_at", say("停播时间", "Stopped")), seconds("down_s", say("时长", "Down")),
            Column("tier", say("级别", "Tier"), width=60), hall(say, pattern="hall_pattern"), room(say),
            platform(say), external(say),
            count("viewers_before", say("断流前人数", "Viewers before")), contact(say),
            Column("holder", say("接手", "Held by"), width=110), instant("slot_ends_at", say("排期结束", "Slot end")),
            room_id(), pattern(),
        ],
    )  # fmt: skip


def alerts(say: Say) -> AnyPanel:
    severities = {
        "critical": (say("严重", "critical"), HOT),
        "warning": (say("警告", "warning"), WARM),
        "info": (say("提示", "info"), GREY),
    }
    return rows(
        say("未结束的告警", "Open alerts"),
        say(
            "livemon 收到、尚未结束的告警，严重的在前，最多 200 条。接手：最后一个按「我来处理」的人，或静默到何时。"
            "被 Alertmanager "
            "合并（抑制）的告警不会送到，也就不在此列。来源：alert、alert_action。",
            "Alerts that livemon was told and that go on, critical ones first; at most 200. Held by: who last took "
            "it, or until "
            "when it is silenced. What Alertmanager inhibits is never told and is not here. Sources: alert, "
            "alert_action.",
        ),
        asked("duty_alerts", say),
        [
            Column("severity", say("级别", "Severity"), width=80, colors=severities),
            Column("what", say("告警", "Alert")),
            instant("starts_at", say("开始", "Began")), seconds("age_s", say("时长", "Age")),
            Column("holder", say("接手", "Held by"), width=110), hall(say, pattern="hall_pattern"), room(say),
            platform(say), feed(say), Column("number", say("编号", "Number"), width=80), room_id(), pattern(),
        ],
    )  # fmt: skip


def halls(say: Say) -> AnyPanel:
    def counted(code: int, name: str) -> Column:
        zh, en, color = STATES[code]
        return Column(name, say(zh, en), width=95, steps=[(None, "transparent"), (1, color)])

    return rows(
        say("各场馆", "Halls"),
        say(
            "每个场馆一行，无场馆的直播间按平台一行；断流最多的在前。点击场馆打开它的看板。应播：现在处于排期内；"
            "未按时开播：其中处于未开播状态的。"
            "来源：room_now。",
            "One line for each hall, and for each platform of rooms without a hall; most stops first. A click leads "
            "to the "
            "board of the hall. Expected: inside the schedule now; not started: of these the offline ones. Source: "
            "room_now.",
        ),
        asked("duty_halls", say),
        [
            hall(say, pattern="hall_pattern")._replace(width=None), platform(say),
            counted(4, "lost"), counted(2, "dropped"),
            Column("not_started", say("未按时开播", "Not started"), width=105), counted(3, "blind"),
            counted(5, "unwatched"),
            count("live", say("直播中", "Live"), 80), count("expected", say("应播", "Expected"), 80),
            count("rooms", say("名册", "Roster"), 80), pattern(),
        ],
    )  # fmt: skip


def not_on_air(say: Say) -> AnyPanel:
    verdicts = {
        "missing": (say("应播未播", "missing"), HOT),
        "late": (say("迟到", "late"), WARM),
        "ended_early": (say("提前下播", "ended early"), GREY),
    }
    return rows(
        say("应在播而未播", "Not on air as planned"),
        say(
            "排期内而未开播的直播间，最多 200 行。应播未播：超过计划开播 15 分钟；迟到：15 分钟以内；提前下播："
            "本时段内播过、已下播。"
            "迟：自计划开播起，提前下播的自下播起。断流与看不见的不在此列。来源：expected_now。",
            "Rooms inside their schedule that are offline; at most 200. Missing: more than 15 minutes after the "
            "plan; late: less; "
            "ended early: was on air in this slot and signed off. Late by: since the plan, of ended early since the "
            "sign-off. "
            "Neither stopped nor blind rooms. Source: expected_now.",
        ),
        asked("duty_late", say),
        [
            Column("verdict", say("判断", "Verdict"), width=110, colors=verdicts),
            instant("starts_at", say("计划开播", "Planned")), seconds("late_s", say("迟", "Late by")),
            hall(say, pattern="hall_pattern"), room(say), platform(say), external(say), contact(say),
            instant("ends_at", say("排期结束", "Slot end")), room_id(), pattern(),
        ],
    )  # fmt: skip


def unseen(say: Say) -> tuple[AnyPanel, AnyPanel]:
    blind = rows(
        say("现在看不见", "Blind now"),
        say(
            "仍在失联的数据源（影响其全部直播间）与单个看不见的直播间，最多 200 行；其间发生了什么无人知道。来源："
            "feed_blind、feed_room。",
            "Feeds that cannot be seen now (with all of their rooms), and single rooms; at most 200. Nobody knows "
            "what happens "
            "there. Sources: feed_blind, feed_room.",
        ),
        asked("duty_blind", say),
        [
            feed(say), instant("from_at", say("自", "Since")), seconds("blind_s", say("时长", "Length")),
            count("rooms", say("直播间数", "Rooms")), Column("cause", say("原因", "Cause")), platform(say),
            hall(say, pattern="hall_pattern"), room(say), room_id(), pattern(),
        ],
    )  # fmt: skip
    unwatched = rows(
        say("无数据源的直播间", "Unwatched rooms"),
        say(
            "没有任何数据源能看到是否在播的直播间与原因，最多 200 行；它们断流没有人会知道。来源：room_coverage。",
            "Rooms of which no configured feed can tell whether they are on air, and why; at most 200. Nobody would "
            "know of a "
            "drop. Source: room_coverage.",
        ),
        asked("duty_unwatched", say),
        [room(say), platform(say), hall(say), external(say), Column("why", say("原因", "Why")), room_id()],
    )
    return blind, unwatched


def silences(say: Say) -> AnyPanel:
    return rows(
        say("静默", "Silences"),
        say(
            "仍在生效、且盖住过已告知告警的静默，先到期的在前。全部静默（含计划内的）请看 `livemon silence list` 或 "
            "Alertmanager；"
            "提前结束的静默在这里会显示到原定时间。来源：alert_action。",
            "Silences in force that have covered an alert which was told, the first to end first. All of them, "
            "planned ones too: "
            "`livemon silence list`, or Alertmanager; one that was ended by hand stays here until its planned end. "
            "Source: alert_action.",
        ),
        asked("duty_silences", say),
        [
            instant("until", say("到", "Until")), seconds("left_s", say("还剩", "Left")),
            Column("by_whom", say("设置人", "By")),
            Column("reason", say("原因", "Reason")), count("alerts", say("告警数", "Alerts")),
            Column("what", say("告警", "Of")),
        ],
    )  # fmt: skip

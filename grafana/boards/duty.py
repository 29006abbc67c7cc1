"""What operations sit before for a week: what stopped, for how long, whom to call and who is on it; what should be on
air and is not; what nobody can see; what is told to nobody. One line for each hall leads to its own board."""

from typing import Any

from .board import Row, board
from .columns import STATES
from .duty_tables import alerts, asked, halls, not_on_air, silences, stops, unseen
from .panels import CALM, DARK, HOT, WARM, AnyPanel, count_of, lines, number
from .queries import POSTGRES, promql
from .recorded import NOT_STARTED, rooms
from .standing import dropped, monitor
from .words import Say


def in_state(state: str) -> str:
    """How many rooms, as livemon itself counts them; nothing at all when it cannot be scraped."""
    return f'sum(livemon_rooms{{state="{state}"}})'


def numbers_now(say: Say) -> list[AnyPanel]:
    return [
        monitor(say),
        count_of(
            say("断流未恢复", "Lost"),
            say(
                "宽限期已过、仍应在播的直播间。无排期的直播间在重新开播之前一直算在内。",
                "Rooms that did not come back within grace though they should be on air; without a plan until they "
                "are live again.",
            ),
            in_state("lost"),
            [(None, CALM), (1, HOT)],
        ),
        dropped(say, in_state),
        count_of(
            say("未按时开播", "Not started"),
            say(
                "排期内而处于未开播状态的直播间，含提前下播的；不含断流与看不见的。",
                "Rooms inside their schedule that are offline, also those that signed off early; neither stopped nor "
                "blind ones.",
            ),
            rooms(NOT_STARTED),
            [(None, CALM), (1, WARM)],
        ),
        count_of(
            say("看不见", "Blind"),
            say(
                "数据源失联、状态未知的直播间；不等于断流。",
                "Rooms whose feeds cannot be seen. That is no drop: nobody knows.",
            ),
            in_state("blind"),
            [(None, CALM), (1, DARK)],
        ),
        count_of(
            say("失联数据源", "Blind feeds"),
            say("看不见的数据源个数。", "Feeds that cannot be seen."),
            "sum(livemon_feed_up == bool 0)",
            [(None, CALM), (1, DARK)],
        ),
        number(
            say("待接手", "Not held"),
            say(
                "仍在触发、无人接手也未被静默的严重告警。来源：livemon 收到的告警（alert、alert_action），晚几秒；"
                "只在 Alertmanager 里做的静默，在它盖住一条已告知的告警时才会记入。",
                "Critical alerts that still fire and that nobody has taken or silenced. Source: what livemon was "
                "told (alert, "
                "alert_action), seconds behind; a silence made in Alertmanager is known once it covers an alert that "
                "was told.",
            ),
            asked("duty_not_held", say),
            [(None, CALM), (1, HOT)],
            source=POSTGRES,
        ),
        count_of(
            say("发送失败", "Undelivered"),
            say(
                "最近十分钟向机器人或外部心跳发送失败的次数；消息在本机排队重发，期间请用别的渠道通知。",
                "Attempts of the last ten minutes to tell a robot or the outside heartbeat that failed. Messages "
                "wait and are "
                "tried again: reach people by another way meanwhile.",
            ),
            "sum(increase(livemon_deliveries_failed_total[10m]) or vector(0))",
            [(None, CALM), (1, HOT)],
        ),
    ]  # fmt: skip


def curves(say: Say) -> list[AnyPanel]:
    by_state = [
        promql(in_state(en), say(zh, en), ref=chr(ord("A") + place))
        for place, (zh, en, _) in enumerate(STATES.values())
        if en != "offline"
    ]
    return [
        lines(
            say("直播间状态", "Rooms by state"),
            say("每种状态的直播间数；未开播的不画。", "How many rooms are in each state; offline ones are not drawn."),
            by_state,
            decimals=0,
            colors={say(zh, en): color for zh, en, color in STATES.values()},
        ),
        lines(
            say("发送失败", "Failed deliveries"),
            say(
                "每秒向机器人（或外部心跳 deadman）发送失败的次数，按机器人。",
                "Attempts per second that failed, by robot; deadman is the outside heartbeat.",
            ),
            [promql("sum by (robot) (rate(livemon_deliveries_failed_total[$__rate_interval]))", "{{robot}}")],
            unit="cps",
        ).axis_soft_max(1),
    ]


def make(say: Say) -> dict[str, Any]:
    blind, unwatched = unseen(say)
    states_over_time, failures = curves(say)
    grid: list[Row] = [
        (4, [(3, panel) for panel in numbers_now(say)]),
        (9, [(24, stops(say))]),
        (8, [(24, alerts(say))]),
        (9, [(12, halls(say)), (12, not_on_air(say))]),
        (8, [(12, blind), (12, silences(say))]),
        (7, [(12, unwatched), (12, failures)]),
        (7, [(24, states_over_time)]),
    ]
    return board(
        say,
        "livemon-duty",
        say("值班台", "Duty"),
        say(
            "现在什么断流、多久、找谁、谁在处理；什么该播未播、看不见、被静默。",
            "What stopped, for how long, whom to call, who is on it; what should be on air, is blind, is silenced.",
        ),
        grid,
    )

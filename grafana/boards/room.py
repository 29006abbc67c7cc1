"""One room and one of its sessions: how it stands, its curves and what interrupted them, what it sold, what comes next.
Rows of all other boards lead here. It asks SQL alone: an id of a platform may hold any character, one of ours none."""

from typing import Any

from grafana_foundation_sdk.builders import common
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as model
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from .board import Row, board, query_variable
from .columns import MONEY, STATES, Column, count, seconds
from .panels import BLUE, DARK, WARM, AnyPanel, fixed, lines, money, numbers, states, words
from .queries import POSTGRES, Query, sql, statement
from .room_tables import asked, head, tables
from .words import Say

HELD_MS = 60_000  # a number of viewers holds at most so long: then the line is broken


def series(name: str, say: Say) -> Query:
    return sql(statement(name, say), shape="time_series")


def variables(say: Say) -> list[Any]:
    """The list of rooms is not asked anew when the time changes: a room that is not among the first would be lost."""
    return [
        query_variable("room", say("直播间", "Room"), statement("rooms", say), reload=False),
        query_variable("session", say("场次", "Session"), statement("room_sessions", say)),
    ]


def marks(say: Say) -> list[Any]:
    told = [
        ("room_marks_drops", say("断流", "Drops"), WARM),
        ("room_marks_blind", say("看不见", "Blind"), DARK),
        ("room_marks_sessions", say("场次起止", "Sessions"), BLUE),
    ]
    return [
        build.AnnotationQuery().name(name).datasource(POSTGRES).icon_color(color).enable(True).target(asked(text, say))
        for text, name, color in told
    ]


def of_session(say: Say) -> AnyPanel:
    return numbers(
        say("本场", "Session"),
        say(
            "所选场次，与时段无关；最多晚 15 秒。人数峰值：观测到的最高在线。平均在线：Σ(在线 × 持续时间) / "
            "有数的时间。观看时长：Σ(在线 × 秒) / 3600，"
            "只计有数的时间，是下限。场观：平台累计。订单：已支付、按订单去重。直播时长：场次长度减去所有停播。断流："
            "恢复或断流未恢复的停播；"
            "断流时长在本场内计。看不见：所有能判断其状态的数据源都失联的时间。来源：session_summary。",
            "The chosen session, whatever the span of time; at most 15 s behind. Peak: the highest number observed. "
            "Average: "
            "sum(viewers x time held) / time measured. Watch hours: sum(viewers x s) / 3600 of measured time, a "
            "lower bound. Views: "
            "the platform's own total. Orders: paid, each once. Airtime: the session less all stops. Drops: stops "
            "that were resumed or "
            "lost; down within the session. Blind: every feed that can tell its state was. Source: session_summary.",
        ),
        asked("room_numbers", say),
        [
            count("peak_viewers", say("人数峰值", "Peak")), count("average_viewers", say("平均在线", "Average")),
            Column("watch_hours", say("观看小时", "Watch h"), unit="none", decimals=1),
            count("views_total", say("场观", "Views")), count("orders", say("订单", "Orders")),
            seconds("airtime_s", say("直播时长", "Airtime")), count("drops", say("断流", "Drops")),
            seconds("down_s", say("断流时长", "Down")), seconds("blind_s", say("看不见", "Blind")),
        ],
    )  # fmt: skip


def of_money(say: Say) -> list[AnyPanel]:
    counted = say(
        "所选场次，主币单位。截至：其成交平台最新入库的订单时间；早于一分钟则变灰并写停更；已结束的场次截至结束时刻。"
        "来源：session_summary，最多晚 15 秒。",
        "The chosen session, in the major unit. As of: the newest sale stored of the platforms on which it sold; "
        "grey and stale "
        "when that is older than a minute; of a session that is over, its end. Source: session_summary, at most 15 s "
        "behind.",
    )
    told = [
        ("gmv", say("成交额 GMV", "GMV"),
         say("已支付订单，按支付时间，未扣退款。", "Orders paid, by pay time, before refunds.")),
        ("refunds", say("退款（截至目前）", "Refunds so far"),
         say("本场支付的订单迄今的退款，无论何时退。", "What came back so far of orders paid in it, whenever.")),
        ("net", say("净成交额", "Net"), say("成交额减去迄今的退款。", "GMV less refunds so far.")),
        ("gpm", say("千次观看成交 GPM", "GPM"),
         say("成交额 × 1000 / 场观（人次）；平台未报场观则没有。",
             "GMV x 1000 / views; none where the platform tells no views.")),
    ]  # fmt: skip
    text = statement("room_money", say)
    made = [
        money(title, f"{meant} {counted}", text.replace(":sum", column), decimals=2) for column, title, meant in told
    ]
    sizes = common.VizTextDisplayOptions().title_size(14).value_size(28)  # all four alike; ¥12,345,678.90 fits
    return [panel.text(sizes) for panel in made]


def over_time(say: Say) -> tuple[AnyPanel, AnyPanel, AnyPanel, AnyPanel]:
    nothing = say("所选时段内没有采样", "nothing observed in this span of time")
    viewers = lines(
        say("在线人数", "Viewers"),
        say(
            "六小时以内为每次采样，更长为每分钟的平均在线（按时间加权）。停播、看不见或超过 60 秒没有报数时线断开；"
            "按分钟时只在整分钟没有数时断开。"
            "橙：断流；紫：看不见；蓝：场次起止。",
            "Every observation of up to six hours, else the average of each minute, weighted by time. The line is "
            "broken while off air, blind, or without a number for 60 s; of minutes only where a whole one has none. "
            "Orange: drops; purple: blind; blue: sessions begin and end.",
        ),
        [series("room_viewers", say)],
        source=POSTGRES,
        legend=False,
    )
    kbps = lines(
        say("码率", "Bit rate"),
        say(
            "推流码率，只有自有服务器报告。六小时以内为每次采样，一天以内为每分钟平均；更长的时段不画。",
            "Of the incoming stream; only own servers tell it. Every observation of up to six hours, the average of "
            "each minute of "
            "up to a day; nothing of longer spans.",
        ),
        [series("room_kbps", say)],
        unit="Kbits",
        source=POSTGRES,
        legend=False,
    )
    gmv = say("成交额", "GMV")
    orders = lines(
        say("每分钟订单与成交额", "Orders and GMV per minute"),
        say(
            "已支付订单，按支付时间，未扣退款；订单去重。成交额用右轴，主币单位。所选时段内本直播间的全部，"
            "不限于所选场次。来源：room_minute，最多晚 15 秒。",
            "Orders paid, by pay time, before refunds, each once. GMV on the right, in the major unit. All of the "
            "room in this span, "
            "also outside the chosen session. Source: room_minute, at most 15 s behind.",
        ),
        [series("room_orders", say)],
        decimals=0,
        source=POSTGRES,
    )  # fmt: skip
    orders = orders.draw_style(model.GraphDrawStyle.BARS).fill_opacity(70)
    orders = orders.override_by_name(say("订单", "orders"), fixed(BLUE))
    # Bars of both would cover each other.
    beside = {"axisPlacement": "right", "drawStyle": "line", "lineWidth": 2, "fillOpacity": 0, "showPoints": "always"}
    told = [DynamicConfigValue(f"custom.{name}", value) for name, value in beside.items()]
    orders = orders.override_by_name(gmv, [*Column(gmv, gmv, unit=MONEY).properties, *told, *fixed("yellow")])
    timeline = states(
        say("状态", "State"),
        say(
            "由状态变化与看不见的时段推出：看不见时盖住一切，因为无人知道；断流未恢复到再次开播或排期结束为止。来源："
            "session_change、drop_log、room_blind。",
            "From what was told of the room; while every feed was blind that covers all, as nobody knows. Lost lasts "
            "until it is on "
            "air again or what was planned is over. Sources: session_change, drop_log, room_blind.",
        ),
        series("room_states", say),
        {str(code): (say(zh, en), color) for code, (zh, en, color) in STATES.items()},
    )
    made = [panel.no_value(nothing) for panel in (viewers.insert_nulls(HELD_MS), kbps.insert_nulls(HELD_MS), orders)]
    return made[0], made[1], made[2], timeline.no_value(nothing)


def help_text(say: Say) -> AnyPanel:
    return words(
        say("怎么办", "What to do"),
        say(
            "断流：`docs/runbooks/LivemonRoomDropped.md`；断流未恢复：`LivemonRoomLost.md`；未开播："
            "`LivemonRoomNotStarted.md`。"
            "主播其实已下播：`livemon ended 平台 直播间 --by 姓名`。接手与静默：告警消息里的「我来处理」。",
            "Dropped: `docs/runbooks/LivemonRoomDropped.md`; lost: `LivemonRoomLost.md`; not started: "
            "`LivemonRoomNotStarted.md`. "
            "It was a sign-off after all: `livemon ended PLATFORM ROOM --by NAME`. To take an alert or silence it: "
            "the link in its message.",
        ),
    )


def make(say: Say) -> dict[str, Any]:
    viewers, kbps, orders, timeline = over_time(say)
    drops, items, history, slots = tables(say)
    grid: list[Row] = [
        (4, [(24, head(say))]),
        (5, [(12, of_session(say)), *((3, panel) for panel in of_money(say))]),
        (4, [(24, timeline)]),
        (9, [(24, viewers)]),
        (8, [(12, kbps), (12, orders)]),
        (8, [(12, drops), (12, items)]),
        (9, [(16, history), (8, slots)]),
        (3, [(24, help_text(say))]),
    ]
    return board(
        say,
        "livemon-room",
        say("直播间", "Room"),
        say("一个直播间与它的一个场次。", "One room, and one of its sessions."),
        grid,
        variables=variables(say),
        annotations=marks(say),
        since="now-6h",
    )

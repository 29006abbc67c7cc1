"""What happened on any day and in any session: SQL alone, of the sums that livemon keeps. For analysts; nothing here is
asked again by itself, and a wider span of time costs more."""

from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.common import VizOrientation

from .board import Row, board, hall_variable, platform_variable
from .columns import MONEY, Column, count, instant, money, platform, room, room_id, seconds
from .panels import AnyPanel, by_platform, heat, rows
from .panels import money as money_now
from .queries import sql, statement
from .words import Say

# A row's own span instead of the board's.
OWN_SPAN = "from=${__data.fields.from_ms}&to=${__data.fields.to_ms}"
ROOM_LINK = f"/d/livemon-room/room?var-room=${{__data.fields.room_id}}&{OWN_SPAN}"
DAY_LINK = f"/d/livemon-history/history?{OWN_SPAN}&${{platform:queryparam}}&${{hall:queryparam}}"
PLATFORM_LINK = "/d/livemon-history/history?var-platform=${__value.raw}&${__url_time_range}"
MONEY_WIDTH, COUNT_WIDTH = 112, 84
WIDTHS = {
    **dict.fromkeys(("gmv", "net", "refunds", "cut_gmv", "late_gmv", "late_refunds"), MONEY_WIDTH),
    **dict.fromkeys(("orders", "peak_viewers", "average_viewers"), COUNT_WIDTH),
    **dict.fromkeys(("watch_hours", "air_hours", "airtime_s", "down_s", "blind_s"), COUNT_WIDTH),
    "rooms_live": 110, "blind_hours": 96, "late_orders": 94, "gmv_share": 90, "drops": 60, "units": 100, "hall": 60,
    "outcome": 90,
    "external_id": 165, "close_reason": 110, "viewers_before": 95, "cause": 70, "item_id": 120,
}  # fmt: skip
# Why a session ended: close_reason -> (Chinese, English).
REASONS = {
    "": ("直播中", "still open"),
    "ended": ("正常下播", "ended"),
    "scheduled": ("到点下播", "at its planned end"),
    "lost": ("断流未恢复", "lost"),
    "unknown": ("原因不明", "cannot be told"),
    "unseen": ("看不见时结束", "ended unseen"),
    "replaced": ("被新场次取代", "replaced"),
}


def search_variable(say: Say) -> build.TextBoxVariable:
    """$search: part of a name, to be used as ILIKE '%' || ${search:sqlstring} || '%'; only there a double quote means
    itself, as Grafana puts a backslash before it."""
    return build.TextBoxVariable("search").label(say("主播或直播间", "Anchor or room")).default_value("")


def room_then(say: Say) -> Column:
    """Who broadcast; a click leads to the room at the time of the row."""
    return room(say)._replace(link=(say("当时的直播间", "The room at that time"), ROOM_LINK))


def own_span() -> list[Column]:
    """Of the row, for its links; not shown."""
    return [Column(name, name, hidden=True) for name in ("from_ms", "to_ms")]


def hours(name: str, title: str) -> Column:
    """As hours, however many: Grafana's own unit would make years of what thousands of people watched."""
    return Column(name, title, unit="locale", decimals=1)


def fitted(columns: list[Column]) -> list[Column]:
    """So that all columns of a table are seen at once on 1920 pixels."""
    return [column._replace(width=WIDTHS.get(column.name, column.width)) for column in columns]


def of_span(say: Say) -> tuple[AnyPanel, AnyPanel]:
    sums = money_now(
        say("成交额", "GMV"),
        say(
            "所选时间与平台：成交额为活动时段内按支付时间计的已付订单；退款按退款时间计；净成交额为两者之差。"
            "整分钟计，不按场馆筛选。截至最新一笔已入库的订单；时间范围到现在、且超过 60 秒没有新订单时变灰。",
            "Of the span and the platforms chosen. GMV: orders paid, by pay time, inside the event window; refunds by"
            " their own time; net: the difference. Whole minutes, all halls. As of the newest sale applied; grey when"
            " the span reaches now and that is older than 60 s.",
        ),
        statement("history_money", say, figure="1"),
    ).orientation(VizOrientation.HORIZONTAL)  # one below the other
    for ref, figure in (
        ("B", "2"),
        ("C", "3"),
    ):  # apart: of one query Grafana would put them in the order of their names
        sums = sums.with_target(sql(statement("history_money", say, figure=figure), ref=ref, shape="time_series"))
    of_platform = platform(say)._replace(
        link=(say("只看这个平台", "This platform alone"), PLATFORM_LINK)
    )  # __value.raw: what a mapped field is called in `__data.fields` is its words
    beside = rows(
        say("平台对比", "Platforms"),
        say(
            "所选时间内各平台：成交额、退款、净成交额为活动时段内（整分钟）；人数峰值为最好一分钟的平均在线；"
            "观看与直播小时为各直播间之和，看不见的时间不计入观看。",
            "Each platform in the span. Money inside the event window, by whole minutes; peak: the average number"
            " watching in the best minute; hours are summed over rooms, and nobody is counted as watching what was"
            " not seen.",
        ),
        sql(statement("history_platforms", say)),
        fitted([
            of_platform, money("gmv", say("成交额", "GMV")),
            Column("gmv_share", say("占比", "Share"), unit="percentunit", decimals=1, width=80, bar=True),
            money("net", say("净成交额", "Net")), money("refunds", say("退款", "Refunds")),
            count("orders", say("订单", "Orders")), count("rooms_live", say("同时在播最多", "Most live")),
            count("peak_viewers", say("人数峰值", "Peak")),
            hours("watch_hours", say("观看小时", "Watched h")), hours("air_hours", say("直播小时", "Air hours")),
            hours("blind_hours", say("看不见小时", "Blind hours")), count("drops", say("断流", "Drops")),
            instant("sold_at", say("截至", "As of")),
        ]),
    )  # fmt: skip
    return sums, beside


def by_hour(say: Say) -> list[AnyPanel]:
    watched = heat(
        say("每小时观看", "Watching by the hour"),
        say(
            "每小时、每平台的观看小时：在线人数 × 时间之和；整小时即该小时平均在线。看不见的不计入。",
            "Hours watched in each hour, by platform: over a whole hour the average number watching. Nothing unseen"
            " counts.",
        ),
        sql(statement("history_hours_viewers", say), shape="time_series"),
    )
    sold = heat(
        say("每小时成交额", "GMV by the hour"),
        say(
            "每小时、每平台的成交额：活动时段内按支付时间计的已付订单，退款前。",
            "GMV of each hour by platform: orders paid, by pay time, inside the event window, before refunds.",
        ),
        sql(statement("history_hours_gmv", say), shape="time_series"),
        unit=MONEY,
    )
    return [by_platform(panel, say) for panel in (watched, sold)]


def of_days(say: Say) -> list[AnyPanel]:
    days = rows(
        say("每天", "Days"),
        say(
            "时间范围触及的每一天（活动时区，最多 31 天）：现值为目前已知的全部；日结为次日 00:15 的定格；"
            "迟到 = 现值 − 日结。只计活动币种。点日期只看那一天。",
            "Each day that the span touches, in the event's zone, 31 at most. Now: all that is known; cut: as fixed"
            " at 00:15 of the next day; late: now less cut. In the event's currency. Click a day to see it alone.",
        ),
        sql(statement("history_days", say)),
        fitted([
            Column("day", say("日期", "Day"), width=110, link=(say("只看这一天", "This day alone"), DAY_LINK)),
            money("gmv", say("成交额（现值）", "GMV now")), money("cut_gmv", say("日结成交额", "GMV at the cut")),
            money("late_gmv", say("迟到", "Late")), money("refunds", say("退款", "Refunds")),
            money("net", say("净成交额", "Net")), count("orders", say("订单", "Orders")),
            hours("watch_hours", say("观看小时", "Watched h")), count("drops", say("断流", "Drops")),
            instant("cut_at", say("日结时间", "Cut at")), *own_span(),
        ]),
    )  # fmt: skip
    late = rows(
        say("日结之后的变化", "Since the cut"),
        say(
            "日结（次日 00:15）之后才收到的订单与退款，按它们发生的日期与平台；没有变化的不列出。",
            "What arrived after the cut at 00:15 of the next day, by the day it happened on and platform; days that"
            " did not change are left out.",
        ),
        sql(statement("history_late", say)),
        fitted([
            Column("day", say("日期", "Day"), width=110), platform(say),
            count("late_orders", say("迟到订单", "Orders late")), money("late_gmv", say("迟到成交额", "GMV late")),
            money("cut_gmv", say("日结成交额", "GMV at the cut")),
            money("late_refunds", say("迟到退款", "Refunds late")),
        ]),
    )  # fmt: skip
    items = rows(
        say("畅销商品", "Best sellers"),
        say(
            "时间范围触及的整天内，按件数排的前 50 个商品；平台不报件数或单品价的为空。",
            "The 50 items of which most pieces were paid on the days that the span touches; empty where a platform"
            " tells neither pieces nor prices of items.",
        ),
        sql(statement("history_items", say)),
        fitted([
            Column("title", say("商品", "Item")), platform(say), count("units", say("件数", "Units"), bar=True),
            count("orders", say("订单", "Orders")), money("gmv", say("成交额", "GMV")),
            Column("item_id", say("商品编号", "Item id")),
        ]),
    )  # fmt: skip
    return [days, items, late]


def of_rooms(say: Say) -> tuple[AnyPanel, AnyPanel]:
    external = Column("external_id", say("直播间", "Room"))
    reasons = {reason: (say(zh, en), "text") for reason, (zh, en) in REASONS.items()}
    sessions = rows(
        say("场次", "Sessions"),
        say(
            "时间范围内开播的场次，最新的 100 场；可按平台、场馆、主播或直播间筛选。点主播看当时的直播间。"
            "平均在线按时间加权；成交额为归到该场的已付订单（不按活动时段截断），退款跟随原订单。",
            "The 100 newest sessions that opened in the span; choose by platform, hall, anchor or room. Click the"
            " anchor to see the room at that time. Average viewers are weighted by time; GMV: orders paid that belong"
            " to the session (not cut by the event window), refunds follow their order.",
        ),
        sql(statement("history_sessions", say)),
        fitted([
            instant("opened_at", say("开播", "Opened")), instant("closed_at", say("结束", "Closed")),
            Column("close_reason", say("结束原因", "Why it ended"), words=reasons), room_then(say),
            Column("hall", say("场馆", "Hall"), width=90), platform(say), external,
            count("peak_viewers", say("人数峰值", "Peak")),
            count("average_viewers", say("平均在线", "Average")),
            hours("watch_hours", say("观看小时", "Watched h")), seconds("airtime_s", say("直播时长", "On air")),
            count("drops", say("断流", "Drops")), seconds("down_s", say("断流时长", "Down")),
            seconds("blind_s", say("看不见", "Blind")), count("orders", say("订单", "Orders")),
            money("gmv", say("成交额", "GMV")), money("refunds", say("退款", "Refunds")),
            money("net", say("净成交额", "Net")), room_id(), *own_span(),
        ]),
    )  # fmt: skip
    drops = rows(
        say("断流记录", "Drops"),
        say(
            "时间范围内的断流，最新的 200 条：已恢复的，与断流未恢复的；正常下播与仍在宽限期内的不在此列。",
            "The 200 newest drops of the span: resumed, or lost; neither sign-offs nor those still within grace.",
        ),
        sql(statement("history_drops", say)),
        fitted([
            instant("dropped_at", say("断流时间", "Dropped")), seconds("down_s", say("时长", "Down")),
            Column("outcome", say("结果", "Outcome")),
            count("viewers_before", say("断流前人数", "Had viewers")), Column("cause", say("依据", "Evidence")),
            room_then(say), Column("hall", say("场馆", "Hall"), width=90), platform(say), external,
            instant("back_at", say("恢复", "Back")), room_id(), *own_span(),
        ]),
    )  # fmt: skip
    return sessions, drops


def make(say: Say) -> dict[str, Any]:
    sums, beside = of_span(say)
    days, items, late = of_days(say)
    sessions, drops = of_rooms(say)
    grid: list[Row] = [
        (10, [(6, sums), (18, beside)]),
        (8, [(12, panel) for panel in by_hour(say)]),
        (9, [(15, days), (9, items)]),
        (12, [(24, sessions)]),
        (9, [(15, drops), (9, late)]),
    ]
    return board(
        say,
        "livemon-history",
        say("历史", "History"),
        say("任意一天、任意一场发生了什么。", "What happened on any day and in any session."),
        grid,
        variables=[platform_variable(say), hall_variable(say), search_variable(say)],
        refresh="",
        since="now-7d",
    )

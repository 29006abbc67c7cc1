"""The tables of Room: who it is and how it stands, drops, items, the sessions before, the schedule."""

from .columns import Column, count, hall, instant, money, platform, room_id, seconds, state
from .panels import AnyPanel, rows, when_empty
from .queries import Query, sql, statement
from .words import Say

SESSION_LINK = (
    "/d/livemon-room/room?var-room=${__data.fields.room_id}&var-session=${__data.fields.session_id}"
    "&from=${__data.fields.from_ms}&to=${__data.fields.to_ms}"
)
HEALTH_LINK = "/d/livemon-health/health?var-platform=${__value.raw}&${__url_time_range}"


def asked(name: str, say: Say) -> Query:
    return sql(statement(name, say))


def head(say: Say) -> AnyPanel:
    return rows(
        say("直播间", "Room"),
        say(
            "名册中的资料与此刻的状态（比 Prometheus 晚几秒）。备注：看不见或无数据源的原因，或所选时段内没有场次。"
            "来源：room、room_now、room_coverage。",
            "What the roster says, and how it stands now, seconds behind Prometheus. Remark: why it is blind or "
            "unwatched, or that "
            "there is no session in this span. Sources: room, room_now, room_coverage.",
        ),
        asked("room_head", say),
        [
            Column("anchor", say("主播", "Anchor")), state(say)._replace(width=92),
            instant("since", say("自", "Since")),
            platform(say)._replace(link=(say("推流健康", "Stream health"), HEALTH_LINK)),
            Column("external_id", say("直播间", "Room"), width=165),
            hall(say, pattern="hall_pattern")._replace(width=60), Column("city", say("城市", "City"), width=75),
            Column("category", say("类目", "Category"), width=95),
            Column("tier", say("级别", "Tier"), width=50), Column("shop", say("店铺", "Shop"), width=110),
            Column("contact", say("联系人", "Contact"), width=90), count("viewers", say("在线", "Viewers"), 75),
            Column("kbps", say("码率", "Bit rate"), unit="Kbits", width=88),
            instant("slot_starts_at", say("排期开始", "Slot")), instant("slot_ends_at", say("排期结束", "Slot end")),
            instant("last_tick_at", say("最近采样", "Last tick")), Column("remark", say("备注", "Remark")),
            Column("hall_pattern", "hall_pattern", hidden=True),
        ],
    )  # fmt: skip


def tables(say: Say) -> tuple[AnyPanel, AnyPanel, AnyPanel, AnyPanel]:
    drops = rows(
        say("断流", "Drops"),
        say(
            "所选时段内开始、后来恢复或断流未恢复的停播；仍未判定的只在状态里。时长：到恢复，"
            "断流未恢复的到恢复或计划下播为止。最多 200 行。来源：drop_log。",
            "Stops that began in this span and were resumed or lost; one not yet judged is in the state alone. Down: "
            "until it was back, "
            "of lost ones also until the planned end. At most 200. Source: drop_log.",
        ),
        asked("room_drops", say),
        [
            instant("dropped_at", say("断流时间", "Dropped")), instant("back_at", say("恢复时间", "Back")),
            seconds("down_s", say("时长", "Down")), count("viewers_before", say("断流前人数", "Viewers before")),
            Column("outcome", say("结果", "Outcome")), Column("cause", say("依据", "Evidence")),
        ],
    )  # fmt: skip
    items = rows(
        say("本场商品", "Items of the session"),
        say(
            "所选场次已支付订单中的商品，成交额高的在前，最多 100 行；未扣退款，只计活动币种。"
            "平台不报商品的订单不在此列。来源：sale、sale_item。",
            "What orders paid in the chosen session held, by GMV; at most 100; before refunds, in the event's "
            "currency alone. Orders of "
            "platforms that tell no items are not here. Sources: sale, sale_item.",
        ),
        asked("room_items", say),
        [
            Column("title", say("商品", "Item")), count("orders", say("订单", "Orders"), 70),
            count("units", say("件数", "Units"), 70), money("gmv", say("成交额", "GMV"), 115),
            platform(say), Column("shop", say("店铺", "Shop"), width=125),
            Column("item_id", say("商品编号", "Item id"), width=165),
        ],
    )  # fmt: skip
    link = (say("打开这一场", "Open this session"), SESSION_LINK)
    history = rows(
        say("历次场次", "Sessions of the room"),
        say(
            "最近 50 个场次，与时段无关；点击开播时间打开那一场。成交额未扣退款，按支付时间，最多晚 15 秒。来源："
            "session_summary。",
            "The newest 50, whatever the span of time; a click on the beginning opens one with its time. GMV before "
            "refunds, by pay "
            "time, at most 15 s behind. Source: session_summary.",
        ),
        asked("room_history", say),
        [
            instant("opened_at", say("开播", "Opened"))._replace(link=link),
            instant("closed_at", say("结束", "Closed")),
            Column("close_reason", say("结束原因", "Close reason"), words=close_reasons(say)),
            seconds("airtime_s", say("直播时长", "Airtime"))._replace(width=100),
            count("peak_viewers", say("人数峰值", "Peak"), 90), count("drops", say("断流", "Drops"), 70),
            seconds("blind_s", say("看不见", "Blind"))._replace(width=90), count("orders", say("订单", "Orders"), 90),
            money("gmv", say("成交额", "GMV"), 120), Column("session_id", "session_id", hidden=True), room_id(),
            Column("from_ms", "from_ms", hidden=True), Column("to_ms", "to_ms", hidden=True),
        ],
    )  # fmt: skip
    slots = rows(
        say("排期", "Schedule"),
        say(
            "三天前到七天后的排期，最多 50 条；已播：该时段内有场次。来源：schedule、session。",
            "Slots from three days ago to seven days ahead, at most 50; held: a session lies in it. Sources: "
            "schedule, session.",
        ),
        asked("room_slots", say),
        [
            instant("starts_at", say("开始", "From")), instant("ends_at", say("结束", "To")),
            Column("verdict", say("情况", "Verdict")), instant("opened_at", say("实际开播", "Opened")),
        ],
    )  # fmt: skip
    return (
        when_empty(drops, say("所选时段内没有断流", "no drop in this span of time")),
        when_empty(items, say("本场没有商品成交", "nothing sold in this session")),
        when_empty(history, say("还没有场次", "no session yet")),
        when_empty(slots, say("没有排期", "no schedule")),
    )


def close_reasons(say: Say) -> dict[str, tuple[str, str]]:
    return {
        "ended": (say("下播", "ended"), "text"),
        "scheduled": (say("按计划下播", "as planned"), "text"),
        "lost": (say("断流未恢复", "lost"), "red"),
        "unknown": (say("未知", "unknown"), "text"),
        "unseen": (say("看不见期间结束", "ended unseen"), "purple"),
        "replaced": (say("被新场次取代", "replaced"), "text"),
    }

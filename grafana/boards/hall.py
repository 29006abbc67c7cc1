"""The first evening's board: one hall (or all), how its rooms stand, what stopped, what cannot be seen. For people of a
hall: what it asks of SQL it asks as livemon_hall, which sees no money of a room and no buyer."""

from typing import Any

from .board import Row, board, hall_variable
from .columns import Column, count, instant, platform, room, room_id, seconds, state
from .panels import CALM, DARK, GREY, HOT, WARM, AnyPanel, by_platform, count_of, lines, rows
from .queries import POSTGRES_HALL, promql, sql, statement
from .recorded import MISSING, VIEWERS, in_state, rooms
from .standing import dropped, monitor, rooms_by_state
from .words import Say

# Values of $hall are regular expressions without a character that SQL or PromQL would mind: see halls.sql.
OF_HALL = 'hall=~"${hall:pipe}"'


def here(state: str) -> str:
    return in_state(state, OF_HALL)


def of_rooms(say: Say) -> list[AnyPanel]:
    return [
        monitor(say),
        count_of(
            say("失联数据源", "Blind feeds"),
            say(
                "看不见的数据源个数；它们的直播间不等于断流。",
                "Feeds that cannot be seen; it says nothing about their rooms.",
            ),
            'sum(livemon_feed_up{hall=~"${hall:pipe}"} == bool 0)',
            [(None, CALM), (1, DARK)],
        ),
        count_of(
            say("直播中", "Live"),
            say("正在直播的直播间。", "Rooms on air."),
            here("live"),
            [(None, GREY), (1, CALM)],
        ),
        count_of(
            say("应播未播", "Missing"),
            say(
                "排期内但没有在播的直播间（含看不见与无数据源）。",
                "Rooms inside their schedule that are not live, also those that nobody can see.",
            ),
            rooms(MISSING, OF_HALL),
            [(None, CALM), (1, WARM)],
        ),
        dropped(say, here),
        count_of(
            say("断流未恢复", "Lost"),
            say(
                "宽限期已过、仍应在播的直播间。",
                "Rooms that did not come back though they should be on air.",
            ),
            here("lost"),
            [(None, CALM), (1, HOT)],
        ),
        count_of(
            say("看不见", "Blind"),
            say("数据源失联的直播间，状态未知。", "Rooms of which nobody can tell how they are."),
            here("blind"),
            [(None, CALM), (1, DARK)],
        ),
        count_of(
            say("无数据源", "Unwatched"),
            say("没有任何数据源能看到的直播间。", "Rooms that no configured feed can see."),
            here("unwatched"),
            [(None, CALM), (1, DARK)],
        ),
    ]


def of_orders(say: Say) -> list[AnyPanel]:
    return [
        count_of(
            say("漏推", "Missed pushes"),
            say(
                "最近一小时由轮询补齐的订单事件；已入库，只是晚。",
                "Facts of the last hour that a poll found and no push had told: they are stored, only late.",
            ),
            "sum(increase(livemon_push_missed_total[1h]) or vector(0))",
            [(None, CALM), (1, WARM)],
        ),
        count_of(
            say("无旁证", "No witness"),
            say(
                "推送没有轮询作旁证的数据源：漏单无从得知。",
                "Feeds of pushes whose gaps no poll would find.",
            ),
            "sum(livemon_feed_witnessed == bool 0 or vector(0))",
            [(None, CALM), (1, DARK)],
        ),
        count_of(
            say("授权被拒", "Refused accounts"),
            say("不再接受我们应用的授权，需重新授权。", "Accounts that must be linked again."),
            'sum(livemon_accounts{state="refused"} or vector(0))',
            [(None, CALM), (1, HOT)],
        ),
        count_of(
            say("授权即将到期", "Expiring accounts"),
            say(
                "三天内到期、无法自动续期的授权。",
                "Accounts that end within three days and that we cannot extend.",
            ),
            'sum(livemon_accounts{state="expiring"} or vector(0))',
            [(None, CALM), (1, WARM)],
        ),
    ]


def curves(say: Say) -> list[AnyPanel]:
    viewers = lines(
        say("在线人数", "Viewers"),
        say(
            "所有看得见的直播间在线人数之和，按平台；看不见的不计入。",
            "Viewers of all rooms that can be seen, by platform.",
        ),
        [promql(f"sum by (platform) ({VIEWERS}{{{OF_HALL}}})", "{{platform}}")],
    )
    return [by_platform(viewers, say), rooms_by_state(say, here)]


def tables(say: Say) -> tuple[AnyPanel, AnyPanel, AnyPanel]:
    def asked(name: str) -> Any:
        return sql(statement(name, say), source=POSTGRES_HALL)

    hall, room_of = Column("hall", say("场馆", "Hall"), width=80), Column("external_id", say("直播间", "Room"))
    contact = Column("contact", say("联系人", "Contact"))
    stops = rows(
        say("最近一小时断流", "Stops of the last hour"),
        say(
            "已恢复或断流未恢复的断流；正常下播与仍在宽限期内的不在此列。最多 200 行。",
            "Stops that were resumed or lost; neither sign-offs nor those still within grace. At most 200.",
        ),
        asked("hall_stops"),
        [
            instant("dropped_at", say("断流时间", "Dropped")), hall, room(say), room_of, room_id(),
            Column("outcome", say("结果", "Outcome")), seconds("down_s", say("时长", "Down")),
            count("viewers_before", say("断流前人数", "Viewers before")), Column("cause", say("依据", "Evidence")),
            contact,
        ],
        source=POSTGRES_HALL,
    )  # fmt: skip
    blind = rows(
        say("看不见的时段", "Blind feeds"),
        say(
            "仍在失联的数据源，以及最近一小时内的失联时段；其间发生了什么无人知道。",
            "Spans in which a feed was not seen: open ones, and those of the last hour.",
        ),
        asked("hall_blind"),
        [
            instant("from_at", say("开始", "From")), instant("to_at", say("结束", "To")),
            Column("feed", say("数据源", "Feed")), hall, room_of, seconds("blind_s", say("时长", "Length")),
            Column("cause", say("原因", "Cause")),
        ],
        source=POSTGRES_HALL,
    )  # fmt: skip
    now = rows(
        say("直播间", "Rooms"),
        say(
            "名册中的直播间，最需要关注的在前，最多 500 行；比上方数字晚几秒。",
            "Rooms of the roster, the most urgent first, at most 500; a few seconds behind the numbers above.",
        ),
        asked("hall_rooms"),
        [
            state(say), instant("since", say("自", "Since")), hall, room(say), platform(say),
            room_of, room_id(), count("viewers", say("在线", "Viewers")), count("views_total", say("场观", "Views")),
            Column("kbps", say("码率", "Bit rate"), unit="Kbits"),
            Column("expected", say("应播", "Expected"), width=70),
            instant("slot_starts_at", say("排期开始", "Slot")), instant("slot_ends_at", say("排期结束", "Slot end")),
            instant("last_tick_at", say("最近采样", "Last tick")), contact,
        ],
        source=POSTGRES_HALL,
    )  # fmt: skip
    return stops, blind, now


def make(say: Say) -> dict[str, Any]:
    stops, blind, now = tables(say)
    grid: list[Row] = [
        (4, [(3, panel) for panel in of_rooms(say)]),
        (4, [(6, panel) for panel in of_orders(say)]),
        (8, [(12, panel) for panel in curves(say)]),
        (9, [(13, stops), (11, blind)]),
        (16, [(24, now)]),
    ]
    return board(
        say,
        "livemon-hall",
        say("场馆", "Hall"),
        say("一个场馆（或全部）的直播间现状。", "How the rooms of a hall (or of all) stand now."),
        grid,
        variables=[hall_variable(say, POSTGRES_HALL)],
        source=POSTGRES_HALL,
    )

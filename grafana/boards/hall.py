"""The first evening's board: one hall (or all), how its rooms stand, what stopped, what cannot be seen."""

from typing import Any

from grafana.boards.panels import (
    POSTGRES,
    STATES,
    lines,
    override,
    placed,
    promql,
    purpose_mark,
    stat,
    state_cell,
    statement,
    table,
)

type Json = dict[str, Any]

# Values of $hall are regular expressions without a character that SQL or PromQL would mind: see halls.sql.
OF_HALL = 'on (platform, room) livemon_room_info{hall=~"${hall:pipe}"}'
CODES = {"offline": 0, "live": 1, "dropped": 2, "blind": 3, "lost": 4, "unwatched": 5}
CALM, WARM, HOT, DARK, GREY = "green", "orange", "red", "purple", "text"


def in_state(state: str) -> str:
    """How many rooms; 0 when there are none, nothing at all when livemon itself cannot be scraped."""
    return f"sum((livemon_room_state == bool {CODES[state]}) * {OF_HALL})"


def numbers() -> list[tuple[int, Json]]:
    missed = f"sum((livemon_room_expected == bool 1) * (livemon_room_state != bool 1) * {OF_HALL})"
    good = {
        "mappings": [
            {"type": "value", "options": {"0": {"text": "失联", "color": HOT}, "1": {"text": "正常", "color": CALM}}}
        ]
    }
    made = [
        stat(
            "${purpose_mark}监控本身 · Monitor",
            "Prometheus 能否采集 livemon；失联时其余数字都不可信。Whether livemon itself can be scraped.",
            'min(up{job=~"livemon|livemon-rooms"})',
            [(None, HOT), (1, CALM)],
            **good,
        ),
        stat(
            "失联数据源 · Blind feeds",
            "看不见的数据源个数；它们的直播间不等于断流。Feeds that cannot be seen; it says nothing about their rooms.",
            'sum(livemon_feed_up{hall=~"${hall:pipe}"} == bool 0)',
            [(None, CALM), (1, DARK)],
        ),
        stat("直播中 · Live", "正在直播的直播间。Rooms on air.", in_state("live"), [(None, GREY), (1, CALM)]),
        stat(
            "应播未播 · Missing",
            "排期内但没有在播的直播间（含看不见与无数据源）。Rooms inside their schedule that are not live.",
            missed,
            [(None, CALM), (1, WARM)],
        ),
        stat(
            "断流 · Dropped",
            "断流、仍在宽限期内的直播间。Rooms that stopped and may come back within grace.",
            in_state("dropped"),
            [(None, CALM), (1, WARM)],
        ),
        stat(
            "断流未恢复 · Lost",
            "宽限期已过、仍应在播的直播间。Rooms that did not come back though they should be on air.",
            in_state("lost"),
            [(None, CALM), (1, HOT)],
        ),
        stat(
            "看不见 · Blind",
            "数据源失联的直播间，状态未知。Rooms of which nobody can tell how they are.",
            in_state("blind"),
            [(None, CALM), (1, DARK)],
        ),
        stat(
            "无数据源 · Unwatched",
            "没有任何数据源能看到的直播间。Rooms that no configured feed can see.",
            in_state("unwatched"),
            [(None, CALM), (1, DARK)],
        ),
    ]
    return [(3, panel) for panel in made]


def orders() -> list[tuple[int, Json]]:
    made = [
        stat(
            "漏推 · Missed pushes",
            "最近一小时由轮询补齐的订单事件；已入库，只是晚。Facts that a poll found and no push had told.",
            "sum(increase(livemon_push_missed_total[1h]) or vector(0))",
            [(None, CALM), (1, WARM)],
        ),
        stat(
            "无旁证 · No witness",
            "推送没有轮询作旁证的数据源：漏单无从得知。Pushes whose gaps no poll would find.",
            "sum(livemon_feed_witnessed == bool 0 or vector(0))",
            [(None, CALM), (1, DARK)],
        ),
        stat(
            "授权被拒 · Refused accounts",
            "不再接受我们应用的授权，需重新授权。Accounts that must be linked again.",
            'sum(livemon_accounts{state="refused"} or vector(0))',
            [(None, CALM), (1, HOT)],
        ),
        stat(
            "授权即将到期 · Expiring accounts",
            "三天内到期、无法自动续期的授权。Accounts that end within three days and that we cannot extend.",
            'sum(livemon_accounts{state="expiring"} or vector(0))',
            [(None, CALM), (1, WARM)],
        ),
    ]
    return [(6, panel) for panel in made]


def curves() -> list[tuple[int, Json]]:
    viewers = lines(
        "在线人数 · Viewers",
        "所有看得见的直播间在线人数之和，按平台；看不见的不计入。Viewers of all rooms that can be seen.",
        [promql(f"sum by (platform) (livemon_room_viewers * {OF_HALL})", legend="{{platform}}")],
    )
    states = lines(
        "直播间状态 · Rooms by state",
        "每种状态的直播间数。How many rooms are in each state.",
        [promql(in_state(state), chr(ord("A") + n), word) for n, (state, (word, _)) in enumerate(STATES.items())],
        colors=list(STATES.values()),
    )
    return [(12, viewers), (12, states)]


def tables() -> tuple[Json, Json, Json]:
    seconds, instant = {"unit": "s", "decimals": 0}, {"unit": "dateTimeAsLocal"}
    stops = table(
        "最近一小时断流 · Stops of the last hour",
        "已恢复或断流未恢复的断流；正常下播与仍在宽限期内的不在此列。最多 200 行。Stops that were resumed or lost.",
        statement("hall_stops"),
        [
            override("时长 Down", **seconds),
            override("断流时间 Dropped", **instant),
            override("断流前人数 Viewers before", unit="short"),
        ],
    )
    blind = table(
        "看不见的时段 · Blind feeds",
        "仍在失联的数据源，以及最近一小时内的失联时段；其间发生了什么无人知道。Spans in which a feed was not seen.",
        statement("hall_blind"),
        [override("时长 Length", **seconds), override("开始 From", **instant), override("结束 To", **instant)],
    )
    moments = ("自 Since", "排期开始 Slot", "排期结束 Slot end", "最近采样 Last tick")
    rooms = table(
        "直播间 · Rooms",
        "名册中的直播间，最需要关注的在前，最多 500 行；比上方数字晚几秒。Rooms of the roster, the most urgent first.",
        statement("hall_rooms"),
        [
            state_cell("状态 State"),
            *(override(moment, **instant) for moment in moments),
            override("在线 Viewers", unit="short"),
            override("场观 Views", unit="short"),
            override("码率 Bit rate", unit="Kbits"),
        ],
    )
    return stops, blind, rooms


def hall_variable() -> Json:
    halls = statement("halls")
    return {
        "name": "hall",
        "label": "场馆 Hall",
        "type": "query",
        "datasource": POSTGRES,
        "query": halls,
        "definition": halls,
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "sort": 0,
        "current": {"text": ["All"], "value": ["$__all"]},
        "options": [],
    }


def board() -> Json:
    stops, blind, rooms = tables()
    rows = [(4, numbers()), (4, orders()), (8, curves()), (9, [(13, stops), (11, blind)]), (16, [(24, rooms)])]
    return {
        "uid": "livemon-hall",
        "title": "场馆 · Hall",
        "description": "一个场馆（或全部）的直播间现状。How the rooms of a hall stand now.",
        "tags": ["livemon"],
        "schemaVersion": 41,
        "timezone": "Asia/Shanghai",
        "editable": False,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timepicker": {},
        "fiscalYearStartMonth": 0,
        "templating": {"list": [purpose_mark(), hall_variable()]},
        "annotations": {"list": []},
        "links": [],
        "panels": placed(rows),
    }

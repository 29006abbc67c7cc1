"""Stream health: how many streams drop, where, on what evidence, for how long; which rooms do so again and again; and
how much of the time nobody could see them. For whoever asks afterwards what to repair, as Duty is for now."""

from typing import Any

from grafana_foundation_sdk.builders import common

from . import stops
from .board import Row, board, hall_variable, platform_variable, query_variable
from .columns import Column, count, hall, seconds
from .panels import CALM, DARK, HOT, WARM, AnyPanel, bars, by_platform, count_of, lines, numbers, ranking, rows
from .queries import POSTGRES, PROMETHEUS, Query, promql, sql, statement
from .recorded import BIT_RATES, in_state, rooms
from .standing import rooms_by_state
from .words import Say

CHOSEN = 'platform=~"${platform:pipe}", hall=~"${hall:pipe}", city=~"${city:pipe}"'
CLASSES = ("0–0.5", "0.5–1", "1–2", "2–4", "≥ 4")  # Mbit/s, as the rule that counts them numbers them


def of_bit_rate(number: int) -> str:
    """How many live rooms are in this class; nothing at all where nobody tells the rate of any."""
    return rooms(f'class="{number}"', CHOSEN, BIT_RATES)


def series(name: str, say: Say) -> Query:
    return sql(statement(name, say), shape="time_series")


def now(say: Say) -> list[AnyPanel]:
    told = [
        ("lost", HOT, say("断流未恢复", "Lost"),
         say("此刻：宽限期已过、仍应在播的直播间数。",
             "Now: rooms that did not come back within grace though they should be on air.")),
        ("dropped", WARM, say("断流", "Dropped"),
         say("此刻：断流、仍在宽限期内的直播间数。", "Now: rooms that stopped and may come back within grace.")),
        ("blind", DARK, say("看不见", "Blind"),
         say("此刻：数据源失联、状态未知的直播间数；不等于断流。",
             "Now: rooms whose feeds cannot be seen. That is no drop: nobody knows.")),
    ]  # fmt: skip
    made: list[AnyPanel] = [
        count_of(title, text, in_state(state, CHOSEN), [(None, CALM), (1, color)]) for state, color, title, text in told
    ]
    low = say(
        "此刻：正在直播、推流码率低于 500 kbit/s 的直播间数。只计数据源报告码率的直播间；最多晚 15 秒。",
        "Now: live rooms whose stream comes in at less than 500 kbit/s. Only rooms whose feed tells a bit rate; at "
        "most 15 s behind.",
    )
    title = say("低码率", "Low bit rate")
    return [*made, count_of(title, low, of_bit_rate(0), [(None, CALM), (1, WARM)])]


def of_span(say: Say) -> AnyPanel:
    return numbers(
        say("所选时段的断流", "Drops of this span"),
        say(
            "断流：在所选时段内开始、后来恢复或断流未恢复的停播；正常下播与仍未判定的不计。时长到恢复为止；"
            "断流未恢复的到恢复或计划下播为止，无排期又未恢复的不计入时长。来源：drop_log。",
            "Stops that began in this span and were resumed or lost; sign-offs and those not yet judged do not count. "
            "Lengths end when the room is back, of lost ones also at the planned end; not back and without a plan: no "
            "length. Source: drop_log.",
        ),
        sql(statement("health_numbers", say)),
        [
            count("drops", say("断流次数", "Drops")), count("rooms", say("涉及直播间", "Rooms")),
            Column("resumed", say("宽限期内恢复", "Resumed within grace"), unit="percentunit", decimals=1),
            seconds("half_s", say("一半短于", "Half shorter than"))._replace(decimals=1, width=None),
            seconds("most_s", say("95% 短于", "95 % shorter than"))._replace(decimals=1, width=None),
        ],
    )  # fmt: skip


def over_time(say: Say) -> list[AnyPanel]:
    every = say("每 5 分钟一个点，时段长时更疏。", "One point for each 5 minutes, or more in a long span.")
    return [
        by_platform(lines(
            say("断流（按平台）", "Drops by platform"),
            say(
                f"按开始时间，恢复或断流未恢复的停播次数。{every}只按平台筛选。来源：event_minute，最多晚 15 秒。",
                f"Stops that were resumed or lost, by when they began. {every} Chosen by platform alone. "
                "Source: event_minute, at most 15 s behind.",
            ),
            [series("health_platforms", say)], decimals=0, source=POSTGRES,
        ), say),
        bars(
            say("恢复与断流未恢复", "Resumed and lost"),
            say(
                f"按结果出现的时间：宽限期内恢复的次数，与宽限期过后判为断流未恢复的次数。{every}来源："
                f"session_change。",
                f"By when it was known: stops that were resumed within grace, and those judged lost after it. {every} "
                "Source: session_change.",
            ),
            [series("health_recovered", say)],
            colors={say("已恢复", "resumed"): CALM, say("断流未恢复", "lost"): HOT},
        ),
    ]  # fmt: skip


def places(say: Say) -> list[AnyPanel]:
    told = say(
        "断流占比 = 断流秒数 /（直播秒数 + 断流秒数），只计所选时段内开始、时长已知的断流；看不见占比 = "
        "场次内看不见的秒数 / 直播秒数。一个场次的看不见时间里发生了什么无人知道，占比高时其余数字不可信。",
        "Share down = seconds down / (seconds on air + seconds down), of drops that began in this span and whose "
        "length is known; share blind = seconds in session that no feed could see / seconds on air. Where that is high "
        "no other number is to be trusted. ",
    )
    shares = [
        count("drops", say("断流次数", "Drops")),
        Column("drops_per_hour", say("每直播小时断流", "Drops per airtime hour"), unit="none", decimals=2),
        Column("down_share", say("断流占比", "Share down"), unit="percentunit", decimals=2, bar=True),
        Column("blind_share", say("看不见占比", "Share blind"), unit="percentunit", decimals=2, bar=True),
        Column("air_hours", say("直播小时", "Airtime hours"), unit="none", decimals=1),
    ]
    pattern = Column("pattern", "pattern", hidden=True)
    return [
        rows(say("各场馆", "Halls"), told + chosen_by("hall", say), sql(statement("health_places", say, place="hall")),
             [hall(say, pattern="pattern"), *shares, pattern]),
        rows(say("各城市", "Cities"), told + chosen_by("city", say), sql(statement("health_places", say, place="city")),
             [Column("city", say("城市", "City")), *shares, pattern]),
    ]  # fmt: skip


def ten_places(say: Say) -> list[AnyPanel]:
    told = say(
        "所选时段内断流最多的十个，每 5 分钟一个点（时段长时更疏），按开始时间。来源：event_minute_by。",
        "The ten with most drops of this span, one point for each 5 minutes (or more in a long span), by when they "
        "began. Source: event_minute_by. ",
    )
    titles = {"hall": say("断流（按场馆）", "Drops by hall"), "city": say("断流（按城市）", "Drops by city")}
    made: list[AnyPanel] = []
    for place, title in titles.items():
        asked = sql(statement("health_by_place", say, place=place), shape="time_series")
        made.append(lines(title, told + chosen_by(place, say), [asked], decimals=0, source=POSTGRES))
    return made


def chosen_by(place: str, say: Say) -> str:
    """Sums by one place know nothing of the other."""
    if place == "hall":
        return say(
            "按平台与场馆筛选；无场馆的直播间不在其中。",
            "Chosen by platform and hall; rooms without a hall are in no row.",
        )
    return say(
        "按平台与城市筛选；无城市的直播间不在其中。", "Chosen by platform and city; rooms without a city are in no row."
    )


def stands(say: Say) -> list[AnyPanel]:
    states = rooms_by_state(say, lambda state: in_state(state, CHOSEN))
    rates = [
        promql(of_bit_rate(number), name, ref=chr(65 + number), instant=True) for number, name in enumerate(CLASSES)
    ]
    bits = ranking(
        say("推流码率分布", "Bit rates"),
        say(
            "此刻正在直播的直播间按推流码率（Mbit/s）分段的个数；数据源不报告码率的不计；最多晚 15 秒。",
            "Live rooms by the bit rate of their stream (Mbit/s), now, at most 15 s behind; those whose feed tells "
            "none do not count.",
        ),
        rates[0],
        source=PROMETHEUS,
    )
    for more in rates[1:]:
        bits = bits.with_target(more)
    one_each = common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)
    return [states, bits.reduce_options(one_each)]


def make(say: Say) -> dict[str, Any]:
    worst, flapping = stops.rooms_to_repair(say)
    grid: list[Row] = [
        (4, [*((3, panel) for panel in now(say)), (12, of_span(say))]),
        (8, [(12, panel) for panel in over_time(say)]),
        (12, [(24, worst)]),
        (9, [(10, flapping), *((7, panel) for panel in stops.kinds(say))]),
        (10, [(12, panel) for panel in places(say)]),
        (8, [(12, panel) for panel in ten_places(say)]),
        (8, [(12, panel) for panel in stands(say)]),
    ]
    cities = query_variable("city", say("城市", "City"), statement("cities", say), multi=True, every=".*")
    return board(
        say,
        "livemon-health",
        say("推流健康", "Stream health"),
        say(
            "多少推流断了、在哪里、断多久、哪些直播间反复断。",
            "How many streams drop, where, for how long, and who again and again.",
        ),
        grid,
        variables=[platform_variable(say), hall_variable(say), cities],
        refresh="30s",
        since="now-6h",
    )

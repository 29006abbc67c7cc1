"""Of the board of feeds what cannot be seen: spans, signals that no feed tells, rooms that the roster lacks."""

from grafana_foundation_sdk.models.dashboard import DataTransformerConfig

from .columns import Column, hall, instant, platform, room, room_id, seconds
from .panels import AnyPanel, rows
from .queries import PROMETHEUS, promql, sql, statement
from .words import Say


def tables(say: Say) -> list[AnyPanel]:
    external = Column("external_id", say("直播间", "Room"))
    feed = Column("feed", say("数据源", "Feed"))
    blind = rows(
        say("看不见的时段", "Blind spans"),
        say(
            "与所选时段重叠的失联时段，仍在失联的在前，最多 200 行。时长只计所选时段内的部分。其间发生了什么无人知道。",
            "Spans in which a feed was not seen and that touch the chosen span, open ones first, at most 200. Only the "
            "part inside the chosen span is counted.",
        ),
        sql(statement("feeds_blind", say)),
        [
            instant("from_at", say("开始", "From")), instant("to_at", say("结束", "To")), feed,
            seconds("blind_s", say("时长", "Length")), Column("cause", say("原因", "Cause")), hall(say), external,
            room(say), room_id(),
        ],
    )  # fmt: skip
    unlisted = rows(
        say("不在名册的直播间", "Rooms not in the roster"),
        say(
            "所选时段内数据源看到过、名册里没有的直播间，最多 200 行。加入名册：livemon roster adopt。",
            "Rooms that a feed saw in this span and the roster lacks, at most 200. To take one in: livemon roster "
            "adopt.",
        ),
        sql(statement("feeds_unlisted", say)),
        [
            feed, platform(say), external, instant("first_at", say("最早看到", "First seen")),
            instant("last_at", say("最近看到", "Last seen")),
        ],
    )  # fmt: skip
    return [blind, unlisted]


def coverage(say: Say) -> AnyPanel:
    """A line for each platform, a column for each signal."""
    of_all = "on (platform) group_left () sum by (platform) (livemon_rooms)"
    made = rows(
        say("覆盖", "Coverage"),
        say(
            "名册中有数据源能告知此项的直播间占比，按平台。没有数据源的项不会有数据，也不会有告警。",
            "Of each platform's rooms in the roster, the share of which some feed tells this. What no feed tells is "
            "never there, and alerts nobody.",
        ),
        promql(f"sum by (platform, signal) (livemon_rooms_covered) / {of_all}", instant=True, table=True),
        [
            Column("platform\\signal", say("平台", "Platform"), words=platform(say).words),
            *(Column(name, words, unit="percentunit", decimals=1)
              for name, words in (("live", say("直播状态", "Live")), ("viewers", say("在线人数", "Viewers")),
                                  ("sales", say("订单", "Sales")))),
        ],
        source=PROMETHEUS,
    )  # fmt: skip
    told = {"rowField": "platform", "columnField": "signal", "valueField": "Value", "emptyValue": "null"}
    return made.with_transformation(DataTransformerConfig("groupingToMatrix", options=told))

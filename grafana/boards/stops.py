"""Of the board of stream health what looks at each stop: which rooms to repair, on what evidence, for how long."""

from .columns import Column, count, hall, instant, platform, room, room_id, seconds
from .panels import AnyPanel, bars, ranking, rows
from .queries import sql, statement
from .words import Say


def rooms_to_repair(say: Say) -> list[AnyPanel]:
    external, contact = Column("external_id", say("直播间", "Room")), Column("contact", say("联系人", "Contact"))
    city, latest = Column("city", say("城市", "City")), instant("latest_at", say("最近一次", "Latest"))
    worst = rows(
        say("最严重的十个直播间", "The ten worst rooms"),
        say(
            "所选时段内断流损失最大的十个。损失观看小时 = Σ(断流前人数 × 断流秒数) / 3600："
            "断流前在看的人本来还会看的时间，是估算；人数或时长未知的断流不计入。",
            "Those that lost most by drops of this span. Lost watch hours = sum(viewers before x seconds down) / 3600: "
            "what those who watched would have watched, an estimate; drops of unknown audience or length add nothing.",
        ),
        sql(statement("health_worst", say)),
        [
            room(say), platform(say), hall(say), city, external, count("drops", say("断流次数", "Drops")),
            seconds("down_s", say("断流总时长", "Down in all"))._replace(decimals=1),
            seconds("longest_s", say("最长一次", "Longest"))._replace(decimals=1),
            Column("lost_hours", say("损失观看小时", "Lost watch hours"), unit="none", decimals=1, bar=True),
            latest, contact, room_id(),
        ],
    )  # fmt: skip
    flapping = rows(
        say("反复断流", "Flapping rooms"),
        say(
            "所选时段内曾在任意 10 分钟里断流至少 3 次的直播间，最多 50 行：多半是推流端或上行线路。",
            "Rooms with at least 3 drops within some 10 minutes of this span, at most 50: most likely the encoder or "
            "the uplink.",
        ),
        sql(statement("health_flapping", say)),
        [
            room(say), platform(say), hall(say), external, count("within", say("10 分钟内最多", "Most in 10 min")),
            count("drops", say("断流次数", "Drops")), latest, contact, room_id(),
        ],
    )  # fmt: skip
    return [worst, flapping]


def kinds(say: Say) -> list[AnyPanel]:
    lengths = ranking(
        say("断流时长分布", "How long drops last"),
        say(
            "所选时段的断流按时长分段的次数。宽限期（grace_s）内的会恢复为同一场次。来源：drop_log.down_s。",
            "Drops of this span by length. What is shorter than grace (grace_s) is resumed in the same session. "
            "Source: drop_log.down_s.",
        ),
        sql(statement("health_lengths", say)),
    )
    evidence = bars(
        say("断流依据", "Drops by evidence"),
        say(
            "凭什么判为断流。卡流：仍在推流但画面不动；重新推流：换了连接，中间断过。每 5 分钟一柱（时段长时更疏），"
            "各依据相加为总数。",
            "By what a drop was known. Stall: still connected, but nothing moves; reconnect: another connection, so it "
            "stopped between. One bar for each 5 minutes, or more in a long span; together they are all drops.",
        ),
        [sql(statement("health_evidence", say), shape="time_series")],
    )
    return [evidence, lengths]

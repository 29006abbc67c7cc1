"""livemon itself: its disk queue, writer, event loop and database, how much of each is used, what waits, what failed.
Whatever is red here makes every other board doubtful."""

from typing import Any

from grafana_foundation_sdk.models import common as model

from . import pipeline
from .board import Row, board
from .columns import Column, count, instant, seconds
from .panels import BLUE, CALM, GREY, HOT, WARM, AnyPanel, count_of, largest_first, lines, number, numbers, rows
from .pipeline import RATE, asked
from .queries import PROMETHEUS, promql, sql, statement
from .words import Say

JOBS = 'job=~"livemon|livemon-rooms"'
# Samples that prometheus/prometheus.yml takes of each page at most, and for how long it waits for one.
SAMPLES_MAX = {"livemon": 20_000, "livemon-rooms": 300_000}
SCRAPE_S_MAX = 4


def most_urgent(say: Say) -> list[AnyPanel]:
    return [
        count_of(
            say("采集", "Scraped"),
            say("Prometheus 能否采集 livemon 的两个页面；失联时本页其余数字都是旧的。",
                "Whether both pages of livemon can be scraped; if not, nothing else here is new."),
            f"min(up{{{JOBS}}})", [(None, HOT), (1, CALM)],
            words={"0": (say("失联", "away"), HOT), "1": (say("正常", "fine"), CALM)},
        ),
        count_of(
            say("账目差额", "Books"),
            say("收到 − 已写入 − 重复 − 隔离 − 主动丢弃 − 待写入，各种类绝对值之和；必须是 0。",
                "received - written - duplicates - quarantined - shed - spooled, absolute, over all kinds: it must be "
                "0."),
            "sum(abs(livemon_books_difference))", [(None, CALM), (1, HOT)],
        ),
        count_of(
            say("写入受阻", "Writer blocked"),
            say("写入没有进展已有多久；0 表示正常写入。",
                "For how long the writer has made no progress; 0: it writes."),
            "max((time() - livemon_writer_blocked_since_timestamp_seconds) * "
            "(livemon_writer_blocked_since_timestamp_seconds > bool 0))",
            [(None, CALM), (1, WARM), (15, HOT)], unit="s",
        ),
        count_of(
            say("落盘队列已用", "Spool used"),
            say("待写入的字节数 / spool_bytes_max。满了会先主动丢弃采样，订单事件从不丢弃。",
                "Bytes that wait on disk / spool_bytes_max. When full, ticks are shed first; sales never."),
            "max(livemon_spool_bytes / livemon_spool_bytes_max)", [(None, CALM), (0.5, WARM), (0.95, HOT)],
            unit="percentunit", decimals=1,
        ),
        count_of(
            say("最早待写入", "Oldest waiting"),
            say("最早一批待写入数据的年龄；没有则为 0。",
                "Age of the oldest batch that waits for PostgreSQL; 0: none does."),
            "max((time() - livemon_spool_oldest_timestamp_seconds) * (livemon_spool_oldest_timestamp_seconds > bool "
            "0))",
            [(None, CALM), (30, WARM), (120, HOT)], unit="s",
        ),
        count_of(
            say("丢弃与遗失", "Shed and lost"),
            say("最近 24 小时主动丢弃的与数据库切换中遗失的行数。",
                "Rows of 24 hours that were shed by policy, or that a failover of the database lost."),
            "sum(increase(livemon_shed_total[24h])) + sum(increase(livemon_lost_total[24h]))", [(None, CALM), (1, HOT)],
        ),
        count_of(
            say("消息未送达", "Deliveries failed"),
            say("最近一小时向群机器人或外部心跳发送失败的次数；失败的会重试。",
                "Attempts of one hour to tell a robot, or the outside heartbeat, that failed; they are tried again."),
            "sum(increase(livemon_deliveries_failed_total[1h]))", [(None, CALM), (1, WARM)],
        ),
        count_of(
            say("分区备妥", "Partitions ready"),
            say("数据库已为多久以后的数据备好分区；不足 12 小时会告警。",
                "For how long from now PostgreSQL has partitions; below 12 hours there is an alert."),
            "min(livemon_partitions_ready_until_timestamp_seconds > 0) - time()",
            [(None, HOT), (43_200, WARM), (86_400, CALM)], unit="s",
        ),
    ]  # fmt: skip


def of_process(say: Say) -> list[AnyPanel]:
    version = number(
        say("版本", "Version"),
        say("正在运行的版本与 Python。", "What runs, and on which Python."),
        promql("max by (version, python) (livemon_build_info)", "{{version}} · Python {{python}}", instant=True),
        [(None, GREY)],
        source=PROMETHEUS,
    )
    version = version.text_mode(model.BigValueTextMode.NAME)
    return [
        version,
        count_of(
            say("运行时长", "Running for"),
            say("进程启动至今；每次重启都记为看不见。", "Since the process started; each restart is blind time."),
            'time() - max(process_start_time_seconds{job="livemon"})', [(None, BLUE)], unit="s",
        ),
        count_of(
            say("汇总滞后", "Rollup lag"),
            say("最早一个已结束、尚未汇总的分钟的年龄；正常低于 15 秒。",
                "Age of the oldest minute that is over and not summed yet; normally below 15 s."),
            "max(livemon_rollup_lag_seconds)", [(None, CALM), (60, WARM), (600, HOT)], unit="s",
        ),
        count_of(
            say("时钟偏差", "Clock skew"),
            say("墙上时钟与我们所盖时间戳之差的绝对值，取半分钟内最大；超过 2 秒会告警。",
                "Wall clock less the stamps we give, absolute, the widest in half a minute; an alert above 2 s."),
            "max(abs(livemon_clock_skew_seconds))", [(None, CALM), (0.5, WARM), (2, HOT)], unit="s", decimals=1,
        ),
        count_of(
            say("文件描述符", "File descriptors"),
            say("已打开 / 上限。", "Open / allowed."),
            'max(process_open_fds{job="livemon"}) / max(process_max_fds{job="livemon"})',
            [(None, CALM), (0.7, WARM), (0.9, HOT)], unit="percentunit", decimals=1,
        ),
        numbers(
            say("数据库", "Database"),
            say("PostgreSQL 此刻：占盘、连接数、隔离中等人处理的行、最近一批写入距今。不经过 Prometheus。",
                "PostgreSQL now: bytes on disk, connections, rows in quarantine that wait for a person, age of the "
                "newest batch. Not by way of Prometheus."),
            sql(statement("self_database", say)),
            [
                Column("bytes", say("占盘", "On disk"), unit="bytes", decimals=1),
                count("connections", say("连接", "Connections")), count("kept", say("隔离中", "Quarantined")),
                seconds("newest_s", say("最近写入距今", "Newest batch"))._replace(width=None),
            ],
        ),
    ]  # fmt: skip


def of_machine(say: Say) -> list[AnyPanel]:
    return [
        lines(
            say("事件循环延迟", "Loop lag"),
            say("事件循环晚醒了多久，每秒取一次；超过 1 秒会告警。",
                "How late the event loop woke, looked at each second; above 1 s there is an alert."),
            asked(("max(livemon_loop_lag_seconds)", say("延迟", "lag"))), unit="s", legend=False,
        ),
        lines(
            say("处理器", "CPU"),
            say("livemon 进程占一个核的份额。", "Share of one core that livemon's process takes."),
            asked((f'sum(rate(process_cpu_seconds_total{{job="livemon"}}[{RATE}]))', "livemon")),
            unit="percentunit", legend=False,
        ),
        lines(
            say("内存", "Memory"),
            say("livemon 进程的常驻内存。", "Resident memory of livemon's process."),
            asked(('max(process_resident_memory_bytes{job="livemon"})', "livemon")), unit="bytes", legend=False,
        ),
        lines(
            say("采集耗时", "Scrape duration"),
            say("Prometheus 采集每个页面用时；上限 4 秒，超过整页作废。",
                f"How long a scrape of each page takes; beyond {SCRAPE_S_MAX} s the whole page is lost."),
            asked((f"max by (job) (scrape_duration_seconds{{{JOBS}}})", "{{job}}")), unit="s",
        ),
        lines(
            say("采集用量", "Scrape size"),
            say("每个页面的采样数 / 上限；超过整页作废。",
                "Samples of each page / how many are taken; beyond that it is lost."),
            asked(*((f'max by (job) (scrape_samples_scraped{{job="{job}"}}) / {most}', "{{job}}")
                    for job, most in SAMPLES_MAX.items())),
            unit="percentunit",
        ),
    ]  # fmt: skip


def of_others(say: Say) -> list[AnyPanel]:
    return [
        lines(
            say("发送失败（按机器人）", "Failed deliveries by robot"),
            say("每分钟失败次数；deadman 是外部心跳。", "Failures per minute; deadman is the outside heartbeat."),
            asked((f"60 * sum by (robot) (rate(livemon_deliveries_failed_total[{RATE}]))", "{{robot}}")), unit="cpm",
        ).axis_soft_max(1),  # where nothing fails, the axis does not end at 100
        largest_first(lines(
            say("告警送达 livemon", "Posts of Alertmanager"),
            say("Alertmanager 每分钟送来的告警，按结果。",
                "What Alertmanager posted per minute, by what became of it."),
            asked((f"60 * sum by (outcome) (rate(livemon_alert_posts_total[{RATE}]))", "{{outcome}}")), unit="cpm",
        )),
        largest_first(lines(
            say("不应发生的事", "What should not happen"),
            say("每分钟次数：守卫切断的连接、被拒的配置重载、COMMIT 中断后查明的批次、放弃的消息。",
                "Per minute: connections cut by the guard, reloads refused, batches whose COMMIT was cut and then "
                "found out, messages given up."),
            asked(
                (f"60 * sum by (reason) (rate(livemon_connections_refused_total[{RATE}]))",
                 say("切断 {{reason}}", "cut {{reason}}")),
                (f"60 * sum(rate(livemon_config_rejected_total[{RATE}]))", say("配置被拒", "config rejected")),
                (f"60 * sum by (outcome) (rate(livemon_batches_unknown_resolved_total[{RATE}]))",
                 say("COMMIT 中断 {{outcome}}", "COMMIT cut {{outcome}}")),
                (f"60 * sum by (severity) (rate(livemon_messages_given_up_total[{RATE}]))",
                 say("放弃消息 {{severity}}", "given up {{severity}}")),
            ),
            unit="cpm",
        ).axis_soft_max(1)),
    ]  # fmt: skip


def quarantine(say: Say) -> AnyPanel:
    return rows(
        say("隔离中的数据", "In quarantine"),
        say("留待人处理的行，按数据源与原因，最多 100 行。查看：livemon quarantine show 编号。",
            "Rows that wait for a person, by feed and reason, at most 100. To see one: livemon quarantine show ID."),
        sql(statement("self_quarantine", say)),
        [
            Column("feed", say("数据源", "Feed")), Column("kind", say("种类", "Kind")),
            Column("reason", say("原因", "Reason")), count("rows", say("行数", "Rows"), bar=True),
            instant("first_at", say("最早", "First")), instant("last_at", say("最晚", "Last")),
            Column("latest", say("最近编号", "Latest ID")),
        ],
    )  # fmt: skip


def make(say: Say) -> dict[str, Any]:
    *facts, database = of_process(say)
    grid: list[Row] = [
        (4, [(3, panel) for panel in most_urgent(say)]),
        (4, [*((3, panel) for panel in facts), (9, database)]),
        (8, [(6, panel) for panel in pipeline.of_spool(say)]),
        (8, [(6, panel) for panel in pipeline.of_writer(say)]),
        (7, [(width, panel) for width, panel in zip((5, 5, 4, 5, 5), of_machine(say), strict=True)]),
        (8, [(8, panel) for panel in of_others(say)]),
        (7, [(24, quarantine(say))]),
    ]
    return board(
        say,
        "livemon-self",
        say("livemon 自身", "livemon itself"),
        say("落盘队列、写入、事件循环、数据库各用了多少，什么在等、什么出了错。",
            "How much of its disk queue, writer, event loop and database livemon uses, what waits, and what went "
            "wrong."),
        grid,
    )  # fmt: skip

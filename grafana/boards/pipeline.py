"""Of the board of livemon itself what is about the way of the data: the disk queue, and the writer behind it."""

from grafana_foundation_sdk.builders import timeseries

from .panels import HOT, AnyPanel, called, largest_first, lines
from .queries import POSTGRES, Query, promql, sql, statement
from .words import Say

QUANTILES = {"50 %": 0.5, "95 %": 0.95, "99 %": 0.99}
RATE = "$__rate_interval"


def asked(*named: tuple[str, str]) -> list[Query]:
    """(PromQL, what it is called in the legend)."""
    return [promql(text, legend, ref=chr(65 + place)) for place, (text, legend) in enumerate(named)]


def quantiles(name: str) -> list[Query]:
    of_all = f"sum by (le) (rate({name}_bucket[{RATE}]))"
    return asked(*((f"histogram_quantile({share}, {of_all})", words) for words, share in QUANTILES.items()))


def by_kind(panel: timeseries.Panel, say: Say, *before: str) -> timeseries.Panel:
    """Whose legend is {{kind}}, or one of the words `before` and {{kind}}: with words for kinds of rows."""
    kinds = {
        "tick": say("采样", "ticks"), "sale": say("订单事件", "sales"), "change": say("状态变化", "changes"),
        "frame": say("报文", "messages"),
    }  # fmt: skip
    starts = [f"{word} " for word in before] or [""]
    return called(panel, {start + kind: start + word for start in starts for kind, word in kinds.items()})


def of_spool(say: Say) -> list[AnyPanel]:
    used = "sum(livemon_spool_bytes) / sum(livemon_spool_bytes_max)"
    bytes_waiting = lines(
        say("落盘队列", "Spool"),
        say("待写入的字节数；超过上限的一半时才画出上限，以免压平曲线。数据库停机时上涨，恢复后应回落。",
            "Bytes that wait on disk. How many may is drawn when half of that is reached; before, it would flatten the "
            "line. It grows while the database is away, and must fall again."),
        asked(("sum(livemon_spool_bytes)", say("待写入", "waiting")),
              (f"sum(livemon_spool_bytes_max) and {used} >= 0.5", say("上限", "allowed"))),
        unit="bytes", colors={say("上限", "allowed"): HOT},
    )  # fmt: skip
    kept_out = [
        ("duplicates", say("重复", "duplicates")), ("quarantined", say("隔离", "quarantined")),
        ("shed", say("主动丢弃", "shed")), ("reoffered", say("重送", "reoffered")), ("lost", say("遗失", "lost")),
    ]  # fmt: skip
    received, written = say("收到", "received"), say("写入", "written")
    return [
        bytes_waiting,
        by_kind(lines(
            say("待写入（按种类）", "Rows waiting by kind"),
            say("已落盘、PostgreSQL 尚未确认的行数。", "Rows on disk that PostgreSQL does not hold yet."),
            asked(("sum by (kind) (livemon_spooled)", "{{kind}}")), decimals=0,
        ), say),
        largest_first(by_kind(lines(
            say("收到与写入", "Received and written"),
            say("每秒行数，按种类。两者长期应相等。", "Rows per second by kind. In the long run they are the same."),
            asked((f"sum by (kind) (rate(livemon_received_total[{RATE}]))", f"{received} {{{{kind}}}}"),
                  (f"sum by (kind) (rate(livemon_written_total[{RATE}]))", f"{written} {{{{kind}}}}")),
            unit="rowsps",
        ), say, received, written)),
        by_kind(lines(
            say("未成为新行的", "What became no new row"),
            say("每分钟行数。重复：数据库已有；隔离：读不懂，留待人看；主动丢弃：队列满；重送：已写入又送；遗失："
                "数据库切换中丢失。",
                "Rows per minute. duplicates: held already; quarantined: kept for a person; shed: the spool was full; "
                "reoffered: sent again though applied; lost: by a failover."),
            asked(*((f"60 * sum by (kind) (rate(livemon_{name}_total[{RATE}])) > 0", f"{words} {{{{kind}}}}")
                    for name, words in kept_out)),
            unit="cpm",
        ), say, *(words for _, words in kept_out)),
    ]  # fmt: skip


def of_writer(say: Say) -> list[AnyPanel]:
    return [
        lines(
            say("写入耗时", "Write duration"),
            say("一批从 BEGIN 到 COMMIT 的分位数。", "One batch, BEGIN to COMMIT; quantiles."),
            quantiles("livemon_write_duration_seconds"), unit="s",
        ),
        lines(
            say("落盘耗时", "fsync duration"),
            say("队列一次提交的分位数；推送的应答要等它。95 分位应低于 0.05 秒。",
                "One commit of the spool; quantiles. Pushes are answered after it. The 95th should stay below 0.05 s."),
            quantiles("livemon_fsync_duration_seconds"), unit="s",
        ),
        lines(
            say("数据库写入", "Rows into PostgreSQL"),
            say("每秒新行数，由 PostgreSQL 自己的 applied_batch 计，每分钟一个点（时段长时更疏），最后未满的一段不计。",
                "New rows per second by PostgreSQL's own applied_batch, one point for each minute (or more in a long "
                "span); the last, unfinished one is left out."),
            [sql(statement("self_batches", say), shape="time_series")], unit="rowsps", source=POSTGRES,
        ),
        lines(
            say("落盘到入库", "From disk to row"),
            say("一批从落盘到写入 PostgreSQL 的时间，每分钟（时段长时更疏）的最长与平均。",
                "From the seal of a batch to its commit in PostgreSQL: longest and mean of each minute, or more in a "
                "long span."),
            [sql(statement("self_delay", say), shape="time_series")], unit="s", source=POSTGRES,
        ),
    ]  # fmt: skip

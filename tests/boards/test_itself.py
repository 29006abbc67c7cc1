"""The board of livemon itself: its numbers from a small story by promtool, what PostgreSQL tells from a real one."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.commands.quarantine import KINDS
from tests.boards.macros import Opened, sql_sent
from tests.boards.promtool import NOTHING, told_by
from tests.boards.stage import panels, queries, title
from tests.postgres import FreshDatabase

SERIES = {
    'up{job="livemon", instance="i"}': "1x900",
    'up{job="livemon-rooms", instance="i"}': "1x900",
    'up{job="prometheus", instance="p"}': "0x900",  # no part of livemon
    'livemon_books_difference{kind="tick"}': "3x900",
    'livemon_books_difference{kind="sale"}': "-3x900",  # two faults do not make a balance
    "livemon_writer_blocked_since_timestamp_seconds": "880x900",
    "livemon_spool_bytes": "25x900",
    "livemon_spool_bytes_max": "100x900",
    "livemon_spool_oldest_timestamp_seconds": "860x900",
    'livemon_shed_total{kind="tick"}': "0x450 7x450",
    'livemon_lost_total{kind="sale"}': "0x450 2x450",
    'livemon_deliveries_failed_total{robot="hall"}': "0x450 4x450",
    "livemon_partitions_ready_until_timestamp_seconds": "87300x900",
    'livemon_build_info{version="1.2", python="3.13.1"}': "1x900",
    'process_start_time_seconds{job="livemon"}': "300x900",
    'process_start_time_seconds{job="prometheus"}': "500x900",
    "livemon_rollup_lag_seconds": "12x900",
    "livemon_clock_skew_seconds": "-0.4x900",
    'process_open_fds{job="livemon"}': "20x900",
    'process_max_fds{job="livemon"}': "80x900",
    'process_open_fds{job="prometheus"}': "79x900",
}
AT_S = 900
NUMBERS = {
    "采集": 1, "账目差额": 6, "写入受阻": 20, "落盘队列已用": 0.25, "最早待写入": 40, "消息未送达": 4, "丢弃与遗失": 9,
    "分区备妥": 86_400, "运行时长": 600, "汇总滞后": 12, "时钟偏差": 0.4, "文件描述符": 0.25,
}  # fmt: skip
# With nothing that waits, and a writer that writes: no age of 1970.
QUIET = SERIES | {
    "livemon_writer_blocked_since_timestamp_seconds": "0x900",
    "livemon_spool_oldest_timestamp_seconds": "0x900",
    'livemon_books_difference{kind="tick"}': "0x900",
    'livemon_books_difference{kind="sale"}': "0x900",
    'up{job="livemon-rooms", instance="i"}': "0x900",
}
QUIET_NUMBERS = NUMBERS | {"写入受阻": 0, "最早待写入": 0, "账目差额": 0, "采集": 0}


@pytest.mark.parametrize(("series", "numbers"), [(SERIES, NUMBERS), (QUIET, QUIET_NUMBERS), ({}, {})])
def test_the_numbers_are_those_of_the_story(tmp_path: Path, series: dict[str, str], numbers: dict[str, float]):
    """Without livemon there is no number at all, which is not 0."""
    names = [*NUMBERS]
    wanted = [(name, numbers.get(name, NOTHING)) for name in names]
    assert told_by(tmp_path, "self", series, wanted, at_s=AT_S) == ""


@pytest.mark.parametrize(("used", "limit"), [(49, NOTHING), (50, 100)])
def test_the_limit_of_the_spool_is_drawn_when_half_of_it_is_reached(tmp_path: Path, used: int, limit: int | None):
    series = SERIES | {"livemon_spool_bytes": f"{used}x900"}
    wanted = [("落盘队列 待写入", used), ("落盘队列 上限", limit)]
    assert told_by(tmp_path, "self", series, wanted, at_s=AT_S) == ""


def test_every_kind_of_rows_has_a_name_in_each_legend():
    for _, panel in panels(board="self"):
        legends = [target.get("legendFormat", "") for target in panel.get("targets", [])]
        told = {legend.replace("{{kind}}", kind) for legend in legends if "{{kind}}" in legend for kind in KINDS}
        assert told <= {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}, title(panel)


@pytest.fixture
async def filled(database: FreshDatabase) -> FreshDatabase:
    """Two batches of ticks and one of facts five minutes ago; three rows in quarantine, one of them settled."""
    at = datetime.now(UTC).replace(second=10, microsecond=0) - timedelta(minutes=5)
    sql = await database.connect("writer")
    await sql.executemany(
        "INSERT INTO applied_batch (batch_id, kind, spool_id, seq, sealed_at, applied_at, rows, written)"
        " VALUES (gen_random_uuid(), $1, gen_random_uuid(), 1, $2::timestamptz - $3 * interval '1 second', $2, $4, $4)",
        [("ticks", at, 1, 300), ("ticks", at + timedelta(seconds=20), 4, 900), ("facts", at, 1, 6)],
    )
    await sql.executemany(
        "INSERT INTO quarantine (received_at, feed, kind, reason, payload, state, origin, place)"
        " VALUES ($1, '抖店', 'sale', $2, '', $3, gen_random_uuid(), 0)",
        [(at, "bad_number", "kept"), (at, "bad_number", "kept"), (at, "bad_number", "dropped"), (at, "x", "retry")],
    )
    await sql.close()
    return database


@pytest.mark.real
async def test_what_postgresql_tells_of_itself(filled: FreshDatabase):
    now = datetime.now(UTC)
    asked = queries("rawSql", board="self")
    reader = await filled.connect("reader")
    found = {
        name: await reader.fetch(sql_sent(text, Opened(now - timedelta(hours=1), now))) for name, text in asked.items()
    }
    await reader.close()
    assert [tuple(row)[1:] for row in found["self 数据库写入 A"]] == [
        ("其余", Decimal("0.10")),
        ("采样", 20),
    ]  # 1,200 in a minute
    assert [tuple(row)[1:] for row in found["self 落盘到入库 A"]] == [(4, 2)]
    (database,) = found["self 数据库 A"]
    assert database["bytes"] > 1_000_000
    assert database["connections"] >= 1
    assert database["kept"] == 3
    assert 240 < database["newest_s"] < 360
    groups = [(row["feed"], row["reason"], row["rows"]) for row in found["self 隔离中的数据 A"]]
    assert groups == [("抖店", "bad_number", 2), ("抖店", "x", 1)]

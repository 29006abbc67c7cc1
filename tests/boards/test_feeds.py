"""The board of feeds: its numbers from a small story by promtool, its tables from a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grafana.boards.feeds import STATES
from monitor.http.sums import FEED_STATES
from tests.boards.macros import Chosen, Opened, sql_sent
from tests.boards.promtool import told_by
from tests.boards.stage import panels, queries, title, variables
from tests.postgres import FreshDatabase
from tests.sql.stage import Stage


def in_state(feed: str, state: str) -> dict[str, str]:
    return {f'livemon_feed_state{{feed="{feed}", state="{each}"}}': f"{int(each == state)}x900" for each in FEED_STATES}


SERIES = {
    **in_state("a", "ok"), **in_state("抖店", "refused"), **in_state("b", "blind"), **in_state("c", "frozen"),
    **in_state("d", "stale"), **in_state("e", "stale"),
    'livemon_push_missed_total{feed="抖店"}': "0x450 3x450",
    'livemon_push_missed_total{feed="b"}': "9x900",  # of before
    'livemon_feed_witnessed{feed="抖店"}': "0x900",
    'livemon_feed_witnessed{feed="b"}': "1x900",
    'livemon_feed_witnessed{feed="c"}': "1x900",
    'livemon_rooms_unlisted{feed="a"}': "4x900",
    'livemon_rooms_unlisted{feed="b"}': "1x900",
    'livemon_app_breakers{app="x", state="open"}': "2x900",
    'livemon_app_breakers{app="x", state="closed"}': "5x900",
    'livemon_feed_last_message_timestamp_seconds{feed="a"}': "870x900",
    'livemon_feed_last_message_timestamp_seconds{feed="b"}': "0x900",  # never
    'livemon_feed_messages_total{feed="a"}': "0+2x900",
    'livemon_feed_messages_total{feed="b"}': "0+1x900",
    'livemon_feed_failures_total{feed="a", reason="timeout"}': "0+1x900",
    'livemon_feed_failures_total{feed="b", reason="timeout"}': "0+1x900",
    'livemon_feed_failures_total{feed="b", reason="connect"}': "0+2x900",
    'livemon_feed_poll_duration_seconds_bucket{feed="a", le="0.5"}': "0+5x900",
    'livemon_feed_poll_duration_seconds_bucket{feed="a", le="1"}': "0+10x900",
    'livemon_feed_poll_duration_seconds_bucket{feed="a", le="+Inf"}': "0+10x900",
    'livemon_rooms{platform="p", state="live"}': "6x900",
    'livemon_rooms{platform="p", state="unwatched"}': "2x900",
    'livemon_rooms_covered{platform="p", signal="live"}': "6x900",
    'livemon_rooms_covered{platform="p", signal="sales"}': "0x900",
    'livemon_accounts{platform="p", state="ok"}': "7x900",
    'livemon_accounts{platform="p", state="refused"}': "1x900",
    'livemon_hook_requests_total{feed="抖店", outcome="accepted"}': "0+3x900",
    'livemon_hook_requests_total{feed="抖店", outcome="full"}': "0x900",
    'livemon_hook_ack_duration_seconds_bucket{le="0.01"}': "0+1x900",
    'livemon_hook_ack_duration_seconds_bucket{le="0.02"}': "0+2x900",
    'livemon_hook_ack_duration_seconds_bucket{le="+Inf"}': "0+2x900",
    'livemon_frames_spooled{feed="抖店", state="waiting"}': "2x900",
    'livemon_frames_spooled{feed="抖店", state="pending"}': "5x900",
}  # fmt: skip
OF_ALL = [
    ("看不见", 1), ("被拒绝", 1), ("数据不动", 1), ("数据过时", 2), ("漏推", 3), ("无旁证", 1), ("不在名册", 5),
    ("应用暂停调用", 2),
    (
        "数据源状态",
        {f'{{feed="{feed}"}}': code for code, feed in enumerate(["a", "d", "c", "b", "抖店"], 1)} | {'{feed="e"}': 2},
    ),
    ("最近报文距今", {'{feed="a"}': 30}),
    ("报文", {'{feed="a"}': 2, '{feed="b"}': 1}),
    ("失败（按原因）", {'{reason="timeout"}': 120, '{reason="connect"}': 120}),
    ("轮询耗时 50 %", 0.5), ("轮询耗时 95 %", 0.95),
    ("失败占比", {
        f'{{feed="{feed}"}}': share for feed, share in [("b", 0.75), ("a", 1 / 3)]
    }),
    ("最慢的数据源", {'{feed="a"}': 0.95}),
    ("覆盖", {'{platform="p", signal="live"}': 0.75, '{platform="p", signal="sales"}': 0}),
    ("授权（按状态）", {'{platform="p", state="ok"}': 7, '{platform="p", state="refused"}': 1}),
    ("推送请求（按结果）", {'{outcome="accepted"}': 180}),
    ("推送应答时间 50 %", 0.01),
    ("已应答未入库 待读", 2), ("已应答未入库 等平台答复", 5),
]  # fmt: skip
OF_TWO = [("看不见", 1), ("被拒绝", 0), ("漏推", 0), ("不在名册", 5), ("报文", {'{feed="a"}': 2, '{feed="b"}': 1})]


@pytest.mark.parametrize(("chosen", "wanted"), [(".*", OF_ALL), ("a|b", OF_TWO)])
def test_the_numbers_are_those_of_the_story(tmp_path: Path, chosen: str, wanted: list[tuple[str, object]]):
    rules = ["recording"]
    assert told_by(tmp_path, "feeds", SERIES, wanted, at_s=900, values={"feed": chosen}, rules=rules) == ""


def test_of_many_feeds_those_have_a_line_that_were_longest_not_well(tmp_path: Path):
    """More lines than twenty nobody can read."""
    series = {}
    for number in range(1, 31):
        well_s = 900 - 10 * number
        for state, at_first in (("ok", 1), ("blind", 0)):
            name = f'livemon_feed_state{{feed="{number}", state="{state}"}}'
            series[name] = f"{at_first}x{well_s} {1 - at_first}x{10 * number}"
    wanted = [("数据源状态", {f'{{feed="{number}"}}': 4 for number in range(11, 31)})]
    assert told_by(tmp_path, "feeds", series, wanted, at_s=900, values={"feed": ".*"}) == ""


def test_every_state_of_a_feed_is_drawn_the_worse_the_higher():
    assert set(STATES) == set(FEED_STATES)
    (panel,) = [each for _, each in panels(board="feeds") if title(each) == "数据源状态"]
    (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
    assert [mapping["options"][str(code)]["text"] for code in range(1, 6)] == [
        "正常", "数据过时", "数据不动", "看不见", "被拒绝",
    ]  # fmt: skip


def test_feeds_are_offered_by_prometheus():
    (variable,) = variables("feeds", "feed")
    assert variable["datasource"]["type"] == "prometheus"
    assert (variable["query"], variable["allValue"]) == ("label_values(livemon_feed_messages_total, feed)", ".*")


NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


@pytest.fixture
async def filled(database: FreshDatabase) -> FreshDatabase:
    sql = await database.connect("writer")
    stage = Stage(sql)
    await stage.ready()
    room = await stage.room("live/1")
    await stage.feed("hall-a", [room])
    await stage.feed("抖店", [], kind="doudian", signals=["sales"], platform="doudian")
    await stage.blind("hall-a", NOW - 2 * HOUR, NOW - HOUR / 2)  # half of it in the last hour
    await stage.blind("hall-a", NOW - 3 * HOUR, NOW - 2 * HOUR)  # over before
    await stage.blind("抖店", NOW - HOUR / 4, None)  # goes on
    await stage.blind("hall-a", NOW - HOUR / 6, NOW - HOUR / 12, room)  # one room alone
    await sql.executemany(
        "INSERT INTO room_unlisted (feed, platform, external_id, first_at, last_at) VALUES ($1, 'nginx_rtmp', $2, "
        "$3, $4)",
        [("hall-a", "陌生人", NOW - 5 * HOUR, NOW), ("hall-a", "gone", NOW - 5 * HOUR, NOW - 2 * HOUR)],
    )
    await sql.executemany(
        "INSERT INTO account_state (platform, shop, anchor, app, name, contact, at, granted, refused, lapses_at, gone)"
        " VALUES ('doudian', $1, '', 'app', '', '', now(), $2, $3, $4, false)",
        [
            ("fine", True, "", NOW + timedelta(days=30)), ("soon", True, "", NOW + timedelta(days=2)),
            ("out", True, "revoked", None), ("none", False, "", None),
        ],
    )  # fmt: skip
    await sql.close()
    return database


@pytest.mark.real
async def test_the_tables_are_those_of_the_story(filled: FreshDatabase):
    reader = await filled.connect("reader")

    async def rows(panel: str, feed: str = "") -> list[object]:
        chosen = {"feed": Chosen((feed,), quoted=True) if feed else Chosen(".*", quoted=True, as_it_is=True)}
        text = sql_sent(queries("rawSql", board="feeds")[f"feeds {panel} A"], Opened(NOW - HOUR, NOW, chosen))
        return list(await reader.fetch(text))

    spans = [
        (row["feed"], row["external_id"], row["anchor"], round(row["blind_s"])) for row in await rows("看不见的时段")
    ]
    alone = ("hall-a", "live/1", "主播live/1", 300)
    assert spans == [("抖店", "全部", None, 900), alone, ("hall-a", "全部", None, 1800)]
    assert [row["feed"] for row in await rows("看不见的时段", "抖店")] == ["抖店"]
    assert [row["external_id"] for row in await rows("不在名册的直播间")] == ["陌生人"]
    assert await rows("不在名册的直播间", "抖店") == []
    accounts = [(row["account"], row["state_code"]) for row in await rows("需要处理的授权")]
    assert accounts == [("out", 1), ("soon", 2), ("none", 3)]
    await reader.close()

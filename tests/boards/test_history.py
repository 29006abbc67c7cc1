# ruff: noqa: F811 - fixtures are imported and asked for by their names
"""The board of history: every panel's rows from the story of tests/history, whose numbers were worked out by hand."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.boards.macros import Chosen, Opened, sql_sent
from tests.boards.stage import panels, queries, title
from tests.history.conftest import story, story_database, story_reader, story_writer, told  # noqa: F401
from tests.history.story import A, B, Story, roll, when
from tests.sql.stage import Sql, Stage

pytestmark = pytest.mark.real

ALL = Chosen(".*", quoted=True, as_it_is=True)
BOTH_DAYS = ("D1 00:00", "D2 23:59:59")


def opened(
    span: tuple[str, str] = BOTH_DAYS,
    *,
    platform: str = "",
    hall: str = "",
    search: str = "",
    to_at: datetime | None = None,
) -> Opened:
    chosen = {
        "platform": Chosen((platform,), True) if platform else ALL,
        "hall": Chosen((hall,), True) if hall else ALL,
        "search": Chosen(search),
    }
    return Opened(when(span[0]), to_at or when(span[1]), chosen)


async def answer(reader: Sql, panel: str, board: Opened) -> list[Mapping[str, Any]]:
    """Of all its queries, one after another."""
    asked = [text for name, text in queries("rawSql", board="history").items() if name[:-2] == f"history {panel}"]
    return [row for text in asked for row in await reader.fetch(sql_sent(text, board))]


def columns(rows: list[Mapping[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


@pytest.mark.parametrize(
    ("platform", "amounts"),
    [
        # nginx_rtmp: 440 and 20 paid, 56 and 9 came back; doudian: 83 and 135. Neither the 7.00 before the event, nor
        # the 99.99 and the refund after it.
        ("", ["678.00", "613.00", "65.00"]),
        ("doudian", ["218.00", "218.00", "0.00"]),
    ],
)
async def test_money_of_the_span(story: Story, story_reader: Sql, platform: str, amounts: list[str]):
    found = columns(await answer(story_reader, "成交额", opened(platform=platform)), "metric", "amount")
    clock = when("D2 20:02").strftime("%m-%d 20:02:00")
    assert found == [
        (f"{name} 截至 {clock}", Decimal(amount))
        for name, amount in zip(["成交额", "净成交额", "退款"], amounts, strict=True)
    ]


async def test_money_is_stale_only_while_the_event_goes_on(story: Story, story_writer: Sql, story_reader: Sql):
    now = datetime.now(when("D1 00:00").tzinfo)
    after_the_event = await answer(story_reader, "成交额", opened(to_at=now))
    assert [row["metric"].split()[0] for row in after_the_event] == ["成交额", "净成交额", "退款"]
    await story_writer.execute("UPDATE setting SET event_ends_at = NULL")
    stale = await answer(story_reader, "成交额", opened(to_at=now))
    clock = when("D2 20:45").strftime("%m-%d 20:45:00")  # a refund is a sale, too
    assert [row["metric"] for row in stale] == [f"停更，截至 {clock} {name}" for name in ("成交额", "净成交额", "退款")]
    assert stale[0]["amount"] == Decimal("777.99")  # grey, and not zero
    (money,) = [panel for _, panel in panels(board="history") if title(panel) == "成交额"]
    grey = [o["matcher"]["options"] for o in money["fieldConfig"]["overrides"] if o["matcher"]["id"] == "byRegexp"]
    assert [bool(re.search(pattern.strip("/"), stale[0]["metric"])) for pattern in grey] == [True]
    a_moment_ago = now - timedelta(seconds=10)
    await Stage(story_writer).sale(story.rooms[A], None, a_moment_ago, "paid", 100, "new")
    await roll(story_writer)
    fresh = await answer(story_reader, "成交额", opened(to_at=datetime.now(now.tzinfo)))
    assert fresh[0]["metric"] == f"成交额 截至 {a_moment_ago:%H:%M:%S}"


async def test_platforms_beside_each_other(story: Story, story_reader: Sql):
    names = (
        "platform", "gmv", "gmv_share", "net", "refunds", "orders", "rooms_live", "peak_viewers", "watch_hours",
        "air_hours", "blind_hours", "drops", "sold_at",
    )  # fmt: skip
    found = columns(await answer(story_reader, "平台对比", opened()), *names)
    assert [tuple(float(each) if isinstance(each, Decimal) else each for each in row) for row in found] == [
        # 107,600 viewer seconds; 1,370 s on air; 90 s blind
        ("nginx_rtmp", 460, pytest.approx(46_000 / 67_800), 395, 65, 7, 1, 300, 29.9, 0.4, 0, 2, when("D2 10:00")),
        # 89,340 viewer seconds: people of before the event count
        ("doudian", 218, pytest.approx(21_800 / 67_800), 218, 0, 4, 1, 700, 24.8, 0.4, 0, 0, when("D2 20:02")),
    ]


async def test_hours(story: Story, story_reader: Sql):
    def of(rows: list[Mapping[str, Any]], name: str) -> dict[tuple[datetime, str], float]:
        assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
        return {(row["time"], row["metric"]): float(row[name]) for row in rows if row[name]}

    assert of(await answer(story_reader, "每小时观看", opened()), "watch_hours") == {
        (when("D1 19:00"), "doudian"): 4.8,
        (when("D1 20:00"), "nginx_rtmp"): 26.4,  # 73,100 + 16,500 + 5,400
        (when("D1 23:00"), "nginx_rtmp"): 2.2,
        (when("D2 00:00"), "nginx_rtmp"): 1.3,
        (when("D2 00:00"), "doudian"): 20,
    }
    assert of(await answer(story_reader, "每小时成交额", opened()), "gmv") == {
        (when("D1 19:00"), "doudian"): 3,
        (when("D1 20:00"), "nginx_rtmp"): 400,
        (when("D1 21:00"), "nginx_rtmp"): 30,
        (when("D1 22:00"), "doudian"): 80,
        (when("D1 23:00"), "nginx_rtmp"): 10,
        (when("D2 00:00"), "nginx_rtmp"): 20,
        (when("D2 00:00"), "doudian"): 120,
        (when("D2 20:00"), "doudian"): 15,
    }


async def test_days_as_they_were_cut_and_as_they_are_known_now(story: Story, story_writer: Sql, story_reader: Sql):
    await story_writer.execute(
        "INSERT INTO day_cut (day, platform, as_of, currency, orders, gmv_minor, created, refunds, refunds_minor,"
        " gifts, gifts_minor) SELECT day, platform, as_of, currency, orders, gmv_minor, created_orders, refund_orders,"
        " refunds_minor, gifts, gifts_minor FROM event_day($1, $2) WHERE platform = 'nginx_rtmp'",
        story.d1,
        when("D2 00:15"),
    )
    days = await answer(story_reader, "每天", opened())
    names = ("day", "gmv", "cut_gmv", "late_gmv", "refunds", "net", "orders", "watch_hours", "drops", "cut_at")
    assert columns(days, *names) == [
        (f"{story.d2}", 155, None, None, 9, 146, 3, Decimal("21.3"), 0, None),
        # Of doudian nothing was known at the cut.
        (f"{story.d1}", 523, 400, 123, 56, 467, 8, Decimal("33.4"), 2, when("D2 00:15")),
    ]
    span = [datetime.fromtimestamp(int(days[1][name]) / 1000, when("D1 00:00").tzinfo) for name in ("from_ms", "to_ms")]
    assert span == [when("D1 00:00"), when("D2 00:00") - timedelta(milliseconds=1)]
    late = await answer(story_reader, "日结之后的变化", opened())
    assert columns(late, "day", "platform", "late_orders", "late_gmv", "cut_gmv", "late_refunds") == [
        (f"{story.d1}", "doudian", 2, 83, 0, 0),
        (f"{story.d1}", "nginx_rtmp", 1, 40, 400, 0),
    ]


async def test_best_sellers(story: Story, story_reader: Sql):
    found = columns(
        await answer(story_reader, "畅销商品", opened()), "title", "platform", "units", "orders", "gmv", "item_id"
    )
    assert found == [
        ("羊绒围巾", "nginx_rtmp", 5, 4, 329, "i1"),
        ("苹果", "doudian", 3, 1, 120, "i9"),
        ("袜子", "nginx_rtmp", 1, 1, 1, "i2"),
    ]
    first_day = await answer(story_reader, "畅销商品", opened(("D1 12:00", "D1 13:00")))  # whole days
    assert columns(first_day, "item_id", "units") == [("i1", 4), ("i2", 1)]


CHOSEN_SESSIONS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["D2 00:10", "D1 23:58", "D1 20:50", "D1 20:30", "D1 20:00", "D1 19:20"]),
    ({"span": ("D2 00:00", "D2 23:00")}, ["D2 00:10"]),
    ({"hall": "一号馆"}, ["D1 23:58", "D1 20:00"]),
    ({"hall": "一号馆|二号馆", "platform": "nginx_rtmp"}, ["D1 23:58", "D1 20:50", "D1 20:30", "D1 20:00"]),
    ({"search": "林晚"}, ["D2 00:10", "D1 23:58", "D1 20:00", "D1 19:20"]),  # the person, in both rooms
    ({"search": "海"}, ["D1 20:50", "D1 20:30"]),
    ({"search": "LIVE/"}, ["D1 23:58", "D1 20:50", "D1 20:30", "D1 20:00"]),
    ({"search": "'; DROP TABLE sale; --"}, []),
    ({"search": '"\\'}, []),
]


async def test_sessions_that_are_shown(story: Story, story_reader: Sql):
    for chosen, sessions in CHOSEN_SESSIONS:
        found = await answer(story_reader, "场次", opened(**chosen))
        assert [row["opened_at"] for row in found] == [when(session) for session in sessions], chosen


async def test_a_name_with_a_double_quote_is_found(story: Story, story_writer: Sql, story_reader: Sql):
    await story_writer.execute("UPDATE room SET anchor = $1 WHERE room_id = $2", 'O\'Neil "海"', story.rooms[B])
    assert len(await answer(story_reader, "场次", opened(search="O'Neil \"海"))) == 2


async def test_a_session_and_its_own_time(story: Story, story_reader: Sql):
    (of_b, first) = await answer(story_reader, "场次", opened(("D1 20:00", "D1 20:31"), platform="nginx_rtmp"))
    names = ("room_id", "close_reason", "peak_viewers", "average_viewers", "airtime_s", "drops", "down_s", "blind_s")
    assert columns([first], *names) == [(story.rooms[A], "ended", 300, Decimal("182.75"), 560, 1, 40, 90)]
    assert columns([first], "orders", "gmv", "refunds", "net") == [(2, 300, 70, 230)]  # what came back since is in it
    assert (int(first["from_ms"]), int(first["to_ms"])) == tuple(
        when(t).timestamp() * 1000 for t in ("D1 20:00", "D1 20:10")
    )
    assert of_b["close_reason"] == "lost"


async def test_drops(story: Story, story_reader: Sql):
    found = columns(
        await answer(story_reader, "断流记录", opened()), "room_id", "dropped_at", "down_s", "outcome", "viewers_before"
    )
    assert found == [
        (story.rooms[B], when("D1 20:34:30"), 930, "断流未恢复", 70),
        (story.rooms[A], when("D1 20:03:20"), 40, "已恢复", 250),
    ]
    assert columns(await answer(story_reader, "断流记录", opened(search="晚风")), "room_id") == [(story.rooms[A],)]
    assert await answer(story_reader, "断流记录", opened(platform="doudian")) == []


def test_every_panel_is_asked_above():
    assert {title(panel) for _, panel in panels(board="history")} == {
        "成交额", "平台对比", "每小时观看", "每小时成交额", "每天", "畅销商品", "场次", "断流记录", "日结之后的变化",
    }  # fmt: skip


async def test_sessions_are_looked_up_by_their_time(story: Story, story_reader: Sql):
    """All sessions there ever were would be read otherwise, more of them with each day."""
    await story_reader.execute("SET enable_seqscan = off")  # of the few rows of a story PostgreSQL would read all
    (text,) = [text for name, text in queries("rawSql", board="history").items() if "session_summary" in text]
    plan = [row[0] for row in await story_reader.fetch(f"EXPLAIN {sql_sent(text, opened())}")]
    assert [line for line in plan if "session_opened_at" in line]

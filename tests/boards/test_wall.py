"""The leaders' wall: every number of it from a small market, worked out by hand; when it is grey; that it fits."""

import json
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from grafana.boards.panels import BLUE, GREY
from tests.boards.macros import Opened, sql_sent
from tests.boards.market import Market, open_market, sell
from tests.boards.stage import made, panels, title
from tests.postgres import FreshDatabase

pytestmark = pytest.mark.real
HEIGHT_MAX = 26  # units of a screen of 1920 x 1080 without Grafana's bars


async def answers(database: FreshDatabase, market: Market, *, language: str = "zh") -> dict[str, list[tuple[Any, ...]]]:
    """What every panel gets, as livemon_reader: rows of the values, without the column `time` where it is only now."""
    opened = Opened(market.midnight, market.midnight + timedelta(days=1))
    reader = await database.connect("reader")
    found = {}
    for _, panel in panels(language, board="wall"):
        (target,) = panel["targets"]
        rows = await reader.fetch(sql_sent(target["rawSql"], opened))
        found[f"{panel['type']} {title(panel)}"] = [tuple(row.values()) for row in rows]
    await reader.close()
    return found


def told(rows: list[tuple[Any, ...]]) -> tuple[str, Any]:
    """Of a stat: the words and the number."""
    ((_, words, number),) = rows
    return words, number


def clock(market: Market, ago_s: int) -> str:
    return f"{(market.now - timedelta(seconds=ago_s)).astimezone(market.zone):%H:%M:%S}"


async def test_the_numbers_are_those_of_the_market(database: FreshDatabase):
    market = await open_market(database)
    found = await answers(database, market)
    until = f"截至 {clock(market, 20)}"
    # 100 + 50 + 20 + 50 yuan; yesterday until this time 100: what was paid before the event, or later, is not in it.
    assert told(found["stat 今日成交额"]) == (f"{until}，较昨天此刻 +120.0%", 220)
    assert told(found["stat 今日订单"]) == (f"{until}，较昨天此刻 +200.0%", 3)
    assert told(found["stat 活动累计成交额"]) == (f"{until}，较昨天此刻 +720.0%", 820)
    assert told(found["stat 活动累计订单"]) == (f"{until}，较昨天此刻 +400.0%", 5)
    words, number = told(found["stat 直播中主播"])
    assert (words.partition("，")[2], number) == ("较昨天此刻 +100.0%", 2)
    words, number = told(found["stat 在线人数"])
    assert (words.partition("，")[2], number) == ("较昨天此刻 +120.0%", 220)
    assert told(found["stat 开过播的主播"]) == ("场次 4", 2)
    assert told(found["stat 在线人数最高"])[1] == 220
    assert found["bargauge 城市"] == [("沈阳 2 间在播", 150), ("大连 1 间在播", 70)]
    assert found["bargauge 直播间"] == [("晚风 · 抖音", 150), ("晚风快 · 快手", 50)]
    assert found["bargauge 商品"] == [("羊绒围巾 · 抖音", 2), ("袜子 · 抖音", 1)]


async def test_each_platform_says_until_when_it_counts(database: FreshDatabase):
    market = await open_market(database)
    found = await answers(database, market)
    old = f"{(market.now - timedelta(seconds=300)).astimezone(market.zone):%H:%M}:00"  # its refund, to the minute
    assert [row[1:] for row in found["bargauge 平台"]] == [
        (f"停更 1 抖音 截至 {old}", 150),
        (f"2 快手 截至 {clock(market, 20)}", 70),
    ]
    english = await answers(database, market, language="en")
    assert [row[1][:5] for row in english["bargauge Platforms"]] == ["stale", "2 Kua"]
    assert told(english["stat GMV today"])[0] == f"as of {clock(market, 20)} · vs yesterday +120.0%"


@pytest.mark.parametrize("newest_s", [30, 90])
async def test_an_old_sum_is_still_there_and_says_so(database: FreshDatabase, newest_s: int):
    market = await open_market(database, newest_s=newest_s)
    words, number = told((await answers(database, market))["stat 今日成交额"])
    assert number == 220
    assert words.startswith(f"{'停更，' if newest_s > 60 else ''}截至 {clock(market, newest_s)}")


async def test_sales_that_are_not_summed_yet_make_nothing_look_new(database: FreshDatabase):
    market = await open_market(database, newest_s=200)
    writer = await database.connect("writer")
    await sell(writer, market, "t9", 0, 1, "b", "paid", "t9", 100_000, "CNY")
    await writer.close()
    words, number = told((await answers(database, market))["stat 今日成交额"])
    assert (words[:5], number) == ("停更，截至", 220)


async def test_of_the_minute_under_way_yesterday_its_part_counts(database: FreshDatabase):
    market = await open_market(database)
    until = market.now - timedelta(days=1, seconds=20)
    writer = await database.connect("writer")
    await writer.execute(
        "INSERT INTO minute_sum SELECT $1, 'doudian', 'platform', '', 0, 0, 0, 0, 0, 0, 0, 0, 60000, 0, 0, 0, 0, 0, 0",
        until.replace(second=0),
    )
    await writer.close()
    words, _ = told((await answers(database, market))["stat 今日成交额"])
    change = Decimal(22_000) / (100 + 10 * until.second) - 100
    assert words.endswith(f"较昨天此刻 {change.quantize(Decimal('0.1'), ROUND_HALF_UP):+}%")


async def test_curves_lie_above_each_other_by_the_time_of_day(database: FreshDatabase):
    market = await open_market(database, newest_s=1)
    found = await answers(database, market)

    def curve(name: str, day: str) -> dict[datetime, Any]:
        rows = found[f"timeseries {name}"]
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
        return {at: value for at, metric, value in rows if metric == day}

    today, before = curve("累计成交额", "当天"), curve("累计成交额", "前一天")
    assert [today[max(at for at in today if at <= market.now)]] in ([150], [170])
    assert max(today) <= market.now
    assert list(before.values())[-1] == 600
    assert before[max(at for at in before if at <= market.now)] == 100
    assert set(list(curve("在线人数", "当天").values())[1:-1]) == {220}
    assert set(list(curve("在线人数", "前一天").values())[1:-1]) == {100}
    assert set(curve("在线人数", "前一天")) & set(curve("在线人数", "当天"))


async def test_before_the_first_sale_nothing_is_claimed(database: FreshDatabase):
    now = datetime.now().astimezone()
    market = Market(now, now.tzinfo, {})  # type: ignore[arg-type]
    found = await answers(database, market)
    assert told(found["stat 今日成交额"]) == ("停更，一天内没有订单", None)
    assert [words for words, rows in found.items() if rows and words.startswith("bargauge")] == []


def test_the_wall_fits_one_screen_and_calls_for_nothing():
    for language in ("zh", "en"):
        written = made(language)["wall"]
        assert max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in written["panels"]) <= HEIGHT_MAX
        assert not [panel["type"] for panel in written["panels"] if panel["type"] in ("table", "text")]
        assert [link["url"] for link in written["links"] if "url" in link] == ["/d/livemon-wall?kiosk"]
        colors = set(_values(written, "fixedColor")) | {
            step["color"] for steps in _values(written, "steps") for step in steps
        }
        assert colors == {BLUE, GREY}
        assert written["time"] == {"from": "now/d", "to": "now/d"}


def _values(part: Any, name: str) -> list[Any]:
    if isinstance(part, list):
        return [value for each in part for value in _values(each, name)]
    if isinstance(part, dict):
        return ([part[name]] if name in part else []) + [v for each in part.values() for v in _values(each, name)]
    return []


def test_no_number_of_it_is_asked_of_prometheus():
    assert '"expr"' not in json.dumps(made("zh")["wall"])

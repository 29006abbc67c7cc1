"""Commerce: every number of it from a small market, worked out by hand, for all of it and for a part."""

from datetime import timedelta
from typing import Any

import pytest

from tests.boards.macros import Chosen, Opened, sql_sent
from tests.boards.market import Market, open_market
from tests.boards.stage import panels, title
from tests.postgres import FreshDatabase

pytestmark = pytest.mark.real
TOTALS = (
    "成交额", "净成交额", "退款（截至目前）", "退款率（截至目前）", "订单", "单均成交额", "GPM（千次观看成交）",
)  # fmt: skip
ALL = Chosen(".*", True, True)


async def answers(
    database: FreshDatabase, market: Market, *, platform: Chosen = ALL, hall: Chosen = ALL, days: int = 0
) -> dict[str, list[dict[str, Any]]]:
    """What every panel gets, as livemon_reader. `days`: how many days before today the span begins; it ends now."""
    chosen = {"platform": platform, "hall": hall}
    opened = Opened(market.midnight - timedelta(days=days), market.now + timedelta(seconds=60), chosen)
    reader = await database.connect("reader")
    found = {}
    for _, panel in panels(board="commerce"):
        (target,) = panel["targets"]
        found[title(panel)] = [dict(row) for row in await reader.fetch(sql_sent(target["rawSql"], opened))]
    await reader.close()
    return found


def totals(found: dict[str, list[dict[str, Any]]]) -> list[Any]:
    return [None if (value := found[name][0]["value"]) is None else round(float(value), 4) for name in TOTALS]


async def test_today_is_what_the_market_sold(database: FreshDatabase):
    market = await open_market(database)
    found = await answers(database, market)
    # 150 + 50 + 20 yuan in 3 orders, 30 back. Visits of each of the three sessions of today: 1,000 + 1,770.
    assert totals(found) == [220, 190, 30, 0.1364, 3, 73.33, round(200 * 1000 / (3 * 2770), 2)]
    assert found["成交额"][0]["metric"].startswith("截至")
    platforms = [
        (row["platform"], row["gmv"], round(row["share"], 4), row["orders"], row["refunds"], row["net"])
        for row in found["平台"]
    ]
    assert [tuple(float(v) if i else v for i, v in enumerate(row)) for row in platforms] == [
        ("doudian", 150, 0.6818, 1, 30, 120),
        ("kwaixiaodian", 70, 0.3182, 2, 0, 70),
    ]
    newest = [row["as_of"] for row in found["平台"]]
    assert newest == [(market.now - timedelta(seconds=300)).replace(second=0), market.now - timedelta(seconds=20)]
    places = {name: [(row["place"], float(row["gmv"])) for row in found[name]] for name in ("场馆", "城市", "品类")}
    assert places == {
        "场馆": [("一号馆", 150), ("二号馆", 70)],
        "城市": [("沈阳", 150), ("大连", 70)],
        "品类": [("服装", 200), ("食品", 0)],
    }


async def test_a_part_is_what_was_chosen(database: FreshDatabase):
    market = await open_market(database)
    one = await answers(database, market, platform=Chosen(("kwaixiaodian",), True))
    assert totals(one)[:5] == [70, 70, 0, 0, 2]
    assert [row["platform"] for row in one["平台"]] == ["kwaixiaodian"]
    assert {row["place"]: float(row["gmv"]) for row in one["场馆"]} == {"二号馆": 70}
    hall = await answers(database, market, hall=Chosen(("一号馆",), True))
    assert totals(hall)[:5] == [150, 120, 30, 0.2, 1]
    assert [row["place"] for row in hall["场馆"]] == ["一号馆"]
    assert [row["anchor"] for row in hall["直播间榜（当天）"]] == ["晚风"]
    assert [row["anchor"] for row in hall["场次榜"]] == ["晚风"]
    nothing = await answers(database, market, hall=Chosen(("三号馆",), True))
    assert totals(nothing) == [None] * 7
    assert nothing["成交额"][0]["metric"].startswith("截至")


async def test_a_span_of_two_days_has_what_the_event_has(database: FreshDatabase):
    """What was sold before the event began, 77.77 yuan, is in no number."""
    market = await open_market(database)
    found = await answers(database, market, days=1)
    assert totals(found)[:5] == [820, 790, 30, 0.0366, 5]
    assert sum(row["value"] for row in found["每小时成交额"]) == 820
    assert sum(row["value"] for row in found["每小时订单"]) == 5
    sums = {
        name: sum(row["value"] for row in found["每小时成交、退款、净成交"] if row["metric"] == name)
        for name in ("成交额", "净成交额", "退款")
    }
    assert sums == {"成交额": 820, "净成交额": 790, "退款": 30}
    assert {row["metric"] for row in found["每小时成交额"]} == {"抖音", "快手"}
    for panel in ("每小时成交额", "每小时成交、退款、净成交", "每小时订单", "每小时单均成交额"):
        times = [row["time"] for row in found[panel]]
        assert times == sorted(times)
        assert all(at.astimezone(market.zone).minute == 0 for at in times)


async def test_who_leads(database: FreshDatabase):
    market = await open_market(database)
    writer = await database.connect("writer")
    session = await writer.fetchval(
        "SELECT session_id FROM session WHERE room_id = $1 AND closed_at IS NULL", market.rooms["a"]
    )
    owner = await database.connect("owner")
    for ago_s, amount in ((60, 14_000), (120, 99_999)):  # the platform's own total, the newest counts
        await owner.execute(
            "INSERT INTO livemon.platform_total VALUES ($1, $2, $3, $4, 'CNY')",
            *(market.rooms["a"], market.now - timedelta(seconds=ago_s), session, amount),
        )
    await owner.close()
    await writer.close()
    found = await answers(database, market)
    assert [
        (row["room_id"], row["anchor"], row["city"], row["gmv"], row["orders"], row["order_value"], row["net"])
        for row in found["直播间榜（当天）"]
    ] == [
        (market.rooms["a"], "晚风", "沈阳", 150, 1, 150, 120),
        (market.rooms["b"], "晚风快", "大连", 50, 1, 50, 50),
    ]
    sessions = [
        (row["anchor"], row["gmv"], row["orders"], row["views_total"], row["platform_gmv"]) for row in found["场次榜"]
    ]
    # Yesterday's opened more than a day before the end of the span.
    assert sessions == [("晚风", 150, 1, 2770, 140), ("晚风快", 50, 1, 2770, None)]
    assert float(found["场次榜"][0]["gpm"]) == round(150 * 1000 / 2770, 2)
    assert {row["uv_value"] for row in found["场次榜"]} == {None}
    assert [(row["shop"], row["gmv"], row["orders"], row["net"]) for row in found["店铺榜（当天）"]] == [
        ("s-a", 150, 1, 120),
        ("s-b", 70, 2, 70),
    ]
    assert [(row["title"], row["units"], row["gmv"]) for row in found["商品榜（当天）"]] == [
        ("羊绒围巾", 2, 100),
        ("袜子", 1, 50),
    ]


async def test_what_stands_apart(database: FreshDatabase):
    market = await open_market(database)
    found = await answers(database, market)
    assert [(row["platform"], row["reason"], row["orders"], row["gmv"]) for row in found["未归属场次的成交"]] == [
        ("kwaixiaodian", "订单未注明直播间", 1, 20)
    ]
    assert [(row["currency"], row["platform"], row["gmv"]) for row in found["分币种（当天）"]] == [
        ("USD", "doudian", 99),
        ("CNY", "doudian", 150),
        ("CNY", "kwaixiaodian", 70),
    ]

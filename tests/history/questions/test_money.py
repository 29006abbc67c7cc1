"""Questions about orders: pushes, refunds, hours, late arrivals, what was not paid or not attributed."""

import pytest

from tests.history.questions.asking import ask, columns
from tests.history.questions.market_evening import DAY, DAY_BEFORE, THAT_DAY, Market, at, sell
from tests.postgres import FreshDatabase
from tests.sql.stage import Sql

pytestmark = pytest.mark.real


async def test_product_push(evening_reader: Sql):
    rows = await ask(evening_reader, "product_push", day=THAT_DAY)
    # i1 sold 2 at 20:12, 6 at 20:15, 4 at 20:16. Half of the best minute is 3: so 20:15 it is.
    told = columns(rows, "Minutes from push", "Minute", "Phase", "Units", "Orders", "Units per minute of its phase")
    assert [row[0] for row in told] == list(range(-10, 20))
    assert [row for row in told if row[3]] == [
        (-3, at("20:12"), "之前 before", 2, 1, "0.20"),
        (0, at("20:15"), "之后 after", 6, 1, "0.50"),
        (1, at("20:16"), "之后 after", 4, 1, "0.50"),
    ]
    assert set(columns(rows, "Platform", "Item", "Title")) == {("wechat", "i1", "商品i1")}
    other = await ask(evening_reader, "product_push", day=THAT_DAY, platform="'doudian'", item_id="'j1'")
    assert [row for row in columns(other, "Minutes from push", "Minute", "Units") if row[2]] == [
        (0, at("20:05"), 2),
        (15, at("20:20"), 1),
    ]
    assert set(columns(other, "Item")) == {("j1",)}


async def test_refund_rate(evening_reader: Sql):
    rows = await ask(evening_reader, "refund_rate", day=THAT_DAY)
    # w1 whole, w2 in part the same night, w4 half the day after: 33.00 of 106.00.
    told = (
        "Platform",
        "Orders paid",
        "Orders with refunds",
        "Of orders so far",
        "GMV",
        "Refunded so far",
        "Of money so far",
    )
    assert columns(rows, *told) == [
        ("wechat", 5, 3, "60.00", "106.00", "33.00", "31.13"),
        ("doudian", 4, 0, "0.00", "35.00", "0.00", "0.00"),
    ]
    before = await ask(evening_reader, "refund_rate", day=DAY_BEFORE)
    assert columns(before, *told) == [("wechat", 1, 0, "0.00", "20.00", "0.00", "0.00")]


async def test_gmv_by_hour(evening_reader: Sql):
    rows = await ask(evening_reader, "gmv_by_hour", day=THAT_DAY)
    told = ("Hour", "Orders", "GMV", "Orders the day before", "GMV the day before", "Change")
    # 14100 fen against 2000. At 23:00 there was nothing but a refund.
    assert columns(rows, *told) == [
        (at("20:00"), 9, "141.00", 1, "20.00", "605.0"),
        (at("23:00"), 0, "0.00", 0, "0.00", None),
    ]
    assert columns(rows, "GMV so far", "GMV so far the day before") == [("141.00", "20.00")] * 2


async def test_sales_unattributed(evening_reader: Sql):
    rows = await ask(evening_reader, "sales_unattributed", day=THAT_DAY)
    # Of doudian's 35.00: d3 without a room, d4 after the session. w2's part came back when sph-1 was off air.
    assert columns(rows, "Platform", "Reason", "Events", "Orders paid", "GMV", "Of the platform's GMV") == [
        ("doudian", "订单未注明直播间 no room told", 1, 1, "10.00", "28.6"),
        ("doudian", "下单时不在场次内 no session open", 1, 1, "5.00", "14.3"),
        ("doudian", "尚未归属 not looked at yet", 1, 0, "0.00", "0.0"),
        ("doudian", "直播间不在名册内 room not in the roster", 1, 0, "0.00", "0.0"),
        ("wechat", "下单时不在场次内 no session open", 1, 0, "0.00", "0.0"),
    ]


async def test_late_arrivals(evening_reader: Sql):
    rows = await ask(evening_reader, "late_arrivals", day=THAT_DAY)
    # w8 (6.00) was received at 01:00, a part of w2 came back (3.00) and was received at 00:30; the cut is of 00:15.
    told = (
        "Platform",
        "Currency",
        "GMV at the cut",
        "Orders late",
        "GMV late",
        "Latest arrival",
        "Orders now",
        "GMV now",
    )
    assert columns(rows, *told) == [
        ("doudian", "CNY", "35.00", 0, "0.00", None, 4, "35.00"),
        ("wechat", "CNY", "100.00", 1, "6.00", at("25:00"), 5, "106.00"),
        ("wechat", "USD", "7.00", 0, "0.00", None, 1, "7.00"),
    ]
    assert columns(rows, "Refunds at the cut", "Refunds now")[1] == ("10.00", "13.00")


async def test_created_not_paid(evening_reader: Sql):
    rows = await ask(evening_reader, "created_not_paid", day=THAT_DAY)
    told = ("Platform", "Created", "Paid", "Cancelled", "Neither so far", "Created amount", "Amount of neither")
    # w3 was paid two minutes later and w4 one, w6 cancelled; w7 and d5 are open.
    assert columns(rows, *told, "Seconds to pay") == [
        ("wechat", 4, 2, 1, 1, "74.00", "9.00", "90"),
        ("doudian", 1, 0, 0, 1, "1.00", "1.00", None),
    ]


async def test_what_the_cut_does_not_have_was_nothing_by_then(market: Market, database: FreshDatabase):
    received = {"received_at": at("26:00"), "currency": "EUR"}
    await sell(market, "wechat", "w9", "paid", at("22:00"), 200, "sph-1", None, **received)
    await sell(market, "wechat", "w10", "paid", at("22:00") - DAY, 300, "sph-1", None, **received)
    reader = await database.connect("reader")
    told = ("Currency", "Cut at", "Orders at the cut", "GMV at the cut", "Orders late", "GMV late", "GMV now")
    rows = columns(await ask(reader, "late_arrivals", day=THAT_DAY), *told)
    assert ("EUR", at("24:15"), 0, "0.00", 1, "2.00", "2.00") in rows
    # The day before was never cut: nobody can say what was late.
    rows = columns(await ask(reader, "late_arrivals", day=DAY_BEFORE), *told)
    assert rows == [
        ("CNY", None, None, None, None, None, "20.00"),
        ("EUR", None, None, None, None, None, "3.00"),
    ]
    await reader.close()

"""Commerce: what was sold, by whom and where, what of it came back. For analysts; every sum is in the event's currency
unless its column names another."""

from typing import Any

from grafana_foundation_sdk.models.common import VisibilityMode

from .board import Row, board, hall_variable, platform_variable
from .columns import MONEY, WHOLE
from .commerce_tables import apart, comparisons, leaderboards
from .panels import AnyPanel, lines
from .panels import money as sums
from .queries import POSTGRES, Query, sql, statement
from .selling import definition, platform_name
from .words import Say

GMV = "in_major(sum(gmv_minor)::bigint, currency)"
ORDER_VALUE = "in_major(round(sum(gmv_minor) / nullif(sum(orders), 0))::bigint, currency)"


def totals(say: Say) -> list[tuple[int, AnyPanel]]:
    """Of the span and of what is chosen."""
    until = say(
        "截至：所选平台最新入库的订单；超过 60 秒为灰色。",
        "As of: the newest stored sale of the platforms chosen; grey when that is older than 60 s.",
    )
    back = say(
        "退款按退款时间计，不论订单是哪天的；活动期间退款还会增加，不是最终值。",
        "Refunds by their own time, of whatever day the order is. More will come: never final during the event. ",
    )

    def total(zh: str, en: str, words: str, shown: str, **more: Any) -> AnyPanel:
        return sums(say(zh, en), words + until, statement("commerce_sum", say, shown=shown), **more)

    gpm = sums(
        say("GPM（千次观看成交）", "GPM"),
        say(
            "成交额 × 1000 / 场观（PV，平台自报的进入次数，不是人数）。"
            "所选时段最后 24 小时内开播的场次，只含平台报了场观的。",
            "GMV x 1000 / visits (PV, as the platform counts them, not people). Of the sessions that opened in the "
            "last 24 hours of the span and whose visits are told. ",
        )
        + until,
        statement("commerce_gpm", say),
        decimals=2,
    )
    net = say("成交额减同一时段的退款。", "GMV less the refunds of the same span. ") + back
    rate = say("同一时段的退款额 / 成交额。", "Refunds / GMV of the same span. ") + back
    paid = say("已支付的订单数；分次支付的每天只计一次。", "Orders paid; one that is paid in parts counts once a day. ")
    order = say(
        "成交额 / 订单数。按人计的客单价见店铺榜的买家数。",
        "GMV / orders. By people: see the buyers in the leaderboard of shops. ",
    )
    ratio = "refunds_minor::numeric / nullif(gmv_minor, 0)"
    order_value = "round(gmv_minor::numeric / nullif(orders, 0))"
    return [
        (4, total("成交额", "GMV", definition(say), "in_major(gmv_minor, currency)")),
        (4, total("净成交额", "Net", net, "in_major(gmv_minor - refunds_minor, currency)")),
        (4, total("退款（截至目前）", "Refunds so far", back, "in_major(refunds_minor, currency)")),
        (3, total("退款率（截至目前）", "Refund rate so far", rate, ratio, unit="percentunit", decimals=1)),
        (3, total("订单", "Orders", paid, "orders", unit=WHOLE)),
        (3, total("单均成交额", "Order value", order, f"in_major({order_value}::bigint, currency)", decimals=2)),
        (3, gpm),
    ]


def curves(say: Say) -> list[AnyPanel]:
    by_platform = say(
        "每小时，按平台；进行中的一小时只到此刻。", "By the hour and platform; the hour under way until now. "
    )

    def asked(name: str, **parts: str) -> list[Query]:
        name_of_it = platform_name(say, "sold.platform")
        return [sql(statement(name, say, platform_name=name_of_it, **parts), shape="time_series")]

    made = [
        lines(
            say("每小时成交额", "GMV per hour"),
            by_platform + definition(say),
            asked("commerce_hours", shown=GMV),
            unit=MONEY,
            decimals=0,
            source=POSTGRES,
        ),
        lines(
            say("每小时成交、退款、净成交", "GMV, refunds and net per hour"),
            definition(say)
            + say("退款按退款时间计；净成交额是两者之差。", "Refunds by their own time; net is the difference."),
            asked("commerce_net_hours"),
            unit=MONEY,
            decimals=0,
            source=POSTGRES,
        ),
        lines(
            say("每小时订单", "Orders per hour"),
            by_platform + say("已支付的订单。", "Orders paid."),
            asked("commerce_hours", shown="sum(orders)::int"),
            unit=WHOLE,
            decimals=0,
            source=POSTGRES,
        ),
        lines(
            say("每小时单均成交额", "Average order value per hour"),
            by_platform + say("成交额 / 订单数。", "GMV / orders."),
            asked("commerce_hours", shown=ORDER_VALUE),
            unit=MONEY,
            decimals=2,
            source=POSTGRES,
        ),
    ]
    # One hour alone would be no line; and its axis has to hold ¥123,456,789.
    return [panel.show_points(VisibilityMode.ALWAYS).point_size(5).axis_width(100).fill_opacity(0) for panel in made]


def make(say: Say) -> dict[str, Any]:
    of_hour, compared = curves(say), comparisons(say)
    rooms, sessions, shops, items = leaderboards(say)
    grid: list[Row] = [
        (4, totals(say)),
        (9, [(12, panel) for panel in of_hour[:2]]),
        (9, [(12, panel) for panel in compared[:2]]),
        (9, [(12, panel) for panel in compared[2:]]),
        (10, [(24, rooms)]),
        (10, [(24, sessions)]),
        (10, [(14, shops), (10, items)]),
        (8, [(12, panel) for panel in of_hour[2:]]),
        (7, [(14, apart(say)[0]), (10, apart(say)[1])]),
    ]
    return board(
        say,
        "livemon-commerce",
        say("成交", "Commerce"),
        say(
            "卖了多少，谁卖的，在哪里，退了多少；每个数字的定义在面板说明里。",
            "What was sold, by whom and where, and what came back; each panel's description defines its numbers.",
        ),
        grid,
        variables=[platform_variable(say), hall_variable(say)],
        since="now/d",
        refresh="30s",
    )

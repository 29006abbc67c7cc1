"""The tables of Commerce: platforms, halls, cities and categories beside each other, who leads, what stands apart."""

from .columns import WHOLE, Column, count, instant, money, platform, room, room_id
from .columns import hall as hall_column
from .panels import AnyPanel, rows
from .queries import sql, statement
from .selling import definition
from .words import Say

WIDE, NARROW = 120, 72  # pixels of columns of money and of counts
LINK = "/d/livemon-commerce/commerce?var-%s&${__url_time_range}"


def figures(say: Say) -> list[Column]:
    """Of every comparison, as in commerce_figures.sql; narrow enough for half a screen."""
    return [
        money("gmv", say("成交额", "GMV"), WIDE),
        Column("share", say("占比", "Share"), unit="percentunit", decimals=1, width=56),
        count("orders", say("订单", "Orders"), NARROW),
        money("order_value", say("单均", "Per order"), 82),
        money("refunds", say("退款", "Refunds"), 100),
        Column("refund_ratio", say("退款率", "Refund %"), unit="percentunit", decimals=1, width=NARROW),
        money("net", say("净成交额", "Net"), WIDE),
        money("watch_hour_value", say("每观看小时", "Per watch h"), 93),
    ]


def comparisons(say: Say) -> list[AnyPanel]:
    meaning = definition(say) + say(
        "占比：占本表之和。退款率：同一时段退款额 / 成交额，截至目前。每观看小时：成交额 / 观看小时。",
        "Share: of the sum of this table. Refund rate: refunds / GMV of the same span, so far. Per watch hour: GMV / "
        "hours watched.",
    )  # fmt: skip
    no_room = say(
        "没有直播间的订单，只在其店铺的直播间都一致时计入。",
        "A sale of no known room counts where all rooms of its shop agree. ",
    )
    no_hall = say("不受“场馆”选择影响。", "Not limited by the hall that is chosen. ")
    chosen = "AND value ~ '^(${hall:pipe})$'"
    only = say("只看这个", "This one alone")
    of_platform = platform(say)._replace(link=(only, LINK % "platform=${__value.raw}"))
    made: list[AnyPanel] = [
        rows(
            say("平台", "Platforms"),
            meaning + say("截至：该平台最新入库的订单。", " As of: the newest stored sale of the platform."),
            sql(statement("commerce_platforms", say)),
            [of_platform, *figures(say), Column("as_of", say("截至", "As of"), unit="time:HH:mm:ss", width=75)],
        )
    ]
    for zh, en, dimension, limits, words in (
        ("场馆", "Halls", "hall", chosen, no_room),
        ("城市", "Cities", "city", "", no_room + no_hall),
        ("品类", "Categories", "category", "", no_hall + say("没有直播间的订单不计。", "No sales without a room. ")),
    ):
        link = (only, LINK % "hall=${__data.fields.pattern:percentencode}") if dimension == "hall" else None
        made.append(
            rows(
                say(zh, en),
                words + meaning,
                sql(statement("commerce_by", say, dimension=dimension, chosen=limits)),
                [
                    Column("place", say(zh, en), link=link), *figures(say),
                    Column("pattern", "pattern", hidden=True),
                ],
            )
        )  # fmt: skip
    return made


def leaderboards(say: Say) -> tuple[AnyPanel, AnyPanel, AnyPanel, AnyPanel]:
    day = say("所选时段结束的那一天（活动时区，活动期间内）。", "The day on which the span ends, inside the event. ")
    all_halls = say("不受“场馆”选择影响。", "Not limited by the hall that is chosen. ")
    gmv, net, refunds = (
        money("gmv", say("成交额", "GMV"), WIDE),
        money("net", say("净成交额", "Net"), WIDE),
        money("refunds", say("退款", "Refunds"), 100),
    )
    orders, units = count("orders", say("订单", "Orders"), NARROW), count("units", say("件数", "Units"), NARROW)
    order_value, of_platform = (
        money("order_value", say("单均", "Per order"), 95),
        platform(say),
    )
    rooms = rows(
        say("直播间榜（当天）", "Rooms of the day"),
        day + definition(say) + say("前 50。", "The first 50."),
        sql(statement("commerce_rooms", say)),
        [
            room(say), room_id(), platform(say), hall_column(say), Column("city", say("城市", "City")),
            Column("category", say("品类", "Category")), gmv, orders, order_value, refunds, net,
            count("average_viewers", say("平均在线", "Average viewers")),
            money("watch_hour_value", say("每观看小时", "Per watch hour")),
        ],
    )  # fmt: skip
    sessions = rows(
        say("场次榜", "Sessions"),
        say(
            "所选时段最后 24 小时内开播的场次，前 50。GPM：成交额 × 1000 / 场观（PV）。UV 价值：成交额 / 进入人数，"
            "目前没有数据源报人数，留空。平台自报：平台自己给出的累计成交额，只作对照，没有报的留空。"
            "退款见直播间看板。",
            "Sessions that opened in the last 24 hours of the span, the first 50. GPM: GMV x 1000 / visits (PV). UV "
            "value: GMV / people, empty until a feed tells of people. Platform's own: the running total that the "
            "platform gives, to compare alone; empty where it gives none. Refunds: on the board of the room.",
        ),
        sql(statement("commerce_sessions", say)),
        [
            room(say), room_id(), platform(say), hall_column(say), instant("opened_at", say("开播", "Opened")),
            instant("closed_at", say("下播", "Closed")), gmv, orders,
            count("views_total", say("场观", "Visits")), money("gpm", "GPM"),
            money("uv_value", say("UV 价值", "UV value")), money("platform_gmv", say("平台自报", "Platform's own")),
        ],
    )  # fmt: skip
    shops = rows(
        say("店铺榜（当天）", "Shops of the day"),
        day
        + all_halls
        + say(
            "买家：当天在该店付款的人，去重；平台不给则留空。前 50。",
            "Buyers: people who paid in the shop on the day, distinct; empty where nobody is named. The first 50.",
        ),
        sql(statement("commerce_shops", say)),
        [
            Column("shop", say("店铺", "Shop")), of_platform, gmv, orders, order_value,
            count("buyers", say("买家", "Buyers"), NARROW), units, refunds, net,
        ],
    )  # fmt: skip
    items = rows(
        say("商品榜（当天）", "Items of the day"),
        day
        + all_halls
        + say(
            "成交额是商品在已支付订单中的部分；平台不给商品价则留空。前 50。",
            "GMV is its part of orders paid; empty where the platform prices no items. The first 50.",
        ),
        sql(statement("commerce_items", say)),
        [
            Column("title", say("商品", "Item")), Column("item_id", say("商品编号", "Item id"), width=160), of_platform,
            units, orders, gmv,
        ],
    )  # fmt: skip
    return rooms, sessions, shops, items


def apart(say: Say) -> list[AnyPanel]:
    all_halls = say("不受“场馆”选择影响。", "Not limited by the hall that is chosen. ")
    unattributed = rows(
        say("未归属场次的成交", "Sales of no session"),
        say(
            "所选时段最后 24 小时内已支付、没有归属到场次的订单及原因；都计入平台和店铺，不计入场次。",
            "Orders paid in the last 24 hours of the span that belong to no session, and why. All count for their "
            "platform and shop. ",
        )
        + all_halls,
        sql(statement("commerce_unattributed", say)),
        [
            platform(say), Column("reason", say("原因", "Reason")), count("events", say("订单事件", "Order events")),
            count("orders", say("订单", "Orders")), money("gmv", say("成交额", "GMV")),
            instant("first_at", say("最早", "First")), instant("last_at", say("最晚", "Last")),
        ],
    )  # fmt: skip
    plain = [("gmv", "成交额", "GMV"), ("refunds", "退款", "Refunds"), ("net", "净成交额", "Net")]
    currencies = rows(
        say("分币种（当天）", "By currency, of the day"),
        say(
            "所选时段结束的那一天，每个平台每个币种各一行，金额以该币种为单位，不可相加；其他数字只含活动币种。",
            "The day on which the span ends: a row for each platform and currency, amounts in that currency, never to "
            "be added. All other numbers are of the event's currency alone. ",
        )
        + all_halls,
        sql(statement("commerce_currencies", say)),
        [
            Column("currency", say("币种", "Currency"), width=75), platform(say),
            count("orders", say("订单", "Orders"), NARROW),
            *(Column(name, say(zh, en), unit=WHOLE, decimals=2, width=WIDE) for name, zh, en in plain),
        ],
    )  # fmt: skip
    return [unattributed, currencies]

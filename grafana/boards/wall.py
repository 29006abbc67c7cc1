"""The leaders' wall: how the event goes, for people who stand five metres away. Everything is asked of SQL, so that
each number has one meaning; nothing on it calls for an act, so nothing on it is red."""

from typing import Any

from grafana_foundation_sdk.builders import bargauge, common
from grafana_foundation_sdk.models import common as model
from grafana_foundation_sdk.models.dashboard import MatcherConfig

from .board import Row, board
from .columns import MONEY, WHOLE
from .panels import BLUE, GREY, STALE, AnyPanel, fixed, lines, money, ranking
from .queries import POSTGRES, Query, Shape, sql, statement
from .selling import platform_name
from .words import Say

AXIS_WIDTH = 100  # pixels: room for ¥123,456,789
GMV = {"counted": "gmv_minor", "shown": "in_major(number::bigint, currency)"}
ORDERS = {"counted": "orders", "shown": "number"}


def now(say: Say) -> list[AnyPanel]:
    """As it stands, beside the same time of yesterday."""
    beside = say(
        "昨天此刻：昨天到同一时刻为止，正在进行的一分钟按比例计。截至：最新入库的订单；超过 60 秒为灰色。",
        "Yesterday is counted until the same time, of the minute under way its part. As of: the newest sale that was "
        "stored; grey when that is older than 60 s.",
    )
    minute = say(
        "取最近一个完整的一分钟，与昨天同一分钟比较。",
        "Of the last whole minute, beside the same minute of yesterday.",
    )
    return [
        money(
            say("今日成交额", "GMV today"),
            say(
                "今天已支付的订单，按支付时间，活动期间内，未减退款，主币单位。打赏、定金、未支付不计。",
                "Orders paid today, by pay time, inside the event, before refunds; no gifts, deposits, unpaid orders. ",
            )
            + beside,
            statement("wall_today", say, **GMV),
        ),
        money(
            say("今日订单", "Orders today"),
            say(
                "今天已支付的订单数，去重；分次支付只计一次。",
                "Orders paid today, distinct; one that is paid in parts counts once. ",
            )
            + beside,
            statement("wall_today", say, **ORDERS),
            unit=WHOLE,
        ),
        money(
            say("直播中主播", "Broadcasters live"),
            say(
                "正在直播的主播人数；一人多个直播间只计一次，名册没写主播的直播间各计一次；看不见的不计。",
                "People on air; one with several rooms counts once, a room of nobody known for itself; not what cannot "
                "be seen. ",
            )
            + minute,
            statement("wall_broadcasters", say),
            unit=WHOLE,
        ),
        money(
            say("在线人数", "Viewers"),
            say(
                "所有看得见的直播间在线人数之和，按时间加权；看不见的不计。",
                "Viewers of all rooms that can be seen, weighted by time. ",
            )
            + minute,
            statement("wall_viewers", say),
            unit=WHOLE,
        ),
    ]


def of_event(say: Say) -> list[AnyPanel]:
    """Below each of them the same of the whole event."""
    beside = say("较昨天此刻：比昨天同一时刻的累计多了多少。", "Beside it: how much more than at this time yesterday.")
    return [
        money(
            say("活动累计成交额", "GMV of the event"),
            say(
                "活动开始以来已支付的订单，按支付时间，未减退款，主币单位。",
                "Orders paid since the event began, by pay time, before refunds. ",
            )
            + beside,
            statement("wall_event", say, **GMV),
        ),
        money(
            say("活动累计订单", "Orders of the event"),
            say(
                "活动开始以来已支付的订单数；跨天分次支付的订单每天计一次。",
                "Orders paid since the event began; one that is paid in parts on two days counts on each. ",
            )
            + beside,
            statement("wall_event", say, **ORDERS),
            unit=WHOLE,
        ),
        money(
            say("开过播的主播", "Have broadcast"),
            say(
                "活动开始以来开播过的主播人数，同一人只计一次；下面是场次数。",
                "People who were on air since the event began, each once; below: their sessions.",
            ),
            statement("wall_broadcasters_event", say),
            unit=WHOLE,
        ),
        money(
            say("在线人数最高", "Peak viewers"),
            say(
                "活动开始以来在线人数最高的一分钟（全部直播间合计，该分钟平均），下面是时间。",
                "The minute of the event with the most viewers of all rooms, on average in it; below: when.",
            ),
            statement("wall_peak", say),
            unit=WHOLE,
        ),
    ]


def curves(say: Say) -> list[AnyPanel]:
    colors = {say("当天", "this day"): BLUE, say("前一天", "the day before"): GREY}
    below = common.VizLegendOptions().display_mode(model.LegendDisplayMode.LIST).calcs([]).show_legend(True)
    made = [
        lines(
            say("累计成交额", "GMV so far"),
            say(
                "从零点起累计，每五分钟一点；灰线是前一天。订单已支付、按支付时间、活动期间内、未减退款，主币单位。",
                "Since midnight, a point for each five minutes; grey: the day before. Orders paid, by pay time, inside "
                "the event, before refunds.",
            ),
            [sql(statement("wall_gmv_curve", say), shape="time_series")],
            unit=MONEY,
            decimals=0,
            source=POSTGRES,
            colors=colors,
        ),
        lines(
            say("在线人数", "Viewers"),
            say(
                "所有看得见的直播间合计，每五分钟的平均；灰线是前一天。",
                "Of all rooms that can be seen, the average of each five minutes; grey: the day before.",
            ),
            [sql(statement("wall_viewers_curve", say), shape="time_series")],
            unit=WHOLE,
            decimals=0,
            source=POSTGRES,
            colors=colors,
        ),
    ]
    below = below.placement(model.LegendPlacement.BOTTOM)
    made[0] = made[0].span_nulls(True)  # a sum stays where nothing is added
    return [panel.line_width(3).legend(below).axis_width(AXIS_WIDTH) for panel in made]


def leading(say: Say) -> list[AnyPanel]:
    name_of_it = platform_name(say, "summed.platform")

    def asked(name: str, shape: Shape = "table") -> Query:
        return sql(statement(name, say, platform_name=name_of_it), shape=shape)

    platforms = ranking(
        say("平台", "Platforms"),
        say(
            "今日成交额前五的平台（已支付、按支付时间、活动期间内、未减退款，主币单位）；"
            "最新入库的订单超过 60 秒为灰色。",
            "The five platforms with the highest GMV of today: orders paid, by pay time, inside the event, before "
            "refunds. Grey where the newest sale that was stored is older than 60 s.",
        ),
        asked("wall_platforms", "time_series"),
        unit=MONEY,
    )
    each = common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)
    platforms = platforms.reduce_options(each).with_override(MatcherConfig("byRegexp", f"/{STALE}/"), fixed(GREY))
    made = [
        platforms,
        ranking(
            say("城市", "Cities"),
            say(
                "今日成交额前五的城市，及其正在直播的直播间数。没有直播间的订单，只在其店铺的直播间都在同一城市时计入。",
                "The five cities with the highest GMV of today, and how many of their rooms are live. A sale of no "
                "known room counts where all rooms of its shop are in one city.",
            ),
            asked("wall_cities"),
            unit=MONEY,
        ),
        ranking(
            say("直播间", "Rooms"),
            say("今日成交额前五的直播间。", "The five rooms with the highest GMV of today."),
            asked("wall_rooms"),
            unit=MONEY,
        ),
        ranking(
            say("商品", "Goods"),
            say(
                "今日卖出件数前五的商品（已支付订单中的件数）。",
                "The five items of which most pieces were sold today, in orders paid.",
            ),
            asked("wall_items"),
            unit=WHOLE,
        ),
    ]
    return [large(panel) for panel in made]


def large(panel: bargauge.Panel) -> bargauge.Panel:
    """Letters that can be read from far away, the name above its bar, where it has the whole width."""
    panel = panel.text(common.VizTextDisplayOptions().title_size(18).value_size(20))
    return panel.name_placement(model.BarGaugeNamePlacement.TOP)


def make(say: Say) -> dict[str, Any]:
    widths = (8, 5, 5, 6)
    grid: list[Row] = [
        (5, list(zip(widths, now(say), strict=True))),
        (5, list(zip(widths, of_event(say), strict=True))),
        (7, [(12, panel) for panel in curves(say)]),
        (9, [(6, panel) for panel in leading(say)]),
    ]
    return board(
        say,
        "livemon-wall",
        say("领导大屏", "Leaders' wall"),
        say(
            "活动进行得怎么样：主播、在线人数、成交额、订单，与昨天此刻相比。",
            "How the event goes: broadcasters, viewers, GMV and orders beside the same time of yesterday.",
        ),
        grid,
        since="now/d",
        until="now/d",
        refresh="10s",
        kiosk=True,
    )

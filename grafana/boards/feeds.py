"""Feeds: of each outside source how much it tells (rate), how often that fails (errors), how long it takes (duration);
whether it can be seen, and whom it cannot tell of."""

from typing import Any

from grafana_foundation_sdk.builders import bargauge, common
from grafana_foundation_sdk.builders import dashboard as build

from . import hooks, sights
from .board import Row, board, query_variable
from .panels import CALM, DARK, HOT, WARM, AnyPanel, count_of, largest_first, lines, ranking, states
from .queries import PROMETHEUS, promql
from .words import Say

OF_CHOSEN = 'feed=~"${feed:pipe}"'
# State of a feed -> what it is drawn as: the worse, the higher. Exactly one holds at a time.
STATES = {
    "ok": (1, "正常", "ok", CALM),
    "stale": (2, "数据过时", "stale", WARM),
    "frozen": (3, "数据不动", "frozen", WARM),
    "blind": (4, "看不见", "blind", DARK),
    "refused": (5, "被拒绝", "refused", HOT),
}
FAILING = "feed:livemon_feed_failures_per_attempts:ratio_rate5m"
QUANTILES = {"50 %": 0.5, "95 %": 0.95, "99 %": 0.99}


def feed_variable(say: Say) -> build.QueryVariable:
    """$feed: names of the config, letters, digits, - and _ alone; a monitor has at most some hundred."""
    text = "label_values(livemon_feed_messages_total, feed)"
    return query_variable("feed", say("数据源", "Feed"), text, source=PROMETHEUS, multi=True, every=".*")


def of_state(state: str) -> str:
    return f'sum(max by (feed) (livemon_feed_state{{{OF_CHOSEN}, state="{state}"}}))'


def numbers(say: Say) -> list[AnyPanel]:
    return [
        count_of(
            say("看不见", "Blind"),
            say("此刻失联的数据源；它们的直播间状态未知，不等于断流。",
                "Feeds that cannot be seen now. Of their rooms nobody knows; that is no drop."),
            of_state("blind"), [(None, CALM), (1, DARK)],
        ),
        count_of(
            say("被拒绝", "Refused"),
            say("对方不再接受我们的密钥或应用；重试无用，需要人处理。",
                "Feeds that will not have our key or application; trying again does not help, a person must."),
            of_state("refused"), [(None, CALM), (1, HOT)],
        ),
        count_of(
            say("数据不动", "Frozen"),
            say("有报文，但至少 60 秒没有一个在播直播间的数字变过。",
                "Messages come, but no number of any live room has moved for 60 s or more."),
            of_state("frozen"), [(None, CALM), (1, WARM)],
        ),
        count_of(
            say("数据过时", "Stale"),
            say("有报文，但平台自己的时间戳早于 silence_s_max。",
                "Messages come, but the platform's own stamps are older than silence_s_max."),
            of_state("stale"), [(None, CALM), (1, WARM)],
        ),
        count_of(
            say("漏推", "Missed pushes"),
            say("最近一小时由轮询补齐、推送没有告知的订单事件；已入库，只是晚。",
                "Sales of the last hour that a poll found and no push had told: they are stored, only late."),
            f"sum(increase(livemon_push_missed_total{{{OF_CHOSEN}}}[1h]) or vector(0))", [(None, CALM), (1, WARM)],
        ),
        count_of(
            say("无旁证", "No witness"),
            say("没有轮询作旁证的推送数据源：漏推无从得知。", "Feeds of pushes whose gaps no poll would find."),
            f"sum(livemon_feed_witnessed{{{OF_CHOSEN}}} == bool 0 or vector(0))", [(None, CALM), (1, DARK)],
        ),
        count_of(
            say("不在名册", "Not in roster"),
            say("数据源看得到、名册里没有的直播间个数之和；不采集。",
                "Rooms that feeds see and the roster lacks, summed over feeds; nothing of them is kept."),
            f"sum(livemon_rooms_unlisted{{{OF_CHOSEN}}})", [(None, CALM), (1, WARM)],
        ),
        count_of(
            say("应用暂停调用", "Open breakers"),
            say("连续失败后暂停调用的平台接口数；到时自动再试。",
                "Ways to platforms' APIs that are not called for a while after failures; they are tried again."),
            'sum(livemon_app_breakers{state="open"} or vector(0))', [(None, CALM), (1, WARM)],
        ),
    ]  # fmt: skip


def seen(say: Say) -> list[AnyPanel]:
    """Whether each can be seen: over time, and for how long it has been silent."""
    each = " or ".join(f'{code} * livemon_feed_state{{{OF_CHOSEN}, state="{name}"}}'
                       for name, (code, *_) in STATES.items())  # fmt: skip
    # As of the end of what is shown, so that the same feeds are lines of it from its beginning.
    trouble = f'sum by (feed) (sum_over_time(livemon_feed_state{{{OF_CHOSEN}, state!="ok"}}[1h] @ end()))'
    words = {str(code): (say(zh, en), color) for code, zh, en, color in STATES.values()}
    over_time = states(
        say("数据源状态", "Feed states"),
        say(
            "每个数据源一行，只列最后一小时里不正常最久的 20 个。看不见：连续两次失败，或超过 silence_s_max 没有报文。"
            "空白：livemon 自己没有被采集到。",
            "A line for each of the 20 feeds that were longest not well in the last hour. Blind: failed twice in a "
            "row, or silent for silence_s_max. Empty: livemon itself was not scraped.",
        ),
        promql(f"max by (feed) ({each}) and on (feed) topk(20, {trouble})", "{{feed}}"),
        words,
        source=PROMETHEUS,
    )
    silent = ranking(
        say("最近报文距今", "Since the last message"),
        say(
            "最久没有报文的 20 个数据源，秒。只收推送的数据源没有订单时本来就安静。从未有过报文的不计。",
            "The 20 feeds that have been silent for longest, in seconds. Those that are only called are silent by "
            "nature while nothing is sold. Without those that never told anything.",
        ),
        promql(
            f"topk(20, time() - max by (feed) (livemon_feed_last_message_timestamp_seconds{{{OF_CHOSEN}}} > 0))",
            "{{feed}}", instant=True, table=True,
        ),
        unit="s",
        source=PROMETHEUS,
    )  # fmt: skip
    return [over_time, small(silent)]


def small(panel: bargauge.Panel) -> bargauge.Panel:
    """Letters of one size, whether there is one bar or twenty."""
    return panel.text(common.VizTextDisplayOptions().title_size(12).value_size(14)).max_viz_height(28)


def told(say: Say) -> list[AnyPanel]:
    """Rate, errors, duration."""
    of_feed = f"livemon_feed_poll_duration_seconds_bucket{{{OF_CHOSEN}}}"
    durations = [
        promql(f"histogram_quantile({share}, sum by (le) (rate({of_feed}[$__rate_interval])))", words,
               ref=chr(65 + place))
        for place, (words, share) in enumerate(QUANTILES.items())
    ]  # fmt: skip
    return [
        largest_first(lines(
            say("报文", "Messages"),
            say("每个数据源每秒读懂的报文数，最多的在前。", "Good messages per second of each feed, the most first."),
            [promql(f"sum by (feed) (rate(livemon_feed_messages_total{{{OF_CHOSEN}}}[$__rate_interval]))", "{{feed}}")],
            unit="mps",
        )),
        largest_first(lines(
            say("失败（按原因）", "Failures by reason"),
            say(
                "每分钟失败次数。connect 连不上，timeout 超时，http_status 状态码，rate_limited 被限流，auth/refused "
                "被拒绝，bad_frame 读不懂，silence 没有声音，dns，tls，closed 被挂断。",
                "Failures per minute, by the few words that livemon has for them.",
            ),
            [promql(f"60 * sum by (reason) (rate(livemon_feed_failures_total{{{OF_CHOSEN}}}[$__rate_interval]))",
                    "{{reason}}")],
            unit="cpm",
        ).axis_soft_max(1)),
        lines(
            say("轮询耗时", "Poll duration"),
            say("从发出请求到读完报文，所选数据源合计的分位数。",
                "From asking to the whole message, quantiles over the chosen feeds."),
            durations, unit="s",
        ),
    ]  # fmt: skip


def worst(say: Say) -> list[AnyPanel]:
    slow = f"livemon_feed_poll_duration_seconds_bucket{{{OF_CHOSEN}}}[$__rate_interval]"
    made = [
        ranking(
            say("失败占比", "Share of failures"),
            say("最近 5 分钟失败 /（失败 + 报文），最高的 20 个。",
                "Failures / (failures + messages) of 5 minutes, the 20 highest."),
            promql(f"topk(20, max by (feed) ({FAILING}{{{OF_CHOSEN}}}) > 0)", "{{feed}}",
                   instant=True, table=True),
            unit="percentunit", decimals=1, source=PROMETHEUS,
        ),
        ranking(
            say("最慢的数据源", "Slowest feeds"),
            say("轮询耗时的 95 分位，最慢的 20 个。", "The 95th percentile of the duration of polls, the 20 slowest."),
            promql(f"topk(20, histogram_quantile(0.95, sum by (feed, le) (rate({slow}))) >= 0)", "{{feed}}",
                   instant=True, table=True),
            unit="s", decimals=2, source=PROMETHEUS,
        ),
    ]  # fmt: skip
    return [small(panel) for panel in made]


def make(say: Say) -> dict[str, Any]:
    blind, unlisted = sights.tables(say)
    over_time, silent = seen(say)
    grid: list[Row] = [
        (4, [(3, panel) for panel in numbers(say)]),
        (11, [(16, over_time), (8, silent)]),  # a line of 22 feeds has room for its name
        (9, [(width, panel) for width, panel in zip((12, 6, 6), told(say), strict=True)]),
        (8, [(8, sights.coverage(say)), *((8, panel) for panel in worst(say))]),
        (7, [(15, blind), (9, unlisted)]),
        (8, [(8, panel) for panel in hooks.curves(say)]),
        (8, [(9, hooks.accounts_by_state(say)), (15, hooks.accounts(say))]),
    ]
    return board(
        say,
        "livemon-feeds",
        say("数据源", "Feeds"),
        say(
            "每个数据源说了多少、失败多少、用时多久，以及看不看得见。",
            "What each feed tells, how often it fails, how long it takes.",
        ),
        grid,
        variables=[feed_variable(say)],
    )

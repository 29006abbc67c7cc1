"""Of the board of feeds what is about orders that are told to us: hooks, our answers, what waits, authorisations."""

from grafana_foundation_sdk.models.dashboard import DataTransformerConfig

from .columns import Column, count, instant, platform
from .panels import GREY, HOT, WARM, AnyPanel, lines, rows
from .queries import PROMETHEUS, promql, sql, statement
from .words import Say

OF_CHOSEN = 'feed=~"${feed:pipe}"'
QUANTILES = {"50 %": 0.5, "95 %": 0.95, "99 %": 0.99}


def curves(say: Say) -> list[AnyPanel]:
    taken = "livemon_hook_ack_duration_seconds_bucket[$__rate_interval]"
    answers = [
        promql(f"histogram_quantile({share}, sum by (le) (rate({taken})))", words, ref=chr(65 + place))
        for place, (words, share) in enumerate(QUANTILES.items())
    ]
    waiting = [
        promql(f'sum(livemon_frames_spooled{{{OF_CHOSEN}, state="waiting"}})', say("待读", "to be read"), ref="A"),
        promql(
            f'sum(livemon_frames_spooled{{{OF_CHOSEN}, state="pending"}})', say("等平台答复", "for an answer"), ref="B"
        ),
    ]
    return [
        lines(
            say("推送请求（按结果）", "Hook requests by outcome"),
            say(
                "每分钟请求数。accepted 已落盘并应答，duplicate 重复，probe/check 平台测试，"
                "bad_signature/stale/malformed/wrong_app/disabled 验签未过，"
                "rate_limited/busy/full/slow/shed 我们没有收下（自有服务器照常放行）。",
                "Requests per minute. accepted: on disk, then answered; duplicate: told again; probe, check: tests of "
                "the platform; bad_signature, stale, malformed, wrong_app, disabled: not a true delivery; "
                "rate_limited, busy, full, slow, shed: not taken (an own server is given leave all the same).",
            ),
            [promql(f"60 * sum by (outcome) (rate(livemon_hook_requests_total{{{OF_CHOSEN}}}[$__rate_interval])) > 0",
                    "{{outcome}}")],
            unit="cpm",
        ),
        lines(
            say("推送应答时间", "Time to acknowledge"),
            say(
                "从收完报文到应答（其间已落盘）的分位数，所有推送数据源合计。",
                "From the last byte of a true delivery to its answer, on disk in between; quantiles over all hooks.",
            ),
            answers, unit="s",
        ),
        lines(
            say("已应答未入库", "Acknowledged, not yet rows"),
            say(
                "已应答平台、还没有变成订单事件的推送：待读，或等平台接口答复详情。都在盘上，不会丢。",
                "Deliveries that were acknowledged and are no sales yet: to be read, or for an answer of the platform. "
                "They are on disk.",
            ),
            waiting, decimals=0,
        ),
    ]  # fmt: skip


def accounts_by_state(say: Say) -> AnyPanel:
    made = rows(
        say("授权（按状态）", "Authorisations by state"),
        say("每个平台各状态的授权个数。", "How many authorisations of each platform are in which state."),
        promql("sum by (platform, state) (livemon_accounts)", instant=True, table=True),
        [
            Column("platform\\state", say("平台", "Platform"), words=platform(say).words),
            *(count(name, words)._replace(width=95)
              for name, words in (("ok", say("正常", "ok")), ("expiring", say("即将到期", "expiring")),
                                  ("refused", say("被拒", "refused")), ("missing", say("未授权", "missing")))),
        ],
        source=PROMETHEUS,
    )  # fmt: skip
    told = {"rowField": "platform", "columnField": "state", "valueField": "Value", "emptyValue": "null"}
    return made.with_transformation(DataTransformerConfig("groupingToMatrix", options=told))


def accounts(say: Say) -> AnyPanel:
    colors = {"1": (say("被拒", "refused"), HOT), "2": (say("即将到期", "expiring"), WARM),
              "3": (say("未授权", "missing"), GREY)}  # fmt: skip
    return rows(
        say("需要处理的授权", "Authorisations to see to"),
        say(
            "被拒：需重新授权；即将到期：3 天内须由人续期，或现有授权 10 分钟内失效；未授权：名册中的店铺还没有授权。"
            "最多 200 行。",
            "Refused: to be linked again. Expiring: a person must link again within 3 days, or the token ends in 10 "
            "minutes. Missing: a shop of the roster that was never linked. At most 200.",
        ),
        sql(statement("feeds_accounts", say)),
        [
            Column("state_code", say("状态", "State"), width=110, colors=colors), platform(say),
            Column("account", say("店铺或主播", "Shop or anchor")), Column("name", say("名称", "Name")),
            instant("expires_at", say("到期", "Expires")), instant("refreshed_at", say("最近续期", "Refreshed")),
            Column("reason", say("原因", "Reason")), Column("contact", say("联系人", "Contact")),
        ],
    )  # fmt: skip

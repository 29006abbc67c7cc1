"""What each figure of a report means: its name, formula, and what one must know of it, in English and Chinese."""

from .words import Language

Definition = tuple[str, str, str]  # the key of its name in words.py, the formula, what to know

DEFINITIONS: dict[Language, tuple[Definition, ...]] = {
    "en": (
        ("gmv", "sum of amounts of orders paid", "By the time of payment, before refunds, in the event's currency, in "
         "the event's window. Created orders, deposits and gifts are not in it."),
        ("orders", "count of distinct orders paid", "By the time of payment, as GMV."),
        ("refunds", "sum of amounts refunded", "By the time of the refund, whenever the order was paid. Never final: "
         "refunds go on for weeks."),
        ("net", "GMV − refunds", "As far as is known."),
        ("refund_rate", "refunds ÷ GMV, amounts of the same days", "So far: it grows after the event. Refunds of "
         "earlier days' orders count on the day they are made."),
        ("created", "count of distinct orders created", "Also those that were never paid."),
        ("gifts", "sum of gifts, in money", "Never part of GMV."),
        ("sessions", "count of broadcasts, each from opened to closed", "A short stop does not end one: a grace period "
         "must run out."),
        ("airtime", "sum over sessions of length − stops", "Blind time inside counts: the session went on through it."),
        ("watch_hours", "sum of viewers × hours held", "A number holds until the next one, at most 60 s; stops and "
         "blind time are left out, so it is a lower bound."),
        ("average", "watch time ÷ time with a known number of viewers", "Weighted by time, not a mean of what was "
         "observed."),
        ("peak", "highest number of viewers", "Of a room: the highest observed. Of all: the minute with the highest "
         "sum of time-weighted viewers. People in two rooms count twice."),
        ("drops", "count of stops that were resumed or lost", "A sign-off is none, nor is a stop that still lasts."),
        ("down", "sum of seconds off air of those drops", "Inside their sessions."),
        ("blind", "time on air that no feed could see", "Added over rooms. Nobody knows what happened in it; it "
         "is not a drop."),
        ("cut_at", "what had arrived at 00:15 of the next day", "Written once and never changed."),
        ("late", "now − cut", "Paid on that day, arrived after its cut."),
    ),
    "zh": (
        ("gmv", "支付订单金额之和", "按支付时间，退款前，活动币种，活动区间内。不含仅创建的订单、定金和礼物。"),
        ("orders", "支付订单去重计数", "按支付时间，与 GMV 相同。"),
        ("refunds", "退款金额之和", "按退款时间，不论订单何时支付。不是最终数：退款会持续数周。"),
        ("net", "GMV − 退款", "以已知的数为准。"),
        ("refund_rate", "退款 ÷ GMV(同一天的金额)", "截至目前，活动之后还会上升。前几天订单的退款计在退款当天。"),
        ("created", "创建订单去重计数", "含一直未支付的订单。"),
        ("gifts", "礼物折合金额之和", "从不计入 GMV。"),
        ("sessions", "从开播到关闭记为一场", "短暂停止不结束场次，宽限期过后才结束。"),
        ("airtime", "各场次 (时长 − 停止时间) 之和", "其中看不见的时间计入：场次仍在继续。"),
        ("watch_hours", "Σ 在线人数 × 保持时间（小时）", "一个人数保持到下一次采样，最多 60 秒；"
         "停止和看不见的时间不计，因此是下限。"),
        ("average", "观看时长 ÷ 有人数的时间", "按时间加权，不是采样的平均。"),
        ("peak", "在线人数的最大值", "单个直播间：采样到的最高数。"
         "合计：按时间加权的人数之和最高的那一分钟；同一人在两个直播间计两次。"),
        ("drops", "已恢复或未恢复的停止次数", "正常下播不算；仍在持续的停止尚不算。"),
        ("down", "这些断流的停播秒数之和", "只计场次之内。"),
        ("blind", "直播中没有任何数据源能看见的时间", "各直播间相加。没有人知道其间发生了什么；它不是断流。"),
        ("cut_at", "次日 00:15 时已收到的数", "只写一次，不再改动。"),
        ("late", "现在 − 定格", "当日支付、定格之后才收到。"),
    ),
}  # fmt: skip

"""What the page of one alert says, in both languages."""

from monitor.alerts.duty import Word
from monitor.alerts.notice import Language
from monitor.alerts.sight import BLIND, DROPPED, LIVE, LOST, OFFLINE, UNWATCHED

WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "other": "English", "goes_on": "进行中", "over": "已结束", "since": "开始", "ago": "{}前", "stopped": "停播",
        "room": "直播间", "now": "现在", "viewers": "停前在线", "hall": "馆", "city": "城市", "tier": "级别",
        "contact": "联系人", "holder": "处理人", "nobody": "还没有人处理", "holds": "{by},{since} 起",
        "wanted_quiet": "已静默至 {until}({by})", "reason": "说明", "name": "你的名字", "take": "我来处理",
        "silence": "静默 2 小时", "end": "已下播", "runbook": "处置手册", "as_of": "截至",
        "expires": "链接 24 小时内有效;打开链接不会改变任何状态",
        "forged": "这个链接不对", "forged_what": "请从群消息中重新打开,不要手工修改链接。",
        "expired": "这个链接已过期", "expired_what": "链接 24 小时有效。请从更新的群消息打开,或用 livemon ack。",
        "unknown": "没有这条告警", "unknown_what": "它可能太旧,已被清理。", "foreign": "没有执行",
        "foreign_what": "请求来自别的网页。请打开群消息中的链接再按按钮。", "unnamed": "没有执行:请写上你的名字",
        "s": "秒", "min": "分钟", "h": "小时", "d": "天",
    },
    "en": {
        "other": "中文", "goes_on": "going on", "over": "over", "since": "since", "ago": "{} ago", "stopped": "stopped",
        "room": "room", "now": "now", "viewers": "viewers before", "hall": "hall", "city": "city", "tier": "tier",
        "contact": "contact", "holder": "held by", "nobody": "nobody has taken it yet", "holds": "{by}, since {since}",
        "wanted_quiet": "silenced until {until} ({by})", "reason": "reason", "name": "your name", "take": "I take it",
        "silence": "Silence for 2 hours", "end": "The broadcast is over", "runbook": "runbook", "as_of": "as of",
        "expires": "The link is good for 24 hours; opening it changes nothing",
        "forged": "This link is not right", "forged_what": "Open it from the message again; do not edit it.",
        "expired": "This link has expired",
        "expired_what": "Links are good for 24 hours. Open a newer message, or use livemon ack.",
        "unknown": "There is no such alert", "unknown_what": "It may be too old, and was cleared away.",
        "foreign": "Nothing was done",
        "foreign_what": "The request came from another page. Open the link of the message, and press the button there.",
        "unnamed": "Nothing was done: give your name", "s": "s", "min": "min", "h": "h", "d": "d",
    },
}  # fmt: skip

STATES: dict[Language, dict[int, str]] = {
    "zh": {
        OFFLINE: "已下播",
        LIVE: "直播中",
        DROPPED: "断流",
        BLIND: "看不见",
        LOST: "断流未恢复",
        UNWATCHED: "未监看",
    },
    "en": {OFFLINE: "off air", LIVE: "live", DROPPED: "dropped", BLIND: "blind", LOST: "lost", UNWATCHED: "unwatched"},
}
SEVERITIES: dict[Language, dict[str, str]] = {
    "zh": {"critical": "严重", "warning": "警告", "info": "提示"},
    "en": {},
}
COLOURS = {OFFLINE: "dim", LIVE: "good", DROPPED: "bad", BLIND: "warn", LOST: "bad", UNWATCHED: "warn"}

OUTCOMES: dict[Language, dict[Word, str]] = {
    "zh": {
        "held": "由 {by} 处理,告警期间自动续期", "held_by_other": "{by} 已在处理", "silenced": "已静默至 {until}",
        "ended": "已按下播处理", "on_air": "没有执行:livemon 看到它正在直播", "not_stopped": "没有执行:它没有停播",
        "unknown_room": "没有执行:名册中没有这个直播间", "no_room": "没有执行:这条告警不是关于一个直播间的",
        "no_episode": "没有这条告警", "over": "没有执行:告警已结束",
        "unreachable": "没有执行:Alertmanager 没有应答。请重试,或电话通知",
        "no_alertmanager": "没有执行:livemon.toml 中没有 alertmanager_url",
    },
    "en": {
        "held": "held by {by}, for as long as it fires", "held_by_other": "{by} has it already",
        "silenced": "silenced until {until}", "ended": "taken as signed off",
        "on_air": "nothing was done: livemon sees it on air", "not_stopped": "nothing was done: it has not stopped",
        "unknown_room": "nothing was done: the roster has no such room",
        "no_room": "nothing was done: this alert is not about one room", "no_episode": "there is no such alert",
        "over": "nothing was done: the alert is over",
        "unreachable": "nothing was done: Alertmanager does not answer. Try again, or call",
        "no_alertmanager": "nothing was done: livemon.toml has no alertmanager_url",
    },
}  # fmt: skip


def spoken(asked: str, accepted: str) -> Language:
    """What the address asks for, else what the phone speaks first."""
    if asked in ("en", "zh"):
        return "zh" if asked == "zh" else "en"
    return "zh" if accepted.strip().lower().startswith("zh") else "en"

"""What a handover says, in both languages: whole sentences, since it is read aloud."""

from monitor.alerts.notice import Language

WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "title": "【交接】{over}→{on}", "nobody": "无人值班", "command": "现在",
        "on": "接班 {name},{starts} 至 {ends}:{duty}",
        "stopped": "未恢复的断流 {count} 间", "no_stopped": "没有未恢复的断流",
        "room": "{number}{place}{anchor}({platform} {room}){hall}{since} 停{viewers};{holder}", "hall": ",{hall},",
        "viewers": ",停前在线 {count}",
        "held": "{by} 在处理,{since} 起{reason}", "quiet": "{by} 静默至 {until}{reason}", "not_held": "无人处理",
        "other": "其他告警 {count} 条", "alert": "#{number} {what},{since} 起;{holder}", "no_other": "没有其他告警",
        "silences": "静默 {count} 条", "silence": "{what},由 {by} 设置,{until} 结束{reason}", "no_silences": "没有静默",
        "from": ",{since} 开始", "feeds": "看不见的数据源 {count} 个",
        "feed": "{name}({place}){state},{since} 起,涉及 {rooms} 间{detail}",
        "no_feeds": "所有数据源正常", "refused": "被拒绝的授权 {count} 个",
        "account": "{platform} {name}{contact}:{reason}",
        "call": ",联系人 {contact}", "no_refused": "没有被拒绝的授权",
        "frames": "待处理推送 {count} 条", "feed_frames": "{feed} {count} 条,最早 {since}",
        "no_frames": "没有待处理推送",
        "quarantine": "隔离数据 {count} 条({kinds})", "no_quarantine": "没有隔离数据",
        "changes": "本班名册变更 {count} 次", "no_changes": "本班名册没有变更",
        "change": "{at} {by}:新增 {added},修改 {changed},移除 {retired}",
        "unknown_holders": "Alertmanager 自 {since} 没有应答:处理人和静默是那时的情况",
        "unknown_database": "数据库没有应答,隔离数据、名册变更和授权明细未知:{why}",
        "more": "另有 {count} 条", "end": "。", "unknown_since": "时间不明",
    },
    "en": {
        "title": "[HANDOVER] {over} → {on}", "nobody": "nobody on duty", "command": "now",
        "on": "On duty: {name}, {starts} to {ends}: {duty}",
        "stopped": "{count} rooms are down", "no_stopped": "No room is down",
        "room": "{number}{place}{anchor} ({platform} {room}){hall}, down since {since}{viewers}; {holder}",
        "hall": ", {hall}", "viewers": ", {count} viewers before", "held": "{by} is on it since {since}{reason}",
        "quiet": "silenced by {by} until {until}{reason}", "not_held": "nobody is on it",
        "other": "{count} other alerts", "alert": "#{number} {what}, since {since}; {holder}",
        "no_other": "No other alert",
        "silences": "{count} silences", "silence": "{what}, by {by}, ends {until}{reason}", "no_silences": "No silence",
        "from": ", begins {since}", "feeds": "{count} feeds cannot be seen",
        "feed": "{name} ({place}) {state} since {since}, {rooms} rooms{detail}", "no_feeds": "All feeds are well",
        "refused": "{count} authorisations are refused", "account": "{platform} {name}{contact}: {reason}",
        "call": ", contact {contact}", "no_refused": "No authorisation is refused",
        "frames": "{count} deliveries wait", "feed_frames": "{feed} {count}, the oldest of {since}",
        "no_frames": "No delivery waits", "quarantine": "{count} rows in quarantine ({kinds})",
        "no_quarantine": "Nothing in quarantine", "changes": "{count} changes of the roster in this shift",
        "no_changes": "No change of the roster in this shift",
        "change": "{at} {by}: {added} added, {changed} changed, {retired} retired",
        "unknown_holders": "Alertmanager does not answer since {since}: who holds what is as it was then",
        "unknown_database": "The database does not answer: quarantine, roster changes and details of authorisations "
        "are unknown ({why})", "more": "{count} more", "end": ".", "unknown_since": "an unknown time",
    },
}  # fmt: skip
KINDS: dict[Language, dict[str, str]] = {  # of rows in quarantine
    "zh": {"sale": "订单事件", "tick": "采样", "frame": "整条推送"},
    "en": {},
}
STATES: dict[Language, dict[str, str]] = {
    "zh": {"refused": "被拒绝", "blind": "看不见", "frozen": "数据不动", "stale": "数据过期"},
    "en": {},
}

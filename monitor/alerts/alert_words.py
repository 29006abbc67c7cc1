"""The words of messages in Chinese and English: alerts, platforms, money, spans of time. Pure."""

import re
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from monitor.alerts.notice import Language


class Name(NamedTuple):
    """`tag` stands in 【】 before all; `what` says it in a few words."""

    tag: str
    what: str


NAMES: dict[str, dict[Language, Name]] = {
    "LivemonPlatformOutage": {"zh": Name("平台断流", "平台大面积断流"), "en": Name("Platform outage", "is down")},
    "LivemonHallOutage": {"zh": Name("场馆断流", "场馆大面积断流"), "en": Name("Hall outage", "is down")},
    "LivemonFeedBlind": {"zh": Name("看不见", "数据源失联"), "en": Name("Cannot see", "feed is blind")},
    "LivemonFeedStale": {"zh": Name("看不见", "数据源消息迟到"), "en": Name("Cannot see", "feed is stale")},
    "LivemonFeedFrozen": {"zh": Name("看不见", "数据源数字不动"), "en": Name("Cannot see", "feed is frozen")},
    "LivemonFeedRefused": {"zh": Name("看不见", "数据源拒绝访问"), "en": Name("Cannot see", "feed refuses us")},
    "LivemonRoomDropped": {"zh": Name("断流", "停"), "en": Name("Dropped", "stopped")},
    "LivemonRoomsDroppedMany": {"zh": Name("断流", "多个直播间断流"), "en": Name("Dropped", "many rooms dropped")},
    "LivemonRoomLost": {"zh": Name("断流未恢复", "停"), "en": Name("Lost", "stopped")},
    "LivemonRoomNotStarted": {"zh": Name("未开播", "到点未开播"), "en": Name("Not started", "has not started")},
    "LivemonViewersCollapsed": {"zh": Name("人数骤降", "在线人数骤降"), "en": Name("Viewers", "viewers collapsed")},
    "LivemonSalesStalled": {"zh": Name("成交停滞", "成交停滞"), "en": Name("Sales", "sales stalled")},
    "LivemonPushMissed": {"zh": Name("推送漏单", "推送漏单"), "en": Name("Pushes", "pushes are missing")},
    "LivemonAccountsRefused": {"zh": Name("授权", "授权被拒"), "en": Name("Accounts", "accounts are refused")},
    "LivemonAccountsExpiring": {"zh": Name("授权", "授权即将到期"), "en": Name("Accounts", "accounts end soon")},
    "LivemonWriterBlocked": {"zh": Name("数据库", "数据库写不进去"), "en": Name("Database", "nothing can be written")},
    "LivemonSpoolGrowing": {"zh": Name("待写队列", "待写队列在增长"), "en": Name("Spool", "spool is growing")},
    "LivemonSpoolFull": {"zh": Name("待写队列", "待写队列已满"), "en": Name("Spool", "spool is full")},
    "LivemonBooksDoNotBalance": {"zh": Name("账目不平", "账目不平"), "en": Name("Books", "books do not balance")},
    "LivemonQuarantine": {"zh": Name("隔离区", "有数据待人工处理"), "en": Name("Quarantine", "rows wait for a person")},
    "LivemonPartitionMissing": {"zh": Name("分区", "缺少下一天的分区"), "en": Name("Partition", "one is missing")},
    "LivemonHookAuthFailures": {"zh": Name("推送", "推送验签失败"), "en": Name("Hooks", "signatures do not hold")},
    "LivemonLoopLag": {"zh": Name("忙不过来", "livemon 忙不过来"), "en": Name("Late", "livemon is late")},
    "LivemonTargetMissing": {"zh": Name("监控失联", "抓不到 livemon"), "en": Name("Target missing", "no metrics")},
    "LivemonScrapeNearLimit": {"zh": Name("抓取上限", "抓取接近上限"), "en": Name("Scrape", "near its limit")},
    "LivemonDiskSlow": {"zh": Name("磁盘", "磁盘落盘很慢"), "en": Name("Disk", "disk is slow")},
    "LivemonClockSkew": {"zh": Name("时钟", "本机时钟跳变"), "en": Name("Clock", "clock stepped")},
    "LivemonWatchdog": {"zh": Name("自检", "告警通路正常"), "en": Name("Watchdog", "the alert path works")},
    "LivemonDeliveryFailing": {"zh": Name("消息送不到", "送不到"), "en": Name("Delivery", "is failing")},
}  # fmt: skip
CURRENCIES = {
    "CNY": ("¥", 2),
    "USD": ("$", 2),
    "EUR": ("€", 2),
    "GBP": ("£", 2),
    "JPY": ("JPY ", 0),
    "KRW": ("KRW ", 0),
}


def name_of(alert: str, language: Language) -> Name:
    """Of an alert that is not ours, its own name."""
    return NAMES.get(alert, {}).get(language) or Name("告警" if language == "zh" else "Alert", alert)


def tagged(tag: str, language: Language) -> str:
    return f"【{tag}】" if language == "zh" else f"[{tag}] "


def hall_of(hall: str, language: Language) -> str:
    """A number or a letter needs its noun; a name has it."""
    if not re.fullmatch(r"[0-9A-Za-z-]{1,8}", hall):
        return hall
    if language == "en":
        return f"hall {hall}"
    return f"{hall} 号馆" if hall.isdigit() else f"{hall} 馆"


def money_of(minor: int, currency: str) -> str:
    """To the whole unit, half up: it is for the eye."""
    sign, digits = CURRENCIES.get(currency, (f"{currency} ", 2))
    unit = 10**digits
    return f"{sign}{(minor + unit // 2) // unit:,}"


def span_of(span: timedelta, language: Language) -> str:
    """The two largest units."""
    seconds = max(0, int(span.total_seconds()))
    (hours, rest), words = divmod(seconds, 3600), {"zh": ("小时", "分", "秒"), "en": ("h", "min", "s")}[language]
    counts = (hours, *divmod(rest, 60))
    largest = next((place for place, count in enumerate(counts) if count), 2)
    parts = [f"{counts[place]} {words[place]}" for place in range(largest, min(largest + 2, 3))]
    return " ".join(part for part in parts if not part.startswith("0 ") or len(parts) == 1)


def time_of(at: datetime, now: datetime, zone: tzinfo) -> str:
    """The time of day in the event's zone; with its day where that is not today."""
    there = at.astimezone(zone)
    return f"{there:%H:%M:%S}" if there.date() == now.astimezone(zone).date() else f"{there:%m-%d %H:%M:%S}"

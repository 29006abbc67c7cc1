"""How a fault is told to the people of a drill, in Chinese and in English."""

from ..scene import How
from .faults import AnyFault, FeedOutage, Named, Streams, Words

HOWS: dict[How, Words] = {
    "refuse": ("拒绝连接", "connections are cut"),
    "hang": ("不应答", "no answer"),
    "error": ("返回 502", "502"),
    "garbage": ("应答看不懂", "an answer that is none"),
}


def target(fault: AnyFault) -> Words:
    """What it hits."""
    if isinstance(fault, Streams):
        share = (f" 的 {fault.share:.0%}", f", {fault.share:.0%} of them") if fault.share < 1 else ("", "")
        keys = {
            "platform": "平台", "room": "直播间", "hall": "场馆", "city": "城市", "category": "类目", "tier": "级别",
        }  # fmt: skip
        chinese = "、".join(f"{keys[key]} {value}" for key, value in fault.wanted.items())
        english = ", ".join(f"{key} {value}" for key, value in fault.wanted.items())
        return (f"{chinese or '全部直播间'}{share[0]}", f"{english or 'all rooms'}{share[1]}")
    if isinstance(fault, Named):
        return (fault.name, fault.name)
    return ("", "")


def words(fault: AnyFault) -> Words:
    """The whole fault in one line."""
    lines = []
    for language, colon, comma in ((0, "：", "，"), (1, ": ", ", ")):
        parts = [target(fault)[language]]
        if isinstance(fault, FeedOutage):
            parts.append(HOWS[fault.how][language])
        if fault.length_s:
            parts.append(length(fault.length_s)[language])
        said = comma.join(part for part in parts if part)
        lines.append(fault.TITLE[language] + (colon + said if said else ""))
    return lines[0], lines[1]


def length(seconds: float) -> Words:
    """Minutes where that is short to read, else seconds."""
    if seconds >= 60 and seconds % 30 == 0:
        return (f"{seconds / 60:g} 分钟", f"{seconds / 60:g} min")
    return (f"{seconds:g} 秒", f"{seconds:g} s")

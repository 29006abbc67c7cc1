"""Numbers, sizes, ages and states as a person reads them, on a page and in a terminal."""

from collections.abc import Mapping
from datetime import datetime

COLOURS = {
    "live": "good", "ok": "good", "dropped": "bad", "lost": "bad", "refused": "bad", "blind": "warn",
    "frozen": "warn", "stale": "warn", "unwatched": "warn", "offline": "dim",
}  # fmt: skip
"""Of each state: is it good, bad, to be looked at, or of no weight?"""

UNITS = (("s", 1, 120), ("min", 60, 120 * 60), ("h", 3_600, 48 * 3_600))
ENGLISH = {unit: unit for unit in ("s", "min", "h", "d")}


def number(value: int) -> str:
    return f"{value:,}"


def size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def age(now: datetime, then: datetime, words: Mapping[str, str] = ENGLISH) -> str:
    seconds = max(0, int((now - then).total_seconds()))
    for unit, length, limit in UNITS:
        if seconds < limit:
            return f"{seconds // length} {words[unit]}"
    return f"{seconds // 86_400} {words['d']}"

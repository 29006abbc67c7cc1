"""What a robot is told, whichever robot it is: title, lines by importance, links, mentions; and how it is cut."""

from collections.abc import Callable
from typing import Literal, Self

import msgspec
from msgspec.structs import replace

from monitor.alerts.contacts import Contact

Kind = Literal[
    "firing", "recovered", "not_recovered", "escalation", "handover", "silence_over", "delivery_failing", "test"
]
Language = Literal["zh", "en"]

LEFT_OUT = {"zh": "另有 {count} 行", "en": "{count} more lines"}
CUT_SHORT = "…"


class Link(msgspec.Struct, frozen=True):
    """A text that opens a URL."""

    text: str
    url: str


class Notice(msgspec.Struct, frozen=True):
    """One message. `lines` stand by importance, most important first; `episode` is the #4821 of a message about one."""

    kind: Kind
    severity: str
    title: str
    lines: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    mentions: tuple[Contact, ...] = ()
    episode: int | None = None

    def with_title(self, title: str) -> Self:
        """The same under another title."""
        return replace(self, title=title)

    def with_lines(self, lines: tuple[str, ...]) -> Self:
        """The same with other lines."""
        return replace(self, lines=lines)


def cut(notice: Notice, size: Callable[[Notice], int], bytes_max: int, language: Language) -> Notice:
    """The notice with as many of its lines as fit, and the last one telling how many do not.

    `size` is what the robot is going to be sent, encoded: only that is what the robot counts. Lines go from the end, as
    wholes. A title that is too long by itself is shortened, by whole characters; then mentions go, and links.
    """
    if size(notice) <= bytes_max:
        return notice
    count = len(notice.lines)
    kept = _most(0, count - 1, lambda keep: size(_first(notice, keep, language)) <= bytes_max)
    if kept is not None:
        return _first(notice, kept, language)
    bare = _first(notice, 0, language)
    for left in (bare, replace(bare, mentions=()), replace(bare, mentions=(), links=())):
        if (titled := _longest(left, size, bytes_max)) is not None:
            return titled
    raise ValueError(f"nothing fits into {bytes_max} bytes")


def _longest(notice: Notice, size: Callable[[Notice], int], bytes_max: int) -> Notice | None:
    letters = _most(0, len(notice.title), lambda keep: size(_titled(notice, keep)) <= bytes_max)
    return None if letters is None else _titled(notice, letters)


def _first(notice: Notice, keep: int, language: Language) -> Notice:
    left = len(notice.lines) - keep
    return notice.with_lines((*notice.lines[:keep], *([LEFT_OUT[language].format(count=left)] if left else [])))


def _titled(notice: Notice, keep: int) -> Notice:
    return notice.with_title(notice.title[:keep] + CUT_SHORT)


def _most(low: int, high: int, fits: Callable[[int], bool]) -> int | None:
    """The largest number from low to high that fits, where each below one that fits does; None if none does."""
    best = None
    while low <= high:
        middle = (low + high) // 2
        if fits(middle):
            best, low = middle, middle + 1
        else:
            high = middle - 1
    return best

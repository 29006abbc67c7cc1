"""When more waits than may be said: notices of one severity become one message that says them all. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from monitor.alerts.notice import Language, Link, Notice
from monitor.alerts.waiting import Waiting

SEVERITIES = ("critical", "warning", "info")
BUNDLE_MAX = 40
LINKS_MAX = 8
MENTIONS_MAX = 20
ALONE = frozenset(("handover", "test"))  # long as they are, or waited for
TITLES = {"zh": "【汇总】{count} 条消息", "en": "[Digest] {count} messages"}
BETWEEN = {"zh": ";", "en": "; "}


class Bundle(NamedTuple):
    """What goes out as one message, and whose it is."""

    ids: tuple[int, ...]
    notice: Notice
    tries: int
    severity: str


def first(
    waiting: Sequence[Waiting], left: Callable[[bool], int], fits: Callable[[Notice], bool], language: Language
) -> Bundle | None:
    """What is said next; None if nothing may. `left`: how many messages may go out now, for critical ones or others."""
    for severity in (*SEVERITIES, *sorted({each.severity for each in waiting}.difference(SEVERITIES))):
        same = [each for each in waiting if each.severity == severity]
        places = left(severity == "critical")
        if same and places > 0:
            return _alone(same[0]) if len(same) <= places else _bundled(same, fits, language)
    return None


def _alone(one: Waiting) -> Bundle:
    return Bundle((one.id,), one.notice, one.tries, one.severity)


def _bundled(same: Sequence[Waiting], fits: Callable[[Notice], bool], language: Language) -> Bundle:
    """As many of the oldest as can be said whole: nothing of them is cut."""
    if same[0].notice.kind in ALONE:
        return _alone(same[0])
    several = [each for each in same if each.notice.kind not in ALONE][:BUNDLE_MAX]
    while len(several) > 1 and not fits(_digest(several, language)):
        several.pop()
    if len(several) == 1:
        return _alone(several[0])
    ids = tuple(each.id for each in several)
    return Bundle(ids, _digest(several, language), max(each.tries for each in several), same[0].severity)


def _digest(several: Sequence[Waiting], language: Language) -> Notice:
    notices = [each.notice for each in several]
    lines = tuple(BETWEEN[language].join((notice.title, *notice.lines)) for notice in notices)
    mentions = tuple(dict.fromkeys(contact for notice in notices for contact in notice.mentions))
    return replace(
        notices[0],
        kind=notices[0].kind if len({notice.kind for notice in notices}) == 1 else "firing",
        title=TITLES[language].format(count=len(notices)),
        lines=lines,
        links=tuple(_links(notices))[:LINKS_MAX],
        mentions=mentions[:MENTIONS_MAX],
        episode=None,
    )


def _links(notices: Sequence[Notice]) -> list[Link]:
    """Of each episode the link where one acts on it, by its number; of others all they have; each URL once."""
    found: dict[str, Link] = {}
    for notice in notices:
        number = "" if notice.episode is None else f"#{notice.episode} "
        for link in notice.links[-1:] if number else notice.links:
            found.setdefault(link.url, replace(link, text=number + link.text))
    return list(found.values())

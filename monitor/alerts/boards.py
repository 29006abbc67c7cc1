"""Where messages lead and whom they call: boards with their span of time, pages of alerts, people. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple
from urllib.parse import urlencode

from monitor.alerts.alert import Alert, Episode
from monitor.alerts.contacts import Contact
from monitor.alerts.notice import Language, Link

OF_FEEDS = frozenset(
    f"Livemon{name}"
    for name in (
        *("FeedBlind", "FeedStale", "FeedFrozen", "FeedRefused", "PushMissed", "HookAuthFailures"),
        *("AccountsRefused", "AccountsExpiring"),
    )
)
OF_LIVEMON = frozenset(
    f"Livemon{name}"
    for name in (
        *("WriterBlocked", "SpoolGrowing", "SpoolFull", "BooksDoNotBalance", "Quarantine", "PartitionMissing"),
        *("LoopLag", "DiskSlow", "ClockSkew", "TargetMissing", "ScrapeNearLimit", "DeliveryFailing", "Watchdog"),
    )
)
FEEDS_MAX = 10  # chosen on the board of feeds: more make an address that robots cut
MINDED = re.compile(r"""[]["'\\^$.|?*+(){}`]""")  # of a hall's name, as in grafana/boards/sql/halls.sql
BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=5)
ACT_LINKS_MAX = 5
WORDS: dict[Language, dict[str, str]] = {
    "zh": {"board": "看板", "act": "我来处理", "runbook": "处置手册"},
    "en": {"board": "board", "act": "I take it", "runbook": "runbook"},
}


class Boards(NamedTuple):
    """What is not given leads nowhere, and is left out.

    `token`: the signed word of an episode's page; `runbook`: the name of an alert's own, None where there is none.
    `room_id`: of (platform, room), our own number of it; None where it is not in the roster. `suffix`: of the uids of
    all boards, those of a rehearsal have one.
    """

    grafana_url: str | None = None
    public_url: str | None = None
    token: Callable[[int], str] | None = None
    contacts: Mapping[str, Contact] = {}
    zone: tzinfo = UTC
    runbook: Callable[[Alert], str | None] = lambda alert: None
    room_id: Callable[[str, str], int | None] = lambda platform, room: None
    suffix: str = ""


def links(
    episodes: Sequence[Episode], hall: str, until: datetime | None, boards: Boards, language: Language
) -> tuple[Link, ...]:
    """The board that explains it from before it began, `until` None: to now; then help; then pages to act on."""
    words = WORDS[language]
    found: list[Link] = []
    if boards.grafana_url and episodes:
        since = min(episode.alert.starts_at for episode in episodes)
        uid, chosen = _explaining(episodes, hall, boards)
        span = [("from", _ms(since - BEFORE)), ("to", "now" if until is None else _ms(until + AFTER))]
        url = f"{boards.grafana_url.rstrip('/')}/d/{uid}{boards.suffix}?{urlencode([*span, *chosen])}"
        found.append(Link(words["board"], url))
    if until is not None:
        return tuple(found)
    if runbook := _runbook(episodes, boards):
        found.append(Link(words["runbook"], runbook))
    if boards.public_url and boards.token is not None:
        for episode in episodes[:ACT_LINKS_MAX]:
            number = f"#{episode.number} " if len(episodes) > 1 else ""
            found.append(Link(number + words["act"], _page(boards.public_url, boards.token(episode.number))))
    return tuple(found)


def act_link(number: int, boards: Boards, language: Language) -> tuple[Link, ...]:
    """The page to act on, alone."""
    if not boards.public_url or boards.token is None:
        return ()
    return (Link(WORDS[language]["act"], _page(boards.public_url, boards.token(number))),)


def _runbook(episodes: Sequence[Episode], boards: Boards) -> str:
    """A message about one room is a sentence: its runbook is on the page where one acts on it."""
    if not episodes:
        return ""
    alert = episodes[0].alert
    if alert.runbook_url or not boards.public_url or (len(episodes) == 1 and alert.room is not None):
        return alert.runbook_url
    name = boards.runbook(alert)
    return "" if name is None else f"{boards.public_url.rstrip('/')}/runbooks/{name}"


def _page(root: str, token: str) -> str:
    return f"{root.rstrip('/')}/a/{token}"


def _explaining(episodes: Sequence[Episode], hall: str, boards: Boards) -> tuple[str, list[tuple[str, str]]]:
    """Of alerts of one kind: the board, and what is chosen on it. `hall`: the one that all of them are in, or ''."""
    alert = episodes[0].alert
    if alert.room is not None and {episode.alert.room for episode in episodes} == {alert.room}:
        room_id = boards.room_id(*alert.room)
        if room_id is not None:
            return "livemon-room", [("var-room", str(room_id))]
    if alert.name in OF_LIVEMON:
        return "livemon-self", []
    if alert.name in OF_FEEDS:
        feeds = sorted({episode.alert.labels.get("feed", "") for episode in episodes})
        return "livemon-feeds", [("var-feed", feed) for feed in feeds] if all(feeds) and len(feeds) <= FEEDS_MAX else []
    if hall:
        return "livemon-hall", [("var-hall", MINDED.sub(".", hall))]
    platforms = {episode.alert.labels.get("platform", "") for episode in episodes}
    if alert.room is None and len(platforms) == 1 and all(platforms):
        return "livemon-health", [("var-platform", platforms.pop())]
    return "livemon-duty", []


def _ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))

"""Where messages lead and whom they call: boards with their span of time, pages of alerts, people. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple
from urllib.parse import urlencode

from monitor.alerts.alert import Alert, Episode
from monitor.alerts.contacts import Contact
from monitor.alerts.notice import Language, Link

BOARD = "livemon-hall"
BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=5)
ACT_LINKS_MAX = 5
WORDS: dict[Language, dict[str, str]] = {
    "zh": {"board": "看板", "act": "我来处理", "runbook": "处置手册"},
    "en": {"board": "board", "act": "I take it", "runbook": "runbook"},
}


class Boards(NamedTuple):
    """What is not given leads nowhere, and is left out.

    `token`: the signed word of an episode's page; `runbook`: the name of an alert's own, None where there is none.
    """

    grafana_url: str | None = None
    public_url: str | None = None
    token: Callable[[int], str] | None = None
    contacts: Mapping[str, Contact] = {}
    zone: tzinfo = UTC
    runbook: Callable[[Alert], str | None] = lambda alert: None


def links(
    episodes: Sequence[Episode], hall: str, until: datetime | None, boards: Boards, language: Language
) -> tuple[Link, ...]:
    """The board of a hall (or of all) from before it began, `until` None: to now; then help; then pages to act on."""
    words = WORDS[language]
    found: list[Link] = []
    if boards.grafana_url and episodes:
        since = min(episode.alert.starts_at for episode in episodes)
        found.append(Link(words["board"], _board(boards.grafana_url, hall, since, until)))
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


def _board(root: str, hall: str, since: datetime, until: datetime | None) -> str:
    span = {"from": _ms(since - BEFORE), "to": "now" if until is None else _ms(until + AFTER)}
    return f"{root.rstrip('/')}/d/{BOARD}?{urlencode(span | ({'var-hall': hall} if hall else {}))}"


def _ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))

"""Whom to call for an alert that nobody holds: the shift's first after 5 minutes, the second after 10, each once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.alerts.alert import Episode
from monitor.alerts.contacts import Contact
from monitor.alerts.notice import Language, Link, Notice

STEP = timedelta(minutes=5)
SEVERITY = "critical"
SHOWN_MAX = 20
WORDS = {
    "zh": (
        "【升级】{count} 条严重告警,{minutes} 分钟无人处理",
        "请 {name} 处理",
        "#{number} {what},{since} 起",
        "另有 {more} 条",
    ),
    "en": (
        "[ESCALATION] {count} critical alerts, {minutes} minutes, nobody on them",
        "{name}, please take over",
        "#{number} {what}, since {since}",
        "{more} more",
    ),
}


class Called(NamedTuple):
    """How many were called for an episode so far, and when the last of them."""

    calls: int
    at: datetime


class Call(NamedTuple):
    """The `rank`th of the shift is to be called for these; `key` names the call, so that it is made once."""

    rank: int
    callee: str
    episodes: tuple[Episode, ...]

    @property
    def key(self) -> str:
        return f"escalation {self.rank} {' '.join(str(each.number) for each in self.episodes)}"


def due(
    episodes: Iterable[Episode],
    held: Iterable[int],
    called: Mapping[int, Called],
    callees: Sequence[str],
    now: datetime,
) -> list[Call]:
    """The calls to be made now. One that is late (we were down) still leaves each callee five minutes."""
    taken = set(held)
    by_rank: dict[int, list[Episode]] = {}
    for episode in sorted(episodes, key=lambda each: each.number):
        goes_on = episode.open and episode.alert.firing  # what has stopped firing is yet to be judged
        if episode.number in taken or not goes_on or episode.alert.severity != SEVERITY:
            continue
        before = called.get(episode.number, Called(0, episode.alert.starts_at))
        waited_from = max(before.at, episode.alert.starts_at + before.calls * STEP)
        if before.calls < len(callees) and now - waited_from >= STEP:
            by_rank.setdefault(before.calls + 1, []).append(episode)
    return [Call(rank, callees[rank - 1], tuple(found)) for rank, found in sorted(by_rank.items())]


def after(
    called: Mapping[int, Called], calls: Iterable[Call], open_numbers: Iterable[int], now: datetime
) -> dict[int, Called]:
    """What is remembered once these calls were made; what is over is forgotten."""
    going_on = set(open_numbers)
    kept = {number: before for number, before in called.items() if number in going_on}
    return kept | {each.number: Called(call.rank, now) for call in calls for each in call.episodes}


def notice(call: Call, contact: Contact, links: Sequence[Link], language: Language, clock: Mapping[int, str]) -> Notice:
    """The message that calls; `clock` shows when each episode began, in the event's zone."""
    title, please, line, more = WORDS[language]
    first = call.episodes[0]
    lines = [please.format(name=contact.name or contact.id)]
    for each in call.episodes[:SHOWN_MAX]:
        what = each.alert.annotations.get("summary") or each.alert.name
        lines.append(line.format(number=each.number, what=what, since=clock.get(each.number, "")))
    if len(call.episodes) > SHOWN_MAX:
        lines.append(more.format(more=len(call.episodes) - SHOWN_MAX))
    minutes = round(call.rank * STEP.total_seconds() / 60)
    titled = title.format(count=len(call.episodes), minutes=minutes)
    number = first.number if len(call.episodes) == 1 else None
    return Notice("escalation", SEVERITY, titled, tuple(lines), tuple(links), (contact,), number)

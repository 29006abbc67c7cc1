"""Which robots are told of an alert: each whose match holds; else those without one; and never nobody. Pure."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from monitor.alerts.alert import Alert
from monitor.alerts.sight import RoomSight


class Matching(Protocol):
    """What a robot wants to hear of: all that is given must hold, each is one of several; empty is whatever."""

    @property
    def hall(self) -> Sequence[str]: ...
    @property
    def city(self) -> Sequence[str]: ...
    @property
    def platform(self) -> Sequence[str]: ...
    @property
    def tier(self) -> Sequence[str]: ...
    @property
    def severity(self) -> Sequence[str]: ...


class Listener(Protocol):
    """A robot, as far as this is concerned."""

    @property
    def name(self) -> str: ...
    @property
    def match(self) -> Matching | None: ...


def listeners[L: Listener](robots: Sequence[L], alert: Alert, room: RoomSight | None = None) -> list[L]:
    """Who is told of this alert; what its labels do not say, its room does."""
    facts = _facts(alert, room)
    wanted = [robot for robot in robots if robot.match is not None and _holds(robot.match, facts)]
    rest = [robot for robot in robots if robot.match is None]
    return wanted or rest or list(robots[:1])


def nobody_takes_the_rest(robots: Sequence[Listener]) -> str | None:
    """What to warn of at a start: who is told what no match holds for."""
    if not robots or any(robot.match is None for robot in robots):
        return None
    return f"each robot has a match: what none of them takes goes to {robots[0].name}; leave match out of one"


def _facts(alert: Alert, room: RoomSight | None) -> Mapping[str, str]:
    labels = alert.labels
    told = {key: labels.get(key, "") for key in ("hall", "city", "platform", "tier")}
    if room is not None:
        told["hall"] = told["hall"] or room.hall
        told["city"] = told["city"] or room.city
        told["tier"] = told["tier"] or ("" if room.tier is None else str(room.tier))
    return told | {"severity": alert.severity}


def _holds(match: Matching, facts: Mapping[str, str]) -> bool:
    wanted = {
        "hall": match.hall, "city": match.city, "platform": match.platform, "tier": match.tier,
        "severity": match.severity,
    }  # fmt: skip
    return all(not texts or facts[key] in texts for key, texts in wanted.items())

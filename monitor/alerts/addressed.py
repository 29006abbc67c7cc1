"""Where something goes that is no alert itself, in the language of each robot, under keys that make it once. Pure."""

from collections.abc import Callable, Iterable, Sequence

from monitor.alerts.alert import Alert
from monitor.alerts.match import listeners
from monitor.alerts.notice import Language, Notice
from monitor.alerts.saying import Speaker
from monitor.alerts.sight import Sight

Make = Callable[[Language], Sequence[Notice]]


def takers[S: Speaker](robots: Sequence[S], alerts: Iterable[Alert], sight: Sight) -> list[S]:
    """The robots that take any of these, in the order of the config."""
    names: set[str] = set()
    for alert in alerts:
        room = sight.room(*alert.room) if alert.room else None
        names |= {robot.name for robot in listeners(robots, alert, room)}
    return [robot for robot in robots if robot.name in names]


def group[S: Speaker](robots: Sequence[S]) -> list[S]:
    """Where the house talks to itself: who has no match; where all have one, the first."""
    return [robot for robot in robots if robot.match is None] or list(robots[:1])


def addressed(make: Make, key: str, robots: Iterable[Speaker]) -> list[tuple[str, Notice, str]]:
    """For the outbox: of several notices each has its own key."""
    return [
        (robot.name, notice, f"{key}/{number}")
        for robot in robots
        for number, notice in enumerate(make(robot.language), 1)
    ]

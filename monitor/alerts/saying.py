"""A plan as messages: which robot is told what, in its language, under a key that makes it once. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from monitor.alerts.alert import Episode
from monitor.alerts.kept import CROWDS, How
from monitor.alerts.match import Listener
from monitor.alerts.notice import Language, Notice
from monitor.alerts.scene import Told
from monitor.alerts.sight import Counts, RoomSight, Sight
from monitor.alerts.teller import Plan

TOP_ROOMS_MAX = 50

Rooms = Mapping[tuple[str, str], RoomSight]


class Wording(Protocol):
    """The words; boards and the time are its own business."""

    def firing(self, episodes: Sequence[Episode], rooms: Rooms, counts: Counts, language: Language) -> Notice: ...

    def ended(self, episodes: Sequence[Episode], how: How, rooms: Rooms, language: Language) -> Notice: ...


class Speaker(Listener, Protocol):
    """A robot, as far as this is concerned."""

    @property
    def language(self) -> Language: ...


class Message(msgspec.Struct, frozen=True):
    """For one robot; with its key it is unique, so that a thing that is decided twice is said once."""

    robot: str
    notice: Notice
    key: str


def messages(plan: Plan, robots: Sequence[Speaker], sight: Sight, wording: Wording) -> list[Message]:
    said: list[Message] = []
    for told in plan.firing:

        def fire(episodes: Sequence[Episode], language: Language, told: list[Told] = told) -> Notice:
            more = plan.more if plan.firing[0] is told else 0
            rooms, counts = _rooms(episodes, sight), _counts(episodes, sight, more)
            return wording.firing(episodes, rooms, counts, language)

        said += _each("firing", told, robots, fire)
    for how, told in plan.ended:

        def end(episodes: Sequence[Episode], language: Language, how: How = how) -> Notice:
            return wording.ended(episodes, how, _rooms(episodes, sight), language)

        said += _each(how, told, robots, end)
    return said


def _each(
    kind: str,
    told: Sequence[Told],
    robots: Sequence[Speaker],
    word: Callable[[Sequence[Episode], Language], Notice],
) -> list[Message]:
    """One message a robot, of those episodes that it is told of; the same words are made once."""
    made: dict[tuple[Language, tuple[int, ...]], Notice] = {}
    said = []
    for robot in robots:
        episodes = [one.kept.spoken for one in told if robot.name in one.robots]
        if not episodes:
            continue
        numbers = tuple(episode.number for episode in episodes)
        notice = made.get((robot.language, numbers))
        if notice is None:
            notice = made[robot.language, numbers] = word(episodes, robot.language)
        said.append(Message(robot.name, notice, f"{kind}:{min(numbers)}"))
    return said


def _rooms(episodes: Sequence[Episode], sight: Sight) -> dict[tuple[str, str], RoomSight]:
    """Rooms of these episodes; of an alert about many, those that stopped with the most viewers."""
    rooms = {}
    for episode in episodes:
        if episode.alert.room and (room := sight.room(*episode.alert.room)):
            rooms[episode.alert.room] = room
        elif episode.alert.name in CROWDS:
            labels = episode.alert.labels
            stopped = sight.stopped(labels.get("platform") or None, labels.get("hall") or None)
            rooms |= {(room.platform, room.room): room for room in stopped[:TOP_ROOMS_MAX]}
    return rooms


def _counts(episodes: Sequence[Episode], sight: Sight, more: int) -> Counts:
    """How the rooms of what they all have in common stand."""
    platform, hall = (_common(episodes, label) for label in ("platform", "hall"))
    counts = sight.counts(platform or None, hall or None)
    return msgspec.structs.replace(counts, platform=platform, hall=hall, told=len(episodes) + more)


def _common(episodes: Sequence[Episode], label: str) -> str:
    found = {episode.alert.labels.get(label, "") for episode in episodes}
    return found.pop() if len(found) == 1 else ""

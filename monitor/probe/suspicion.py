"""When a room's picture is in doubt though its server answers: a stop that is missed, or a thin stream. Pure."""

from collections.abc import Iterable
from typing import Literal

from collectors.tick import Tick
from monitor.facts import Change

THIN = 4  # a stream that carries less than a quarter of what it carried may have lost its picture, and live on as sound

Reason = Literal["stall", "missing", "thin"]


def doubted(change: Change, expected: bool) -> Reason | None:
    """Why the picture should be looked at after this change of a room; `expected`: it should be on air now.

    A room that stops while nothing is planned signs off, as thousands do each evening. What called us (an event) has
    seen its publisher go.
    """
    if change.change != "dropped":
        return None
    if change.cause == "stall":
        return "stall"
    return "missing" if expected and change.cause in ("status", "absent") else None


class Rates:
    """What these rooms of one feed carry, each against the most that it has carried since it was last doubted."""

    def __init__(self, rooms: Iterable[str]) -> None:
        self._rooms = frozenset(rooms)
        self._most: dict[str, int] = {}

    def thin(self, ticks: Iterable[Tick]) -> list[str]:
        """The rooms that have become thin by these ticks; each once, until it has carried more again."""
        found = []
        for tick in ticks:
            if not tick.live:
                self._most.pop(tick.room, None)
            elif tick.kbps is not None and tick.room in self._rooms:
                most = self._most.get(tick.room, 0)
                if tick.kbps * THIN < most:
                    found.append(tick.room)
                    most = 0
                self._most[tick.room] = max(most, tick.kbps)
        return found

"""When each room is asked, where a call asks for one: each at an offset of its own, so that no instant has them all.

Pure: time comes as an argument, monotonic seconds.
"""

import heapq
from collections import Counter
from collections.abc import Iterable
from math import floor, inf

from .beat import STEP_S, beat_after, place_of

DOUBLINGS_MAX = 16


def room_place(feed: str, room: str, interval_s: float) -> float:
    """From 0 to below 1, in steps of which an interval has as many as `STEP_S` fits into it."""
    steps = max(1, round(interval_s / STEP_S))
    return floor(place_of(feed, room) * steps) / steps


def _keep(intervals: dict[str, float], room: str, every_s: float, usual_s: float) -> bool:
    """Of those that are usual nothing is kept. True: it is another one than before."""
    known_s = intervals.pop(room, usual_s)
    if every_s > usual_s:
        intervals[room] = every_s
    return every_s != known_s


class RoomPace:
    """Beats of a room are one interval apart, at a place within it that its name gives: evenly spread over many rooms,
    and the same for a room however often the feed is begun anew. A beat that was missed is skipped.

    `stretched_s`: the interval of all rooms, where it is longer than the usual one. Only their first beats come within
    that, and those after a failure.
    """

    def __init__(
        self, feed: str, rooms: Iterable[str], interval_s: float, at_s: float, stretched_s: float = 0.0
    ) -> None:
        if not interval_s > 0:
            raise ValueError("an interval is above 0")
        self.interval_s, self.shortest_s = interval_s, max(interval_s, stretched_s)
        self._places = {room: room_place(feed, room, interval_s) for room in rooms}
        self._intervals: dict[str, float] = {}  # of rooms that are asked less often than usual
        if stretched_s > interval_s:
            self._intervals = dict.fromkeys(self._places, stretched_s)
        self._heard: dict[str, float] = dict(self._intervals)  # the same; `inf`: its last question brought nothing
        self._failures = Counter[str]()  # in a row
        self._due: list[tuple[float, str]] = []
        self.begin(at_s)

    def begin(self, at_s: float) -> None:
        """The feed is begun, or begun anew: who is due later has been asked, and that holds. All others, whose beat
        went by meanwhile or whose question was cut off, come within the usual interval."""
        later = {room: due_s for due_s, room in self._due if due_s > at_s}
        self._due = [
            (later[room] if room in later else beat_after(place, at_s, self.interval_s), room)
            for room, place in self._places.items()
        ]
        heapq.heapify(self._due)

    def take(self, at_s: float) -> str | None:
        """The room that has waited longest of those that are due; it is asked for, until `asked` says it was."""
        return heapq.heappop(self._due)[1] if self._due and self._due[0][0] <= at_s else None

    def asked(
        self, room: str, at_s: float, interval_s: float | None = None, rest_s: float = 0.0, answered: bool = True
    ) -> bool:
        """It was asked. Its next beat comes at this interval (None: as before), and not within `rest_s`. Not
        `answered`: the question brought nothing.

        True: `shortest_s` is another one now, the shortest interval of those that were answered when they were asked
        last, or were not asked yet: of the others nothing is heard, however often they are asked.
        """
        self._failures.pop(room, None)
        known_s = self._intervals.get(room, self.interval_s)
        every_s = known_s if interval_s is None else max(self.interval_s, interval_s)
        heapq.heappush(self._due, (beat_after(self._places[room], at_s + max(rest_s, 0.0), every_s), room))
        _keep(self._intervals, room, every_s, self.interval_s)
        if not _keep(self._heard, room, every_s if answered else inf, self.interval_s):
            return False
        usual = len(self._heard) < len(self._places)
        before_s, shortest_s = self.shortest_s, self.interval_s if usual else min(self._heard.values())
        if shortest_s < inf:  # while nothing is heard of anybody, it is as it was
            self.shortest_s = shortest_s
        return self.shortest_s != before_s

    def failed(self, room: str, at_s: float, rest_s: float = 0.0) -> None:
        """Its question failed, and those that it named or the feed by it: it comes again within the usual interval, so
        that nobody is unseen for a stretched one, and not within `rest_s`; in twice as much each time that it fails
        again, until it is asked as rarely as ever."""
        self._failures[room] += 1
        again_s = self.interval_s * 2.0 ** min(self._failures[room] - 1, DOUBLINGS_MAX)
        every_s = min(again_s, self._intervals.get(room, self.interval_s))
        heapq.heappush(self._due, (beat_after(self._places[room], at_s + max(rest_s, 0.0), every_s), room))

    def wait_s(self, at_s: float) -> float:
        """So long nobody is due; `inf` while all are being asked."""
        return max(self._due[0][0] - at_s, 0.0) if self._due else inf

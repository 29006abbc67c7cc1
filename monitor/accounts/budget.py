"""How many calls one app may have under way: never more than its rate in any second, wherever in the wire they are.

Pure: time comes as an argument, monotonic seconds. A platform counts when a call arrives, which is some instant between
our sending and its answer. So a call takes its place from when it is sent until one window after it was answered; then
no second at the platform can see more than the rate, however uneven the way there is.
"""

from collections import deque
from collections.abc import Iterable
from enum import IntEnum

REST_S_MIN, REST_S_MAX = 1.0, 600.0
WINDOW_SLACK_S = 0.005  # clocks of two machines do not run alike, and timers fire early
DOUBLINGS_MAX = 6


class Urgency(IntEnum):
    """Who goes first when several wait for their turn: the lower one."""

    LINK = 0  # a person waits for it
    REFRESH = 1
    DETAIL = 2
    RECONCILE = 3
    LOOK = 4  # how a room stands: it comes again at its next beat, and a room that is never reached is said to be blind


class Bucket:
    """The places of one app, or of one name of its calls."""

    def __init__(self, per_s: float) -> None:
        """`per_s`: calls a second, above 0; below 1 it is one call each 1/per_s seconds."""
        if not per_s > 0:
            raise ValueError("a rate is above 0")
        self.places = max(1, int(per_s))
        self.window_s = max(1.0, self.places / per_s) + WINDOW_SLACK_S
        self._gap_s = 1.0 / per_s  # never all at once, though they would fit
        self._out = 0
        self._answered: deque[float] = deque()
        self._next_s = self._rest_until_s = float("-inf")
        self._stretched_until_s = float("-inf")
        self._stretched_gap_s = 0.0
        self._refusals = 0

    def ready_s(self, at_s: float) -> float | None:
        """When the next call may go (not later than `at_s`: now); None: when one that is out was answered."""
        while self._answered and self._answered[0] + self.window_s <= at_s:
            self._answered.popleft()
        soonest_s = max(self._next_s, self._rest_until_s)
        if self._out + len(self._answered) < self.places:
            return soonest_s
        if self._out >= self.places:
            return None
        return max(soonest_s, self._answered[self._out + len(self._answered) - self.places] + self.window_s)

    def take(self, at_s: float) -> None:
        """A call goes out; the caller has seen that it may."""
        self._out += 1
        gap_s = self._gap_s if at_s >= self._stretched_until_s else max(self._gap_s, self._stretched_gap_s)
        self._next_s = at_s + gap_s

    def answered(self, at_s: float) -> None:
        """It was answered, or given up: from now on it counts for one window more."""
        self._out -= 1
        self._answered.append(at_s)

    def unsent(self) -> None:
        """It was not sent after all."""
        self._out -= 1

    def refused(self, at_s: float, told_s: float) -> float:
        """The platform found us too fast: stay away so long as it says, or twice as long each time. Says how long."""
        rest_s = max(told_s, REST_S_MIN * 2.0 ** min(self._refusals, DOUBLINGS_MAX))
        rest_s = min(max(rest_s, REST_S_MIN), REST_S_MAX)
        self._refusals += 1
        self._rest_until_s = max(self._rest_until_s, at_s + rest_s)
        return rest_s

    def accepted(self) -> None:
        """It was not found too fast."""
        self._refusals = 0

    def stretch(self, left: int, for_s: float, at_s: float) -> None:
        """So many calls are left for so long: spread them evenly; with none left, rest, and ask again by and by."""
        self._stretched_until_s = at_s + max(for_s, 0.0)
        if left > 0:
            self._stretched_gap_s = max(for_s, 0.0) / left
            self._next_s = min(self._next_s, at_s + self._stretched_gap_s)
        else:
            self._rest_until_s = max(self._rest_until_s, at_s + min(max(for_s, 0.0), REST_S_MAX))


def together_s(buckets: Iterable[Bucket], at_s: float) -> float | None:
    """When all of them have a place; None: not before one of the calls under way is answered."""
    times = [bucket.ready_s(at_s) for bucket in buckets]
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(times) else None

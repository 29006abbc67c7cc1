"""How often a robot may be told something: in no window more than so many, whatever happened before a restart."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

SLACK_S = 1.0  # the robot counts when a message arrives, and its clock is not ours


class Limit(NamedTuple):
    """At most so many messages in any `window_s` seconds, of which `reserved` are for critical ones alone."""

    messages: int
    window_s: float
    reserved: int = 0


class Pace:
    """Pure: times are monotonic seconds, given as arguments."""

    def __init__(self, limits: Iterable[Limit], before: Iterable[float] = ()) -> None:
        """`before`: when messages went out before this began."""
        self._limits = tuple(limits)
        self._longest_s = max(limit.window_s for limit in self._limits) + SLACK_S
        self._out = deque(sorted(before))

    def left(self, at_s: float, critical: bool) -> int:
        """How many may go out at this instant."""
        return max(0, min(self._left(limit, at_s, critical) for limit in self._limits))

    def wait_s(self, at_s: float, critical: bool) -> float:
        """0: one may go now. Else after so many seconds."""
        return max(self._wait_s(limit, at_s, critical) for limit in self._limits)

    def take(self, at_s: float) -> None:
        """One was on the way until now: called when it left, and again when it was answered."""
        while self._out and self._out[0] <= at_s - self._longest_s:
            self._out.popleft()
        self._out.append(at_s)

    def moved(self, at_s: float) -> None:
        """The last one was answered now: the robot may have counted it as late as this."""
        if self._out:
            self._out[-1] = max(self._out[-1], at_s)

    def _within(self, limit: Limit, at_s: float) -> list[float]:
        return [out_s for out_s in self._out if out_s > at_s - limit.window_s - SLACK_S]

    def _left(self, limit: Limit, at_s: float, critical: bool) -> int:
        return _places(limit, critical) - len(self._within(limit, at_s))

    def _wait_s(self, limit: Limit, at_s: float, critical: bool) -> float:
        within = self._within(limit, at_s)
        over = len(within) - _places(limit, critical)
        return 0.0 if over < 0 else max(0.0, within[over] + limit.window_s + SLACK_S - at_s)


def _places(limit: Limit, critical: bool) -> int:
    return limit.messages if critical else limit.messages - limit.reserved

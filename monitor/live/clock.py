"""The monitor's one clock: wall time at its anchor plus monotonic time since, so that no stamp jumps with the wall."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

STEP_S_MAX = 2.0
STEP_FOR_S = 10.0
SHOWN_FOR_S = 30.0  # a step is followed after ten seconds, and some look no more often than that


def wall_time() -> datetime:
    return datetime.now(UTC)


class Clock:
    def __init__(
        self, wall: Callable[[], datetime] = wall_time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._parted_at: float | None = None
        self.widest_s, self._widest_at_s = 0.0, monotonic()
        self._anchor()

    def now(self) -> datetime:
        return self._anchored_at + timedelta(seconds=self._monotonic() - self._anchored_s)

    @property
    def skew_s(self) -> float:
        """By how much the wall is ahead of our stamps."""
        return (self._wall() - self.now()).total_seconds()

    def check(self) -> bool:
        """Each second. Wall and stamps that part for long are a step of the wall, not a hiccup: follow it, say True.

        `widest_s` is the skew that was the widest in half a minute: for whoever looks in now and then.
        """
        skew_s, at_s = self.skew_s, self._monotonic()
        if abs(skew_s) >= abs(self.widest_s) or at_s - self._widest_at_s >= SHOWN_FOR_S:
            self.widest_s, self._widest_at_s = skew_s, at_s
        if abs(skew_s) <= STEP_S_MAX:
            self._parted_at = None
            return False
        if self._parted_at is None:
            self._parted_at = at_s
        if at_s - self._parted_at < STEP_FOR_S:
            return False
        self._parted_at = None
        self._anchor()
        return True

    def _anchor(self) -> None:
        self._anchored_at, self._anchored_s = self._wall(), self._monotonic()

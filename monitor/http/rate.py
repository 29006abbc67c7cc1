"""A token bucket: so many a second on the average, and a burst after a rest."""


class Bucket:
    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._level, self._at = burst, 0.0

    def take(self, now: float) -> bool:
        """Whether one more may pass. `now` is monotonic."""
        self._level = min(self._burst, self._level + (now - self._at) * self._per_s)
        self._at = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True

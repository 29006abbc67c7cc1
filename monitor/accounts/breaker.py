"""Whether to call at all: a breaker for what is down or will not have us, and a budget of second tries. Pure.

Times are monotonic seconds, given as arguments.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from operator import itemgetter
from typing import Literal

from collectors.open_api import Verdict

FAILURES_MAX = 5
BROKEN_S, BROKEN_S_MAX = 1.0, 60.0
REFUSED_S, REFUSED_S_MAX = 30.0, 300.0
WAIT_S_MIN = 0.5
DOUBLINGS_MAX = 10
RETRY_SHARE = 0.1  # so many second tries for each first one
RETRIES_PER_S = 0.1  # beside these: where there are only second tries left, they still go on
RETRIES_MAX = 100.0

BreakerState = Literal["closed", "half_open", "open"]
Why = Literal["broken", "app", "address", "clock"]
REFUSALS: dict[Verdict, Why] = {"app": "app", "address": "address", "clock": "clock"}

Uniform = Callable[[float, float], float]


class Breaker:
    """Opens after so many failures in a row, at once where we as a whole are refused; then one call at a time tries.

    One that guards a host is told `broken`; one that guards a key is told `app`, `address`, `clock`.
    """

    def __init__(self, failures_max: int = FAILURES_MAX, uniform: Uniform = random.uniform) -> None:
        self._failures_max, self._uniform = failures_max, uniform
        self._failures = self._opened = 0  # in a row
        self._until_s: float | None = None
        self._trying = False
        self.why: Why = "broken"

    def state(self, at_s: float) -> BreakerState:
        if self._until_s is None:
            return "closed"
        return "half_open" if self._trying or at_s >= self._until_s else "open"

    def wait_s(self, at_s: float) -> float:
        """0: a call may go now. Else so long at the least."""
        if self._until_s is None:
            return 0.0
        return WAIT_S_MIN if self._trying else max(0.0, self._until_s - at_s)

    def away_s(self, at_s: float) -> float:
        """So long nobody tries at all; 0 also while one call does, whose answer is worth waiting for."""
        return 0.0 if self._trying else self.wait_s(at_s)

    def begin(self) -> bool:
        """A call goes out; the caller has seen that it may. True: it is the one that tries; nobody else does now."""
        self._trying = self._until_s is not None
        return self._trying

    def given_up(self, trying: bool) -> None:
        """It ended without telling anything. `trying`: what `begin` said of it."""
        self._trying = self._trying and not trying

    def good(self) -> bool:
        """An answer as it should be. True: it was open."""
        was_open = self._until_s is not None
        self._failures = self._opened = 0
        self._until_s, self._trying = None, False
        return was_open

    def bad(self, why: Why, at_s: float, trying: bool) -> bool:
        """True: it opens now, and was closed. What left before it opened and fails only now tells nothing new."""
        was_open = self._until_s is not None
        if was_open and not trying:
            return False
        self._trying, self.why = False, why
        self._failures += 1
        if why == "broken" and self._failures < self._failures_max and not was_open:
            return False
        first_s, max_s = (BROKEN_S, BROKEN_S_MAX) if why == "broken" else (REFUSED_S, REFUSED_S_MAX)
        ceiling_s = min(max_s, first_s * 2 ** min(self._opened, DOUBLINGS_MAX))
        self._opened += 1
        self._until_s = at_s + max(WAIT_S_MIN, self._uniform(0.0, ceiling_s))
        return not was_open


class Breakers(defaultdict[tuple[str, str], Breaker]):
    """By app, and by its host or its key."""

    def __init__(self) -> None:
        super().__init__(Breaker)

    def states(self, at_s: float) -> Counter[tuple[str, str]]:
        """How many of each app stand how. Of thousands of shops each may have one, and nearly all are closed."""
        apps = Counter(map(itemgetter(0), self))
        states = Counter[tuple[str, str]]({(app, "closed"): count for app, count in apps.items()})
        for (app, _), breaker in self.items():
            if (state := breaker.state(at_s)) != "closed":
                states[app, "closed"] -= 1
                states[app, state] += 1
        return states


class RetryBudget:
    """Second tries are a tenth of the first ones, and a few more as time goes."""

    def __init__(self) -> None:
        self._left = RETRIES_MAX / 10
        self._at_s: float | None = None

    def first(self) -> None:
        self._left = min(RETRIES_MAX, self._left + RETRY_SHARE)

    def again(self, at_s: float) -> bool:
        """May this second try go out? If so it is taken."""
        since_s = 0.0 if self._at_s is None else max(0.0, at_s - self._at_s)
        self._left, self._at_s = min(RETRIES_MAX, self._left + since_s * RETRIES_PER_S), at_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

"""A loop whose clock jumps to the next timer when nothing is to be done: hours pass in seconds, and nothing waits."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 11, 19, tzinfo=UTC)


class JumpingSelector(selectors.DefaultSelector):
    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:
            raise RuntimeError("all wait, and for no timer: it would be so for ever")
        self.now_s += timeout
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._jumping.now_s


def now() -> datetime:
    """The wall clock of the running simulated loop."""
    return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())


def simulate[T](main: Coroutine[None, None, T]) -> T:
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(main)

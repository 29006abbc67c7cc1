"""The worker process of nginx that answers a poll, and the rooms that the one before it may still carry.

After `nginx -s reload` the former worker keeps the connections it has, for hours if need be; the new one answers, and
lists only its own. A restart so fast that no poll failed looks just the same: a new process whose time begins anew.
"""

import re
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import msgspec

from .asked_frame import framed, parted_as
from .collector import BadFrame

WORKER = re.compile(rb"<pid>(\d{1,10})</pid>\s*<uptime>(\d{1,10})</uptime>")
SLACK_S = 5.0  # either answer may have been slow to come
START = b'{"hidden":'
HIDDEN_MAX = timedelta(minutes=15)  # longer than encoders take to come back, and short enough to miss who never does


class Hidden(msgspec.Struct, frozen=True):
    """The first line of a frame before which the server was loaded anew: rooms that its answer cannot show."""

    hidden: list[str]


def hidden_in(frame: bytes) -> tuple[Collection[str], bytes]:
    """The rooms that this frame cannot show, and the answer as it came. Raises BadFrame."""
    if not frame.startswith(START):
        return (), frame
    head, answer = parted_as(Hidden, frame)
    return frozenset(head.hidden), answer


def worker(frame: bytes) -> tuple[int, int]:
    """Pid and uptime of the worker process that answered, or zeros; uptimes count from when the config was loaded."""
    found = WORKER.search(frame, 0, 1000)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def is_another_worker(frame: bytes, before: tuple[int, int], elapsed_s: float) -> bool:
    """True when another process than that of the answer `before` answers, of the same server: it is as old.

    One that was loaded anew is younger by all that the former was old, however long the loading took.
    """
    (pid, uptime_s), (other, other_s) = before, worker(frame)
    return other not in (0, pid) and other_s > uptime_s + elapsed_s - SLACK_S


class FormerWorkers:
    """What is remembered from answer to answer, though polls between them may fail.

    `rooms` are those that are watched; `on_air` tells which of them an answer shows on air, and raises BadFrame.
    """

    def __init__(self, rooms: Collection[str], on_air: Callable[[bytes], set[str]]) -> None:
        self._rooms, self._on_air = rooms, on_air
        self._pid, self._answer = 0, b""  # of the last one
        self._until: dict[str, datetime] = {}  # the rooms that are hidden

    def framed(self, answer: bytes, at: datetime, pid: int, another: bool) -> bytes:
        """The frame of an answer. `pid`: who answered the poll before it, 0 where that failed. `another`: who answers
        now is as old as that one, so the server was not loaded anew."""
        present = worker(answer)[0]
        if present == 0:
            return answer
        if pid == 0 and present != self._pid:
            self._until = {}  # the server was away, and nobody is left with a former worker
        elif pid not in (0, present) and not another:
            self._until = dict.fromkeys(self._shown_last(), at + HIDDEN_MAX) | self._until
        self._pid, self._answer = present, answer
        if not self._until:
            return answer
        try:
            seen = self._on_air(answer)
        except BadFrame:
            return answer  # whoever reads it says so
        self._until = {room: until for room, until in self._until.items() if room not in seen and at < until}
        return framed(Hidden(sorted(self._until)), answer) if self._until else answer

    def _shown_last(self) -> Collection[str]:
        try:
            return self._on_air(self._answer)
        except BadFrame:
            return self._rooms  # it may have been any of them

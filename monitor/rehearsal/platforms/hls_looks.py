"""What playlists say of rooms to somebody who has had all of them: a list alone does not say that it moves. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from ..scene import Trouble
from ..truth import Note

NEW_MIN = 2  # segments that make a list a live one
STILL = timedelta(seconds=8)  # a list of two segments' time without a new one stands still
SILENT = timedelta(seconds=12)  # a reader who has had nothing for so long begins anew
GONE_AFTER = timedelta(seconds=1)  # so long after it was told to end livemon asks nothing more
IN_A_ROW_MAX = 10  # so many failures, and a reader begins anew


class Shown(NamedTuple):
    """A list: the numbers of its first segment and of the one that will come next."""

    first: int
    edge: int
    ended: bool


class Known(msgspec.Struct):
    """Of one room: the last list, how many segments of it came while it was looked at, and when the last one did."""

    live: bool = False
    shown: Shown | None = None
    new: int = 0
    changed_at: datetime | None = None
    was_missing: bool = False


class Looks:
    """All rooms of a packager. Whoever reads begins with nothing when livemon does, and when it had to begin anew,
    since too many answers failed or none came."""

    def __init__(self, rooms: int, trouble: Trouble, notes: Sequence[Note]) -> None:
        self.trouble, self.notes = trouble, notes
        self.failures_max = min(IN_A_ROW_MAX, 2 * rooms)
        self._known: dict[str, Known] = {}
        self._failures = 0
        self._had_at: datetime | None = None

    def failed(self) -> None:
        """An answer that the reader has not had."""
        self._failures += 1
        tries = 2 if self.trouble.feed == "refuse" else 1  # HTTP clients ask again by themselves where they are cut
        if self._failures >= tries * self.failures_max:
            self._known.clear()

    def had(self, room: str, shown: Shown | None, at: datetime) -> bool:
        """The reader has had this list of a room (None: he was told that there is none): is it on air?"""
        if self._had_at is None or at - self._had_at > SILENT or self._began_anew(self._had_at, at):
            self._known.clear()
        self._had_at, self._failures = at, 0
        known = self._known.setdefault(room, Known())
        _learn(known, shown, at)
        return known.live

    def _began_anew(self, before: datetime, at: datetime) -> bool:
        """Whether livemon was ended between two instants."""
        return any(
            before <= note.at + GONE_AFTER < at
            for note in self.notes
            if note.what == "fault_began" and str(note.data.get("fault", "")).startswith("monitor_")
        )


def _learn(known: Known, shown: Shown | None, at: datetime) -> None:
    before, known.shown = known.shown, shown
    if shown is None or shown.ended:
        known.live, known.new, known.changed_at, known.was_missing = False, 0, at, shown is None
    elif before is None:
        known.new, known.changed_at = int(known.was_missing), at
    elif before.ended or shown.edge <= before.first or shown.edge < before.edge:
        known.live, known.new, known.changed_at = False, 1, at
    elif shown.edge > before.edge:
        still = known.changed_at is not None and at - known.changed_at > STILL
        known.new = (0 if still else known.new) + shown.edge - before.edge
        known.live, known.changed_at = known.live or known.new >= NEW_MIN, at

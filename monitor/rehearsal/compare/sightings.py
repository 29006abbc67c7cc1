"""Compares what a feed served, frame by frame, with the ticks that are in the database."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from ..truth import NOT_TOLD, OFF_AIR

EARLY_S = 0.25  # a stamp of livemon and one of ours come from two clocks of one machine


class Group(NamedTuple):
    """Ticks of one feed with one instant, or what a frame says they should be.

    Each number stands beside the same one weighed with the ids of the rooms, so that two errors do not cancel out.
    """

    at_s: float
    ticks: int
    ticks_mark: int
    live: int
    live_mark: int
    viewers: int
    viewers_mark: int

    @property
    def of_ticks(self) -> tuple[int, int]:
        return self.ticks, self.ticks_mark

    @property
    def of_live(self) -> tuple[int, int]:
        return self.live, self.live_mark

    @property
    def of_viewers(self) -> tuple[int, int]:
        return self.viewers, self.viewers_mark


class Sums(msgspec.Struct):
    """What was said of one room over all frames that are compared."""

    ticks: int = 0
    live: int = 0
    viewers: int = 0

    def add(self, other: "Sums") -> None:
        self.ticks, self.live = self.ticks + other.ticks, self.live + other.live
        self.viewers += other.viewers


class Found(msgspec.Struct):
    """How the frames of one feed compare. Instants are seconds of the clock."""

    feed: str
    pairs: list[tuple[Group, Group]] = []  # a frame that was answered, and its ticks
    empty: list[float] = []  # frames that said nothing of any room
    lost: list[float] = []  # frames without ticks
    lost_blind: int = 0  # such frames while the database says that nobody could see
    invented: list[Group] = []  # ticks without a frame
    sums: list[Sums] = []  # by the places of the feed's parts


def paired(asked: Sequence[float], served: Sequence[float], early_s: float, late_s: float) -> dict[int, int]:
    """Which ticks belong to which frame: to the first that was served after their instant and before the next one."""
    found: dict[int, int] = {}
    place = 0
    for number, asked_s in enumerate(asked):
        while place < len(served) and served[place] < asked_s - early_s:
            place += 1
        if place == len(served):
            break
        next_s = asked[number + 1] if number + 1 < len(asked) else asked_s + late_s
        if served[place] - asked_s <= late_s and (served[place] < next_s or served[place] <= asked_s):
            found[number] = place
            place += 1
    return found


def told(at_s: float, viewers: Sequence[int], room_ids: Sequence[int], sums: Sequence[Sums]) -> Group:
    """What a frame should have become; adds it to the sums of its rooms."""
    ticks = ticks_mark = live = live_mark = watching = watching_mark = 0
    for count, room_id, room in zip(viewers, room_ids, sums, strict=True):
        if count == NOT_TOLD:
            continue
        room.ticks += 1
        ticks += 1
        ticks_mark += room_id
        if count > OFF_AIR:
            room.live += 1
            room.viewers += count
            live += 1
            live_mark += room_id
            watching += count
            watching_mark += count * room_id
    return Group(at_s, ticks, ticks_mark, live, live_mark, watching, watching_mark)


def merged(frames: Iterable[tuple[float, Sequence[int]]]) -> Iterator[tuple[float, Sequence[int]]]:
    """Frames of one instant are one: a long report goes out in several bodies."""
    at_s, parts = None, list[Sequence[int]]()
    for instant_s, viewers in frames:
        if instant_s != at_s and parts and at_s is not None:
            yield at_s, _one(parts)
            parts = []
        at_s = instant_s
        parts.append(viewers)
    if parts and at_s is not None:
        yield at_s, _one(parts)


def _one(parts: Sequence[Sequence[int]]) -> Sequence[int]:
    if len(parts) == 1:
        return parts[0]
    return [max(counts) for counts in zip(*parts, strict=True)]  # NOT_TOLD is less than anything that was told

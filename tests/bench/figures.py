"""The arithmetic of benchmarks that watch a livemon: how late a room or a server was asked, how many connects a second
had, what a process took."""

import os
import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from collectors.room_pace import room_place
from monitor.rehearsal.usage import TICKS_S, stat_of

EARLY_S_MAX = 0.25  # two clocks, one of which counts whole milliseconds: what is so early is on time


class Sampled(NamedTuple):
    """One process at one instant, without its children: processor seconds since its start, and resident memory."""

    at_s: float
    cpu_s: float
    bytes: int


class Counted(NamedTuple):
    """Something that is counted, as it stood when somebody looked."""

    at_s: float
    count: int


def sample(pid: int) -> Sampled:
    """Raises LookupError where there is no such process (any more)."""
    if not (stat := stat_of(pid)):
        raise LookupError(f"no process {pid}")
    return Sampled(
        time.monotonic(), (int(stat[11]) + int(stat[12])) / TICKS_S, int(stat[21]) * os.sysconf("SC_PAGE_SIZE")
    )


def core_percent(samples: Sequence[Sampled]) -> float:
    """Of one core, from the first to the last."""
    first, last = samples[0], samples[-1]
    return 100.0 * (last.cpu_s - first.cpu_s) / (last.at_s - first.at_s)


def late_s(feed: str, beat_of: str, at_s: float, interval_s: float) -> float:
    """By how much an instant (monotonic) is after the beat that this name has within each interval.

    More than an interval cannot be told from less: whether beats were left out shows by the number of ticks.
    """
    after_s = (at_s / interval_s - room_place(feed, beat_of, interval_s)) % 1.0 * interval_s
    return 0.0 if after_s > interval_s - min(EARLY_S_MAX, interval_s / 10) else after_s


def most_in_a_second(instants: Sequence[float]) -> int:
    """Of sorted instants, in seconds: the most that any second has, wherever it begins."""
    return max((number + 1 - bisect_left(instants, at - 1.0) for number, at in enumerate(instants)), default=0)


def most_in_any_second(looks: Sequence[Counted]) -> int:
    """The most that can have been counted in any second, wherever it begins: at least what was, and more by what was
    counted between the looks around its ends."""
    instants = [look.at_s for look in looks]
    most = 0
    for look, after in pairwise(looks):
        end = min(bisect_left(instants, after.at_s + 1.0), len(looks) - 1)
        most = max(most, looks[end].count - look.count)
    return most


def spread_ms(seconds: Iterable[float]) -> dict[str, float]:
    """Nothing of nothing."""
    ordered = sorted(seconds)
    if not ordered:
        return {}
    parts = {"p50_ms": 0.5, "p99_ms": 0.99, "max_ms": 1.0}
    return {
        name: round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * part))], 1) for name, part in parts.items()
    }


def late_by_turns_s(instants: Sequence[float], interval_s: float) -> list[float]:
    """Of sorted instants at which one server was asked, once in each interval: by how much each is after its beat.

    Where its beats lie on the wall clock nobody tells: the most punctual of these instants is taken to be on one. More
    than half an interval cannot be told from less: whether beats were left out shows by the number of instants.
    """
    if not instants:
        return []
    half_s = interval_s / 2
    off_s = [(at - instants[0] + half_s) % interval_s - half_s for at in instants]
    return [one - min(off_s) for one in off_s]


def now() -> datetime:
    return datetime.now(UTC)

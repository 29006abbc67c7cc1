"""When a stream that stands is told to stall, where a server counts its bytes now and then: in time, never before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import floor

import pytest

from collectors import KINDS
from collectors.collector import FeedRow
from collectors.servers.icecast import Icecast
from collectors.servers.srs import Srs
from collectors.tick import Tick
from monitor.facts import RosterRoom
from monitor.live.watch import Watch

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
FREEZES_S = 120.0
ROOM = "live/1"
SLACK_S = 1.0
# As measured (docs/measured.md) and recorded (captures of a real SRS): how often bytes are counted.
COUNTED_EVERY_S: dict[type[FeedRow], tuple[float, ...]] = {Icecast: (4.7, 5.0), Srs: (3.0, 4.0)}
INTERVALS_S = (0.5, 1.0, 2.0, 5.0)  # of which 10 s are so many


def polls(row: FeedRow, interval_s: float, counted_every_s: float, phase_s: float) -> Iterator[Tick]:
    """What is told of a source that sends a byte each millisecond, and then freezes."""
    for number in range(int((FREEZES_S + 60) / interval_s)):
        at_s = number * interval_s
        counted_s = max(0.0, floor((at_s - phase_s) / counted_every_s) * counted_every_s + phase_s)
        progress = int(1000 * min(counted_s, FREEZES_S))
        yield Tick(row.name, ROOM, AT + timedelta(seconds=at_s), "status", True, progress=progress, session_key="a")


def dropped_s(row: FeedRow, ticks: Iterator[Tick]) -> float:
    """Seconds from the freeze to the tick that told the stall."""
    watch = Watch()
    watch.load([RosterRoom(1, row.PLATFORM, ROOM)], (), [row], AT)
    for tick in ticks:
        changes = watch.hear(row.name, tick.at, [tick], tick.at).changes
        if any(change.change == "dropped" for change in changes):
            assert [change.cause for change in changes] == ["stall"]
            return (tick.at - AT).total_seconds() - FREEZES_S
    raise AssertionError("it was never told")


@pytest.mark.parametrize("interval_s", INTERVALS_S)
@pytest.mark.parametrize("kind", COUNTED_EVERY_S)
def test_a_stream_that_stands_is_told_within_the_stall_of_its_kind(kind: type[FeedRow], interval_s: float) -> None:
    row = kind(name="hall", url="http://10.0.0.7:8000", interval_s=interval_s, rooms=[ROOM])  # type: ignore[call-arg]
    took = [
        dropped_s(row, polls(row, interval_s, every_s, part * every_s))
        for every_s in COUNTED_EVERY_S[kind]
        for part in (0.0, 0.1, 0.25, 0.5, 0.77, 0.99)
    ]
    assert min(took) > 0.0, "one that moves is never told to stall"
    assert max(took) < interval_s + kind.STALL_S + SLACK_S


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__struct_config__.tag))
def test_two_periods_must_pass_in_which_nothing_is_counted(kind: type[FeedRow]) -> None:
    assert kind.STALL_S - kind.COUNTS_LATE_S >= 2 * kind.COUNTS_LATE_S

"""Which stops and which streams put a picture in doubt."""

from datetime import UTC, datetime

import pytest

from collectors.tick import Tick
from monitor.facts import Change, ChangeName
from monitor.probe.suspicion import Rates, doubted

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "cause", "expected", "reason"),
    [
        ("dropped", "stall", False, "stall"),
        ("dropped", "stall", True, "stall"),
        ("dropped", "status", True, "missing"),
        ("dropped", "absent", True, "missing"),
        ("dropped", "status", False, None),  # nothing was planned: he signs off
        ("dropped", "event", True, None),
        ("dropped", "failed", True, None),
        ("dropped", "reconnect", True, None),
        ("resumed", "status", True, None),
        ("closed", "lost", True, None),
        ("opened", "status", True, None),
    ],
)
def test_a_stop_that_is_missed_is_doubted(change: ChangeName, cause: str, expected: bool, reason: str | None):
    assert doubted(Change("srs", "live/1", AT, 2, change, AT, cause), expected) == reason


def rates(*numbers: int | None, room: str = "live/1", live: bool = True) -> list[Tick]:
    return [Tick("hall", room, AT, "status", live, kbps=kbps) for kbps in numbers]


def doubts(told: Rates, *numbers: int | None) -> list[int | None]:
    """The rates by which it became thin."""
    return [tick.kbps for tick in rates(*numbers) if told.thin([tick])]


def test_a_stream_is_thin_once_below_a_quarter_of_what_it_carried():
    assert doubts(Rates(["live/1"]), 100, 4_000, 3_900, 1_000, 999, 900, 250, 300) == [999]


def test_after_it_was_doubted_what_it_carries_is_its_usual():
    assert doubts(Rates(["live/1"]), 4_000, 900, 300, 230, 226) == [900]
    assert doubts(Rates(["live/1"]), 4_000, 900, 220, 4_000, 500) == [900, 220, 500]


def test_what_is_not_told_or_off_air_is_not_thin():
    told = Rates(["live/1"])
    assert doubts(told, 4_000, None, 3_000) == []
    assert told.thin(rates(0, live=False)) == []
    assert doubts(told, 64) == []  # another broadcast


def test_a_room_that_nobody_watches_is_not_looked_at():
    told = Rates(["live/1"])
    assert [told.thin(rates(kbps, room="other/2")) for kbps in (4_000, 10)] == [[], []]

"""The clock does not jump with the wall, and follows it where it has really stepped."""

from datetime import timedelta

from monitor.live.clock import Clock
from tests.live.scripts import NOON


class Hands:
    """A wall and a monotonic clock, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.monotonic = NOON, 1000.0
        self.clock = Clock(lambda: self.wall, lambda: self.monotonic)

    def tick(self, seconds: float, count: int = 1) -> list[bool]:
        checked = []
        for _ in range(count):
            self.wall += timedelta(seconds=seconds)
            self.monotonic += seconds
            checked.append(self.clock.check())
        return checked


def test_now_is_aware_and_runs_with_monotonic_time():
    hands = Hands()
    hands.monotonic += 2.5
    assert hands.clock.now() == NOON + timedelta(seconds=2.5)
    assert hands.clock.now().utcoffset() == timedelta(0)


def test_a_wall_that_jumps_for_a_moment_moves_no_stamp():
    hands = Hands()
    hands.wall += timedelta(hours=1)
    assert not any(hands.tick(1, 9))
    assert hands.clock.now() == NOON + timedelta(seconds=9)
    hands.wall -= timedelta(hours=1)
    assert not any(hands.tick(1, 60))


def test_a_wall_that_stays_away_for_ten_seconds_is_followed_once():
    hands = Hands()
    hands.wall -= timedelta(hours=1)
    checked = hands.tick(1, 30)
    assert checked.index(True) == 10
    assert checked.count(True) == 1
    assert hands.clock.now() == hands.wall


def test_a_step_that_was_followed_is_shown_for_half_a_minute():
    hands = Hands()
    hands.wall -= timedelta(hours=1)
    shown = []
    for _ in range(60):
        hands.tick(1)
        shown.append(hands.clock.widest_s)
    assert shown == [-3600.0] * 40 + [0.0] * 20  # ten seconds until it is followed, the last of them counted again


def test_two_seconds_of_skew_are_no_step():
    hands = Hands()
    hands.wall += timedelta(seconds=2)
    assert not any(hands.tick(1, 60))
    assert hands.clock.skew_s == 2


def test_the_clock_of_this_machine_tells_the_time():
    clock = Clock()
    assert abs(clock.skew_s) < 0.5
    assert not clock.check()

"""In no window of a robot are more messages than it takes, and some places are kept for what is critical."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.pace import Limit, Pace
from monitor.alerts.robots import apprise, dingtalk, feishu, wecom

KINDS = {"dingtalk": dingtalk, "feishu": feishu, "wecom": wecom, "apprise": apprise}


def busiest(out: list[float], window_s: float) -> int:
    return max((sum(at_s - window_s < other <= at_s for other in out) for at_s in out), default=0)


def played(pace: Pace, for_s: float, critical: bool, step_s: float = 0.25) -> list[float]:
    out: list[float] = []
    for step in range(int(for_s / step_s)):
        if pace.left(at_s := step * step_s, critical) > 0:
            assert pace.wait_s(at_s, critical) == 0
            pace.take(at_s)
            out.append(at_s)
        else:
            assert pace.wait_s(at_s, critical) > 0
    return out


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_stays_below_the_robots_own_limit_and_uses_what_there_is(kind: str):
    out = played(Pace(KINDS[kind].LIMITS), 300, critical=True)
    assert busiest(out, 60.0) <= KINDS[kind].PER_MINUTE_MAX - 2
    assert len(out) > 0.8 * 5 * (KINDS[kind].PER_MINUTE_MAX - 2)
    if kind == "feishu":
        assert busiest(out, 1.0) < 5


def test_places_are_kept_for_what_is_critical():
    pace = Pace([Limit(18, 60.0, reserved=6)])
    assert len(played(pace, 5, critical=False)) == 12
    assert pace.left(5.0, critical=False) == 0
    assert pace.left(5.0, critical=True) == 6


@given(st.lists(st.floats(-90, 0), max_size=30))
def test_what_went_out_before_a_restart_counts(before: list[float]):
    within = sum(at_s > -61 for at_s in before)
    assert Pace([Limit(18, 60.0)], before).left(0.0, critical=True) == max(0, 18 - within)


def test_a_message_counts_from_when_it_may_have_arrived():
    pace = Pace([Limit(1, 60.0)])
    pace.take(0.0)
    pace.moved(30.0)
    assert pace.wait_s(61.0, critical=True) == pytest.approx(30.0)


def test_waiting_as_long_as_it_says_is_enough():
    pace = Pace([Limit(2, 60.0), Limit(1, 1.0)])
    pace.take(0.0)
    pace.take(3.0)
    wait_s = pace.wait_s(10.0, critical=True)
    assert pace.left(10.0 + wait_s, critical=True) == 1
    assert pace.left(10.0 + wait_s - 0.1, critical=True) == 0

"""No second at the platform sees more calls than the rate, wherever in the wire they were held up; nor many fewer."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.accounts.budget import REST_S_MAX, Bucket

HOUR_S = 3600.0


def arrivals(bucket: Bucket, seconds: float, luck: random.Random, slow_s: float) -> list[float]:
    """A caller that always wants to call: when its calls arrive, if each is held up anywhere on its way."""
    at_s, out, arrived = 0.0, list[float](), list[float]()
    while at_s < seconds:
        for answered_s in [it for it in out if it <= at_s]:
            out.remove(answered_s)
            bucket.answered(answered_s)
        ready_s = bucket.ready_s(at_s)
        if ready_s is not None and ready_s <= at_s:
            bucket.take(at_s)
            there, back = luck.choice(
                [(0.0, slow_s), (slow_s, 0.0), (luck.uniform(0, slow_s), luck.uniform(0, slow_s))]
            )
            arrived.append(at_s + there)
            out.append(at_s + there + back)
            continue
        waits = [*out, *([] if ready_s is None else [ready_s])]
        at_s = max(min(waits), at_s + 1e-6)
    return sorted(arrived)


@given(
    per_s=st.one_of(st.sampled_from([1.0, 2.0, 10.0]), st.floats(0.05, 12.0)),
    slow_s=st.sampled_from([0.0, 0.05, 0.9, 3.0]),
    seed=st.integers(0, 2**32),
)
@example(per_s=2.0, slow_s=0.9, seed=1)
def test_never_faster_than_the_rate_over_hours(per_s: float, slow_s: float, seed: int):
    found = arrivals(Bucket(per_s), 2 * HOUR_S if per_s < 1 else 300.0, random.Random(seed), slow_s)
    places, window_s = max(1, int(per_s)), max(1.0, 1 / per_s)
    assert all(later - sooner >= window_s for sooner, later in zip(found, found[places:], strict=False))


@pytest.mark.parametrize("per_s", [0.2, 1.0, 7.5, 50.0])
def test_a_platform_that_answers_at_once_gets_nearly_the_whole_rate(per_s: float):
    found = arrivals(Bucket(per_s), HOUR_S / 4, random.Random(1), 0.0)
    assert len(found) >= 0.98 * max(per_s if per_s < 1 else int(per_s), 0.0) * HOUR_S / 4 - 1


def test_the_platform_says_how_long_to_rest_from_one_second_to_ten_minutes():
    for told_s, rest_s in ((0.0, 1.0), (0.2, 1.0), (120.0, 120.0), (99_999_999.0, REST_S_MAX), (-5.0, 1.0)):
        bucket = Bucket(10)
        assert bucket.refused(100.0, told_s) == rest_s
        assert bucket.ready_s(100.0) == 100.0 + rest_s


def test_refused_again_and_again_it_rests_twice_as_long_each_time_until_one_is_accepted():
    bucket = Bucket(10)
    assert [bucket.refused(0.0, 0.0) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 64, 64]
    bucket.accepted()
    assert bucket.refused(0.0, 0.0) == 1


def test_what_is_left_of_a_quota_lasts_until_it_is_renewed():
    bucket = Bucket(10)
    bucket.stretch(left=60, for_s=HOUR_S, at_s=0.0)
    found = arrivals(bucket, 2 * HOUR_S, random.Random(1), 0.05)
    in_the_hour = [at_s for at_s in found if at_s < HOUR_S]
    assert 58 <= len(in_the_hour) <= 60
    assert len(found) - len(in_the_hour) > HOUR_S  # renewed: the rate alone counts again


def test_with_nothing_left_it_rests_but_not_for_ever():
    bucket = Bucket(10)
    bucket.stretch(left=0, for_s=8 * HOUR_S, at_s=0.0)
    assert bucket.ready_s(0.0) == REST_S_MAX


def test_more_left_than_the_last_time_is_no_longer_waited_for():
    bucket = Bucket(10)
    bucket.stretch(left=1, for_s=HOUR_S, at_s=0.0)
    bucket.take(0.0)
    bucket.answered(0.1)
    assert bucket.ready_s(10.0) == HOUR_S
    bucket.stretch(left=3600, for_s=HOUR_S, at_s=10.0)
    assert bucket.ready_s(10.0) <= 11.0


def test_a_call_that_was_not_sent_gives_its_place_back():
    bucket = Bucket(1)
    bucket.take(0.0)
    assert bucket.ready_s(5.0) is None
    bucket.unsent()
    assert bucket.ready_s(5.0) <= 5.0


@pytest.mark.parametrize("per_s", [0.0, -1.0, float("nan")])
def test_no_rate_is_not_a_rate(per_s: float):
    with pytest.raises(ValueError, match="above 0"):
        Bucket(per_s)

"""What is down, or will not have us, is left alone and tried again by one call at a time; second tries are few."""

from collections import Counter

import pytest

from monitor.accounts.breaker import FAILURES_MAX, Breaker, Breakers, RetryBudget


def longest(low: float, high: float) -> float:
    return high


def opened(why: str = "broken", uniform=longest) -> Breaker:
    breaker = Breaker(uniform=uniform)
    for _ in range(FAILURES_MAX if why == "broken" else 1):
        breaker.bad(why, 0.0, breaker.begin())
    return breaker


def test_it_opens_after_so_many_failures_in_a_row_and_not_before():
    breaker = Breaker()
    for _ in range(FAILURES_MAX - 1):
        assert not breaker.bad("broken", 0.0, breaker.begin())
    breaker.good()
    for _ in range(FAILURES_MAX - 1):
        assert not breaker.bad("broken", 0.0, breaker.begin())
    assert breaker.state(0.0) == "closed"
    assert breaker.bad("broken", 0.0, breaker.begin())
    assert breaker.state(0.0) == "open"
    assert breaker.wait_s(0.0) > 0


@pytest.mark.parametrize("why", ["app", "address", "clock"])
def test_where_we_as_a_whole_are_refused_it_opens_at_once(why: str):
    assert opened(why).state(0.0) == "open"
    assert opened(why).why == why


def test_one_call_tries_and_the_others_wait_for_what_it_says():
    breaker = opened()
    at_s = breaker.wait_s(0.0)
    assert breaker.wait_s(at_s) == 0
    assert breaker.state(at_s) == "half_open"
    assert breaker.begin()
    assert breaker.wait_s(at_s) > 0
    assert breaker.good()
    assert (breaker.state(at_s), breaker.wait_s(at_s)) == ("closed", 0.0)


@pytest.mark.parametrize(("why", "most_s"), [("broken", 60.0), ("app", 300.0), ("clock", 300.0)])
def test_it_waits_longer_after_each_try_up_to_a_cap(why: str, most_s: float):
    breaker, at_s, waits = opened(why), 0.0, list[float]()
    for _ in range(12):
        waits.append(breaker.wait_s(at_s))
        at_s += waits[-1]
        breaker.bad(why, at_s, breaker.begin())
    assert waits == sorted(waits)
    assert waits[-1] == most_s


def test_the_wait_is_drawn_from_all_of_the_span():
    drawn = list[tuple[float, float]]()
    opened("app", lambda low, high: drawn.append((low, high)) or 0.0)
    assert drawn == [(0.0, 30.0)]
    assert opened("app", lambda low, high: 0.0).wait_s(0.0) > 0  # but never no wait at all


def test_what_left_before_it_opened_and_fails_only_now_tells_nothing_new():
    breaker = opened()
    wait_s = breaker.wait_s(0.0)
    for _ in range(20):
        assert not breaker.bad("broken", 0.0, False)
    assert breaker.wait_s(0.0) == wait_s


def test_what_is_given_up_lets_another_one_try():
    breaker = opened()
    at_s = breaker.wait_s(0.0)
    trying = breaker.begin()
    breaker.given_up(False)  # one that left before it opened
    assert breaker.wait_s(at_s) > 0
    breaker.given_up(trying)
    assert breaker.wait_s(at_s) == 0


def test_second_tries_are_a_tenth_of_the_first_and_a_few_as_time_goes():
    budget = RetryBudget()
    assert sum(budget.again(0.0) for _ in range(1_000)) == 10
    for _ in range(1_000):
        budget.first()
    assert sum(budget.again(0.0) for _ in range(1_000)) in (99, 100)
    assert 9 <= sum(budget.again(float(second)) for second in range(100)) <= 11
    assert sum(budget.again(1e6) for _ in range(1_000)) == 100


def test_of_many_it_is_counted_how_many_stand_how():
    ways = Breakers()
    for number in range(5):
        ways["app", f"key{number}"].begin()
    ways["other", "key"].begin()
    ways["app", "key1"].bad("app", 0.0, False)
    ways["app", "key2"].bad("clock", 0.0, False)
    late_s = ways["app", "key1"].wait_s(0.0) + 1e-9
    ways["app", "key2"]._until_s = late_s + 1.0
    assert +ways.states(late_s) == Counter(
        {("app", "closed"): 3, ("app", "half_open"): 1, ("app", "open"): 1, ("other", "closed"): 1}
    )

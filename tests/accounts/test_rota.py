"""Whose turn it is among shops, and whose among questions."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from monitor.accounts.fairness import Fairness, again_after
from monitor.accounts.rota import FEW, QUIET_TIMES_MAX, Rota

START = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
EVERY = timedelta(seconds=60)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def rota_of(shops: int) -> Rota:
    rota = Rota(EVERY)
    rota.shops_are({str(number): START for number in range(shops)})
    return rota


def asked_within(rota: Rota, seconds: int, sells: set[str], failing: frozenset[str] = frozenset()) -> dict[str, int]:
    """How often each shop is asked when there is time for all of them."""
    asked = dict.fromkeys(rota.turns, 0)
    for second in range(seconds):
        while (shop := rota.take(at(second))) is not None:
            asked[shop] += 1
            if shop in failing:
                rota.failed(shop, at(second))
            else:
                rota.done(shop, at(second), at(second) if shop in sells else None)
    return asked


def test_few_shops_are_all_asked_as_often_as_a_busy_one():
    assert set(asked_within(rota_of(FEW - 1), 3_600, {"0"}).values()) == {60}


def test_of_many_shops_the_quiet_ones_wait_ten_times_as_long():
    asked = asked_within(rota_of(QUIET_TIMES_MAX * FEW), 3_600, {"0"})
    assert asked.pop("0") == 60
    assert set(asked.values()) == {60 // QUIET_TIMES_MAX}


def test_a_shop_that_stops_selling_slows_down_and_one_of_which_a_push_tells_is_asked_soon():
    rota = rota_of(QUIET_TIMES_MAX * FEW)
    while (shop := rota.take(START)) is not None:
        rota.done(shop, START, START - timedelta(minutes=14) if shop == "0" else None)
    assert rota.turns["0"].due_at == at(60)
    assert rota.turns["1"].due_at == at(600)
    rota.sold("1", at(100), at(101))
    assert rota.turns["1"].due_at == at(60)
    assert [rota.take(at(101)) for _ in range(3)] == ["0", "1", None]
    rota.done("0", at(101))
    assert rota.turns["0"].due_at == at(161)
    for hours, times in ((1, 4), (2, 8), (24, 10)):
        rota.turns["0"].sold_at = START - timedelta(hours=hours)
        rota.turns["0"].asked_at = START
        rota.done("0", START)
        assert rota.turns["0"].due_at == START + times * EVERY


def test_the_most_overdue_goes_first_and_none_is_out_twice():
    rota = Rota(EVERY)
    rota.shops_are({"a": at(30), "b": at(10), "c": at(20)})
    assert [rota.take(at(40)) for _ in range(4)] == ["b", "c", "a", None]
    rota.done("c", at(41), at(40))
    assert rota.take(at(41)) is None
    assert rota.next_at() == at(100)


def test_a_shop_that_fails_comes_later_and_later_and_not_before_it_may():
    rota = Rota(EVERY)
    rota.shops_are({"a": START})
    gaps = []
    for _ in range(6):
        now = rota.turns["a"].due_at
        assert rota.take(now) == "a"
        rota.failed("a", now)
        gaps.append((rota.turns["a"].due_at - now) // EVERY)
    assert gaps == [1, 2, 4, 8, 10, 10]
    assert rota.failing == 1
    rota.sold("a", START, START)  # a push of it does not bring it forward
    assert rota.turns["a"].failures == 6
    now = rota.turns["a"].due_at
    assert rota.take(now) == "a"
    rota.failed("a", now, timedelta(hours=1))
    assert rota.turns["a"].due_at == now + timedelta(hours=1)


def test_a_shop_that_is_gone_is_not_asked_and_one_that_comes_back_is():
    rota = rota_of(2)
    rota.shops_are({"1": START})
    assert [rota.take(at(1)) for _ in range(2)] == ["1", None]
    rota.shops_are({})
    rota.done("1", at(1))
    assert rota.next_at() is None
    rota.shops_are({"1": at(5)})
    assert rota.next_at() == at(5)


def test_a_feed_that_must_show_that_it_lives_asks_somebody_each_interval():
    rota = rota_of(1)
    assert rota.take(at(0)) == "0"
    rota.done("0", at(0))
    rota.turns["0"].due_at = at(600)
    rota._heap = [(at(600), "0")]
    assert rota.take(at(30), idle=True) is None
    assert rota.take(at(60)) is None
    assert rota.take(at(60), idle=True) == "0"


def test_what_is_not_up_to_date_is_due_at_once():
    rota = rota_of(1)
    rota.take(at(0))
    rota.done("0", at(1), more=True)
    assert rota.take(at(1)) == "0"


class Question(msgspec.Struct, frozen=True):
    shop: str
    newest: int
    app: str = "a"


def test_shops_take_turns_and_the_newest_of_each_goes_first():
    turns = Fairness[Question](at_once=1)
    for number in range(100):
        turns.add(Question("loud", number))
    turns.add(Question("quiet", 5))
    turns.add(Question("quiet", 7))
    order = []
    while (question := turns.take()) is not None:
        assert turns.take() is None  # one at a time
        order.append((question.shop, question.newest))
        turns.answered(question)
    assert order[:4] == [("loud", 99), ("quiet", 7), ("loud", 98), ("quiet", 5)]
    assert [newest for shop, newest in order if shop == "loud"] == list(range(99, -1, -1))


def test_a_shop_has_one_question_out_and_an_app_so_many_and_no_app_waits_for_another():
    turns = Fairness[Question](at_once=2)
    for shop in ("1", "1", "2", "3"):
        turns.add(Question(shop, 1))
    turns.add(Question("1", 1, "b"))
    out = [turns.take() for _ in range(4)]
    assert [(it.app, it.shop) for it in out if it] == [("a", "1"), ("a", "2"), ("b", "1")]
    turns.answered(out[1])
    assert turns.take().shop == "3"


@pytest.mark.parametrize(("times", "seconds"), [(1, 1), (2, 5), (3, 30), (4, 120), (5, 600), (6, 1800), (99, 1800)])
def test_when_a_question_is_asked_again(times, seconds):
    assert again_after(times) == timedelta(seconds=seconds)

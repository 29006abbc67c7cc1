"""Calls that fail, of which each names many rooms: when it is everybody's trouble, and when it is their own."""

import pytest

from monitor.accounts.calls_in_a_row import IN_A_ROW_MAX, CallsInARow


def calls(count: int) -> list[str]:
    return [f"call-{number}" for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, 4, IN_A_ROW_MAX])
def test_when_all_of_few_fail_one_after_the_other_it_is_everybodys(count: int) -> None:
    row = CallsInARow(count)
    assert [row.failed(call) for call in calls(count)] == [False] * (count - 1) + [True]
    assert row.failed("call-0"), "and it stays so until one is answered"
    row.answered("call-0")
    told = [row.failed(call) for call in (*calls(count), "call-0")]
    assert (any(told[: count - 1]), told[-1]) == (False, True), "a row begins anew, and who was answered shows it"


def test_of_many_so_many_in_a_row_are_everybody() -> None:
    row = CallsInARow(120)
    told = [row.failed(call) for call in calls(IN_A_ROW_MAX)]
    assert told == [False] * (IN_A_ROW_MAX - 1) + [True]


@pytest.mark.parametrize("bad", [1, 3])
def test_what_fails_for_ever_is_its_own_trouble_however_often_it_is_asked(bad: int) -> None:
    row = CallsInARow(20)
    for _ in range(5):
        for _ in range(IN_A_ROW_MAX):
            told = [row.failed(call) for call in calls(bad)]
            if bad == 1:
                assert not any(told)
        for call in calls(20)[bad:]:
            row.answered(call)
    assert not any(row.failed(call) for _ in range(IN_A_ROW_MAX) for call in calls(bad)), "they failed before this row"


def test_when_the_others_fail_beside_what_always_fails_it_is_everybodys() -> None:
    row = CallsInARow(4)
    for call in calls(4):
        row.answered(call)
    row.failed("call-0")
    row.answered("call-1")
    assert not row.failed("call-0")
    assert not row.failed("call-1")
    assert not row.failed("call-2")
    assert row.failed("call-3")


def test_what_failed_before_does_not_say_that_all_fail_still() -> None:
    """After an outage it may be asked first: the others must have their turn."""
    row = CallsInARow(4)
    row.failed("call-0")
    for call in calls(4)[1:]:
        row.answered(call)
    assert [row.failed(call) for call in calls(4)] == [False, False, False, True]
    assert (row.failed("call-0"), row.failed("call-1")) == (False, True)


def test_chance_among_many_is_nobodys() -> None:
    row = CallsInARow(120)
    for number in range(1_000):
        assert not row.failed(f"call-{number % 120}")
        row.answered(f"call-{(number + 1) % 120}")

"""The index of played orders answers as a look at all of them would, and forgets only what is old."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rehearsal.platforms.order_index import OrderIndex, ms_of, orders_between, refund_in, refunds_between
from monitor.rehearsal.platforms.token_office import PlayedOrder, PlayedRefund

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
SHOPS = ("4460001", "4460002")
steps = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from(SHOPS), st.integers(0, 30), st.none() | st.integers(0, 30)),
    max_size=25,
)


def at(quarters: int) -> datetime:
    return START + timedelta(milliseconds=250 * quarters)


def order(number: int, shop: str, touched: int, refunded: int | None = None) -> PlayedOrder:
    one = PlayedOrder(str(number), shop, START, at(touched), 100 + number, START)
    if refunded is not None:
        one.refunds = [PlayedRefund(f"7{number}", 50, at(refunded))]
    return one


@given(steps, st.integers(0, 8_000), st.integers(0, 8_000))
def test_it_finds_what_a_look_at_all_orders_finds(
    puts: list[tuple[int, str, int, int | None]], from_ms: int, to_ms: int
) -> None:
    index, plain = OrderIndex(), dict[str, PlayedOrder]()
    for number, shop, touched, refunded in puts:
        one = order(number, plain[str(number)].shop if str(number) in plain else shop, touched, refunded)
        index[one.order_id] = plain[one.order_id] = one
    window = ms_of(START) + from_ms, ms_of(START) + to_ms
    for shop in (*SHOPS, "no shop"):
        found = orders_between(index, shop, *window)
        assert found == sorted(found, key=lambda it: (it.updated_at, it.order_id))
        assert {it.order_id for it in found} == {it.order_id for it in orders_between(plain, shop, *window)}
        assert len(found) == len({it.order_id for it in found})
        assert sorted(map(repr, refunds_between(index, shop, *window))) == sorted(
            map(repr, refunds_between(plain, shop, *window))
        )
        for number in range(1, 7):
            assert refund_in(index, shop, f"7{number}") == refund_in(plain, shop, f"7{number}")
    assert dict(index) == plain


def test_both_ends_of_a_window_are_within_it() -> None:
    index = OrderIndex()
    index["1"] = order(1, "a", 4)
    second = ms_of(START) + 1000
    assert orders_between(index, "a", second, second) == [index["1"]]
    assert orders_between(index, "a", second + 1, second + 9) == orders_between(index, "a", 0, second - 1) == []


def test_a_refund_of_another_shop_is_none() -> None:
    index = OrderIndex()
    index["1"] = order(1, "a", 4, 4)
    for orders in (index, dict(index)):
        assert refund_in(orders, "a", "71") == (index["1"], index["1"].refunds[0])
        assert refund_in(orders, "b", "71") is None


def test_milliseconds_are_rounded_down_without_the_doubts_of_a_float() -> None:
    for ms in range(1000):
        assert ms_of(START + timedelta(milliseconds=ms)) == int(START.timestamp()) * 1000 + ms
    assert ms_of(START + timedelta(microseconds=1999)) == ms_of(START) + 1


def test_an_order_that_is_changed_where_it_stands_is_an_error_and_none_that_is_lost() -> None:
    index = OrderIndex()
    index["1"] = order(1, "a", 4)
    index["1"].updated_at = at(8)
    with pytest.raises(AssertionError, match="where it stood"):
        index["1"] = order(1, "a", 9)


def test_what_was_not_touched_for_long_is_forgotten_with_its_refunds_and_nothing_younger() -> None:
    index = OrderIndex(timedelta(seconds=5))
    for number in range(1, 6):
        index[str(number)] = order(number, "a", 4 * number, 4 * number)
    index["9"] = order(9, "b", 0)
    index["6"] = order(6, "a", 28)  # at second 7: second 1 is over, second 2 is not
    assert list(index) == ["2", "3", "4", "5", "9", "6"]
    assert refund_in(index, "a", "71") is None
    assert refund_in(index, "a", "72") is not None
    index["2"] = replace(index["2"], updated_at=at(29))
    index["7"] = order(7, "a", 60)
    assert list(index) == ["9", "7"]

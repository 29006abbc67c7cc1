"""Money as platforms write it: what is an amount, to the fen, and what is none."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import money
from collectors.collector import BadFrame
from collectors.json_body import document

SQL = Path(money.__file__).parents[1] / "sql" / "views" / "05_money.sql"


@pytest.mark.parametrize(
    ("read", "told", "minor"),
    [
        (money.fen, 1, 1),
        (money.fen, 0, 0),
        (money.fen, "12", 12),
        (money.fen, 1.0, 1),
        (money.fen, Decimal("1E+3"), 1000),
        (money.fen, 2**31, 2**31),
        (money.fen, 10**15, 10**15),
        (money.yuan, "12.30", 1230),
        (money.yuan, "0.005", 0),  # half-even, once
        (money.yuan, "0.015", 2),
        (money.yuan, "3.123456789", 312),
        (money.yuan, 0.1 + 0.2, 30),
        (money.yuan, 19.9, 1990),
        (money.yuan, 398, 39800),
        (money.thousandths, 1000, 100),
        (money.thousandths, 5, 0),
        (money.thousandths, 15, 2),
    ],
)
def test_what_is_an_amount(read: Callable[[object], int], told: object, minor: int) -> None:
    assert read(told) == minor


@pytest.mark.parametrize("read", [money.fen, money.yuan, money.thousandths, money.count])
@pytest.mark.parametrize(
    "told",
    [
        None, True, "", " 12", "12 ", "12\n", "NaN", "inf", "-Infinity", "1e3", "１２", "1,234", "1.2万", "+1", "0x10",
        "1_000", "12.", ".5", float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity"), [], {}, b"12",
        2**63, 2**64, 10**17, 10**5000, "9" * 40, "9" * 5000, 1e300, Decimal("1E+100000"), -100, "-60",
    ],
    ids=lambda told: repr(told)[:20] if not isinstance(told, int) or abs(told) < 10**20 else "huge",
)  # fmt: skip
def test_what_is_none(read: Callable[[object], int], told: object) -> None:
    with pytest.raises(money.BadMoney) as refused:
        read(told)
    assert not any(sign.isdigit() for sign in str(refused.value)), "a reason never repeats the amount"


def test_a_fraction_of_a_fen_is_no_number_of_fen() -> None:
    for told in (1.9, "1.5", Decimal("0.1")):
        with pytest.raises(money.BadMoney):
            money.fen(told)


def test_below_zero_only_where_it_is_asked_for() -> None:
    assert money.fen(-1, below_zero=True) == -1
    assert money.yuan("-0.50", below_zero=True) == -50


@pytest.mark.parametrize(
    ("told", "currency", "minor"),
    [("398.00", "USD", 39800), ("398", "JPY", 398), ("1.234", "KWD", 1234), ("1.5", "jpy", 2), ("2.5", "JPY", 2)],
)
def test_each_currency_has_its_own_decimals(told: str, currency: str, minor: int) -> None:
    assert money.major(told, currency) == minor


@pytest.mark.parametrize("told", [None, "", "XXX", "RMB", "CN", "¥", "人民币", 156, "CNY "])
def test_a_currency_is_never_assumed(told: object) -> None:
    with pytest.raises(money.BadMoney):
        money.currency_code(told)


def test_a_currency_is_written_in_capitals() -> None:
    assert money.currency_code("cny") == "CNY"


def test_sql_and_python_know_the_same_decimals() -> None:
    sql = SQL.read_text(encoding="utf-8")
    for code, decimals in money.DECIMALS.items():
        assert (f"'{code}'" in sql) == (decimals != 2), code
    assert len(re.findall(r"'[A-Z]{3}'", sql)) == len(money.NO_DECIMALS) + len(money.THREE_DECIMALS)


def test_there_are_no_more_pieces_than_a_column_holds() -> None:
    assert money.count(2**31 - 1) == 2**31 - 1
    with pytest.raises(money.BadMoney):
        money.count(2**31)


@pytest.mark.parametrize("token", [*"NaN Infinity -Infinity 1e999 -1 1.9 true null [] {}".split(), '"1,0"', '"NaN"'])
def test_from_the_bytes_of_a_body_to_no_amount(token: str) -> None:
    with pytest.raises(BadFrame):
        money.fen(document(token.encode()))


@given(st.integers(0, money.AMOUNT_MINOR_MAX))
def test_yuan_and_fen_of_one_amount_agree(amount: int) -> None:
    written = f"{amount // 100}.{amount % 100:02}"
    assert money.yuan(written) == money.fen(amount) == money.fen(str(amount)) == amount
    assert money.thousandths(amount * 10) == amount
    assert money.yuan(document(written.encode())) == amount


@given(st.lists(st.integers(0, 10**12), max_size=50))
def test_a_sum_of_amounts_is_the_amount_of_the_sum(amounts: list[int]) -> None:
    assert sum(money.yuan(Decimal(amount).scaleb(-2)) for amount in amounts) == sum(amounts)

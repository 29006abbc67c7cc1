"""Money of platforms as integers in the minor unit of its currency: exact, finite, within bounds, or BadMoney."""

import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from .collector import BadFrame

AMOUNT_MINOR_MAX = 10**15  # ten thousand billion yuan: above it is no order, but a broken number
UNITS_MAX = 2**31 - 1

NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split()
THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND".split()
TWO_DECIMALS = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE
CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR
KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB
PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY
TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
""".split()
DECIMALS = {
    **dict.fromkeys(TWO_DECIMALS, 2),
    **dict.fromkeys(NO_DECIMALS, 0),
    **dict.fromkeys(THREE_DECIMALS, 3),
}
"""How many decimals ISO 4217 gives each currency; the view `in_major` has the same list."""

NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)


class BadMoney(BadFrame):
    """This amount is none. The reason never repeats the amount."""


def currency_code(told: object) -> str:
    """The currency in capitals; unknown or missing is an error: CNY is never assumed where the platform names one."""
    code = told.upper() if isinstance(told, str) and told.isascii() else ""
    if code not in DECIMALS:
        raise BadMoney("currency: unknown or missing")
    return code


def fen(told: object, *, below_zero: bool = False) -> int:
    """An amount told in the minor unit: an integer, or the text of one. A fraction of it is an error."""
    amount = number(told)
    if amount != amount.to_integral_value():
        raise BadMoney("amount: a fraction of the minor unit")
    return bounded(amount, below_zero=below_zero)


def yuan(told: object, *, below_zero: bool = False) -> int:
    """An amount told in yuan, as fen."""
    return major(told, "CNY", below_zero=below_zero)


def major(told: object, currency: str, *, below_zero: bool = False) -> int:
    """An amount told in the major unit; more decimals than the currency has are rounded half-even, once."""
    return bounded(number(told).scaleb(DECIMALS[currency_code(currency)]), below_zero=below_zero)


def thousandths(told: object, *, below_zero: bool = False) -> int:
    """An amount told in 1/1000 yuan, as fen, rounded half-even."""
    return bounded(number(told).scaleb(-1), below_zero=below_zero)


def count(told: object) -> int:
    """How many: of coins, gifts, pieces."""
    amount = fen(told)
    if amount > UNITS_MAX:
        raise BadMoney("count: too many")
    return amount


def number(told: object) -> Decimal:
    """The exact number: of an int, a Decimal, a finite float as it is written, or a plain text of ASCII digits."""
    if isinstance(told, bool) or not isinstance(told, int | float | Decimal | str):
        raise BadMoney("amount: missing" if told is None else "amount: no number")
    if isinstance(told, str) and not NUMBER.fullmatch(told):
        raise BadMoney("amount: no number")
    if isinstance(told, int) and abs(told) > AMOUNT_MINOR_MAX * 1000:
        raise BadMoney("amount: out of range")  # before the digits of a huge one are counted out
    try:
        amount = Decimal(str(told))
    except InvalidOperation:
        raise BadMoney("amount: no number") from None
    if not amount.is_finite():
        raise BadMoney("amount: no number")
    if amount.adjusted() > 20:
        raise BadMoney("amount: out of range")
    return amount


def bounded(amount: Decimal, *, below_zero: bool) -> int:
    minor = int(amount.to_integral_value(ROUND_HALF_EVEN))
    if abs(minor) > AMOUNT_MINOR_MAX:
        raise BadMoney("amount: out of range")
    if minor < 0 and not below_zero:
        raise BadMoney("amount: negative")
    return minor

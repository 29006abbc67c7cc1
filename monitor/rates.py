"""What a platform's coin is worth in money, by the rate in force when it was spent."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Annotated

import msgspec


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_at": "from"}):
    """A `[[rate]]` table: from this instant on, so many coins are so many minor units of the currency."""

    coin: str
    minor_units: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    coins: Annotated[int, msgspec.Meta(ge=1, le=10**9)] = 1
    currency: str = "CNY"
    from_at: Annotated[datetime, msgspec.Meta(tz=True)]


class Rates:
    def __init__(self, rates: Sequence[Rate] = ()) -> None:
        self._of: dict[str, list[Rate]] = {}
        for rate in sorted(rates, key=lambda rate: rate.from_at, reverse=True):
            self._of.setdefault(rate.coin, []).append(rate)

    def money(self, coin: str, count: int, at: datetime) -> tuple[int, str] | None:
        """Minor units, rounded half-even once, and their currency; None where no rate was in force yet."""
        rate = next((rate for rate in self._of.get(coin, ()) if rate.from_at <= at), None)
        return None if rate is None else (round(Fraction(count * rate.minor_units, rate.coins)), rate.currency)

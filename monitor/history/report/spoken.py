"""Numbers, money and times as the readers of a report write them, in Chinese or English."""

from datetime import datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from collectors.money import DECIMALS
from monitor.platform_words import platform_name

from .words import WORDS, Language

NOTHING = "–"
SIGNS = {"CNY": "¥"}
STEPS_ZH = ((Decimal(10**8), "亿"), (Decimal(10**4), "万"))
STEPS_EN = ((Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(10**3), "k"))


class Speech(msgspec.Struct, frozen=True):
    """How one report speaks: its language, the event's currency and zone. None is shown as a dash, never as zero."""

    language: Language
    currency: str
    zone: tzinfo

    def word(self, key: str) -> str:
        return WORDS[self.language][key]

    def platform(self, name: str) -> str:
        return platform_name(name, self.language)

    def number(self, value: Decimal | int | None, places: int = 0) -> str:
        return NOTHING if value is None else f"{_rounded(Decimal(value), places):,}"

    def money(self, minor: int | None, currency: str | None = None) -> str:
        """In the major unit, with the currency's own decimals."""
        if minor is None:
            return NOTHING
        code = currency or self.currency
        places = DECIMALS.get(code, 2)
        amount = f"{abs(Decimal(minor)).scaleb(-places):,.{places}f}"
        return f"{'-' if minor < 0 else ''}{SIGNS.get(code, f'{code} ')}{amount}"

    def major(self, minor: int) -> Decimal:
        return Decimal(minor).scaleb(-DECIMALS.get(self.currency, 2))

    def added(self, shown: str, value: int) -> str:
        """A difference, with its sign."""
        return f"+{shown}" if value >= 0 else shown

    def short(self, value: Decimal | int) -> str:
        """Three digits and a letter, for axes and small cells."""
        number = Decimal(value)
        for size, letter in STEPS_ZH if self.language == "zh" else STEPS_EN:
            if abs(number) >= size:
                scaled = number / size
                return f"{_rounded(scaled, 0 if scaled >= 100 else 1).normalize():f}{letter}"
        return f"{_rounded(number, 0 if number >= 10 else 1).normalize():f}"

    def share(self, part: int, whole: int) -> str:
        """In percent; a dash where there is nothing to have a share of."""
        return NOTHING if not whole else f"{_rounded(Decimal(part) * 100 / whole, 2)}%"

    def hours(self, seconds: Decimal | None, places: int = 1) -> str:
        return NOTHING if seconds is None else f"{self.number(seconds / 3600, places)} {self.word('h')}"

    def span(self, seconds: Decimal | None) -> str:
        """12 s, 3 min 5 s, 2 h 4 min: the two largest units."""
        if seconds is None:
            return NOTHING
        whole = int(_rounded(seconds, 0))
        hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
        parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
        first = next((n for n, (count, _) in enumerate(parts) if count), 2)
        return " ".join(f"{count} {self.word(unit)}" for count, unit in parts[first : first + 2] if count or first == 2)

    def clock(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%H:%M}"

    def moment(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%m-%d %H:%M:%S}"

    def instant(self, at: datetime) -> str:
        """With date and offset, for where it must not be mistaken."""
        local = at.astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M:%S} UTC{local:%:z}"


def seconds_of(span: timedelta) -> Decimal:
    """Exact."""
    return Decimal(span // timedelta(microseconds=1)).scaleb(-6)


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)

"""Orders and money as they were told against `sale` in PostgreSQL: each fact once, to the minor unit."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from monitor.store.statements import statement

from ..truth import Fact, facts_of
from .case import Case
from .darkness import Blind
from .sightings import EARLY_S
from .stops import Span
from .verdict import EXAMPLES_MAX, Check, counted

Key = tuple[str, str, str]  # platform, order, kind
Kind = tuple[str, str, str]  # platform, kind, currency
STAMPED = timedelta(seconds=1)
ROWS_AT_ONCE = 5_000


class Row(msgspec.Struct, frozen=True):
    """A row of `sale`."""

    platform: str
    shop: str
    order_id: str
    kind: str
    amount_minor: int
    currency: str
    at: datetime
    room: str | None
    event_id: str


class Book(msgspec.Struct):
    """Sales of one platform, kind and currency: how many and how much, and what does not agree."""

    truth: int = 0
    truth_minor: int = 0
    found: int = 0
    found_minor: int = 0
    wrong: int = 0
    examples: list[str] = []


class Books(msgspec.Struct):
    books: dict[Kind, Book] = {}
    sales: int = 0
    misplaced: int = 0  # right in number and money, but of another room, shop or instant
    misplaced_examples: list[str] = []

    def book(self, sale: Fact | Row) -> Book:
        return self.books.setdefault((sale.platform, sale.kind, sale.currency), Book())

    def blame(self, sale: Fact | Row, words: str) -> None:
        book = self.book(sale)
        book.wrong += 1
        if len(book.examples) < EXAMPLES_MAX:
            book.examples.append(f"{words} {shown(sale)}")

    def settle(self, facts: Sequence[tuple[Fact, bool]], rows: Sequence[Row]) -> None:
        """All of one order and kind. Each fact has whether it must be there: one told after the end may be."""
        left = list(rows)
        for sale in rows:
            book = self.book(sale)
            book.found += 1
            book.found_minor += sale.amount_minor
        for fact, must in sorted(facts, key=itemgetter(1), reverse=True):
            equal = [row for row in left if same_money(fact, row)]
            row = min(equal, key=partial(_apart, fact)) if equal else None
            if row is not None:
                left.remove(row)
                self._misplaced(fact, row)
            if row is not None or must:
                book = self.book(fact)
                book.truth += 1
                book.truth_minor += fact.amount_minor
            if row is None and must:
                self._without_equal(fact, left)
        for extra in left:
            self.blame(extra, "nobody told of")

    def _without_equal(self, fact: Fact, left: list[Row]) -> None:
        """Another amount of the same order, at the same instant, is the same fact told wrong."""
        row = next((row for row in left if abs(row.at - fact.at) <= STAMPED), None)
        if row is None:
            self.blame(fact, "missing:")
            return
        left.remove(row)
        self.blame(fact, f"{row.amount_minor:,} {row.currency} in the database instead of")

    def _misplaced(self, fact: Fact, row: Row) -> None:
        self.sales += 1
        if off := differing(fact, row):
            self.misplaced += 1
            if len(self.misplaced_examples) < EXAMPLES_MAX:
                told = ", ".join(f"{name} {getattr(row, name)!s} and not {getattr(fact, name)!s}" for name in off)
                self.misplaced_examples.append(f"{shown(fact)}: {told}")

    def checks(self) -> list[Check]:
        checks = []
        for (platform, kind, currency), book in sorted(self.books.items()):
            off = f"{book.wrong:,} sales, {book.found_minor - book.truth_minor:+,}" if book.wrong else "0"
            checks.append(
                Check(
                    f"{platform} {kind} {currency}", f"{book.truth:,} = {book.truth_minor:,}",
                    f"{book.found:,} = {book.found_minor:,}", off, book.wrong == 0, tuple(book.examples),
                )
            )  # fmt: skip
        right = self.sales - self.misplaced
        return [*checks, counted("room, shop and instant of sales", self.sales, right, self.misplaced_examples)]


def same_money(fact: Fact, row: Row) -> bool:
    return (fact.amount_minor, fact.currency) == (row.amount_minor, row.currency)


def differing(fact: Fact, row: Row) -> list[str]:
    """What is told otherwise, beside the money."""
    off = [name for name in ("room", "shop") if getattr(fact, name) != getattr(row, name)]
    return off + (["at"] if abs(fact.at - row.at) > STAMPED else [])


def _apart(fact: Fact, row: Row) -> tuple[int, timedelta]:
    """Of several sales of one amount the one that says the same otherwise, too."""
    return len(differing(fact, row)), abs(fact.at - row.at)


def shown(sale: Fact | Row) -> str:
    row = f" (event_id {sale.event_id})" if isinstance(sale, Row) else ""
    return f"{sale.platform} {sale.kind} {sale.order_id}: {sale.amount_minor:,} {sale.currency} at {sale.at}{row}"


async def sale_checks(case: Case, blind: Sequence[Blind]) -> list[Check]:
    """Both sides in the order of platform, order and kind, side by side: neither need fit into memory."""
    case.say("orders and money ...")
    books = Books()
    facts = _facts(case, case.blind_rooms(blind))
    fact = next(facts, None)
    async for key, rows in _rows(case):
        while fact is not None and fact[0] < key:
            books.settle(fact[1], ())
            fact = next(facts, None)
        if fact is not None and fact[0] == key:
            books.settle(fact[1], rows)
            fact = next(facts, None)
        else:
            books.settle((), rows)
    while fact is not None:
        books.settle(fact[1], ())
        fact = next(facts, None)
    return books.checks()


def _facts(case: Case, blind: Mapping[str, Sequence[Span]]) -> Iterator[tuple[Key, list[tuple[Fact, bool]]]]:
    feeds = {(part.platform, part.room): case.feed_of[number] for number, part in enumerate(case.play.parts)}

    def must(fact: Fact, told_at: datetime) -> bool:
        """A gift does not come again: nobody says that it was heard while its room could not be."""
        at_s, spans = case.clock_s(told_at), blind.get(feeds.get((fact.platform, fact.room or ""), ""), ())
        unheard = fact.kind == "gift" and any(span.from_s < at_s <= span.to_s + EARLY_S for span in spans)
        return told_at < case.until and not unheard

    for key, same in groupby(
        facts_of(case.truth), lambda told: (told[0].platform, told[0].order_id, str(told[0].kind))
    ):
        yield key, [(fact, must(fact, told_at)) for fact, told_at in same]


async def _rows(case: Case) -> AsyncIterator[tuple[Key, list[Row]]]:
    """Rows of one order and kind after the other. Needs a transaction."""
    rows: dict[Key, list[Row]] = defaultdict(list)
    async for record in case.conn.cursor(statement("rehearsal/sales"), case.from_at, prefetch=ROWS_AT_ONCE):
        told: dict[str, Any] = dict(record)
        row = Row(**told)
        key = (row.platform, row.order_id, row.kind)
        for earlier in [other for other in rows if other != key]:
            yield earlier, rows.pop(earlier)
        rows[key].append(row)
    for key, last in rows.items():
        yield key, last

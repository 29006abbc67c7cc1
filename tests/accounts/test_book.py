"""How many accounts stand how: those in the book as they stand now, and those of the roster that are not in it."""

from collections.abc import Iterator

from monitor.accounts.account import Account
from monitor.accounts.book import Book
from tests.accounts.played import APP, Memory
from tests.accounts.simulated import now, simulate


def test_who_is_missing_follows_the_book_and_the_roster():
    async def work() -> None:
        memory, asked = Memory([]), list[int]()
        book = Book(memory, lambda heard: None, now)
        await book.open()

        def missing(roster: int, *wanted: str) -> int:
            def rows() -> Iterator[tuple[str, str]]:
                asked.append(roster)
                return (("played", name) for name in wanted)

            return book.counts(roster, rows)["played", "missing"]

        assert missing(1, "shop1", "shop2", "anchor") == 3
        await book.keep(Account(APP, "played", "shop1", "anchor", refused="over"))
        assert missing(1, "shop1", "shop2", "anchor") == 1
        assert missing(1, "shop1", "shop2", "anchor") == 1
        assert asked == [1, 1], "thousands of rows are not looked through at every scrape"
        assert missing(2, "shop1") == 0
        await book.forget(book.get(APP, "shop1", "anchor"))
        assert missing(2, "shop1") == 1
        await book.open()
        assert book.counts(2, lambda: iter(())) == {}

    simulate(work())


def test_an_account_without_tokens_is_missing_and_one_is_counted_as_it_stands_now():
    async def work() -> None:
        book = Book(Memory([]), lambda heard: None, now)
        await book.keep(Account(APP, "played", "shop1"), Account(APP, "played", "", "anchor", refused="over"))
        assert book.counts(1, lambda: iter((("played", "shop1"),))) == {
            ("played", "missing"): 1, ("played", "refused"): 1,
        }  # fmt: skip
        assert book.platforms == {"played"}

    simulate(work())

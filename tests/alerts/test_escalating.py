"""Calls go out once, to who is on duty then, and into the book."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.alerts.alert import Episode
from monitor.alerts.contacts import Contact
from monitor.alerts.escalating import Escalating, Make
from monitor.alerts.escalation import Called
from monitor.alerts.notice import Link
from tests.alerts.duty_book import SINCE, MemoryBook, dropped, episode


class Told:
    def __init__(self) -> None:
        self.keys: dict[str, list[str]] = {}

    async def tell(self, make: Make, key: str, episodes: Sequence[Episode]) -> None:
        self.keys.setdefault(key, [each.mentions[0].name for each in make("zh")])


def caller(
    book: MemoryBook, told: Told, clock: list[datetime], held: set[int], called: dict[int, Called] | None = None
) -> Escalating:
    return Escalating(
        book, lambda: held, lambda at: ("zhang", "li"), lambda name: Contact(name, name.title()),
        lambda number, language: (Link("我来处理", f"https://x/a/{number}"),), told.tell, lambda: clock[0],
        ZoneInfo("Asia/Shanghai"), called,
    )  # fmt: skip


async def test_both_are_called_and_noted_also_when_we_restart_after_the_message_was_put() -> None:
    book, told, clock, held = MemoryBook(episode(7, dropped("1"))), Told(), [SINCE], set[int]()
    one = caller(book, told, clock, held)
    for second in range(0, 320, 5):
        clock[0] = SINCE + timedelta(seconds=second)
        await one.tend()
    assert told.keys == {"escalation 1 7": ["Zhang"]}
    again = caller(book, told, clock, held)  # remembers nothing: the outbox knows the key
    await again.tend()
    clock[0] += timedelta(minutes=5)
    await again.tend()
    assert told.keys == {"escalation 1 7": ["Zhang"], "escalation 2 7": ["Li"]}
    assert (7, "escalated", "Li", "2") in book.actions
    known = caller(book, told, clock, held, {7: Called(2, clock[0])})
    clock[0] += timedelta(hours=1)
    before = len(book.actions)
    await known.tend()
    assert (len(told.keys), len(book.actions)) == (2, before)


async def test_who_holds_it_stops_it() -> None:
    book, told, clock = MemoryBook(episode(7, dropped("1"))), Told(), [SINCE + timedelta(minutes=30)]
    await caller(book, told, clock, {7}).tend()
    assert (told.keys, book.actions) == ({}, [])

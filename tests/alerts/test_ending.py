"""A person's word ends a stopped session and only that: no later stop, not what is on air, no unknown room."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from collectors.tick import Tick
from monitor.alerts.ending import Ending, Said
from monitor.facts import Heard, RosterRoom, Slot
from monitor.live.room import STATE_OF_PHASE
from monitor.live.session import LOST
from monitor.live.watch import Watch
from tests.http.stand_in import NOW, StillRow

KEY = ("rtmp", "1")
SECOND = timedelta(seconds=1)


class Lane:
    def __init__(self) -> None:
        self.put_so_far: list[Heard] = []

    async def room(self, ticks: int = 0, facts: int = 0) -> None:
        return None

    def put(self, heard: Heard) -> None:
        self.put_so_far.append(heard)


class Book:
    def __init__(self) -> None:
        self.ended: list[tuple[tuple[str, str], datetime]] = []

    async def end_room(self, platform: str, room: str, at: datetime) -> None:
        self.ended.append(((platform, room), at))


class Credulous(Ending):
    """Whatever stop there is, it is the one."""

    def again(self, said: Iterable[Said]) -> int:
        return sum(self._watch.ended(*each.room) is not None for each in said)


def watched(*live: bool, planned: timedelta = timedelta(0)) -> Watch:
    """A room that should be on air from NOW on for so long, of which a feed told this, second for second."""
    watch, row = Watch(grace_s=60), StillRow(name="f")
    platform = row.platform or row.PLATFORM
    watch.load([RosterRoom(1, platform, "1", active=True)], [Slot(1, NOW, NOW + planned)], [row], NOW)
    for number, state in enumerate(live):
        at = NOW + number * SECOND
        watch.hear("f", at, [Tick("f", "1", at, "event", live=state)], at)
    return watch


def ending(watch: Watch, kind: type[Ending] = Ending, lane: Lane | None = None, book: Book | None = None) -> Ending:
    return kind(watch, lane or Lane(), book or Book(), lambda: NOW)


def key_of(watch: Watch) -> tuple[str, str]:
    return next(iter(watch.muster.by_key))


@pytest.mark.parametrize(
    ("live", "word", "after"),
    [((True,), "on_air", 1), ((True, False), "ended", 0), ((False,), "not_stopped", 0), ((), "not_stopped", 3)],
)
async def test_what_a_person_says_of_a_room(live, word, after):
    watch, lane, book = watched(*live), Lane(), Book()
    assert await ending(watch, lane=lane, book=book).end(*key_of(watch), "张三") == word
    assert watch.rooms[0].state == after
    assert [len(heard.changes) for heard in lane.put_so_far] == ([1] if word == "ended" else [])
    assert book.ended == ([(key_of(watch), NOW)] if word == "ended" else [])


async def test_of_a_room_that_nobody_knows_it_is_said():
    assert await ending(watched()).end("rtmp", "no such", "张三") == "unknown_room"


async def test_of_a_lost_room_no_change_is_written_so_the_book_alone_remembers_the_word():
    lane, book = Lane(), Book()
    watch = watched(True, *[False] * 62, planned=timedelta(hours=1))
    assert watch.rooms[0].state == STATE_OF_PHASE[LOST]
    assert await ending(watch, lane=lane, book=book).end(*key_of(watch), "张三") == "ended"
    assert [heard.changes for heard in lane.put_so_far] == [[]]
    assert book.ended == [(key_of(watch), NOW)]


def again(kind: type[Ending]) -> list[int]:
    """Stopped at NOW + 1 s: said a second later, or before that stop began."""
    found = []
    for said_at in (NOW + 2 * SECOND, NOW):
        watch = watched(True, False)
        found.append(ending(watch, kind).again([Said(key_of(watch), said_at), Said(("rtmp", "gone"), said_at)]))
    return found


def test_after_a_restart_it_is_said_again_of_the_stop_it_was_about():
    assert again(Ending) == [1, 0]


def test_a_planted_bug_is_found():
    assert again(Credulous) != [1, 0]

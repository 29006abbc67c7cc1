"""A person's word ends a stopped session and only that: no later stop, not what is on air, no unknown room."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from collectors.tick import Tick
from monitor.alerts.ending import Ending, Said
from monitor.facts import Heard, RosterRoom
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


class Credulous(Ending):
    """Whatever stop there is, it is the one."""

    def again(self, said: Iterable[Said]) -> int:
        return sum(self._watch.ended(*each.room) is not None for each in said)


def watched(*live: bool) -> Watch:
    """A room of which a feed told this, second for second from NOW."""
    watch, row = Watch(grace_s=60), StillRow(name="f")
    platform = row.platform or row.PLATFORM
    watch.load([RosterRoom(1, platform, "1", active=True)], [], [row], NOW)
    for number, state in enumerate(live):
        at = NOW + number * SECOND
        watch.hear("f", at, [Tick("f", "1", at, "event", live=state)], at)
    return watch


def key_of(watch: Watch) -> tuple[str, str]:
    return next(iter(watch.muster.by_key))


@pytest.mark.parametrize(
    ("live", "word", "after"),
    [((True,), "on_air", 1), ((True, False), "ended", 0), ((False,), "not_stopped", 0), ((), "not_stopped", 3)],
)
async def test_what_a_person_says_of_a_room(live, word, after):
    watch, lane = watched(*live), Lane()
    assert await Ending(watch, lane).end(*key_of(watch), "张三") == word
    assert watch.rooms[0].state == after
    assert [len(heard.changes) for heard in lane.put_so_far] == ([1] if word == "ended" else [])


async def test_of_a_room_that_nobody_knows_it_is_said():
    assert await Ending(watched(), Lane()).end("rtmp", "no such", "张三") == "unknown_room"


def again(kind: type[Ending]) -> list[int]:
    """Stopped at NOW + 1 s: said a second later, or before that stop began."""
    found = []
    for said_at in (NOW + 2 * SECOND, NOW):
        watch = watched(True, False)
        found.append(kind(watch, Lane()).again([Said(key_of(watch), said_at), Said(("rtmp", "gone"), said_at)]))
    return found


def test_after_a_restart_it_is_said_again_of_the_stop_it_was_about():
    assert again(Ending) == [1, 0]


def test_a_planted_bug_is_found():
    assert again(Credulous) != [1, 0]

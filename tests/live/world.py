"""A small world for the session machine: letters that happen to a room, and what must hold whatever happens."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from collectors.tick import Tick
from monitor.facts import Slot
from tests.live.machine import Machine
from tests.live.scripts import NOON

TICKS: dict[str, dict[str, Any]] = {
    "live": {"live": True},
    "live a": {"live": True, "session_key": "a"},
    "live b": {"live": True, "session_key": "b"},
    "moving a": {"live": True, "session_key": "a", "progress": 1},
    "still a": {"live": True, "session_key": "a", "progress": 0},
    "event moving a": {"live": True, "session_key": "a", "progress": 1, "evidence": "event", "feed": "hooks"},
    "event still a": {"live": True, "session_key": "a", "progress": 0, "evidence": "event", "feed": "hooks"},
    "event live b": {"live": True, "session_key": "b", "evidence": "event", "feed": "hooks"},
    "event gone a": {"live": False, "session_key": "a", "evidence": "event", "feed": "hooks"},
    "event gone b": {"live": False, "session_key": "b", "evidence": "event", "feed": "hooks"},
    "gone": {"live": False},
    "absent": {"live": False, "evidence": "absent"},
    "ended": {"live": False, "end": "ended", "evidence": "event"},
    "failed": {"live": False, "end": "failed", "evidence": "event"},
    "silent frame": {"live": None},
}
WAITS = {"1 s": 1, "stall": 11, "settle": 16, "grace": 121}
LETTERS = (*TICKS, *WAITS, "stale gone", "stale live", "blind", "sight", "step")
LEGAL = {
    (None, "opened"), ("closed", "opened"), ("opened", "dropped"), ("resumed", "dropped"), ("dropped", "resumed"),
    ("opened", "closed"), ("resumed", "closed"), ("dropped", "closed"),
}  # fmt: skip
Told = tuple[str, datetime, str, datetime, int]  # change, at, cause, opened_at, number


class World(NamedTuple):
    session: Any
    now: datetime = NOON
    progress: int = 0
    blind_from: datetime | None = None
    told: tuple[Told, ...] = ()
    dropped_s: float = 0.0  # seen time since the last drop

    def happen(self, letter: str, machine: Machine, rules: Any, slots: Sequence[Slot] = ()) -> "World":
        """One letter, then the second that it took; a room that is seen is also waited for."""
        before, marks = self, list[Any]()
        session, now, blind_from, progress = self.session, self.now, self.blind_from, self.progress
        if letter in TICKS:
            progress += TICKS[letter].get("progress") == 1
            session, marks = machine.see(session, self.tick(letter, progress), now, rules, slots)
        elif letter.startswith("stale") and session.decided_at is not None:
            stale = Tick("poll", "room", session.decided_at, "event", letter == "stale live", session_key="c")
            after = machine.see(session, stale, stale.at, rules, slots)
            assert after == (session, ()), "a stale tick changed something"
        elif letter == "blind" and blind_from is None:
            session, blind_from = machine.blinded(session, now), now
        elif letter == "sight" and blind_from is not None:
            session, marks = machine.sighted(session, now, rules)
            blind_from = None
        elif letter == "step":
            now -= timedelta(seconds=50)
            session = machine.reanchored(session, now)
        marks = list(marks)
        passed_s = WAITS.get(letter, 1)
        later = now + timedelta(seconds=passed_s)
        waited = []
        if blind_from is None:
            session, more = machine.wait(session, later, rules, slots)
            waited = list(more)
        check_marks(letter, before, marks, waited)
        told = before.told + tuple(
            (mark.change, mark.at, mark.cause, mark.after.opened_at, mark.after.number) for mark in (*marks, *waited)
        )
        fresh = letter == "step" or any(mark.change == "dropped" for mark in marks)
        dropped_s = (0.0 if fresh else before.dropped_s) + (0.0 if blind_from else passed_s)
        world = World(session, later, progress, blind_from, told, dropped_s)
        world.check(before, rules)
        return world

    def tick(self, letter: str, progress: int) -> Tick:
        facts = TICKS[letter]
        if "progress" in facts:
            facts = facts | {"progress": progress}
        return Tick(**({"feed": "poll", "room": "room", "at": self.now, "evidence": "status"} | facts))

    def check(self, before: "World", rules: Any) -> None:
        changes = [None, *(told[0] for told in self.told)]
        for last, told in zip(changes[len(before.told) :], self.told[len(before.told) :], strict=False):
            assert (last, told[0]) in LEGAL, f"{told[0]} after {last}"
        for earlier, told in zip(self.told, self.told[1:], strict=False):
            assert told[1] >= earlier[1], "a stamp went back"
            if told[0] == "opened":
                assert told[3] > earlier[3], "an opening that was used before"
                assert told[4] == 1
            else:
                assert told[3] == earlier[3], "opened_at moved"
                assert told[4] == earlier[4] + 1, "a change without its number"
        last_change = changes[-1]
        assert self.session.phase == {None: 0, "opened": 1, "resumed": 1, "dropped": 2}.get(
            last_change, self.session.phase
        )
        if last_change == "dropped" and self.blind_from is None:
            assert self.dropped_s <= rules.grace.total_seconds() + 1, "it stays dropped beyond its grace"
        again = msgspec.msgpack.decode(msgspec.msgpack.encode(self.session), type=type(self.session))
        assert again == self.session, "a restart forgets something"


def check_marks(letter: str, before: World, marks: Sequence[Any], waited: Sequence[Any]) -> None:
    """Which letters may bring which changes."""
    assert all(mark.change == "closed" and mark.cause != "unseen" for mark in waited), "time alone dropped something"
    for mark in marks:
        if mark.change == "dropped":
            assert letter in TICKS, "a drop without a tick"
            facts = TICKS[letter]
            evidence = facts.get("evidence", "status")
            assert before.blind_from is None or evidence == "event", "blind was taken for down"
            stopped = facts["live"] is False
            unmoved = mark.cause == "stall" and letter in ("still a", "event still a")
            assert stopped or unmoved or mark.cause == "reconnect", "a drop without a stop"
        if letter == "sight":
            assert (mark.change, mark.cause) == ("closed", "unseen"), "seeing again changed something"
        if mark.cause == "unseen":
            assert before.blind_from is not None or before.session.doubt is not None

"""What the watch promises, as functions of a machine: its tests run them, and the saboteurs must break them."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from collectors.collector import FeedRow
from collectors.tick import Tick
from monitor.facts import RosterRoom, Slot
from tests.live.machine import Machine
from tests.live.scripts import at, slot

ROOMS = ("live/小雪", "live/b")


class Poll(FeedRow, tag="poll", frozen=True, kw_only=True):
    PLATFORM = "nginx_rtmp"
    interval_s: float = 5.0


class Listed(FeedRow, tag="listed", frozen=True, kw_only=True):
    """Every feed of it tells the platform's own ids of sessions."""

    PLATFORM = "nginx_rtmp"
    KEY_IS = "session"
    KEYS = "broadcasts"


class Hooks(FeedRow, tag="hooks", frozen=True, kw_only=True):
    PLATFORM = "nginx_rtmp"
    TELLS_STATE = False


class Evening:
    """A watch with two rooms, polled each five seconds; all instants are seconds after noon."""

    def __init__(
        self, machine: Machine, feeds: Sequence[FeedRow] = (Poll(name="poll"),), slots: Sequence[Slot] = ()
    ) -> None:
        self.machine = machine
        self.feeds, self.slots = feeds, slots
        self.roster = [RosterRoom(number, "nginx_rtmp", room) for number, room in enumerate(ROOMS, 1)]
        self.heard: list[Any] = []
        self.start(0)

    def start(self, seconds: float, restored: bool = False) -> None:
        """Start; or start again from what was sealed so far."""
        states = {(c.platform, c.room): c.state for heard in self.heard for c in heard.changes}
        feeds = {heard.feed.feed: heard.feed for heard in self.heard if heard.feed}
        self.watch = self.machine.Watch()
        self.keep(self.watch.load(self.roster, self.slots, self.feeds, at(seconds)))
        if restored:
            sessions = {k: msgspec.msgpack.decode(v, type=self.machine.Session) for k, v in states.items()}
            self.watch.restore(sessions, feeds.values(), at(seconds))
        self.keep(self.watch.tend(at(seconds)))

    def keep(self, heard: Any) -> Any:
        self.heard.append(heard)
        return heard

    def poll(self, seconds: float, *live: str, feed: str = "poll", **more: Any) -> Any:
        """A complete answer: these rooms are live, the others are not."""
        facts = {"viewers": 10, "progress": int(seconds * 1000), "session_key": "k"} | more
        ticks = [
            Tick(feed, room, at(seconds), "status", True, **facts)
            if room in live
            else Tick(feed, room, at(seconds), "status", False)
            for room in ROOMS
        ]
        return self.keep(self.watch.hear(feed, at(seconds), ticks, at(seconds + 0.1)))

    def polls(self, from_s: int, to_s: int, *live: str) -> None:
        for seconds in range(from_s, to_s, 5):
            self.poll(seconds, *live)
            self.keep(self.watch.tend(at(seconds + 1)))

    def hook(self, seconds: float, room: str, live: bool, key: str = "k", evidence: Any = "event") -> Any:
        tick = Tick("hooks", room, at(seconds), evidence, live, session_key=key)
        return self.keep(self.watch.hear("hooks", at(seconds), [tick], at(seconds + 0.1)))

    def fail(self, *instants: float) -> None:
        for seconds in instants:
            self.keep(self.watch.fail("poll", "connect", at(seconds)))

    def tends(self, from_s: int, to_s: int) -> None:
        for seconds in range(from_s, to_s):
            self.keep(self.watch.tend(at(seconds)))

    def told(self, room: str = ROOMS[0]) -> list[tuple[str, float, str]]:
        changes = [change for heard in self.heard for change in heard.changes if change.room == room]
        return [(change.change, (change.at - at(0)).total_seconds(), change.cause) for change in changes]

    def spans(self) -> list[tuple[str, float, float | None, str]]:
        spans = [span for heard in self.heard for span in heard.spans]
        return [
            (s.feed, (s.from_at - at(0)).total_seconds(), s.to_at and (s.to_at - at(0)).total_seconds(), s.cause)
            for s in spans
        ]

    def room(self, number: int = 0) -> Any:
        return self.watch.rooms[number]


OPENED = ("opened", 5, "status")


def a_server_that_is_back_with_an_empty_list_is_blind_and_not_one_drop(machine: Machine) -> None:
    evening = Evening(machine)
    evening.polls(5, 30, *ROOMS)
    evening.fail(30, 32)
    assert evening.room().state == 3
    evening.fail(*range(34, 85, 5))
    evening.polls(85, 100)  # nobody has come back yet
    evening.polls(100, 200, *ROOMS)
    assert evening.told() == [OPENED]
    assert evening.spans() == [("poll", 25, None, "connect"), ("poll", 25, 85, "connect")]
    assert evening.room().state == 1


def one_failure_blinds_nobody(machine: Machine) -> None:
    evening = Evening(machine)
    evening.polls(5, 30, *ROOMS)
    evening.fail(30)
    assert evening.room().state == 1
    evening.polls(35, 40, *ROOMS)
    evening.fail(40)
    assert (evening.room().state, evening.spans()) == (1, [])


def after_a_restart_the_same_session_goes_on(machine: Machine) -> None:
    evening = Evening(machine)
    evening.polls(5, 3600, *ROOMS)
    evening.start(3660, restored=True)
    assert evening.room().state == 3
    evening.poll(3665)
    evening.polls(3670, 3700, *ROOMS)
    evening.poll(3700, ROOMS[1])
    assert evening.told() == [OPENED, ("dropped", 3700, "status")]
    assert evening.spans() == [("poll", 3595, None, "restart"), ("poll", 3595, 3665, "restart")]
    assert evening.heard[-1].changes[0].opened_at == at(5)


def after_a_restart_within_grace_the_session_resumes(machine: Machine) -> None:
    evening = Evening(machine)
    evening.polls(5, 50, *ROOMS)
    evening.polls(50, 100)
    evening.start(1000, restored=True)
    evening.poll(1005)
    evening.polls(1010, 1030, *ROOMS)
    assert evening.told() == [OPENED, ("dropped", 50, "status"), ("resumed", 1010, "status")]


def a_room_is_blind_only_when_all_feeds_are_that_can_tell(machine: Machine) -> None:
    evening = Evening(machine, (Poll(name="poll"), Poll(name="second"), Hooks(name="hooks")))
    evening.polls(5, 30, *ROOMS)
    evening.poll(26, *ROOMS, feed="second")
    evening.hook(27, ROOMS[0], True)
    evening.fail(30, 32)
    assert evening.room().state == 1
    evening.keep(evening.watch.silent("second", at(41)))
    assert evening.room().state == 3
    assert evening.room().session.doubt.blind_from == at(26)


def no_grace_runs_while_nothing_is_heard(machine: Machine) -> None:
    evening = Evening(machine)
    evening.polls(5, 50, *ROOMS)
    evening.poll(50)
    evening.tends(51, 400)
    assert evening.told() == [OPENED, ("dropped", 50, "status")]


def where_only_hooks_tell_grace_runs_by_the_clock(machine: Machine) -> None:
    evening = Evening(machine, (Hooks(name="hooks"),))
    evening.hook(5, ROOMS[0], True)
    evening.hook(50, ROOMS[0], False)
    evening.tends(51, 200)
    assert evening.told() == [("opened", 5, "event"), ("dropped", 50, "event"), ("closed", 50, "unknown")]


def a_step_of_the_clock_is_blind_time(machine: Machine) -> None:
    evening = Evening(machine)
    evening.polls(5, 3605, *ROOMS)
    evening.keep(evening.watch.stepped(at(5)))
    assert evening.room().state == 3
    evening.polls(10, 100, *ROOMS)
    evening.poll(100)
    assert evening.told() == [OPENED, ("dropped", 100, "status")]
    assert evening.spans() == [("poll", 5, None, "clock"), ("poll", 5, 10, "clock")]


def blindness_forgets_a_first_absence(machine: Machine) -> None:
    rules = machine.Rules()
    absent = [Tick("poll", "r", at(s), "absent", False) for s in (5, 40)]
    session, _ = machine.see(machine.Session(), Tick("poll", "r", at(0), "status", True), at(0), rules)
    session, _ = machine.see(session, absent[0], at(5), rules)
    session, _ = machine.sighted(machine.blinded(session, at(6)), at(20), rules)
    session, marks = machine.see(session, absent[1], at(40), rules)
    assert list(marks) == []


def a_stamp_never_goes_back_over_a_step_of_the_clock(machine: Machine) -> None:
    rules, told = machine.Rules(), []
    session, marks = machine.see(machine.Session(), Tick("poll", "r", at(0), "status", True), at(0), rules)
    told += marks
    session = machine.reanchored(session, at(-3600))
    for seconds, live in ((-3590, False), (-3400, True)):
        session, marks = machine.see(session, Tick("poll", "r", at(seconds), "status", live), at(seconds), rules)
        told += marks
        session, marks = machine.wait(session, at(seconds + 130), rules)
        told += marks
    assert [mark.at for mark in told] == sorted(mark.at for mark in told)
    assert len({mark.after.opened_at for mark in told if mark.change == "opened"}) == 2


def blind_for_too_long_is_unseen(machine: Machine) -> None:
    evening = Evening(machine)
    evening.polls(5, 30, *ROOMS)
    evening.fail(30, 31)
    evening.keep(evening.watch.tend(at(30) + timedelta(hours=4)))
    assert evening.told() == [OPENED, ("closed", 25, "unseen")]


def a_person_says_that_a_stop_was_a_sign_off(machine: Machine) -> None:
    expected = (slot(0, 3_600),)
    for until, changes in ((60, [("closed", 30, "ended")]), (300, [("closed", 30, "lost")])):
        evening = Evening(machine, slots=expected)
        evening.polls(5, 30, *ROOMS)
        assert evening.watch.ended("nginx_rtmp", ROOMS[0]) is None  # nobody is believed of a room that is on air
        evening.polls(30, until, ROOMS[1])
        evening.keep(evening.watch.ended("nginx_rtmp", ROOMS[0]))
        assert (evening.room().state, evening.room(1).state) == (0, 1)
        evening.polls(until, 400, ROOMS[1])
        assert evening.watch.ended("nginx_rtmp", ROOMS[0]) is None
        assert evening.told() == [OPENED, ("dropped", 30, "status"), *changes]
        evening.poll(400, *ROOMS)
        assert evening.told()[-1] == ("opened", 400, "status")
    assert evening.watch.ended("nginx_rtmp", "nobody's") is None


def a_stuck_publisher_does_not_undo_a_sign_off(machine: Machine) -> None:
    evening = Evening(machine)
    evening.polls(5, 30, *ROOMS)
    for seconds in range(30, 60, 5):
        evening.poll(seconds, *ROOMS, progress=1)
    evening.keep(evening.watch.ended("nginx_rtmp", ROOMS[0]))
    evening.poll(60, *ROOMS, progress=1)
    assert [change for change, _, _ in evening.told()] == ["opened", "dropped", "closed"]


def feeds_that_tell_the_same_keys_tell_of_the_same_sessions(machine: Machine) -> None:
    """Whoever tells it first; an answer that is older than the session it comes into begins none, and ends none."""
    for first, second in (("list", "events"), ("events", "list")):
        evening = Evening(machine, (Listed(name="list"), Listed(name="events")))
        for seconds, feed, key in ((5, first, "s1"), (6, second, "s1"), (10, first, "s2"), (11, second, "s1")):
            evening.poll(seconds, ROOMS[0], feed=feed, session_key=key, progress=None)
        replaced = [OPENED, ("closed", 10, "replaced"), ("opened", 10, "status")]
        assert evening.told() == replaced
        evening.start(30, restored=True)
        for seconds, feed, key in ((35, first, "s1"), (36, second, "s2"), (37, first, "s1"), (38, first, "s2")):
            evening.poll(seconds, ROOMS[0], feed=feed, session_key=key, progress=None)
        assert evening.told() == replaced
        evening.start(50, restored=True)
        evening.poll(55, ROOMS[0], feed=second, session_key="s3", progress=None)
        assert evening.told() == [*replaced, ("closed", 38, "unseen"), ("opened", 55, "status")]


def poll_and_hook_of_one_server_tell_of_one_session(machine: Machine) -> None:
    evening = Evening(machine, (Poll(name="poll"), Hooks(name="hooks")))
    evening.poll(5, ROOMS[0], session_key="42:7")
    evening.hook(6, ROOMS[0], True, ":8")  # a second publisher, who is refused
    evening.hook(8, ROOMS[0], True, ":8", "status")
    evening.hook(9, ROOMS[0], False, ":8")
    evening.poll(10, ROOMS[0], session_key="42:7")
    evening.hook(12, ROOMS[0], False, ":7")
    evening.hook(20, ROOMS[0], True, ":9")
    evening.poll(25, ROOMS[0], session_key="42:9")
    evening.hook(26, ROOMS[0], True, ":9")
    assert evening.told() == [OPENED, ("dropped", 12, "event"), ("resumed", 20, "event")]
    evening.poll(30, ROOMS[0], session_key="43:9")  # the server began anew, and its numbers with it
    assert [change for change, _, cause in evening.told()[3:] if cause != "event"] == ["dropped", "resumed"]


def where_refused_publishers_are_not_told_of_another_takes_over(machine: Machine) -> None:
    rules, told = machine.Rules(refused_told=False), []
    session = machine.Session()
    for seconds, live, key in ((0, True, "a"), (600, True, "b"), (601, False, "a"), (900, False, "b")):
        tick = Tick("cloud", "r", at(seconds), "event", live, session_key=key)
        session, marks = machine.see(session, tick, at(seconds), rules)
        told += [(mark.change, mark.at) for mark in marks]
    assert told == [("opened", at(0)), ("dropped", at(900))]


ALL: tuple[Callable[[Machine], None], ...] = (
    a_server_that_is_back_with_an_empty_list_is_blind_and_not_one_drop,
    one_failure_blinds_nobody,
    after_a_restart_the_same_session_goes_on,
    after_a_restart_within_grace_the_session_resumes,
    a_room_is_blind_only_when_all_feeds_are_that_can_tell,
    no_grace_runs_while_nothing_is_heard,
    where_only_hooks_tell_grace_runs_by_the_clock,
    a_step_of_the_clock_is_blind_time,
    blindness_forgets_a_first_absence,
    a_stamp_never_goes_back_over_a_step_of_the_clock,
    blind_for_too_long_is_unseen,
    a_person_says_that_a_stop_was_a_sign_off,
    a_stuck_publisher_does_not_undo_a_sign_off,
    feeds_that_tell_the_same_keys_tell_of_the_same_sessions,
    poll_and_hook_of_one_server_tell_of_one_session,
    where_refused_publishers_are_not_told_of_another_takes_over,
)

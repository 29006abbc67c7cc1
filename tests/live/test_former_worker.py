"""A reload of nginx, as a watch sees it: blindness of those who stay with the former worker, with an end."""

from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.servers.nginx_rtmp_hooks import NginxRtmpHooks
from collectors.tick import Tick
from monitor.facts import Heard, RosterRoom
from monitor.live.watch import Watch
from tests.live.scripts import at

ROOM, OTHER, OFF = "live/room1", "live/room2", "live/room3"
LIVE, DROPPED, BLIND = 1, 2, 3


class Evening:
    """Two rooms are on air with one worker until 5; from 10 on another one answers. A third is off air throughout."""

    def __init__(self) -> None:
        self.watch = Watch(grace_s=120.0)
        roster = [RosterRoom(number, "nginx_rtmp", room) for number, room in enumerate((ROOM, OTHER, OFF), 1)]
        feeds = [NginxRtmp(name="poll", url="http://127.0.0.1/stat"), NginxRtmpHooks(name="calls", app="halls")]
        self.heard: list[Heard] = [self.watch.load(roster, (), feeds, at(-1))]
        for seconds in (0, 5):
            self.poll(seconds, {ROOM: "1:7", OTHER: "1:8"})
        for seconds in (10, 15, 20):
            self.poll(seconds, {}, (ROOM, OTHER))

    def poll(self, seconds: float, on_air: dict[str, str], hidden: tuple[str, ...] = ()) -> None:
        for room in hidden:
            self.heard.append(self.watch.fail_room("poll", room, "reload", at(seconds + 0.1)))
        ticks = [
            Tick("poll", room, at(seconds), "status", True, progress=int(seconds), session_key=on_air[room])
            if room in on_air
            else Tick("poll", room, at(seconds), "status", False)
            for room in (ROOM, OTHER, OFF)
            if room not in hidden
        ]
        self.heard.append(self.watch.hear("poll", at(seconds), ticks, at(seconds + 0.1)))
        self.heard.append(self.watch.tend(at(seconds + 1)))

    def call(self, seconds: float, live: bool, key: str) -> None:
        tick = Tick("calls", ROOM, at(seconds), "event", live, session_key=key)
        self.heard.append(self.watch.hear("calls", at(seconds), [tick], at(seconds), whole=False))

    @property
    def states(self) -> list[int]:
        return [room.state for room in self.watch.rooms[:2]]

    def told(self, room: str = ROOM) -> list[tuple[str, str, float]]:
        changes = [change for heard in self.heard for change in heard.changes if change.room == room]
        return [(change.change, change.cause, (change.at - at(0)).total_seconds()) for change in changes]

    def spans(self, room: str = ROOM) -> list[tuple[str, float]]:
        spans = [span for heard in self.heard for span in heard.spans if span.room == room and span.to_at]
        return [(span.cause, (span.to_at - span.from_at).total_seconds()) for span in spans if span.to_at]


OPENED = ("opened", "status", 0.0)


def test_rooms_that_the_new_worker_does_not_list_are_blind_since_they_were_seen_last():
    evening = Evening()
    assert (evening.states, evening.told(), evening.told(OTHER)) == ([BLIND, BLIND], [OPENED], [OPENED])
    assert evening.watch.feeds["poll"].state == "ok"


def test_who_is_listed_again_is_seen_and_the_others_stay_blind():
    evening = Evening()
    for seconds in (25, 30):
        evening.poll(seconds, {ROOM: "2:1"}, (OTHER,))
    assert evening.states == [LIVE, BLIND]
    assert evening.spans() == [("reload", 20.0)]
    assert evening.watch.rooms[0].drops_total == 0


def test_who_is_back_before_the_second_answer_was_never_blind():
    evening = Evening()
    evening.poll(25, {ROOM: "2:1", OTHER: "2:2"})
    evening.poll(30, {OTHER: "2:2"}, (ROOM,))  # one answer of another reload
    evening.poll(35, {ROOM: "3:1", OTHER: "2:2"})
    assert evening.states == [LIVE, LIVE]
    assert evening.spans() == [("reload", 20.0)]
    assert evening.told()[-2:] == [("dropped", "reconnect", 25.0), ("resumed", "status", 35.0)]


def test_a_call_tells_of_an_end_though_nobody_sees_the_room():
    evening = Evening()
    evening.call(22, False, ":8")  # of another room's publisher, or a refused one
    assert evening.told() == [OPENED]
    evening.call(23, False, ":7")
    assert evening.told() == [OPENED, ("dropped", "event", 23.0)]
    for seconds in range(25, 100, 5):
        evening.poll(seconds, {ROOM: "2:3"} if seconds > 60 else {}, (OTHER,) if seconds > 60 else (ROOM, OTHER))
    assert evening.told()[2:] == [("resumed", "status", 65.0)]


def test_when_the_limit_has_passed_absence_counts_as_it_does_after_any_blindness():
    evening = Evening()
    for seconds in range(25, 910, 5):
        evening.poll(seconds, {}, (ROOM, OTHER))
    assert evening.told() == [OPENED]
    assert evening.watch.feeds["poll"].state == "ok", "numbers of rooms that it cannot show do not stand still"
    for seconds in range(910, 940, 5):
        evening.poll(seconds, {})
    assert evening.told() == [OPENED, ("dropped", "status", 930.0)]
    assert evening.states == [DROPPED, DROPPED]
    assert evening.spans() == [("reload", 905.0)]

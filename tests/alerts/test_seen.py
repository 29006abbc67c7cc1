"""How alerts see what the watch sees: with a real watch."""

from datetime import UTC, datetime, timedelta

import pytest

from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.tick import Tick
from monitor.alerts.seen import WatchSight
from monitor.alerts.sight import BLIND, DROPPED, LIVE, LOST, OFFLINE, UNWATCHED, Counts
from monitor.facts import RosterRoom, Slot
from monitor.live.watch import Watch
from monitor.store.batch import session_id

AT = datetime(2026, 11, 19, 12, tzinfo=UTC)


class World:
    def __init__(self) -> None:
        self.watch, self.now = Watch(grace_s=60), AT
        rooms = [
            RosterRoom(
                number, "nginx_rtmp", f"live/{number}", f"主播{number}", city="大连", hall=hall, tier=1, contact="zhang"
            )
            for number, hall in enumerate("AAB", 1)
        ]  # fmt: skip
        slots = [Slot(1, AT - timedelta(hours=1), AT + timedelta(hours=4))]
        feeds = [NginxRtmp(name=f"hall-{hall}", hall=hall, url="http://x/stat") for hall in "AB"]
        self.watch.load([*rooms, RosterRoom(4, "other", "4")], slots, feeds, self.now)
        self.sight = WatchSight(self.watch, session_id)

    def tell(self, seconds: float, viewers: dict[int, int | None], hall: str = "A") -> None:
        """After so many seconds; None is off."""
        self.now += timedelta(seconds=seconds)
        ticks = [
            Tick(f"hall-{hall}", f"live/{number}", self.now, "status", told is not None, viewers=told)
            for number, told in viewers.items()
        ]
        self.watch.hear(f"hall-{hall}", self.now, ticks, self.now)
        self.watch.tend(self.now)


@pytest.fixture
def world():
    return World()


def test_a_room_from_blind_to_live_to_dropped_to_lost(world):
    seen = world.sight.room("nginx_rtmp", "live/1")
    assert (seen.anchor, seen.city, seen.hall, seen.tier, seen.contact) == ("主播1", "大连", "A", 1, "zhang")
    assert (seen.state, seen.since, seen.session_id, seen.viewers_before) == (BLIND, None, "", None)
    world.tell(1, {1: 900, 2: None})
    seen = world.sight.room("nginx_rtmp", "live/1")
    assert (seen.state, seen.since) == (LIVE, world.now)
    assert seen.session_id == str(session_id("nginx_rtmp", "live/1", world.now))
    world.tell(60, {1: 12_340, 2: None})
    world.tell(5, {1: None, 2: None})
    world.tell(5, {1: None, 2: None})
    dropped = world.sight.room("nginx_rtmp", "live/1")
    assert (dropped.state, dropped.viewers_before) == (DROPPED, 12_340)
    assert AT < dropped.since <= world.now
    for _ in range(30):
        world.tell(5, {1: None, 2: None})
    lost = world.sight.room("nginx_rtmp", "live/1")
    assert (lost.state, lost.since, lost.viewers_before) == (LOST, dropped.since, 12_340)  # the same stop
    assert world.sight.room("nginx_rtmp", "live/2").state == OFFLINE
    assert world.sight.room("nginx_rtmp", "live/2").room_id == 2
    world.tell(5, {1: 5, 2: None})
    assert world.sight.room("nginx_rtmp", "live/1").state == LIVE


def test_a_blind_room_says_since_when(world):
    world.tell(1, {1: 9, 2: 9})
    for _ in range(2):
        world.watch.fail("hall-A", "refused", world.now + timedelta(seconds=5))
    seen = world.sight.room("nginx_rtmp", "live/1")
    assert (seen.state, seen.since) == (BLIND, world.now)
    assert world.sight.feed("hall-A") == "blind"
    assert world.sight.feed("nobody") is None


def test_rooms_that_stopped_by_viewers_and_counts_by_hall(world):
    world.tell(1, {1: 9, 2: 99})
    world.tell(1, {3: 5}, "B")
    for _ in range(2):
        world.tell(5, {1: None, 2: None})
    assert [room.room for room in world.sight.stopped()] == ["live/2", "live/1"]
    assert world.sight.stopped("nginx_rtmp", "B") == world.sight.stopped("other") == []
    assert world.sight.counts("nginx_rtmp", "A") == Counts("nginx_rtmp", "A", dropped=2)
    assert world.sight.counts() == Counts(live=1, dropped=2)
    assert world.sight.room("other", "4").state == UNWATCHED
    assert world.sight.room("nginx_rtmp", "4") is None


def test_after_a_restart_the_stop_is_the_same_and_nothing_is_live_before_it_is_seen(world):
    world.tell(1, {1: 9, 2: 9})
    for _ in range(2):
        world.tell(5, {1: None, 2: 9})
    before = world.sight.room("nginx_rtmp", "live/1").since
    again = World()
    again.now = world.now + timedelta(seconds=20)
    sessions = {(room.platform, room.external_id): room.session for room in world.watch.rooms}
    feeds = [feed.remembered() for feed in world.watch.feeds.values()]
    again.watch.restore(sessions, feeds, again.now)
    again.watch.tend(again.now)
    assert [again.sight.room("nginx_rtmp", f"live/{number}").state for number in (1, 2)] == [BLIND, BLIND]
    again.tell(5, {1: None, 2: 9})
    seen = again.sight.room("nginx_rtmp", "live/1")
    assert (seen.state, seen.since) == (DROPPED, before)


def test_what_a_player_found_since_the_stop_is_seen_and_nothing_older(world):
    room = world.watch.muster.by_key["nginx_rtmp", "live/1"]
    world.tell(1, {1: 9, 2: 9})
    room.probed = ("moving", world.now)
    assert world.sight.room("nginx_rtmp", "live/1").picture == ""  # it has not stopped
    world.tell(5, {1: None, 2: 9})
    assert world.sight.room("nginx_rtmp", "live/1").picture == ""
    room.probed = ("nothing", world.now + timedelta(seconds=1))
    assert world.sight.room("nginx_rtmp", "live/1").picture == "nothing"

"""Pushes that are late blind their feed, and no room; nothing but their witness ends that."""

from datetime import UTC, datetime, timedelta

import msgspec

from collectors.orders.push_json import PushJson
from collectors.tick import Tick
from monitor.facts import BlindSpan, FeedState, RosterRoom
from monitor.http.sums import is_up
from monitor.live.lateness import late, punctual, witnessed
from monitor.live.watch import Watch

START = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
ROW = PushJson(name="erp", app="erp")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def watching() -> Watch:
    watch = Watch()
    watch.load([RosterRoom(1, "push_json", "r")], (), [ROW], START)
    watch.hear("erp", at(1), [Tick("erp", "r", at(1), "event", live=True)], at(1))
    return watch


def test_it_blinds_the_feed_and_no_room_and_no_push_ends_it():
    watch = watching()
    sight, [room] = watch.feeds["erp"], watch.rooms
    heard = late(sight, at(10))
    assert heard.spans == [BlindSpan("erp", "push_json", at(10), "push_late")]
    assert heard.feed is not None
    assert heard.feed.late_from == at(10)
    assert (sight.state, sight.detail, is_up(sight)) == ("blind", "push_late", False)
    heard = watch.hear("erp", at(20), [Tick("erp", "r", at(20), "event", live=True)], at(20))
    assert heard.spans == []
    assert heard.feed is not None
    assert heard.feed.late_from == at(10)  # so it is sealed with every push
    assert (sight.state, room.state, room.unseen) == ("blind", 1, False)
    heard = punctual(sight, at(30))
    assert heard.spans == [BlindSpan("erp", "push_json", at(10), "push_late", to_at=at(30))]
    assert (sight.state, sight.detail, is_up(sight)) == ("ok", "", True)
    assert punctual(sight, at(31)).facts == 0


def test_it_is_remembered_over_a_start_with_all_that_the_witness_needs():
    watch = watching()
    witnessed(watch.feeds["erp"], at(2))
    late(watch.feeds["erp"], at(10))
    punctual(watch.feeds["erp"], at(30))
    heard = late(watch.feeds["erp"], at(40))
    raw = msgspec.msgpack.encode(heard.feed)
    again = Watch()
    again.load([], (), [ROW], at(100))
    again.restore({}, [msgspec.msgpack.decode(raw, type=FeedState)], at(100))
    sight = again.feeds["erp"]
    assert (sight.witness_from, sight.late_from, sight.late_until) == (at(2), at(40), at(30))
    assert sight.state == "blind"
    assert again.tend(at(101)).spans == []  # the span is open in the books already


def test_what_an_earlier_release_remembered_is_read():
    raw = msgspec.msgpack.encode({"feed": "erp", "seen_until": START, "blind_cause": ""})
    assert msgspec.msgpack.decode(raw, type=FeedState) == FeedState("erp", START)


def test_a_feed_that_leaves_the_config_ends_its_span():
    watch = watching()
    late(watch.feeds["erp"], at(10))
    heard = watch.load([RosterRoom(1, "push_json", "r")], (), [], at(50))
    assert heard.spans == [BlindSpan("erp", "push_json", at(10), "push_late", to_at=at(50))]

"""Whose tick it is: keys that two feeds of one server tell, one of which may know the end of a key alone."""

from datetime import timedelta

import pytest

from monitor.live.blindness import blinded, sighted
from monitor.live.session import LIVE, Rules, Session
from tests.live.scripts import at, gone, live, play, story

HOOKS = Rules(refresh=timedelta(seconds=2))
CLOUD = Rules(refused_told=False)


def hook(seconds, is_live, key, **more):
    tick = live if is_live else gone
    return tick(seconds, **({"feed": "hooks", "evidence": "event", "session_key": key} | more))


def polled(seconds, key="42:7", **more):
    return live(seconds, session_key=key, **more)


def test_a_hook_that_knows_the_end_of_the_key_stops_what_the_poll_saw():
    session, marks = play([polled(0), polled(5), hook(7, False, ":7")])
    assert story(marks) == [("opened", 0, "status"), ("dropped", 7, "event")]
    assert session.key == "42:7"


def test_the_poll_makes_the_key_whole_and_keeps_it():
    session, marks = play([hook(0, True, ":7"), polled(5), hook(6, True, ":7"), hook(8, True, ":7", evidence="status")])
    assert story(marks) == [("opened", 0, "event")]
    assert (session.key, session.key_feed) == ("42:7", "poll")


def test_both_feeds_of_one_server_tell_of_one_session():
    evening = [
        hook(0, True, ":7"), polled(5), polled(10), hook(12, False, ":7"), gone(15),
        hook(20, True, ":9"), polled(25, "42:9"), polled(30, "42:9"),
    ]  # fmt: skip
    session, marks = play(evening, rules=HOOKS)
    assert story(marks) == [("opened", 0, "event"), ("dropped", 12, "event"), ("resumed", 20, "event")]
    assert (session.phase, session.key, session.key_feed) == (LIVE, "42:9", "poll")


@pytest.mark.parametrize("key", [":30", ":77", "7", "2:7", ":42:7:"])
def test_another_end_is_another_publisher_who_begins_nothing_and_ends_nothing(key):
    _, marks = play([polled(0), hook(2, True, key), hook(2.1, False, key), polled(5)])
    assert story(marks) == [("opened", 0, "status")]


@pytest.mark.parametrize("between", [(), (gone(3),)], ids=["on air", "stopped"])
def test_a_status_that_knows_another_end_alone_takes_no_key_over_and_brings_nothing_back(between):
    session, marks = play([polled(0), *between, hook(4, True, ":30", evidence="status")])
    assert [change for change, _, _ in story(marks)] == ["opened", "dropped"][: 1 + len(between)]
    assert (session.key, session.key_feed) == ("42:7", "poll")
    _, marks = play([polled(5), gone(9), hook(12, False, ":30"), polled(15)], session)
    assert "reconnect" not in [cause for _, _, cause in story(marks)]


def test_a_process_that_began_anew_is_told_by_the_whole_key_only():
    _, marks = play([polled(0), polled(5), polled(10, "43:7")])
    assert story(marks) == [("opened", 0, "status"), ("dropped", 5, "reconnect"), ("resumed", 10, "status")]


def test_after_blindness_the_end_of_a_key_does_not_show_that_it_is_the_session_we_knew():
    session, _ = play([polled(0), polled(5)])
    session, _ = sighted(blinded(session, at(6)), at(60), Rules())
    session, _ = play([hook(61, True, ":7", evidence="status")], session)
    _, marks = play([polled(65, "43:7")], session)
    assert story(marks) == [("closed", 6, "unseen"), ("opened", 65, "status")]


def test_an_update_that_overtakes_the_end_brings_nothing_back():
    told = [hook(0, True, ":7"), hook(60, False, ":7"), hook(60.5, True, ":7", evidence="status")]
    _, marks = play(told, rules=HOOKS)
    assert story(marks) == [("opened", 0, "event"), ("dropped", 60, "event")]


def test_a_call_that_comes_twice_or_late_decides_nothing():
    told = [hook(0, True, "a"), hook(0, True, "a"), hook(60, False, "a"), hook(60, False, "a"), hook(10, True, "a")]
    _, marks = play(told, rules=CLOUD)
    assert story(marks) == [("opened", 0, "event"), ("dropped", 60, "event")]


def test_where_refused_publishers_are_not_told_of_another_one_took_over_without_a_stop():
    told = [hook(0, True, "a"), hook(600, True, "b"), hook(601, False, "a"), hook(900, False, "b", end="ended")]
    session, marks = play(told, rules=CLOUD)
    assert story(marks) == [("opened", 0, "event"), ("closed", 900, "ended")]
    assert session.key == "b"


def test_where_they_are_told_of_the_second_is_taken_for_refused():
    _, marks = play([hook(0, True, "a"), hook(600, True, "b"), hook(601, False, "b")], Session())
    assert story(marks) == [("opened", 0, "event")]

"""The rules of a session, each in one sentence."""

from datetime import timedelta

import msgspec
import pytest

from monitor.live.blindness import unmeasured
from monitor.live.session import DROPPED, LIVE, LOST, OFF, Rules
from tests.live.scripts import NOON, SESSION_KEYS, at, gone, live, pass_time, play, slot, story

OPENED = ("opened", 0, "status")


def test_a_live_tick_opens_a_session():
    session, marks = play([live(0)])
    assert story(marks) == [OPENED]
    assert (session.phase, session.opened_at, session.number) == (LIVE, NOON, 1)


def test_a_tick_that_does_not_say_decides_nothing():
    session, marks = play([live(0), live(5, live=None, end="ended")])
    assert story(marks) == [OPENED]
    assert session.decided_at == NOON


@pytest.mark.parametrize("seconds", [-1, 0])
def test_a_tick_not_later_than_the_last_deciding_one_decides_nothing(seconds):
    before, _ = play([live(0)])
    after, marks = play([gone(seconds)], before)
    assert (after, marks) == (before, [])


def test_status_decides_at_once_and_a_return_within_grace_is_the_same_session():
    session, marks = play([live(0), gone(5), live(10)])
    assert story(marks) == [OPENED, ("dropped", 5, "status"), ("resumed", 10, "status")]
    assert [mark.after.number for mark in marks] == [1, 2, 3]
    assert session.opened_at == NOON


def test_absence_decides_at_the_second_answer_in_a_row_and_dates_from_the_first():
    _, marks = play([live(0), gone(5, evidence="absent"), gone(10, evidence="absent")])
    assert story(marks) == [OPENED, ("dropped", 5, "absent")]


def test_a_live_tick_in_between_forgets_the_first_absence():
    _, marks = play([live(0), gone(5, evidence="absent"), live(10), gone(15, evidence="absent"), live(20)])
    assert story(marks) == [OPENED]


def test_a_late_live_tick_from_before_the_absence_does_not_forget_it():
    _, marks = play([live(0), gone(5, evidence="absent"), live(4), gone(10, evidence="absent")])
    assert story(marks) == [OPENED, ("dropped", 5, "absent")]


def test_status_contradicts_an_event_only_when_later_by_more_than_the_refresh():
    rules = Rules(refresh=timedelta(seconds=5))
    _, marks = play([live(0, evidence="event"), gone(5), gone(6)], rules=rules)
    assert story(marks) == [("opened", 0, "event"), ("dropped", 6, "status")]


def test_a_lagging_status_does_not_bring_back_what_an_event_ended():
    rules = Rules(refresh=timedelta(seconds=5))
    _, marks = play([live(0), gone(10, evidence="event"), live(12)], rules=rules)
    assert story(marks) == [OPENED, ("dropped", 10, "event")]


def test_a_lagging_status_does_not_bring_back_the_key_that_an_event_replaced():
    rules = Rules(refresh=timedelta(seconds=5))
    hooks = {"evidence": "event", "feed": "hooks"}
    ticks = [live(0, session_key="a"), gone(10, **hooks, session_key="a"), live(12, **hooks, session_key="b")]
    session, marks = play([*ticks, live(13, session_key="a"), live(20, session_key="b")], rules=rules)
    assert story(marks) == [OPENED, ("dropped", 10, "event"), ("resumed", 12, "event")]
    assert (session.key, session.key_feed) == ("b", "poll")


def test_an_end_that_was_told_closes_at_once():
    session, marks = play([live(0), gone(5, evidence="event", end="ended")])
    assert story(marks) == [OPENED, ("closed", 5, "ended")]
    assert session.phase is OFF


def test_an_end_told_after_the_stop_closes_as_of_the_stop():
    _, marks = play([live(0), gone(5), gone(30, evidence="event", end="ended")])
    assert story(marks) == [OPENED, ("dropped", 5, "status"), ("closed", 5, "ended")]


def test_a_failure_that_was_told_is_a_loss_when_grace_runs_out():
    session, marks = play([live(0), gone(5, evidence="event", end="failed")])
    session, more = pass_time(session, 126)
    assert story([*marks, *more]) == [OPENED, ("dropped", 5, "failed"), ("closed", 5, "lost")]
    assert session.phase is LOST


def test_grace_runs_out_only_after_its_last_instant():
    session, _ = play([live(0), gone(5)])
    assert pass_time(session, 125) == (session, [])
    assert story(pass_time(session, 125.001)[1]) == [("closed", 5, "unknown")]


def test_a_return_after_grace_is_a_new_session():
    session, marks = play([live(0), gone(5), live(126)])
    assert story(marks) == [OPENED, ("dropped", 5, "status"), ("closed", 5, "unknown"), ("opened", 126, "status")]
    assert (session.number, session.opened_at) == (1, at(126))


def test_a_stop_in_mid_schedule_is_lost_until_the_room_is_live_again():
    slots = [slot(-3600, 7200)]
    session, _ = play([live(0), gone(5)])
    session, marks = pass_time(session, 200, slots=slots)
    assert (story(marks), session.phase) == ([("closed", 5, "lost")], LOST)
    assert pass_time(session, 7000, slots=slots)[0].phase is LOST
    assert play([live(7000)], session, slots=slots)[0].phase is LIVE


def test_a_lost_room_is_no_longer_missed_once_its_planned_end_has_passed():
    slots = [slot(-3600, 7200)]
    session, _ = play([live(0), gone(5), gone(20)])
    session, _ = pass_time(session, 200, slots=slots)
    assert pass_time(session, 7200, slots=slots) == (msgspec.structs.replace(session, phase=OFF), [])


def test_a_lost_room_without_a_slot_stays_lost():
    session, _ = play([live(0), gone(5, end="failed")])
    session, _ = pass_time(session, 200)
    assert pass_time(session, 1e6)[0].phase is LOST


def test_a_lost_room_is_off_once_somebody_says_that_it_is_over():
    session, _ = play([live(0), gone(5, end="failed")])
    session, _ = pass_time(session, 200)
    session, marks = play([gone(300, evidence="event", end="ended")], session)
    assert (session.phase, marks) == (OFF, [])


def test_a_stop_at_its_planned_end_is_no_loss():
    session, _ = play([live(0), gone(5)])
    _, marks = pass_time(session, 200, slots=[slot(-3600, 900)])
    assert story(marks) == [("closed", 5, "scheduled")]


def test_another_connection_in_status_is_a_drop_and_a_resumption():
    session, marks = play([live(0, session_key="a"), live(5, session_key="a"), live(10, session_key="b")])
    assert story(marks) == [OPENED, ("dropped", 5, "reconnect"), ("resumed", 10, "status")]
    assert session.key == "b"


def test_another_session_key_replaces_the_session():
    _, marks = play([live(0, session_key="a"), live(10, session_key="b")], rules=SESSION_KEYS)
    assert story(marks) == [OPENED, ("closed", 10, "replaced"), ("opened", 10, "status")]


def test_another_session_key_after_a_drop_replaces_it_as_of_the_stop():
    _, marks = play([live(0, session_key="a"), gone(5), live(10, session_key="b")], rules=SESSION_KEYS)
    assert story(marks)[2:] == [("closed", 5, "replaced"), ("opened", 10, "status")]


def test_a_key_of_another_feed_is_no_other_connection():
    ticks = [live(0, session_key="a"), live(5, feed="other", session_key="17"), live(10, session_key="a")]
    assert story(play(ticks)[1]) == [OPENED]


def test_a_refused_second_publisher_begins_nothing_and_ends_nothing():
    hooks = {"feed": "hooks", "evidence": "event", "session_key": "b"}
    session, marks = play([live(0, session_key="a"), live(3, **hooks), gone(4, **hooks), gone(5, **hooks, end="ended")])
    assert story(marks) == [OPENED]
    assert session.key == "a"


def test_no_progress_is_a_stall_that_dates_from_the_last_movement():
    _, marks = play([live(0, progress=1), live(5, progress=2), live(10, progress=2), live(15, progress=2)])
    assert story(marks) == [OPENED, ("dropped", 5, "stall")]


def test_less_progress_is_movement_too():
    _, marks = play([live(0, progress=9), live(9, progress=3), live(18, progress=1)])
    assert story(marks) == [OPENED]


def test_only_the_feed_that_gave_progress_first_can_tell_a_stall():
    other = {"feed": "other", "progress": 7}
    _, marks = play(
        [live(0, progress=1), live(5, **other), live(9, progress=2), live(16, **other), live(18, progress=3)]
    )
    assert story(marks) == [OPENED]


def test_a_stalled_room_is_back_only_when_it_moves():
    stalled, _ = play([live(0, progress=1), live(10, progress=1)])
    assert stalled.phase is DROPPED
    assert play([live(15, progress=1), live(16, feed="other")], stalled) == (stalled, [])
    assert story(play([live(15, progress=2)], stalled)[1]) == [("resumed", 15, "status")]


def test_a_stalled_room_is_back_with_another_connection():
    stalled, _ = play([live(0, progress=1, session_key="a"), live(10, progress=1, session_key="a")])
    assert story(play([live(15, progress=1, session_key="b")], stalled)[1]) == [("resumed", 15, "status")]


def test_a_second_publisher_does_not_bring_a_stalled_room_back():
    stalled, _ = play([live(0, progress=1, session_key="a"), live(10, progress=1, session_key="a")])
    hook = live(15, feed="hooks", evidence="event", session_key="b")
    assert play([hook], stalled) == (stalled, [])


def test_a_dead_encoder_opens_no_session_after_its_own_was_lost():
    session, _ = play([live(0, progress=1), live(10, progress=1)])
    session, marks = pass_time(session, 200)
    assert story(marks) == [("closed", 0, "unknown")]
    assert play([live(205, progress=1)], session) == (session, [])
    assert story(play([live(210, progress=2)], session)[1]) == [("opened", 210, "status")]


def test_once_the_stuck_publisher_is_gone_any_live_tick_is_a_return():
    session, _ = play([live(0, progress=1), live(10, progress=1), gone(15)])
    assert story(play([live(20, feed="other")], session)[1]) == [("resumed", 20, "status")]


def test_a_stall_is_forgotten_when_the_feed_that_measured_it_is_gone():
    session, _ = play([live(0, progress=1), live(10, progress=1)])
    assert story(play([live(20, feed="other")], unmeasured(session))[1]) == [("resumed", 20, "status")]

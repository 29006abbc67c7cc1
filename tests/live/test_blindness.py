"""What blind time, a stepped clock and a lost spool make of a session, each rule in one sentence."""

import msgspec

from monitor.live.blindness import blinded, given_up, reanchored, recalled, sighted
from monitor.live.session import OFF, Mark, Rules, Session
from tests.live.scripts import NOON, RULES, at, gone, live, pass_time, play, story

OPENED = ("opened", 0, "status")


def see_again(session: Session, from_s: float, to_s: float, rules: Rules = RULES) -> tuple[Session, list[Mark]]:
    session, marks = sighted(blinded(session, at(from_s)), at(to_s), rules)
    return session, list(marks)


def test_while_blind_only_an_event_decides():
    session = blinded(play([live(0)])[0], at(5))
    assert play([gone(10), gone(11, evidence="absent"), gone(12, evidence="absent")], session) == (session, [])
    assert story(play([gone(13, evidence="event")], session)[1]) == [("dropped", 13, "event")]


def test_after_blindness_a_missing_room_says_nothing_until_it_has_settled():
    session, _ = see_again(play([live(0)])[0], 5, 60)
    session, marks = play([gone(60), gone(75)], session)
    assert marks == []
    assert story(play([gone(76)], session)[1]) == [("dropped", 76, "status")]


def test_after_blindness_an_end_that_was_told_needs_no_settling():
    session, _ = see_again(play([live(0)])[0], 5, 60)
    assert story(play([gone(61, end="ended")], session)[1]) == [("closed", 61, "ended")]


def test_the_same_session_goes_on_after_blindness():
    session, marks = see_again(play([live(0, session_key="a")])[0], 5, 3605)
    session, more = play([live(3606, session_key="a"), live(3611, session_key="a")], session)
    assert (marks, more, session.opened_at) == ([], [], NOON)


def test_another_key_after_blindness_closes_the_session_as_of_the_last_sight():
    session, _ = see_again(play([live(0, session_key="a")])[0], 5, 60)
    _, marks = play([live(61, feed="keyless"), live(62, session_key="b")], session)
    assert story(marks) == [("closed", 5, "unseen"), ("opened", 62, "status")]


def test_grace_stands_still_while_blind():
    session, _ = play([live(0), gone(10)])
    session, _ = see_again(session, 20, 1020)
    assert pass_time(session, 1130) == (session, [])
    assert story(pass_time(session, 1131)[1]) == [("closed", 10, "unknown")]


def test_no_session_closes_while_blind():
    session = blinded(play([live(0), gone(10)])[0], at(20))
    assert pass_time(session, 1000) == (session, [])


def test_the_stall_clock_stands_still_while_blind_and_no_stall_is_dated_into_it():
    session, _ = see_again(play([live(0, progress=1)])[0], 4, 60)
    _, marks = play([live(61, progress=1), live(65, progress=1), live(66, progress=1)], session)
    assert story(marks) == [("dropped", 60, "stall")]


def test_blind_for_too_long_is_the_end_of_the_session_as_of_the_last_sight():
    session, marks = see_again(play([live(0)])[0], 5, 5 + 14_401)
    assert (story(marks), session.phase) == ([("closed", 5, "unseen")], OFF)


def test_blind_for_too_long_after_a_drop_ends_it_as_of_the_stop():
    _, marks = see_again(play([live(0), gone(3)])[0], 5, 5 + 14_401)
    assert story(marks) == [("closed", 3, "unseen")]


def test_what_a_hook_told_while_the_polls_were_blind_is_no_blind_time():
    session = blinded(play([live(0)])[0], at(5))
    session, _ = play([live(14_000, evidence="event")], session)
    assert given_up(session, at(15_000), RULES) == (session, ())


def test_after_a_step_back_of_the_clock_ticks_decide_again_and_no_stamp_goes_back():
    session, _ = play([live(0), live(100)])
    session = reanchored(session, at(-3600))
    session, marks = play([gone(-3595)], session)
    session, more = pass_time(session, -3474)
    session, again = play([live(-3400)], session)
    assert story([*marks, *more]) == [("dropped", 0, "status"), ("closed", 0, "unknown")]
    assert again[0].at > NOON  # a session is named by its opening: the same instant would be the same session
    assert session.opened_at == again[0].at


def test_after_a_step_of_the_clock_grace_starts_anew():
    session = reanchored(play([live(0), gone(5)])[0], at(100))
    assert pass_time(session, 220) == (session, [])


def test_a_session_recalled_from_sql_goes_on_with_whatever_key_comes():
    session = recalled(NOON, 3, "resumed", at(50))
    session, marks = play([live(60, session_key="a"), live(65, session_key="a"), gone(70)], session)
    assert [(mark.change, mark.after.number, mark.after.opened_at) for mark in marks] == [("dropped", 4, NOON)]


def test_a_session_is_the_same_after_it_was_written_down():
    session, _ = see_again(play([live(0, progress=1, session_key="键"), gone(5)])[0], 7, 9)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(session), type=Session) == session

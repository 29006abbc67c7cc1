"""Why a session is over, as a table."""

import pytest

from monitor.live.judgement import expected, judge, loss_is_over, turns_at
from tests.live.scripts import at, slot

SLACK = 900
EVENING = (slot(0, 7200),)
BACK_TO_BACK = (slot(0, 7200), slot(7200, 14_400))


@pytest.mark.parametrize(
    ("cause", "stopped", "could_tell", "slots", "reason"),
    [
        ("status", 3600, False, EVENING, "lost"),
        ("status", 3600, False, (), "unknown"),
        ("status", 3600, True, (), "lost"),
        ("failed", 7200, False, EVENING, "lost"),
        ("failed", 3600, False, (), "lost"),
        ("status", 7200 - 900, False, EVENING, "scheduled"),
        ("status", 7200 - 901, False, EVENING, "lost"),
        ("status", 7200 + 900, True, EVENING, "scheduled"),
        ("status", 7200 + 901, False, EVENING, "unknown"),
        ("status", -60, False, EVENING, "lost"),  # grace runs out in the slot
        ("stall", 3600, False, EVENING, "lost"),
        ("status", 7100, False, BACK_TO_BACK, "lost"),  # the next slot follows at once: nobody may sign off here
        ("status", 14_400, False, BACK_TO_BACK, "scheduled"),
    ],
)
def test_a_stop_is_judged_by_its_evidence_then_the_schedule(cause, stopped, could_tell, slots, reason):
    slack = at(SLACK) - at(0)
    assert judge(cause, at(stopped), at(stopped + 120), could_tell, slots, slack) == reason


@pytest.mark.parametrize(("seconds", "inside"), [(-1, False), (0, True), (7199, True), (7200, False)])
def test_a_room_is_expected_from_the_start_of_a_slot_to_before_its_end(seconds, inside):
    assert expected(EVENING, at(seconds)) is inside


@pytest.mark.parametrize(
    ("slots", "now", "over"),
    [
        (EVENING, 7199, False),
        (EVENING, 7200, True),
        (BACK_TO_BACK, 7200, False),
        (BACK_TO_BACK, 14_400, True),
        ((), 1e6, False),
        ((slot(90_000, 97_200),), 97_200, False),
    ],
)
def test_a_loss_is_over_when_the_slot_it_was_in_has_passed(slots, now, over):
    assert loss_is_over(slots, at(3600), at(3720), at(now)) is over


def test_the_next_turn_is_the_next_beginning_or_end():
    assert turns_at(BACK_TO_BACK, at(-5)) == at(0)
    assert turns_at(BACK_TO_BACK, at(7200)) == at(14_400)
    assert turns_at(BACK_TO_BACK, at(14_400)) is None

"""Shifts over midnight, over a change of the clocks, with a gap, with an overlap."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.shift import callees, doubts, ended_turn, next_change, on_duty

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


class Shift(NamedTuple):
    name: str
    starts: str
    ends: str
    duty: tuple[str, ...]


NIGHT, DAY = Shift("night", "20:00", "08:00", ("zhang", "li")), Shift("day", "08:00", "20:00", ("wang",))


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "name", "since"),
    [
        ("2026-11-19 20:00:00", "night", "2026-11-19 20:00"),
        ("2026-11-19 23:59:59", "night", "2026-11-19 20:00"),
        ("2026-11-20 00:00:00", "night", "2026-11-19 20:00"),
        ("2026-11-20 07:59:59", "night", "2026-11-19 20:00"),
        ("2026-11-20 08:00:00", "day", "2026-11-20 08:00"),
        ("2026-11-20 19:59:59", "day", "2026-11-20 08:00"),
    ],
)
def test_each_instant_has_its_shift(at: str, name: str, since: str) -> None:
    turn = on_duty((NIGHT, DAY), local(at), SHANGHAI)
    assert turn is not None
    assert (turn.name, turn.starts_at) == (name, local(since))


def test_the_next_change_is_after_the_instant_itself() -> None:
    shifts = (NIGHT, DAY)
    assert next_change(shifts, local("2026-11-19 20:00"), SHANGHAI) == local("2026-11-20 08:00")
    assert next_change(shifts, local("2026-11-20 07:59:59"), SHANGHAI) == local("2026-11-20 08:00")
    assert next_change((), local("2026-11-20 07:59:59"), SHANGHAI) is None
    assert next_change((NIGHT,), local("2026-11-20 08:00"), SHANGHAI) == local("2026-11-20 20:00")


def test_the_shift_that_ended() -> None:
    turn = ended_turn((NIGHT, DAY), local("2026-11-20 08:00"), SHANGHAI)
    assert turn is not None
    assert (turn.name, turn.starts_at) == ("night", local("2026-11-19 20:00"))


def test_whose_clocks_are_put_back_works_an_hour_more() -> None:
    turn = on_duty((NIGHT, DAY), local("2026-10-25 01:00", BERLIN), BERLIN)
    assert turn is not None
    assert turn.ends_at - turn.starts_at == timedelta(hours=13)


def test_in_a_gap_who_comes_next_is_called() -> None:
    at = local("2026-11-20 12:00")
    assert on_duty((NIGHT,), at, SHANGHAI) is None
    assert callees((NIGHT,), at, SHANGHAI) == ("zhang", "li")
    assert callees((), at, SHANGHAI) == ()


def test_of_two_at_once_the_later_is_called() -> None:
    early = Shift("early", "06:00", "10:00", ("ma",))
    assert callees((NIGHT, early), local("2026-11-20 07:00"), SHANGHAI) == ("ma",)


def test_a_shift_round_the_clock() -> None:
    always = Shift("always", "00:00", "24:00", ("ma",))
    for hour in range(24):
        assert callees((always,), local(f"2026-11-20 {hour:02}:00"), SHANGHAI) == ("ma",)
    assert list(doubts((always,))) == []


@pytest.mark.parametrize(
    ("shifts", "said"),
    [
        ((), []),
        ((NIGHT, DAY), []),
        ((NIGHT,), ["from 08:00 to 20:00 nobody is on duty"]),
        ((DAY,), ["from 20:00 to 08:00 nobody is on duty"]),
        ((NIGHT, Shift("day", "07:30", "20:00", ("w",))), ["from 07:30 to 08:00 night and day are both on duty"]),
        ((NIGHT, Shift("day", "08:00", "20:00", ())), ["shift day has nobody on duty"]),
    ],
)
def test_what_check_says(shifts: tuple[Shift, ...], said: list[str]) -> None:
    found = list(doubts(shifts))
    assert len(found) == len(said)
    assert all(text.startswith(start) for text, start in zip(found, said, strict=True)), found

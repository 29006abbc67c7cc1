"""The play is the same for the same seed, looks like life, and shows everything that the monitor must tell apart."""

import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest

from monitor.rehearsal.cast import CITIES, cast, roster_csv
from monitor.rehearsal.play import Play, RoomNow
from monitor.rehearsal.script import broadcasts
from monitor.rehearsal.stage import schedule_csv
from monitor.roster_file import read_roster_file
from monitor.schedule_file import read_schedule_file

SPEED = 30.0


def play(rooms: int = 40, seed: int = 1, speed: float = SPEED) -> Play:
    return Play(cast(rooms, seed), seed, speed)


def test_the_same_seed_is_the_same_play_whoever_asks_and_in_which_order() -> None:
    one, other = play(), play()
    forward = {at: one.rooms(at) for at in range(0, 300, 7)}
    backward = {at: other.rooms(at) for at in reversed(range(0, 300, 7))}
    assert forward == backward
    assert play(seed=2).rooms(100) != forward[98]


def test_a_longer_cast_begins_with_the_shorter_one() -> None:
    assert cast(100, 1)[:40] == cast(40, 1)


def test_rooms_come_and_go_drop_and_freeze_within_a_minute() -> None:
    shown = Counter[str]()
    the_play = play()
    before: dict[str, RoomNow] = {}
    for at in range(60):
        for room in the_play.rooms(at):
            last = before.get(room.part.room)
            if last and not last.on_air and room.on_air:
                shown["went on air"] += 1
            if last and last.on_air and not room.on_air:
                shown["signed off"] += 1
            if last and last.on_air and room.on_air and last.publishing and not room.publishing:
                shown["dropped"] += 1
            if last and last.on_air and room.on_air and not last.publishing and room.publishing:
                shown["returned"] += 1
                assert room.connection != last.connection
            if last and not last.frozen_s and room.frozen_s:
                shown["froze"] += 1
            if last and last.frozen_s and room.frozen_s:
                assert room.received_s == pytest.approx(last.received_s)
            before[room.part.room] = room
    assert set(shown) == {"went on air", "signed off", "dropped", "returned", "froze"}


def test_no_two_encoders_ever_have_the_same_connection() -> None:
    the_play = play(rooms=12)
    owners: dict[int, set[str]] = {}
    for at in range(0, 1200, 3):
        for room in the_play.rooms(at):
            if room.publishing:
                owners.setdefault(room.connection, set()).add(room.part.room)
    assert all(len(rooms) == 1 for rooms in owners.values())


def test_an_audience_is_no_noise_it_arrives_and_leaves() -> None:
    """What it is now tells much of what it is a minute later; that of noise would tell nothing."""
    for seed in range(5):
        longest = max(islice(broadcasts(seed, 0, tier=2, fault_scale=1), 8), key=lambda one: one.ends_s - one.starts_s)
        minutes = int((longest.ends_s - longest.starts_s) / 60)
        crowd = [longest.audience(longest.starts_s + 60 * minute) for minute in range(minutes)]
        assert statistics.correlation(crowd[:-1], crowd[1:]) > 0.85
        assert crowd[0] == 0 < max(crowd)
        rises = sum(later > earlier for earlier, later in pairwise(crowd))
        falls = sum(later < earlier for earlier, later in pairwise(crowd))
        assert min(rises, falls) > minutes / 8


def test_faults_are_long_enough_to_be_seen_at_any_speed() -> None:
    for speed in (1.0, 30.0):
        for broadcast in islice(broadcasts(1, 3, tier=3, fault_scale=speed), 50):
            for fault in broadcast.faults:
                seconds = (fault.to_s - fault.from_s) / speed
                assert seconds >= (15 if fault.kind == "freeze" else 6)
                assert broadcast.starts_s < fault.from_s < fault.to_s < broadcast.ends_s


def test_the_roster_file_is_one_that_livemon_reads_without_a_word() -> None:
    parts = cast(200, 1)
    read = read_roster_file(roster_csv(parts, "nginx_rtmp"), "roster.csv")
    assert read.problems == ()
    assert len(read.rooms) == 200
    assert {part.city for part in parts} == {city for city, *_ in CITIES}
    assert len({part.broadcaster for part in parts}) < 200


def test_the_schedule_file_is_one_that_livemon_reads_without_a_word() -> None:
    began = datetime(2026, 11, 24, 12, tzinfo=UTC)
    slots = play(rooms=200).planned(3600)
    read = read_schedule_file(schedule_csv(slots, "nginx_rtmp", began), "schedule.csv", ZoneInfo("Asia/Shanghai"))
    assert read.problems == ()
    assert len(read.slots) == len(slots) > 200
    assert min(slot.ends_at for slot in read.slots) > began
    assert max(slot.starts_at for slot in read.slots) < began + timedelta(hours=1)

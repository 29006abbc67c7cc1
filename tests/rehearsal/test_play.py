"""The play is the same for the same seed and whoever asks, and shows everything that the monitor must tell apart."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from monitor.rehearsal.event.cast import cast
from monitor.rehearsal.event.play import Outage, Play, RoomNow
from monitor.rehearsal.event.tempo import Tempo

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = 3_600.0


def play(rooms: int = 40, seed: int = 1, speed: float = 30.0, outages: tuple[Outage, ...] = ()) -> Play:
    return Play(cast(rooms, seed), seed, Tempo(BEGAN, speed), outages)


def test_the_same_seed_is_the_same_play_whoever_asks_and_in_which_order() -> None:
    one, other = play(), play()
    forward = {at: one.rooms(at) for at in range(0, 3000, 37)}
    backward = {at: other.rooms(at) for at in reversed(range(0, 3000, 37))}
    assert forward == backward
    assert one.rooms(74, [3, 5]) == [forward[74][3], forward[74][5]]
    assert play(seed=2).rooms(74) != forward[74]


def test_a_room_plays_the_same_in_a_larger_event() -> None:
    assert [room.viewers for room in play(400).rooms(100)[:40]] == [room.viewers for room in play(40).rooms(100)]


def test_rooms_come_and_go_drop_and_freeze_and_return() -> None:
    shown = Counter[str]()
    the_play = play(400)
    before: dict[str, RoomNow] = {}
    for at in range(0, 600, 2):
        for room in the_play.rooms(at):
            last = before.get(room.part.room)
            if last and not last.on_air and room.on_air:
                shown["went on air"] += 1
                assert room.broadcast > last.broadcast
            if last and last.on_air and not room.on_air:
                shown["signed off" if room.signed_off else "gave up"] += 1
                assert room.broadcast == last.broadcast
                assert last.publishing or not room.signed_off
            if last and last.on_air and room.on_air and last.publishing and not room.publishing:
                shown["dropped"] += 1
            if last and last.on_air and room.on_air and not last.publishing and room.publishing:
                shown["returned"] += 1
                assert room.connection != last.connection
                assert room.connected_s <= 2
            if last and not last.frozen_s and room.frozen_s:
                shown["froze"] += 1
            if last and last.frozen_s and room.frozen_s:
                assert room.received_s == pytest.approx(last.received_s)
                assert room.frozen_s == pytest.approx(last.frozen_s + 2)
                assert room.publishing
            before[room.part.room] = room
    assert set(shown) == {"went on air", "signed off", "gave up", "dropped", "returned", "froze"}


def test_what_a_room_shows_off_the_air_is_its_last_broadcast_that_was_one() -> None:
    the_play = play(200, speed=1)
    seen = Counter[str]()
    for index in range(200):
        told = the_play.until(index, 40 * HOUR)
        for last, coming in zip([None, *told], told, strict=False):
            room = the_play.room(index, max(coming.starts_s - 60, 0))
            if room.on_air:
                continue  # it began before the play
            begun = [one for one in told if one.ending != "absent" and one.ends_s <= max(coming.starts_s - 60, 0)]
            assert room.broadcast == (begun[-1].number if begun else -1)
            assert room.signed_off == bool(begun and begun[-1].ending == "signed_off")
            seen[last.ending if last else "none yet"] += 1
    assert set(seen) == {"none yet", "signed_off", "broke_off", "absent"}


def test_no_two_encoders_ever_have_the_same_connection() -> None:
    the_play = play(rooms=12)
    owners: dict[int, set[str]] = {}
    for at in range(0, 6000, 7):
        for room in the_play.rooms(at):
            if room.publishing:
                owners.setdefault(room.connection, set()).add(room.part.room)
    assert len(owners) > 12
    assert all(len(rooms) == 1 for rooms in owners.values())


def test_totals_count_from_0_in_each_broadcast_and_never_fall() -> None:
    the_play = play(60, speed=10)
    before: dict[tuple[int, int], tuple[int, int]] = {}
    begun = Counter[int]()
    for at in range(0, 10_000, 11):
        for room in the_play.rooms(at):
            if room.on_air:
                key = room.part.number, room.broadcast
                views, likes = before.get(key, (0, 0))
                assert room.views_total >= views
                assert room.likes_total >= likes
                assert room.viewers <= room.views_total
                if key not in before and room.broadcast:
                    begun[room.part.number] += 1
                    assert room.views_total < 0.5 * room.part.draw
                before[key] = room.views_total, room.likes_total
    assert begun.total() > 10
    views, likes = (sum(total[which] for total in before.values()) for which in (0, 1))
    assert 0.05 < likes / views < 0.5


def test_an_outage_is_a_fault_of_every_broadcast_that_it_meets_and_of_no_other_room() -> None:
    hit = frozenset(range(0, 400, 2))
    free, struck = play(400, speed=1), play(400, speed=1, outages=(Outage(3_000, 3_240, hit),))
    before, within, after = (struck.rooms(at) for at in (2_995, 3_100, 3_400))
    assert sum(room.publishing for room in before if room.part.number in hit) > 40
    assert not any(room.publishing for room in within if room.part.number in hit)
    assert sum(room.on_air for room in within if room.part.number in hit) > 40
    assert sum(room.publishing for room in after if room.part.number in hit) > 40
    for at in (0, 3_100, 9_000):
        assert [room for room in struck.rooms(at) if room.part.number not in hit] == [
            room for room in free.rooms(at) if room.part.number not in hit
        ]
    later = 30 * HOUR
    assert [room.viewers for room in struck.rooms(later)] == [room.viewers for room in free.rooms(later)]


def test_an_outage_of_encoders_freezes_them() -> None:
    struck = play(100, speed=10, outages=(Outage(100, 200, frozenset(range(100)), "freeze"),))
    frozen = [room for room in struck.rooms(150) if room.on_air]
    assert len(frozen) > 20
    assert all(room.publishing and room.frozen_s == pytest.approx(50) for room in frozen)


def test_the_schedule_has_every_slot_also_of_those_who_never_come() -> None:
    the_play = play(400, speed=10)
    slots = the_play.planned(2 * 8_640)
    absent = [
        (one.starts_s / 10, one.planned_end_s / 10)
        for index in range(400)
        for one in the_play.told[index]
        if one.ending == "absent" and one.starts_s < 2 * 86_400
    ]
    assert len(absent) > 5
    assert set(absent) <= {(from_s, to_s) for _, from_s, to_s in slots}
    assert min(to_s for _, _, to_s in slots) > 0
    assert 2 * 8_640 - 600 < max(from_s for _, from_s, _ in slots) < 2 * 8_640
    assert play(400, speed=10).planned(2 * 8_640) == slots


def test_an_evening_has_many_rooms_on_air_and_the_small_hours_have_few() -> None:
    the_play = play(2_000, speed=1)
    share = {
        hour: sum(room.on_air for room in the_play.rooms((hour - 19.5) * HOUR)) / 2_000
        for hour in (20.5, 23.0, 28.0, 36.0, 44.5)
    }
    assert 0.35 < share[20.5] < 0.47
    assert 0.35 < share[44.5] < 0.47
    assert share[28.0] < 0.02
    assert 0.05 < share[36.0] < 0.2
    assert share[23.0] < share[20.5]


def test_no_room_of_a_hall_has_more_viewers_than_its_page_can_list() -> None:
    the_play = play(2_000, speed=1)
    viewers = [
        room.viewers
        for at in range(0, 14_400, 900)
        for room in the_play.rooms(at)
        if room.part.platform == "nginx_rtmp"
    ]
    assert 50 < max(viewers) < 500

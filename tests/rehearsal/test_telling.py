"""Broadcasts keep their distance, faults keep theirs, and endings are what they are called, at every speed."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice, pairwise
from math import inf

import msgspec
import pytest

from monitor.rehearsal.event.cast import Part, cast
from monitor.rehearsal.event.mishaps import merged, with_outages
from monitor.rehearsal.event.script import Broadcast, Fault
from monitor.rehearsal.event.telling import broadcasts
from monitor.rehearsal.event.tempo import Tempo

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)
SPEEDS = (1.0, 10.0, 60.0, 500.0)
PARTS = cast(150, 1)
JUST = 0.002  # instants are whole milliseconds of the play


def tempo(speed: float) -> Tempo:
    return Tempo(BEGAN, speed)


def told(part: Part, speed: float, many: int = 12, outages: tuple[Fault, ...] = ()) -> list[Broadcast]:
    return list(islice(broadcasts(1, part, tempo(speed), merged(outages, tempo(speed))), many))


@pytest.fixture(scope="module", params=SPEEDS)
def speed(request: pytest.FixtureRequest) -> float:
    return float(request.param)


@pytest.fixture(scope="module")
def everything(speed: float) -> list[tuple[Part, list[Broadcast]]]:
    return [(part, told(part, speed)) for part in PARTS]


def test_slots_of_a_room_are_apart_by_more_than_grace(
    everything: list[tuple[Part, list[Broadcast]]], speed: float
) -> None:
    for _, ones in everything:
        for last, coming in pairwise(ones):
            assert coming.starts_s - max(last.ends_s, last.planned_end_s) >= 300 * speed - JUST
            assert coming.number == last.number + 1


def test_broadcasts_are_long_enough_to_be_seen(everything: list[tuple[Part, list[Broadcast]]], speed: float) -> None:
    for _, ones in everything:
        for one in ones:
            assert one.planned_end_s - one.starts_s >= 360 * speed - JUST
            if one.ending != "absent":
                assert one.ends_s - one.starts_s >= 360 * speed - JUST


def test_what_signs_off_on_own_servers_does_so_about_when_it_planned(
    everything: list[tuple[Part, list[Broadcast]]], speed: float
) -> None:
    early = 0
    for part, ones in everything:
        for one in ones:
            if one.ending != "signed_off":
                continue
            off_plan_s = abs(one.ends_s - one.planned_end_s)
            near = off_plan_s <= min(600 * speed, 0.2 * (one.planned_end_s - one.starts_s)) + JUST
            assert near or part.platform != "nginx_rtmp" or part.hall == "K"  # Tencent tells who signed off
            assert near or one.ends_s < one.planned_end_s
            early += not near
    assert early > 5 or speed > 20  # then all are as short as may be


def test_faults_are_apart_and_leave_the_edges_of_a_broadcast_alone(
    everything: list[tuple[Part, list[Broadcast]]], speed: float
) -> None:
    for _, ones in everything:
        for one in ones:
            alone = uncut(one.faults)
            for fault in alone:
                assert fault.from_s >= one.starts_s + 30 * speed - JUST
                assert fault.to_s <= one.ends_s - 30 * speed + JUST or fault.to_s == inf
                assert 3 * speed - JUST <= fault.to_s - fault.from_s
            for last, coming in pairwise(alone):
                assert coming.from_s - last.to_s >= 60 * speed - JUST


def uncut(faults: Sequence[Fault]) -> list[Fault]:
    """As they would be if no cloud cut who froze."""
    found = list[Fault]()
    for fault in faults:
        if found and fault.from_s == found[-1].to_s:
            assert (found[-1].kind, fault.kind) == ("freeze", "drop")
            found[-1] = Fault(found[-1].from_s, fault.to_s, "freeze")
        else:
            found.append(fault)
    return found


@pytest.mark.parametrize(("hall", "after_s"), [("K", 30.0), ("L", 10.0), ("M", inf), ("A", inf), ("J", inf)])
@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_a_cloud_cuts_who_froze_after_the_time_that_it_says(hall: str, after_s: float, speed: float) -> None:
    parts = [msgspec.structs.replace(part, hall=hall) for part in PARTS if part.platform == "nginx_rtmp"]
    outages = (Fault(4_000 * speed, 4_100 * speed, "freeze"), Fault(9_000 * speed, 9_000 * speed + 8, "freeze"))
    ones = [one for part in parts for one in told(part, speed, outages=outages)]
    frozen = [fault for one in ones for fault in one.faults if fault.kind == "freeze"]
    cut = [fault for one in ones for fault, then in pairwise(one.faults) if fault.to_s == then.from_s]
    assert max(fault.to_s - fault.from_s for fault in frozen) <= after_s * speed + JUST
    assert {round((fault.to_s - fault.from_s) / speed, 2) for fault in cut} == ({after_s} if after_s < inf else set())
    assert len(frozen) > len(cut) or after_s < 30


def test_nothing_else_of_a_room_is_changed_by_a_cloud_that_cuts_who_froze() -> None:
    for part in PARTS:
        if part.platform == "nginx_rtmp":
            ours, theirs = (told(msgspec.structs.replace(part, hall=hall), 1.0) for hall in "LA")
            whole = [msgspec.structs.replace(one, faults=tuple(uncut(one.faults))) for one in ours]
            assert whole == theirs
        hosted = [told(msgspec.structs.replace(part, hall=hall, platform="wechat"), 1.0) for hall in "KLA"]
        assert hosted[0] == hosted[1] == hosted[2]


def test_only_where_ends_are_told_does_an_own_room_sign_off_long_before_its_time() -> None:
    early = Counter[str]()
    for part in PARTS:
        for hall in "KLMA":
            own = msgspec.structs.replace(part, platform="nginx_rtmp", hall=hall)
            early[hall] += sum(
                one.planned_end_s - one.ends_s > 600 for one in told(own, 1.0) if one.ending == "signed_off"
            )
    assert early["K"] > 20
    assert early["L"] == early["M"] == early["A"] == 0


def test_only_what_broke_off_has_a_fault_without_end_and_it_is_the_last(
    everything: list[tuple[Part, list[Broadcast]]], speed: float
) -> None:
    endings = Counter[str]()
    for _, ones in everything:
        for one in ones:
            endings[one.ending] += 1
            without_end = [fault for fault in one.faults if fault.to_s == inf]
            assert without_end == ([one.faults[-1]] if one.ending == "broke_off" else [])
            if one.ending == "broke_off":
                assert one.ends_s - one.faults[-1].from_s >= 60 * speed
                assert one.faults[-1].kind == "drop"
                assert one.ends_s <= max(one.planned_end_s, one.starts_s + 360 * speed) + JUST
            if one.ending == "absent":
                assert one.ends_s == one.starts_s
                assert not one.waves
    assert 0.015 < endings["broke_off"] / endings.total() < 0.05
    assert 0.015 < endings["absent"] / endings.total() < 0.05


def test_faults_come_as_often_in_an_hour_of_the_world_at_every_speed() -> None:
    for speed, parts in ((1.0, 40), (10.0, 400)):
        ones = [one for part in cast(parts, 1) for one in told(part, speed, 8)]
        hours = sum(one.ends_s - one.starts_s for one in ones) / 3_600 / speed
        found = [fault for one in ones for fault in one.faults if fault.to_s != inf]
        assert 0.38 < len(found) / hours < 0.6
        lengths = sorted((fault.to_s - fault.from_s) / speed for fault in found)
        assert 15 < lengths[len(lengths) // 2] < 26
        assert lengths[-1] <= 480 + JUST
        assert 0.25 < sum(fault.kind == "freeze" for fault in found) / len(found) < 0.45


def test_half_of_all_sign_offs_are_between_22_and_24_and_most_evenings_begin_by_half_past_eight() -> None:
    ends, begins = Counter[int](), Counter[bool]()
    for part in cast(800, 1):
        for one in told(part, 1, 6)[1:]:
            if one.ending == "signed_off":
                ends[int(tempo(1).local_s(one.ends_s) // 3_600)] += 1
            if 17 <= (hour := tempo(1).local_s(one.starts_s) / 3_600) < 22:
                begins[18.5 <= hour <= 20.5] += 1
    assert 0.43 < (ends[22] + ends[23]) / ends.total() < 0.58
    assert sum(ends[hour] for hour in range(4, 9)) / ends.total() < 0.01
    assert begins[True] / begins.total() > 0.9


def test_stars_are_on_air_longer_than_villages() -> None:
    hours = {
        star: sum(one.ends_s - one.starts_s for part in parts for one in told(part, 1, 6)) / len(parts) / 6 / 3_600
        for star, parts in (
            (True, [part for part in cast(2_000, 1) if part.star]),
            (False, [part for part in PARTS if not part.star]),
        )
    }
    assert hours[True] > hours[False] + 0.5


def struck(one: Broadcast, speed: float, *outages: Fault) -> Broadcast:
    [part] = [part for part in PARTS if one in told(part, speed)]
    return told(part, speed, outages=outages)[one.number]


@pytest.fixture
def calm() -> Broadcast:
    """Signed off after hours, without a fault of its own."""
    return next(
        one
        for part in PARTS
        for one in told(part, 1.0)
        if one.ending == "signed_off" and not one.faults and one.starts_s > 0 and one.ends_s - one.starts_s > 7_200
    )


def test_a_broadcast_that_would_begin_within_an_outage_begins_when_it_ends(calm: Broadcast) -> None:
    for from_s in (calm.starts_s - 100, calm.starts_s, calm.starts_s + 20):
        late = struck(calm, 1.0, Fault(from_s, from_s + 900, "drop"))
        assert late.starts_s == from_s + 900
        assert (late.ends_s, late.planned_end_s, late.faults) == (calm.ends_s, calm.planned_end_s, ())
        assert late.waves[0].at_s == late.starts_s


def test_who_could_begin_only_when_all_is_over_does_not_come(calm: Broadcast) -> None:
    absent = struck(calm, 1.0, Fault(calm.starts_s - 100, calm.ends_s - 30, "drop"))
    assert absent.ending == "absent"
    assert (absent.starts_s, absent.ends_s, absent.planned_end_s) == (
        calm.starts_s, calm.starts_s, calm.planned_end_s,
    )  # fmt: skip


def test_an_outage_in_the_middle_is_a_fault_and_changes_nothing_else(calm: Broadcast) -> None:
    outage = Fault(calm.starts_s + 3_000, calm.starts_s + 3_240, "freeze")
    hit = struck(calm, 1.0, outage)
    assert hit.faults == (outage,)
    assert (hit.waves, hit.ends_s, hit.ending) == (calm.waves, calm.ends_s, "signed_off")


def test_a_stream_does_not_come_back_from_an_outage_that_lasts_until_its_end(calm: Broadcast) -> None:
    for to_s in (calm.ends_s - 20, calm.ends_s + 500):
        dead = struck(calm, 1.0, Fault(calm.ends_s - 600, to_s, "drop"))
        assert dead.ending == "broke_off"
        assert dead.faults == (Fault(calm.ends_s - 600, inf, "drop"),)


def test_what_breaks_off_breaks_off_sooner_in_an_outage_just_before_and_a_later_outage_is_none_of_its_faults() -> None:
    part, one = next(
        (part, one)
        for part in PARTS
        for one in told(part, 1.0)
        if one.ending == "broke_off" and one.faults[-1].from_s - one.starts_s > 2_000 and one.starts_s > 0
    )
    dies_s = one.faults[-1].from_s
    sooner = told(part, 1.0, outages=(Fault(dies_s - 200, dies_s + 50, "drop"),))[one.number]
    assert sooner.faults[-1] == Fault(dies_s - 200, inf, "drop")
    assert told(part, 1.0, outages=(Fault(dies_s + 50, dies_s + 100, "drop"),))[one.number] == one


def test_streams_that_do_not_fail_have_only_outages_and_who_does_not_come_still_does_not(speed: float) -> None:
    usual = [one for part in PARTS for one in told(part, speed)]
    calm = [one for part in PARTS for one in islice(broadcasts(1, part, tempo(speed), (), streams_fail=False), 12)]
    assert {one.ending for one in usual} == {"signed_off", "absent", "broke_off"}
    assert {one.ending for one in calm} == {"signed_off", "absent"}
    assert any(one.faults for one in usual)
    assert not any(one.faults for one in calm)
    firsts = zip(usual, calm, strict=True)  # later ones may be moved by when one before them was given up
    assert all(
        (before.ending, before.starts_s, before.ends_s) == (after.ending, after.starts_s, after.ends_s)
        for before, after in firsts
        if before.number == 0 and before.ending != "broke_off"
    )
    outage = Fault(calm[0].starts_s + tempo(speed).in_play(100), calm[0].starts_s + tempo(speed).in_play(150), "drop")
    [first] = islice(broadcasts(1, PARTS[0], tempo(speed), (outage,), streams_fail=False), 1)
    assert (first.faults, first.ending) == ((outage,), "signed_off")


def test_outages_of_a_room_that_nearly_touch_are_one() -> None:
    one, other, far = Fault(100, 200, "freeze"), Fault(230, 400, "drop"), Fault(900, 950, "freeze")
    assert merged([far, other, one], tempo(1)) == (Fault(100, 400, "drop"), far)
    assert merged([Fault(100, 500, "freeze"), Fault(150, 200, "freeze")], tempo(1)) == (Fault(100, 500, "freeze"),)


def test_an_outage_takes_the_place_of_faults_near_it() -> None:
    own = [Fault(500, 520, "drop"), Fault(900, 950, "freeze"), Fault(1_500, 1_510, "drop")]
    outage = Fault(1_000, 1_300, "drop")
    assert with_outages(own, [outage], 0, 5_000, tempo(1)) == [own[0], outage, own[2]]
    assert with_outages(own, [outage], 0, 1_310, tempo(1)) == [own[0], Fault(1_000, inf, "drop")]

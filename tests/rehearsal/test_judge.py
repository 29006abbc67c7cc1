"""The judge knows which stops must be drops, which may be and which must not, on both sides of every limit."""

from math import inf

import pytest

from monitor.rehearsal.compare.allowance import Rules
from monitor.rehearsal.compare.darkness import Served, darks, joined, missed, shared, unseen
from monitor.rehearsal.compare.judge import Sight, Stop, judged
from monitor.rehearsal.compare.sightings import paired
from monitor.rehearsal.compare.stops import Span, gaps, on_air, planned, published
from monitor.rehearsal.event.script import Fault
from tests.rehearsal.small_evening import broadcast

RULES = Rules()
HALL, RELAY = "hall-a", "relay-wechat"
SRS, MEDIAMTX, ICECAST, HLS = "hall-e", "hall-h", "hall-i", "hls-j:live/1"
TENCENT, ALIYUN, VOLCENGINE = "cloud-k:live/1", "cloud-l:live/1", "cloud-m:live/1"


def stops(
    *script, feed: str = HALL, speed: float = 1.0, dark: tuple[Span, ...] = (), until_s: float = 3600
) -> list[Stop]:
    sight = Sight(feed, 0, until_s, dark)
    starts = [span.from_s for span in on_air(script, speed)]
    return judged(0, gaps(script, speed, sight.measures), starts, planned(script, speed), sight, RULES)


def first(*faults: Fault, feed: str = HALL, ends_s: float = 9000, ending: str = "signed_off", **more) -> tuple:
    made = broadcast(0, -600, ends_s, more.pop("planned_end_s", ends_s), *faults, ending=ending)
    stop = stops(made, feed=feed, **more)[0]
    return stop.duty, stop.outcome, stop.reason


def drop(length_s: float, from_s: float = 1000) -> Fault:
    return Fault(from_s, from_s + length_s, "drop")


def freeze(length_s: float, from_s: float = 1000) -> Fault:
    return Fault(from_s, from_s + length_s, "freeze")


MUST = ("must", "resumed", "")
LOST = ("must", "lost", "")
SHORT = ("may", None, "shorter than two looks")
AT_ITS_END = ("must_not", None, "at its planned end")
AT_THE_EDGE = ("may", "lost", "near the edge of its slot")
GRACE = ("may", None, "as long as grace")


@pytest.mark.parametrize(
    ("fault", "feed", "expected"),
    [
        (drop(3), HALL, SHORT), (drop(11), HALL, SHORT), (drop(11.1), HALL, MUST), (drop(113.9), HALL, MUST),
        (drop(114), HALL, GRACE), (drop(126), HALL, GRACE), (drop(126.1), HALL, LOST),
        (freeze(9), HALL, SHORT), (freeze(21), HALL, SHORT), (freeze(21.1), HALL, MUST), (freeze(126.1), HALL, LOST),
        (drop(21), RELAY, SHORT), (drop(21.1), RELAY, MUST), (drop(108.9), RELAY, MUST), (drop(109), RELAY, GRACE),
        (drop(131), RELAY, GRACE), (drop(131.1), RELAY, LOST),
        # Bytes of SRS move every 3 s, those of Icecast every 5; others stall later.
        (drop(11.1), SRS, MUST), (freeze(27), SRS, SHORT), (freeze(27.1), SRS, MUST), (freeze(110.9), SRS, MUST),
        (freeze(111), SRS, GRACE), (freeze(129), SRS, GRACE), (freeze(129.1), SRS, LOST),
        (drop(11.1), ICECAST, MUST), (freeze(31), ICECAST, SHORT), (freeze(31.1), ICECAST, MUST),
        (drop(11.1), MEDIAMTX, MUST), (freeze(26), MEDIAMTX, SHORT), (freeze(26.1), MEDIAMTX, MUST),
        # A list that stands still, or is a live one again, shows it late.
        (drop(33), HLS, SHORT), (drop(33.1), HLS, MUST), (drop(102.9), HLS, MUST), (drop(103), HLS, GRACE),
        (freeze(34), HLS, SHORT), (freeze(34.1), HLS, MUST), (drop(137.1), HLS, LOST),
        # Stamps are whole seconds; that a publisher is back is told two seconds later by one cloud.
        (drop(3), TENCENT, SHORT), (drop(3.1), TENCENT, MUST), (drop(117.9), TENCENT, MUST),
        (drop(118), TENCENT, GRACE), (drop(122), TENCENT, GRACE), (drop(122.1), TENCENT, LOST),
        (drop(7), ALIYUN, SHORT), (drop(7.1), ALIYUN, MUST), (drop(115.9), ALIYUN, MUST), (drop(116), ALIYUN, GRACE),
        (drop(124.1), ALIYUN, LOST), (drop(3.1), VOLCENGINE, MUST), (drop(122.1), VOLCENGINE, LOST),
    ],
)  # fmt: skip
def test_lengths(fault: Fault, feed: str, expected: tuple) -> None:
    assert first(fault, feed=feed) == expected


def test_a_short_freeze_and_one_that_nobody_measures_are_no_stops_at_all() -> None:
    assert first(freeze(8.9))[2] == "signed off"
    assert first(freeze(13.9), feed=MEDIAMTX)[2] == "signed off"
    assert first(freeze(5.9), feed=SRS)[2] == "signed off"
    assert first(freeze(6), feed=SRS) == SHORT
    assert first(freeze(300), feed=RELAY)[2] == "signed off"
    assert first(freeze(300), feed=VOLCENGINE)[2] == "signed off"


@pytest.mark.parametrize(
    ("planned_end_s", "expected"),
    [
        (1000 + 892, AT_ITS_END), (1000 + 893, AT_THE_EDGE), (1000 + 907, AT_THE_EDGE), (1000 + 908, LOST),
        (1000 - 892, AT_ITS_END), (1000 - 893, AT_THE_EDGE), (1000 - 908, ("must_not", None, "not planned")),
    ],
)  # fmt: skip
def test_who_breaks_off_is_lost_only_inside_the_slot(planned_end_s: float, expected: tuple) -> None:
    dead = Fault(1000, inf, "drop")
    assert first(dead, ends_s=3000, ending="broke_off", planned_end_s=planned_end_s) == expected


@pytest.mark.parametrize("planned_end_s", [1000 - 908, 1000 - 892, 1000, 1000 + 893, 9000])
def test_what_broke_is_lost_whatever_was_planned_where_that_is_told(planned_end_s: float) -> None:
    dead = Fault(1000, inf, "drop")
    assert first(dead, ends_s=3000, ending="broke_off", planned_end_s=planned_end_s, feed=TENCENT) == LOST
    others = [first(dead, ends_s=3000, ending="broke_off", planned_end_s=planned_end_s, feed=one)
              for one in (ALIYUN, VOLCENGINE, HALL)]  # fmt: skip
    assert (others == [LOST] * 3) == (planned_end_s == 9000)
    assert first(drop(400), ends_s=1200, feed=TENCENT) == ("may", None, "signed off while it was away")
    assert first(feed=TENCENT, ends_s=1200) == ("must_not", None, "signed off")


def test_where_no_drops_are_shown_a_broadcast_is_on_air_until_it_is_ended() -> None:
    dropped = broadcast(0, -600, 9000, 9000, drop(300), drop(50, 2000))
    dead = broadcast(1, 10_000, 12_000, 12_000, Fault(11_000, inf, "drop"), ending="broke_off")
    found = gaps([dropped, dead], 1.0, freezes=False, drops=False)
    assert [(gap.from_s, gap.back_s, gap.why) for gap in found] == [
        (9000, 10_000, "signed_off"), (12_000, inf, "signed_off"),
    ]  # fmt: skip


def test_an_end_where_another_slot_goes_on_is_none() -> None:
    script = (
        broadcast(0, -600, 2000, 1100, Fault(1000, inf, "drop"), ending="broke_off"),
        broadcast(1, 1100, 1100, 9000, ending="absent"),
    )
    assert stops(*script)[0].outcome == "lost"


def test_a_sign_off_is_none_unless_the_room_is_soon_back() -> None:
    def sign_off(next_s: float) -> tuple:
        stop = stops(broadcast(0, -600, 1000), broadcast(1, next_s, 9000))[0]
        return stop.duty, stop.reason

    assert sign_off(1126.1) == ("must_not", "signed off")
    assert sign_off(1126) == ("may", "soon on air again")


def test_who_signs_off_while_the_picture_is_away_may_be_lost() -> None:
    assert first(drop(400), ends_s=1200) == ("may", None, "signed off while it was away")


def test_edges_of_what_was_seen() -> None:
    assert first(drop(60, from_s=10.9))[2] == "at the beginning"
    assert first(drop(60, from_s=11)) == MUST
    assert first(drop(60), until_s=1065.9)[2] == "at the end"
    assert first(drop(60), until_s=1066) == MUST
    assert first(drop(500), until_s=1126.9)[2] == "at the end"
    assert first(drop(500), until_s=1127) == LOST
    assert first(drop(60), until_s=1000)[2] == "after the end"
    begun = broadcast(0, 990, 9000, None, drop(60))
    assert stops(begun)[0].reason == "just begun"
    assert stops(broadcast(0, 989, 9000, None, drop(60)))[0].duty == "must"


def test_what_was_away_when_somebody_first_looked_is_told_as_of_then() -> None:
    made = broadcast(0, -600, 9000, None, freeze(100, from_s=-30))
    [stop] = [stop for stop in stops(made) if stop.why == "freeze"]
    assert (stop.duty, stop.begins) == ("may", Span(-36, 6))


@pytest.mark.parametrize(
    ("dark", "duty"),
    [
        ((950, 978.9), "must"),
        ((950, 979.1), "may"),
        ((1030, 1040), "may"),
        ((1065, 1080), "may"),
        ((1067, 1080), "must"),
    ],
)
def test_what_meets_the_dark_need_not_be_found(dark: tuple[float, float], duty: str) -> None:
    assert first(drop(60), dark=(Span(1, 2), Span(*dark), Span(3000, 3100)))[0] == duty


def test_stops_between_which_nobody_looked_belong_together() -> None:
    one, other = stops(broadcast(0, -600, 9000, None, drop(30), drop(30, from_s=1040.9)))[:2]
    assert (one.duty, other.duty) == ("may", "may")
    assert one.begins == other.begins == Span(994, 1046.9)
    apart = stops(broadcast(0, -600, 9000, None, drop(30), drop(30, from_s=1041)))[:2]
    assert [stop.duty for stop in apart] == ["must", "must"]


def test_everything_is_measured_by_the_clock_of_the_world() -> None:
    made = broadcast(0, -6000, 90_000, None, Fault(10_000, 10_600, "drop"), Fault(20_000, 20_100, "drop"))
    long, short = stops(made, speed=10.0)[:2]
    assert (long.from_s, long.back_s, long.duty) == (1000, 1060, "must")
    assert (short.from_s, short.back_s, short.reason) == (2000, 2010, "shorter than two looks")


def test_a_room_is_shown_while_its_encoder_is_connected() -> None:
    made = broadcast(0, 0, 1000, None, drop(10, 100), freeze(10, 200), Fault(500, inf, "drop"), ending="broke_off")
    assert published([made, broadcast(1, 2000, 2000, 3000, ending="absent")], 1.0) == [Span(0, 100), Span(110, 500)]


# --- when a feed was seen -------------------------------------------------------------------------------------------


def test_a_feed_is_not_seen_where_a_look_is_missing() -> None:
    assert unseen([0, 5, 11, 17.1, 22], 6) == [Span(11, 17.1)]
    assert missed([Span(0, 30)], [Span(-50, 3), Span(28, 90)], 6) == []  # in between nobody was on air
    assert missed([Span(0, 30)], [Span(-50, 7)], 6) == [Span(0, 30)]
    assert joined([Span(5, 9), Span(0, 2), Span(1, 3)]) == [Span(0, 3), Span(5, 9)]
    assert shared([[Span(0, 10), Span(20, 30)], [Span(5, 25)]]) == [Span(5, 10), Span(20, 25)]


def served(*frames: tuple[float, str]) -> list[Served]:
    return [Served(at_s, outcome == "answered", outcome == "answered") for at_s, outcome in frames]


def test_failures_oblige_livemon_to_tell_that_it_was_blind() -> None:
    def must(*failures: float, until_s: float) -> tuple[bool, bool]:
        failed = [(at_s, "failed") for at_s in failures]
        dark = darks(HALL, served((0, "answered"), (5, "answered"), *failed, (until_s, "answered")), RULES, 1000)[1]
        return dark.must, dark.may

    assert must(until_s=10) == (False, False)
    assert must(10, until_s=11) == (False, True)  # one failure may be chance
    assert must(10, 10.1, until_s=15) == (False, True)  # two at once are one to it
    assert must(10, 15, until_s=20) == (True, True)
    assert must(14, until_s=16) == (False, True)  # nor is one that took long
    assert must(until_s=26) == (False, True)  # silence of 15 s, but who knows when it began
    assert must(until_s=26.1) == (True, True)


def test_what_livemon_had_heard_and_not_written_is_blind_time_too() -> None:
    frames = [Served(0, True, True), Served(5, True, False), Served(60, True, True)]
    assert darks(HALL, frames, RULES, 1000)[1].from_s == Span(0, 5)


def test_ticks_belong_to_the_first_frame_after_their_instant() -> None:
    assert paired([0, 5, 10], [0.1, 5.1, 10.1], 0.25, 6) == {0: 0, 1: 1, 2: 2}
    assert paired([0, 10], [0.1, 5.1, 10.1], 0.25, 6) == {0: 0, 1: 2}  # one was lost
    assert paired([0, 5, 10], [0.1, 10.1], 0.25, 6) == {0: 0, 2: 1}  # one was invented
    assert paired([0, 5], [4.9, 9.9], 0.25, 6) == {0: 0, 1: 1}  # answers that took nearly as long as they may
    assert paired([0.2, 5.2], [0.1, 5.1], 0.25, 6) == {0: 0, 1: 1}  # two clocks
    assert paired([0], [7], 0.25, 6) == {}
    assert paired([], [1], 0.25, 6) == paired([1], [], 0.25, 6) == {}

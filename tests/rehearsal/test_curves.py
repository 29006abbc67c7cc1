"""Audiences of a play move as recorded ones do; sines, constants and noise do not pass for them."""

import random
from itertools import pairwise
from math import exp, pi, sin, sqrt
from pathlib import Path
from statistics import correlation
from xml.etree import ElementTree

import msgspec
import pytest

from monitor.rehearsal.event.audience import FLEETING_S, REFRESH_S, Wave, crowd_and_views, waves
from monitor.rehearsal.event.curves import Curve, Model, Recorded, far_off, figures, table, twin
from monitor.rehearsal.event.script import Broadcast, Fault

DOCS = Path(__file__).parents[2] / "docs"
RECORDED = msgspec.json.decode((DOCS / "rehearsal-curves.json").read_bytes(), type=list[Recorded])


def test_generated_curves_have_the_figures_of_recorded_ones() -> None:
    assert far_off(RECORDED) == []


def sines(of: Recorded, number: int) -> Curve:
    """The audience of the first rehearsal: waves of minutes, and three sines."""
    dice = random.Random(number)
    mean, phase, polled_s = of.figures.mean, dice.uniform(0, 2 * pi), of.interval_s * of.polls
    came = [(0.0, 0.8 * mean, 180.0, 2_700.0)]
    while came[-1][0] < 3_600 + polled_s:
        size, rise_s, stay_s = 0.35 * mean * dice.lognormvariate(0, 0.7), dice.uniform(30, 240), dice.uniform(480, 1500)
        came.append((came[-1][0] + dice.expovariate(1 / 720), size, rise_s, stay_s))

    def viewers(at_s: float) -> int:
        left = sum(
            size * (1 - exp((from_s - at_s) / rise)) * exp((from_s - at_s) / stay)
            for from_s, size, rise, stay in came
            if from_s < at_s
        )
        unrest = 0.25 * sqrt(mean) * sum(sin(2 * pi * at_s / every + phase * every) for every in (170, 410, 990))
        return max(0, round(left + unrest))

    curve = [viewers(1_800 + of.interval_s * poll) for poll in range(of.polls)]
    return Curve(curve, round(sum(curve) * of.interval_s / 1_300), of.figures.likes_per_view)


def constant(of: Recorded, number: int) -> Curve:
    return Curve([round(of.figures.mean)] * of.polls, 100, of.figures.likes_per_view)


def noise(of: Recorded, number: int) -> Curve:
    dice, mean = random.Random(number), of.figures.mean
    return Curve([round(dice.gauss(mean, sqrt(mean))) for _ in range(of.polls)], 100, of.figures.likes_per_view)


@pytest.mark.parametrize("model", [sines, constant, noise])
def test_what_does_not_look_like_an_audience_passes_in_no_size(model: Model) -> None:
    found = far_off(RECORDED, model)
    assert {line.split()[0] for line in found if "per_view" not in line} == {"small", "middle", "large"}


def test_the_figures_of_a_curve_are_these() -> None:
    """By hand: 4 changes in 12 polls, two flat runs of 3 and one of 1; a minute is 3 polls of 20 s."""
    found = figures(Curve([100, 100, 100, 100, 110, 110, 110, 110, 108, 108, 109, 99], 10, 0.25), 20)
    assert found.flat_share == pytest.approx(7 / 11, abs=0.001)
    assert found.flat_run_q90 == 3
    unit = sqrt(found.mean)
    assert (found.step_q50, found.step_q90) == pytest.approx((10 / unit, 10 / unit), abs=0.001)
    assert (found.minute_q50, found.minute_q90) == pytest.approx((9 / unit, 10 / unit), abs=1.0)
    assert found.peak_to_mean == pytest.approx(110 / found.mean, abs=0.001)
    assert found.seconds_per_view == round(found.mean * 220 / 10)


def test_the_page_shows_the_figures_that_are_stored_and_a_picture() -> None:
    page = (DOCS / "rehearsal-curves.md").read_text(encoding="utf-8")
    assert page.endswith(table(RECORDED))
    assert "](pictures/rehearsal-curves.svg)" in page
    picture = ElementTree.parse(DOCS / "pictures" / "rehearsal-curves.svg")  # noqa: S314 (our own)
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}polyline"))) == 4 * len(RECORDED)


def test_views_are_those_who_came() -> None:
    """Counted the slow way: in each second as many come as stay more than before, and leave."""
    coming = (Wave(0, 100, 60, 600, "start"), Wave(900, 300, 20, 300, "push"))
    came = watched_s = before = 0.0
    step_s = 0.25
    for tick in range(1, 8_000):
        leave = sum(wave.left(tick * step_s) * step_s / wave.stay_s for wave in coming)
        now = sum(wave.left(tick * step_s) for wave in coming)
        came += now - before + leave
        watched_s += now * step_s
        before = now
    watching, views = crowd_and_views(coming, 7_999 * step_s)
    assert watching == pytest.approx(before)
    assert views == pytest.approx(came + watched_s / FLEETING_S, rel=0.01)


def broadcast(draw: float, *faults: Fault, speed: float = 1.0, seed: int = 1) -> Broadcast:
    ends_s = 4 * 3_600.0 * speed
    coming = waves(random.Random(seed), draw, 0.0, ends_s)
    return Broadcast(0, 0.0, ends_s, ends_s, coming, faults, "signed_off", 1.0, 1.0, 0.2, speed)


def test_an_audience_grows_at_first_and_is_no_noise() -> None:
    one = broadcast(5_000)
    crowds = [one.audience(60.0 * minute) for minute in range(200)]
    assert crowds[0] == 0 < crowds[2] < crowds[10]
    assert correlation(crowds[20:-1], crowds[21:]) > 0.85


def test_a_product_push_brings_people_within_a_minute_or_so() -> None:
    one = broadcast(5_000)
    pushes = [wave for wave in one.waves if wave.why == "push" and 1_200 < wave.at_s < 12_000]
    assert len(pushes) > 10
    rises = [one.audience(wave.at_s + 90) - one.audience(wave.at_s) for wave in pushes]
    otherwise = [one.audience(at_s + 90.0) - one.audience(at_s) for at_s in range(1_200, 12_000, 60)]
    assert sum(rises) / len(rises) > sum(otherwise) / len(otherwise) + 50
    assert [wave.why for wave in one.waves].count("start") == 1
    assert list(one.waves) == sorted(one.waves, key=lambda wave: wave.at_s)


@pytest.mark.parametrize("speed", [1.0, 20.0])
def test_people_leave_a_picture_that_is_away_and_come_back_in_seconds_of_the_world(speed: float) -> None:
    fault = Fault(7_200 * speed, 7_320 * speed, "drop")
    with_it, without = broadcast(5_000, fault, speed=speed), broadcast(5_000, speed=speed)
    share = [with_it.audience(at * speed) / without.audience(at * speed) for at in (7_200, 7_230, 7_320, 7_400, 7_900)]
    assert share[0] == 1 > share[1] > share[2] + 0.2
    assert share[2] < 0.6
    assert share[2] < share[3] < share[4] == pytest.approx(1, abs=0.01)


def test_many_leave_at_the_end() -> None:
    one = broadcast(5_000)
    assert one.audience(one.ends_s - 6) < 0.6 * one.audience(one.ends_s - 300)


@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_a_number_stands_until_the_platform_counts_anew(speed: float) -> None:
    one = broadcast(8_000, speed=speed)
    asked = [one.audience_and_totals(speed * (3_600 + 0.1 * tenth)) for tenth in range(1_000)]
    counted = 1 + sum(later != earlier for earlier, later in pairwise(asked))
    assert counted == pytest.approx(100 / REFRESH_S, abs=2)


def test_a_twin_is_the_same_each_time() -> None:
    assert twin(RECORDED[0], 3) == twin(RECORDED[0], 3) != twin(RECORDED[0], 4)

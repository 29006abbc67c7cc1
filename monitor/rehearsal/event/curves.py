"""Compares audiences of a play with recorded ones: `python -m monitor.rehearsal.event.curves RECORDINGS DOCS`."""

import random
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, pairwise
from math import pi, sqrt
from pathlib import Path
from statistics import fmean, median

import msgspec

from .audience import MINUTE, likes_for_each_view, waves
from .curves_plot import Panel, plot
from .script import Broadcast

SIZES = {"small": 100.0, "middle": 2_000.0, "large": float("inf")}  # up to so many viewers on average
TWINS = 24  # generated curves for each recorded one
FROM_START = 3  # so few views for each viewer has a broadcast that just began
FIGURES_FILE = "rehearsal-curves.json"
BOUNDS = {  # a factor, and what may be added: few recordings of each size cannot say more
    "flat_share": (1.0, 0.1), "flat_run_q90": (2.0, 0.0), "step_q50": (1.5, 0.0), "step_q90": (1.5, 0.0),
    "minute_q50": (1.5, 0.0), "minute_q90": (1.5, 0.0), "peak_to_mean": (1.2, 0.0),
    "seconds_per_view": (3.0, 0.0), "likes_per_view": (2.0, 0.0),
}  # fmt: skip
PAGE, FIGURES_BELOW = "rehearsal-curves.md", "## Figures"
PLOT = "pictures/rehearsal-curves.svg"


class Figures(msgspec.Struct, frozen=True):
    """What is compared of one curve. Steps are changes from poll to poll (or in a minute) in square roots of the mean:
    the measure in which people who come and go by themselves move alike in small rooms and large ones."""

    mean: float
    flat_share: float  # of polls that show the number of the one before
    flat_run_q90: float  # how many such polls follow each other, in nine of ten cases at most
    step_q50: float  # of polls that moved
    step_q90: float
    minute_q50: float
    minute_q90: float
    peak_to_mean: float
    seconds_per_view: float  # watched, for each view that came
    likes_per_view: float


class Recorded(msgspec.Struct, frozen=True):
    """One recording: how it was polled, whether from the start of its broadcast on, and its figures."""

    name: str
    interval_s: int
    polls: int
    from_start: bool
    figures: Figures


class Counts(msgspec.Struct, rename="camel"):
    concurrent_viewers: list[int]
    view_count: list[int]
    like_count: list[int]


class Recording(msgspec.Struct):
    """A file of the recordings, whose README says what is in it."""

    interval: int
    data: Counts


class Curve(msgspec.Struct, frozen=True):
    """Viewers at each poll, how many views came from the first poll to the last, and likes for each view."""

    viewers: Sequence[int]
    views: int
    likes_per_view: float


def figures(curve: Curve, interval_s: int) -> Figures:
    """The figures of a curve that was polled each `interval_s` seconds and is longer than a minute."""
    viewers = curve.viewers
    mean = fmean(viewers)
    unit = sqrt(mean)
    steps = [later - earlier for earlier, later in pairwise(viewers)]
    in_a_minute = round(MINUTE / interval_s)
    minutes = [abs(later - earlier) / unit for earlier, later in zip(viewers, viewers[in_a_minute:], strict=False)]
    moved = [abs(step) / unit for step in steps if step]
    runs = [len(list(run)) for moves, run in groupby(steps, bool) if not moves]
    return Figures(
        mean=round(mean, 1),
        flat_share=round(steps.count(0) / len(steps), 3),
        flat_run_q90=quantile(runs, 0.9),
        step_q50=quantile(moved, 0.5),
        step_q90=quantile(moved, 0.9),
        minute_q50=quantile(minutes, 0.5),
        minute_q90=quantile(minutes, 0.9),
        peak_to_mean=round(max(viewers) / mean, 3),
        seconds_per_view=round(mean * interval_s * len(steps) / max(curve.views, 1)),
        likes_per_view=round(curve.likes_per_view, 3),
    )


def quantile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 3) if ordered else 0.0


def recorded(path: Path) -> tuple[Recorded, Curve]:
    """A recording's figures, and its curve."""
    recording = msgspec.json.decode(path.read_bytes(), type=Recording)
    counts = recording.data
    viewers, views, likes = counts.concurrent_viewers, counts.view_count, counts.like_count
    curve = Curve(viewers, views[-1] - views[0], likes[-1] / views[-1])
    from_start = views[0] < FROM_START * viewers[0]
    found = Recorded(path.stem[:22], recording.interval, len(viewers), from_start, figures(curve, recording.interval))
    return found, curve


def twin(of: Recorded, number: int) -> Curve:
    """A curve of the model, of a room as large and polled like the recorded one."""
    dice = random.Random(f"twin {of.name} {number}")  # noqa: S311 (a play, no secret)
    polled_s = of.interval_s * (of.polls - 1)
    first_s = 2 * MINUTE if of.from_start else dice.uniform(20, 60) * MINUTE
    last_s = first_s + polled_s
    over_s = last_s + 20 * MINUTE
    coming = waves(dice, of.figures.mean, 0.0, over_s)
    phase, likes = dice.uniform(0, 2 * pi), likes_for_each_view(dice, of.figures.mean)
    one = Broadcast(0, 0.0, over_s, over_s, coming, (), "signed_off", 1.0, phase, likes)
    viewers = [one.audience(first_s + of.interval_s * poll) for poll in range(of.polls)]
    _, views, liked = one.audience_and_totals(last_s)
    return Curve(viewers, views - one.audience_and_totals(first_s)[1], liked / views)


Model = Callable[[Recorded, int], Curve]


def generated(of: Recorded, model: Model = twin) -> Figures:
    """The medians of the figures of many twins."""
    twins = [figures(model(of, number), of.interval_s) for number in range(TWINS)]
    return Figures(*(round(median(getattr(one, name) for one in twins), 3) for name in Figures.__struct_fields__))


def by_size(everything: Iterable[Recorded]) -> dict[str, list[Recorded]]:
    """Recordings by the size of their rooms, small ones first."""
    found: dict[str, list[Recorded]] = {size: [] for size in SIZES}
    for one in everything:
        found[next(size for size, most in SIZES.items() if one.figures.mean < most)].append(one)
    return found


def far_off(everything: Iterable[Recorded], model: Model = twin) -> list[str]:
    """Where the model lies outside of what was recorded of rooms of that size, give or take what BOUNDS allow."""
    found = []
    for size, ones in by_size(everything).items():
        made = [generated(one, model) for one in ones]
        for name, (factor, more) in BOUNDS.items():
            told = [getattr(one.figures, name) for one in ones]
            played = median(getattr(one, name) for one in made)
            if not min(told) / factor - more <= played <= max(told) * factor + more:
                found.append(f"{size} {name}: {played:g}, recorded {min(told):g} to {max(told):g}")
    return found


def table(everything: Sequence[Recorded]) -> str:
    """Recorded and generated figures side by side, as Markdown."""
    lines = ["| rooms | figure | recorded, each | generated, medians |", "| --- | --- | --- | --- |"]
    for size, ones in by_size(everything).items():
        sides = [one.figures for one in ones], [generated(one) for one in ones]
        for name in Figures.__struct_fields__:
            told, played = (" · ".join(f"{getattr(one, name):.5g}" for one in side) for side in sides)
            lines.append(f"| {size} | {name} | {told} | {played} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: python -m monitor.rehearsal.event.curves RECORDINGS DOCS", file=sys.stderr)
        return 2
    docs = Path(sys.argv[2])
    everything = [recorded(path) for path in sorted(Path(sys.argv[1]).glob("*.json"))]
    stored = [one for one, _ in everything]
    (docs / FIGURES_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(stored), indent=1) + b"\n")
    text = (docs / PAGE).read_text(encoding="utf-8").partition(FIGURES_BELOW)[0]
    (docs / PAGE).write_text(f"{text}{FIGURES_BELOW}\n\n{table(stored)}", encoding="utf-8")
    panels = [
        Panel(f"{one.figures.mean:,.0f} viewers", one.interval_s, curve.viewers, twin(one, 0).viewers)
        for one, curve in sorted(everything, key=lambda both: both[0].figures.mean)
    ]
    (docs / PLOT).write_text(plot(panels), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Judges the stops of a play by what the contract says of drops: which must be in drop_log, which may, which must not.

Nothing of the product is called here. What depends on when exactly somebody looked may be found and need not: a stop
shorter than two looks, one near a limit, one that meets a time in which its feed could not be seen.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

import msgspec

from ..manners import Measure, manner, measure
from .allowance import Rules
from .stops import Gap, Span, Why, expected, planned_ends

Duty = Literal["must", "may", "must_not"]
Outcome = Literal["resumed", "lost"]
ROUNDED_S = 1.0  # a schedule file has whole seconds
WHENEVER = Span(-inf, inf)
AT_THE_BEGINNING = "at the beginning"


@dataclass(frozen=True)
class Sight:
    """How a feed saw its rooms: since when, until when, and the `dark` spans, in order, in which it saw nothing."""

    feed: str
    seen_from_s: float
    until_s: float
    dark: Sequence[Span]

    @property
    def measures(self) -> bool:
        """Only own servers tell whether the picture moves."""
        return manner(self.feed).measures

    @property
    def measure(self) -> Measure:
        return measure(self.feed)

    def darkness(self, span: Span) -> list[Span]:
        """The dark spans that it meets."""
        first = bisect_left(self.dark, span.from_s, key=lambda dark: dark.to_s)
        found = []
        for dark in self.dark[first:]:
            if dark.from_s > span.to_s:
                break
            found.append(dark)
        return found


class Stop(msgspec.Struct, frozen=True):
    """One stop with its judgement. A drop that is it began within `begins` and was over within `ends`.

    `outcome` None: either. Of a lost one `ends` is when the room was on air again.
    """

    part: int
    from_s: float
    back_s: float
    why: Why
    duty: Duty
    outcome: Outcome | None
    begins: Span
    ends: Span
    reason: str = ""


class Judgement(msgspec.Struct, frozen=True):
    duty: Duty
    outcome: Outcome | None
    reason: str = ""


def judged(
    part: int, gaps: Sequence[Gap], starts: Sequence[float], slots: Sequence[Span], sight: Sight, rules: Rules
) -> list[Stop]:
    """All stops of one room. `starts` are the beginnings of its broadcasts, `slots` its part of the schedule."""
    measured = sight.measure
    found: list[Stop] = []
    shown = [gap for gap in gaps if not _too_short(gap, rules, measured)]
    for cluster in clusters(shown, rules.step_s(sight.feed) + rules.off_s_max(sight.feed)):
        off_s = rules.off_s_max(sight.feed) + (measured.steps_s if any(gap.frozen for gap in cluster) else 0.0)
        for gap in cluster:
            judgement = judge(gap, slots, rules, off_s, measured)
            begins, ends = _around(gap.from_s, off_s), _around(gap.back_s, off_s)
            if gap.why != "signed_off":
                if len(cluster) > 1:
                    judgement = Judgement("may", None, "close to another")
                    begins = Span(cluster[0].from_s - off_s, cluster[-1].from_s + off_s)
                    ends = Span(cluster[0].back_s - off_s, cluster[-1].back_s + off_s)
                judgement = seen(judgement, gap, starts, sight, rules, off_s)
                if judgement.reason == AT_THE_BEGINNING:  # it was away when somebody first looked
                    begins = Span(begins.from_s, max(begins.to_s, sight.seen_from_s + off_s))
                if dark := sight.darkness(_interest(gap, off_s, rules)):
                    judgement = Judgement("may", None, "not seen all the time")
                    begins, ends = _widened(begins, dark, off_s, rules), _widened(ends, dark, off_s, rules)
            if judgement.outcome != "resumed" and not _back_was_seen(gap, gaps, sight, off_s):
                ends = WHENEVER
            found.append(
                Stop(part, *gap[:3], judgement.duty, judgement.outcome, begins, ends, judgement.reason)
            )  # fmt: skip
    return found


def judge(gap: Gap, slots: Sequence[Span], rules: Rules, off_s: float, measured: Measure) -> Judgement:
    """One stop, as if it were alone and seen all the time."""
    length_s = gap.back_s - gap.from_s
    if gap.ends_broadcast and length_s <= rules.grace_s + off_s:
        return Judgement("may", None, "soon on air again")
    if gap.why == "signed_off":
        return Judgement("must_not", None, "signed off")
    if gap.why == "cut_off":
        return Judgement("may", None, "signed off while it was away")
    if length_s <= (measured.stall_s if gap.frozen else 0.0) + 2 * (off_s - rules.slack_s) + rules.slack_s:
        return Judgement("may", None, "shorter than two looks")
    if length_s < rules.grace_s - off_s:
        return Judgement("must", "resumed")
    if length_s <= rules.grace_s + off_s:
        return Judgement("may", None, "as long as grace")
    if measured.tells_failure:
        return Judgement("must", "lost")
    return outlasted(gap, slots, rules, off_s + ROUNDED_S)


def outlasted(gap: Gap, slots: Sequence[Span], rules: Rules, off_s: float) -> Judgement:
    """It was away for longer than grace: lost if it should have been on air, unless it was about to end anyway."""
    away_s = min((abs(gap.from_s - end_s) for end_s in planned_ends(slots)), default=inf)
    if away_s < rules.end_slack_s - off_s:
        return Judgement("must_not", None, "at its planned end")
    ran_out_s = gap.from_s + rules.grace_s
    turns = [at_s for slot in slots for at_s in slot if abs(at_s - ran_out_s) <= off_s]
    if away_s <= rules.end_slack_s + off_s or turns:
        return Judgement("may", "lost", "near the edge of its slot")
    if expected(slots, ran_out_s):
        return Judgement("must", "lost")
    return Judgement("must_not", None, "not planned")


def seen(
    judgement: Judgement, gap: Gap, starts: Sequence[float], sight: Sight, rules: Rules, off_s: float
) -> Judgement:  # fmt: skip
    """A duty holds only for what was watched from before it began until it was decided."""
    look_s = rules.step_s(sight.feed) + off_s
    decided_s = gap.back_s if judgement.outcome == "resumed" else gap.from_s + rules.grace_s + ROUNDED_S
    if gap.from_s >= sight.until_s:
        return Judgement("may", None, "after the end")
    if gap.from_s < sight.seen_from_s + look_s:
        return Judgement("may", None, AT_THE_BEGINNING)
    if decided_s + off_s > sight.until_s:
        return Judgement("may", None, "at the end")
    if any(0 <= gap.from_s - start_s < look_s for start_s in starts):
        return Judgement("may", None, "just begun")
    return judgement


def clusters(gaps: Sequence[Gap], look_s: float) -> Iterator[list[Gap]]:
    """Stops between which the room may not have been seen on air belong together."""
    cluster: list[Gap] = []
    for gap in gaps:
        if cluster and (cluster[-1].ends_broadcast or gap.from_s - cluster[-1].back_s >= look_s):
            yield cluster
            cluster = []
        cluster.append(gap)
    if cluster:
        yield cluster


def _too_short(gap: Gap, rules: Rules, measured: Measure) -> bool:
    """An encoder that froze for less than `stall_s` is no stop at all. Bytes that move in steps stand still longer."""
    return gap.frozen and gap.back_s - gap.from_s < measured.stall_s - measured.steps_s - rules.slack_s


def _back_was_seen(gap: Gap, gaps: Sequence[Gap], sight: Sight, off_s: float) -> bool:
    """Was the room watched when it was on air again, and long enough to be seen then?"""
    back = _around(gap.back_s, 2 * off_s)
    return (
        back.to_s <= sight.until_s
        and not sight.darkness(back)
        and not any(gap.back_s <= other.from_s <= back.to_s for other in gaps)
    )


def _around(at_s: float, off_s: float) -> Span:
    return Span(at_s - off_s, at_s + off_s)


def _interest(gap: Gap, off_s: float, rules: Rules) -> Span:
    """The time in which everything that decides this stop happens; that of a lost one ends with grace."""
    decided_s = min(gap.back_s, gap.from_s + rules.grace_s + off_s + ROUNDED_S)
    return Span(gap.from_s - off_s - rules.settle_s, decided_s + off_s)


def _widened(span: Span, dark: Sequence[Span], off_s: float, rules: Rules) -> Span:
    """What happened in the dark is told after it, when everything has settled, or as of its beginning."""
    return Span(min(span.from_s, dark[0].from_s - off_s), max(span.to_s, dark[-1].to_s + rules.settle_s + off_s))

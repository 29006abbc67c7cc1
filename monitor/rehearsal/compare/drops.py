"""Compares the drops that livemon logged with the stops that the judge expects: none missing, none invented."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import inf
from typing import NamedTuple

import msgspec

from .judge import WHENEVER, Outcome, Stop
from .stops import Span
from .verdict import Check, counted, told

Shown = Callable[[int, float | None], str]
"""A part and an instant of the clock, as a person looks them up."""


class Drop(NamedTuple):
    """A row of drop_log, in seconds of the clock."""

    part: int
    dropped_s: float
    back_s: float | None
    outcome: Outcome
    cause: str


class Matched(msgspec.Struct):
    """What became of each stop and each drop."""

    found: list[tuple[Stop, Drop]] = []
    off: list[tuple[Stop, Drop]] = []  # the same stop without doubt, but at another instant
    misjudged: list[tuple[Stop, Drop]] = []  # lost, and it was resumed; or the other way
    missing: list[Stop] = []
    allowed: list[tuple[Stop, Drop]] = []
    invented: list[Drop] = []
    sign_offs: list[tuple[Stop, Drop]] = []


def matched(stops: Sequence[Stop], drops: Sequence[Drop]) -> Matched:
    of_part: dict[int, tuple[list[Stop], list[Drop]]] = defaultdict(lambda: ([], []))
    for stop in stops:
        of_part[stop.part][0].append(stop)
    for drop in drops:
        of_part[drop.part][1].append(drop)
    result = Matched()
    for its_stops, its_drops in of_part.values():
        _match(its_stops, its_drops, result)
    return result


def _match(stops: Sequence[Stop], drops: list[Drop], result: Matched) -> None:
    """One room. What fits without doubt goes first, so that a doubtful stop takes nothing from a sure one."""
    left, due = list(drops), [stop for stop in stops if stop.duty == "must"]
    for stop, drop in _pairs(due, left, lambda stop, drop: _fits(stop, drop) and drop.outcome == stop.outcome):
        result.found.append((stop, drop))
    for pair in _pairs([stop for stop in stops if stop.duty == "may"], left, _fits):
        result.allowed.append(pair)
    for pair in _pairs(
        due, left, lambda stop, drop: stop.begins.holds(drop.dropped_s) and drop.outcome != stop.outcome
    ):
        result.misjudged.append(pair)
    for pair in _pairs(due, left, _overlap):
        result.off.append(pair)
    result.missing += due
    for pair in _pairs(
        [stop for stop in stops if stop.duty == "must_not" and stop.why == "signed_off"],
        left,
        lambda stop, drop: stop.begins.holds(drop.dropped_s),
    ):
        result.sign_offs.append(pair)
    result.invented += left


def _pairs(
    stops: list[Stop], drops: list[Drop], fits: Callable[[Stop, Drop], bool]
) -> Iterator[tuple[Stop, Drop]]:  # fmt: skip
    """Each stop with the nearest drop that fits; both are taken out of their lists."""
    for stop in tuple(stops):
        fitting = [drop for drop in drops if fits(stop, drop)]
        if fitting:
            drop = min(fitting, key=partial(_apart_s, stop))
            stops.remove(stop)
            drops.remove(drop)
            yield stop, drop


def _fits(stop: Stop, drop: Drop) -> bool:
    if not stop.begins.holds(drop.dropped_s):
        return False
    if stop.ends is WHENEVER or (stop.duty == "may" and drop.outcome == "lost"):
        return True
    return drop.back_s is not None and stop.ends.holds(drop.back_s)


def _apart_s(stop: Stop, drop: Drop) -> float:
    return abs(drop.dropped_s - stop.from_s)


def _overlap(stop: Stop, drop: Drop) -> bool:
    true = Span(stop.begins.from_s, max(stop.begins.to_s, stop.ends.to_s))
    return true.meets(Span(drop.dropped_s, inf if drop.back_s is None else drop.back_s))


def drop_checks(stops: Sequence[Stop], drops: Sequence[Drop], shown: Shown) -> list[Check]:
    """The lines of the report about stops."""
    result = matched(stops, drops)
    due = [stop for stop in stops if stop.duty == "must"]
    may = [stop for stop in stops if stop.duty == "may"]
    signed_off = [stop for stop in stops if stop.why == "signed_off"]
    there = len(due) - len(result.missing)
    return [
        counted("drops", len(due), there, [_stop(stop, shown) for stop in result.missing]),
        counted(
            "instants of drops", there, there - len(result.off), [_both(*pair, shown) for pair in result.off],
            wrong=len(result.off),
        ),
        counted(
            "resumed or lost", there, there - len(result.misjudged), [_both(*pair, shown) for pair in result.misjudged],
            wrong=len(result.misjudged),
        ),
        counted("drops invented", 0, len(result.invented), [_drop(drop, shown) for drop in result.invented]),
        Check(
            "sign-offs counted as drops", f"0 of {len(signed_off):,}", f"{len(result.sign_offs):,}",
            f"{len(result.sign_offs):,}", not result.sign_offs,
            tuple(_both(*pair, shown) for pair in result.sign_offs[:20]),
        ),
        told("stops that need not be found", f"{len(may):,}", f"{len(result.allowed):,}"),
        *(told(f"  {reason}", f"{number:,}") for reason, number in Counter(stop.reason for stop in may).most_common()),
        told("stops that are no drops", f"{len(stops) - len(due) - len(may) - _plain(signed_off):,}"),
    ]  # fmt: skip


def _plain(signed_off: Sequence[Stop]) -> int:
    return sum(stop.duty == "must_not" for stop in signed_off)


def _stop(stop: Stop, shown: Shown) -> str:
    back = "never" if stop.back_s == inf else shown(-1, stop.back_s)
    return f"truth {shown(stop.part, stop.from_s)} until {back} ({stop.why}, {stop.outcome})"


def _drop(drop: Drop, shown: Shown) -> str:
    return f"drop_log {shown(drop.part, drop.dropped_s)} until {shown(-1, drop.back_s)} ({drop.cause}, {drop.outcome})"


def _both(stop: Stop, drop: Drop, shown: Shown) -> str:
    return f"{_stop(stop, shown)}; {_drop(drop, shown)}"

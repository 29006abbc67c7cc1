"""When a feed could not be seen, by what it served; compared with the blind spans that livemon wrote."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from math import inf
from typing import NamedTuple

from ..manners import manner
from .allowance import Rules
from .stops import Span
from .verdict import Check, counted

OURSELVES = ("restart", "clock")  # causes of blind spans that no feed can know of


class Served(NamedTuple):
    """A frame of a feed went out, or failed; `taken`: its ticks are in the database."""

    at_s: float
    answered: bool
    taken: bool


class Blind(NamedTuple):
    """A row of `blind`; `to_s` infinity while it lasts. `room_id` None: it speaks of all rooms of its feed."""

    feed: str
    from_s: float
    to_s: float
    cause: str
    room_id: int | None = None

    @property
    def one_room(self) -> bool:
        return self.room_id is not None


class Dark(NamedTuple):
    """From the last answer before it to the first one after it (infinity: none came). `must`: livemon has to tell it.

    `from_s` is a span: what livemon had heard and not written yet when it was killed is blind time, too.
    """

    feed: str
    from_s: Span
    to_s: float
    failures: int
    must: bool
    may: bool


def darks(feed: str, frames: Sequence[Served], rules: Rules, until_s: float) -> list[Dark]:
    """All pairs of answers in a row, with what failed between them; most of them are no dark at all.

    Two failures at once may be one to livemon (HTTP clients ask again by themselves), so they only oblige it when they
    took longer than two intervals; and not at all where not each answer that failed is known, or one is of one room.
    """
    answered = [(number, frame) for number, frame in enumerate(frames) if frame.answered]
    if not answered:
        return []
    ends: list[tuple[int, float]] = [(number, frame.at_s) for number, frame in answered[1:]]
    found, taken_s, off_s = [], -inf, rules.off_s_max(feed)
    counts, silent_s = manner(feed).whole, rules.silence_s(feed) + rules.ends_off_s(feed)
    for (number, frame), (next_number, to_s) in zip(answered, [*ends, (len(frames), inf)], strict=True):
        taken_s = frame.at_s if frame.taken else taken_s
        failures = next_number - number - 1
        length_s = min(to_s, until_s) - frame.at_s
        must = (counts and failures >= 2 and length_s > 2 * rules.step_s(feed)) or length_s > silent_s
        may = failures > 0 or length_s > off_s
        begins = Span(frame.at_s if taken_s == -inf else taken_s, frame.at_s)
        found.append(Dark(feed, begins, to_s, failures, must, may))
    return found


def unseen(instants: Sequence[float], off_s: float) -> list[Span]:
    """The spans in which a feed was not seen when it should have been; `instants` are those of its frames, in order."""
    return [Span(one, other) for one, other in pairwise(instants) if other - one > off_s]


def missed(gaps: Iterable[Span], published: Sequence[Span], off_s: float) -> list[Span]:
    """Those gaps between reports in which there was something to report: some room was on air for long enough."""
    return [gap for gap in gaps if any(span.to_s - span.from_s > off_s for span in shared([[gap], published]))]


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time in order, spans that meet as one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and found[-1].meets(span):
            found[-1] = Span(found[-1].from_s, max(found[-1].to_s, span.to_s))
        else:
            found.append(span)
    return found


def shared(of_feeds: Sequence[Sequence[Span]]) -> list[Span]:
    """The time that lies in a span of every feed."""
    if not of_feeds:
        return []
    found = list(of_feeds[0])
    for spans in of_feeds[1:]:
        found = [
            Span(max(one.from_s, other.from_s), min(one.to_s, other.to_s))
            for one in found
            for other in spans
            if one.from_s < other.to_s and other.from_s < one.to_s
        ]
    return found


class Compared(NamedTuple):
    """How blind spans of some feeds and what they served fit together."""

    due: list[Dark]
    missing: list[Dark]
    shifted: list[tuple[Dark, Blind]]
    invented: list[Blind]


def blind_checks(
    called: str, pairs: Sequence[Dark], spans: Sequence[Blind], rules: Rules, until_s: float,
    shown: Callable[[str, float], str],
) -> list[Check]:  # fmt: skip
    """The lines of the report about blind spans of feeds that are `called` so."""
    darks_of, spans_of = defaultdict[str, list[Dark]](list), defaultdict[str, list[Blind]](list)
    for dark in pairs:
        darks_of[dark.feed].append(dark)
    for span in spans:
        spans_of[span.feed].append(span)
    compared = [_of_feed(darks_of[feed], spans_of[feed], rules, until_s) for feed in darks_of]
    due, missing = sum(len(each.due) for each in compared), [dark for each in compared for dark in each.missing]
    shifted = [one for each in compared for one in each.shifted]
    invented = [span for each in compared for span in each.invented]
    there = due - len(missing)
    of = "" if called == "hall" else f" of {called}s"
    return [
        counted(f"blind spans of {called}s", due, there, [_dark(dark, shown) for dark in missing]),
        counted(
            f"instants of blind spans{of}", there, there - len(shifted),
            [f"{_dark(dark, shown)}; {_blind(span, shown)}" for dark, span in shifted], wrong=len(shifted),
        ),
        counted(f"blind spans{of} invented", 0, len(invented), [_blind(span, shown) for span in invented]),
    ]  # fmt: skip


def _of_feed(pairs: Sequence[Dark], spans: Sequence[Blind], rules: Rules, until_s: float) -> Compared:
    """Of one feed that was heard at least once."""
    first_s = pairs[0].from_s.to_s + rules.ends_off_s(pairs[0].feed)  # until then nobody could have seen anything
    left = [span for span in spans if span.from_s < until_s and span.to_s > first_s]
    due = [dark for dark in pairs if dark.must]
    missing, shifted = list[Dark](), list[tuple[Dark, Blind]]()
    for dark in due:
        if any(_is(dark, span, rules, until_s) for span in left):
            left.remove(next(span for span in left if _is(dark, span, rules, until_s)))
        else:
            missing.append(dark)
    for dark in tuple(missing):
        near = next((span for span in left if _touches(dark, span)), None)
        if near is not None:
            left.remove(near)
            missing.remove(dark)
            shifted.append((dark, near))
    invented = [
        span
        for span in left
        if not any((dark.may or span.cause in OURSELVES) and _is(dark, span, rules, until_s) for dark in pairs)
    ]
    return Compared(due, missing, shifted, invented)


def _is(dark: Dark, span: Blind, rules: Rules, until_s: float) -> bool:
    if span.feed != dark.feed or span.one_room:
        return False
    off_s = rules.ends_off_s(dark.feed)
    begins = dark.from_s.from_s - off_s <= span.from_s <= dark.from_s.to_s + off_s
    over = min(dark.to_s, span.to_s) >= until_s - off_s  # it lasted to the end of what is compared
    return begins and (over or abs(span.to_s - dark.to_s) <= off_s)


def _touches(dark: Dark, span: Blind) -> bool:
    return span.feed == dark.feed and Span(dark.from_s.from_s, dark.to_s).meets(Span(span.from_s, span.to_s))


def _dark(dark: Dark, shown: Callable[[str, float], str]) -> str:
    return f"truth {shown(dark.feed, dark.from_s.to_s)} until {shown('', dark.to_s)} ({dark.failures} failures)"


def _blind(span: Blind, shown: Callable[[str, float], str]) -> str:
    room = ", one room" if span.one_room else ""
    return f"blind {shown(span.feed, span.from_s)} until {shown('', span.to_s)} ({span.cause}{room})"

"""The lines of the report about frames and ticks, for each way in which rooms are told of."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from ..manners import MANNERS
from .allowance import Rules
from .case import Case
from .frames import Watched
from .sightings import Found, Group, Sums
from .verdict import EXAMPLES_MAX, Check, counted, told

ALWAYS = ("hall", "relay")
Numbers = Callable[[Group], tuple[int, int]]


def frame_checks(case: Case, watched: Watched) -> list[Check]:
    checks: list[Check] = []
    for way, manner in MANNERS.items():
        found = [each for feed, each in watched.found.items() if feed.startswith(f"{way}-")]
        if not found and way not in ALWAYS:
            continue
        kind = manner.called
        rooms = [each for each in watched.rooms if case.feed_of[each[0]].startswith(f"{way}-")]
        members = sum(len(each.sums) for each in found)
        checks += _of_frames(case, kind, found)
        checks += [
            _numbers(case, f"ticks of {kind}s", found, lambda group: group.of_ticks),
            _numbers(case, f"live rooms of {kind}s", found, lambda group: group.of_live),
            _numbers(case, f"viewers of {kind}s", found, lambda group: group.of_viewers),
            counted(f"rooms of {kind}s", members, members - len(rooms), [_room(case, *each) for each in rooms]),
            _viewer_hours(case.rules, f"viewer-hours of {kind}s", found),
        ]
    return checks


def _of_frames(case: Case, kind: str, found: Sequence[Found]) -> list[Check]:
    answered = sum(len(each.pairs) + len(each.lost) + each.lost_blind for each in found)
    blind = sum(each.lost_blind for each in found)
    lost = [case.of_feed(each.feed, at_s) for each in found for at_s in each.lost]
    invented = [
        f"{case.of_feed(each.feed, group.at_s)}: {group.ticks:,} ticks" for each in found for group in each.invented
    ]
    return [
        counted(f"frames of {kind}s", answered, answered - blind - len(lost), lost, wrong=len(lost)),
        *([told("  not taken while blind", f"{blind:,}")] if blind else []),
        counted(f"frames of {kind}s invented", 0, len(invented), invented),
    ]


def _numbers(case: Case, what: str, found: Sequence[Found], numbers: Numbers) -> Check:
    """One number of all frames that were matched; it must be right in each of them."""
    truth = there = differing = 0
    examples: list[str] = []
    for each in found:
        for frame, group in each.pairs:
            true, read = numbers(frame), numbers(group)
            truth += true[0]
            there += read[0]
            if true != read:
                differing += 1
                if len(examples) < EXAMPLES_MAX:
                    words = (
                        f"{read[0]:,} and not {true[0]:,}" if true[0] != read[0] else f"{true[0]:,}, but of other rooms"
                    )
                    examples.append(f"{case.of_feed(each.feed, group.at_s)}: {words}")
    frames = f"{differing:,} frames" if differing else "0"
    return Check(what, f"{truth:,}", f"{there:,}", frames, differing == 0, tuple(examples))


def _room(case: Case, number: int, truth: Sums, found: Sums) -> str:
    return (
        f"{case.room(number)} (room_id {case.room_ids.get(number)}): ticks {found.ticks:,} of {truth.ticks:,}, "
        f"live {found.live:,} of {truth.live:,}, viewers {found.viewers:,} of {truth.viewers:,}"
    )


def _viewer_hours(rules: Rules, what: str, found: Sequence[Found]) -> Check:
    """Weighed with the time until the next frame on each side's own stamps, so that they agree only nearly."""
    truth = there = 0.0
    for each in found:
        for (frame, group), (next_frame, next_group) in pairwise(each.pairs):
            if next_frame.at_s - frame.at_s <= rules.off_s_max(each.feed):
                truth += frame.viewers * (next_frame.at_s - frame.at_s) / 3600
                there += group.viewers * (next_group.at_s - group.at_s) / 3600
    return told(what, f"{truth:,.1f}", f"{there:,.1f}", f"{there - truth:+,.3f}")

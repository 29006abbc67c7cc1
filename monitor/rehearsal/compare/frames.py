"""Frames as they were served against ticks in PostgreSQL: counts, and sums by frame and by room, all exact."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from monitor.store.statements import statement

from ..truth import NOT_TOLD, frames_of, instants_of, viewers_of
from .case import Case
from .darkness import Blind, Served
from .sightings import EARLY_S, Found, Group, Sums, merged, paired, told
from .stops import Span

RELAYED_S = 0.002  # a relay stamps its frames itself, to the millisecond at least
ANSWERED_S_MAX = 2.0  # livemon waits this long for an answer, or for an interval if that is longer
TAIL = timedelta(seconds=60)  # ticks of the last frames before `until` may be stamped later by another clock


class Watched(msgspec.Struct):
    """How all feeds compare, and when each served. `rooms`: parts whose sums differ, in truth and in the database."""

    found: dict[str, Found] = {}
    served: dict[str, list[Served]] = {}
    rooms: list[tuple[int, Sums, Sums]] = []

    def seen(self, feed: str) -> list[float]:
        """When the feed was seen: the instants of those of its frames that are in the database."""
        return [frame.at_s for frame in self.served[feed] if frame.taken]


async def watched(case: Case, blind: Sequence[Blind]) -> Watched:
    """Match all frames with ticks, and compare those before `until`."""
    groups = await _groups(case)
    instants = _instants(case)
    blind_rooms = await case.blind_rooms()
    result, left_out = Watched(), list[datetime]()
    for feed, members in case.feeds.items():
        if ":" not in feed:
            case.say(f"frames of {feed} ...")
        of_feed, served = groups.get(feed, {}), instants.get(feed, {})
        found = _compared(case, feed, of_feed, served)
        of_feed_alone = [Span(span.from_s, span.to_s) for span in blind if span.feed == feed and not span.one_room]
        _set_apart_lost(found, of_feed_alone + blind_rooms.get(members[0], []))
        kept = {group.at_s for _, group in found.pairs}
        left_out += [at for at_s, (at, _) in of_feed.items() if at_s not in kept]
        taken = {frame.at_s for frame, _ in found.pairs} | set(found.empty)
        result.found[feed] = found
        result.served[feed] = [
            Served(at_s, answered, at_s in taken or at_s >= case.until_s) for at_s, answered in served.items()
        ]
    result.rooms = await _differing_rooms(case, result, left_out)
    return result


async def _groups(case: Case) -> dict[str, dict[float, tuple[datetime, Group]]]:
    """Ticks by feed and instant."""
    case.say("ticks by frame ...")
    groups: dict[str, dict[float, tuple[datetime, Group]]] = {}
    window = case.from_at, case.until + TAIL, case.one_by_one
    for feed, at, *numbers in await case.conn.fetch(statement("rehearsal/frames"), *window):
        groups.setdefault(feed, {})[case.clock_s(at)] = (at, Group(case.clock_s(at), *numbers))
    return groups


def _instants(case: Case) -> dict[str, dict[float, bool]]:
    """Of each feed, in order: when it served, and whether that was an answer."""
    instants: dict[str, dict[float, bool]] = {}
    for feed, at, outcome in instants_of(case.truth):
        of_feed = instants.setdefault(feed, {})
        at_s = case.clock_s(at)
        of_feed[at_s] = of_feed.get(at_s, False) or outcome == "answered"
    return instants


def _compared(case: Case, feed: str, groups: dict[float, tuple[datetime, Group]], instants: dict[float, bool]) -> Found:
    """The frames of one feed."""
    asked, served = list(groups), [at_s for at_s, answered in instants.items() if answered]
    early_s, late_s = RELAYED_S, RELAYED_S
    if feed.startswith("hall-"):
        early_s, late_s = EARLY_S, max(ANSWERED_S_MAX, case.rules.interval_s) + case.rules.slack_s
    if feed.startswith("live-"):
        early_s, late_s = EARLY_S, case.rules.look_s / 2
    pairs = paired(asked, served, early_s, late_s)
    group_of = {served[place]: groups[asked[number]][1] for number, place in pairs.items()}
    room_ids = [case.room_ids.get(number, 0) for number in case.feeds[feed]]
    found = Found(feed, sums=[Sums() for _ in room_ids])
    for at_s, viewers in merged(_frames(case, feed)):
        if at_s >= case.until_s:
            break
        group = group_of.get(at_s)
        if group is not None:
            found.pairs.append((told(at_s, viewers, room_ids, found.sums), group))
        elif max(viewers, default=NOT_TOLD) == NOT_TOLD:
            found.empty.append(at_s)
        else:
            found.lost.append(at_s)
    strangers = [groups[at_s][1] for number, at_s in enumerate(asked) if number not in pairs]
    found.invented = [group for group in strangers if group.at_s < case.until_s]
    return found


def _frames(case: Case, feed: str) -> Iterator[tuple[float, Sequence[int]]]:
    """What each answered frame said, in order."""
    for _, at, outcome, blob in frames_of(case.truth, feed):
        if outcome == "answered" and blob is not None:
            yield case.clock_s(at), viewers_of(blob)


def _set_apart_lost(found: Found, spans: Sequence[Span]) -> None:
    """A frame that was answered in a blind span of its feed is no loss: nobody says that it was heard."""
    lost = [at_s for at_s in found.lost if not any(span.from_s < at_s <= span.to_s + EARLY_S for span in spans)]
    found.lost_blind, found.lost = len(found.lost) - len(lost), lost


async def _differing_rooms(
    case: Case, result: Watched, left_out: Sequence[datetime]
) -> list[tuple[int, Sums, Sums]]:  # fmt: skip
    """Sums by room over the frames that are compared."""
    case.say("ticks by room ...")
    rows = await case.conn.fetch(statement("rehearsal/room_sums"), case.from_at, case.until + TAIL, left_out)
    told_of = {case.part_of.get(row["room_id"]): Sums(row["ticks"], row["live"], row["viewers"]) for row in rows}
    differing = []
    for feed, members in case.feeds.items():
        for number, truth in zip(members, result.found[feed].sums, strict=True):
            found = told_of.get(number, Sums())
            if found != truth:
                differing.append((number, truth, found))
    return differing

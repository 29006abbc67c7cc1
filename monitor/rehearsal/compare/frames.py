"""Frames as they were served against ticks in PostgreSQL: counts, and sums by frame and by room, all exact."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import inf

import msgspec

from monitor.store.statements import statement

from ..manners import manner
from ..truth import NOT_TOLD, Outcome, frames_of, instants_of, viewers_of
from .case import Case
from .darkness import OURSELVES, Blind, Served
from .sightings import EARLY_S, Found, Group, Sums, merged, paired, told
from .stops import Span

STAMPED_S = 0.002  # a relay stamps its frames itself, to the millisecond at least
HEARD_S_MAX = 5.0  # a message of a socket is heard so late at most
HELD_S = 2.0  # a like is held in memory for half a second, and is of just before its second
LIKED_US = 995_000  # a like is later in the second than this, what begins or ends a broadcast is not
TAIL = timedelta(seconds=60)  # ticks of the last frames before `until` may be stamped later by another clock


class Watched(msgspec.Struct):
    """How all feeds compare, and when each served. `unknown`: of feeds that tell each change once, when nobody could
    know how their room stands. `rooms`: parts whose sums differ, in truth and in the database."""

    found: dict[str, Found] = {}
    served: dict[str, list[Served]] = {}
    unknown: dict[str, list[Span]] = {}
    rooms: list[tuple[int, Sums, Sums]] = []

    def seen(self, feed: str) -> list[float]:
        """When the feed was seen: the instants of those of its frames that are in the database."""
        return [frame.at_s for frame in self.served[feed] if frame.taken]

    def unheard(self, feed: str) -> list[Span]:
        """The instants of what was told, or was to be, and is not in the database."""
        return [Span(frame.at_s, frame.at_s) for frame in self.served[feed] if not frame.taken]


async def watched(case: Case, blind: Sequence[Blind]) -> Watched:
    """Match all frames with ticks, and compare those before `until`."""
    groups = await _groups(case)
    instants = _instants(case)
    spans: dict[str, list[Span]] = defaultdict(list, case.blind_rooms(blind))
    for span in blind:
        if not span.one_room:
            spans[span.feed].append(Span(span.from_s, span.to_s))
    away = [Span(span.from_s, span.to_s) for span in blind if span.cause in OURSELVES]
    result, left_out = Watched(), list[datetime]()
    for feed in case.feeds:
        if not manner(feed).one_room:
            case.say(f"frames of {feed} ...")
        of_feed, served = groups.get(feed, {}), instants.get(feed, {})
        found = _compared(case, feed, of_feed, served)
        # What only counts, or calls, is never blind: of it there is no span that says that we were away.
        if feed.startswith("count-"):
            spans[feed] += away
        elif feed.startswith("call-"):
            spans[feed] += [*away, _before_all(case, feed, result)]
        elif feed.startswith("heard-"):
            _set_apart_held(found, [span.from_s for span in blind if span.cause == "restart"], case.play.tempo.began_at)
        _set_apart_lost(found, spans[feed])
        kept = {group.at_s for _, group in found.pairs}
        left_out += [at for at_s, (at, _) in of_feed.items() if at_s not in kept]
        taken = {frame.at_s for frame, _ in found.pairs} | set(found.empty)
        result.found[feed] = found
        result.served[feed] = [
            Served(at_s, outcome != "failed", at_s in taken or at_s >= case.until_s)
            for at_s, outcome in served.items()
        ]  # fmt: skip
        if manner(feed).on_change:
            result.unknown[feed] = unknown(served)
    result.rooms = await _differing_rooms(case, result, left_out)
    return result


def unknown(instants: Mapping[float, Outcome]) -> list[Span]:
    """From each try that was not taken until the next word that was: only then is that known, or what came of it."""
    spans, from_s = list[Span](), inf
    for at_s, outcome in instants.items():
        if outcome == "failed":
            from_s = min(from_s, at_s)
        elif outcome == "alive" and from_s < inf:
            spans.append(Span(from_s, at_s))
            from_s = inf
    return spans if from_s == inf else [*spans, Span(from_s, inf)]


def _before_all(case: Case, feed: str, result: Watched) -> Span:
    """Until the server whose calls these are was seen. Whoever calls sooner is answered, and nobody watches yet."""
    [number] = case.feeds[feed]
    server = result.found.get(case.feed_of[number])
    return Span(-inf, server.pairs[0][0].at_s if server and server.pairs else inf)


async def _groups(case: Case) -> dict[str, dict[float, tuple[datetime, Group]]]:
    """Ticks by feed and instant."""
    case.say("ticks by frame ...")
    groups: dict[str, dict[float, tuple[datetime, Group]]] = {}
    told = {case.room_ids[number]: feed for number, feed in case.feed_of.items() if number in case.room_ids}
    counted, called = ([by.get(case.part_of[room_id]) for room_id in told] for by in (case.counted_by, case.called_by))
    together = [len(case.feeds[feed]) for feed in told.values()]
    asked = case.from_at, case.until + TAIL, list(told), list(told.values()), counted, called, together
    for feed, at, *numbers in await case.conn.fetch(statement("rehearsal/frames"), *asked):
        groups.setdefault(feed, {})[case.clock_s(at)] = (at, Group(case.clock_s(at), *numbers))
    return groups


def _instants(case: Case) -> dict[str, dict[float, Outcome]]:
    """Of each feed, in order: when it served, and what; of several frames of one instant that which was no failure."""
    instants: dict[str, dict[float, Outcome]] = {}
    for feed, at, outcome in instants_of(case.truth):
        of_feed, at_s = instants.setdefault(feed, {}), case.clock_s(at)
        if of_feed.get(at_s, "failed") == "failed":
            of_feed[at_s] = outcome
    return instants


def _compared(
    case: Case, feed: str, groups: dict[float, tuple[datetime, Group]], instants: Mapping[float, Outcome]
) -> Found:  # fmt: skip
    """The frames of one feed."""
    asked = list(groups)
    pairs = _paired(case, feed, asked, instants)
    group_of = {at_s: groups[asked_s][1] for asked_s, at_s in pairs.items()}
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
    strangers = [groups[asked_s][1] for asked_s in asked if asked_s not in pairs]
    found.invented = [group for group in strangers if group.at_s < case.until_s]
    return found


def _paired(case: Case, feed: str, asked: Sequence[float], instants: Mapping[float, Outcome]) -> dict[float, float]:
    """Of instants of ticks those of their frames. What has a stamp of its own is found by that alone."""
    stamped = _of_outcome(instants, "stamped")
    if feed.startswith("relay-"):
        stamped = _of_outcome(instants, "answered")
    found = _named(asked, stamped, paired(asked, stamped, STAMPED_S, STAMPED_S))
    if feed.startswith("relay-"):
        return found
    early_s, late_s = (EARLY_S, case.rules.late_s(feed)) if manner(feed).asked else (HEARD_S_MAX, EARLY_S)
    asked, answered = [at_s for at_s in asked if at_s not in found], _of_outcome(instants, "answered")
    return found | _named(asked, answered, paired(asked, answered, early_s, late_s))


def _of_outcome(instants: Mapping[float, Outcome], outcome: Outcome) -> list[float]:
    return [at_s for at_s, told in instants.items() if told == outcome]


def _named(asked: Sequence[float], served: Sequence[float], pairs: Mapping[int, int]) -> dict[float, float]:
    return {asked[number]: served[place] for number, place in pairs.items()}


def _frames(case: Case, feed: str) -> Iterator[tuple[float, Sequence[int]]]:
    """What each answered frame said, in order."""
    for _, at, outcome, blob in frames_of(case.truth, feed):
        if outcome != "failed" and blob is not None:
            yield case.clock_s(at), viewers_of(blob)


def _set_apart_lost(found: Found, spans: Sequence[Span]) -> None:
    """A frame that was answered in a blind span of its feed is no loss: nobody says that it was heard."""
    lost = [at_s for at_s in found.lost if not any(span.from_s < at_s <= span.to_s + EARLY_S for span in spans)]
    found.lost_blind, found.lost = found.lost_blind + len(found.lost) - len(lost), lost


def _set_apart_held(found: Found, killed_s: Sequence[float], began_at: datetime) -> None:
    """Likes that were held in memory when we were killed, though older than the last sign of life that was on disk.

    They are of just before a second. What begins or ends a broadcast is of some moments sooner: that is kept, and no
    loss is forgiven.
    """
    held = {
        at_s
        for at_s in found.lost
        if (began_at + timedelta(seconds=at_s)).microsecond > LIKED_US
        and any(it - HELD_S < at_s <= it for it in killed_s)
    }
    found.lost_blind += len(held)
    found.lost = [at_s for at_s in found.lost if at_s not in held]


async def _differing_rooms(
    case: Case, result: Watched, left_out: Sequence[datetime]
) -> list[tuple[int, Sums, Sums]]:  # fmt: skip
    """Sums by room over the frames that are compared."""
    case.say("ticks by room ...")
    rows = await case.conn.fetch(statement("rehearsal/room_sums"), case.from_at, case.until + TAIL, left_out)
    told_of = {case.part_of.get(row["room_id"]): Sums(row["ticks"], row["live"], row["viewers"]) for row in rows}
    truths: dict[int, Sums] = defaultdict(Sums)
    for feed, members in case.feeds.items():
        for number, truth in zip(members, result.found[feed].sums, strict=True):
            truths[number].add(truth)
    return [
        (number, truth, found) for number, truth in truths.items()
        if (found := told_of.get(number, Sums())) != truth
    ]  # fmt: skip

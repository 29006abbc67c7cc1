"""What happened in rooms by the script against drop_log, sessions and blind spans in PostgreSQL."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from monitor.store.statements import statement

from ..event.script import Broadcast
from ..manners import MANNERS, manner, measure
from .case import Case
from .darkness import Blind, blind_checks, darks, joined, missed, shared, unseen
from .drops import Drop, drop_checks
from .frames import Watched
from .judge import Sight, Stop, judged
from .room_blindness import of_rooms
from .stops import Span, gaps, on_air, planned, published
from .verdict import EXAMPLES_MAX, Check, counted, told

LATER_S = 600.0  # livemon goes on for a while after what is compared
FRAME_FAILED_S = 1.0


class Opened(NamedTuple):
    """A row of `session`."""

    part: int
    opened_s: float
    closed_s: float
    reason: str | None


def sights(case: Case, watched: Watched) -> dict[str, Sight]:
    """Of each feed that told anything: when its rooms were seen.

    What a relay reports while livemon is down comes late, and until then time passes for livemon. That it was down
    shows in that no hall was asked.
    """
    seen = {feed: instants for feed in set(case.feed_of.values()) if (instants := watched.seen(feed))}
    dark = {feed: unseen(instants, case.rules.gap_s_max(feed)) for feed, instants in seen.items()}
    down = shared([spans for feed, spans in dark.items() if feed.startswith("hall-")])
    for feed, spans in dark.items():
        way = manner(feed)
        if feed.startswith("relay-"):
            dark[feed] = joined([*missed(spans, on_screen(case, feed), case.rules.off_s_max(feed)), *down])
        elif way.on_change:  # of one that is silent nothing has changed
            dark[feed] = joined([*watched.unknown[feed], *down])
        elif not way.keeps_state:
            dark[feed] = joined([*spans, *watched.unheard(feed), *down])
        elif not way.whole:  # it tells whether rooms are on air or not
            delay_s = measure(feed).delay_s
            dark[feed] = joined(Span(span.from_s, span.to_s + delay_s) for span in (*spans, *down))
    return {
        feed: Sight(
            feed, instants[0], case.until_s if manner(feed).on_change else min(case.until_s, instants[-1]), dark[feed]
        )
        for feed, instants in seen.items()
    }  # fmt: skip


def on_screen(case: Case, feed: str) -> list[Span]:
    """When any room of a relay was to be seen."""
    speed = case.play.tempo.speed
    return joined(span for number in case.feeds[feed] for span in published(script_of(case, number), speed))


def script_of(case: Case, number: int) -> Sequence[Broadcast]:
    """The broadcasts of a room until some time after what is compared, and the one that follows them."""
    case.play.broadcast(number, (case.until_s + LATER_S) * case.play.tempo.speed)
    return case.play.told[number]


def all_stops(case: Case, seen: dict[str, Sight]) -> list[Stop]:
    """Every stop of every watched room, judged."""
    case.say("stops of the script ...")
    speed, stops = case.play.tempo.speed, list[Stop]()
    for number, feed in case.feed_of.items():
        sight = seen.get(feed)
        if sight is None:
            continue
        script = script_of(case, number)
        stopped = gaps(script, speed, sight.measures, manner(feed).shows_drops)
        starts = [span.from_s for span in on_air(script, speed)]
        stops += judged(number, stopped, starts, planned(script, speed), sight, case.rules)
    return [
        stop for stop in stops if stop.from_s < case.until_s + LATER_S and stop.back_s > sight_begin(case, seen, stop)
    ]


def sight_begin(case: Case, seen: dict[str, Sight], stop: Stop) -> float:
    """What was over before anybody looked is no stop for anybody."""
    return seen[case.feed_of[stop.part]].seen_from_s - case.rules.off_s_max(case.feed_of[stop.part])


async def stop_checks(case: Case, seen: dict[str, Sight]) -> list[Check]:
    stops = all_stops(case, seen)
    case.say("drop_log ...")
    drops = [
        Drop(
            case.part_of[row["room_id"]], case.clock_s(row["dropped_at"]),
            None if row["back_at"] is None else case.clock_s(row["back_at"]), row["outcome"], row["cause"],
        )
        for row in await case.conn.fetch(statement("rehearsal/drops"), case.from_at)
        if row["room_id"] in case.part_of
    ]  # fmt: skip
    return drop_checks(stops, drops, case.of_part)


def blindness_checks(case: Case, watched: Watched, blind: Sequence[Blind]) -> list[Check]:
    """Blind spans of all feeds that can be blind, and of each room where rooms are told of one by one."""
    checks: list[Check] = []
    for way, how in MANNERS.items():
        feeds = {feed for feed in case.feeds if feed.startswith(f"{way}-")} if how.blinds else set[str]()
        if feeds or way == "hall":
            pairs = [
                dark for feed in sorted(feeds) for dark in darks(feed, watched.served[feed], case.rules, case.until_s)
            ]  # fmt: skip
            spans = of_rooms(case, feeds, blind) if how.one_room else [span for span in blind if span.feed in feeds]
            checks += blind_checks(how.called, pairs, spans, case.rules, case.until_s, case.of_feed)
    return checks


async def session_checks(case: Case, seen: dict[str, Sight]) -> list[Check]:
    """Every broadcast that was seen twice has a session, and every session a broadcast."""
    case.say("sessions ...")
    sessions: dict[int, list[Opened]] = {}
    for row in await case.conn.fetch(statement("rehearsal/sessions"), case.from_at):
        number = case.part_of.get(row["room_id"])
        if number is not None:
            closed_s = inf if row["closed_at"] is None else case.clock_s(row["closed_at"])
            session = Opened(number, case.clock_s(row["opened_at"]), closed_s, row["close_reason"])
            sessions.setdefault(number, []).append(session)
    due, missing, invented = 0, list[str](), list[str]()
    for number, feed in case.feed_of.items():
        sight = seen.get(feed)
        theirs = sessions.get(number, [])
        script = script_of(case, number) if sight is not None else ()
        spans = on_air(script, case.play.tempo.speed)
        off_s = case.rules.off_s_max(feed)
        for at_s in expected_openings(case, number, spans, sight) if sight is not None else ():
            due += 1
            if not any(abs(session.opened_s - at_s) <= off_s for session in theirs):
                missing.append(case.of_part(number, at_s))
        invented += [case.of_part(number, each.opened_s) for each in theirs if not _inside(each.opened_s, spans, off_s)]
    reasons = Counter(each.reason or "still open" for of_room in sessions.values() for each in of_room)
    return [
        counted("sessions of broadcasts", due, due - len(missing), missing),
        counted("sessions invented", 0, len(invented), invented),
        *(told(f"  closed as {reason}" if reason != "still open" else "  still open", "", f"{number:,}")
          for reason, number in reasons.most_common()),
    ]  # fmt: skip


def expected_openings(case: Case, number: int, spans: Sequence[Span], sight: Sight) -> list[float]:
    """When sessions of a room must have been opened: where it was seen on air twice in a row after a pause."""
    off_s = case.rules.off_s_max(sight.feed)
    look_s, way = case.rules.step_s(sight.feed) + off_s, manner(sight.feed)
    stopped = gaps(script_of(case, number), case.play.tempo.speed, sight.measures, way.shows_drops)
    found, over_s = [], -inf
    for span in spans:
        begins_s = max(span.from_s, sight.seen_from_s)
        ends_s = min([gap.from_s for gap in stopped if gap.back_s > begins_s] + [sight.until_s], default=sight.until_s)
        unclear = sight.darkness(Span(begins_s - off_s, begins_s + look_s))
        # An end that nobody heard: the last one goes on. Of what is told on change nothing is seen from then on.
        if not (way.keeps_state or way.on_change) and over_s >= sight.seen_from_s:
            unclear += sight.darkness(Span(over_s - off_s, over_s + off_s))
        if ends_s - begins_s > look_s and not unclear:
            found.append(begins_s)
        over_s = span.to_s
    return found


def _inside(at_s: float, spans: Sequence[Span], off_s: float) -> bool:
    place = bisect_left(spans, at_s, key=lambda span: span.to_s + off_s)
    return place < len(spans) and spans[place].from_s - off_s <= at_s


async def quarantine_check(case: Case, watched: Watched) -> Check:
    """Nothing may be set aside, but answers that were none."""
    failed: dict[str, list[float]] = {}
    for feed, served in watched.served.items():
        failed.setdefault(feed.partition(":")[0], []).extend(each.at_s for each in served if not each.answered)
    examples, known = list[str](), 0
    rows = await case.conn.fetch(statement("rehearsal/quarantine"), case.from_at)
    for row in rows:
        at_s, times = case.clock_s(row["received_at"]), failed.get(row["feed"], [])
        if row["kind"] == "frame" and any(abs(at_s - time_s) <= FRAME_FAILED_S for time_s in times):
            known += 1
        elif len(examples) < EXAMPLES_MAX:
            examples.append(
                f"{row['quarantine_id']}: {row['feed']} {row['kind']} at {row['received_at']}: {row['reason']}"
            )
    return counted("quarantined rows", known, len(rows), examples)

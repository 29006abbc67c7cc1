"""Blind spans where rooms are told of one by one: to each room those of its own and those of all are one darkness."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from .case import Case
from .darkness import Blind


def of_rooms(case: Case, feeds: Collection[str], blind: Iterable[Blind]) -> list[Blind]:
    """What of them each room was in, under the name of the room's own feed in the truth.

    A room that was blind alone when all became so has two rows that meet, and was blind once.
    """
    feeds_of = defaultdict[str, list[str]](list)
    for feed in feeds:
        feeds_of[feed.partition(":")[0]].append(feed)
    found = defaultdict[str, list[Blind]](list)
    for span in blind:
        of_one = None if span.room_id is None else case.part_of.get(span.room_id, -1)
        for feed in feeds_of.get(span.feed, ()):
            if of_one is None or of_one in case.feeds[feed]:
                found[feed].append(span._replace(feed=feed, room_id=None))
    return [span for feed in sorted(found) for span in _joined(found[feed])]


def _joined(spans: Iterable[Blind]) -> list[Blind]:
    """In order, those that meet as one."""
    found: list[Blind] = []
    for span in sorted(spans, key=lambda span: span.from_s):
        if found and span.from_s <= found[-1].to_s:
            span = found[-1]._replace(to_s=max(found.pop().to_s, span.to_s))
        found.append(span)
    return found

"""Sums over rooms and feeds, as /metrics, the landing page and `livemon status` show them."""

from typing import get_args

import msgspec

from monitor.live.sight import FeedSight, SightState
from monitor.live.watch import Watch

STATES = ("offline", "live", "dropped", "blind", "lost", "unwatched")
"""By the number that livemon_room_state shows."""

FEED_STATES: tuple[SightState, ...] = get_args(SightState)
SIGNALS = ("live", "viewers", "sales")


class PlatformSums(msgspec.Struct):
    """The rooms of one platform: how many are in each state, should be on air, are seen; and all their viewers."""

    states: list[int]
    covered: dict[str, int]
    viewers: int = 0
    expected: int = 0


def platform_sums(watch: Watch) -> dict[str, PlatformSums]:
    """Every platform of the roster or of a feed is there, also with nothing to count."""
    names = {room.platform for room in watch.rooms} | {feed.platform for feed in watch.feeds.values()}
    sums = {name: PlatformSums([0] * len(STATES), dict.fromkeys(SIGNALS, 0)) for name in sorted(names - {""})}
    for room in watch.rooms:
        of_platform = sums[room.platform]
        of_platform.states[room.state] += 1
        of_platform.viewers += room.viewers or 0
        of_platform.expected += room.expected
    add_covered(watch, sums)
    return sums


def add_covered(watch: Watch, sums: dict[str, PlatformSums]) -> None:
    """A room is covered by a signal if some feed that lists it gives that signal."""
    for signal in SIGNALS:
        covered = {
            id(room): room for feed in watch.feeds.values() if signal in feed.row.signals() for room in feed.rooms
        }
        for room in covered.values():
            sums[room.platform].covered[signal] += 1


def is_up(feed: FeedSight) -> bool:
    """Can this feed be seen? One that only listens is up while nothing speaks against it."""
    heard = feed.last_message_at is not None or not feed.row.TELLS_STATE
    return heard and feed.state not in ("refused", "blind")

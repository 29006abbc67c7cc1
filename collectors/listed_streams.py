"""What a server's list of its streams means for the rooms that are watched: who is on it, and who is not."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from .tick import Evidence, Tick


def stream_ticks(
    feed: str, rooms: Sequence[str], seen: Iterable[Tick], at: datetime, missing: Evidence = "status"
) -> list[Tick]:
    """One tick for each watched room, off air (`missing`) where the list lacks it, then those that nobody watches.

    Two virtual hosts, or two names that a server shows as the same: the first live one speaks for the name.
    """
    listed: dict[str, Tick] = {}
    for tick in seen:
        known = listed.get(tick.room)
        if known is None or (tick.live and not known.live):
            listed[tick.room] = tick
    watched = ((room, listed.pop(room, None)) for room in rooms)
    ticks = [tick or Tick(feed, room, at, missing, False) for room, tick in watched]
    return ticks + list(listed.values())

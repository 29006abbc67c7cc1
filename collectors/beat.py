"""Where in its interval something comes again and again: at a place that its name gives, so that no instant has all.

Pure: time comes as an argument, monotonic seconds.
"""

from hashlib import blake2b
from math import floor

STEP_S = 0.05  # what thousands do, some do together at each step: to be woken for each costs more than the work


def place_of(feed: str, room: str = "") -> float:
    """From 0 to below 1, the same for the same feed, or room of a feed, for ever."""
    return int.from_bytes(blake2b(f"{feed}\n{room}".encode(), digest_size=6).digest()) / 2**48


def beat_after(place: float, after_s: float, interval_s: float) -> float:
    """The first beat after an instant, at most one interval later."""
    number = floor(after_s / interval_s - place) + 1
    beat_s = (number + place) * interval_s
    return beat_s if beat_s > after_s else (number + 1 + place) * interval_s  # floats: a beat is never after itself

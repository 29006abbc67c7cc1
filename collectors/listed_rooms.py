"""Reads the list of rooms that answers a question about some of them: who is missing, and who cannot be read."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from .asked_frame import Asked
from .collector import BadFrame, PartlyRead
from .tick import Tick

Read = Callable[[object], Tick]
"""The tick of an entry. Raises msgspec.ValidationError or BadFrame where it cannot be read."""

Whose = Callable[[object], str]
"""The room of an entry that cannot be read. Raises msgspec.ValidationError where it does not even say that."""


def listed_ticks(
    feed: str, asked: Asked, body: bytes, at: datetime, entries: Callable[[bytes], Sequence[object]], read: Read,
    whose: Whose,
) -> list[Tick]:  # fmt: skip
    """Who is not listed is off air, or gone, though that must be seen twice; who cannot be read is unknown alone.

    An answer that lists somebody who was not asked about answers another question: nobody is known. Raises PartlyRead.
    """
    found, unread, part = dict[str, Tick](), dict[str, str](), b""
    try:
        listed = entries(body)
    except BadFrame as error:
        raise PartlyRead(str(error), (), dict.fromkeys(asked.rooms, "bad_frame"), body) from error
    for entry in listed:
        try:
            tick = read(entry)
            found[tick.room] = tick
        except (msgspec.ValidationError, BadFrame):
            part = msgspec.json.encode(entry)
            unread |= dict.fromkeys(_of(entry, whose, asked.rooms), "bad_frame")
    if not found.keys() <= set(asked.rooms):
        raise PartlyRead("bad_room: not asked about", (), dict.fromkeys(asked.rooms, "bad_frame"), body)
    ticks = [found.get(room) or Tick(feed, room, at, "absent", False) for room in asked.rooms if room not in unread]
    if part:
        raise PartlyRead("bad_entry: one of the list cannot be read", ticks, unread, part)
    return ticks


def _of(entry: object, whose: Whose, rooms: Sequence[str]) -> Sequence[str]:
    """Where it does not say whose it is, it may be anybody's."""
    try:
        return [whose(entry)]
    except msgspec.ValidationError:
        return rooms

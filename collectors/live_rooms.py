"""A feed that hears each room by a socket of its own, to which a call of the platform's open API leads.

What such sockets bring may be money, so a message is on disk before it is understood, as with an order socket; but
nobody confirms it, and nothing comes again: whatever was said while a room was not heard is lost, and that is told.
What does come again, and is no money, is told past the disk: it weighs more than all the rest.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from .api_feed import Make
from .hook import OrderSocketRow


class LiveRooms(Protocol):
    """What such a feed is given. A room's notes are small, and are kept with its account, encrypted, over restarts."""

    async def ask(self, make: Make, room: str = "") -> bytes:
        """The body of an answer that is fine, in the name of a room's account, or of the app alone.

        Raises RoomUnseen with the platform's code, or another word, as its text; FeedRefused where nobody of this app
        is answered until a person has done something.
        """

    async def reach(self, link: str) -> str:
        """The address at which the host of a socket may be called. Raises OSError where it may not."""

    def notes(self, room: str) -> Mapping[str, str]: ...

    async def note(self, room: str, notes: Mapping[str, str]) -> None:
        """In place of those that were there; on disk when it returns."""

    async def keep(self, room: str, frame: bytes, at: datetime) -> None:
        """What was said in a room at this instant is on disk when it returns; it is read in the order it came in."""

    def tell(self, room: str, frame: bytes, at: datetime) -> bool:
        """What comes again by itself and is no money is read at once, and nowhere kept. False: not now, as what was
        kept of this room before is not read yet, or nobody watches; then it may be kept like all else."""

    def roll(self, heard: Mapping[str, datetime], unheard: Mapping[str, Exception | None]) -> None:
        """How it stands: rooms that are heard, each with the instant of its last sign of life, and why others are not
        (None: they were not tried yet). The second time in a row that a room is unheard it is blind.
        """

    def all_lost(self, error: Exception | None) -> None:
        """Most of those that were heard are not any more: that is the platform, or the way to it. All are blind."""


class LiveRoomsRow(OrderSocketRow, kw_only=True, frozen=True):
    """A `[[feed]]` table of such a kind.

    `collect(http, emit, now, rooms)`: what is said goes through `rooms`; `emit` takes an empty frame, a sign of life
    of the feed. `parse(frame, at, app, details)` is that of a Hook.
    """

    TELLS_STATE = True
    ROOM_BY_ROOM = True
    SIGNALS = ("live", "sales")

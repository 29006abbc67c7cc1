"""A feed that asks a platform's open API: in the name of our app, or of the account that a room belongs to."""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Literal, Protocol

from .collector import FeedRow
from .open_api import Call, Caller
from .room_pace import RoomPace

Make = Callable[[Caller], Call]
"""Builds the call for whoever asks, and once more if that had to wait for its turn: it has no effects."""


class RoomUnseen(Exception):
    """This room cannot be asked just now, though others may be; not before `wait_s` is it worth another try.

    The watch knows of it already: after the second one in a row the room is blind, and no other room with it.
    """

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        self.wait_s = wait_s
        super().__init__(reason)


class BatchUnseen(RoomUnseen):
    """The same, of all rooms that a call named: they are asked again soon, and not when their turn comes."""


class Platform(Protocol):
    """The open API of the app that a feed names: what keeps tokens, waits for its turn and counts is behind it."""

    async def ask(self, make: Make, room: str = "", batch: Sequence[str] = ()) -> bytes:
        """The body of an answer that the platform's rules (`OpenApi.judge`) call good.

        With a `room` what is wrong with that room alone is a RoomUnseen; where the kind is BY_ACCOUNT, it is asked in
        the name of that room's account. With a `batch`, the rooms that the call names, what may be wrong with this
        call alone is a BatchUnseen; where all calls that `pace` was told of fail, it is not. Every other failure is
        one of the whole feed: it ends `collect`. Of a kind that has no `pace`, since it hears its rooms beside what
        it asks, neither a question that is not answered nor one too many is.
        """

    def unseen(self, room: str, reason: str) -> None:
        """What no call of `ask` tells: this room cannot be seen (its socket closed, its answer is none). `reason` is
        one of the fixed words of monitor/live/failure.py. A tick of the room is the end of it."""

    def pace(self, rooms: Iterable[str], interval_s: float, stretched_s: float = 0.0) -> RoomPace:
        """When each of these is asked. It is kept while the feed fails and is begun anew, for the same rooms: of a
        quota that is spread over a day a failure costs what failed, and not a question of each."""

    def patience(self, interval_s: float) -> None:
        """No room is asked more often than this from now on (a quota allows no more): that is no silence."""


class ApiRow(FeedRow, kw_only=True, frozen=True):
    """A `[[feed]]` table of a platform whose rooms are asked for through its open API.

    `collect(http, emit, now, platform)`: all that asks goes through `platform`; `http` is for addresses that the
    platform names (sockets). `parse(frame, at)` is that of every Collector.
    """

    app: str  # the [[app]] in whose name, and at whose pace, it is asked

    ROOM_BY_ROOM = True  # a call that names many rooms is a `batch`, which can be unseen alone
    BY_ACCOUNT: ClassVar[Literal["", "anchor", "shop"]] = (
        ""  # whose account each room is asked in the name of; "": none
    )

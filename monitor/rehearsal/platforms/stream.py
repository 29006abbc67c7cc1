"""Streams of a hall as its server counts them: by rows that may outlive a publisher, in counters that move in steps."""

from collections.abc import Sequence

import msgspec

from ..event.play import Play, RoomNow

JUST_S = 0.001  # how long before an encoder connected (or after it had gone) is another state
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
SHUFFLE = 2_654_435_761  # odd, and no multiple of 3: no two numbers become one word


class Counting(msgspec.Struct, frozen=True):
    """How a server counts. Seconds of the world.

    `steps_s`: its counters move so often (0: at each look). A row outlives its publisher for `keeps_s`, and where it
    `waits` as long as somebody watches. Who comes back by then `carries` its counters on; else a new row begins with 0.
    """

    steps_s: float = 0.0
    keeps_s: float = 0.0
    waits: bool = False
    carries: bool = True


class Stream(msgspec.Struct, frozen=True):
    """A room as its server has it, with the row on which it is counted. `room` is how it stands, and once a publisher
    has gone off the air, but his row is still there, how it stood, without him.

    `first`: the connection that began the row, `since_s` when it did, by the clock of the world. `counted_s`: how many
    seconds of sound and picture the row's counters have counted.
    """

    room: RoomNow
    first: int = 0
    since_s: float = 0.0
    counted_s: float = 0.0

    @property
    def name(self) -> str:
        """Behind the application."""
        return self.room.part.room.partition("/")[2]

    @property
    def app(self) -> str:
        return self.room.part.room.partition("/")[0]

    @property
    def received(self) -> int:
        """Bytes."""
        return self.bytes_at(self.room.kbps)

    def bytes_at(self, kbps: int) -> int:
        """From whole milliseconds: they must stand still, to the byte, while an encoder is frozen."""
        return round(self.counted_s * 1000) * kbps // 8

    def rate(self, window_s: float) -> int:
        """Bytes a second that come, on the average of the last `window_s`."""
        room = self.room
        still_s = room.frozen_s if room.publishing else room.away_s
        moving_s = min(window_s, room.connected_s) - min(window_s, still_s)
        return max(0, round(room.kbps * 125 * moving_s / window_s))


class Streams:
    """The streams of these rooms, by their numbers, as one server counts them."""

    def __init__(self, play: Play, numbers: Sequence[int], counting: Counting) -> None:
        self.play, self.numbers, self.counting = play, numbers, counting
        self._rows: dict[int, tuple[int, int, float, float]] = {}  # of each room its connection, and what began the row

    def at(self, clock_s: float) -> list[Stream]:
        """All of them when the clock of the world shows so many seconds since the play began, in the order given."""
        rooms = self.play.rooms(clock_s, self.numbers)
        return [self.one(number, room, clock_s) for number, room in zip(self.numbers, rooms, strict=True)]

    def one(self, number: int, room: RoomNow, clock_s: float) -> Stream:
        """That of this room, which stands so then."""
        if not room.on_air:
            left = self._left(number, room, clock_s)
            if left is None:
                return Stream(room)
            room = left
        first, base_s, since_s = self._row(number, room, clock_s)
        counted_s = room.received_s
        if self.counting.steps_s:
            counted_s = self.play.room(number, clock_s - room.connected_s % self.counting.steps_s).received_s
        return Stream(room, first, since_s, max(0.0, counted_s - base_s))

    def _left(self, number: int, room: RoomNow, clock_s: float) -> RoomNow | None:
        """Of a room off the air what its server still lists, if it does."""
        if room.away_s >= self.counting.keeps_s:
            return None
        last = self.play.room(number, clock_s - room.away_s - JUST_S)
        gone_s = room.away_s + JUST_S
        until_s = last.received_s + (0.0 if last.frozen_s else JUST_S * self.play.speed)
        return msgspec.structs.replace(
            last, on_air=False, publishing=False, viewers=0, away_s=room.away_s, signed_off=room.signed_off,
            connected_s=last.connected_s + gone_s, received_s=round(until_s, 6),
        )  # fmt: skip

    def _row(self, number: int, room: RoomNow, clock_s: float) -> tuple[int, float, float]:
        """The connection that began the row, what had been received before, and when it began."""
        known = self._rows.get(number)
        if known is not None and known[0] == room.connection:
            return known[1:2] + known[2:]
        first, since_s = room.connection, clock_s - room.connected_s
        while True:
            before = self.play.room(number, since_s - JUST_S)
            base_s = before.received_s if before.on_air else 0.0
            if not before.on_air or before.publishing or not self._keeps(before):
                break
            first, since_s = before.connection, since_s - JUST_S - before.connected_s
        self._rows[number] = room.connection, first, base_s, since_s
        return first, base_s, since_s

    def _keeps(self, before: RoomNow) -> bool:
        """Whether a row was still there when its publisher came back."""
        if not self.counting.carries:
            return False
        return before.away_s < self.counting.keeps_s or (self.counting.waits and before.viewers > 0)


def word(number: int, letters: int) -> str:
    """An id as servers make them: it looks random, and no two numbers below 36 to the power of `letters` share one."""
    left, found = number * SHUFFLE % 36**letters, ""
    for _ in range(letters):
        left, digit = divmod(left, 36)
        found += LETTERS[digit]
    return found

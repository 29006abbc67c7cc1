"""The state of every room of the play at one instant: pure, seeded, the same whoever asks and when."""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from .cast import Part
from .script import Broadcast, broadcasts
from .tempo import Tempo


class RoomNow(msgspec.Struct, frozen=True):
    """How one room stands. `viewers` are those who watch, or who wait while the encoder is away."""

    # `views_total` and `likes_total` count since the broadcast began; `broadcast` numbers it within its room (-1: none
    # yet). While it is off the air, `signed_off` says whether the last one was ended by the broadcaster.

    part: Part
    on_air: bool  # inside a broadcast, whatever the encoder does
    publishing: bool = False
    frozen_s: float = 0.0  # for how long the encoder has been frozen, by the observer's clock
    viewers: int = 0
    connection: int = 0  # a number that no other connection of an encoder has
    connected_s: float = 0.0  # for how long, by the observer's clock
    received_s: float = 0.0  # sound and picture that came, in seconds
    kbps: int = 0
    views_total: int = 0
    likes_total: int = 0
    broadcast: int = -1
    signed_off: bool = False


class Outage(msgspec.Struct, frozen=True):
    """Streams of these rooms (their numbers) are gone or frozen from one second of the world's clock to another, for
    whoever would be on air then: a platform or a hall lost its uplink. It is a fault of each broadcast it meets."""

    from_s: float
    to_s: float
    rooms: frozenset[int]
    kind: Literal["drop", "freeze"] = "drop"


class Play:
    """All rooms over time, as they stand when the clock of the world shows so many seconds since the play began."""

    def __init__(self, parts: Sequence[Part], seed: int, tempo: Tempo, outages: Sequence[Outage] = ()) -> None:
        self.parts, self.seed, self.tempo, self.outages = parts, seed, tempo, outages
        self.speed = tempo.speed
        self.scripts = [broadcasts(seed, part, tempo) for part in parts]
        self.told: list[list[Broadcast]] = [[next(script)] for script in self.scripts]

    def rooms(self, clock_s: float, numbers: Iterable[int] | None = None) -> list[RoomNow]:
        """Every room (or those of these numbers) when the clock of the world shows `clock_s`."""
        return [self.room(number, clock_s) for number in (range(len(self.parts)) if numbers is None else numbers)]

    def room(self, index: int, clock_s: float) -> RoomNow:
        at_s = clock_s * self.speed
        part = self.parts[index]
        broadcast = self.broadcast(index, at_s)
        if not broadcast.starts_s <= at_s < broadcast.ends_s:
            return RoomNow(part, on_air=False)
        fault = next((fault for fault in broadcast.faults if fault.from_s <= at_s < fault.to_s), None)
        again, since_s = broadcast.connected_s(at_s)
        return RoomNow(
            part,
            on_air=True,
            publishing=fault is None or fault.kind == "freeze",
            frozen_s=(at_s - fault.from_s) / self.speed if fault and fault.kind == "freeze" else 0.0,
            viewers=broadcast.audience(at_s),
            connection=(broadcast.number * 100 + again) * len(self.parts) + index + 1,
            connected_s=(at_s - since_s) / self.speed,
            received_s=broadcast.received_s(at_s),
            kbps=1200 + 100 * (part.number % 13),
        )

    def broadcast(self, index: int, at_s: float) -> Broadcast:
        """The broadcast that runs then, or else the next one."""
        told = self.told[index]
        while told[-1].ends_s <= at_s:
            told.append(next(self.scripts[index]))
        return next(broadcast for broadcast in told if broadcast.ends_s > at_s)

    def planned(self, until_s: float) -> list[tuple[Part, float, float]]:
        """The schedule: who plans to be on air from when to when, in seconds of the observer's clock."""
        slots = []
        for index, part in enumerate(self.parts):
            self.broadcast(index, until_s * self.speed)
            slots += [
                (part, broadcast.starts_s / self.speed, broadcast.planned_end_s / self.speed)
                for broadcast in self.told[index]
                if broadcast.planned_end_s > 0 and broadcast.starts_s < until_s * self.speed
            ]
        return slots

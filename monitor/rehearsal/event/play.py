"""The state of every room of the play at one instant: pure, seeded, the same whoever asks and when."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import inf
from typing import Literal

import msgspec

from ..manners import OF_ONE_BROADCAST
from .cast import Part
from .mishaps import merged
from .script import Broadcast, Fault
from .telling import broadcasts, once
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
    away_s: float = inf  # for how long nobody has published, by the observer's clock; infinity: nobody has yet


class Outage(msgspec.Struct, frozen=True):
    """Streams of these rooms (their numbers) are gone or frozen from one second of the world's clock to another, for
    whoever would be on air then: a platform or a hall lost its uplink. It is a fault of each broadcast it meets."""

    from_s: float
    to_s: float
    rooms: frozenset[int]
    kind: Literal["drop", "freeze"] = "drop"


class Span(msgspec.Struct, frozen=True):
    """From the end of one broadcast of a room to the end of the next one: `off` is how the room stands before that.

    `stopped_s` is when somebody last published before it, in seconds of the play; minus infinity: nobody has.
    """

    from_s: float
    broadcast: Broadcast
    off: RoomNow
    stopped_s: float


class Play:
    """All rooms over time, as they stand when the clock of the world shows so many seconds since the play began."""

    def __init__(
        self, parts: Sequence[Part], seed: int, tempo: Tempo, outages: Sequence[Outage] = (), streams_fail: bool = True
    ) -> None:
        """`streams_fail`: also by themselves, beside the outages."""
        self.parts, self.seed, self.tempo, self.outages = parts, seed, tempo, outages
        self.speed = tempo.speed
        hit: dict[int, list[Fault]] = {}
        for outage in outages:
            fault = Fault(tempo.in_play(outage.from_s), tempo.in_play(outage.to_s), outage.kind)
            for number in outage.rooms:
                hit.setdefault(number, []).append(fault)
        scripts = [
            broadcasts(seed, part, tempo, merged(hit.get(part.number, ()), tempo), streams_fail) for part in parts
        ]
        self.scripts = [
            once(script) if part.platform in OF_ONE_BROADCAST else script
            for part, script in zip(parts, scripts, strict=True)
        ]
        self.told: list[list[Broadcast]] = [[next(script)] for script in self.scripts]
        self._spans: list[Span | None] = [None] * len(parts)

    def rooms(self, clock_s: float, numbers: Iterable[int] | None = None) -> list[RoomNow]:
        """Every room (or those of these numbers) when the clock of the world shows `clock_s`."""
        return [self.room(number, clock_s) for number in (range(len(self.parts)) if numbers is None else numbers)]

    def room(self, index: int, clock_s: float) -> RoomNow:
        at_s = clock_s * self.speed
        span = self._span(index, at_s)
        broadcast = span.broadcast
        if at_s < broadcast.starts_s:
            return msgspec.structs.replace(span.off, away_s=(at_s - span.stopped_s) / self.speed)
        part = self.parts[index]
        fault = broadcast.fault_at(at_s)
        again, since_s = broadcast.connected_s(at_s)
        viewers, views, likes = broadcast.audience_and_totals(at_s)
        return RoomNow(
            part,
            on_air=True,
            publishing=fault is None or fault.kind == "freeze",
            frozen_s=(at_s - fault.from_s) / self.speed if fault and fault.kind == "freeze" else 0.0,
            viewers=viewers,
            connection=(broadcast.number * 100 + again) * len(self.parts) + index + 1,
            connected_s=(at_s - since_s) / self.speed,
            received_s=broadcast.received_s(at_s),
            kbps=1200 + 100 * (part.number % 13),
            views_total=views,
            likes_total=likes,
            broadcast=broadcast.number,
            away_s=(at_s - fault.from_s) / self.speed if fault and fault.kind == "drop" else 0.0,
        )

    def broadcast(self, index: int, play_s: float) -> Broadcast:
        """The broadcast that runs then, or else the next one (which may be one that never begins)."""
        return self._span(index, play_s).broadcast

    def _span(self, index: int, at_s: float) -> Span:
        span = self._spans[index]
        if span is None or not span.from_s <= at_s < span.broadcast.ends_s:
            span = self._spans[index] = self._found(index, at_s)
        return span

    def _found(self, index: int, at_s: float) -> Span:
        told = self.told[index]
        while told[-1].ends_s <= at_s:
            told.append(next(self.scripts[index]))
        place = bisect_right(told, at_s, key=lambda broadcast: broadcast.ends_s)
        last = next((one for one in reversed(told[:place]) if one.ending != "absent"), None)
        off = RoomNow(
            self.parts[index],
            on_air=False,
            broadcast=last.number if last else -1,
            signed_off=last is not None and last.ending == "signed_off",
        )
        stopped_s = last.stopped_s if last else -inf
        return Span(told[place - 1].ends_s if place else -inf, told[place], off, stopped_s)

    def until(self, index: int, play_s: float) -> list[Broadcast]:
        """All broadcasts of a room that begin, or were to begin, before this second of the play."""
        told = self.told[index]
        while told[-1].starts_s < play_s:
            told.append(next(self.scripts[index]))
        return [broadcast for broadcast in told if broadcast.starts_s < play_s]

    def planned(self, until_s: float) -> list[tuple[Part, float, float]]:
        """The schedule: who plans to be on air from when to when, in seconds of the world's clock."""
        slots = []
        for index, part in enumerate(self.parts):
            slots += [
                (part, broadcast.starts_s / self.speed, broadcast.planned_end_s / self.speed)
                for broadcast in self.until(index, until_s * self.speed)
            ]
        return slots

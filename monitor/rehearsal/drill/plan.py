"""The plan of a drill: what goes wrong when, on which clocks, and which rooms of a cast it hits. Pure."""

import random
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from monitor.problem import ConfigError, Problem, quoted

from ..event.cast import Part
from ..event.play import Outage
from ..event.tempo import Tempo
from .fault_words import words
from .faults import AnyFault, Named, See, Streams, StreamsDrop, Text

DAY_S = 86_400
USUAL_ZONE = "Asia/Shanghai"


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file above its faults. What the command line says wins over `rooms`, `speed`, `for_s` and `seed`.

    `streams_fail`: whether streams also drop, freeze and break off by themselves, beside the faults. `end_slack_s`:
    that of the config, seconds of the world; None: the rehearsal's own. `orders_share`: so many of
    the orders are made.
    """

    title: Text
    what_for: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    rooms: Annotated[int, msgspec.Meta(ge=1, le=20_000)] | None = None
    speed: Annotated[float, msgspec.Meta(ge=0.1, le=1_000)] | None = None
    for_s: Annotated[float, msgspec.Meta(ge=1, le=1_209_600)] | None = None
    seed: int | None = None
    opens: str | None = None
    midnight_in_min: Annotated[float, msgspec.Meta(ge=0.5, le=720)] | None = None
    streams_fail: bool = True
    orders_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    end_slack_s: Annotated[float, msgspec.Meta(ge=0, le=7_200)] | None = None
    see: list[See] = msgspec.field(default_factory=list)
    fault: list[AnyFault] = msgspec.field(default_factory=list)


class Plan(msgspec.Struct, frozen=True):
    """A drill: what goes wrong when, and what should be seen. `file` is empty for one that nobody wrote by hand."""

    head: Head
    faults: tuple[AnyFault, ...]
    file: str = ""
    lines: tuple[int, ...] = ()  # of each fault

    @property
    def ends_s(self) -> float:
        """When the last fault is over and all has been seen, in seconds of the world since the play began."""
        seen = [see.minute * 60 for table in (self.head, *self.faults) for see in table.see]
        return max([fault.to_s for fault in self.faults] + seen, default=0.0)

    def clock(self, began_at: datetime, speed: float | None = None) -> tuple[str, float]:
        """The database's zone, and the second of the local day at which the play opens, for a play that begins then.

        With `midnight_in_min` the play's midnight and the database's are the same instant at every speed (default: the
        plan's own, else 1).
        """
        if self.head.midnight_in_min is not None:
            zone = zone_with_midnight_at(began_at, self.head.midnight_in_min)
            until_s = (midnight_at(began_at, self.head.midnight_in_min) - began_at).total_seconds()
            return zone, -until_s * (speed or self.head.speed or 1.0) % DAY_S
        if self.head.opens is not None:
            hour, _, minute = self.head.opens.partition(":")
            return USUAL_ZONE, int(hour) * 3600.0 + int(minute) * 60.0
        return USUAL_ZONE, Tempo(began_at).opens_s

    def outages(self, parts: Sequence[Part], seed: int, delay_s: float = 0.0) -> list[Outage]:
        """What this cast's streams suffer; `delay_s` after the play began is minute 0. The same for the same seed.

        Raises ConfigError for a fault that hits no room of the cast; one that nobody wrote is left out instead.
        """
        outages: list[Outage] = []
        problems: list[Problem] = []
        for number, fault in enumerate(self.faults):
            if not isinstance(fault, Streams):
                continue
            rooms = [part.number for part in parts if fault.hits(part)]
            if not rooms:
                problems += self._nobody(number, "no room of the cast", "mind the spelling, or play more rooms")
                continue
            dice = random.Random(f"plan {seed} {number}")  # noqa: S311 (a play, no secret)
            hit = frozenset(dice.sample(rooms, max(1, round(fault.share * len(rooms)))))
            from_s, to_s = fault.from_s + delay_s, fault.to_s + delay_s
            outages.append(Outage(from_s, to_s, hit, "drop" if isinstance(fault, StreamsDrop) else "freeze"))
        if problems:
            raise ConfigError(problems)
        return outages

    def must_know(self, names: Collection[str]) -> None:
        """Raises ConfigError for faults of platforms that do not play."""
        problems: list[Problem] = []
        for number, fault in enumerate(self.faults):
            if isinstance(fault, Named) and not any(map(fault.names, names)):
                there = f"give one of those that play: {', '.join(sorted(names))}"
                problems += self._nobody(number, f"no platform named {quoted(fault.name)}", there)
        if problems:
            raise ConfigError(problems)

    def _nobody(self, number: int, lacks: str, todo: str) -> list[Problem]:
        if not self.file:
            return []
        return [Problem(self.file, self.lines[number], f"{words(self.faults[number])[1]} hits nothing: {lacks}", todo)]


def midnight_at(now: datetime, minutes: float) -> datetime:
    """The whole minute that is so far away, or up to one minute further."""
    at = now.astimezone(UTC) + timedelta(minutes=minutes)
    whole = at.replace(second=0, microsecond=0)
    return whole if whole == at else whole + timedelta(minutes=1)


def zone_with_midnight_at(now: datetime, minutes: float) -> str:
    """The offset, as +HH:MM, of clocks that show midnight so many minutes from now (rounded up to a whole minute)."""
    at = midnight_at(now, minutes)
    east = -(at.hour * 60 + at.minute) % 1_440
    if east > 840:  # no clock on earth is further ahead than +14:00
        east -= 1_440
    return f"{'-' if east < 0 else '+'}{abs(east) // 60:02}:{abs(east) % 60:02}"

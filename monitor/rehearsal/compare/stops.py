"""What stopped in a room of the play, and what was planned there: the script's own words in seconds of the world."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf
from typing import Literal, NamedTuple

from ..event.script import Broadcast

Why = Literal["drop", "freeze", "broke_off", "cut_off", "signed_off"]


class Span(NamedTuple):
    from_s: float
    to_s: float

    def meets(self, other: "Span") -> bool:
        return self.from_s <= other.to_s and other.from_s <= self.to_s

    def holds(self, at_s: float) -> bool:
        return self.from_s <= at_s <= self.to_s


class Gap(NamedTuple):
    """The picture was away from `from_s` until `back_s`, when the room was on air again (infinity: never).

    `cut_off`: the stream was away when the broadcaster signed off. The last three end their broadcast.
    """

    from_s: float
    back_s: float
    why: Why
    frozen: bool  # the encoder froze; otherwise the connection was gone

    @property
    def ends_broadcast(self) -> bool:
        return self.why in ("broke_off", "cut_off", "signed_off")


def on_air(broadcasts: Sequence[Broadcast], speed: float) -> list[Span]:
    """When somebody meant to be on air and was, faults or not."""
    return [Span(each.starts_s / speed, each.ends_s / speed) for each in broadcasts if each.ending != "absent"]


def published(broadcasts: Sequence[Broadcast], speed: float) -> list[Span]:
    """When the encoder was connected, so that a platform shows the room."""
    found = []
    for each in broadcasts:
        from_s = each.starts_s
        for fault in sorted(each.faults, key=lambda fault: fault.from_s):
            if fault.kind == "drop":
                found.append(Span(from_s / speed, fault.from_s / speed))
                from_s = fault.to_s
        if from_s < each.ends_s and each.ending != "absent":
            found.append(Span(from_s / speed, each.ends_s / speed))
    return found


def planned(broadcasts: Sequence[Broadcast], speed: float) -> list[Span]:
    """The room's part of the schedule."""
    return [Span(each.starts_s / speed, each.planned_end_s / speed) for each in broadcasts]


def gaps(broadcasts: Sequence[Broadcast], speed: float, freezes: bool, drops: bool = True) -> list[Gap]:
    """All that stopped, in order. `freezes`: whoever watches this room can tell that an encoder froze; `drops`: that
    one is gone. Where nobody can, a broadcast is on air until it is ended."""
    found: list[Gap] = []
    begun = [each for each in broadcasts if each.ending != "absent"]
    for broadcast, following in pairwise([*begun, None]):
        assert broadcast is not None  # noqa: S101 - for the type checker: only the last one is
        next_s = inf if following is None else following.starts_s / speed
        found += _gaps_of(broadcast, next_s, speed, freezes) if drops else [_ended(broadcast, next_s, speed)]
    return found


def _gaps_of(broadcast: Broadcast, next_s: float, speed: float, freezes: bool) -> list[Gap]:
    found: list[Gap] = []
    for fault in sorted(broadcast.faults, key=lambda fault: fault.from_s):
        frozen = fault.kind == "freeze"
        if frozen and not freezes:
            continue
        if fault.to_s >= broadcast.ends_s:
            why: Why = "broke_off" if broadcast.ending == "broke_off" else "cut_off"
            return [*found, Gap(fault.from_s / speed, next_s, why, frozen)]
        found.append(Gap(fault.from_s / speed, fault.to_s / speed, fault.kind, frozen))
    end: Why = "broke_off" if broadcast.ending == "broke_off" else "signed_off"
    return [*found, Gap(broadcast.ends_s / speed, next_s, end, False)]


def _ended(broadcast: Broadcast, next_s: float, speed: float) -> Gap:
    return Gap(broadcast.ends_s / speed, next_s, "signed_off", False)


def planned_ends(slots: Sequence[Span]) -> list[float]:
    """When a room may sign off: an end where another slot goes on is none."""
    return [slot.to_s for slot in slots if not expected(slots, slot.to_s)]


def expected(slots: Sequence[Span], at_s: float) -> bool:
    """Should the room be on air then?"""
    return any(slot.from_s <= at_s < slot.to_s for slot in slots)

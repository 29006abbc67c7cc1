"""What happens in one broadcast: its audience, its faults and its ending, and how it stands at one instant."""

from math import exp, sqrt
from typing import Literal

import msgspec

from .audience import MINUTE, UNREST, counted_s, crowd_and_views, restless
from .audience import Wave as Wave

PATIENCE_S = 150.0  # seconds of the world after which most have left a picture that is away
COMING_BACK_S = 60.0  # seconds of the world in which they are there again
FAITHFUL = 0.15  # the share that waits on
GOODBYE_S = 60.0  # of the play: so long before the end people begin to leave
GOODBYE = 0.6  # the share that is gone when the broadcaster signs off

Kind = Literal["drop", "freeze"]


class Fault(msgspec.Struct, frozen=True, gc=False):
    """The encoder loses its connection, or freezes with the connection open, and comes back.

    `to_s` is infinity for the last fault of a broadcast that broke off and did not come back.
    """

    from_s: float
    to_s: float
    kind: Kind


class Broadcast(msgspec.Struct, frozen=True):
    """One broadcast: planned until `planned_end_s`, truly over at `ends_s`. Seconds of the play, from its start.

    `ending`: the broadcaster signed off at `ends_s`; or the stream broke off: its last fault has no end, nobody
    publishes from then on, and at `ends_s` the crew gives up; or it was planned and never began (then `ends_s` is
    `starts_s`). `unrest` is how much the audience comes and goes without a reason, 1 as usual.
    """

    number: int
    starts_s: float
    ends_s: float
    planned_end_s: float
    waves: tuple[Wave, ...]
    faults: tuple[Fault, ...]
    ending: Literal["signed_off", "broke_off", "absent"]
    unrest: float
    phase: float
    likes: float = 0.1  # for each view
    speed: float = 1.0  # of the play: people's patience with a fault and the platform's counting are the world's

    def audience(self, at_s: float) -> int:
        """Who watches, or waits while the picture is away: many leave then, and come back over some time."""
        return self.audience_and_totals(at_s)[0]

    def audience_and_totals(self, at_s: float) -> tuple[int, int, int]:
        """Who watches, and how many views and likes there were since the broadcast began: they never fall.

        Who comes back after a fault is no second view.
        """
        at_s = counted_s(at_s, self.starts_s, self.speed, self.phase)
        watching, views = crowd_and_views(self.waves, at_s)
        return min(self._shown(watching, at_s), int(views)), int(views), int(views * self.likes)

    def _shown(self, watching: float, at_s: float) -> int:
        if watching <= 0:
            return 0
        settled = min(1.0, (at_s - self.starts_s) / (3 * MINUTE))
        watching += UNREST * self.unrest * settled * sqrt(watching) * restless(at_s, self.phase)
        if self.ending == "signed_off":
            watching *= 1 - GOODBYE * exp((at_s - self.ends_s) / GOODBYE_S)
        for fault in self.faults:
            if fault.from_s < at_s:
                watching *= patience(fault, at_s, self.speed)
        return round(watching) if watching > 0 else 0

    def fault_at(self, at_s: float) -> Fault | None:
        for fault in self.faults:
            if fault.from_s <= at_s < fault.to_s:
                return fault
        return None

    @property
    def stopped_s(self) -> float:
        """When the encoder was connected for the last time."""
        last = self.faults[-1] if self.faults else None
        return last.from_s if last and last.kind == "drop" and last.to_s >= self.ends_s else self.ends_s

    def received_s(self, at_s: float) -> float:
        """Seconds of sound and picture that the server got until then."""
        missing = sum(min(at_s, fault.to_s) - fault.from_s for fault in self.faults if fault.from_s < at_s)
        return at_s - self.starts_s - missing

    def connected_s(self, at_s: float) -> tuple[int, float]:
        """How often the encoder had to connect again until then, and since when its connection stands."""
        again, since_s = 0, self.starts_s
        for fault in self.faults:
            if fault.kind == "drop" and fault.to_s <= at_s:
                again, since_s = again + 1, fault.to_s
        return again, since_s


def patience(fault: Fault, at_s: float, speed: float = 1.0) -> float:
    """The share of the audience that a fault left, then or now."""
    if at_s <= fault.from_s:
        return 1.0
    gone = (1 - FAITHFUL) * (1 - exp((fault.from_s - min(at_s, fault.to_s)) / (PATIENCE_S * speed)))
    return 1 - gone * exp((fault.to_s - at_s) / (COMING_BACK_S * speed)) if at_s > fault.to_s else 1 - gone

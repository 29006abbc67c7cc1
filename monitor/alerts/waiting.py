"""What waits to be told to a robot, and what delivery asks of whoever keeps it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from monitor.alerts.notice import Notice


class Waiting(NamedTuple):
    """A notice that a robot has not been told yet. `tries`: how often that was attempted."""

    id: int
    robot: str
    notice: Notice
    tries: int
    created_at: datetime
    severity: str


def elsewhere(robot: str, id_: int) -> str:
    """The key of what another robot is told instead: it hears that once, however many reasons there are."""
    return f"elsewhere:{robot}:{id_}"


class Outbox(Protocol):
    """Kept on disk: what a call returned from is still so after a kill -9. All of one call is one transaction."""

    async def due(self, robot: str, now: datetime) -> Sequence[Waiting]:
        """What this robot is to be told now, oldest first."""
        ...

    async def others(self, robots: Sequence[str]) -> Sequence[Waiting]:
        """The oldest of what waits for robots that are none of these; as often as it takes, until there is nothing."""
        ...

    async def sent(self, ids: Sequence[int], at: datetime) -> None:
        """These were told, together."""
        ...

    async def again(self, ids: Sequence[int], next_at: datetime, why: str) -> None:
        """These were not told; each has one try more, and is due at `next_at`."""
        ...

    async def failed(self, ids: Sequence[int], why: str) -> None:
        """These are given up."""
        ...

    async def put(self, notices: Iterable[tuple[str, Notice, str]]) -> None:
        """(robot, notice, key): a robot is told each key once, however often it is put."""
        ...

    async def sent_since(self, robot: str, since: datetime) -> Sequence[datetime]:
        """When this robot was told something, since then: after a restart its limit goes on to be kept."""
        ...

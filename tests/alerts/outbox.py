"""An outbox in memory, and a clock that only moves when it is told to."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.alerts.delivery import Clock
from monitor.alerts.notice import Notice
from monitor.alerts.waiting import Waiting

EPOCH = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)


class Hands:
    """Moved by hand."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.passed_s)

    def at_s(self) -> float:
        return self.passed_s

    def unix_s(self) -> float:
        return self.now().timestamp()

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.at_s, lambda low, high: high)


class MemoryOutbox:
    """Rows as a book would keep them; survives what uses it."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self.rows: list[dict[str, Any]] = []

    async def put(self, notices: Iterable[tuple[str, Notice, str]]) -> None:
        for robot, notice, key in notices:
            if not any((row["robot"], row["key"]) == (robot, key) for row in self.rows):
                now = self._hands.now()
                new = {"id": len(self.rows), "robot": robot, "notice": notice, "key": key, "state": "waiting"}
                self.rows.append(new | {"tries": 0, "created_at": now, "next_at": now, "why": ""})

    async def due(self, robot: str, now: datetime) -> Sequence[Waiting]:
        return [
            _waiting(row)
            for row in self.rows
            if row["robot"] == robot and row["state"] == "waiting" and row["next_at"] <= now
        ]

    async def others(self, robots: Sequence[str]) -> Sequence[Waiting]:
        found = [row for row in self.rows if row["robot"] not in robots and row["state"] == "waiting"]
        return [_waiting(row) for row in found[:2]]  # a book gives them in pieces, too

    async def sent(self, ids: Sequence[int], at: datetime) -> None:
        for id_ in ids:
            assert self.rows[id_]["state"] == "waiting"
            self.rows[id_] |= {"state": "sent", "sent_at": at}

    async def again(self, ids: Sequence[int], next_at: datetime, why: str) -> None:
        for id_ in ids:
            self.rows[id_] |= {"tries": self.rows[id_]["tries"] + 1, "next_at": next_at, "why": why}

    async def failed(self, ids: Sequence[int], why: str) -> None:
        for id_ in ids:
            self.rows[id_] |= {"state": "failed", "why": why}

    async def sent_since(self, robot: str, since: datetime) -> Sequence[datetime]:
        return [row["sent_at"] for row in self.rows if row["robot"] == robot and row.get("sent_at", since) > since]

    def states(self, robot: str) -> list[str]:
        return [row["state"] for row in self.rows if row["robot"] == robot]


def _waiting(row: dict[str, Any]) -> Waiting:
    return Waiting(row["id"], row["robot"], row["notice"], row["tries"], row["created_at"], row["notice"].severity)

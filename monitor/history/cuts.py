"""Fixes each day's figures once, as they stood a quarter of an hour after it ended (`day_cut`).

A day is cut by what livemon had received by then, also when the cut itself comes later: after a time in which the
monitor or PostgreSQL was down. What waits in the spool from before that instant is let in first.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from monitor.store.apply import Connection
from monitor.store.statements import statement

log = logging.getLogger(__name__)
SETTLE = timedelta(minutes=1)  # after the instant of the cut: what was received by then is on its way
WAIT_MAX = timedelta(hours=6)  # what hangs in the spool for so long holds up no cut


class Cuts:
    """`oldest_sealed_at`: when the oldest batch was sealed that PostgreSQL does not hold yet (seconds since 1970)."""

    def __init__(
        self,
        oldest_sealed_at: Callable[[], float | None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._oldest_sealed_at, self._now = oldest_sealed_at, now

    async def catch_up(self, conn: Connection) -> None:
        """Cut every day that is due, the oldest first, each in a statement of its own."""
        now = self._now()
        for row in await conn.fetch(statement("history/uncut_days"), now - SETTLE):
            waits_from = self._oldest_sealed_at()
            if waits_from is not None and waits_from <= row["as_of"].timestamp() and now - row["as_of"] < WAIT_MAX:
                return
            if await conn.fetch(statement("history/cut_day"), row["day"], row["as_of"]):
                log.info("the figures of %s are kept as they stood at %s", row["day"], row["as_of"].isoformat())

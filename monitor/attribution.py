"""Gives each committed sale its room and session, and again when a room or a session becomes known later.

The rule is SQL (sql/attribution, session_at); here is only when it is asked, and for how long at a time. What is due is
marked in the rows themselves, but for rooms: they are looked for at each new connection and version of the roster.
"""

import time

from monitor.store.apply import Connection
from monitor.store.statements import statement

SALES_MAX = 5_000  # of one statement: it holds up the batches behind it
SESSIONS_MAX = 1_000
TURN_S_MAX = 0.5  # of one call; what is left is done by the next one


class Attribution:
    def __init__(self, sales_max: int = SALES_MAX, turn_s_max: float = TURN_S_MAX) -> None:
        self._sales_max, self._turn_s_max = sales_max, turn_s_max
        self._looked_at: tuple[Connection, int] | None = None  # the roster in which rooms were last looked for

    async def catch_up(self, conn: Connection, roster_version: int) -> bool:
        """Attribute what is due; True when nothing is left, False when the time of this call was up before."""
        ends_at = time.monotonic() + self._turn_s_max
        while True:
            if not await self._step(conn, (conn, roster_version)):
                return True
            if time.monotonic() >= ends_at:
                return False

    async def _step(self, conn: Connection, roster: tuple[Connection, int]) -> bool:
        """Each of the three once, within its limit; whether there may be more to do."""
        limit = self._sales_max
        more = await conn.fetchval(statement("attribution/new_sales"), limit) == limit
        if self._looked_at != roster:
            if await conn.fetchval(statement("attribution/rooms_known"), limit) == limit:
                more = True
            else:
                self._looked_at = roster
        moved = await conn.fetchrow(statement("attribution/sessions_moved"), SESSIONS_MAX, limit)
        return more or (moved is not None and (moved["sessions"] == SESSIONS_MAX or moved["sales"] == limit))

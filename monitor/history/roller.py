"""The roller: keeps the sums of history (session_minute, session_hour, minute_sum, ...) equal to what was observed.

Whatever changes the past leaves a mark in `minute_touched`, in its own transaction. A turn takes some marks away and,
in later statements of the same READ COMMITTED transaction, computes their minutes anew: each of these sees all that was
committed with a mark that the turn took, and a mark that came in meanwhile is done again. So a roller that is killed
anywhere leaves the mark or the work, and nothing else in the house ever waits for it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter

import asyncpg

from monitor.history.cuts import Cuts
from monitor.store.apply import Connection
from monitor.store.statements import statement

log = logging.getLogger(__name__)
ROUND_S = 8.0  # marks gather for so long: each minute is then summed once for all that touched it
MINUTES_MAX = 8  # minutes of platforms in one transaction: it stays short
ROUND_MINUTES_MAX = 400  # of one round over minutes that are past, before those that go on have their turn again
CUTS_S = 60.0
BACKOFF_S_MAX = 15.0
QUIET_TRIES = 4  # of the first connect: at a start PostgreSQL may be starting, too
MINUTE = timedelta(minutes=1)
NAME = "livemon roller"
# Plans for this very minute (partitions, how many sessions), never a general one; compiling costs more than it saves.
# No commit waits for the disk: a turn lost to a power cut comes back with its marks, for they are one transaction.
SETTINGS = {
    "plan_cache_mode": "force_custom_plan", "jit": "off", "work_mem": "32MB", "statement_timeout": "20s",
    "synchronous_commit": "off",
}  # fmt: skip

UNSUMMABLE = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)

type Pair = tuple[datetime, str]
"""A minute (its beginning) and a platform."""


class Roller:
    """`connect` gives a connection of the roller's own, to which nobody else speaks; `slow`
    makes its process, on this machine, nicer: nothing waits for it but figures, a little."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        cuts: Cuts | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        slow: Callable[[int], None] | None = None,
    ) -> None:
        self._slow = slow
        self._connect, self._cuts, self._monotonic = connect, cuts or Cuts(), monotonic
        self._behind_from: datetime | None = None  # the end of the oldest minute that waits
        self._good_at = datetime.now(UTC)
        self._lost: bool | None = None  # None: not once at work yet
        self._tries = 0

    def lag_s(self, now: datetime) -> float:
        """Age of the oldest minute that is over and waits to be summed, 0 if none does; or since when we cannot ask."""
        if self._behind_from is not None:
            return max(0.0, (now - self._behind_from).total_seconds())
        return max(0.0, (now - self._good_at).total_seconds()) if self._lost else 0.0

    async def run(self) -> None:
        """Connect, roll, and again after each loss; ends only by cancellation."""
        while True:
            conn = None
            try:
                conn = await self._connect()
                if self._slow is not None:
                    self._slow(conn.get_server_pid())
                await self._keep_rolling(conn)
            except Exception as error:  # noqa: BLE001  what is not named is transient and loud, never dropped
                if self._lost is False or (self._lost is None and self._tries == QUIET_TRIES):
                    log.warning("history is not summed now: %s", str(error) or type(error).__name__)
                    self._lost = True
            finally:
                if conn is not None:
                    conn.terminate()
            self._tries += 1
            await asyncio.sleep(random.uniform(0.05, min(BACKOFF_S_MAX, 0.25 * 2**self._tries)))  # noqa: S311

    async def _keep_rolling(self, conn: Connection) -> None:
        cut_at = -CUTS_S
        while True:
            started = self._monotonic()
            more = await self.round(conn)
            if started - cut_at >= CUTS_S:
                await self._cuts.catch_up(conn)
                cut_at = started
            self._tries = 0
            if self._lost:
                log.info("history is summed again")
            self._lost = False
            if not more:
                await asyncio.sleep(max(0.0, ROUND_S - (self._monotonic() - started)))

    async def round(self, conn: Connection) -> bool:
        """Sum the minutes that go on, then those that are past and marked. True if more of these were left."""
        after: Pair = (datetime(2000, 1, 1, tzinfo=UTC), "")
        while True:
            pairs = await self._turn(conn, "history/take_open", MINUTES_MAX, after[1], after[0])
            if not pairs:
                break
            after = pairs[-1]
        done = 0
        while done < ROUND_MINUTES_MAX:
            pairs = await self._turn(conn, "history/take_closed", MINUTES_MAX)
            if not pairs:
                return False
            done += len(pairs)
        return True

    async def _turn(self, conn: Connection, take: str, limit: int, *after: object) -> Sequence[Pair]:
        """Do the marks that `take` names, at most `limit`; a minute that cannot be summed costs that minute alone."""
        try:
            return await self._transact(conn, take, limit, *after)
        except UNSUMMABLE as error:
            if limit > 1:
                return await self._turn(conn, take, 1, *after)
            pairs = await self._transact(conn, take, limit, *after, roll=False)
            log.error("the minute %s of %s cannot be summed: %s", *(pairs[0] if pairs else ("?", "?")), error)
            return pairs

    async def _transact(
        self, conn: Connection, take: str, limit: int, *after: object, roll: bool = True
    ) -> Sequence[Pair]:
        """One transaction: the marks go, and their minutes are there anew. Returns which."""
        async with conn.transaction(isolation="read_committed"):
            if await conn.fetchval(statement("history/lock")) is None:
                return ()  # another roller is at it
            await conn.execute(statement("history/pass_minutes"))
            await conn.execute(statement("history/spread_marks"))
            rows = await conn.fetch(statement(take), limit, *after)
            pairs = [(row["minute"], row["platform"]) for row in rows]
            if pairs and roll:
                await self._roll(conn, pairs)
            oldest = await conn.fetchval(statement("history/rolled"))
        self._good_at, self._behind_from = datetime.now(UTC), None if oldest is None else oldest + MINUTE
        return pairs

    async def _roll(self, conn: Connection, pairs: Sequence[Pair]) -> None:
        """Every DELETE is a statement of its own before the one that reads: that one sees what is committed by then."""
        minutes, platforms = [minute for minute, _ in pairs], [platform for _, platform in pairs]
        for row in await conn.fetch(statement("history/days"), minutes):
            await conn.fetchval(statement("history/ensure_day"), row["day"])
        for pair in pairs:
            await conn.execute(statement("history/clear_minute"), *pair)
            await conn.execute(statement("history/roll_minute"), *pair)
            await conn.execute(statement("history/clear_sums"), *pair)
            await conn.execute(statement("history/roll_sums"), *pair)
        for row in await conn.fetch(statement("history/hours"), minutes, platforms):
            await conn.execute(statement("history/clear_hour"), row["hour"], row["platform"])
            await conn.execute(statement("history/roll_hour"), row["hour"], row["platform"])
        sold = await conn.fetch(statement("history/sold"), minutes, platforms)
        for hour, of_hour in groupby(sold, key=itemgetter("hour")):
            shops = list(of_hour)
            names = [row["platform"] for row in shops], [row["shop"] for row in shops]
            for step in ("clear_shops", "roll_shops", "clear_items", "roll_items"):
                await conn.execute(statement(f"history/{step}"), hour, *names)


def make(
    connect: Callable[[str, dict[str, str]], Awaitable[Connection]],
    oldest_sealed_at: Callable[[], float | None],
    now: Callable[[], datetime],
    slow: Callable[[int], None] | None = None,
) -> Roller:
    """The roller of a monitor, with its cuts; `connect` is given the application's name and settings of the session."""
    return Roller(lambda: connect(NAME, SETTINGS), Cuts(oldest_sealed_at, now), slow=slow)

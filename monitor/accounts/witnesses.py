"""The witnesses at work: they hear what the reader understood, what polls brought and what commits found new."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta

from collectors.collector import FeedRow, Now
from collectors.details import ORDER, REFUND
from collectors.hook import HookRow, Need, OrderSocketRow
from collectors.tick import Sale
from monitor.accounts.witness import Sifted, Witness
from monitor.facts import Heard
from monitor.live.lateness import late, punctual, witnessed
from monitor.live.sight import FeedSight
from monitor.live.watch import Watch
from monitor.reading import Reader

log = logging.getLogger(__name__)
FRESH_MAX = 50_000  # new facts of polls that wait to be judged: more only after hours without PostgreSQL
JUDGED_MAX = 500  # at a time
FACTS_OF_A_TURN = 4

PushRow = HookRow | OrderSocketRow


class Witnesses:
    """`missed` counts: feed, how many. The reader's `pushed` and what commits returned are to be led here."""

    def __init__(
        self,
        watch: Watch,
        reader: Reader,
        room: Callable[[int, int], Awaitable[None]],
        put: Callable[[Heard], None],
        now: Now,
        missed: Callable[[str, int], None],
        sold: Callable[[str, str, datetime], None] = lambda feed, shop, at: None,
    ) -> None:
        self.sold = sold
        """Is told of each shop that a push speaks of: feed, shop, when."""
        self._watch, self._reader, self._room, self._put = watch, reader, room, put
        self._now, self._missed = now, missed
        self._of: dict[str, Witness] = {}
        self._fresh: deque[Sale] = deque()
        self._came = asyncio.Event()

    def are_of(self, rows: Iterable[PushRow]) -> None:
        """The pushes that can be polled, by the present config. Those that stay keep all that they know.

        A feed that the watch does not know yet has none: come again when it was loaded, and restored."""
        wanted = {row.name: row for row in rows}
        self._of = {name: witness for name, witness in self._of.items() if name in wanted}
        for name, row in wanted.items():
            sight = self._watch.feeds.get(name)
            if sight is None:
                continue
            if sight.witness_from is None:
                self._put(witnessed(sight, self._now()))
            late_max = timedelta(seconds=row.push_late_s_max)
            if name in self._of:
                self._of[name].late_max = late_max
            elif sight.witness_from is not None:
                self._of[name] = Witness(late_max, sight.witness_from, sight.late_from, sight.late_until)

    def of(self, row: FeedRow) -> Witness | None:
        return self._of.get(row.name)

    # --- what is told ------------------------------------------------------------------------------------------------

    def pushed(self, feed: str, sales: Sequence[Sale], at: datetime) -> None:
        """A delivery was understood: it was received at this instant."""
        witness, told = self._of.get(feed), [sale for sale in sales if sale.via == "push"]
        if witness is None or not told:
            return
        self._caught_up(feed, witness.pushed(told, at))
        for sale in told:
            if sale.shop:
                self.sold(feed, sale.shop, sale.at)

    def polled(self, feed: str, shop: str, sifted: Sifted, at: datetime) -> None:
        """All of a shop was asked."""
        witness = self._of.get(feed)
        if witness is not None:
            self._caught_up(feed, witness.polled(shop, sifted, at))

    def committed(self, sales: Iterable[Sale]) -> None:
        """A commit returned these as new."""
        for sale in sales:
            if sale.via != "poll" or sale.feed not in self._of:
                continue
            if len(self._fresh) >= FRESH_MAX:
                self._fresh.popleft()
                log.warning("feed %s: more new facts of polls than can be judged; some are not", sale.feed)
            self._fresh.append(sale)
            self._came.set()

    # --- what is judged ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Judge what is new until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            while self._fresh:
                await self._judge([self._fresh.popleft() for _ in range(min(len(self._fresh), JUDGED_MAX))])

    async def _judge(self, fresh: Sequence[Sale]) -> None:
        """All that was pushed until now is understood first, and a delivery that waits for its details has come."""
        await self._reader.caught_up()
        waited_for = await self._reader.needed({need for sale in fresh for need in needs_of(sale)})
        excused = frozenset(sale.event_id for sale in fresh if waited_for & set(needs_of(sale)))
        by_feed = defaultdict[str, list[Sale]](list)
        for sale in fresh:
            by_feed[sale.feed].append(sale)
        await self._room(0, FACTS_OF_A_TURN * len(by_feed))
        for feed, sales in by_feed.items():
            self._judge_feed(feed, sales, excused)

    def _judge_feed(self, feed: str, sales: Sequence[Sale], excused: frozenset[str]) -> None:
        witness, sight = self._of.get(feed), self._watch.feeds.get(feed)
        if witness is None or sight is None:
            return
        judged = witness.judge(sales, excused)
        if judged.missed:
            self._missed(feed, judged.missed)
        if judged.late_from is not None:
            log.warning("feed %s: pushes are late: a poll found %d facts that none told", feed, judged.missed)
            self._put(late(sight, judged.late_from))
        self._caught_up(feed, judged.late_until)

    def _caught_up(self, feed: str, at: datetime | None) -> None:
        sight: FeedSight | None = self._watch.feeds.get(feed)
        if at is not None and sight is not None:
            log.info("feed %s: pushes come in time again", feed)
            self._put(punctual(sight, at))


def needs_of(sale: Sale) -> tuple[Need, ...]:
    """What a delivery that tells of this fact may be waiting for."""
    shop, order_id, refund_id = sale.shop or "", sale.order_id or "", sale.event_id.rpartition(":")[2]
    return Need(ORDER, order_id, shop), Need(REFUND, refund_id, shop)

"""Asks the shops of one feed in turn, as they are due; says of each how it went."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from collectors.collector import FeedRow
from collectors.hook import OrderPollRow
from collectors.open_api import OpenApi
from monitor.accounts.account import Account
from monitor.accounts.asking import REASONS, WHOLE_APP, CannotAsk, Loudly
from monitor.accounts.failed import AccountRefused, CallFailed
from monitor.accounts.rota import Rota
from monitor.accounts.shop_poll import Means, Polled, ShopPoll, Unfinished, Unreadable
from monitor.accounts.witness import Witness
from monitor.facts import PollCursor
from monitor.live.failure import Reason

LOOK_EVERY = timedelta(seconds=5)  # how often it is seen which shops have an account
REST_S_MAX = 1.0
LAG_OF_A_POLL = timedelta(seconds=5)  # platforms show an order to the push and to the listing not in the same instant
PATIENCE = 3.0  # so many times in a row an entry may be unreadable before it is set aside
BROKEN_COUNTS = 0.25  # where the platform says that its detail is broken just now, that says little of the entry
OVERLAP_OF_A_POLL, OVERLAP = timedelta(seconds=60), timedelta(seconds=5)


class Polls(msgspec.Struct, frozen=True):
    """The polls of a feed, for people: shops that are asked, and those of them that could not be asked last time."""

    shops: int = 0
    failing: int = 0


class FeedPoll:
    """`accounts` are those of the feed's app; `polled` is told when all of a shop was asked, `failed` of failures."""

    def __init__(
        self,
        row: FeedRow,
        app: str,
        api: OpenApi,
        means: Means,
        witness: Witness,
        accounts: Callable[[], Sequence[Account]],
        cursors: Callable[[str], Awaitable[list[PollCursor]]],
        polled: Callable[[str, str, Polled, datetime], None],
        failed: Callable[[str, Reason], None],
    ) -> None:
        self.row, self._app, self._means, self._witness = row, app, means, witness
        self._accounts, self._cursors, self._polled, self._failed = accounts, cursors, polled, failed
        alone = isinstance(row, OrderPollRow)
        every_s = row.interval_s if isinstance(row, OrderPollRow) else getattr(row, "reconcile_s", 60.0)
        lag = LAG_OF_A_POLL if alone else timedelta(seconds=getattr(row, "push_late_s_max", 120.0))
        self.rota = Rota(timedelta(seconds=every_s))
        overlap = OVERLAP_OF_A_POLL if alone else OVERLAP
        self._shop_poll = ShopPoll(row, app, api, means, witness, {}, lag, overlap)
        self._alone, self._opened = alone, False
        self._anchors: dict[str, str] = {}
        self._stuck: dict[str, float] = {}
        self._loudly = Loudly(f"feed {row.name}: a poll failed")
        self._looked_at = datetime.min.replace(tzinfo=means.now().tzinfo)
        self.last_error: Exception | None = None

    async def open(self) -> None:
        """Read from the spool how far each shop was asked. Once."""
        if not self._opened:
            for cursor in await self._cursors(self.row.name):
                self._shop_poll.cursors.setdefault((cursor.shop, cursor.listing), cursor.until)
            self._opened = True

    def look(self) -> None:
        """Which shops may be asked now."""
        now = self._means.now()
        if now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        good = [it for it in self._accounts() if it.shop and it.state(now) in ("ok", "expiring")]
        self._stuck = {shop: times for shop, times in self._stuck.items() if shop in self._anchors}
        self._anchors = {account.shop: account.anchor for account in sorted(good, key=lambda it: it.anchor)[::-1]}
        reached: dict[str, datetime] = {}
        for (shop, _), until in self._shop_poll.cursors.items():
            reached[shop] = min(until, reached.get(shop, until))
        self.rota.shops_are({shop: min(reached.get(shop, now), now) for shop in self._anchors})
        self._witness.shops_are(self._anchors)

    async def turn(self) -> bool | None:
        """Ask the shop that is most overdue: whether that went well; None where none is due.

        Raises CallFailed where the app as a whole is refused: no shop can be asked.
        """
        self.look()
        shop = self.rota.take(self._means.now(), idle=self._alone)
        if shop is None:
            return None
        try:
            return await self._ask(shop)
        except BaseException:
            self.rota.failed(shop, self._means.now())
            raise

    async def _ask(self, shop: str) -> bool:
        at = self._means.now()
        try:
            polled = await self._shop_poll.poll(shop, self._anchors[shop], self._stuck.get(shop, 0.0) >= PATIENCE)
        except Exception as error:
            reason, wait_s = self._failed_by(shop, error)
            self._failed(self.row.name, reason)
            if isinstance(error, CallFailed) and error.verdict in WHOLE_APP:
                raise
            self.last_error = error
            self.rota.failed(shop, self._means.now(), timedelta(seconds=wait_s))
            return False
        self._stuck.pop(shop, None)
        self.rota.done(shop, self._means.now(), polled.sold_at, polled.more)
        if not polled.more:
            self._polled(self.row.name, shop, polled, at)
        return True

    def _failed_by(self, shop: str, error: Exception) -> tuple[Reason, float]:
        """What to call it, and how long to stay away; and what speaks for an entry that will never be readable."""
        match error:
            case CallFailed():
                return REASONS[error.verdict], error.wait_s
            case AccountRefused():
                self._looked_at -= LOOK_EVERY
                return "auth", 0.0
            case Unreadable() | Unfinished() | CannotAsk():
                hopeful = isinstance(error, Unfinished) and error.broken
                self._stuck[shop] = self._stuck.get(shop, 0.0) + (BROKEN_COUNTS if hopeful else 1.0)
                return "bad_frame", 0.0
        self._loudly.say(error)
        return "unknown", 0.0

    def rest_s(self) -> float:
        """Nothing is due for so long, at the most."""
        at = self.rota.next_at()
        return REST_S_MAX if at is None else min(max((at - self._means.now()).total_seconds(), 0.01), REST_S_MAX)

    @property
    def standing(self) -> Polls:
        return Polls(len(self.rota.turns), self.rota.failing)

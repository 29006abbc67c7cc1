"""One room as it is now: its session, and the numbers that /metrics/rooms shows. Plain values, moved by the watch."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.tick import SaleKind, Tick
from monitor.facts import RosterRoom, Slot
from monitor.live.judgement import expected, turns_at
from monitor.live.session import LIVE, Session

if TYPE_CHECKING:
    from monitor.live.sight import FeedSight

BLIND, UNWATCHED = 3, 5
INT_MAX, BIGINT_MAX = 2**31 - 1, 2**63 - 1  # what a row of ticks can hold
STATE_OF_PHASE = (0, 1, 2, 4)  # offline, live, dropped, lost


class Room:
    __slots__ = (
        "blind",
        "drops_total",
        "expected",
        "external_id",
        "feeds",
        "kbps",
        "kbps_feed",
        "last_tick_at",
        "likes_seen",
        "likes_total",
        "orders_total",
        "platform",
        "probed",
        "refunds_minor_total",
        "room_id",
        "row",
        "sales_minor_total",
        "session",
        "slots",
        "state",
        "telling",
        "turns_at",
        "viewers",
        "viewers_before",
        "viewers_feed",
        "views_seen",
        "views_total",
        "watched",
    )

    def __init__(self, row: RosterRoom) -> None:
        self.row = row
        self.room_id = row.room_id
        self.platform = row.platform
        self.external_id = row.external_id
        self.session = Session()
        self.slots: Sequence[Slot] = ()
        self.turns_at: datetime | None = None
        self.expected = False
        self.feeds: list[FeedSight] = []
        self.telling: list[FeedSight] = []  # those of them that can tell how it stands
        self.watched = False  # does any of them tell whether it is on air? One that brings its orders alone does not
        self.blind = False
        self.state = UNWATCHED
        self.last_tick_at = 0.0
        self.viewers: int | None = None
        self.viewers_before: int | None = None  # when it stopped last
        self.kbps: int | None = None
        self.viewers_feed: str | None = None  # who told of viewers: a platform, where an own server tells of kbps
        self.kbps_feed: str | None = None
        self.views_seen: int | None = None  # of this session; None: not told since we watch it
        self.likes_seen: int | None = None
        self.views_total = self.likes_total = 0
        self.orders_total = self.sales_minor_total = self.refunds_minor_total = 0
        self.drops_total = 0
        self.probed: tuple[str, datetime] | None = None  # what a player of ours found last, and when he began to look

    @property
    def unseen(self) -> bool:
        """Blind is a room whose feeds that can tell are all blind; hooks are silent by nature and blind nobody."""
        if self.telling:
            return not any(feed.sees_room(self.external_id) for feed in self.telling)
        return not self.feeds

    @property
    def measured(self) -> bool:
        """False where the feed that measured the session's progress is gone or blind, though others see the room."""
        measure = self.session.progress_feed
        return measure is None or any(feed.name == measure and (feed.sees or not feed.tells) for feed in self.feeds)

    def blind_since(self, now: datetime) -> datetime:
        """The last good frame of any feed that could tell."""
        spans = (feed.dark_from(self.external_id) for feed in self.telling if feed.seen_until)
        return max((from_at for from_at in spans if from_at is not None), default=now)

    def restate(self) -> None:
        if not self.watched:
            self.state = UNWATCHED
        elif self.blind or not self.last_tick_at:
            self.state = BLIND
        else:
            self.state = STATE_OF_PHASE[self.session.phase]

    def plan(self, slots: Sequence[Slot], now: datetime) -> None:
        self.slots = slots
        self.expected = expected(slots, now)
        self.turns_at = turns_at(slots, now)

    def tell(self, tick: Tick) -> None:
        """Show what this tick tells. Where its feed says nothing any more, nothing is shown; another's word stays.

        From who does not say whether the room is on air, viewers are shown only while others say that it is.
        """
        viewers, kbps = tick.viewers, tick.kbps
        if tick.live is None and self.watched and (self.blind or self.session.phase is not LIVE):
            viewers = None
        if viewers is not None:
            self.viewers_feed = tick.feed
            self.viewers = viewers if 0 <= viewers <= INT_MAX else None
        elif tick.feed == self.viewers_feed:
            self.viewers = None
        if kbps is not None:
            self.kbps_feed = tick.feed
            self.kbps = kbps if 0 <= kbps <= INT_MAX else None
        elif tick.feed == self.kbps_feed:
            self.kbps = None
        if tick.live is False and self.session.phase is not LIVE:
            self.viewers = self.kbps = 0
        if tick.views_total is not None and tick.views_total != self.views_seen:
            self._count_views(tick.views_total)
        if tick.likes_total is not None and tick.likes_total != self.likes_seen:
            self._count_likes(tick.likes_total)

    def hide(self, feed: str | None = None) -> None:
        """Nobody tells these numbers any longer; with a feed: if it was this one that told them."""
        if feed is None or feed == self.viewers_feed:
            self.viewers = self.viewers_feed = None
        if feed is None or feed == self.kbps_feed:
            self.kbps = self.kbps_feed = None

    def began(self) -> None:
        """A new session counts from 0; but one that was on when we first looked, from what we first saw."""
        self.views_seen = self.likes_seen = 0 if self.last_tick_at else None

    def sold(self, kind: SaleKind, amount_minor: int) -> None:
        """A sale of it was committed; `amount_minor` is in the event's currency, 0 where it is another."""
        if kind == "paid":
            self.orders_total += 1
            self.sales_minor_total += amount_minor
        elif kind == "refunded":
            self.refunds_minor_total += amount_minor

    def _count_views(self, total: int) -> None:
        if total > BIGINT_MAX:
            return  # nonsense, which a counter would never forget
        if self.views_seen is None or total > self.views_seen:
            self.views_total += 0 if self.views_seen is None else total - self.views_seen
            self.views_seen = total

    def _count_likes(self, total: int) -> None:
        if total > BIGINT_MAX:
            return
        if self.likes_seen is None or total > self.likes_seen:
            self.likes_total += 0 if self.likes_seen is None else total - self.likes_seen
            self.likes_seen = total

"""The witness of one push feed: what pushes told, what polls found, and whether pushes are late. Pure.

A fact that a poll found, that PostgreSQL did not hold, and that no push had told by then, was missed. From then on the
feed is late, until every missed fact has come by push, or a whole round over all shops found facts and missed none.
Silence alone says nothing.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from collectors.tick import Sale

KNOWN_MAX = 200_000  # facts remembered, about 50 MB when full
MISSED_MAX = 20_000  # of missed facts whose push is waited for; with more of them only a round ends it
MICROSECOND = timedelta(microseconds=1)


class Known(msgspec.Struct, gc=False):
    """`pushed_at` in unix seconds, 0 while only polls found it; `told` sums up what must not differ."""

    pushed_at: float
    told: int
    room: bool


class Sifted(msgspec.Struct):
    """`put` are the facts of a page that are worth a row; `pushed` were known by push, `strange` were not known."""

    put: list[Sale] = []
    pushed: int = 0
    strange: int = 0


class Judged(msgspec.Struct, frozen=True):
    """How many facts were missed; the feed is late as of `late_from`, and was until `late_until`, if that is so now."""

    missed: int = 0
    late_from: datetime | None = None
    late_until: datetime | None = None


class Witness:
    """`since`: what happened before then is nobody's fault. `late_from`, `late_until`: of the last late span."""

    def __init__(
        self,
        late_max: timedelta,
        since: datetime,
        late_from: datetime | None = None,
        late_until: datetime | None = None,
        known_max: int = KNOWN_MAX,
        missed_max: int = MISSED_MAX,
    ) -> None:
        self.late_max, self.since = late_max, since
        self.late_from, self.late_until = late_from, late_until
        self._known_max, self._missed_max = known_max, missed_max
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._missed: set[str] = set()
        self._more_missed = late_from is not None  # which they were is forgotten
        self._last_from = late_from
        self._on_time_at: datetime | None = None
        self._shops: frozenset[str] = frozenset()
        self._round: set[str] = set()
        self._round_pushed = self._round_strange = 0

    # --- pushes ------------------------------------------------------------------------------------------------------

    def pushed(self, sales: Iterable[Sale], received_at: datetime) -> datetime | None:
        """These came by push. Returns until when pushes were late, if the last one that was missed is among them."""
        waited = bool(self._missed)
        for sale in sales:
            if received_at - sale.at <= self.late_max and (self._on_time_at is None or received_at > self._on_time_at):
                self._on_time_at = received_at
            self._missed.discard(sale.event_id)
            known = self._known.get(sale.event_id)
            if known is None:
                self._remember(sale, received_at.timestamp())
                continue
            known.pushed_at = known.pushed_at or received_at.timestamp()
            known.room |= sale.room is not None
            self._known.move_to_end(sale.event_id)
        if waited and not self._missed and not self._more_missed:
            return self._caught_up(received_at)
        return None

    # --- polls -------------------------------------------------------------------------------------------------------

    def sift(self, sales: Iterable[Sale]) -> Sifted:
        """What of a page is put: what is not known, differs, or brings a room. All pushes until now are understood."""
        sifted = Sifted()
        for sale in sales:
            known = self._known.get(sale.event_id)
            if known is None:
                sifted.strange += sale.at >= self.since
                self._remember(sale, 0.0)
                sifted.put.append(sale)
                continue
            sifted.pushed += known.pushed_at > 0
            self._known.move_to_end(sale.event_id)
            if known.told != _told(sale) or (sale.room is not None and not known.room):
                known.told, known.room = _told(sale), known.room or sale.room is not None  # said once, not each round
                sifted.put.append(sale)
        return sifted

    def judge(self, fresh: Sequence[Sale], excused: frozenset[str]) -> Judged:
        """What of polls a commit returned as new; `excused` are event ids of which a delivery waits for details."""
        missed = [sale for sale in fresh if self._is_missed(sale, excused)]
        if not missed:
            return Judged()
        self._end_round()
        came_at = 0.0
        for sale in missed:
            known = self._known.get(sale.event_id)
            if known is not None and known.pushed_at:
                came_at = max(came_at, known.pushed_at)
            elif len(self._missed) < self._missed_max:
                self._missed.add(sale.event_id)
            else:
                self._more_missed = True
        late_from = None
        if self.late_from is None:
            late_from = self.late_from = self._last_from = self._beginning(missed)
        late_until = None
        if not self._missed and not self._more_missed:  # all of them have come meanwhile
            late_until = self._caught_up(datetime.fromtimestamp(came_at, UTC))
        return Judged(len(missed), late_from, late_until)

    def _is_missed(self, sale: Sale, excused: frozenset[str]) -> bool:
        if sale.at < self.since or sale.event_id in excused or sale.received_at - sale.at < self.late_max:
            return False
        known = self._known.get(sale.event_id)
        return known is None or not 0 < known.pushed_at <= sale.received_at.timestamp()

    def _beginning(self, missed: Sequence[Sale]) -> datetime:
        """After the last push that was in time, or at the missed fact, if that is earlier; no two spans overlap."""
        from_at = min(sale.at for sale in missed)
        if self._on_time_at is not None:
            from_at = min(from_at, self._on_time_at + MICROSECOND)
        if self.late_until is not None:
            from_at = max(from_at, self.late_until)
        # The span before may have had no length, and two spans never have the same beginning.
        return from_at + MICROSECOND if from_at == self._last_from else from_at

    # --- rounds ------------------------------------------------------------------------------------------------------

    def shops_are(self, shops: Iterable[str]) -> None:
        """Those that a round must have asked."""
        self._shops = frozenset(shops)

    def polled(self, shop: str, sifted: Sifted, at: datetime) -> datetime | None:
        """This shop was asked, all its pages. Returns until when pushes were late, if this ends it."""
        self._round.add(shop)
        self._round_pushed += sifted.pushed
        self._round_strange += sifted.strange
        if not self._shops <= self._round:
            return None
        good = self._round_pushed > 0 and not self._round_strange
        self._end_round()
        return self._caught_up(at) if good else None

    def _end_round(self) -> None:
        self._round.clear()
        self._round_pushed = self._round_strange = 0

    # --- both --------------------------------------------------------------------------------------------------------

    def _caught_up(self, at: datetime) -> datetime | None:
        if self.late_from is None:
            return None
        self.late_until, self.late_from = max(at, self.late_from), None
        self._missed.clear()
        self._more_missed = False
        return self.late_until

    def _remember(self, sale: Sale, pushed_at: float) -> None:
        self._known[sale.event_id] = Known(pushed_at, _told(sale), sale.room is not None)
        if len(self._known) > self._known_max:
            self._known.popitem(last=False)


def _told(sale: Sale) -> int:
    return hash((sale.kind, sale.amount_minor, sale.currency))

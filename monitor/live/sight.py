"""One feed as it is seen now: since when it is blind, and whether what it says still moves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from collectors.collector import FeedRow
from collectors.tick import Tick
from monitor.facts import BlindSpan, FeedState
from monitor.live.room import Room
from monitor.live.room_sights import Numbers, RoomSights
from monitor.live.session import Rules
from monitor.live.totals import Totals

FROZEN = timedelta(seconds=60)
# And so many viewers times seconds must have stood still: three people who watch a village seller at night come and go
# less than once a minute, which is no sign of old data. Sixty viewers are enough in a minute, six in ten.
STILL_VIEWER_S = 3600.0
AS_VIEWERS = 60  # what a live room counts that tells its bytes: they move at each look
STAMP_FOR = timedelta(seconds=60)
LOOK_EVERY = timedelta(seconds=5)  # whether numbers move is asked so often, not of each frame
UNLISTED_MAX = 500
UNLISTED_FOR = timedelta(hours=1)
FAILURES_MAX = 2  # in a row: blind
PUSH_LATE = "push_late"

SightState = Literal["ok", "refused", "blind", "frozen", "stale"]


class FeedSight:
    def __init__(self, row: FeedRow, rules: Rules, now: datetime) -> None:
        self.name = row.name
        self.loaded_at = now
        self.rooms: list[Room] = []
        self.listed: dict[str, Room] = {}
        self.dropped: set[Room] = set()  # those that wait for their grace to run out
        self.single = RoomSights()
        self.totals = Totals()
        self.back_at: datetime | None = None
        self.seen_until: datetime | None = None
        self.last_message_at: datetime | None = None
        self.failures = 0
        self.blind_from: datetime | None = None
        self.blind_cause = ""
        self.refused = ""
        self.witness_from: datetime | None = None  # of a push: see lateness.py
        self.late_from: datetime | None = None
        self.late_until: datetime | None = None
        self.unlisted: dict[str, tuple[datetime, datetime]] = {}  # first and last seen
        self.unlisted_more = 0  # further ones, beyond those that are kept
        self.stale_s = 0.0  # how old the platform's newest stamp was when it came
        self.stamped_at: datetime | None = None  # when that was
        self.moved_at: datetime | None = None  # when a number of a live room last moved
        self._still_until: datetime | None = None  # since then all were looked at and stood still, until here
        self._still_viewer_s = 0.0
        self._looked_at: datetime | None = None
        self._numbers: dict[str, Numbers] = {}
        self.configured(row, rules)

    def configured(self, row: FeedRow, rules: Rules) -> None:
        self.row, self.rules = row, rules
        self.tells = row.TELLS_STATE
        self.by_room = row.ROOM_BY_ROOM or row.HIDES_ROOMS
        self.shows = "live" in row.signals()
        self.platform = platform_of(row)
        self.hall = row.hall
        self.silence_s_max = silence_s_max(row)
        # Where rooms are asked one by one, each must have been asked again before all of them stand still.
        self.still_max = max(FROZEN, timedelta(seconds=self.silence_s_max)) if self.by_room else FROZEN

    @property
    def sees(self) -> bool:
        return self.blind_from is None and self.seen_until is not None

    @property
    def state(self) -> SightState:
        """The first that holds; the later ones are only symptoms of it."""
        if self.refused:
            return "refused"
        if self.blind_from is not None or self.late_from is not None:
            return "blind"
        if self._is_frozen:
            return "frozen"
        return "stale" if self.stale_s > self.silence_s_max + self.row.TOLD_LATE_S else "ok"

    @property
    def _is_frozen(self) -> bool:
        if self.moved_at is None or self._still_until is None:
            return False
        return self._still_until - self.moved_at >= self.still_max and self._still_viewer_s >= STILL_VIEWER_S

    @property
    def detail(self) -> str:
        return self.refused or self.blind_cause or (PUSH_LATE if self.late_from else "")

    def seen(self, at: datetime) -> None:
        """A good frame."""
        self.failures = 0
        if self.seen_until is None or at > self.seen_until:
            self.seen_until = at
        self.last_message_at = self.seen_until
        self.outlives(at)

    def outlives(self, at: datetime) -> None:
        """Nothing but signs of life since, or silence that is no blindness: that one stamp was old says no more how it
        is now."""
        if self.stamped_at is not None and at - self.stamped_at > STAMP_FOR:
            self.stale_s = 0.0

    def back(self, at: datetime) -> None:
        """The first good frame after a blind span, or ever."""
        self.blind_from, self.blind_cause, self.refused = None, "", ""
        self.moved_at = self._still_until = self._looked_at = None
        self.back_at = at
        self.seen(at)

    def blind(self, cause: str, now: datetime) -> list[BlindSpan]:
        """All of its rooms are blind now: returns the ends of the spans of single ones, which are part of it."""
        self.blind_from, self.blind_cause = min(self.seen_until or self.loaded_at, now), cause
        return self.single.all_ended(self.blind_from)

    def sees_room(self, room: str) -> bool:
        return self.sees and room not in self.single.dark

    def dark_from(self, room: str) -> datetime | None:
        """Since when this room is not seen; None: it is."""
        span = self.single.dark.get(room)
        return self.blind_from if self.blind_from is not None or span is None else span.from_at

    def dropped_of(self, ticks: Sequence[Tick]) -> list[Room]:
        """Those of the rooms of a frame that wait for their grace to run out."""
        return [room for tick in ticks if (room := self.listed.get(tick.room)) in self.dropped and room is not None]

    def fail_room(self, room: str, cause: str, now: datetime) -> bool:
        """True: from now on this room is blind, though the feed sees others."""
        if not self.sees:
            return False
        return self.single.failed(self.name, self.platform, room, cause, self.back_at or self.loaded_at, now)

    def restarted(self, state: FeedState, now: datetime) -> BlindSpan:
        """We begin anew, and see nothing before its first frame: the span of that, as of the last one of then."""
        self.seen_until = min(state.seen_until, now)
        self.blind_from = state.blind_from or self.seen_until
        self.blind_cause = state.blind_cause or "restart"
        return self.span()

    def stepped(self, now: datetime) -> None:
        """Instants from before the clock's step may lie in the future now."""
        self.loaded_at = min(self.loaded_at, now)
        if self.seen_until is not None:
            self.seen_until = min(self.seen_until, now)
        self.single.forget()

    def remembered(self) -> FeedState:
        return FeedState(
            self.name, self.seen_until or self.loaded_at, self.blind_from, self.blind_cause, self.witness_from,
            self.late_from, self.late_until,
        )  # fmt: skip

    def span(self, to_at: datetime | None = None) -> BlindSpan:
        from_at = self.blind_from or self.seen_until or self.loaded_at
        return BlindSpan(
            self.name, self.platform, from_at, self.blind_cause, to_at=None if to_at is None else max(to_at, from_at)
        )

    def note_unlisted(self, external_id: str, at: datetime) -> bool:
        """False where there are more than a list is good for."""
        known = self.unlisted.get(external_id)
        if known is None and len(self.unlisted) >= UNLISTED_MAX:
            return False
        self.unlisted[external_id] = (known[0] if known else at, at)
        return True

    def forget_unlisted(self, now: datetime) -> None:
        kept = {room: seen for room, seen in self.unlisted.items() if now - seen[1] < UNLISTED_FOR}
        self.unlisted = {room: seen for room, seen in kept.items() if room not in self.listed}

    def look(self, ticks: Sequence[Tick], now: datetime) -> None:
        """Is what it says fresh, and does it move? A number that nobody compares is a number that froze unseen."""
        newest = ticks[-1]
        if newest.evidence == "event":
            self.stale_s, self.stamped_at = (now - newest.at).total_seconds(), now
        if self.by_room:
            self._look_at_rooms(ticks, now)
            return
        since = self._looked_at or now
        if self._looked_at is not None and now - since < LOOK_EVERY:
            return
        self._looked_at = now
        numbers = {tick.room: numbers_of(tick) for tick in ticks if tick.live}
        told = {room: found for room, found in numbers.items() if any(number is not None for number in found)}
        if (
            not told
            or self.moved_at is None
            or any(self._numbers.get(room, found) != found for room, found in told.items())
        ):
            self.moved_at, self._still_until, self._still_viewer_s = now, None, 0.0
        else:
            self._still_until = now
            self._still_viewer_s += (now - since).total_seconds() * sum(map(as_viewers, told.values()))
        self._numbers.update(told)

    def _look_at_rooms(self, ticks: Sequence[Tick], now: datetime) -> None:
        seen = {tick.room: numbers_of(tick) for tick in ticks if tick.live}
        live = {room: found for room, found in seen.items() if any(number is not None for number in found)}
        moves = self.single.moves(live, [tick.room for tick in ticks if tick.live is False])
        if moves is False and self.moved_at is not None:
            self._still_until = now
            if (still_for := now - self.moved_at) >= self.still_max:  # seldom: it looks at all rooms
                self._still_viewer_s = still_for.total_seconds() * self.single.still(as_viewers)
        else:
            self.moved_at, self._still_until, self._still_viewer_s = now, None, 0.0


def numbers_of(tick: Tick) -> Numbers:
    return tick.viewers, tick.views_total, tick.likes_total, tick.kbps, tick.progress


def as_viewers(numbers: Numbers) -> int:
    """How many viewers' coming and going it would be if none of these moved."""
    viewers, *_, progress = numbers
    return AS_VIEWERS if progress is not None else 1 if viewers is None else viewers


def platform_of(row: FeedRow) -> str:
    return row.platform or row.PLATFORM


def silence_s_max(row: FeedRow) -> float:
    if row.silence_s_max is not None:
        return row.silence_s_max
    interval_s = getattr(row, "interval_s", None)
    return max(10.0, 3.0 * interval_s) if isinstance(interval_s, int | float) else 10.0

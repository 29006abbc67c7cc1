"""The watch: takes what feeds bring, step by step, and keeps every room's session and numbers. Plain synchronous code.

Each step returns all that it brought to light; the caller puts that into the inbox without an await between, so that
the order of the spool is the order of the steps.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from collectors.collector import FeedRow
from collectors.tick import SaleKind, Tick
from monitor.facts import BlindSpan, FeedState, Heard, RosterRoom, Slot
from monitor.live.blindness import blinded, given_up, reanchored, sighted, unmeasured
from monitor.live.lateness import punctual, remember
from monitor.live.muster import Key, Muster, limits_of
from monitor.live.record import bad_tick, changed
from monitor.live.room import BLIND, Room
from monitor.live.seeing import end, see, wait
from monitor.live.session import DROPPED, LOST, NOTHING, Session, Step
from monitor.live.sight import FAILURES_MAX, FeedSight
from monitor.live.waiting import Waiting

AGE_MAX = timedelta(days=7)  # what is older is a row, perhaps, but says nothing of a room today
UNHEARD_OF = Session()
REVIEW_EVERY = timedelta(seconds=60)


class Watch:
    def __init__(
        self,
        grace_s: float = 120.0,
        end_slack_s: float = 900.0,
        event_currency: str = "CNY",
        settle_s: float = 15.0,
        blind_s_max: float = 14_400.0,
    ) -> None:
        self.limits = limits_of(grace_s, end_slack_s, settle_s, blind_s_max)
        self.event_currency = event_currency
        self.muster = Muster()
        self.waiting = Waiting()
        self._spans: list[BlindSpan] = []  # of the start, until somebody asks
        self._review_at: datetime | None = None

    @property
    def rooms(self) -> list[Room]:
        return self.muster.rooms

    @property
    def feeds(self) -> dict[str, FeedSight]:
        return self.muster.feeds

    @property
    def roster_generation(self) -> int:
        return self.muster.generation

    def rooms_of(self, feed: FeedRow) -> list[str]:
        return self.muster.rooms_of(feed)

    def load(
        self, roster: Sequence[RosterRoom], slots: Sequence[Slot], feeds: Sequence[FeedRow], now: datetime
    ) -> Heard:
        """The roster, the schedule or the config is new: rooms and feeds that stay keep all that is known of them."""
        heard = Heard()
        for feed in self.muster.load(roster, slots, feeds, self.limits, now):
            if feed.blind_from is not None:
                heard.spans.append(feed.span(now))
            heard.spans += punctual(feed, now).spans + feed.single.all_ended(now)
        for feed in self.feeds.values():
            heard.spans += feed.single.stay(feed.listed.keys() if feed.by_room else (), now)
        for room in (*self.rooms, *self.muster.parted.values()):
            self._resee(room, now, now, heard)
            self.waiting.file(room)
        return heard

    def restore(self, sessions: Mapping[Key, Session], feeds: Iterable[FeedState], now: datetime) -> None:
        """A start: go on from what was sealed. We saw nothing since, so every feed is blind until its first frame."""
        for state in feeds:
            feed = self.feeds.get(state.feed)
            if feed is not None:
                remember(feed, state)
            if feed is not None and feed.tells:
                self._spans.append(feed.restarted(state, now))
        for key, session in sessions.items():
            room = self.muster.by_key.get(key) or self.muster.parked(key)
            if session.decided_at is not None and session.decided_at > now:
                session = reanchored(session, now)  # the clock stepped back before we were started
            room.session = blinded(session, room.blind_since(now)) if room.unseen else session
            room.blind = room.unseen
            if not room.blind and session.decided_at is not None:  # who only calls may be silent for hours
                room.last_tick_at = session.decided_at.timestamp()
            self.waiting.file(room)
            room.restate()

    def hear(self, feed: str, at: datetime, ticks: Sequence[Tick], now: datetime, whole: bool = True) -> Heard:
        """It was seen that rooms stood so. Not `whole`: by what one of them said, no proof that others are heard."""
        heard = Heard()
        sight = self.feeds.get(feed)
        if sight is None:
            return heard  # taken out of the config while this frame was on its way
        at = min(at, now)
        if sight.sees:
            sight.seen(at)
        elif whole or not sight.by_room:
            self._see_again(sight, at, heard)
        if sight.by_room:
            self._see_rooms(sight, [tick.room for tick in ticks], at, heard)
        if ticks:
            self._hear_ticks(sight, ticks, now, heard)
            sight.look(ticks, now)
        if sight.dropped and sight.tells:
            for room in tuple(sight.dropped) if not sight.by_room else sight.dropped_of(ticks):
                self._take(room, wait(room.session, at, self.limits, room.slots), heard)
        if sight.row.TELLS_MONEY:
            heard.totals = sight.totals.take(ticks, sight.listed)
        heard.feed = sight.remembered()
        return heard

    def _hear_ticks(self, sight: FeedSight, ticks: Sequence[Tick], now: datetime, heard: Heard) -> None:
        """The loop that runs for every tick there is: what is not needed for most of them is elsewhere."""
        listed, rules, rows = sight.listed, sight.rules, heard.ticks
        oldest, last_at, last_s, more = now - AGE_MAX, None, 0.0, 0
        for tick in ticks:
            room = listed.get(tick.room)
            if room is None:
                more += bool(tick.live) and not sight.note_unlisted(tick.room, now)
                continue
            at = tick.at
            try:
                if at is not last_at:
                    last_s, last_at = min(at, now).timestamp(), at
                if oldest <= at:
                    room.session, marks = see(room.session, tick, at if at <= now else now, rules, room.slots)
                else:
                    marks = NOTHING
            except (TypeError, ValueError, OverflowError) as error:  # a naive or an absurd instant
                heard.quarantine.append(bad_tick(tick, error, now))
                continue
            rows.append((room.room_id, tick))
            if marks:
                self._take(room, (room.session, marks), heard)
            if last_s >= room.last_tick_at:
                room.tell(tick)
                room.last_tick_at = last_s
            if room.state >= BLIND:
                room.restate()
        sight.unlisted_more = more

    def fail(self, feed: str, cause: str, now: datetime) -> Heard:
        """One failure: that may be chance. The second in a row blinds the feed, as of its last good frame."""
        sight = self.feeds.get(feed)
        if sight is None or sight.failures + 1 >= FAILURES_MAX:
            return self.lose(feed, cause, now)
        sight.failures += 1
        return Heard()

    def fail_room(self, feed: str, external_id: str, cause: str, now: datetime) -> Heard:
        """One room could not be seen, though others of its feed may be. The second time in a row it is blind."""
        sight = self.feeds.get(feed)
        room = sight.listed.get(external_id) if sight else None
        if sight is None or room is None or not sight.fail_room(external_id, cause, now):
            return Heard()
        heard = Heard(spans=[sight.single.dark[external_id]])
        self._resee(room, room.blind_since(now), now, heard)
        room.hide(feed)
        return heard

    def hear_rooms(self, feed: str, rooms: Mapping[str, datetime]) -> Heard:
        """Signs of life of single rooms' sockets: they could be heard, though nothing was said of how they stand."""
        heard = Heard()
        for external_id, at in rooms.items() if feed in self.feeds else ():
            self._see_rooms(self.feeds[feed], [external_id], at, heard)
        return heard

    def lose(self, feed: str, cause: str, now: datetime) -> Heard:
        """It is no chance (most of its rooms were lost together): no second failure is waited for."""
        sight = self.feeds.get(feed)
        if sight is None:
            return Heard()
        sight.failures += 1
        return self._blind(sight, cause, now)

    def silent(self, feed: str, now: datetime) -> Heard:
        """Nothing was heard for as long as this feed may be silent."""
        return self.lose(feed, "silence", now)

    def refuse(self, feed: str, detail: str, now: datetime) -> Heard:
        """The feed will not have us."""
        if feed in self.feeds:
            self.feeds[feed].refused = detail or "refused"
        return self.lose(feed, "refused", now)

    def tend(self, now: datetime) -> Heard:
        """Each second: what comes of time alone."""
        heard = Heard(spans=self._spans)
        self._spans = []
        for room in self.rooms:
            if room.turns_at is not None and now >= room.turns_at:
                room.plan(room.slots, now)
        for room in self.waiting:
            self._take(room, wait(room.session, now, self.limits, room.slots), heard)
        if self._review_at is None or now >= self._review_at:
            self._review_at = now + REVIEW_EVERY
            self._review(now, heard)
        return heard

    def stepped(self, now: datetime) -> Heard:
        """The clock stepped: what we know is of another time. Every feed is blind until its next frame."""
        heard = Heard()
        for feed in self.feeds.values():
            feed.stepped(now)
            if feed.tells and feed.sees:
                heard.spans += feed.blind("clock", now)
                heard.spans.append(feed.span())
        for room in (*self.rooms, *self.muster.parted.values()):
            room.session = reanchored(room.session, now)
            room.last_tick_at = min(room.last_tick_at, now.timestamp())
            room.plan(room.slots, now)
            self._resee(room, now, now, heard)
        self._review_at = None
        return heard

    def ended(self, platform: str, external_id: str) -> Heard | None:
        """A person says that the broadcast of a room that stopped is over; None: there is no stopped session here."""
        room = self.muster.by_key.get((platform, external_id))
        if room is None or room.session.phase not in (DROPPED, LOST):
            return None
        heard = Heard()
        self._take(room, end(room.session), heard)
        return heard

    def sold(self, platform: str, room: str | None, kind: SaleKind, amount_minor: int, currency: str) -> None:
        """A commit returned this sale as new."""
        if seller := self.muster.by_key.get((platform, room or "")):
            seller.sold(kind, max(amount_minor, 0) if currency == self.event_currency else 0)

    def _blind(self, sight: FeedSight, cause: str, now: datetime) -> Heard:
        if sight.blind_from is not None:
            return Heard()
        heard = Heard(spans=[*sight.blind(cause, now), sight.span()], feed=sight.remembered())
        for room in sight.rooms:
            if sight.tells:
                self._resee(room, room.blind_since(now), now, heard)
            room.hide(sight.name)
        return heard

    def _see_again(self, sight: FeedSight, at: datetime, heard: Heard) -> None:
        if sight.blind_from is not None:
            heard.spans.append(sight.span(at))
        sight.back(at)
        for room in sight.rooms:
            self._resee(room, at, at, heard)

    def _see_rooms(self, sight: FeedSight, rooms: Sequence[str], at: datetime, heard: Heard) -> None:
        """These rooms and no other were seen."""
        for span in sight.single.seen([room for room in rooms if room in sight.listed], at):
            heard.spans.append(span)
            self._resee(sight.listed[span.room or ""], at, at, heard)

    def _resee(self, room: Room, from_at: datetime, to_at: datetime, heard: Heard) -> None:
        """Whether somebody sees this room may have changed."""
        unseen = room.unseen
        if unseen and not room.session.is_blind:
            if room.session != UNHEARD_OF:  # of that one nothing can be mistaken, so it need not settle either
                room.session = blinded(room.session, from_at)
            room.hide()
        elif room.session.is_blind and not unseen:
            self._take(room, sighted(room.session, to_at, self.limits), heard)
        room.blind = unseen
        if not unseen and not room.measured:
            room.session = unmeasured(room.session)
        room.restate()

    def _take(self, room: Room, step: Step, heard: Heard) -> None:
        """Write down what a step changed."""
        room.session, marks = step
        for mark in marks:
            heard.changes.append(changed(room, mark))
            if mark.change == "opened":
                room.began()
            elif mark.change == "dropped":
                room.viewers_before = room.viewers  # what is told from here on is of a room that stopped
            elif mark.change == "resumed" or mark.cause == "lost":
                room.drops_total += 1
        self.waiting.file(room)
        room.restate()

    def _review(self, now: datetime, heard: Heard) -> None:
        """What need not be looked at each second."""
        for room in (*self.rooms, *self.muster.parted.values()):
            if room.session.is_blind:
                self._take(room, given_up(room.session, now, self.limits), heard)
        self.muster.forget_parted()
        for feed in self.feeds.values():
            feed.forget_unlisted(now)
            feed.outlives(now)

"""What a recording of one feed means for its rooms: the watch, driven by the recorded instants instead of a clock."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from collectors.collector import FeedRow
from collectors.tick import Tick
from monitor.facts import BlindSpan, Change, Heard, RosterRoom
from monitor.live.watch import Watch

SECOND = timedelta(seconds=1)
BEATS_MAX = 600  # of one pause: a night without frames need not be lived through second by second


class Story:
    """`ticks` None: the frame means nothing, which the monitor counts as a failure of the feed."""

    def __init__(self, watch: Watch, feed: FeedRow, roster: Sequence[RosterRoom]) -> None:
        self.watch, self.feed, self.roster = watch, feed, roster
        self.now: datetime | None = None
        self.silent = timedelta(0)

    def tell(self, frames: Iterable[tuple[datetime, Sequence[Tick] | None]]) -> Iterator[Change | BlindSpan]:
        """The changes and blind spans, in their order, as the monitor would have written them."""
        for at, ticks in frames:
            if self.now is None:
                yield from self._begin(at)
            else:
                yield from self._pass_time(at)
            now = self.now or at
            if ticks is None:
                yield from _facts(self.watch.fail(self.feed.name, "bad_frame", now))
            else:
                yield from _facts(self.watch.hear(self.feed.name, at, ticks, now))
            yield from _facts(self.watch.tend(now))

    def _begin(self, at: datetime) -> Iterator[Change | BlindSpan]:
        self.now = at
        yield from _facts(self.watch.load(self.roster, (), (self.feed,), at))
        self.silent = timedelta(seconds=self.watch.feeds[self.feed.name].silence_s_max)

    def _pass_time(self, until: datetime) -> Iterator[Change | BlindSpan]:
        """Time passes to `until`, in beats; a pause as long as the feed may be silent is told as silence."""
        began = now = self.now or until
        beat = max(SECOND, (until - began) / BEATS_MAX)
        silent_at = began + self.silent if self.watch.feeds[self.feed.name].tells else None
        while now + beat < until:
            now += beat
            if silent_at is not None and now >= silent_at:
                yield from _facts(self.watch.silent(self.feed.name, silent_at))
                silent_at = None
            yield from _facts(self.watch.tend(now))
        self.now = max(now, until)


def _facts(heard: Heard) -> Iterator[Change | BlindSpan]:
    yield from heard.changes
    yield from heard.spans

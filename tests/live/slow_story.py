"""The rules of a session once more, slow and obvious: the story of all that was observed, told from the start.

It shares no code with monitor/live, and keeps no moved clocks: time that was seen is counted from the blind spans.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from collectors.tick import Tick
from monitor.facts import Slot

Told = tuple[str, datetime, str, datetime, int]


class Story:
    """One telling. `told` are the changes: change, at, cause, opened_at, number."""

    def __init__(self, rules: Any, slots: Sequence[Slot]) -> None:
        self.rules, self.slots = rules, slots
        self.told: list[Told] = []
        self.spans: list[list[datetime | None]] = []
        self.decisions: list[tuple[datetime, str]] = []  # instant, evidence
        self.air = "off"  # off, live, dropped
        self.opened_at: datetime | None = None
        self.number = 0
        self.key: tuple[str, str] | None = None  # feed, key
        self.measure: tuple[str, int] | None = None  # feed, progress
        self.moved_at: datetime | None = None
        self.stopped: dict[str, Any] | None = None
        self.missed_at: datetime | None = None
        self.unsure_from: datetime | None = None
        self.former: str | None = None  # key of the session before

    # -- what is observed

    def blind(self, at: datetime) -> None:
        self.spans.append([at, None])
        self.missed_at = None

    def sight(self, at: datetime) -> None:
        from_at = self.spans[-1][0]
        self.spans[-1][1] = at
        known_until = max([from_at, *(decided for decided, _ in self.decisions[-1:])])
        if self.air != "off" and at - known_until > self.rules.blind_max:
            self.tell("closed", self.stopped["at"] if self.stopped else known_until, "unseen")
        if self.air == "live":
            self.unsure_from = self.unsure_from or known_until
        else:
            self.unsure_from = None

    def wait(self, at: datetime) -> None:
        if self.air == "dropped" and not self.is_blind and self.seen_s(self.stopped["true"], at) > self.rules.grace:
            self.judge()

    def tick(self, tick: Tick, at: datetime) -> None:
        if tick.live is None or (self.decisions and at <= self.decisions[-1][0]):
            return
        key = tick.session_key
        foreign = key is not None and self.key is not None and key != self.key[1]
        event = tick.evidence == "event"
        if not event and self.is_blind:
            return
        lagging = not event and bool(self.decisions) and self.decisions[-1][1] == "event"
        lagging = lagging and at - self.decisions[-1][0] <= self.rules.refresh
        other = foreign and self.key[0] in (tick.feed, *self.rules.key_feeds)
        if tick.live:
            if other and self.rules.key_is_session and self.air != "off" and key == self.former:
                return
            if lagging and (self.air != "live" or foreign):
                return
            if event and foreign and (self.air == "live" or self.is_stalled):
                return
            self.is_live(tick, at, other)
        else:
            if (lagging and self.air == "live") or (event and foreign):
                return
            self.is_gone(tick, at, event)

    # -- what it means

    def is_live(self, tick: Tick, at: datetime, other: bool) -> None:
        told_before = len(self.told)
        moves = (
            self.measure is not None and tick.progress not in (None, self.measure[1]) and tick.feed == self.measure[0]
        )
        if self.air != "live" and self.is_stalled and not moves and not other:
            return
        if self.air == "dropped":
            if self.seen_s(self.stopped["true"], at) > self.rules.grace:
                self.judge()
            elif other and self.rules.key_is_session:
                self.tell("closed", self.stopped["at"], "replaced")
            else:
                self.tell("resumed", at, tick.evidence)
                self.moved_at = at
                if tick.progress is not None and (self.measure is None or self.measure[0] == tick.feed):
                    self.measure = (tick.feed, tick.progress)
        elif self.air == "live" and other:
            if self.unsure_from is not None:
                self.tell("closed", self.unsure_from, "unseen")
            elif self.rules.key_is_session:
                self.tell("closed", at, "replaced")
            else:
                self.tell("dropped", self.decisions[-1][0] if self.decisions else at, "reconnect")
                self.tell("resumed", at, tick.evidence)
                self.moved_at = at
                if tick.progress is not None and (self.measure is None or self.measure[0] == tick.feed):
                    self.measure = (tick.feed, tick.progress)
        elif self.air == "live":
            self.goes_on(tick, at)
        if self.air == "off":
            self.former = self.key[1] if self.key and self.key[1] != tick.session_key else None
            self.key = self.measure = None
            self.moved_at = at
            if tick.progress is not None:
                self.measure = (tick.feed, tick.progress)
            self.tell("opened", at, tick.evidence)
        repeats = self.key is not None and self.key[1] == tick.session_key and tick.evidence == "event"
        if tick.session_key is not None and not repeats:
            self.key = (tick.feed, tick.session_key)
        changed = len(self.told) > told_before
        if changed or (self.missed_at is not None and at >= self.missed_at):
            self.missed_at = None
        if changed or tick.session_key is not None or self.key is None:
            self.unsure_from = None
        self.decisions.append((at, tick.evidence))

    def goes_on(self, tick: Tick, at: datetime) -> None:
        if tick.progress is None:
            return
        if self.measure is None:
            self.measure, self.moved_at = (tick.feed, tick.progress), at
        elif tick.feed == self.measure[0]:
            if tick.progress != self.measure[1]:
                self.measure, self.moved_at = (tick.feed, tick.progress), at
            elif not self.is_blind and self.seen_s(self.moved_at, at) >= self.rules.stall:
                moved_at = self.moved_at + (at - self.moved_at - self.seen_s(self.moved_at, at))
                seen_again = max((span[1] for span in self.spans), default=moved_at)
                self.drop(at=max(moved_at, seen_again), true=moved_at, cause="stall")

    def is_gone(self, tick: Tick, at: datetime, event: bool) -> None:
        settling = self.spans and not self.is_blind and at <= self.spans[-1][1] + self.rules.settle
        if not event and tick.end is None and settling:
            return
        stopped_at = at
        if tick.evidence == "absent" and tick.end is None and (self.air == "live" or self.is_stalled):
            if self.missed_at is None or at <= self.missed_at:
                self.missed_at = self.missed_at or at
                return
            stopped_at = self.missed_at
        self.missed_at = self.unsure_from = None
        if self.air == "live":
            if tick.end == "ended":
                self.tell("closed", at, "ended")
            else:
                self.drop(at=stopped_at, true=stopped_at, cause="failed" if tick.end == "failed" else tick.evidence)
        elif self.air == "dropped":
            if self.stopped["cause"] == "stall":
                self.stopped["cause"] = tick.evidence
            if tick.end == "failed":
                self.stopped["cause"] = "failed"
            if tick.end == "ended":
                self.tell("closed", self.stopped["at"], "ended")
        else:
            self.stopped = None
        self.decisions.append((at, tick.evidence))

    def judge(self) -> None:
        stop = self.stopped
        blind_s = sum(
            (max(to_at - max(from_at, stop["true"]), timedelta(0)) for from_at, to_at in self.spans if to_at),
            timedelta(0),
        )
        ran_out_at = stop["true"] + blind_s + self.rules.grace
        inside = any(slot.starts_at <= ran_out_at < slot.ends_at for slot in self.slots)
        near = any(abs(slot.ends_at - stop["at"]) <= self.rules.end_slack for slot in self.slots)
        if stop["cause"] == "failed":
            reason = "lost"
        elif near:
            reason = "scheduled"
        else:
            reason = "lost" if inside or self.rules.tells_end else "unknown"
        self.tell("closed", stop["at"], reason)

    # -- telling

    def drop(self, at: datetime, true: datetime, cause: str) -> None:
        self.tell("dropped", at, cause)
        self.stopped = {"at": self.told[-1][1], "true": true, "cause": cause}

    def tell(self, change: str, at: datetime, cause: str) -> None:
        stamp = max([at, *(told[1] for told in self.told)])
        if change == "opened":
            openings = [told[3] for told in self.told]
            if openings and stamp <= max(openings):
                stamp = max(openings) + timedelta(microseconds=1)
            self.opened_at, self.number = stamp, 0
        self.number += 1
        self.air = {"opened": "live", "resumed": "live", "dropped": "dropped", "closed": "off"}[change]
        if self.air == "live":
            self.stopped = None
        self.told.append((change, stamp, cause, self.opened_at, self.number))

    # -- looking back

    @property
    def is_blind(self) -> bool:
        return bool(self.spans) and self.spans[-1][1] is None

    @property
    def is_stalled(self) -> bool:
        return self.stopped is not None and self.stopped["cause"] == "stall"

    def seen_s(self, from_at: datetime, to_at: datetime) -> timedelta:
        """How much of this time was seen."""
        unseen = timedelta(0)
        for span_from, span_to in self.spans:
            overlap = min(span_to or to_at, to_at) - max(span_from, from_at)
            unseen += max(overlap, timedelta(0))
        return to_at - from_at - unseen


def tell(observed: Sequence[tuple[Any, ...]], rules: Any, slots: Sequence[Slot]) -> list[Told]:
    """The whole story, from the first observation on."""
    story = Story(rules, slots)
    for what, *facts in observed:
        getattr(story, what)(*facts)
    return story.told

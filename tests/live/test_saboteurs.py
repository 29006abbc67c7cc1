"""Proof that the tests of the session machine bite: each planted bug must be caught, and must still be plantable."""

import pytest

from tests.live import guarantees
from tests.live.machine import machine, sabotaged
from tests.live.test_session_exhaustive import FEW, scripts
from tests.live.test_session_model import compare, play_dice

BUGS = {
    "blind status is believed": (
        "seeing", "elif session.is_blind or (session.phase is LIVE", "elif (session.phase is LIVE"),
    "blind stall is believed": (
        "seeing", "at - moved_at >= rules.stall and not session.is_blind", "at - moved_at >= rules.stall"),
    "grace runs on while blind": (
        "seeing", "(at if blind_from is None else min(at, blind_from))", "at"),
    "grace is not moved on by blind time": (
        "blindness", "stop = replace(stop, since=_moved_on(stop.since, blind_from, to_at))", "pass"),
    "the stall clock is not moved on by blind time": (
        "blindness", "moved_at = _moved_on(moved_at, blind_from, to_at)", "pass"),
    "a stall is dated into the blind span": (
        "seeing", "max(moved_at, settle_until - rules.settle)", "moved_at"),
    "no time to settle": (
        "blindness", "settle_until=to_at + rules.settle", "settle_until=None"),
    "absence decides at the first answer": (
        "seeing", "if doubt.absent_at is None:", "if False:"),
    "absence is never forgotten": (
        "seeing", "doubt.absent_at is not None and at < doubt.absent_at", "doubt.absent_at is not None"),
    "blindness does not forget an absence": (
        "blindness", "Doubt(unsure_from=unsure_from, settle_until",
        "Doubt(doubt.absent_at, None, unsure_from, settle_until"),
    "a stale tick decides": (
        "seeing", "at <= decided_at)", "at < decided_at)"),
    "a refused publisher takes over": (
        "seeing", "elif differs and rules.refused_told and (session.phase is LIVE or session.is_stalled):",
        "elif False:"),
    "a refused publisher ends the session": (
        "seeing", "if other_key(session, tick):\n            return session, NOTHING",
        "if False:\n            return session, NOTHING"),
    "the end of a key is another key": (
        "session", "return is_end(tail) and whole.endswith(tail)", "return False"),
    "any key is the end of any": (
        "session", "return is_end(tail) and whole.endswith(tail)", "return True"),
    "the end of another key is believed of how things stand": (
        "seeing", "if differs and session.is_open and is_end(tick.session_key):", "if False:"),
    "the end of a key takes the place of the whole": (
        "session", "if known is not None and key != known and _ends(known, key):", "if False:"),
    "a takeover is a stop": (
        "seeing", "if tick.evidence == \"event\":\n        return _go_on(_assured",
        "if False:\n        return _go_on(_assured"),
    "a stalled room is back without moving": (
        "seeing", "if session.is_stalled and not moved and not other:", "if False:"),
    "stall by any feed's progress": (
        "seeing", "elif tick.feed == progress_feed:", "else:"),
    "only more is movement": (
        "seeing", "if tick.progress != progress:", "if tick.progress > progress:"),
    "stamps go back": (
        "session", "else max(at, session.changed_at)", "else at"),
    "an opening recurs": (
        "session", "stamp = session.opened_at + MOMENT", "pass"),
    "a resumption begins a new session": (
        "session", "after = replace(session, phase=LIVE, number=session.number + 1",
        "after = replace(session, phase=LIVE, opened_at=stamp, number=session.number + 1"),
    "a number is given twice": (
        "session", "after = replace(session, phase=phase, number=session.number + 1",
        "after = replace(session, phase=phase"),
    "a lagging status is believed": (
        "seeing", "at - session.decided_at <= rules.refresh", "False"),
    "blind for ever is the same session": (
        "blindness", "if now - known_until <= rules.blind_max:", "if True:"),
    "another key after blindness is a reconnect": (
        "blindness", "Doubt(unsure_from=unsure_from, settle_until", "Doubt(settle_until"),
    "a stop is assumed to be a loss": (
        "judgement", 'return "unknown"', 'return "lost"'),
    "a planned end is a loss": (
        "judgement", "abs(stopped_at - ends_at) <= end_slack", "False"),
    "grace is forgotten": (
        "seeing", "if session.phase is DROPPED and _grace_used(", "if False and _grace_used("),
    "one failure blinds": (
        "sight", "FAILURES_MAX = 2", "FAILURES_MAX = 1"),
    "hooks keep a room in sight": (
        "room", "any(feed.sees_room(self.external_id) for feed in self.telling)",
        "any(feed.sees for feed in self.feeds)"),
    "blind when any feed is": (
        "room", "any(feed.sees_room(self.external_id) for feed in self.telling)",
        "all(feed.sees for feed in self.telling)"),
    "a restart is not blind": (
        "watch", "room.session = blinded(session, room.blind_since(now)) if room.unseen else session",
        "room.session = session"),
    "a restart begins anew": (
        "watch", "room = self.muster.by_key.get(key) or self.muster.parked(key)", "room = self.muster.parked(key)"),
    "ticks are heard before sight returns": (
        "watch", "self._see_again(sight, at, heard)", "sight.back(at)"),
    "a clock step is not blind": (
        "watch", 'heard.spans += feed.blind("clock", now)', "pass"),
    "silent time uses up grace": (
        "watch", "for room in self.waiting:", "for room in self.rooms:"),
    "a sign-off is dated to when a person told of it": (
        "seeing", 'return closed(session, session.stop.at, "ended")',
        'return closed(session, session.decided_at, "ended")'),
    "a lost room is missed though a person knows": (
        "seeing", "(replace(session, phase=OFF) if session.phase is LOST else session)", "session"),
    "a late answer brings back the session before": (
        "seeing", "and tick.session_key == session.former_key:", "and False:"),
    "the session before is forgotten by the next tick": (
        "seeing", "        session.former_key,\n    ), NOTHING", "    ), NOTHING"),
    "keys that two feeds tell are not compared": (
        "seeing", "or session.key_feed in rules.key_feeds", "or False"),
    "a person ends what is on air": (
        "watch", "room.session.phase not in (DROPPED, LOST)", "False"),
}  # fmt: skip

TELLING = (
    "moving a / blind / 1 s / sight / live b",
    "moving a / gone / blind / grace / event live b / sight",
    "moving a / 1 s / blind / settle / sight / still a / stall / still a",
    "event moving a / blind / stall / event still a / sight",
    "moving a / stall / event moving a / moving a / event still a / moving a",
)


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(bug, tmp_path):
    module, right, wrong = BUGS[bug]
    broken = sabotaged(tmp_path, f"sabotaged_{list(BUGS).index(bug)}", module, right, wrong)
    with pytest.raises((AssertionError, TypeError)):
        prove(broken)


def test_the_same_proof_passes_without_a_bug():
    prove(machine())


def prove(subject):
    """Enough of the tests to catch every bug above, in a few seconds."""
    for guarantee in guarantees.ALL:
        guarantee(subject)
    for _ in scripts(3, FEW, subject, subject.Rules(), before=("moving a",)):
        pass
    for script in TELLING:
        compare(script.split(" / "), subject, subject.Rules(), ())
    play_dice(subject, range(300))

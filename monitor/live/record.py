"""What the watch writes down of a step: changes with the session after them, and ticks that cannot be understood."""

from datetime import datetime

import msgspec

from collectors.tick import Tick
from monitor.facts import Change, Quarantined
from monitor.live.room import Room
from monitor.live.session import Mark, Session, replace


def changed(room: Room, mark: Mark) -> Change:
    after = mark.after
    opened_at = after.opened_at or mark.at
    state = encoded(after)
    return Change(room.platform, room.external_id, opened_at, after.number, mark.change, mark.at, mark.cause, state)


def encoded(session: Session) -> bytes:
    try:
        return msgspec.msgpack.encode(session)
    except (UnicodeEncodeError, OverflowError):  # a key or a counter that nobody can write down: do without it
        plain = replace(session, key=None, key_feed=None, former_key=None, progress=None, progress_feed=None)
        return msgspec.msgpack.encode(plain)


def bad_tick(tick: Tick, error: Exception, now: datetime) -> Quarantined:
    sample = repr(tick).encode(errors="backslashreplace")
    return Quarantined(tick.feed, "tick", f"instant: {error}", now, sample.decode(), sample)

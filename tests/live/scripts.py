"""Short words for scripts of ticks, for the tests of the session machine."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.tick import Tick
from monitor.facts import Slot
from monitor.live.seeing import see, wait
from monitor.live.session import Mark, Rules, Session

NOON = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
RULES = Rules()
SESSION_KEYS = Rules(key_is_session=True)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def live(seconds: float, **more: Any) -> Tick:
    return Tick(**({"feed": "poll", "room": "live/小雪", "at": at(seconds), "evidence": "status", "live": True} | more))


def gone(seconds: float, **more: Any) -> Tick:
    return live(seconds, **({"live": False} | more))


def slot(from_s: float, to_s: float) -> Slot:
    return Slot(1, at(from_s), at(to_s))


def play(
    ticks: Sequence[Tick], session: Session | None = None, rules: Rules = RULES, slots: Sequence[Slot] = ()
) -> tuple[Session, list[Mark]]:
    """See these ticks one after the other, each at its own instant."""
    session, told = session or Session(), []
    for tick in ticks:
        session, marks = see(session, tick, tick.at, rules, slots)
        told += marks
    return session, told


def pass_time(
    session: Session, seconds: float, rules: Rules = RULES, slots: Sequence[Slot] = ()
) -> tuple[Session, list[Mark]]:
    session, marks = wait(session, at(seconds), rules, slots)
    return session, list(marks)


def story(marks: Sequence[Mark]) -> list[tuple[str, float, str]]:
    """What happened: change, seconds after noon, cause."""
    return [(mark.change, (mark.at - NOON).total_seconds(), mark.cause) for mark in marks]

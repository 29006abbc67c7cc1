"""Truth against PostgreSQL: one question of the whole rehearsal, and a verdict that a person can follow up."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ..event.play import Play
from .allowance import Rules
from .case import Case, Connection, opened
from .frame_checks import frame_checks
from .frames import watched
from .rooms import blindness_checks, quarantine_check, session_checks, sights, stop_checks
from .sales import sale_checks
from .verdict import Check, Verdict, counted

__all__ = ["Rules", "Verdict", "verify"]


def silent(line: str) -> None:
    """Nobody wants to know how far it is."""


async def verify(
    truth: Path,
    play: Play,
    conn: Connection,
    until: datetime,
    rules: Rules,
    say: Callable[[str], None] = silent,
) -> Verdict:
    """Compare what the play served and sold, up to `until`, with what a reader of the database finds.

    `truth` must have been flushed, and all that was told before `until` be written; livemon may have gone on since.
    `say` is told what is being compared. Raises what asyncpg and sqlite3 raise.
    """
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        case = await opened(truth, play, conn, until, rules, say)
        blind = await case.blind()
        seen = await watched(case, blind)
        sight = sights(case, seen)
        checks = [
            _roster(case),
            *frame_checks(case, seen),
            *await sale_checks(case, blind),
            *await stop_checks(case, sight),
            *blindness_checks(case, seen, blind),
            *await session_checks(case, sight),
            await quarantine_check(case, seen),
        ]
    return Verdict(tuple(checks))


def _roster(case: Case) -> Check:
    missing = [case.room(number) for number in case.feed_of if number not in case.room_ids]
    return counted("rooms of the roster", len(case.feed_of), len(case.room_ids), missing)

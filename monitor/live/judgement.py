"""Why a session is over: a stop is judged by its evidence and the schedule, never assumed. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from monitor.facts import CloseReason, Slot


def judge(
    cause: str,
    stopped_at: datetime,
    ran_out_at: datetime,
    could_tell: bool,
    slots: Sequence[Slot],
    end_slack: timedelta,
) -> CloseReason:
    """Grace ran out at `ran_out_at` for a stop at `stopped_at`: was that a sign-off, a loss, or can nobody say?

    `could_tell`: the source that saw the stop tells a sign-off when there is one, and it did not.
    """
    if cause == "failed":
        return "lost"
    if any(abs(stopped_at - ends_at) <= end_slack for ends_at in planned_ends(slots)):
        return "scheduled"
    if expected(slots, ran_out_at) or could_tell:
        return "lost"
    return "unknown"


def expected(slots: Sequence[Slot], at: datetime) -> bool:
    """Should the room be on air at this instant?"""
    return any(slot.starts_at <= at < slot.ends_at for slot in slots)


def planned_ends(slots: Sequence[Slot]) -> list[datetime]:
    """The instants at which a room may sign off: an end where the next slot follows at once is none."""
    return [slot.ends_at for slot in slots if not expected(slots, slot.ends_at)]


def loss_is_over(slots: Sequence[Slot], stopped_at: datetime, lost_at: datetime, now: datetime) -> bool:
    """A lost room is no longer missed once the slot in which it was lost has passed; without a slot it stays missed."""
    missed = [slot.ends_at for slot in slots if slot.starts_at <= lost_at and stopped_at < slot.ends_at]
    if not missed:
        return False
    ends_at = max(missed)
    while following := [slot.ends_at for slot in slots if slot.starts_at <= ends_at < slot.ends_at]:
        ends_at = max(following)  # slots that touch or overlap are one
    return now >= ends_at


def turns_at(slots: Sequence[Slot], now: datetime) -> datetime | None:
    """The next instant at which a slot begins or ends: until then `expected` need not be asked again."""
    return min((at for slot in slots for at in (slot.starts_at, slot.ends_at) if at > now), default=None)

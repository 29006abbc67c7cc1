"""The schedule in PostgreSQL: a file replaces the plan of the rooms it names, from its first broadcast on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import tzinfo

import msgspec

from monitor.facts import RosterRoom, Slot
from monitor.problem import ConfigError, Problem, quoted
from monitor.roster import read_rooms, read_slots
from monitor.roster_file import Key
from monitor.schedule_file import ListedSlot, local
from monitor.store.db import Connection
from monitor.store.statements import statement


class SchedulePlan(msgspec.Struct, frozen=True):
    """What an import does to the schedule. Slots that stay as they are are in neither list."""

    added: tuple[Slot, ...]
    removed: tuple[Slot, ...]
    unchanged: int
    rooms: int


async def import_slots(
    conn: Connection, listed: Sequence[ListedSlot], *, file: str, zone: tzinfo, dry_run: bool = False
) -> SchedulePlan:
    """Replace the slots of the rooms in the file that begin at or after its first start; ConfigError if it cannot be.

    What began earlier stays: it was the plan by which stops were judged. Rooms that the file does not name keep theirs.
    """
    async with conn.transaction():
        await conn.execute(statement("roster/lock"))
        rooms = {(room.platform, room.external_id): room for room in await read_rooms(conn)}
        plan = plan_schedule(listed, rooms, await read_slots(conn), file=file, zone=zone)
        if not dry_run and (plan.added or plan.removed):
            await conn.execute(statement("roster/remove_slots"), *_columns(plan.removed)[:2])
            await conn.execute(statement("roster/add_slots"), *_columns(plan.added))
            await conn.execute(statement("roster/bump"))
    return plan


def plan_schedule(
    listed: Sequence[ListedSlot], rooms: Mapping[Key, RosterRoom], present: Sequence[Slot], *, file: str, zone: tzinfo
) -> SchedulePlan:
    """Decide which slots go and come; a ConfigError names each line that fits no room or crosses what stays."""
    if not listed:
        return SchedulePlan((), (), 0, 0)
    first = min(slot.starts_at for slot in listed)
    present_of = defaultdict[int, list[Slot]](list)
    for slot in present:
        present_of[slot.room_id].append(slot)
    problems: list[Problem] = []
    wanted: set[Slot] = set()
    for row in listed:
        room = rooms.get(row.key)
        if room is None or not room.active:
            problems.append(_unknown(file, row, room))
            continue
        wanted.add(Slot(room.room_id, row.starts_at, row.ends_at))
        problems += [
            _crossing(file, row, slot, zone)
            for slot in present_of[room.room_id]
            if slot.starts_at < first and row.starts_at < slot.ends_at
        ]
    if problems:
        raise ConfigError(problems)
    room_ids = {slot.room_id for slot in wanted}
    there = {slot for number in room_ids for slot in present_of[number] if slot.starts_at >= first}
    added, removed = sorted(wanted - there, key=_place), sorted(there - wanted, key=_place)
    return SchedulePlan(tuple(added), tuple(removed), len(wanted & there), len(room_ids))


def _unknown(file: str, row: ListedSlot, room: RosterRoom | None) -> Problem:
    state = "is not in the roster" if room is None else "is retired from the roster"
    what = f"room {quoted(row.external_id)} of {row.platform} {state}"
    return Problem(file, row.line, what, "correct the id, or import the room with `livemon roster import` first")


def _crossing(file: str, row: ListedSlot, slot: Slot, zone: tzinfo) -> Problem:
    what = (
        f"overlaps with the broadcast that is planned from {local(slot.starts_at, zone)} to {local(slot.ends_at, zone)}"
    )
    return Problem(
        file, row.line, what, "that one began before this file does and stays; start later, or list it here too"
    )


def _place(slot: Slot) -> tuple[int, float]:
    return slot.room_id, slot.starts_at.timestamp()


def _columns(slots: Sequence[Slot]) -> tuple[list[int], list[object], list[object]]:
    return [s.room_id for s in slots], [s.starts_at for s in slots], [s.ends_at for s in slots]

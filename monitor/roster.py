"""The roster in PostgreSQL: read as a whole for the monitor, changed in one transaction by people, logged, undone."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from monitor.facts import RosterRoom, Slot
from monitor.problem import ConfigError, of_file, quoted
from monitor.roster_file import Listed, Meaningless, meaning, read_roster_file
from monitor.roster_plan import ROOMS_MAX, Plan, RosterFull, RosterRefused, plan_import, plan_undo, refuse
from monitor.store.db import Connection
from monitor.store.statements import statement
from monitor.table_file import read_bytes


class Outcome(msgspec.Struct, frozen=True):
    """What a change did, or would do. `change_id` None: nothing was written. `version` is the roster's afterwards."""

    plan: Plan
    change_id: int | None
    version: int


async def read_version(conn: Connection) -> int:
    """The number that moves with every change of roster or schedule: cheap to ask for, every few seconds."""
    version: int = await conn.fetchval(statement("roster/version"))
    return version


async def read_roster(conn: Connection) -> tuple[int, list[RosterRoom], list[Slot]]:
    """The version of the roster, all rooms that ever were in it, and all slots, as of one instant."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        version = await read_version(conn)
        rooms = await read_rooms(conn)
        slots = await read_slots(conn)
    return version, rooms, slots


async def fill_empty(conn: Connection, path: Path, rooms_max: int = ROOMS_MAX) -> Outcome | None:
    """Load a roster file into a database that never had a room; None if it had one. ConfigError says what is wrong."""
    if await read_rooms(conn):
        return None
    file = read_roster_file(read_bytes(path), str(path))
    if file.problems:
        raise ConfigError(file.problems)
    async with conn.transaction():
        await conn.execute(statement("roster/lock"))
        if await read_rooms(conn):  # somebody was faster
            return None
        plan = plan_import([], file.rooms)
        try:
            refuse(plan, rooms_max, yes=True)
        except RosterFull as error:
            raise of_file(path, error.what, error.todo) from error
        return await _save(conn, plan, "livemon run", "import", str(path))


async def import_rooms(
    conn: Connection,
    listed: Iterable[Listed],
    *,
    by_whom: str,
    source: str,
    replace: bool = False,
    yes: bool = False,
    dry_run: bool = False,
    rooms_max: int = ROOMS_MAX,
) -> Outcome:
    """Add and change rooms; with `replace` retire the others. RosterRefused: a limit, or `yes` is wanted first."""
    async with conn.transaction():
        await conn.execute(statement("roster/lock"))
        plan = plan_import(await read_rooms(conn), listed, replace)
        refuse(plan, rooms_max, yes or dry_run)
        return await _save(conn, plan, by_whom, "replace" if replace else "import", source, dry_run=dry_run)


async def undo(conn: Connection, *, by_whom: str, dry_run: bool = False) -> Outcome:
    """Take back the last change that is not yet taken back; RosterRefused if there is none."""
    async with conn.transaction():
        await conn.execute(statement("roster/lock"))
        last = await conn.fetchrow(statement("roster/last_change"))
        if last is None:
            raise RosterRefused("there is no change of the roster left to undo", "import a roster file instead")
        number: int = last["roster_change_id"]
        images = await conn.fetch(statement("roster/before_images"), number)
        before = {
            row["room_id"]: row["before"] and msgspec.json.decode(row["before"], type=RosterRoom) for row in images
        }
        plan = plan_undo(await read_rooms(conn), before)
        source = f"{last['action']} {number} of {last['source']} by {last['by_whom']}"
        return await _save(conn, plan, by_whom, "undo", source, undoes=number, dry_run=dry_run)


async def adopt(
    conn: Connection, feed: str, room: str, *, by_whom: str, dry_run: bool = False, rooms_max: int = ROOMS_MAX
) -> Outcome:
    """Take into the roster what a feed sees and the roster lacks; RosterRefused if the feed saw no such room.

    Ids of unlisted rooms come from strangers: one that a roster file may not hold is not taken in either.
    """
    try:
        if meaning("room", room) != room:
            raise RosterRefused(
                f"room {quoted(room)} begins or ends with a space", "let the publisher use another name"
            )
    except Meaningless as error:
        raise RosterRefused(f"room {error.what}", "let the publisher use another name") from error
    async with conn.transaction():
        await conn.execute(statement("roster/lock"))
        seen = await conn.fetchrow(statement("roster/unlisted"), feed, room)
        if seen is None:
            what = f"feed {quoted(feed)} saw no unlisted room {quoted(room)}"
            raise RosterRefused(what, 'livemon sql "SELECT * FROM room_unlisted" lists them all')
        listed = Listed(1, seen["platform"], room, {"hall": seen["hall"]} if seen["hall"] else {})
        plan = plan_import(await read_rooms(conn), [listed])
        refuse(plan, rooms_max, yes=True)
        return await _save(conn, plan, by_whom, "adopt", f"feed {feed}", dry_run=dry_run)


async def read_slots(conn: Connection) -> list[Slot]:
    """All planned broadcasts."""
    return [Slot(*row) for row in await conn.fetch(statement("roster/slots"))]


async def read_rooms(conn: Connection) -> list[RosterRoom]:
    """All rooms that ever were in the roster."""
    return [RosterRoom(*row) for row in await conn.fetch(statement("roster/rooms"))]


def _room(image: str | None) -> RosterRoom | None:
    return None if image is None else msgspec.json.decode(image, type=RosterRoom)


async def _save(
    conn: Connection,
    plan: Plan,
    by_whom: str,
    action: str,
    source: str,
    *,
    undoes: int | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Write what was planned, within the caller's transaction; a running monitor sees the new version and follows."""
    if dry_run:
        return Outcome(plan, None, await read_version(conn))
    moves = [
        {"before": move.before and msgspec.structs.asdict(move.before), "after": msgspec.structs.asdict(move.after)}
        for move in plan.moves
    ]
    counts = len(plan.added), len(plan.changed), len(plan.retired)
    text = msgspec.json.encode(moves).decode()
    saved = await conn.fetchrow(statement("roster/save_change"), by_whom, action, source, undoes, *counts, text)
    assert saved is not None  # noqa: S101 - one row of roster_version is always there
    await conn.execute(statement("roster/forget_unlisted"))
    return Outcome(plan, saved["roster_change_id"], saved["version"])

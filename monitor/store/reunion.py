"""What happens at each connect, before the first batch: the spool and the database agree on what was, or nothing goes.

Our own earlier backends are ended first: one that hangs in a black hole still holds its batch's key, and until it is
gone no look-up is an answer. Then the database must be of our schema and not behind an older copy of this spool, get
back rooms it lacks, and is asked for every batch whose bytes we still have: what it lost is offered again.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

from monitor.facts import RosterRoom
from monitor.store.apply import Connection
from monitor.store.books import Ref
from monitor.store.disk import SpoolUnreadable
from monitor.store.spool import Spool
from monitor.store.statements import statement

log = logging.getLogger(__name__)
GONE_S_MAX = 10.0
CHUNK = 10_000


class Held(Exception):
    """All batches wait, until a person has looked: the database contradicts what we know."""


class Call(Protocol):
    async def __call__[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T: ...


def application_name(spool_id: UUID) -> str:
    """By this name a backend is known as ours: the spool's lock makes us its only owner."""
    return f"livemon-{spool_id.hex}"


async def reunite(conn: Connection, spool: Spool, call: Call) -> list[Ref]:
    """Returns the batches to be sent once more. Raises Held, SpoolUnreadable, and what PostgreSQL raises."""
    await end_own_backends(conn, application_name(spool.id))
    newest = await conn.fetchrow(statement("writer/newest_batch"), spool.id)
    if newest is not None and not await call(spool.sealed, newest["seq"], newest["batch_id"]):
        raise SpoolUnreadable(
            f"{spool.path} is an older copy of itself: PostgreSQL already holds a batch {newest['seq']} that is not in "
            "it. Put the newer file back, or move this folder away and start with a new spool; sessions are then read "
            "from PostgreSQL"
        )
    await _give_back_rooms(conn, (await call(spool.roster))[1])
    return await _offer_again(conn, spool, call)


async def end_own_backends(conn: Connection, name: str) -> None:
    """Terminate every other backend of this spool and wait until they are gone."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + GONE_S_MAX
    while await conn.fetchval(statement("writer/end_own_backends"), name):
        if loop.time() > deadline:
            raise Held("an earlier backend of ours does not end; nothing is sent while it may hold a batch")
        await asyncio.sleep(0.05)


async def _give_back_rooms(conn: Connection, rooms: Sequence[RosterRoom]) -> None:
    if not rooms:
        return
    ids, platforms, externals = (
        [room.room_id for room in rooms], [room.platform for room in rooms], [room.external_id for room in rooms],
    )  # fmt: skip
    wrong = await conn.fetch(statement("writer/mirror_contradictions"), ids, platforms, externals)
    if wrong:
        first = wrong[0]
        raise Held(
            f"room {first['platform']}/{first['external_id']} has id {first['ours']} in the spool and {first['theirs']}"
            " in the database: is this another event's database? Nothing is written until they agree"
        )
    columns: list[list[Any]] = [
        [getattr(room, name) for room in rooms]
        for name in ("anchor", "broadcaster", "hall", "city", "category", "tier", "fans", "shop", "account", "contact",
                     "notes", "active")
    ]  # fmt: skip
    back = await conn.fetch(statement("writer/mirror_rooms"), ids, platforms, externals, *columns)
    if back:
        log.warning("the database lacked %d rooms that the spool knows; they are back with their ids", len(back))
    await conn.execute(statement("writer/advance_room_ids"))


async def _offer_again(conn: Connection, spool: Spool, call: Call) -> list[Ref]:
    """Ask for all batches whose bytes are kept; beyond them, back in time until the database lacks none of a chunk."""
    missing: list[int] = []
    before = sys.maxsize
    while chunk := await call(spool.applied_before, before, CHUNK):
        before = chunk[-1][0]
        rows = await conn.fetch(statement("writer/missing_batches"), [batch_id for _, batch_id, _ in chunk])
        gone = {row["batch_id"] for row in rows}
        missing += [seq for seq, batch_id, _ in chunk if batch_id in gone]
        if not gone and not any(kept for _, _, kept in chunk):
            break
    if not missing:
        return []
    again = await call(spool.offer_again, missing)
    log.error(
        "the database lost %d batches that it had taken: %d are sent again, %d are beyond the retention and lost",
        len(missing), len(again), len(missing) - len(again),
    )  # fmt: skip
    return again

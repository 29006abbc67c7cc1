"""Ends what readers of the database do for too long, whatever timeouts they set themselves."""

from datetime import timedelta

from monitor.store.apply import Connection
from monitor.store.statements import statement

READERS = ("livemon_reader", "livemon_hall")
QUERY_MAX = timedelta(minutes=5)  # ten times what their logins allow themselves: only who raised that meets it


async def cut_readers(conn: Connection, longest: timedelta = QUERY_MAX) -> int:
    """How many sessions were ended that computed, or slept inside a transaction, for longer than that.

    On the writer's connection, outside a transaction. A login that may not act as a reader (sql/roles.sql was run
    before this release) leaves that reader alone; the doctor says so. Raises what PostgreSQL raises.
    """
    cut = 0
    for role in READERS:
        async with conn.transaction():
            if await conn.fetchval(statement("chores/may_act_as"), role):
                await conn.execute(statement("chores/act_as"), role)
                cut += int(await conn.fetchval(statement("chores/cut_readers"), longest))
    return cut

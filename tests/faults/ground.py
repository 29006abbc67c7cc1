"""The ground of the fault tests: rooms and days that are ready, a line through the proxy, the wait until all is in."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

import asyncpg

from monitor.facts import RosterRoom
from monitor.store.books import Standing
from monitor.store.statements import statement
from monitor.store.store import Store
from tests.faults.proxy import FaultProxy
from tests.store.way import add_rooms, settled

COPY = b"FROM STDIN"
COMMIT = b"COMMIT;"


async def rooms_and_days(database, count: int) -> list[RosterRoom]:
    """So many rooms, and the partitions that a tick of now needs."""
    rooms = await add_rooms(database, count)
    conn = await database.connect("writer")
    await conn.fetchrow(statement("writer/ensure_days_ahead"))
    await conn.close()
    return rooms


def proxied(database) -> FaultProxy:
    return FaultProxy(f"{database.server.socket}/.s.PGSQL.5432")


def through(proxy: FaultProxy, database) -> Callable[[str], Awaitable[asyncpg.Connection]]:
    """Connect as the writer does, by way of the proxy."""
    login = f"livemon_writer:{quote(database.server.password('livemon_writer'))}"
    dsn = f"postgresql://{login}@127.0.0.1:{proxy.port}/{database.name}?sslmode=disable"

    async def connect(name: str) -> asyncpg.Connection:
        return await asyncpg.connect(dsn, server_settings={"application_name": name}, command_timeout=20, timeout=1)

    return connect


async def slow_down(database, seconds: float) -> None:
    """Each COPY of ticks takes so much longer."""
    conn = await database.connect("postgres")
    await conn.execute(
        f"CREATE FUNCTION livemon.slow() RETURNS trigger LANGUAGE plpgsql AS"
        f" 'BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END';"
        "CREATE TRIGGER slow BEFORE INSERT ON livemon.tick_raw FOR EACH STATEMENT EXECUTE FUNCTION livemon.slow()"
    )
    await conn.close()


async def drained(store: Store, seconds: float = 20.0) -> Standing:
    await settled(store, seconds)
    return store.sealer.standing

"""Whose database and whose data folder these are: what is another's is refused before anything is written."""

from contextlib import suppress
from pathlib import Path

import asyncpg

from monitor.config import Config
from monitor.problem import of_file
from monitor.purpose import born_for
from monitor.store.db import Connection, Database, DatabaseError
from monitor.store.migrate import Birth
from monitor.store.spool_file import purpose_of
from monitor.store.statements import statement
from monitor.zone import in_postgresql


def birth_of(config: Config) -> Birth:
    """What a database of this config is born with, and never changes."""
    return Birth(in_postgresql(config.timezone), config.event_currency, config.purpose)


async def recognise(conn: Connection, config: Config, path: Path) -> None:
    """Raises ConfigError for a database that is another's. Of one without our schema PostgreSQL's own error comes."""
    if (told := birth_of(config).differs(await conn.fetchrow(statement("chores/setting")))) is not None:
        raise of_file(path, *told)


def recognise_folder(config: Config, path: Path) -> None:
    """Raises ConfigError where `data_dir` holds a spool that is for the other purpose."""
    folder = config.data_dir / "spool"
    born = purpose_of(folder)
    if born is not None and born != config.purpose:
        raise of_file(path, f"the spool in {folder} {born_for(born, config.purpose)}", "give this one its own data_dir")


async def recognise_embedded(config: Config, path: Path) -> None:
    """Raises ConfigError where an embedded database that is another's stands in a data_dir that has no spool yet.

    Else a spool would be born beside it, before the database is there to ask, and would then be in the way of whom the
    data_dir belongs to. What cannot be asked now is asked at the first connect.
    """
    from monitor.store.cluster import Cluster  # not at the top: it needs what Windows does not have

    database = Database.of(config)
    if not database.embedded or (config.data_dir / "spool" / "spool.db").exists():
        return
    if not Cluster(config.data_dir).home.exists():
        return
    with suppress(DatabaseError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        async with database.reachable():
            conn = await database.connect("writer", "livemon run")
            try:
                await recognise(conn, config, path)
            finally:
                await conn.close()

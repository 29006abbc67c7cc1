"""Whose database and whose data folder these are: what is another's is refused before anything is written."""

from pathlib import Path

from monitor.config import Config
from monitor.problem import of_file
from monitor.purpose import born_for
from monitor.store.db import Connection
from monitor.store.migrate import Birth
from monitor.store.spool_file import purpose_of
from monitor.store.statements import statement
from monitor.zone import in_postgresql

type Told = tuple[str, str]


def birth_of(config: Config) -> Birth:
    """What a database of this config is born with, and never changes."""
    return Birth(in_postgresql(config.timezone), config.event_currency, config.purpose)


async def stranger(conn: Connection, config: Config) -> Told | None:
    """What shows that this database is another's, and what to do; None if it is ours."""
    return birth_of(config).differs(await conn.fetchrow(statement("chores/setting")))


async def recognise(conn: Connection, config: Config, path: Path) -> None:
    """Raises ConfigError for a database that is another's. Of one without our schema PostgreSQL's own error comes."""
    if (told := await stranger(conn, config)) is not None:
        raise of_file(path, *told)


def recognise_folder(config: Config, path: Path) -> None:
    """Raises ConfigError where `data_dir` holds a spool that is for the other purpose."""
    folder = config.data_dir / "spool"
    born = purpose_of(folder)
    if born is not None and born != config.purpose:
        raise of_file(path, f"the spool in {folder} {born_for(born, config.purpose)}", "give this one its own data_dir")

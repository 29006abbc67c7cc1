"""Brings a database to the schema that this release needs: numbered migrations forward, then views and grants anew."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import asyncpg
import msgspec

from monitor.purpose import EVENT, Purpose, born_for
from monitor.zone import as_written

SQL = Path(__file__).resolve().parents[2] / "sql"
VIEWS = 0  # the ledger's number for views and grants

type Connection = asyncpg.Connection[asyncpg.Record]


class MigrationError(Exception):
    """The database was left as it was (or as the last whole migration left it); the message says why."""


class BornDifferent(MigrationError):
    """The database was made for another purpose, zone or currency than the config asks for: exit code 2."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what}: {todo}")
        self.what, self.todo = what, todo


class Birth(msgspec.Struct, frozen=True):
    """What the first migration fixes for the life of a database."""

    timezone: str  # as PostgreSQL takes it: monitor.zone.in_postgresql
    currency: str
    purpose: Purpose = EVENT

    def differs(self, born: asyncpg.Record | None) -> tuple[str, str] | None:
        """What is different and what to do, if a database that was born so is not ours. `born` by our field names."""
        if born is None:
            return "livemon.setting has no row", "this database has been tampered with: restore it, or use another"
        if born["purpose"] != self.purpose:
            what = f"this database {born_for(born['purpose'], self.purpose)}"
            return what, "give this one a database (or data_dir) of its own"
        for name, asked, put in (("timezone", self.timezone, as_written), ("currency", self.currency, str)):
            if born[name] != asked:
                what = f"this database was born with {name} {put(born[name])!r}, which never changes"
                what += f", and {put(asked)!r} is asked for"
                return what, "use the old value, or another database (or data_dir)"
        return None


class Outcome(msgspec.Struct, frozen=True):
    applied: list[str]  # names of the migrations that ran now
    views: bool  # whether views and grants were applied anew
    version: int


class _File(NamedTuple):
    number: int
    name: str
    text: str
    sha256: str


def version_needed(folder: Path = SQL) -> int:
    """The schema that this release's code is written for."""
    return max((file.number for file in _migrations(folder)), default=0)


async def schema_version(connection: Connection) -> int:
    """The last migration that this database has; 0 before the first."""
    if not await connection.fetchval(_sql("has_ledger")):
        return 0
    return int(await connection.fetchval(_sql("version")))


async def migrate(connection: Connection, birth: Birth, *, folder: Path = SQL, views_always: bool = True) -> Outcome:
    """Apply what is missing, as livemon_owner. A second run changes nothing but the views, which it makes anew.

    `views_always=False` leaves them alone while their files are what was applied last: readers are not disturbed.
    """
    await _become_owner(connection)
    if await schema_version(connection):
        await _same_birth(connection, birth)  # before anything is done to what is another's
    async with connection.transaction():
        await connection.execute(_sql("begin"))
        await connection.execute(_sql("ledger"))
    files = _migrations(folder)
    applied = []
    for file in files:
        if await _apply(connection, file, files, birth):
            applied.append(file.name)
    await _same_birth(connection, birth)
    views = await _apply_views(connection, folder, always=views_always)
    return Outcome(applied, views, await schema_version(connection))


async def _become_owner(connection: Connection) -> None:
    """Whatever login this is (the owner's, or an administrator's), what it makes shall belong to livemon_owner."""
    may_own = await connection.fetchval(_sql("may_own"))
    if may_own is None or not await connection.fetchval(_sql("has_schema")):
        raise MigrationError(
            "this database has no livemon roles or schema: let an administrator run `psql -f sql/roles.sql` on it once"
        )
    if not may_own:
        raise MigrationError("this login may not act as livemon_owner: set migrate_dsn to the login of livemon_owner")
    await connection.execute(_sql("become_owner"))


async def _apply(connection: Connection, file: _File, known: list[_File], birth: Birth) -> bool:
    """One migration, whole or not at all. The ledger is read under the lock: another runner may have been first."""
    async with connection.transaction():
        await connection.execute(_sql("begin"))
        done = {row["number"]: row for row in await connection.fetch(_sql("applied")) if row["number"] != VIEWS}
        if done and max(done) > known[-1].number:
            raise MigrationError(
                f"this database has migration {done[max(done)]['name']}, this release knows {known[-1].name} at most: "
                "a newer livemon was here, use that one"
            )
        if file.number in done:
            if done[file.number]["sha256"] != file.sha256:
                raise MigrationError(f"{file.name} has been changed after it was applied here: write a new migration")
            return False
        if done and max(done) > file.number:
            raise MigrationError(f"{file.name} is missing here, though {done[max(done)]['name']} after it is applied")
        if not await connection.fetchval(_sql("known_timezone"), birth.timezone):
            what = f"PostgreSQL does not know the timezone {as_written(birth.timezone)!r}"
            raise BornDifferent(what, "use another, or a PostgreSQL with the same time zones")
        await connection.fetchrow(_sql("born"), birth.purpose, birth.timezone, birth.currency)
        await _execute(connection, f"{file.name}.sql", file.text)
        await connection.execute(_sql("record"), file.number, file.name, file.sha256)
    return True


async def _same_birth(connection: Connection, birth: Birth) -> None:
    if (told := birth.differs(await connection.fetchrow(_sql("birth")))) is not None:
        raise BornDifferent(*told)


async def _apply_views(connection: Connection, folder: Path, *, always: bool) -> bool:
    paths = [*sorted((folder / "views").glob("*.sql")), *(p for p in [folder / "grants.sql"] if p.exists())]
    texts = [path.read_text() for path in paths]
    sha256 = hashlib.sha256("\0".join([*(path.name for path in paths), *texts]).encode()).hexdigest()
    async with connection.transaction():
        await connection.execute(_sql("begin"))
        last = {row["number"]: row["sha256"] for row in await connection.fetch(_sql("applied"))}
        if last.get(VIEWS) == sha256 and not always:
            return False
        await _execute(connection, "drop_views.sql", _sql("drop_views"))
        for path, text in zip(paths, texts, strict=True):
            await _execute(connection, path.name, text)
        await connection.execute(_sql("record"), VIEWS, "views and grants", sha256)
    return True


async def _execute(connection: Connection, name: str, text: str) -> None:
    try:
        await connection.execute(text)
    except asyncpg.DependentObjectsStillExistError as error:
        raise MigrationError(f"{error.detail}: drop what is not ours, migrate, and make it again") from error
    except asyncpg.PostgresError as error:
        line = "" if error.position is None else f":{text.count('\n', 0, int(error.position) - 1) + 1}"
        parts = (f"{name}{line}: {error.message}", error.detail, error.hint, error.context)
        raise MigrationError("\n".join(str(part) for part in parts if part)) from error


def _migrations(folder: Path) -> list[_File]:
    files = []
    for path in sorted((folder / "migrations").glob("[0-9]*.sql")):
        text = path.read_text()
        files.append(_File(int(path.name.split("_")[0]), path.stem, text, hashlib.sha256(text.encode()).hexdigest()))
    if [file.number for file in files] != list(range(1, len(files) + 1)):
        raise MigrationError(f"the migrations under {folder} are not numbered 1, 2, ... without a hole")
    return files


def _sql(name: str) -> str:
    return (SQL / "migrate" / f"{name}.sql").read_text()

"""The database: can it be reached, is its schema ours and new enough, may our logins do what they must?"""

from datetime import datetime, timedelta

import asyncpg
import msgspec

from monitor.birth import birth_of
from monitor.config import Config
from monitor.doctor.accounts import judge_accounts
from monitor.doctor.finding import Finding, fine, note, wrong
from monitor.doctor.readers import judge_readers
from monitor.facts import RosterRoom
from monitor.live.clock import wall_time
from monitor.reader_limits import READERS
from monitor.roster import read_rooms
from monitor.secret import SecretError
from monitor.store.cluster import Cluster
from monitor.store.db import Connection, Database, DatabaseError, Role
from monitor.store.migrate import schema_version, version_needed
from monitor.store.statements import statement

OLDEST = 15
FAILURES = (DatabaseError, SecretError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Found(msgspec.Struct):
    """All findings, and what other checks go on with. `clock_s`: by how much the server's clock is ahead of ours.

    `refused`: why nothing here is ours to ask, and what to do.
    """

    findings: list[Finding] = []
    rooms: list[RosterRoom] = []
    clock_s: float | None = None
    refused: tuple[str, str] | None = None


async def check_database(config: Config) -> Found:
    """Ask it all there is to ask; whatever fails is a finding."""
    found, database = Found(), Database.of(config)
    if database.embedded and not Cluster(config.data_dir).home.exists():
        found.findings.append(note("database", "the embedded PostgreSQL is made at the first `livemon run`"))
        return found
    try:
        conn = await database.connect("writer", "livemon doctor", command_timeout=10.0)
    except DatabaseError as error:
        if database.embedded:
            found.findings.append(note("database", str(error), "start `livemon run`; it brings it along"))
            return found
        found.findings.append(_unreachable("database", "dsn", error))
        return found
    except FAILURES as error:
        found.findings.append(_unreachable("database", "dsn", error))
        return found
    try:
        await _ask(conn, config, database, found)
    except FAILURES as error:
        found.findings.append(wrong("database", _words(error), "look into the server's log"))
    finally:
        conn.terminate()
    if not database.embedded:
        found.findings += await _others(database)
    return found


async def _ask(conn: Connection, config: Config, database: Database, found: Found) -> None:
    asked_at = wall_time()
    row = await conn.fetchrow(statement("doctor/server"))
    assert row is not None  # noqa: S101 - one row always comes
    found.clock_s = _ahead_s(row["now"], asked_at, wall_time())
    found.findings.append(judge_server(row["version"], row["number"], safe=row["safe"], standby=row["standby"]))
    found.findings.append(judge_roles(row["missing_roles"], superuser=row["superuser"]))
    if row["migrated"] and not row["writes"]:
        found.findings.append(wrong("rights", "the login of dsn may not write", "use livemon_writer"))
        return
    has = await schema_version(conn) if row["migrated"] else 0
    schema = judge_schema(has, version_needed(), embedded=database.embedded)
    found.findings.append(schema)
    if schema.state != "fine":
        return
    missing = [row["missing"] for row in await conn.fetch(statement("doctor/rights"))]
    if missing:
        what = f"the login of dsn lacks {', '.join(missing)}"
        found.findings.append(wrong("rights", what, "use livemon_writer, or run `livemon migrate`, which grants anew"))
    born = await conn.fetchrow(statement("chores/setting"))
    if born is not None and born["purpose"] != config.purpose:
        found.refused = birth_of(config).differs(born)
        return
    found.findings.append(judge_birth(born, config))
    unbound = [(row["role"], row["what"], row["super"]) for row in await conn.fetch(statement("doctor/readers"))]
    cuts = [role for role in READERS if await conn.fetchval(statement("chores/may_act_as"), role)]
    found.findings += judge_readers(unbound, cuts)
    found.rooms = await read_rooms(conn)
    stands = await conn.fetch(statement("doctor/accounts"))
    found.findings += judge_accounts([(row[0], row[1], row[2], row[3] or ()) for row in stands])


async def _others(database: Database) -> list[Finding]:
    """The logins beside the writer's, where the config names any."""
    logins: list[tuple[Role, str | None, str]] = [
        ("owner", database.migrate_dsn, "migrate_dsn"),
        ("reader", database.reader_dsn, "reader_dsn"),
    ]
    findings = []
    for role, dsn, key in logins:
        if dsn is None:
            continue
        try:
            conn = await database.connect(role, "livemon doctor", command_timeout=10.0)
            conn.terminate()
        except FAILURES as error:
            findings.append(_unreachable(key, key, error))
        else:
            findings.append(fine(key, "it lets us in"))
    return findings


def judge_server(version: str, number: int, *, safe: bool, standby: bool) -> Finding:
    """Of PostgreSQL itself."""
    if number < OLDEST * 10_000:
        return wrong("database", f"PostgreSQL {version}", f"livemon needs {OLDEST} or later")
    if standby:
        return wrong("database", f"PostgreSQL {version} is a standby: it takes no rows", "let dsn name the primary")
    if not safe:
        what = f"PostgreSQL {version} runs with fsync or full_page_writes off: a power cut loses what it acknowledged"
        return wrong("database", what, "set both to on and restart it")
    return fine("database", f"PostgreSQL {version} answers")


def judge_roles(missing: list[str], *, superuser: bool) -> Finding:
    if missing:
        what = f"the server has no {', '.join(missing)}"
        return wrong("roles", what, "let an administrator run `psql -d livemon -f sql/roles.sql` once")
    if superuser:
        return wrong(
            "roles", "the login of dsn is a superuser", "use livemon_writer: it can do what it needs, and no more"
        )
    return fine("roles", "all four are there, and ours is no superuser")


def judge_schema(has: int, needed: int, *, embedded: bool) -> Finding:
    if has == needed:
        return fine("schema", f"at {has}, as this release needs it")
    if has > needed:
        return wrong(
            "schema", f"at {has}, and this release knows {needed} at most", "use the newer livemon that was here"
        )
    if embedded:
        return note("schema", f"at {has}; the next `livemon run` brings it to {needed}")
    return wrong("schema", f"at {has}, and this release needs {needed}", "run `livemon migrate`")


def judge_birth(born: asyncpg.Record | None, config: Config) -> Finding:
    if (told := birth_of(config).differs(born)) is not None:
        return wrong("event", *told)
    return fine(config.purpose, f"born for {config.timezone} and {config.event_currency}, as the config says")


def _ahead_s(theirs: datetime, before: datetime, after: datetime) -> float:
    return (theirs - (before + (after - before) / 2)) / timedelta(seconds=1)


def _unreachable(name: str, key: str, error: BaseException) -> Finding:
    return wrong(
        name, f"cannot be reached: {_words(error)}", f"check {key}, its password file, and the way to the server"
    )


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__

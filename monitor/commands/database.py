"""Opens the database for the duration of one command, embedded or not, and says in a line why it cannot."""

import argparse
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from monitor import config, problem
from monitor.birth import birth_of, recognise, recognise_folder
from monitor.commands import CommandError, load_config
from monitor.config import Config
from monitor.store.db import Connection, Database, DatabaseError, Role
from monitor.store.migrate import BornDifferent, MigrationError, migrate

# What PostgreSQL says where the roles are there and the schema, or this release's part of it, is not.
NOT_MIGRATED = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.InsufficientPrivilegeError)


def person(by: str | None) -> str:
    """Who does this: the name given, else the login's."""
    return by or os.environ.get("USER") or os.environ.get("LOGNAME") or f"uid {os.getuid()}"


def own_config(args: argparse.Namespace) -> Config:
    """The config that the arguments name, if what is in its data_dir is for the same purpose; else ConfigError."""
    configured = load_config(args)
    recognise_folder(configured, config.find(args.config))
    return configured


@asynccontextmanager
async def connected(args: argparse.Namespace, role: Role, application_name: str) -> AsyncIterator[Connection]:
    """A connection as the config says. The embedded server is first brought to the schema of this release.

    Raises ConfigError for a database, or a spool beside it, that is another's.
    """
    configured = own_config(args)
    database = Database.of(configured)
    try:
        async with database.reachable():
            if database.embedded:
                await _migrate(database, configured)
            connection = await database.connect(role, application_name)
            try:
                await recognise(connection, configured, config.find(args.config))
                yield connection
            finally:
                await connection.close()
    except NOT_MIGRATED as error:
        raise CommandError(f"livemon: {error}: run `livemon migrate`, which brings the schema up to date") from error
    except BornDifferent as error:
        raise problem.of_file(config.find(args.config), error.what, error.todo) from error
    except (DatabaseError, MigrationError) as error:
        raise CommandError(f"livemon: {error}") from error


async def _migrate(database: Database, configured: Config) -> None:
    owner = await database.connect("owner", "livemon migrate")
    try:
        await migrate(owner, birth_of(configured), views_always=False)
    finally:
        await owner.close()

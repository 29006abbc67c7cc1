"""`livemon migrate`: bring the schema up to date; a second run changes nothing."""

import argparse
import asyncio
from typing import TYPE_CHECKING

from monitor import config, problem
from monitor.birth import birth_of
from monitor.commands import CommandError, add_config_option
from monitor.commands.database import own_config
from monitor.config import Config
from monitor.store.db import Database, DatabaseError
from monitor.store.migrate import BornDifferent, MigrationError, Outcome, migrate

if TYPE_CHECKING:
    from monitor.commands import Commands

EXAMPLES = """\
examples:
  livemon migrate                  before the first start on an outside database, and after each update

On an outside database an administrator first runs `psql -d livemon -f sql/roles.sql`, once, and migrate_dsn is the
login of livemon_owner. The embedded PostgreSQL needs neither; `livemon run` migrates it by itself.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "migrate",
        help="bring the schema up to date",
        description="Applies the migrations that are missing, each whole or not at all, then the views and the "
        "grants.\nRunning it again changes nothing. "
        "Exit code 2 if the database was made for another purpose, timezone or currency.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    configured = own_config(args)
    try:
        outcome = asyncio.run(_migrate(configured))
    except BornDifferent as error:
        raise problem.of_file(config.find(args.config), error.what, error.todo) from error
    except (DatabaseError, MigrationError) as error:
        raise CommandError(f"livemon: {error}") from error
    for name in outcome.applied:
        print(f"applied {name}")
    print(f"views and grants made anew; the schema is at {outcome.version}")
    return 0


async def _migrate(configured: Config) -> Outcome:
    database = Database.of(configured)
    async with database.reachable():
        connection = await database.connect("owner", "livemon migrate")
        try:
            return await migrate(connection, birth_of(configured))
        finally:
            await connection.close()

"""`livemon dsn`: the address of the database in force."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from monitor.commands import CommandError, add_config_option, load_config
from monitor.store.db import Database, DatabaseError, Login, Role

if TYPE_CHECKING:
    from monitor.commands import Commands

EXAMPLES = """\
examples:
  livemon dsn                                       whose database is used, without the password
  psql "$(livemon dsn --show --role reader)"        a shell of your own, while `livemon run` runs
  pg_dump -Fc -f week.dump -d "$(livemon dsn --show --role owner)"
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "dsn",
        help="the address of the database in force",
        description="Prints the DSN of a role, with *** for the password unless --show is given.\n"
        "The embedded PostgreSQL listens on a socket of this machine, and only while a livemon command uses it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("--show", action="store_true", help="print the password, too")
    parser.add_argument(
        "--role", choices=("owner", "writer", "reader"), default="writer", help="whose login (left out: the writer's)"
    )


def run(args: argparse.Namespace) -> int:
    database = Database.of(load_config(args))
    try:
        login, stays = asyncio.run(_login(database, args.role))
    except DatabaseError as error:
        raise CommandError(f"livemon: {error}") from error
    print(login.shown(password=args.show))
    if login.as_reader:
        print("no reader_dsn: this is the writer's login; SET ROLE livemon_reader before you read", file=sys.stderr)
    if not stays:
        print("the embedded PostgreSQL is not running now; it does while `livemon run` does", file=sys.stderr)
    return 0


async def _login(database: Database, role: Role) -> tuple[Login, bool]:
    """The login, and whether its server stays up when we are gone."""
    async with database.reachable() as server:
        return database.login(role), server is None or server.guardian is None

"""The evening in a database that many tests ask, one of a test's own to add to, and an empty one."""

from collections.abc import AsyncIterator, Iterator

import pytest

from monitor.store import embedded
from tests.history.questions.market_evening import Market, play
from tests.postgres import TEMPLATE, FreshDatabase, _fresh, elsewhere
from tests.sql.conftest import stage
from tests.sql.stage import Sql, Stage

__all__ = ["stage"]


@pytest.fixture(scope="session")
def market_database(postgres: embedded.Server) -> Iterator[FreshDatabase]:
    for database in _fresh(postgres, TEMPLATE):
        elsewhere(_played(database))
        yield database


async def _played(database: FreshDatabase) -> None:
    sql = await database.connect("writer")
    await play(Stage(sql))
    await sql.close()


@pytest.fixture
async def evening_reader(market_database: FreshDatabase) -> AsyncIterator[Sql]:
    sql = await market_database.connect("reader")
    yield sql
    await sql.close()


@pytest.fixture
async def market(writer: Sql) -> Market:
    return await play(Stage(writer))

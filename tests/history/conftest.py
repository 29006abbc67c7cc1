"""The story, told and rolled once and copied for each test, and connections to it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from monitor.store import embedded
from tests.history.story import Story, roll, tell
from tests.postgres import TEMPLATE, FreshDatabase, _fresh, elsewhere
from tests.sql.stage import Sql


@pytest.fixture(scope="session")
def told(postgres: embedded.Server) -> Iterator[tuple[str, Story]]:
    """The name of a database that holds the story, and the story."""
    for database in _fresh(postgres, TEMPLATE):
        yield database.name, elsewhere(_told(database))


@pytest.fixture
def story(told: tuple[str, Story]) -> Story:
    return told[1]


@pytest.fixture
def story_database(postgres: embedded.Server, told: tuple[str, Story]) -> Iterator[FreshDatabase]:
    """A copy of the story of one's own."""
    yield from _fresh(postgres, told[0])


@pytest.fixture
async def story_writer(story_database: FreshDatabase) -> AsyncIterator[Sql]:
    sql = await story_database.connect("writer")
    yield sql
    await sql.close()


@pytest.fixture
async def story_reader(story_database: FreshDatabase) -> AsyncIterator[Sql]:
    sql = await story_database.connect("reader")
    yield sql
    await sql.close()


async def _told(database: FreshDatabase) -> Story:
    sql = await database.connect("writer")
    try:
        story = await tell(sql)
        await roll(sql)
        return story
    finally:
        await sql.close()

"""The story, told and rolled once and copied for each test, connections to it, and where a command exports to."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from monitor.store import embedded
from tests.history.outside import configured
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


@pytest.fixture
def config(database: FreshDatabase, tmp_path: Path) -> str:
    """The config file of an outside database."""
    settings = tmp_path / "settings"
    settings.mkdir()
    return str(configured(database, settings))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


async def _told(database: FreshDatabase) -> Story:
    sql = await database.connect("writer")
    try:
        story = await tell(sql)
        await roll(sql)
        return story
    finally:
        await sql.close()

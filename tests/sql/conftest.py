"""A fresh database with its stage, and connections of the roles that read."""

from collections.abc import AsyncIterator

import pytest

from tests.postgres import FreshDatabase
from tests.sql.stage import Sql, Stage


@pytest.fixture
async def stage(database: FreshDatabase) -> AsyncIterator[Stage]:
    sql = await database.connect("writer")
    built = Stage(sql)
    await built.ready()
    yield built
    await sql.close()


@pytest.fixture
async def reader(database: FreshDatabase) -> AsyncIterator[Sql]:
    sql = await database.connect("reader")
    yield sql
    await sql.close()


@pytest.fixture
async def hall(database: FreshDatabase) -> AsyncIterator[Sql]:
    sql = await database.connect("hall")
    yield sql
    await sql.close()

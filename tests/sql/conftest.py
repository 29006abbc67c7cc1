"""A fresh database with its stage."""

import pytest

from tests.sql.stage import Sql, Stage


@pytest.fixture
async def stage(writer: Sql) -> Stage:
    built = Stage(writer)
    await built.ready()
    return built

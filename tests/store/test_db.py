"""Every connection: its login, its settings, and what a person's own SQL can and cannot do."""

import asyncpg
import pytest

from tests.postgres import FreshDatabase

pytestmark = pytest.mark.real


async def test_fresh(database: FreshDatabase) -> None:
    connection = await database.connect("owner")
    assert await connection.fetchval("SELECT count(*) FROM room") == 0
    await connection.close()

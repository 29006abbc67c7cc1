"""One evening for all tests that look at boards while everything runs, and every board drawn once before it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boards.draw import Drawn, drawing, paths
from tests.boards.drawn.build import built
from tests.boards.running import Evening, running
from tests.postgres import elsewhere


@pytest.fixture(scope="package")  # it is over with the last of these tests: it plays a whole event
def busy_evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    """About 100 s until all has happened; in that time the page is built."""
    folder: Path = tmp_path_factory.mktemp("evening")
    with running(folder, built) as evening:
        yield evening


@pytest.fixture(scope="package")
def drawn_boards(busy_evening: Evening) -> dict[str, Drawn]:
    """By name, in Chinese."""
    return elsewhere(_drawn(busy_evening))


async def _drawn(evening: Evening) -> dict[str, Drawn]:
    async with drawing(evening.addresses) as drawer, asyncio.timeout(150):
        # One after the other: a tab that is not in sight draws nothing.
        return {name: await drawer.draw(path) for name, path in paths().items()}
